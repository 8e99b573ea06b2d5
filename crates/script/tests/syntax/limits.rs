//! Bounds, and time that grows with the text and not faster.

use std::time::{Duration, Instant};

use subrosa_script::syntax::{self, MAX_DEPTH, MAX_SCRIPT, MAX_STATEMENTS, Source};

use crate::support::{codes, parse};

#[test]
fn every_bound_has_its_code() {
    let deep = |depth: usize| format!("{}{}", "if @a\n".repeat(depth), "end\n".repeat(depth));
    parse(&deep(MAX_DEPTH));
    assert_eq!(codes(&deep(MAX_DEPTH + 1)), ["too-deep"]);
    assert_eq!(codes(&"if @a\n".repeat(100_000)), ["too-deep"]);
    assert_eq!(codes(&"safe\n".repeat(100_000)), ["too-deep"]);
    assert_eq!(codes(&" ".repeat(MAX_SCRIPT + 1)), ["too-large"]);
    parse(&" ".repeat(MAX_SCRIPT));
    let many = |count: usize| "say 1\n".repeat(count);
    parse(&many(MAX_STATEMENTS));
    assert_eq!(codes(&many(MAX_STATEMENTS + 1)), ["too-many-statements"]);
    parse(&format!("#f{}", " @a".repeat(64)));
    assert_eq!(
        codes(&format!("#f{}", " @a".repeat(65))),
        ["too-many-operands"]
    );
    assert_eq!(
        codes(&format!("say '{}'", "@{a} ".repeat(600))),
        ["too-many-parts"]
    );
}

#[test]
fn hostile_texts_take_no_more_time_than_others() {
    let fill = |unit: &str| unit.repeat(MAX_SCRIPT / 4 / unit.len());
    let texts = [
        fill("'"),
        fill("@{"),
        fill("'@{"),
        fill("@{vault '"),
        fill("'@{vault '"),
        fill("~"),
        fill("~~~\n"),
        fill("~~~\n~~~ \n"),
        fill("if @a\n"),
        fill("else\n"),
        fill("end\n"),
        fill("."),
        fill("safe "),
        fill("with risk "),
        fill("say 'x\n"),
        fill("\n'\n"),
        fill("x into vault "),
        fill("'a' into vault 'b'."),
        fill("'a' into vault "),
        fill("\"a\n"),
        fill("say 1\nwith\n"),
        fill("\\"),
        fill("'\\"),
        fill("::c:"),
        fill("1."),
        fill("-"),
        fill("~ into vault\n"),
        fill("'a\nb' into vault 'N'\n"),
        fill("say 'a\n'\nx\n"),
        fill("valt "),
        fill("x"),
        fill("é"),
        format!("'{}' into vault", fill("a").get(20..).unwrap()),
        format!("if @a\n{}end", fill("else if @a\n").get(22..).unwrap()),
        format!("say '{}'", fill("@{a}").get(8..).unwrap()),
    ];
    for text in texts {
        let start = Instant::now();
        let source = Source::new("t.sky", &text);
        match syntax::parse(source.clone()) {
            Ok(_) => drop(syntax::format(source)),
            Err(errors) => drop(errors.render()),
        }
        let spent = start.elapsed();
        let head: String = text.chars().take(20).collect();
        assert!(spent < Duration::from_secs(10), "{head}: {spent:?}");
    }
}
