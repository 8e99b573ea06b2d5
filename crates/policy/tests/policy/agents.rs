//! The section `agents`: who there is, and how far each reaches.

use subrosa_policy::{Policy, REACH_LISTS, Reach};

use crate::support::{policy, run};

const RULE: &str = "rules:\n  - { allow: run, command: git, args: [\"**\"], secrets: [\"**\"], inject: env, exposed: true }\n";

fn with(agents: &str) -> Policy {
    policy(&format!("{RULE}{agents}"))
}

#[test]
fn without_the_section_whoever_has_a_token_is_an_agent() {
    let ask = run("git push").env().agent("claude");
    assert!(ask.allowed(&with("")));
    assert_eq!(ask.rule(&with("agents: []\n")), "builtin:agent");
    assert_eq!(
        ask.rule(&with("agents:\n  - name: codex\n")),
        "builtin:agent"
    );
    assert!(ask.allowed(&with("agents:\n  - name: claude\n")));
    // People are none of its business.
    assert!(run("git push").env().allowed(&with("agents: []\n")));
}

#[test]
fn an_entry_bounds_what_rules_allow() {
    let ask = |keys: &[&str]| run("git push").env().with(keys).agent("claude");
    let of = |list: &str| with(&format!("agents:\n  - name: claude\n    {list}\n"));
    for (list, within, beyond) in [
        ("workspaces: [shop]", "shop:api/key", "other:api/key"),
        ("workspaces: [shop]", "shop:dev:api/key", "api/key"),
        ("groups: [dev]", "shop:dev:api/key", "shop:live:api/key"),
        // What a workspace has for all of its groups is for each of them.
        ("groups: [dev]", "shop:api/key", "shop:live:api/key"),
        ("secrets: [\"api/**\"]", "shop:api/key", "shop:ops/key"),
    ] {
        assert!(ask(&[within]).allowed(&of(list)), "{list}: {within}");
        assert_eq!(
            ask(&[beyond]).rule(&of(list)),
            "builtin:agent",
            "{list}: {beyond}"
        );
        assert_eq!(
            ask(&[within, beyond]).rule(&of(list)),
            "builtin:agent",
            "{list}: both"
        );
    }
    assert!(ask(&["api/key"]).allowed(&of("commands: [git]")));
    assert_eq!(
        ask(&["api/key"]).rule(&of("commands: [gh]")),
        "builtin:agent"
    );
    assert_eq!(ask(&["api/key"]).rule(&of("commands: []")), "builtin:agent");
    // It allows nothing by itself.
    let nothing = policy("agents:\n  - name: claude\n");
    assert_eq!(ask(&["api/key"]).rule(&nothing), "default_action");
}

#[test]
fn more_agents_or_a_wider_one_is_looser() {
    let none = with("");
    let empty = with("agents: []\n");
    let one = with("agents:\n  - { name: claude, secrets: [\"api/**\"], tokens: 1h }\n");
    let narrower = with("agents:\n  - { name: claude, secrets: [\"api/key\"], tokens: 30m }\n");
    let wider = with("agents:\n  - { name: claude, secrets: [\"**\"], tokens: 1h }\n");
    let longer = with("agents:\n  - { name: claude, secrets: [\"api/**\"] }\n");
    let other = with("agents:\n  - { name: codex, secrets: [\"api/**\"], tokens: 1h }\n");
    for (from, to) in [
        (&one, &none),
        (&empty, &one),
        (&one, &wider),
        (&one, &longer),
        (&one, &other),
    ] {
        assert!(from.loosens(to), "{} -> {}", from.to_yaml(), to.to_yaml());
    }
    for (from, to) in [
        (&none, &one),
        (&none, &empty),
        (&one, &empty),
        (&one, &narrower),
        (&one, &one),
    ] {
        assert!(!from.loosens(to), "{} -> {}", from.to_yaml(), to.to_yaml());
    }
}

#[test]
fn it_is_written_as_it_is_read_and_shown_when_it_changes() {
    for text in [
        "agents: []\n",
        "agents:\n  - name: claude\n",
        "agents:\n  - name: claude\n    workspaces: [a, b]\n    groups: [dev]\n    secrets: [\"x/**#field\"]\n    \
         capabilities: [\"openai/*\"]\n    commands: [git, /usr/bin/gh]\n    tokens: 8h\n  - name: codex\n    secrets: []\n",
    ] {
        let policy = with(text);
        let written = policy.to_yaml();
        let again = Policy::parse(&written).expect("reads back");
        assert_eq!(again.to_yaml(), written);
        assert_eq!(again.agents(), policy.agents());
        assert!(!policy.loosens(&again) && policy.diff(&again).is_empty());
        let shown = with("").diff(&policy);
        assert!(
            shown.iter().all(|line| line.section == "agents") && !shown.is_empty(),
            "{shown:?}"
        );
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (agents, what) in [
        ("agents: claude\n", "list"),
        ("agents:\n  - claude\n", "mapping"),
        ("agents:\n  - secrets: []\n", "no name"),
        ("agents:\n  - name: a/b\n", "line 5"),
        ("agents:\n  - name: a\n  - name: a\n", "same name"),
        (
            "agents:\n  - name: a\n    secret: []\n",
            "did you mean `secrets`",
        ),
        (
            "agents:\n  - name: a\n    commands: [\"g*t\"]\n",
            "name the command",
        ),
        (
            "agents:\n  - name: a\n    tokens: 90d\n",
            "between 1ms and 7d",
        ),
    ] {
        let error = Policy::parse(&format!("version: 1\n{RULE}{agents}")).expect_err(agents);
        assert!(error.to_string().contains(what), "{agents}: {error}");
    }
}

#[test]
fn a_reach_is_what_its_lists_say() {
    let lists: [Option<Vec<String>>; 5] = [
        Some(vec!["shop".into()]),
        None,
        Some(vec!["api/**".into()]),
        None,
        Some(vec!["git".into()]),
    ];
    let of = |name: &str| {
        let at = REACH_LISTS.iter().position(|list| *list == name);
        lists[at.expect("one of them")].clone()
    };
    let reach = Reach::read(of).expect("fits");
    assert_eq!(reach.lists().map(|(_, list)| list), lists);
    assert!(reach.is_within(&Reach::default()) && !Reach::default().is_within(&reach));
    assert!(Reach::read(|_| Some(vec!["a b".into()])).is_err());
}
