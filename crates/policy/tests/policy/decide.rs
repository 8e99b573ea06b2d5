//! Order, defaults, arguments, injection, limits, agents.

use std::time::Duration;

use subrosa_model::{Action, CallerKind, Destination, Inject, SinkKind, Verdict};
use subrosa_policy::{Ask, Decision, Policy, RuleRef};

use crate::support::{other, policy, run, run_words};

const GIT: &str = "rules:
  - allow: run
    name: push
    command: git
    args: [\"push\", \"origin\", \"*\"]
    secrets: [\"github/**\"]
    inject: env
";

#[test]
fn the_default_decision_is_no() {
    let decision = Decision::default();
    assert_eq!(decision.verdict, Verdict::Deny);
    assert_eq!(decision.inject, Inject::Placeholder);
    assert_eq!(decision.rule, RuleRef::DefaultAction);
    assert!(decision.ask.is_none() && !decision.exposed);
}

#[test]
fn argument_patterns() {
    let git = policy(GIT);
    let push = |words: &[&str]| run_words(words).with(&["github/token"]).env();
    assert!(push(&["git", "push", "origin", "main"]).allowed(&git));
    assert_eq!(
        push(&["git", "push", "origin", "main"]).rule(&git),
        "rules[0] \"push\""
    );
    for words in [
        &["git", "push", "origin"][..],
        &["git", "push", "origin", "main", "extra"],
        &["git", "push", "other", "main"],
        &["git", "pull", "origin", "main"],
        &["git", "push", "origin", "--force"],
        &["git"],
    ] {
        assert_eq!(push(words).verdict(&git), Verdict::Deny, "{words:?}");
    }
}

#[test]
fn without_args_a_rule_means_no_arguments() {
    let bare = policy("rules:\n  - { allow: run, command: git, secrets: [\"**\"] }\n");
    assert!(run("git").allowed(&bare));
    assert_eq!(run("git push").verdict(&bare), Verdict::Deny);
    assert_eq!(
        bare.warnings()[0].to_string(),
        "rules[0]: without `args` it allows `git` with no argument; write args: [\"**\"] for any, \
         args: [] if none is meant"
    );
    let rest = policy(
        "rules:\n  - { allow: run, command: git, args: [\"**\"], secrets: [\"**\"], inject: env }\n",
    );
    for line in ["git", "git push", "git push --force origin"] {
        assert!(run(line).allowed(&rest), "{line}");
    }
    assert!(rest.warnings().is_empty());
}

#[test]
fn stars_in_arguments() {
    let stars = policy(
        "rules:\n  - { allow: run, command: tool, args: [\"--out=*\", \"*.txt\", \"a[*]b\"], secrets: [\"**\"] }\n",
    );
    assert!(run("tool --out=x/y z.txt a*b").allowed(&stars));
    assert!(run("tool --out= .txt a*b").allowed(&stars));
    for line in [
        "tool --out=x z.txt aXb",
        "tool --in=x z.txt a*b",
        "tool --out=x -z.txt a*b",
    ] {
        assert_eq!(run(line).verdict(&stars), Verdict::Deny, "{line}");
    }
}

#[test]
fn a_bare_entry_gives_placeholders_and_never_values() {
    let aws = policy("allowed_commands: [aws]\n");
    let decision = run("aws s3 ls").under(&aws);
    assert_eq!(
        (decision.verdict, decision.inject),
        (Verdict::Allow, Inject::Placeholder)
    );
    for inject in [Inject::Env, Inject::File, Inject::Stdin] {
        let decision = run("aws s3 ls").inject(inject).under(&aws);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert_eq!(
            decision.reason,
            format!(
                "nothing allows operator: `aws` to be run with api/key (inject {inject}); \
                 allowed_commands[0] comes nearest, but it gives placeholders and no values"
            )
        );
        assert_eq!(
            decision.remedy,
            format!(
                "to allow exactly this, add it under `rules:` with `subrosa policy edit`:
  - allow: run
    command: \"aws\"
    args: [\"s3\", \"ls\"]
    secrets: [\"api/key\"]
    inject: {inject}"
            )
        );
    }
}

#[test]
fn the_rule_of_a_remedy_allows_exactly_the_request() {
    for request in [
        run("aws s3 ls").inject(Inject::File),
        run_words(&["sh", "-c", "a * \"b\" \\ [*] \n\t\u{7f}é", ""])
            .resolved("/bin/dash")
            .env(),
        run("./deploy now").resolved("/home/dev/deploy"),
        run("npm publish").resolved("/usr/lib/npm/npm-cli.js"),
        run("aws x")
            .with(&["db/main#user", "b"])
            .agent("claude")
            .env(),
        run("ls").with(&[]),
        other(Action::Http),
        other(Action::Sign).agent("claude"),
        other(Action::Read).by(CallerKind::Local),
    ] {
        let remedy = request.under(&Policy::default()).remedy;
        let (_, rule) = remedy.split_once('\n').expect("a rule");
        let fixed = policy(&format!("rules:\n{rule}\n"));
        assert!(request.allowed(&fixed), "{remedy}");
        assert_eq!(fixed.rules().count(), 1);
    }
}

#[test]
fn where_no_rule_can_help_the_remedy_says_what_can() {
    let hidden = run("harmless x")
        .resolved("/bin/bash")
        .under(&Policy::default());
    assert_eq!(
        hidden.remedy,
        "call the command by its own name: no rule can allow it by this one"
    );
    let long = run_words(&["tool", &"x".repeat(5000)]).under(&Policy::default());
    assert!(long.remedy.contains("too long to be shown"));
}

#[test]
fn default_allow_gives_placeholders_to_commands_and_nothing_else() {
    let open = policy("default_action: allow\n");
    let decision = run("anything x").under(&open);
    assert_eq!(
        (decision.verdict, decision.inject),
        (Verdict::Allow, Inject::Placeholder)
    );
    let denied = run("anything x").env().under(&open);
    assert_eq!(denied.verdict, Verdict::Deny);
    assert!(
        denied
            .reason
            .contains("`default_action: allow` gives placeholders and no values")
    );
    for action in [Action::Http, Action::Script, Action::Client, Action::Sign] {
        assert_eq!(other(action).verdict(&open), Verdict::Deny, "{action}");
    }
    assert_eq!(
        other(Action::Read).by(CallerKind::Local).verdict(&open),
        Verdict::Deny
    );
}

#[test]
fn a_rule_gives_values_only_in_its_own_way() {
    let git = policy(GIT);
    let push = run("git push origin main").with(&["github/token"]);
    assert_eq!(push.clone().env().under(&git).inject, Inject::Env);
    let placeholder = push.clone().under(&git);
    assert_eq!(
        (placeholder.verdict, placeholder.inject),
        (Verdict::Allow, Inject::Placeholder)
    );
    for inject in [Inject::File, Inject::Stdin] {
        let decision = push.clone().inject(inject).under(&git);
        assert_eq!(decision.verdict, Verdict::Deny);
        assert!(
            decision
                .reason
                .ends_with("comes nearest, but it gives values by env only")
        );
    }
    let plain = policy(&GIT.replace("    inject: env\n", ""));
    assert_eq!(push.env().verdict(&plain), Verdict::Deny);
}

#[test]
fn the_usual_way_is_the_one_that_a_rule_gives() {
    let push = run("git push origin main").with(&["github/token"]);
    assert_eq!(policy(GIT).usual_inject(&push.0), Inject::Env);
    assert_eq!(Policy::default().usual_inject(&push.0), Inject::Placeholder);
    let bare = policy(&format!("allowed_commands: [git]\n{GIT}"));
    assert_eq!(bare.usual_inject(&push.0), Inject::Env);
    assert_eq!(bare.usual_inject(&run("git log").0), Inject::Placeholder);
    let two = policy(&format!(
        "{GIT}{}",
        GIT[7..]
            .replace("name: push", "name: two")
            .replace("env", "file")
    ));
    assert_eq!(two.usual_inject(&push.0), Inject::File);
    assert_eq!(
        two.usual_inject(&other(Action::Read).0),
        Inject::Placeholder
    );
}

#[test]
fn each_secret_of_a_use_is_allowed_by_some_rule() {
    let two = policy(
        "rules:
  - { allow: run, command: tool, args: [\"**\"], secrets: [\"a/*\"], inject: env, limits: { timeout: 10s, output: 1MB } }
  - { allow: run, command: tool, args: [\"**\"], secrets: [\"b/*\"], inject: env, limits: { timeout: 1m, processes: 4 } }
  - { allow: run, command: tool, args: [\"**\"], secrets: [\"c/*\"] }
",
    );
    let both = run("tool x").with(&["a/1", "b/2", "a/3"]).env().under(&two);
    assert_eq!(both.verdict, Verdict::Allow);
    assert_eq!(both.rule.to_string(), "rules[0], rules[1]");
    assert_eq!(both.limits.timeout, Some(Duration::from_secs(10)));
    assert_eq!(both.limits.output, Some(1_000_000));
    assert_eq!(both.limits.processes, Some(4));
    let third = run("tool x").with(&["a/1", "c/2"]);
    assert!(third.allowed(&two));
    assert_eq!(third.env().verdict(&two), Verdict::Deny);
    assert_eq!(
        run("tool x").with(&["a/1", "d/1"]).env().verdict(&two),
        Verdict::Deny
    );
    let missing = run("tool x").with(&["a/1", "d/1"]).env().under(&two);
    assert!(
        missing
            .reason
            .starts_with("nothing allows operator: `tool` to be run with d/1 (inject env)")
    );
}

#[test]
fn a_command_without_secrets_needs_a_rule_as_well() {
    let git = policy(GIT);
    assert!(run("git push origin main").with(&[]).env().allowed(&git));
    assert_eq!(run("git pull").with(&[]).verdict(&git), Verdict::Deny);
    let none = policy("rules:\n  - { allow: run, command: ls, args: [\"**\"], secrets: [] }\n");
    assert!(run("ls x").with(&[]).allowed(&none));
    assert_eq!(run("ls x").verdict(&none), Verdict::Deny);
}

#[test]
fn of_rules_that_allow_the_same_the_strictest_counts() {
    let rules = [
        "  - { allow: run, command: tool, args: [\"**\"], secrets: [\"**\"], limits: { timeout: 1m } }\n",
        "  - { allow: run, command: tool, args: [\"x\"], secrets: [\"api/*\"], ask: session, limits: { timeout: 1h, output: 1kB } }\n",
        "  - { allow: run, command: tool, args: [\"*\"], secrets: [\"api/key\"], ask: each }\n",
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
        let text: String = order.iter().map(|index| rules[*index]).collect();
        let decision = run("tool x").under(&policy(&format!(
            "allowed_commands: [tool]\nrules:\n{text}"
        )));
        assert_eq!(decision.verdict, Verdict::Ask);
        assert_eq!(decision.ask, Some(Ask::Each));
        assert_eq!(decision.limits.timeout, Some(Duration::from_secs(60)));
        assert_eq!(decision.limits.output, Some(1000));
    }
}

#[test]
fn deny_rules_mean_any_where_they_say_nothing() {
    let rules = policy(
        "allowed_commands: [git, aws]
rules:
  - { deny: run, command: git, args: [push, --force, \"**\"] }
  - { deny: run, secrets: [\"prod/**\"], agents: [\"*\"] }
  - { deny: run, command: aws, inject: env }
  - { allow: run, command: aws, args: [\"**\"], secrets: [\"**\"], inject: env }
  - { allow: read, secrets: [\"**\"] }
  - { deny: read, secrets: [\"root/*\"] }
",
    );
    assert_eq!(run("git push --force").rule(&rules), "rules[0]");
    assert_eq!(run("git push --force origin").rule(&rules), "rules[0]");
    assert!(run("git push").allowed(&rules));
    assert_eq!(
        run("git pull")
            .with(&["prod/db"])
            .agent("claude")
            .rule(&rules),
        "rules[1]"
    );
    assert_eq!(
        run("git pull")
            .with(&["a", "prod/db"])
            .agent("x")
            .rule(&rules),
        "rules[1]"
    );
    assert!(run("git pull").with(&["prod/db"]).allowed(&rules));
    assert_eq!(run("aws x").env().rule(&rules), "rules[2]");
    assert!(run("aws x").allowed(&rules));
    assert_eq!(
        other(Action::Read).with(&["root/ca"]).rule(&rules),
        "rules[5]"
    );
    assert!(other(Action::Read).allowed(&rules));
}

#[test]
fn agents_are_named_or_any_caller_is_meant() {
    let rules = policy(
        "rules:
  - { allow: run, command: one, args: [\"**\"], secrets: [\"**\"], agents: [claude, \"ci-*\"] }
  - { allow: run, command: any, args: [\"**\"], secrets: [\"**\"] }
  - { allow: run, command: none, args: [\"**\"], secrets: [\"**\"], agents: [] }
",
    );
    assert!(run("one").agent("claude").allowed(&rules));
    assert!(run("one").agent("ci-7").allowed(&rules));
    assert_eq!(run("one").agent("codex").verdict(&rules), Verdict::Deny);
    for kind in [
        CallerKind::Operator,
        CallerKind::Local,
        CallerKind::Script,
        CallerKind::Application,
    ] {
        assert_eq!(
            run("one").by(kind.clone()).verdict(&rules),
            Verdict::Deny,
            "{kind}"
        );
        assert!(run("any").by(kind.clone()).allowed(&rules), "{kind}");
        assert_eq!(run("none").by(kind).verdict(&rules), Verdict::Deny);
    }
    assert!(run("any").agent("codex").allowed(&rules));
    assert!(
        rules
            .warnings()
            .iter()
            .any(|warning| warning.message.contains("applies to nobody"))
    );
}

#[test]
fn callers_that_no_part_of_the_program_produces_are_refused() {
    let open = policy("default_action: allow\nrules:\n  - { allow: read, secrets: [\"**\"] }\n");
    for kind in [CallerKind::Console, CallerKind::Daemon] {
        assert_eq!(run("ls").by(kind.clone()).rule(&open), "builtin:caller");
        assert_eq!(other(Action::Read).by(kind).rule(&open), "builtin:caller");
    }
}

#[test]
fn values_for_an_agent_need_exposed() {
    let hidden = policy(GIT);
    let open = policy(&format!("{GIT}    exposed: true\n"));
    let push = run("git push origin main")
        .with(&["github/token"])
        .agent("claude");
    let refused = push.clone().env().under(&hidden);
    assert_eq!(refused.verdict, Verdict::Deny);
    assert!(refused.reason.contains("does not say `exposed: true`"));
    assert!(refused.remedy.contains("exposed: true"));
    assert!(push.allowed(&hidden));
    let granted = push.clone().env().under(&open);
    assert!(granted.verdict == Verdict::Allow && granted.exposed);
    assert!(!push.under(&open).exposed);
    let operator = run("git push origin main")
        .with(&["github/token"])
        .env()
        .under(&open);
    assert!(operator.verdict == Verdict::Allow && !operator.exposed);
    let mut guessable = run("git push origin main")
        .with(&["github/token"])
        .agent("claude")
        .env();
    guessable.0.secrets[0].searched = false;
    assert_eq!(guessable.rule(&open), "builtin:guessable");
}

#[test]
fn capabilities() {
    let rules = policy(
        "rules:
  - { allow: http, capability: \"openai/*\", agents: [claude], ask: session }
  - { deny: http, capability: \"openai/admin\" }
  - { allow: http, capability: stripe/charge, secrets: [\"stripe/*\"] }
",
    );
    let chat = other(Action::Http).agent("claude");
    let decision = chat.under(&rules);
    assert_eq!(
        (decision.verdict, decision.ask),
        (Verdict::Ask, Some(Ask::Session))
    );
    assert_eq!(other(Action::Http).verdict(&rules), Verdict::Deny);
    let named = |name: &str| {
        let mut request = other(Action::Http).agent("claude");
        request.0.capability = subrosa_model::CapabilityName::new(name).ok();
        request
    };
    assert_eq!(named("openai/admin").rule(&rules), "rules[1]");
    assert_eq!(named("openai/a/b").verdict(&rules), Verdict::Deny);
    assert_eq!(named("stripe/charge").verdict(&rules), Verdict::Deny);
    assert!(named("stripe/charge").with(&["stripe/key"]).allowed(&rules));
}

#[test]
fn an_operator_reads_without_a_rule_unless_one_denies() {
    let none = Policy::default();
    assert_eq!(other(Action::Read).rule(&none), "builtin:operator-read");
    let mut export = other(Action::Client);
    assert_eq!(export.verdict(&none), Verdict::Deny);
    export.0.destination = Destination::Client {
        purpose: "export".into(),
    };
    assert_eq!(export.rule(&none), "builtin:operator-read");
    for kind in [
        CallerKind::Local,
        CallerKind::Application,
        CallerKind::Script,
    ] {
        assert_eq!(
            other(Action::Read).by(kind.clone()).verdict(&none),
            Verdict::Deny
        );
        assert_eq!(export.clone().by(kind).verdict(&none), Verdict::Deny);
    }
    let denied = policy("rules:\n  - { deny: read, secrets: [\"api/**\"] }\n");
    assert_eq!(other(Action::Read).rule(&denied), "rules[0]");
    assert!(other(Action::Read).with(&["other"]).allowed(&denied));
    let asked = policy("rules:\n  - { allow: read, secrets: [\"**\"], ask: each }\n");
    assert_eq!(other(Action::Read).verdict(&asked), Verdict::Ask);
}

#[test]
fn a_person_has_text_looked_through_and_an_agent_never() {
    let open = policy("default_action: allow\nrules:\n  - { allow: read, secrets: [\"**\"] }\n");
    for policy in [&Policy::default(), &open] {
        for kind in [CallerKind::Operator, CallerKind::Local] {
            assert_eq!(
                other(Action::Mask).by(kind).rule(policy),
                "builtin:person-mask"
            );
        }
        for (action, rule) in [(Action::Mask, "mask"), (Action::Script, "script")] {
            let asked = other(action).agent("claude").rule(policy);
            assert_eq!(asked, format!("builtin:agent-{rule}"));
        }
        for kind in [CallerKind::Application, CallerKind::Script] {
            assert_eq!(other(Action::Mask).by(kind).verdict(policy), Verdict::Deny);
        }
    }
    // What may not be used any more is found where it lies about all the same.
    let mut old = other(Action::Mask);
    old.0.secrets[0].expires = Some(old.0.time);
    assert!(old.allowed(&Policy::default()));
    // The way out of one kind is none of another.
    let mut elsewhere = other(Action::Mask);
    (elsewhere.0.sink, elsewhere.0.destination) = (SinkKind::Console, Destination::Console);
    assert_eq!(elsewhere.rule(&open), "builtin:request");
}

#[test]
fn contradictions_are_refused() {
    let open = policy("default_action: allow\nallowed_commands: [ls]\n");
    let of = |change: &dyn Fn(&mut subrosa_model::UseRequest)| {
        let mut request = run("ls x");
        change(&mut request.0);
        request
    };
    for request in [
        of(&|r| r.command = None),
        of(&|r| r.sink = SinkKind::Console),
        of(&|r| r.destination = Destination::Console),
        of(&|r| r.action = Action::Read),
        of(&|r| r.action = Action::Http),
        of(&|r| r.capability = subrosa_model::CapabilityName::new("a/b").ok()),
        of(&|r| r.command.as_mut().unwrap().executable = "/bin/other".into()),
        of(&|r| r.command.as_mut().unwrap().arguments.push("more".into())),
        of(&|r| {
            r.command.as_mut().unwrap().executable = "ls".into();
            if let Destination::Process { executable, .. } = &mut r.destination {
                *executable = "ls".into();
            }
        }),
        of(&|r| {
            r.sink = SinkKind::Stdin;
            if let Destination::Process { inject, .. } = &mut r.destination {
                *inject = Inject::Env;
            }
        }),
    ] {
        assert_eq!(request.rule(&open), "builtin:request", "{:?}", request.0);
    }
    let mut wrong = other(Action::Http);
    wrong.0.capability = None;
    assert_eq!(wrong.rule(&open), "builtin:request");
}

#[test]
fn an_explanation_names_every_part_and_the_one_that_won() {
    let rules = policy(&format!(
        "allowed_commands: [aws, git]\ndenied_commands: [rm]\n{GIT}"
    ));
    let request = run("git push origin main").with(&["github/token"]).env();
    assert_eq!(
        rules.explain(&request.0).to_string(),
        " - denied_commands[0] (deny): it is about another command
 - allowed_commands[0] (allow): it is about another command
 - allowed_commands[1] (allow): it gives placeholders and no values
=> rules[0] \"push\" (allow): it applies
 - default_action (deny): every secret is allowed by something else
allow by rules[0] \"push\": rules[0] \"push\" allows it"
    );
    let shell = run("sh -c x").under(&rules);
    assert_eq!(shell.rule, RuleRef::AlwaysDenied);
    let told = rules.explain(&run("sh -c x").0).to_string();
    assert!(
        told.starts_with("=> always-denied (deny): `sh` is always denied"),
        "{told}"
    );
    assert!(told.contains("=> always-denied") && told.ends_with("runs whatever it is told"));
    let pinned = run("git x").pinned();
    assert!(
        rules
            .explain(&pinned.0)
            .to_string()
            .starts_with("=> builtin:pinned (deny)")
    );
}

#[test]
fn tests_of_a_policy_are_run() {
    let rules = policy(&format!(
        "{GIT}tests:
  - {{ expect: allow, command: git, args: [push, origin, main], secrets: [github/token], inject: env, rule: push }}
  - {{ expect: deny, name: force, command: git, args: [push, --force], secrets: [github/token] }}
  - {{ expect: deny, command: git, args: [push, origin, main], secrets: [github/token], inject: env, agent: claude }}
  - {{ expect: allow, name: wrong, command: git, args: [pull] }}
  - {{ expect: allow, name: other rule, action: read, secrets: [a], rule: push }}
  - {{ expect: deny, command: x, executable: /usr/bin/env, rule: always-denied }}
  - {{ expect: deny, action: http, capability: a/b, caller: local }}
"
    ));
    let results = rules.run_tests();
    let passed: Vec<bool> = results.iter().map(|result| result.passed).collect();
    assert_eq!(passed, [true, true, true, false, false, true, true]);
    assert_eq!(results[0].name, "git push origin main");
    assert!(
        results[3]
            .message
            .starts_with("expected allow, got deny by default_action: nothing allows")
    );
    assert_eq!(
        results[4].message,
        "allow as expected, but by builtin:operator-read, not by push"
    );
}

#[test]
fn warnings_tell_what_has_no_effect() {
    let texts: Vec<String> = policy(
        "default_action: allow
allowed_commands: [sh, rm]
denied_commands: [rm]
rules:
  - { allow: run, command: python3, args: [\"**\"], secrets: [] }
  - { deny: run, secrets: [] }
",
    )
    .warnings()
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(texts.len(), 7, "{texts:#?}");
    assert!(texts[1].starts_with("allowed_commands[0]: `sh` is always denied"));
    assert!(texts[0].contains("placeholders only, which are not built yet"));
    assert!(texts[2].starts_with("allowed_commands[1]: `rm` gets placeholders only"));
    assert!(texts[3].ends_with("`rm` stands in denied_commands too, which wins"));
    assert!(texts[4].starts_with("rules[0]: it gives placeholders only"));
    assert!(texts[5].starts_with("rules[0]: `python3` is always denied but for"));
    assert!(texts[6].starts_with("rules[1]: it names no secret"));
}
