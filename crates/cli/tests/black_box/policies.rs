//! The policy: apply, show, check, explain, test, edit.

use crate::house::{House, VALUE};

const POLICY: &str = r#"version: 1
default_action: deny
denied_commands: [rm]
rules:
  - name: push
    allow: run
    command: git
    args: ["push", "origin", "*"]
    secrets: ["github/**"]
    inject: env
tests:
  - expect: allow
    command: git
    args: ["push", "origin", "main"]
    secrets: ["github/token"]
    inject: env
"#;

#[test]
fn a_policy_is_applied_and_shown_as_it_was_written() {
    let house = House::new();
    let file = house.write("policy.yaml", POLICY);
    let dry = house
        .call(["--json", "apply", "--dry-run", "-f", "policy.yaml"])
        .run()
        .json();
    assert_eq!(
        (&dry["written"], &dry["loosens"]),
        (&false.into(), &true.into())
    );
    assert!(house.call(["policy", "show"]).run().ok() != POLICY);
    let applied = house
        .call(["--json", "apply", "-f", file.to_str().unwrap()])
        .run()
        .json();
    assert_eq!(applied["written"], true);
    assert_eq!(house.call(["policy", "show"]).run().ok(), POLICY);
    let diff = house
        .call(["apply", "-f", "-"])
        .input("version: 1\n")
        .run()
        .ok();
    assert!(
        diff.contains("-   - name: \"push\"") || diff.contains("- "),
        "{diff}"
    );
    assert_eq!(
        house.call(["policy", "show", "--builtin"]).run().ok(),
        "version: 1\ndefault_action: deny\n"
    );
    let shown = house.call(["--json", "policy", "show"]).run().json();
    assert!(shown["revision"].as_u64().unwrap() >= 2);
}

#[test]
fn a_wrong_policy_names_its_line_and_changes_nothing() {
    let house = House::new();
    house.apply(POLICY);
    house.write("wrong.yaml", "version: 1\nallowed_comands: [aws]\n");
    let back = house.call(["apply", "-f", "wrong.yaml"]).run();
    let said = back.failed(1);
    assert!(
        said.contains("line 2") && said.contains("did you mean `allowed_commands`"),
        "{said}"
    );
    house.write(
        "failing.yaml",
        POLICY.replace("expect: allow", "expect: deny"),
    );
    let back = house.call(["--json", "apply", "-f", "failing.yaml"]).run();
    assert_eq!(back.error_code(), "usage");
    assert_eq!(house.call(["policy", "show"]).run().ok(), POLICY);
}

#[test]
fn checks_and_tests_need_no_vault() {
    let house = House::bare();
    house.write("policy.yaml", POLICY);
    house
        .call(["policy", "check", "policy.yaml"])
        .without_proof()
        .run()
        .ok();
    let tests = house
        .call(["--json", "policy", "test", "policy.yaml"])
        .without_proof()
        .run()
        .json();
    assert_eq!(
        (&tests[0]["passed"], &tests[0]["verdict"]),
        (&true.into(), &"allow".into())
    );
    house.write(
        "failing.yaml",
        POLICY.replace("expect: allow", "expect: deny"),
    );
    house
        .call(["policy", "test", "failing.yaml"])
        .without_proof()
        .run()
        .failed(1);
    house
        .call(["policy", "check", "failing.yaml"])
        .without_proof()
        .run()
        .failed(1);
    house.write("warned.yaml", "version: 1\nallowed_commands: [sh]\n");
    let warned = house
        .call(["policy", "check", "warned.yaml"])
        .without_proof()
        .run();
    assert!(warned.err.contains("always denied"), "{warned:?}");
    assert_eq!(warned.code, Some(0));
}

#[test]
fn an_explanation_is_what_is_decided() {
    let house = House::new();
    house.set("github/token", VALUE);
    house.apply(POLICY);
    let explain = |words: &[&str]| {
        house
            .call(
                [
                    &["--json", "policy", "explain", "-k", "github/token", "--"],
                    words,
                ]
                .concat(),
            )
            .run()
            .json()
    };
    if std::path::Path::new("/usr/bin/git").exists() {
        let allowed = explain(&["git", "push", "origin", "main"]);
        assert_eq!(
            (&allowed["verdict"], &allowed["inject"]),
            (&"allow".into(), &"env".into())
        );
        assert!(allowed["rule"].as_str().unwrap().contains("push"));
        assert_eq!(
            explain(&["git", "push", "--force", "origin"])["verdict"],
            "deny"
        );
    }
    let denied = explain(&["env"]);
    assert_eq!(
        (&denied["verdict"], &denied["rule"]),
        (&"deny".into(), &"always-denied".into())
    );
    assert!(!denied["remedy"].as_str().unwrap().is_empty());
}

#[test]
fn loosening_needs_a_person_and_tightening_does_not() {
    let house = House::new();
    house.apply(POLICY);
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    let apply = |text: &str| {
        house.write("next.yaml", text);
        house
            .call([
                "--json",
                "--key-file",
                "job.key",
                "apply",
                "-f",
                "next.yaml",
            ])
            .without_proof()
            .run()
    };
    let wider = POLICY.replace("\"github/**\"", "\"**\"");
    assert_eq!(apply(&wider).error_code(), "presence");
    assert_eq!(house.call(["policy", "show"]).run().ok(), POLICY);
    assert_eq!(
        apply("version: 1\ndefault_action: deny\ndenied_commands: [rm, dd]\n").json()["written"],
        true
    );
}

#[test]
fn the_editor_gets_a_private_copy() {
    let house = House::new();
    house.apply(POLICY);
    let script = house.write(
        "editor.sh",
        "#!/bin/sh\nstat -c %a \"$2\" \"$(dirname \"$2\")\" >modes\necho \"$1\" >>modes\nsed -i 's/: .rm.$/: [rm, dd]/' \"$2\"\n",
    );
    std::process::Command::new("chmod")
        .arg("+x")
        .arg(&script)
        .status()
        .unwrap();
    let editor = format!("{} --flag", script.display());
    let edit = || house.call(["policy", "edit"]).variable("EDITOR", &editor);
    edit().run().ok();
    assert_eq!(
        std::fs::read_to_string(house.work("modes")).unwrap(),
        "600\n700\n--flag\n"
    );
    assert!(
        house
            .call(["policy", "show"])
            .run()
            .ok()
            .contains("[rm, dd]")
    );
    let same = edit().run();
    assert!(same.err.contains("Nothing was changed"), "{same:?}");
    assert_eq!(
        house.call(["--json", "policy", "edit"]).run().error_code(),
        "no_editor"
    );
    let failing = house
        .call(["--json", "policy", "edit"])
        .variable("VISUAL", "false")
        .run();
    assert_eq!(failing.error_code(), "editor");
}
