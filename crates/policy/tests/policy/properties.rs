//! What holds for every policy and every request.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::select;
use subrosa_model::{
    Action, AgentName, CallerKind, CapabilityName, CommandLine, Destination, Digest, Inject,
    SinkKind, UseRequest, Verdict,
};
use subrosa_policy::{Decision, Policy};

use crate::support::{other, policy, run_words, secret};

const COMMANDS: [&str; 8] = [
    "git",
    "sh",
    "tool",
    "env",
    "/usr/bin/git",
    "rm",
    "./git",
    "python3",
];
const WORDS: [&str; 8] = [
    "push",
    "x",
    "-c",
    "--force",
    "main",
    "",
    "/proc/self/environ",
    "a*b",
];
const KEYS: [&str; 6] = ["a", "a/b", "a/b/c", "b", "work:a", "a#user"];
const PATTERNS: [&str; 7] = ["**", "a", "a/*", "a/**", "b", "work:**", "**#user"];
const AGENTS: [&str; 2] = ["claude", "codex"];

/// One entry of `rules`, allowing or denying.
fn rule() -> impl Strategy<Value = String> {
    let head = (
        any::<bool>(),
        select(vec!["git", "sh", "tool", "env", "/usr/bin/git", "rm"]),
    );
    let args = prop::option::of(prop::collection::vec(
        select(vec!["push", "x", "-c", "*", "--f*"]),
        0..3,
    ));
    let rest = (
        any::<bool>(),
        prop::collection::vec(select(PATTERNS.to_vec()), 1..3),
    );
    let inject = select(vec!["placeholder", "env", "file", "stdin"]);
    let bounds = (
        select(vec!["no", "session", "each"]),
        any::<bool>(),
        prop::option::of(1..100u32),
        prop::option::of(select(AGENTS.to_vec())),
    );
    (head, args, rest, inject, bounds).prop_map(
        |((allow, command), args, (open, secrets), inject, (ask, exposed, timeout, agent))| {
            let effect = if allow { "allow" } else { "deny" };
            let mut text =
                format!("  - {effect}: run\n    command: {command:?}\n    inject: {inject}\n");
            if let Some(mut args) = args {
                if open {
                    args.push("**");
                }
                text += &format!("    args: {args:?}\n");
            }
            text += &format!("    secrets: {secrets:?}\n");
            if let Some(agent) = agent {
                text += &format!("    agents: [{agent}]\n");
            }
            if allow {
                text += &format!("    ask: {ask}\n");
                if exposed && inject != "placeholder" {
                    text += "    exposed: true\n";
                }
                if let Some(timeout) = timeout {
                    text += &format!("    limits: {{ timeout: {timeout}s }}\n");
                }
            }
            text
        },
    )
}

/// A policy in parts, so that parts can be added, moved and taken away.
#[derive(Debug, Clone)]
struct Parts {
    default: &'static str,
    allowed: Vec<&'static str>,
    denied: Vec<&'static str>,
    rules: Vec<String>,
}

impl Parts {
    fn policy(&self) -> Policy {
        let rules = if self.rules.is_empty() {
            String::new()
        } else {
            format!("rules:\n{}", self.rules.concat())
        };
        policy(&format!(
            "default_action: {}\nallowed_commands: {:?}\ndenied_commands: {:?}\n{rules}",
            self.default, self.allowed, self.denied
        ))
    }
}

fn parts() -> impl Strategy<Value = Parts> {
    (
        select(vec!["deny", "deny", "allow"]),
        prop::collection::vec(select(vec!["git", "tool", "sh", "/usr/bin/git"]), 0..3),
        prop::collection::vec(select(vec!["rm", "git", "x*"]), 0..2),
        prop::collection::vec(rule(), 0..5),
    )
        .prop_map(|(default, allowed, denied, rules)| Parts {
            default,
            allowed,
            denied,
            rules,
        })
}

fn request() -> impl Strategy<Value = UseRequest> {
    (
        select(COMMANDS.to_vec()),
        prop::collection::vec(select(WORDS.to_vec()), 0..3),
        prop::collection::vec(select(KEYS.to_vec()), 0..3),
        select(vec![
            Inject::Placeholder,
            Inject::Env,
            Inject::File,
            Inject::Stdin,
        ]),
        prop::option::of(select(AGENTS.to_vec())),
        select(vec![
            "/usr/bin/git",
            "/usr/bin/dash",
            "/usr/bin/tool",
            "/opt/evil",
        ]),
        any::<bool>(),
    )
        .prop_map(|(command, args, keys, inject, agent, resolved, natural)| {
            let words: Vec<&str> = std::iter::once(command).chain(args).collect();
            let mut ask = run_words(&words).with(&keys).inject(inject);
            if !natural {
                ask = ask.resolved(resolved);
            }
            match agent {
                Some(agent) => ask.agent(agent).0,
                None => ask.0,
            }
        })
}

fn text() -> impl Strategy<Value = OsString> {
    prop_oneof![
        "\\PC{0,12}".prop_map(OsString::from),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(OsString::from_vec),
        select(COMMANDS.to_vec()).prop_map(OsString::from),
        select(WORDS.to_vec()).prop_map(OsString::from),
    ]
}

