//! What is told, as its readers see it: `errors/NAME.sky` against `errors/NAME.txt`.

use std::path::Path;

use subrosa_script::syntax::{self, Source};

use crate::support::{codes, refused};

#[test]
fn rendered_errors_are_as_they_were_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax/errors");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter(|name| name.ends_with(".sky"))
        .collect();
    names.sort();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        let Err(errors) = syntax::parse(Source::from_bytes(&name, &bytes)) else {
            panic!("{name} parses");
        };
        let rendered = errors.render();
        assert!(
            !rendered.contains("hunter"),
            "{name} shows a secret:\n{rendered}"
        );
        let golden = folder.join(name.replace(".sky", ".txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&golden, &rendered).unwrap();
        }
        let known = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(
            rendered, known,
            "{name} changed: look at it, then UPDATE_GOLDEN=1"
        );
    }
}

#[test]
fn risk_attaches_to_one_statement_and_by_its_own_words() {
    for (text, code) in [
        ("say @x.\nwith risk", "risk-after-dot"),
        ("say @x. with risk", "risk-after-dot"),
        ("say @x.\n~ comment\n  with risk", "modifier-first"),
        ("say @x\n~ comment\n  with risk", "modifier-first"),
        ("say @x\n~~~\ncomment\n~~~\nwith risk", "modifier-first"),
        (
            "say @x ~ comment\n~ sensitive say @y\nwith risk",
            "modifier-first",
        ),
        ("say @x.\ntrace", "modifier-after-dot"),
        ("with risk\nsay @x", "modifier-first"),
        ("say @x with 'risk'", "quoted-risk"),
        ("say @x with risk with risk", "repeated-modifier"),
        ("say @x without risk", "unknown-modifier"),
        ("sensitive with risk\nsay @x\nend", "risk-on-block"),
        ("sensitive\nwith risk\nsay @x\nend", "risk-on-block"),
        ("repeat 3 with risk\nsay @x\nend", "risk-on-block"),
        ("repeat 3\nwith risk\nsay @x\nend", "risk-on-block"),
        ("while @x with risk\nend", "risk-on-block"),
        ("if @x is 'y' with risk\nend", "risk-on-block"),
        ("iterate ::c as @i with risk\nend", "risk-on-block"),
        ("foreach from ::c into @i with risk\nend", "risk-on-block"),
        ("function #f with risk\nend", "risk-on-block"),
        ("repeat 3\nend with risk", "risk-on-block"),
        ("repeat 3\nend\nwith risk", "risk-on-block"),
        ("#f @x with risk", "risk-on-call"),
        ("sensitive #f @x into @y with risk", "risk-on-call"),
        ("with risk sensitive say @x", "modifier-first"),
        ("sensitive risk say @x", "unknown-module"),
        ("cabinet write 'p' with risk", "missing-operand"),
    ] {
        assert_eq!(codes(text), [code], "{text}");
    }
}

