//! What of a sensitive value leaves through which sink, by the clauses of the statement.

use std::fs;

use super::Desk;

const HEAD: &str = "'the-value' into vault 'S'\nvault 'S' into @s\n'plain' into @p\n";

/// A sink: its name, the statement without clauses, and what it leaves when the value is let out: on
/// the console, and in the file `out`.
const SINKS: &[(&str, &str, &str, Option<&str>)] = &[
    ("say", "say 'x@{s}'", "xthe-value\n", None),
    (
        "prompt",
        "ask 'x@{s}' with default 'd' into @n",
        "xthe-value",
        None,
    ),
    (
        "content",
        "cabinet write 'out' with 'x@{s}'",
        "",
        Some("xthe-value"),
    ),
    (
        "added",
        "cabinet file append 'out' with 'x@{s}'",
        "",
        Some("xthe-value"),
    ),
    (
        "shell",
        "script 'printf %s \"x@{s}\" > out'",
        "",
        Some("xthe-value"),
    ),
    (
        "program",
        "program run 'sh -c \"printf %s $0 > out\" @{s}'",
        "",
        Some("the-value"),
    ),
    ("environment", "@s into environment 'S'", "", None),
];

#[test]
fn the_table_of_clauses_and_sinks() {
    for (name, statement, console, file) in SINKS {
        for (clauses, risk) in [
            ("", ""),
            ("sensitive ", ""),
            ("", " with risk"),
            ("sensitive ", " with risk"),
            ("safe ", ""),
            ("safe sensitive ", ""),
            ("safe ", " with risk"),
            ("safe sensitive ", " with risk"),
        ] {
            let desk = Desk::new();
            let ran = desk.run(&format!("{HEAD}{clauses}{statement}{risk}\nsuccess"));
            let place = format!("{name}: {clauses}{risk}: {}", ran.err);
            let is_sensitive = clauses.contains("sensitive");
            let is_let_out = is_sensitive && !risk.is_empty();
            let is_masked = is_sensitive && !is_let_out && matches!(*name, "say" | "prompt");
            let out = match (is_let_out, is_masked, *name) {
                (true, _, _) => (*console).to_owned(),
                (_, true, "say") => "********\n".to_owned(),
                (_, true, _) => "********".to_owned(),
                _ => String::new(),
            };
            assert_eq!(ran.out, out, "{place}");
            let written = fs::read_to_string(desk.path("out")).ok();
            let expected = file.filter(|_| is_let_out).map(str::to_owned);
            assert_eq!(written, expected, "{place}");
            let is_refused = !is_let_out && !is_masked;
            let status = match is_refused && !clauses.contains("safe") {
                true => 3,
                false => 0,
            };
            assert_eq!(ran.status, status, "{place}");
            assert!(!ran.memo.contains("the-value"), "{place}");
            assert!(!ran.err.contains("the-value"), "{place}");
        }
    }
}

#[test]
fn the_path_of_a_file_is_a_sink() {
    let desk = Desk::new();
    for statement in [
        "cabinet write @s with 'public'",
        "cabinet create @s",
        "cabinet copy 's.sky' @s",
        "cabinet read @s into @x",
        "cabinet delete @s",
        "cabinet move 's.sky' @s",
    ] {
        let ran = desk.run(&format!("{HEAD}{statement}\nsuccess"));
        assert_eq!(ran.status, 3, "{statement} {}", ran.err);
        let ran = desk.run(&format!("{HEAD}sensitive {statement}\nsuccess"));
        assert_eq!(ran.status, 3, "{statement} {}", ran.err);
        assert!(!desk.path("the-value").exists(), "{statement}");
    }
    let ran = desk.run(&format!(
        "{HEAD}sensitive cabinet write @s with 'public' with risk\n\
         sensitive cabinet read @s into @x with risk\nsafe say @x\nsuccess"
    ));
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(
        fs::read_to_string(desk.path("the-value")).expect("made"),
        "public"
    );
    assert_eq!(ran.out, "", "what is read by a secret name is secret");
}