/// Anything that the types can hold, consistent or not.
fn anything() -> impl Strategy<Value = UseRequest> {
    let caller = prop_oneof![
        Just(CallerKind::Operator),
        Just(CallerKind::Local),
        Just(CallerKind::Application),
        Just(CallerKind::Script),
        Just(CallerKind::Console),
        Just(CallerKind::Daemon),
        Just(CallerKind::Agent(AgentName::new("claude").unwrap())),
    ];
    let command = prop::option::of((text(), text(), prop::collection::vec(text(), 0..4)));
    let action = select(vec![
        Action::Run,
        Action::Http,
        Action::Script,
        Action::Read,
        Action::Client,
        Action::Sign,
    ]);
    let destination = prop_oneof![
        (text(), prop::collection::vec(text(), 0..4), text()).prop_map(
            |(executable, arguments, directory)| {
                Destination::Process {
                    executable: PathBuf::from(executable),
                    arguments,
                    directory: PathBuf::from(directory),
                    inject: Inject::Env,
                }
            }
        ),
        Just(Destination::Console),
        text().prop_map(|path| Destination::File {
            path: PathBuf::from(path)
        }),
        "\\PC{0,8}".prop_map(|purpose| Destination::Client { purpose }),
        Just(Destination::Signature {
            algorithm: "x".into(),
            message: Digest::from_bytes([0; 32])
        }),
        Just(Destination::Connection {
            host: "h".into(),
            port: 1
        }),
    ];
    (
        caller,
        command,
        action,
        select(SinkKind::ALL.to_vec()),
        destination,
        any::<bool>(),
        prop::collection::vec(select(KEYS.to_vec()), 0..3),
        any::<bool>(),
    )
        .prop_map(
            |(caller, command, action, sink, destination, capability, keys, agree)| {
                let mut request = other(Action::Read).with(&keys).0;
                request.caller.kind = caller;
                request.action = action;
                request.sink = sink;
                request.destination = destination;
                request.capability = capability.then(|| CapabilityName::new("a/b").unwrap());
                request.command = command.map(|(requested, executable, arguments)| CommandLine {
                    requested,
                    executable: PathBuf::from(executable),
                    arguments,
                    digest: None,
                });
                // Half of them agree with themselves, so that the rules are reached.
                if let (true, Some(command)) = (agree, &request.command) {
                    request.action = Action::Run;
                    request.sink = SinkKind::Environment;
                    request.capability = None;
                    let mut executable = OsString::from("/");
                    executable.push(command.executable.as_os_str());
                    let executable = PathBuf::from(executable);
                    request.destination = Destination::Process {
                        executable: executable.clone(),
                        arguments: command.arguments.clone(),
                        directory: PathBuf::from("/home"),
                        inject: Inject::Env,
                    };
                    if let Some(command) = &mut request.command {
                        command.executable = executable;
                    }
                }
                request
            },
        )
}

/// Whether `a` gives no more than `b`.
fn no_more(a: &Decision, b: &Decision) -> bool {
    fn bounded<T: Ord>(a: Option<T>, b: Option<T>) -> bool {
        match (a, b) {
            (_, None) => true,
            (Some(a), Some(b)) => a <= b,
            (None, Some(_)) => false,
        }
    }
    if a.verdict == Verdict::Deny {
        return true;
    }
    a.verdict <= b.verdict
        && a.ask >= b.ask
        && a.inject == b.inject
        && (b.exposed || !a.exposed)
        && bounded(a.limits.timeout, b.limits.timeout)
        && bounded(a.limits.output, b.limits.output)
}

/// What of a decision does not depend on the order of rules.
fn outcome(decision: &Decision) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        decision.verdict,
        decision.inject,
        decision.limits,
        decision.ask,
        decision.exposed,
    )
}

