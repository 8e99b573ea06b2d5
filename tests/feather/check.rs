//! `script check`: what it lists, its statuses, and that it does nothing.

use std::fs;

use subrosa_tests::Done;

use super::Desk;

/// Status, standard output and standard error of a check.
fn check(
    desk: &Desk,
    script: &str,
    words: &[&str],
    variables: &[(&str, &str)],
) -> (i32, String, String) {
    fs::write(desk.path("s.sky"), script).expect("written");
    let mut all = vec!["s.sky"];
    all.extend(words);
    let mut command = desk.call("check", &all);
    command.envs(variables.iter().copied());
    let done = Done::of(&mut command, b"");
    let out = String::from_utf8(done.out).expect("a text");
    (done.status, out, done.err)
}

const SCRIPT: &str = "'hunter2' into vault 'KEY'\nvault 'KEY' into @key\nsensitive say @key\n\
                      sensitive cabinet write 'made' with @key with risk\nsay 'done'\nsuccess\n";

#[test]
fn each_verdict_has_its_status() {
    for (script, status) in [
        (SCRIPT, 0),
        ("say @unknown\nsuccess", 0),
        ("say 'x' with risk\nsuccess", 0),
        ("sya 'hello'", 2),
        ("vault 'KEY' into @key\nsay @key\nsuccess", 3),
        ("vault 'KEY' into @key\nsafe say @key\nsuccess", 3),
        ("vault 'KEY' into @key\nif @key\nend\nsuccess", 3),
    ] {
        for words in [&[][..], &["--json"]] {
            let (found, out, err) = check(&Desk::new(), script, words, &[]);
            assert_eq!(found, status, "{script}\n{out}\n{err}");
        }
    }
}

#[test]
fn it_lists_and_runs_nothing() {
    let desk = Desk::new();
    let (status, out, err) = check(&desk, SCRIPT, &[], &[("CI", "true")]);
    assert_eq!(status, 0, "{err}");
    for row in [
        "3:1    console       masked   KEY",
        "4:1    file-path     public",
        "4:1    file-content  leaves   KEY",
        "5:1    console       public",
    ] {
        assert!(out.contains(row), "{out}");
    }
    assert!(
        err.contains("0 refused") && err.contains("--allow-risk"),
        "{err}"
    );
    assert!(!desk.path("made").exists());
    assert!(!format!("{out}{err}").contains("hunter2"), "{out}{err}");
}

#[test]
fn a_refusal_points_at_its_line() {
    let script = SCRIPT.replace("with @key with risk", "with @key");
    let (status, out, err) = check(&Desk::new(), &script, &[], &[]);
    assert_eq!(status, 3);
    assert!(out.contains("refused: no with risk"), "{out}");
    assert!(
        err.contains("error[egress-refused]: a secret may go to a file"),
        "{err}"
    );
    assert!(
        err.contains("--> s.sky:4:1") && err.contains("^^^^"),
        "{err}"
    );
    assert!(
        err.contains("help: to let it out, write: sensitive … with risk"),
        "{err}"
    );
}

#[test]
fn json_is_one_document() {
    let script = "'hunter2' into vault 'KEY'. say @{vault 'KEY'}\nsay @x\nsuccess\n";
    let (status, out, err) = check(&Desk::new(), script, &["--json"], &[("CI", "1")]);
    assert_eq!((status, err.as_str()), (3, ""));
    let expected = r#"{
  "file": "s.sky",
  "egress": [
    {
      "line": 1,
      "column": 28,
      "sink": "console",
      "labels": [
        "KEY"
      ],
      "clauses": [],
      "missing": [
        "sensitive",
        "with risk"
      ],
      "refused": true,
      "within": []
    },
    {
      "line": 2,
      "column": 1,
      "sink": "console",
      "labels": [],
      "clauses": [],
      "missing": [],
      "refused": false,
      "within": []
    }
  ],
  "problems": [
    {
      "line": 2,
      "column": 5,
      "severity": "warning",
      "message": "@x has no value here",
      "hint": "assign it first: 'value' into @x"
    }
  ],
  "refused": 1
}
"#;
    assert_eq!(out, expected);
    let (status, out, _) = check(&Desk::new(), "sya 'x'\n", &["--json"], &[]);
    assert_eq!(status, 2);
    assert!(out.contains(r#""severity": "error""#), "{out}");
}