#[test]
fn each_mistake_has_its_code() {
    for (text, code) in [
        ("sya 'x'", "unknown-command"),
        ("iff @x\nsay 'a'\nend", "unknown-command"),
        ("sensitve\nsay 'a'\nend", "unknown-command"),
        ("http get 'x'", "unknown-module"),
        ("queue send 'x'", "unknown-module"),
        ("clipboard copy 'x'", "unknown-module"),
        ("notification 'x'", "unknown-module"),
        ("safe http get 'x'", "unknown-module"),
        ("frobnicate", "unknown-module"),
        ("if @x\nsay 'a'\nelif @y\nsay 'b'\nend", "unknown-command"),
        ("print 'x'", "unknown-command"),
        ("sensitive safe say 'x'", "clause-order"),
        ("safe safe say 'x'", "repeated-clause"),
        ("safe end", "clause-on-end"),
        ("say", "missing-operand"),
        ("say with risk", "missing-operand"),
        ("say hello", "unquoted-text"),
        ("say vault 'N'", "vault-as-operand"),
        ("say 'a' 'b'", "unexpected"),
        ("say 'a' + 'b'", "unexpected"),
        ("say 'a' into @x", "no-result"),
        ("say @x as integer", "unknown-lens"),
        ("@a + @b as text into @c", "unknown-lens"),
        ("'x'", "missing-into"),
        ("@a append @b", "missing-into"),
        ("ask 'x'", "missing-into"),
        ("'x' into @a into @b", "repeated-modifier"),
        ("say 'x' trace trace", "repeated-modifier"),
        ("ask 'x' with mask with mask into @a", "repeated-modifier"),
        ("cabinet write 'p' with 'a' with 'b'", "repeated-modifier"),
        ("'x' into ::c", "bad-target"),
        ("script 'x' into environment 'N'", "bad-target"),
        ("'x' into", "bad-target"),
        ("'x' into vault", "bad-entry-name"),
        ("'x' into vault @n", "bad-entry-name"),
        ("'x' into vault 'a@{n}'", "bad-entry-name"),
        ("vault '' into @x", "bad-entry-name"),
        ("system filter 'A*' into vault 'N'", "bad-target"),
        ("say 'x' on linux trace", "on-not-last"),
        ("say 'x' on beos", "unknown-system"),
        ("say 'x' timeout 5", "missing-unit"),
        ("wait 5 parsecs", "missing-unit"),
        ("text shout @x into @y", "unknown-tool"),
        ("text upper @x @y into @z", "too-many-operands"),
        ("math add 1 into @z", "missing-operand"),
        ("map set ::m 'k'", "missing-operand"),
        ("list add @x 'k'", "missing-container"),
        ("add item 'x'", "entry-outside-container"),
        ("container into ::c\nsay 'x'\nend", "not-an-entry"),
        ("container into ::c\n'x' into @a\nend", "not-an-entry"),
        (
            "container into ::c\nremove item 'x'\nend",
            "remove-from-new",
        ),
        ("if @x say 'a'\nend", "unexpected"),
        ("if @x and @y\nend", "unexpected"),
        ("if @x.\nend", "dot-after-header"),
        ("if @x\nend.", "dot-after-header"),
        ("sensitive.\nsay 'x'\nend", "dot-after-header"),
        ("if @x trace\nend", "modifier-on-block"),
        ("if @x\nend\ntrace", "modifier-on-block"),
        ("end", "end-without-block"),
        ("else", "end-without-block"),
        ("while @x\nelse\nend", "else-without-if"),
        ("while @x\nsay 'y'", "missing-end"),
        ("function #f\nend\nfunction #f\nend", "duplicate-function"),
        ("if @x\nfunction #f\nend\nend", "nested-function"),
        ("safe function #f\nend", "clause-on-function"),
        ("parameter 1 into @a", "parameter-outside-function"),
        ("function #f\nparameter 0 into @a\nend", "bad-parameter"),
        ("say \"x\"", "wrong-quotes"),
        ("@x = 5", "unexpected-character"),
        ("if @x == 5\nend", "unexpected-character"),
        ("say @", "bad-name"),
        ("say ::c:a:b", "bad-field"),
        ("say ::c:", "bad-field"),
        ("say '@{a b}'", "bad-interpolation"),
        ("say '@{vault N}'", "bad-interpolation"),
        ("say @{vault 'N' }", "bad-interpolation"),
        ("say 'x", "unterminated-text"),
        ("say '\u{202e}'", "hidden-character"),
        ("say 'x'\u{7}", "unexpected-character"),
        ("say größe", "unquoted-text"),
    ] {
        assert_eq!(codes(text), [code], "{text}\n{}", refused(text).render());
    }
}

#[test]
fn one_mistake_is_told_once_and_others_too() {
    let text = "sya 'a'\nif @x iz 'b'\n  say 'c'\nend\nsay 'd' with rsk\nsay 'e'\n";
    assert_eq!(
        codes(text),
        ["unknown-command", "unexpected", "unknown-modifier"]
    );
    let many = "sya 'a'\n".repeat(1000);
    assert_eq!(codes(&many).len(), syntax::MAX_ERRORS);
    assert_eq!(
        refused("say 'a'\n  sya 'b'").to_string(),
        "t.sky:2:3: there is no command `sya`"
    );
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let errors = syntax::parse(Source::from_bytes("t.sky", b"say 'a'\nsay '\xff'\n")).unwrap_err();
    assert_eq!(errors.diagnostics[0].code, "not-utf8");
    assert!(errors.to_string().starts_with("t.sky:2:"), "{errors}");
}
