//! Scripts on the user's own vault: what their clauses permit, its policy has to permit too.

use std::fs;

use subrosa_tests::{Done, Place};

const VALUE: &[u8] = b"canary-value-8271-of-a-vault";
const RULE: &str = "version: 1\nrules:\n  - { allow: script, secrets: [\"dev/**\"] }\n";

fn run(place: &Place, script: &str) -> Done {
    fs::write(place.path("work/s.sky"), script).expect("written");
    let words = ["script", "run", "--vault", "--memo", "../memo", "s.sky"];
    place.run(&words)
}

/// A vault with a secret that scripts may let out, and one that they may not.
fn place() -> Place {
    let place = Place::new();
    place.set("dev/key", VALUE);
    place.set("prod/key", VALUE);
    place.apply(RULE);
    place
}

#[test]
fn a_value_leaves_by_its_clauses_and_by_a_rule() {
    let place = place();
    let ran = run(
        &place,
        "vault 'dev/key' into @x\nsensitive say @x\nsensitive say 'it is @{x}' with risk\nsuccess",
    );
    let shown = format!("********\nit is {}\n", String::from_utf8_lossy(VALUE));
    assert_eq!((ran.status, ran.text()), (0, shown), "{}", ran.err);
    for (script, sink) in [
        ("sensitive say @{vault 'prod/key'} with risk", "console"),
        (
            "sensitive cabinet write 'f' with @{vault 'prod/key'} with risk",
            "file",
        ),
        (
            "sensitive script 'echo @{vault 'prod/key'}' with risk",
            "process",
        ),
        (
            "sensitive @{vault 'prod/key'} into environment 'E' with risk",
            "environment",
        ),
        // One of them is enough.
        (
            "sensitive say '@{vault 'dev/key'}@{vault 'prod/key'}' with risk",
            "console",
        ),
    ] {
        let ran = run(&place, &format!("{script}\nsuccess"));
        assert_eq!((ran.status, ran.text().as_str()), (3, ""), "{script}");
        assert!(ran.err.contains("allow: script"), "{sink}: {}", ran.err);
        assert!(!place.path("work/f").exists(), "{script}");
    }
    let log = place.log();
    assert!(log.contains("s.sky:3"), "the line of what was let out");
    assert!(log.contains("s.sky:1"), "the line of what was refused");
    assert!(log.contains("prod/key"), "the label of what was refused");
    assert!(!log.contains("canary"), "and no value");
    place.verify();
}

#[test]
fn a_rule_without_the_clauses_lets_nothing_out() {
    let place = place();
    for script in [
        "say @{vault 'dev/key'}",
        "say @{vault 'dev/key'} with risk",
        "sensitive cabinet write 'f' with @{vault 'dev/key'}",
    ] {
        let ran = run(&place, &format!("{script}\nsuccess"));
        assert_eq!((ran.status, ran.text().as_str()), (3, ""), "{script}");
    }
    assert!(!place.path("work/f").exists());
}

#[test]
fn what_is_stored_stays_and_another_name_opens_no_way_out() {
    let place = place();
    let ran = run(
        &place,
        "'made-by-a-script' into vault 'dev/made'\n'pw-of-a-field' into vault 'dev/db#password'\nsuccess",
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(place.read("dev/made"), b"made-by-a-script");
    assert_eq!(place.read("dev/db#password"), b"pw-of-a-field");
    let field = "sensitive say @{vault 'dev/db#password'} with risk\nsuccess";
    assert_eq!(run(&place, field).text(), "pw-of-a-field\n");
    // The rule is about dev/**: a copy there of what it does not name would be let out.
    for script in [
        "vault 'prod/key' into @x\n@x into vault 'dev/copy'",
        "text upper @{vault 'prod/key'} into vault 'dev/copy'",
        "'x@{vault 'prod/key'}' into vault 'dev/copy'",
    ] {
        let ran = run(&place, &format!("{script}\nsuccess"));
        assert_eq!(ran.status, 3, "{script}\n{}", ran.err);
        assert_ne!(place.proven(&["read", "dev/copy"]).status, 0, "{script}");
    }
    let within = "@{vault 'dev/key'} into vault 'dev/copy'\nsuccess";
    assert_eq!(run(&place, within).status, 0);
    assert_eq!(place.read("dev/copy"), VALUE);
}

#[test]
fn row_25_a_pinned_secret_leaves_by_no_script() {
    let place = place();
    let pin = ["dev/pinned", "--pin", "openai", "--host", "api.openai.com"];
    place.set_with(&pin, b"canary-that-is-pinned-1").ok();
    for script in [
        "sensitive say @{vault 'dev/pinned'} with risk",
        "text reverse @{vault 'dev/pinned'} into @y\nsuccess",
        "@{vault 'dev/pinned'} into vault 'dev/free'\nsensitive say @{vault 'dev/free'} with risk",
    ] {
        let ran = run(&place, &format!("{script}\nsuccess"));
        assert_ne!(ran.status, 0, "{script}");
        assert!(!ran.text().contains("canary"), "{script}");
    }
    assert_ne!(place.proven(&["read", "dev/free"]).status, 0);
}

#[test]
fn children_show_nothing_of_what_was_fetched_or_handed_out_before() {
    let place = place();
    let value = String::from_utf8_lossy(VALUE);
    let ran = run(
        &place,
        &format!("vault 'dev/key' into @x\nscript 'echo {value}'\nsuccess"),
    );
    assert_eq!(
        (ran.status, ran.text().as_str()),
        (0, "[REDACTED:dev/key]\n"),
        "{}",
        ran.err
    );
    let memo = fs::read_to_string(place.path("memo")).expect("a memo");
    assert!(memo.contains("vault 'dev/key'"), "{memo}");
}

#[test]
fn names_are_of_one_value_each() {
    let place = place();
    place.set("dev/two#a", b"first-of-two-fields");
    place.set("dev/two#b", b"other-of-two-fields");
    for (name, status, word) in [
        ("dev/*", 1, "dev/*"),
        ("dev/two", 1, "#FIELD"),
        ("dev/two#a", 0, ""),
        ("dev/none", 1, "dev/none"),
        ("dev/key#none", 1, "dev/key#none"),
        ("not a key!", 1, "not a key!"),
    ] {
        let ran = run(&place, &format!("vault '{name}' into @x\nsuccess"));
        assert_eq!(ran.status, status, "{name}: {}", ran.err);
        assert!(ran.err.contains(word), "{name}: {}", ran.err);
    }
}

#[test]
fn without_a_vault_or_a_proof_it_says_so() {
    let nowhere = Place::empty();
    let ran = run(&nowhere, "success");
    assert!(ran.err.contains("subrosa init"), "{}", ran.err);
    assert_ne!(ran.status, 0);
    let both = Place::new().run(&["script", "run", "--vault", "--ephemeral", "s.sky"]);
    assert!(both.err.contains("--ephemeral"), "{}", both.err);
}
