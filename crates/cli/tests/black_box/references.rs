//! Secrets that stand for others: a use of one is a use of the other.

use crate::house::{House, VALUE};

const RULE: &str = "version: 1\nrules:\n  - { allow: run, command: sh, args: [\"-c\", \"echo $DEPLOY_TOKEN\"], \
                    secrets: [\"KEY\"], inject: env }\n";
const RUN: [&str; 7] = [
    "run",
    "-k",
    "deploy/token",
    "--",
    "sh",
    "-c",
    "echo $DEPLOY_TOKEN",
];

/// `deploy/token` stands for `api/key`.
fn house() -> House {
    let house = House::with_key();
    let words = ["set", "deploy/token", "--reference", "subrosa://api/key"];
    house.call(words).run().ok();
    house
}

#[test]
fn it_is_used_under_its_own_variable_and_decided_by_the_others_name() {
    let house = house();
    // A rule about the name that only stands for it allows nothing.
    house.apply(&RULE.replace("KEY", "deploy/**"));
    let refused = house.call(RUN).run();
    assert!(refused.failed(125).contains("api/key"), "{refused:?}");
    house.apply(&RULE.replace("KEY", "api/key"));
    assert_eq!(house.call(RUN).run().ok(), "[REDACTED:api/key]\n");
    assert_eq!(house.read("deploy/token"), VALUE.as_bytes());
    house.set("api/key", "another-value-4711-zyx");
    assert_eq!(house.read("deploy/token"), b"another-value-4711-zyx");
    let shown = house.call(["show", "deploy/token", "--json"]).run().json();
    assert_eq!(shown["about"][0]["kind"], "reference");
    assert_eq!(shown["about"][0]["hint"], "subrosa://api/key");
    assert_eq!(shown["about"][0]["sensitive"], false);
}

#[test]
fn a_value_of_its_own_ends_it_and_an_earlier_one_comes_back() {
    let house = house();
    house.set("deploy/token", "its-own-value-0815-abc");
    assert_eq!(house.read("deploy/token"), b"its-own-value-0815-abc");
    let shown = house.call(["show", "deploy/token", "--json"]).run().json();
    assert_eq!(shown["about"][0]["sensitive"], true, "{shown}");
    house
        .call(["set", "deploy/token", "--reference", "subrosa://api/key"])
        .run()
        .ok();
    assert_eq!(house.read("deploy/token"), VALUE.as_bytes());
    house.call(["rollback", "deploy/token"]).run().ok();
    assert_eq!(house.read("deploy/token"), b"its-own-value-0815-abc");
}

#[test]
fn what_leads_nowhere_or_back_is_told() {
    let house = house();
    for (key, to, code) in [
        ("a/loop", "subrosa://a/loop", "reference_loop"),
        ("a/gone", "subrosa://no/such", "missing"),
        ("a/field", "subrosa://api/key#none", "no_field"),
        ("a/foreign", "op://vault/item/field", "not_built"),
    ] {
        house.call(["set", key, "--reference", to]).run().ok();
        let back = house.call(["--json", "run", "-k", key, "--", "true"]).run();
        assert_eq!(back.error_code(), code, "{key}: {back:?}");
    }
    // A chain is followed, and not for ever.
    let mut before = "api/key".to_owned();
    for number in 0..10 {
        let key = format!("chain/n{number}");
        let to = format!("subrosa://{before}");
        house.call(["set", &key, "--reference", &to]).run().ok();
        before = key;
    }
    assert_eq!(house.read("chain/n3"), VALUE.as_bytes());
    let words = ["--json", "run", "-k", "chain/n9", "--", "true"];
    assert_eq!(house.call(words).run().error_code(), "reference_loop");
    let wrong = house
        .call(["set", "a/b", "--reference", "no reference"])
        .run();
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

/// A pin goes with the secret, and so does its expiry: another name is no way around either.
#[test]
fn a_pinned_or_expired_secret_is_refused_under_the_other_name() {
    let house = House::with_key();
    let words = [
        "set",
        "pinned/key",
        "--stdin",
        "--pin",
        "openai",
        "--host",
        "api.openai.com",
    ];
    house.call(words).input(VALUE).run().ok();
    for (key, to, edit) in [
        ("by/pin", "subrosa://pinned/key", None),
        ("by/time", "subrosa://api/key", Some("api/key")),
    ] {
        house.call(["set", key, "--reference", to]).run().ok();
        if let Some(target) = edit {
            house
                .call(["edit", target, "--expires", "2020-01-01"])
                .run()
                .ok();
        }
        house.apply(&RULE.replace("KEY", "**"));
        let line = ["--json", "run", "-k", key, "--bind"];
        let bind = format!("DEPLOY_TOKEN={key}");
        let mut all: Vec<&str> = line.to_vec();
        all.extend([bind.as_str(), "--", "sh", "-c", "echo $DEPLOY_TOKEN"]);
        let back = house.call(all).run();
        assert_eq!(back.error_code(), "refused", "{key}: {back:?}");
    }
}