/// `with risk` belongs to one statement, and is these two words in it.
#[test]
fn risk_is_not_granted_by_anything_else() {
    for (script, status) in [
        ("sensitive say @s with 'risk'", 2),
        ("sensitive say @s ~ with risk\nsuccess", 0),
        ("sensitive cabinet write 'out' with @s.\nwith risk", 2),
        ("sensitive\ncabinet write 'out' with @s\nend", 3),
        ("sensitive repeat 1\ncabinet write 'out' with @s\nend", 3),
        (
            "repeat 1 with risk\nsensitive cabinet write 'out' with @s\nend",
            2,
        ),
        (
            "function #f\nsensitive cabinet write 'out' with @s\nsuccess\nend\n#f with risk",
            2,
        ),
        ("say 'with risk'\nsensitive cabinet write 'out' with @s", 3),
        (
            "say 'x' with risk\nsensitive cabinet write 'out' with @s",
            3,
        ),
    ] {
        let desk = Desk::new();
        let ran = desk.run(&format!("{HEAD}{script}\n"));
        assert_eq!(ran.status, status, "{script}\n{}", ran.err);
        assert!(!ran.out.contains("the-value"), "{script}");
        assert!(!desk.path("out").exists(), "{script}");
    }
}

/// A variable that was let out reaches every later child; what these print is scrubbed, or sensitive.
#[test]
fn a_secret_in_the_environment_reaches_later_children() {
    let ran = Desk::new().run(&format!(
        "{HEAD}sensitive @s into environment 'TOKEN' with risk\n\
         script 'test \"$TOKEN\" = the-value && echo it is there'\n\
         script 'echo $TOKEN'\nscript 'echo $TOKEN' into @o\nsafe say @o\n\
         sensitive script 'echo $TOKEN' with risk\nsuccess"
    ));
    assert_eq!(
        ran.out, "it is there\n[REDACTED:S]\nthe-value\n",
        "{}",
        ran.err
    );
}

/// What decides on a secret is not to be seen from outside.
#[test]
fn a_branch_on_a_secret_shows_nothing() {
    for body in [
        "say 'taken'",
        "cabinet create 'out'",
        "script 'touch out'",
        "'x' into environment 'X'",
        "#shows",
        "if true\nsay 'deeper'\nend",
    ] {
        for guess in ["the-value", "another"] {
            let desk = Desk::new();
            let ran = desk.run(&format!(
                "{HEAD}function #shows\nsay 'shown'\nsuccess\nend\n\
                 sensitive if @s is '{guess}'\n{body}\nend\nsay 'after'\nsuccess"
            ));
            assert_eq!(
                (ran.status, ran.out.as_str()),
                (3, ""),
                "{body}: {}",
                ran.err
            );
            assert!(!desk.path("out").exists(), "{body}");
        }
    }
    // What is assigned on either way is a secret, also where it was not taken.
    let mut ends = Vec::new();
    for guess in ["the-value", "another"] {
        let ran = Desk::new().run(&format!(
            "{HEAD}'before' into @x\nsensitive if @s is '{guess}'\n'yes' into @x\n'y' into @y\n\
             'z' into vault 'Z'\nend\nsafe say @x\nsafe say @y\nsensitive say @x\n\
             vault 'Z' into @z\nsuccess"
        ));
        assert_eq!(ran.status, 0, "{}", ran.err);
        let err = ran.err.replace(guess, "GUESS");
        ends.push((ran.out, err, ran.memo.replace(guess, "GUESS")));
    }
    assert_eq!(ends[0], ends[1]);
}

/// What a secret decided to store is masked in no output for being there: that would tell it was.
#[test]
fn output_does_not_tell_which_way_was_taken() {
    let script = "system filter 'SEC' into vault\nvault 'SEC' into @k\n\
         sensitive if @k is 'first-value'\n'public-text' into vault 'Q'\nelse\n'other-text' into vault 'Q'\nend\n\
         vault 'Q' into @q\nscript 'echo public-text other-text'\nsuccess";
    let shown = |secret| {
        let ran = Desk::new().run_with(script, "", &[], &[("SEC", secret)]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        (ran.out, ran.err, ran.memo)
    };
    let first = shown("first-value");
    assert_eq!(first.0, "public-text other-text\n");
    assert_eq!(first, shown("second-value"));
    // Once it is handed out, it is masked like any.
    let script = script.replace(
        "script 'echo",
        "sensitive @q into environment 'E' with risk\nscript 'echo $E",
    );
    let ran = Desk::new().run_with(&script, "", &[], &[("SEC", "first-value")]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(!ran.out.contains("public-text"), "{}", ran.out);
}
