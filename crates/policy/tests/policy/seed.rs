//! The statements of the seed page about policy, one test each.

use subrosa_model::{Action, Inject, Verdict};
use subrosa_policy::Policy;

use crate::support::{other, policy, run, run_words};

const SEED: &str = "version: 1
default_action: deny  # Recommended
allowed_commands:
  - aws
  - gcloud
  - kubectl
denied_commands:
  - rm
  - dd
  - mkfs
";

fn seed() -> Policy {
    Policy::parse(SEED).expect("the form of the seed")
}

#[test]
fn the_seeds_form_is_valid_as_it_is() {
    let only_allowed = "version: 1\ndefault_action: deny\nallowed_commands:\n  - aws\n";
    assert!(run("aws s3 ls").allowed(&Policy::parse(only_allowed).unwrap()));
    assert!(run("aws s3 ls").allowed(&seed()));
    assert_eq!(run("aws s3 ls").rule(&seed()), "allowed_commands[0]");
}

#[test]
fn a_policy_controls_which_commands_run() {
    assert!(run("kubectl get pods").allowed(&seed()));
    assert_eq!(
        run("curl https://example.com").verdict(&seed()),
        Verdict::Deny
    );
}

#[test]
fn deny_by_default() {
    let empty = Policy::default();
    for request in [
        run("aws s3 ls"),
        run("ls"),
        run("ls").with(&[]),
        run("sh -c x").env(),
    ] {
        assert_eq!(request.verdict(&empty), Verdict::Deny);
    }
    assert_eq!(run("ls").rule(&empty), "default_action");
    assert_eq!(run("curl x").rule(&seed()), "default_action");
}

#[test]
fn allowlist_only_so_arbitrary_commands_are_refused() {
    for line in [
        "ls",
        "curl x",
        "make",
        "npm publish",
        "/tmp/aws",
        "./aws",
        "aws2",
    ] {
        assert_eq!(run(line).verdict(&seed()), Verdict::Deny, "{line}");
    }
}

#[test]
fn environment_dumps_are_blocked_even_with_default_allow() {
    let open = policy("default_action: allow\nallowed_commands: [env, printenv, set, export]\n");
    for name in ["env", "printenv", "set", "export"] {
        assert_eq!(run(name).rule(&open), "always-denied", "{name}");
    }
    assert!(run("ls").allowed(&open));
}

#[test]
fn denied_commands_are_denied_even_with_default_allow() {
    let open = policy("default_action: allow\ndenied_commands: [rm, dd, mkfs]\n");
    assert_eq!(run("rm -rf x").rule(&open), "denied_commands[0]");
    assert_eq!(run("dd if=x").rule(&open), "denied_commands[1]");
    assert_eq!(run("mkfs.ext4 x").rule(&open), "denied_commands[2]");
    assert!(run("ls").allowed(&open));
}

#[test]
fn what_denies_wins_over_what_allows() {
    let both = policy("allowed_commands: [rm]\ndenied_commands: [rm]\n");
    assert_eq!(run("rm x").rule(&both), "denied_commands[0]");
}

#[test]
fn agents_never_read_plaintext() {
    let generous = policy(
        "rules:
  - { allow: read, secrets: [\"**\"] }
  - { allow: client, secrets: [\"**\"] }
",
    );
    for action in [Action::Read, Action::Client] {
        assert_eq!(
            other(action).agent("claude").rule(&generous),
            "builtin:agent-read"
        );
    }
}

#[test]
fn agents_use_secrets_through_allowed_commands() {
    let decision = run("aws s3 ls").agent("claude").under(&seed());
    assert_eq!(decision.verdict, Verdict::Allow);
    assert_eq!(decision.inject, Inject::Placeholder);
}

#[test]
fn injected_commands_meet_the_allow_list() {
    for words in [
        ["sh", "-c", "aws s3 ls; env"],
        ["bash", "-lc", "env"],
        ["xargs", "aws", "env"],
    ] {
        assert_eq!(
            run_words(&words).rule(&seed()),
            "always-denied",
            "{words:?}"
        );
    }
}

#[test]
fn commands_have_a_timeout_and_resource_limits() {
    let limited = policy(
        "rules:
  - allow: run
    command: aws
    args: [\"**\"]
    secrets: [\"**\"]
    limits: { timeout: 300s, output: 10MB, memory: 1GB, processes: 64 }
",
    );
    let limits = run("aws s3 ls").under(&limited).limits;
    assert_eq!(limits.timeout, Some(std::time::Duration::from_secs(300)));
    assert_eq!(limits.output, Some(10_000_000));
    assert_eq!(limits.memory, Some(1_000_000_000));
    assert_eq!(limits.processes, Some(64));
}
