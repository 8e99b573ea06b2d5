//! Pins, expiry, scopes and fields.

use std::time::Duration;

use subrosa_model::{Action, Destination, Inject, SinkKind, Verdict};
use subrosa_policy::{Policy, SecretPattern};

use crate::support::{NOW, other, policy, run, secret};

fn generous() -> Policy {
    policy(
        "default_action: allow
rules:
  - { allow: run, command: tool, args: [\"**\"], secrets: [\"**\"], inject: env, exposed: true }
  - { allow: run, command: tool, args: [\"**\"], secrets: [\"**\"], inject: file }
  - { allow: run, command: tool, args: [\"**\"], secrets: [\"**\"], inject: stdin }
  - { allow: read, secrets: [\"**\"] }
  - { allow: client, secrets: [\"**\"] }
  - { allow: script, secrets: [\"**\"] }
  - { allow: sign, secrets: [\"**\"] }
  - { allow: http, capability: \"**\" }
",
    )
}

#[test]
fn a_pinned_secret_goes_nowhere_but_to_the_broker() {
    let policy = generous();
    for inject in [
        Inject::Placeholder,
        Inject::Env,
        Inject::File,
        Inject::Stdin,
    ] {
        assert!(run("tool x").inject(inject).allowed(&policy), "{inject}");
        assert_eq!(
            run("tool x").inject(inject).pinned().rule(&policy),
            "builtin:pinned"
        );
    }
    for action in [Action::Read, Action::Client, Action::Script, Action::Sign] {
        assert!(other(action).allowed(&policy), "{action}");
        assert_eq!(
            other(action).pinned().rule(&policy),
            "builtin:pinned",
            "{action}"
        );
    }
    assert!(other(Action::Http).pinned().allowed(&policy));
    let mut connection = other(Action::Http).pinned();
    connection.0.sink = SinkKind::Connection;
    connection.0.destination = Destination::Connection {
        host: "a.example".into(),
        port: 443,
    };
    assert!(connection.allowed(&policy));
    let mut mixed = run("tool x").with(&["a", "b"]).pinned();
    mixed.0.secrets[0].label.pin = None;
    assert_eq!(mixed.rule(&policy), "builtin:pinned");
}

#[test]
fn an_expired_secret_is_refused_everywhere() {
    let policy = generous();
    let at = |time, request: crate::support::Ask| {
        let mut request = request;
        request.0.secrets[0].expires = Some(time);
        request
    };
    let before = NOW.minus(Duration::from_micros(1));
    let after = NOW.plus(Duration::from_micros(1));
    for expires in [before, NOW] {
        for request in [run("tool x"), run("tool x").env()] {
            assert_eq!(at(expires, request).rule(&policy), "builtin:expired");
        }
        for action in [
            Action::Http,
            Action::Read,
            Action::Client,
            Action::Script,
            Action::Sign,
        ] {
            assert_eq!(
                at(expires, other(action)).rule(&policy),
                "builtin:expired",
                "{action}"
            );
        }
    }
    assert!(at(after, run("tool x").env()).allowed(&policy));
    assert!(
        at(before, run("tool x"))
            .under(&policy)
            .remedy
            .contains("subrosa set api/key")
    );
}

#[test]
fn patterns_may_name_workspace_group_and_field() {
    for (pattern, secrets, others) in [
        (
            "db/*",
            &["db/a", "work:db/a", "work:dev:db/a#user"][..],
            &["db", "db/a/b", "xdb/a"][..],
        ),
        ("db/**", &["db/a", "db/a/b"], &["db", "d"]),
        (
            "work:db/*",
            &["work:db/a", "work:dev:db/a"],
            &["db/a", "other:db/a"],
        ),
        (
            "work:dev:db/*",
            &["work:dev:db/a"],
            &["work:db/a", "work:prod:db/a"],
        ),
        ("w*:**", &["work:a/b", "w:c"], &["a/b"]),
        ("db/*#user", &["db/a#user"], &["db/a", "db/a#password"]),
        ("db/*#value", &["db/a"], &["db/a#user"]),
        ("Db", &["Db"], &["db", "DB"]),
        ("**", &["a", "a/b/c", "w:g:x#y"], &[]),
    ] {
        let parsed = SecretPattern::new(pattern).unwrap();
        assert_eq!(parsed.as_str(), pattern);
        for text in secrets {
            assert!(parsed.matches(&secret(text)), "{pattern} and {text}");
        }
        for text in others {
            assert!(!parsed.matches(&secret(text)), "{pattern} and {text}");
        }
    }
    for bad in [
        "", "a b", "/a", "a//b", "../a", "a#", "#x", ":a", "a:b:c:d", "a/b:c", "a#b/c", "***", "ä",
    ] {
        assert!(SecretPattern::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_renamed_secret_is_judged_by_the_name_it_has() {
    let narrow =
        policy("rules:\n  - { allow: run, command: tool, args: [\"**\"], secrets: [\"dev/*\"] }\n");
    assert!(run("tool").with(&["dev/key"]).allowed(&narrow));
    assert_eq!(
        run("tool").with(&["prod/key"]).verdict(&narrow),
        Verdict::Deny
    );
}