proptest! {
    #[test]
    fn every_request_has_an_answer(parts in parts(), request in anything()) {
        let policy = parts.policy();
        let decision = policy.decide(&request);
        let explanation = policy.explain(&request);
        prop_assert_eq!(&explanation.decision, &decision);
        prop_assert!(explanation.steps.iter().any(|step| step.decisive));
        prop_assert_eq!(decision.ask.is_some(), decision.verdict == Verdict::Ask);
        prop_assert!(!decision.reason.is_empty());
        prop_assert_eq!(decision.remedy.is_empty(), decision.verdict == Verdict::Allow);
        let _: Inject = policy.usual_inject(&request);
    }

    #[test]
    fn reading_never_panics(text in "\\PC{0,64}") {
        let _ = Policy::parse(&text);
        let _ = Policy::parse(&format!("version: 1\nrules:\n  - {text}\n"));
        let _ = Policy::parse(&format!("version: 1\nallowed_commands: [{text}]\n"));
    }

    #[test]
    fn the_canonical_form_reads_back(parts in parts()) {
        let policy = parts.policy();
        let written = policy.to_yaml();
        let again = Policy::parse(&written).unwrap();
        prop_assert_eq!(&again, &policy);
        prop_assert_eq!(again.to_yaml(), written);
        prop_assert!(policy.diff(&again).is_empty());
        prop_assert!(!policy.loosens(&again));
    }

    #[test]
    fn every_text_survives_the_canonical_form(argument in "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{feff}\u{ffff}]{0,16}") {
        let argument = argument.replace('\0', "");
        let pattern = subrosa_policy::ArgPattern::exactly(&argument);
        let request = run_words(&["tool", &argument]);
        let remedy = request.under(&Policy::default()).remedy;
        if let Some((_, rule)) = remedy.split_once('\n').filter(|_| !remedy.starts_with("call")) {
            let fixed = policy(&format!("rules:\n{rule}\n"));
            prop_assert_eq!(&fixed.rules().next().unwrap().args.as_ref().unwrap()[0], &pattern);
            prop_assert_eq!(Policy::parse(&fixed.to_yaml()).unwrap(), fixed);
        }
    }

    #[test]
    fn another_rule_that_denies_turns_no_no_into_a_yes(
        parts in parts(), extra in rule(), request in request(), at in 0..5usize
    ) {
        let before = parts.policy().decide(&request);
        let mut more = parts.clone();
        let extra = extra.replace("allow: run", "deny: run");
        let kept: Vec<&str> = extra
            .lines()
            .filter(|line| !["ask", "exposed", "limits"].iter().any(|key| line.trim_start().starts_with(key)))
            .collect();
        more.rules.insert(at.min(parts.rules.len()), kept.join("\n") + "\n");
        more.denied.push("tool");
        let after = more.policy().decide(&request);
        prop_assert!(no_more(&after, &before), "{before:?}\n{after:?}");
        prop_assert!(!parts.policy().loosens(&more.policy()));
    }

    #[test]
    fn the_order_of_rules_means_nothing(parts in parts(), request in request(), turn in 0..5usize) {
        let before = parts.policy().decide(&request);
        let mut turned = parts.clone();
        let by = turn.min(turned.rules.len());
        turned.rules.rotate_left(by);
        turned.rules.reverse();
        turned.allowed.reverse();
        turned.denied.reverse();
        let after = turned.policy().decide(&request);
        prop_assert_eq!(outcome(&after), outcome(&before));
        prop_assert!(!parts.policy().loosens(&turned.policy()));
        prop_assert!(parts.policy().diff(&turned.policy()).is_empty());
    }

    #[test]
    fn a_rule_about_something_else_changes_nothing(parts in parts(), request in request()) {
        let before = parts.policy().decide(&request);
        let mut more = parts.clone();
        for effect in ["allow", "deny"] {
            more.rules.push(format!("  - {effect}: run\n    command: elsewhere\n    secrets: [\"**\"]\n"));
            more.rules.push(format!("  - {effect}: sign\n    secrets: [\"**\"]\n"));
        }
        let after = more.policy().decide(&request);
        prop_assert_eq!(outcome(&after), outcome(&before));
        prop_assert_eq!(after.rule, before.rule);
    }

    #[test]
    fn a_use_of_several_is_allowed_only_if_each_is(parts in parts(), request in request()) {
        let policy = parts.policy();
        let whole = policy.decide(&request);
        let each = request.secrets.iter().map(|one| {
            let mut single = request.clone();
            single.secrets = vec![one.clone()];
            policy.decide(&single)
        });
        for decision in each {
            prop_assert!(no_more(&whole, &decision), "{whole:?}\n{decision:?}");
        }
    }

    #[test]
    fn what_does_not_loosen_gives_no_more(older in parts(), newer in parts(), request in request()) {
        check_loosens(&older, &newer, &request)?;
        // Related policies, which are more often comparable.
        let mut fewer = older.clone();
        fewer.rules.truncate(1);
        fewer.denied.extend(&newer.denied);
        check_loosens(&older, &fewer, &request)?;
        check_loosens(&fewer, &older, &request)?;
        let mut plain = older.clone();
        plain.rules = plain.rules.iter().map(|rule| rule.replace("inject: env", "inject: placeholder").replace("    exposed: true\n", "")).collect();
        check_loosens(&older, &plain, &request)?;
    }

    #[test]
    fn values_are_given_only_by_rules(parts in parts(), request in request()) {
        let decision = parts.policy().decide(&request);
        let denied = decision.verdict == Verdict::Deny;
        if decision.inject != Inject::Placeholder {
            prop_assert!(decision.rule.to_string().split(", ").all(|rule| rule.starts_with("rules[")));
        }
        prop_assert!(!denied || decision.inject == Inject::Placeholder);
    }
}

fn check_loosens(older: &Parts, newer: &Parts, request: &UseRequest) -> Result<(), TestCaseError> {
    let (older, newer) = (older.policy(), newer.policy());
    if !older.loosens(&newer) {
        let (before, after) = (older.decide(request), newer.decide(request));
        prop_assert!(no_more(&after, &before), "{before:?}\n{after:?}");
    }
    Ok(())
}

#[test]
fn keys_of_the_generators_are_valid() {
    assert!(KEYS.iter().all(|key| secret(key).searched));
}
