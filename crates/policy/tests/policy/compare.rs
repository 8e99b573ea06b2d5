//! What changes from one policy to another, and whether it loosens.

use subrosa_policy::{Change, Policy};

use crate::support::policy;

fn rule(text: &str) -> String {
    format!("rules:\n  - {{ {text} }}\n")
}

#[test]
fn what_certainly_loosens_nothing() {
    let run = "allow: run, command: git, args: [push, '*'], secrets: ['a/**'], inject: env";
    for (older, newer) in [
        (String::new(), String::new()),
        ("default_action: allow\n".into(), String::new()),
        (
            "allowed_commands: [a, b]\n".into(),
            "allowed_commands: [b]\n".into(),
        ),
        (String::new(), "denied_commands: [a]\n".into()),
        (rule(run), String::new()),
        (rule(run), rule("deny: run, command: git")),
        (rule(run), rule(&run.replace("a/**", "a/b"))),
        (rule(run), rule(&run.replace("env", "placeholder"))),
        (rule(run), rule(&format!("{run}, ask: each"))),
        (rule(run), rule(&format!("{run}, agents: [claude]"))),
        (
            rule(run),
            rule(&format!("{run}, limits: {{ timeout: 5s }}")),
        ),
        (
            rule(&format!("{run}, limits: {{ timeout: 5s }}")),
            rule(&format!("{run}, limits: {{ timeout: 4s }}")),
        ),
        (rule(&format!("{run}, exposed: true")), rule(run)),
        (
            rule("deny: run, command: git, args: [x]"),
            rule("deny: run, command: git"),
        ),
        (
            rule("deny: run, command: git, secrets: [a]"),
            rule("deny: run, secrets: ['**']"),
        ),
        (
            rule("allow: http, capability: 'a/*'"),
            rule("allow: http, capability: a/b"),
        ),
    ] {
        assert!(
            !policy(&older).loosens(&policy(&newer)),
            "{older}\nto\n{newer}"
        );
    }
}

#[test]
fn what_loosens() {
    let run = "allow: run, command: git, args: [push, '*'], secrets: ['a/*'], inject: env";
    for (older, newer) in [
        (String::new(), "default_action: allow\n".to_owned()),
        (String::new(), "allowed_commands: [a]\n".into()),
        ("denied_commands: [a]\n".into(), String::new()),
        (String::new(), rule(run)),
        (rule(run), rule(&run.replace("a/*", "a/**"))),
        (rule(run), rule(&run.replace("push, '*'", "'**'"))),
        (rule(run), rule(&run.replace("git", "hg"))),
        (rule(run), rule(&run.replace("env", "file"))),
        (rule(run), rule(&format!("{run}, exposed: true"))),
        (
            rule(&format!("{run}, ask: each")),
            rule(&format!("{run}, ask: session")),
        ),
        (rule(&format!("{run}, agents: [a]")), rule(run)),
        (
            rule(&format!("{run}, limits: {{ timeout: 5s }}")),
            rule(run),
        ),
        (
            rule("allow: run, command: env, secrets: []"),
            rule("allow: run, command: env, args: [], secrets: []"),
        ),
        (
            rule("deny: run, command: git"),
            rule("deny: run, command: git, args: [x]"),
        ),
        (
            rule("deny: run, secrets: ['**']"),
            rule("deny: run, secrets: ['a/**']"),
        ),
        // A rule that asks holds others back only for what it is itself about: with `exposed` taken
        // away it is no longer about agents, without `args` not about what is always denied.
        (
            format!(
                "{}  - {{ {run}, exposed: true }}\n",
                rule(&format!("{run}, exposed: true, ask: each"))
            ),
            format!(
                "{}  - {{ {run}, exposed: true }}\n",
                rule(&format!("{run}, ask: each"))
            ),
        ),
        (
            "rules:\n  - { allow: run, command: env, args: [], secrets: [], ask: each }\n  - { allow: run, command: env, args: [], secrets: [] }\n".into(),
            "rules:\n  - { allow: run, command: env, secrets: [], ask: each }\n  - { allow: run, command: env, args: [], secrets: [] }\n".into(),
        ),
        // A rule that asks holds a wider one back; without it the wider one does not ask.
        (
            format!("{}  - {{ {run}, ask: each }}\n", rule(run)),
            rule(run),
        ),
    ] {
        assert!(
            policy(&older).loosens(&policy(&newer)),
            "{older}\nto\n{newer}"
        );
    }
}

#[test]
fn tests_and_layout_loosen_nothing() {
    let older = policy("allowed_commands: [a, b]\n");
    let newer = policy(
        "# a comment\nallowed_commands:\n  - b\n  - a\ntests:\n  - { expect: deny, command: x }\n",
    );
    assert!(!older.loosens(&newer) && !newer.loosens(&older));
}

#[test]
fn a_diff_names_what_goes_and_what_comes() {
    let older = policy(
        "allowed_commands: [aws, dd]\nrules:\n  - { deny: run, command: rm }\n  - { deny: read }\n",
    );
    let newer = policy(
        "default_action: allow\nallowed_commands: [kubectl, aws]\nrules:\n  - { deny: read }\n  - { deny: run, command: rm, args: [\"-rf\", \"**\"] }\n",
    );
    let lines: Vec<String> = older.diff(&newer).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "- default_action: deny",
            "+ default_action: allow",
            "- allowed_commands: \"dd\"",
            "+ allowed_commands: \"kubectl\"",
            "-   - deny: run",
            "-     command: \"rm\"",
            "+   - deny: run",
            "+     command: \"rm\"",
            "+     args: [\"-rf\", \"**\"]",
        ]
    );
    let first = &older.diff(&newer)[0];
    assert_eq!(
        (first.change, first.section),
        (Change::Removed, "default_action")
    );
}

#[test]
fn order_and_layout_are_no_difference() {
    let older = policy("allowed_commands: [a, b, b]\n");
    let newer = policy("allowed_commands: [b, a, b] # same\n");
    assert!(older.diff(&newer).is_empty());
    assert_eq!(
        policy("allowed_commands: [a, a]\n")
            .diff(&policy("allowed_commands: [a]\n"))
            .len(),
        1
    );
    assert!(Policy::default().diff(&Policy::default()).is_empty());
}
