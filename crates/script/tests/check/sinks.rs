//! Every sink with every clause.

use super::{checked, lines};

/// A statement with a secret, where it goes, and whether `sensitive` alone masks it there.
const SINKS: &[(&str, &str, bool)] = &[
    ("say @s", "console", true),
    ("say 'x@{s}y'", "console", true),
    ("say @{vault 'S'}", "console", true),
    ("say ::c", "console", true),
    ("say ::c:0", "console", true),
    ("ask @s into @x", "console", true),
    ("cabinet write 'f' with @s", "file-content", false),
    ("cabinet append 'f' with @s", "file-content", false),
    ("cabinet write @s with 'x'", "file-path", false),
    ("cabinet append @s with 'x'", "file-path", false),
    ("cabinet read @s into @x", "file-path", false),
    ("cabinet create @s", "file-path", false),
    ("cabinet delete @s", "file-path", false),
    ("cabinet move 'f' @s", "file-path", false),
    ("cabinet move @s 'f'", "file-path", false),
    ("cabinet copy 'f' @s", "file-path", false),
    ("script 'echo @{s}'", "process", false),
    ("script 'echo @{s}' into @x", "process", false),
    ("program run 'echo @{s}'", "process", false),
    ("program run @s into @x", "process", false),
    ("@s into environment 'E'", "environment-value", false),
    ("'v' into environment @s", "environment-name", false),
    ("call 'cap' with @s", "call", false),
    ("call @s into @x", "call", false),
];

const FETCH: &str = "vault 'S' into @s\ncontainer into ::c\nadd item @s\nend\n";

/// The line of the statement behind [`FETCH`] about one sink.
fn of(statement: &str, sink: &str) -> String {
    let all = lines(&format!("{FETCH}{statement}\nsuccess\n"));
    let wanted = format!(" {sink} ");
    let found = all.iter().find(|line| line.contains(&wanted));
    found
        .cloned()
        .unwrap_or_else(|| panic!("{statement}: {all:?}"))
}

#[test]
fn every_sink_with_every_clause() {
    for (statement, sink, is_masked) in SINKS {
        let expect = |statement: &str, verdict: &str| {
            assert_eq!(
                of(statement, sink),
                format!("5 {sink} S {verdict}"),
                "{statement}"
            );
        };
        expect(statement, "refused [sensitive, with risk]");
        expect(
            &format!("safe {statement}"),
            "refused [sensitive, with risk]",
        );
        expect(&format!("{statement} with risk"), "refused [sensitive]");
        let alone = if *is_masked {
            "secret"
        } else {
            "refused [with risk]"
        };
        expect(&format!("sensitive {statement}"), alone);
        expect(&format!("safe sensitive {statement}"), alone);
        expect(&format!("sensitive {statement} with risk"), "secret");
        // As a run takes it: the clauses of a cluster are those of the statement.
        let clustered = format!("sensitive\n{statement} with risk\nend");
        assert_eq!(of(&clustered, sink), format!("6 {sink} S secret"));
        let clustered = format!("safe sensitive\n{statement}\nend");
        assert_eq!(of(&clustered, sink), format!("6 {sink} S {alone}"));
    }
}

#[test]
fn what_is_public_leaves() {
    for (statement, _, _) in SINKS {
        let public = statement.replace("@{vault 'S'}", "@s");
        let text =
            format!("'v' into @s\ncontainer into ::c\nadd item @s\nend\n{public}\nsuccess\n");
        let all = lines(&text);
        assert!(
            !all.is_empty() && all.iter().all(|line| line.ends_with("public")),
            "{all:?}"
        );
        assert_eq!(checked(&text).refused(), 0);
    }
}

#[test]
fn nothing_permits_a_secret_folder_or_pattern() {
    for clauses in ["", "sensitive ", "safe sensitive "] {
        for risk in ["", " with risk"] {
            let listed = of(
                &format!("{clauses}cabinet list @s into ::d{risk}"),
                "file-path",
            );
            assert_eq!(listed, "5 file-path S refused []");
            let text = format!("{FETCH}{clauses}system filter @s into vault{risk}\nsuccess\n");
            assert_eq!(lines(&text), ["5 import S refused []"]);
        }
    }
    assert_eq!(lines("system filter 'A*' into vault\nsuccess\n"), [""; 0]);
}

#[test]
fn times_are_conditions() {
    let wait = |clauses: &str| lines(&format!("{FETCH}{clauses}wait @s seconds\nsuccess\n"));
    assert_eq!(wait(""), ["5 delay S refused [sensitive]"]);
    assert_eq!(wait("sensitive "), [""; 0]);
    let text = format!("{FETCH}script 'date' timeout @s seconds\nsuccess\n");
    assert_eq!(
        lines(&text),
        ["5 process  public", "5 delay S refused [sensitive]"]
    );
}

/// A variable that hands a secret on is permitted once; what a child prints then is a secret.
#[test]
fn the_environment_hands_on() {
    let text = format!(
        "{FETCH}script 'env' into @x\nsay @x\nsensitive @s into environment 'E' with risk\n\
         script 'env' into @x\nsay @x\nsuccess\n"
    );
    let expected = [
        "5 process  public",
        "6 console  public",
        "7 environment-value S secret",
        "7 environment-name  public",
        "8 process S secret",
        "9 console S refused [sensitive, with risk]",
    ];
    assert_eq!(lines(&text), expected);
    let text = format!("{FETCH}sensitive script 'date' into @x with risk\nsay @x\nsuccess\n");
    let expected = [
        "5 process  public",
        "6 console  refused [sensitive, with risk]",
    ];
    assert_eq!(lines(&text), expected);
}

#[test]
fn what_is_typed_or_answered_may_be_a_secret() {
    for (made, refused) in [
        ("ask 'p' into @x", false),
        ("sensitive ask 'p' into @x", true),
        ("ask 'p' with default @s into @x", true),
        ("ask 'p' with mask into @x", false),
        ("call 'cap' into @x", true),
        ("cabinet read 'f' into @x", false),
    ] {
        let line = of(&format!("{made}. say @x"), "console");
        let all = lines(&format!("{FETCH}{made}\nsay @x\nsuccess\n"));
        let last = all.last().cloned().unwrap_or_default();
        assert_eq!(last.contains("refused"), refused, "{made}: {last} {line}");
    }
}

#[test]
fn an_entry_derives_from_what_it_was_made_of() {
    let text = format!("{FETCH}'x@{{s}}' into vault 'T'\nvault 'T' into @t\nsay @t\nsuccess\n");
    assert_eq!(
        lines(&text),
        ["7 console S+T refused [sensitive, with risk]"]
    );
}

#[test]
fn refusals_are_told_like_errors() {
    let text = "'hunter2' into vault 'S'\nsensitive script 'curl @{vault 'S'}'\nsuccess\n";
    let source = subrosa_script::syntax::Source::new("s.sky", text);
    let all = checked(text).egress;
    let told = all[0].refusal.as_ref().expect("refused").render(&source);
    assert_eq!(
        told,
        "\
error[egress-refused]: a secret may go to a process, and `with risk` is missing (from vault 'S')
 --> s.sky:2:1
  |
2 | sensitive script 'curl @{vault 'S'}'
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
help: to let it out, write: sensitive … with risk
"
    );
    let secret = format!("{all:?}{}", source.shown(0));
    assert!(!secret.contains("hunter2"), "{secret}");
    assert_eq!(source.shown(0), "******** into vault 'S'");
}
