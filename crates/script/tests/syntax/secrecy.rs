//! No error shows a literal that is stored, however its line is wrong.

use proptest::prelude::*;
use subrosa_script::syntax::{self, Diagnostic, Source, Span};

const SECRET: &str = "hunter2";

fn rendered(text: &str) -> String {
    let errors = syntax::parse(Source::new("t.sky", text)).unwrap_err();
    format!("{}{errors}{errors:?}", errors.render())
}

#[test]
fn a_stored_literal_is_hidden_in_every_line_that_does_not_parse() {
    for text in [
        "'hunter2' into vault 'N' x",
        "'hunter2' into vault N",
        "set 'hunter2' into vault 'N' with rsk",
        "'hunter2' into vault 'N'. sya 'x'",
        "sya 'x'. 'hunter2' into vault 'N'",
        "'hunter2'. into vault 'N'",
        "'hunter2'.\ninto vault 'N'",
        "'hunter2'\n  into vault 'N' x",
        "'hunter2' x\n  into vault 'N'",
        "'hunter2' into valt 'N'",
        "'hunter2' into  vualt 'N'",
        "'hunter2' INTO VAULT 'N'",
        "'hunter2' in vault 'N'",
        "'hunter2' into 'N'",
        "set 'hunter2' int 'N'",
        "vault 'N' is 'hunter2'",
        "store 'hunter2' in vault 'N'",
        "sensitive safe 'hunter2' into vault 'N'",
        "\"hunter2\" into vault 'N'",
        "`hunter2` into vault 'N'",
        "“hunter2” into vault 'N'",
        "\"hunter2 into vault 'N'",
        "hunter2 into vault 'N'",
        "set hunter2 into vault 'N'",
        "hunter2-hunter2 into vault 'N'",
        "ask 'x' with default 'hunter2' into vault 'N' x",
        "say 'x' 'y' ~ 'hunter2' into vault 'N'",
        "'hunter2\nhunter2' into vault 'N' x",
        "'x\nhunter2' into vault 'N'. sya 'x'",
        "'hunter2 into vault 'N'",
        "'hunter2' into vault 'N",
        "hunter2' into vault 'N'",
        "'hunter's hunter2' into vault 'N'",
        "'hunter2\n'hunter2' into vault 'N'\n'hunter2' into vault 'M'",
        "say 'oops\n'hunter2' into vault 'K'\nsay oops'",
        "say 'oops\n'hunter2\nhunter2' into vault 'K'\nsay oops'",
        "say 'oops\n'\nhunter2' into vault 'K'\nsay oops'\n",
        "say 'oops\n'\nhunter2\nhunter2 say\n' into vault 'K'\nsay 'x'",
        "say 'oops 'hunter2' into vault 'K' x'",
        "if 'x' is 'y\nend\n'hunter2\nhunter2' into vault 'N'\n",
        "'hunter2@{' into vault 'N'\nsya 'x'\n'@{vault 'hunter2' into vault 'N'",
        "'@{a b}hunter2' into vault 'N'",
        "12hunter2 into vault 'N'",
        "safe\n  'hunter2' into vault 'N' x\n",
    ] {
        let shown = rendered(text);
        assert!(!shown.contains("hunter"), "{text}\n{shown}");
    }
}

#[test]
fn numbers_that_are_stored_are_hidden() {
    let shown = rendered("4711 into vault 'PIN' x");
    assert!(!shown.contains("4711"), "{shown}");
}

#[test]
fn a_script_that_parses_has_its_literals_masked_for_later_errors() {
    let text = "say 'a'\n'hunter2' into vault 'N'. say @missing\n'one\nhunter2' into vault 'M'\n";
    let script = syntax::parse(Source::new("t.sky", text)).unwrap();
    for statement in &script.body.statements {
        let error = Diagnostic::error("unknown-name", "no such name", statement.span);
        let shown = error.render(&script.source);
        assert!(!shown.contains("hunter"), "{shown}");
    }
    assert!(
        !format!("{script:?}").contains("hunter"),
        "its debug form tells"
    );
}

#[test]
fn no_column_tells_the_length_of_a_stored_literal() {
    let shown = |secret: &str| {
        let text = format!("'{secret}' into vault 'N'. say @missing\n");
        let script = syntax::parse(Source::new("t.sky", &text)).unwrap();
        let span = script.body.statements[1].span;
        Diagnostic::error("unknown-name", "no such name", span).render(&script.source)
    };
    assert_eq!(shown(""), shown("a"));
    assert_eq!(shown("a"), shown(&"b".repeat(500)));
    assert_eq!(shown("a"), shown("\\'@{x}\t"));
}

#[test]
fn what_is_stored_nowhere_is_shown() {
    assert!(rendered("sya 'hello'").contains("1 | sya 'hello'"));
    assert!(rendered("say 'hello' with rsk").contains("1 | say 'hello' with rsk"));
    assert!(rendered("vault 'API' into @x x").contains("1 | vault 'API' into @x x"));
    assert!(rendered("'x' into vault 'API' x").contains("1 | ******** into vault 'API' x"));
    assert!(rendered("'a\nb' into vault 'N'\nsya 'hello'").contains("3 | sya 'hello'"));
}

#[test]
fn excerpts_move_no_cursor_and_are_short() {
    let shown = rendered("say '\u{1b}[2J\u{200b}\r' x");
    assert!(shown.contains("\\u{1b}[2J\\u{200b}\\u{d}"), "{shown}");
    let long = format!("say '{}' x '{}'", "a".repeat(100_000), "b".repeat(100_000));
    let shown = rendered(&long);
    assert!(shown.len() < 2000, "{}", shown.len());
    assert!(shown.contains("…aaa"), "{shown}");
    // The caret stands under what is meant, whatever is wide before it.
    let errors = syntax::parse(Source::new("t.sky", "say '\t漢字e\u{301}' x")).unwrap_err();
    let shown = errors.render();
    let under = format!("say '    漢字e\u{301}' x\n  | {}^ the", " ".repeat(16));
    assert!(shown.contains(&under), "{shown}");
    let far = Diagnostic::error("x", "y", Span::new(4_000_000, 4_000_001));
    assert!(
        far.render(&Source::new("t.sky", "say 'a'"))
            .contains("t.sky:1")
    );
}

/// A script of lines that are right or nearly so, with one secret in several places.
fn broken() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "'hunter2' into vault 'N'",
        "say 'x'",
        "\n",
        "\n",
        "'",
        "\\",
        ".",
        " ",
        "~",
        "~~~\n",
        "\"",
        "with risk",
        "@{",
        "@{vault '",
        "'hunter2\nhunter2' into vault 'N'\n",
        "set ",
        "end",
        "if @x\n",
        "into vault 'M'",
        "sya",
        "}",
        "set 'hunter2'\ninto vault 'N'",
        "\t",
        "say 'a\nb'\n",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Every slip of one key in scripts that parse.
#[test]
fn no_slip_shows_a_stored_literal() {
    let scripts = [
        "say 'a'\n'hunter2' into vault 'N'\nsay 'b' with risk\n",
        "if @x is 'y'\n    set 'hunter2' into vault 'N'\nend\nsensitive say @key\n",
        "vault 'A' into @a ~ 'hunter2' was here\nsafe 'hunter2'\n    into vault 'N'. say 'x.y'\n",
        "'x\nhunter2\nhunter2' into vault 'N'\ncabinet write 'p' with 'q'\n",
        "say 'it\\'s'\nset 'hunter2\nhunter2'\n  into vault 'N' trace\n'@{vault 'N'}' into @x\n",
        "~~~\n'hunter2' into vault 'N'\n~~~\nask 'p' with default 'hunter2' into vault 'M'\n",
    ];
    let keys = [
        "", "'", "\\", "~", "\n", ".", " ", "x", "\"", "~~~\n", "\n'",
    ];
    for script in scripts {
        let characters: Vec<char> = script.chars().collect();
        for at in 0..characters.len() {
            for (key, removed) in keys.iter().flat_map(|key| [(key, 0), (key, 1)]) {
                let mut text = characters.clone();
                text.splice(at..at + removed, key.chars());
                let text: String = text.into_iter().collect();
                if let Err(errors) = syntax::parse(Source::new("t.sky", &text)) {
                    let shown = format!("{}{errors}", errors.render());
                    assert!(!shown.contains(SECRET), "{text}\n{shown}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_error_shows_a_stored_literal(text in broken()) {
        if let Err(errors) = syntax::parse(Source::new("t.sky", &text)) {
            let shown = format!("{}{errors}", errors.render());
            prop_assert!(!shown.contains(SECRET), "{}\n{}", text, shown);
        }
    }
}
