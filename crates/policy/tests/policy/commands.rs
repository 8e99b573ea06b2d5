//! Which command is meant: names, paths, links, spellings. Rows 6, 28 and 29 of the red team.

use subrosa_model::Verdict;
use subrosa_policy::{AlwaysDenied, Policy};

use crate::support::{policy, run, run_words};

fn open() -> Policy {
    policy("default_action: allow\n")
}

#[test]
fn every_listed_name_is_always_denied() {
    let open = open();
    for class in AlwaysDenied::ALL {
        for name in class.names() {
            assert_eq!(run(name).rule(&open), "always-denied", "{name}");
            assert_eq!(
                run(&name.to_uppercase()).rule(&open),
                "always-denied",
                "{name}"
            );
        }
    }
}

#[test]
fn spellings_of_a_denied_name_are_denied() {
    let open = open();
    for line in [
        "env",
        "ENV",
        "Env",
        "/usr/bin/env",
        "./env",
        "../bin/env",
        "/usr/bin/../bin/env",
        "//bin//env",
        "/BIN/ENV",
        "env/",
        "-bash",
        "python3",
        "python3.11",
        "python3.13t",
        "Python3.11",
        "python3-dbg",
        "perl5.36.0",
        "perl5.36-x86_64-linux-gnu",
        "ruby3.1",
        "lua5.4",
        "php8.2",
        "php8.2-cgi",
        "tclsh8.6",
        "node18",
        "bash-5.2",
        "bash5",
        "bash-static",
        "ksh93",
        "busybox-static",
        "awk",
        "original-awk",
        "vim.basic",
        "sh.exe",
        "BASH.EXE",
        "/lib64/ld-linux-x86-64.so.2",
        "/lib/ld-musl-x86_64.so.1",
        "ld.so",
        "ld-2.31.so",
    ] {
        assert_eq!(run(line).rule(&open), "always-denied", "{line}");
    }
}

#[test]
fn names_that_only_look_alike_are_not() {
    let open = open();
    for line in [
        "environment",
        "setup",
        "exporter",
        "sha256sum",
        "shred",
        "ssh-keygen",
        "bashful",
        "python-config",
        "perlbrew",
        "nodemon",
        "luarocks",
        "timedatectl",
        "watchman",
        "shellcheck",
        "script.py",
        "watch.sh",
        "printf",
        "ls",
        "git",
        "ld",
        "ldconfig",
        "sh2ju",
        "7z",
        "at-spi",
    ] {
        assert_eq!(run(line).verdict(&open), Verdict::Allow, "{line}");
    }
}

#[test]
fn a_link_to_a_denied_program_is_denied_by_its_target() {
    let open = open();
    for target in [
        "/usr/bin/env",
        "/usr/bin/bash",
        "/usr/bin/python3.11",
        "/bin/busybox",
        "/bin/mawk",
    ] {
        assert_eq!(
            run("harmless").resolved(target).rule(&open),
            "always-denied",
            "{target}"
        );
    }
}

#[test]
fn a_link_with_a_denied_name_is_denied_by_its_name() {
    let open = open();
    assert_eq!(
        run("env").resolved("/opt/harmless").rule(&open),
        "always-denied"
    );
    let mut lying = run("harmless");
    lying.0.command.as_mut().unwrap().arguments[0] = "sh".into();
    let lying = lying.resolved("/opt/harmless");
    assert_eq!(lying.rule(&open), "always-denied");
}

#[test]
fn denied_commands_hold_for_every_spelling() {
    let strict = policy("default_action: allow\ndenied_commands: [rm, /opt/tool/deploy, 'mk*']\n");
    for line in [
        "rm x",
        "RM x",
        "/bin/rm x",
        "./rm x",
        "/usr/bin/../bin/rm x",
        "rm1.0 x",
        "rm.coreutils x",
        "/opt/tool/deploy",
        "/opt/./tool/deploy",
        "/opt/tool/x/../deploy",
        "/OPT/tool/deploy",
        "mkfs.ext4 x",
        "mkswap x",
    ] {
        assert_eq!(run(line).verdict(&strict), Verdict::Deny, "{line}");
    }
    assert_eq!(
        run("x").resolved("/usr/bin/rm").rule(&strict),
        "denied_commands[0]"
    );
    assert_eq!(
        run("rm").resolved("/opt/harmless").rule(&strict),
        "denied_commands[0]"
    );
    assert_eq!(
        run("x").resolved("/opt/tool/deploy").rule(&strict),
        "denied_commands[1]"
    );
    for line in ["rmdir x", "deploy", "term", "make"] {
        assert_eq!(run(line).verdict(&strict), Verdict::Allow, "{line}");
    }
}

#[test]
fn a_bare_name_allows_only_what_was_found_by_that_name() {
    let git = policy("allowed_commands: [git]\n");
    assert!(run("git push").allowed(&git));
    assert!(run("git push").resolved("/opt/git/bin/git").allowed(&git));
    assert!(run("git push").resolved("/usr/bin/git-2.40").allowed(&git));
    assert!(run("/usr/bin/git push").allowed(&git));
    // A file of the same name that the caller points to is another program.
    for line in [
        "./git push",
        "/tmp/git push",
        "../git push",
        "/usr/bin/../../tmp/git push",
        "GIT push",
    ] {
        assert_eq!(run(line).verdict(&git), Verdict::Deny, "{line}");
    }
    // A link of the right name to another program.
    assert_eq!(
        run("git push").resolved("/home/dev/evil").verdict(&git),
        Verdict::Deny
    );
    assert_eq!(
        run("git push").resolved("/home/dev/git-evil").verdict(&git),
        Verdict::Deny
    );
    assert!(
        run("git push")
            .resolved("/home/dev/evil")
            .under(&git)
            .reason
            .contains("resolves")
    );
    // A link of another name to the right program.
    assert_eq!(
        run("tig push").resolved("/usr/bin/git").verdict(&git),
        Verdict::Deny
    );
}

#[test]
fn a_path_allows_what_resolves_to_it_or_was_typed_as_it() {
    let npm =
        policy("allowed_commands: [/usr/lib/node_modules/npm/bin/npm-cli.js, /opt/bin/tool]\n");
    let target = "/usr/lib/node_modules/npm/bin/npm-cli.js";
    assert!(run("npm publish").resolved(target).allowed(&npm));
    assert!(
        run("/opt/bin/tool x")
            .resolved("/opt/tool-3/run")
            .allowed(&npm)
    );
    assert!(run("tool x").resolved("/opt/bin/tool").allowed(&npm));
    assert_eq!(
        run("tool x").resolved("/usr/bin/tool").verdict(&npm),
        Verdict::Deny
    );
    assert_eq!(
        run("/opt/bin/../bin/tool").resolved("/x/y").verdict(&npm),
        Verdict::Deny
    );
}

const EXACT: &str = "rules:
  - allow: run
    command: sh
    args: [\"-c\", \"echo $API_KEY\"]
    secrets: [\"api/key\"]
    inject: env
";

fn echo() -> crate::support::Ask {
    run_words(&["sh", "-c", "echo $API_KEY"])
        .resolved("/usr/bin/dash")
        .env()
}

#[test]
fn the_default_policy_refuses_a_shell_and_says_how_to_allow_it() {
    let decision = echo().under(&Policy::default());
    assert_eq!(decision.verdict, Verdict::Deny);
    assert_eq!(decision.rule.to_string(), "always-denied");
    assert_eq!(
        decision.reason,
        "`sh` is always denied: it is a shell and runs whatever it is told"
    );
    assert_eq!(
        decision.remedy,
        "to allow exactly this, add it under `rules:` with `subrosa policy edit`:
  - allow: run
    command: \"sh\"
    args: [\"-c\", \"echo $API_KEY\"]
    secrets: [\"api/key\"]
    inject: env"
    );
}

#[test]
fn a_rule_for_exactly_that_line_allows_it() {
    let exact = policy(EXACT);
    for shell in [
        "/usr/bin/dash",
        "/usr/bin/bash",
        "/bin/busybox",
        "/usr/bin/sh",
    ] {
        assert!(echo().resolved(shell).allowed(&exact), "{shell}");
    }
    assert!(
        echo()
            .inject(subrosa_model::Inject::Placeholder)
            .allowed(&exact)
    );
}

#[test]
fn and_no_other_line() {
    let exact = policy(EXACT);
    for words in [
        &["sh", "-c", "echo $API_KEY; env"][..],
        &["sh", "-c", "env"],
        &["sh", "-c", "echo $API_KEY", "x"],
        &["sh", "-c"],
        &["sh"],
        &["bash", "-c", "echo $API_KEY"],
        &["./sh", "-c", "echo $API_KEY"],
        &["/tmp/sh", "-c", "echo $API_KEY"],
    ] {
        assert_eq!(
            run_words(words).env().verdict(&exact),
            Verdict::Deny,
            "{words:?}"
        );
    }
    assert_eq!(echo().with(&["api/other"]).verdict(&exact), Verdict::Deny);
    assert_eq!(
        echo().with(&["api/key", "api/other"]).verdict(&exact),
        Verdict::Deny
    );
    assert_eq!(
        echo().resolved("/usr/bin/evil").verdict(&exact),
        Verdict::Deny
    );
    assert_eq!(
        echo().inject(subrosa_model::Inject::File).verdict(&exact),
        Verdict::Deny
    );
}

#[test]
fn a_wildcard_does_not_lift_what_is_always_denied() {
    for args in ["[\"-c\", \"*\"]", "[\"**\"]", "[\"-c\", \"echo*\"]"] {
        let text = format!(
            "rules:\n  - {{ allow: run, command: sh, args: {args}, secrets: [\"**\"], inject: env }}\n"
        );
        assert_eq!(echo().rule(&policy(&text)), "always-denied", "{args}");
    }
    // Neither does an entry, nor leaving `args` out.
    assert_eq!(
        echo().rule(&policy("allowed_commands: [sh]\n")),
        "always-denied"
    );
    let no_args = policy("rules:\n  - { allow: run, command: env, secrets: [\"**\"] }\n");
    assert_eq!(run("env").rule(&no_args), "always-denied");
    let none = policy("rules:\n  - { allow: run, command: env, args: [], secrets: [\"**\"] }\n");
    assert!(run("env").allowed(&none));
}

#[test]
fn an_exact_rule_for_one_name_does_not_serve_another_of_the_same_program() {
    let busybox = policy(
        "rules:\n  - { allow: run, command: /bin/busybox, args: [\"ls\"], secrets: [\"**\"] }\n",
    );
    assert!(run("busybox ls").resolved("/bin/busybox").allowed(&busybox));
    assert_eq!(
        run("sh ls").resolved("/bin/busybox").verdict(&busybox),
        Verdict::Deny
    );
}

#[test]
fn what_denies_wins_over_an_exact_rule() {
    let denied = policy(&format!("denied_commands: [sh]\n{EXACT}"));
    assert_eq!(echo().rule(&denied), "denied_commands[0]");
}

#[test]
fn files_of_processes_are_denied_to_every_command() {
    let cat = policy("default_action: allow\nallowed_commands: [cat]\n");
    for line in [
        "cat /proc/self/environ",
        "cat /proc/1/environ",
        "cat //proc/./self/environ",
        "cat /tmp/../proc/self/environ",
        "cat /proc/thread-self/environ",
        "cat /proc/self/task/1/environ",
        "dd if=/proc/self/environ",
        "cp -r /proc/self .",
        "curl file:///proc/self/%65nviron",
        "grep -r x /proc",
        "cat /proc/7/mem",
    ] {
        assert_eq!(run(line).rule(&cat), "always-denied", "{line}");
    }
    assert_eq!(
        run("cat environ").in_folder("/proc/self").rule(&cat),
        "always-denied"
    );
    assert_eq!(
        run("cat proc/self/environ").in_folder("/").rule(&cat),
        "always-denied"
    );
    assert!(run("cat /proc/cpuinfo").allowed(&cat));
    let exact = policy(
        "rules:\n  - { allow: run, command: cat, args: [/proc/self/environ], secrets: [\"**\"] }\n",
    );
    assert!(run("cat /proc/self/environ").allowed(&exact));
}

#[test]
fn arguments_that_start_programs_are_denied() {
    let open = policy("default_action: allow\nallowed_commands: [find, git]\n");
    for line in [
        "find . -exec env {} ;",
        "git -c alias.x=!env x",
        "git -c core.pager=env log",
        "jq -n env",
    ] {
        assert_eq!(run(line).rule(&open), "always-denied", "{line}");
    }
    let exact = policy(
        "rules:\n  - { allow: run, command: git, args: [-c, color.ui=never, log], secrets: [] }\n",
    );
    assert!(run("git -c color.ui=never log").with(&[]).allowed(&exact));
    assert_eq!(
        run("git -c core.pager=x log").with(&[]).verdict(&exact),
        Verdict::Deny
    );
}

#[test]
fn a_rule_may_pin_the_executable_by_content() {
    let hash = "ab".repeat(32);
    let pinned = policy(&format!(
        "rules:\n  - allow: run\n    command: tool\n    args: [\"**\"]\n    secrets: [\"**\"]\n    hash: sha256:{hash}\n"
    ));
    assert!(pinned.pins_executables());
    assert!(!Policy::default().pins_executables());
    let mut request = run("tool x");
    assert_eq!(request.verdict(&pinned), Verdict::Deny);
    assert!(request.under(&pinned).reason.contains("content"));
    request.0.command.as_mut().unwrap().digest = subrosa_model::Digest::from_hex(&"cd".repeat(32));
    assert_eq!(request.verdict(&pinned), Verdict::Deny);
    request.0.command.as_mut().unwrap().digest = subrosa_model::Digest::from_hex(&hash);
    assert!(request.allowed(&pinned));
}

#[test]
fn names_that_are_not_text_are_denied() {
    use std::os::unix::ffi::OsStringExt;
    let git = policy("allowed_commands: [git]\n");
    let mut request = run("git x");
    let odd = std::ffi::OsString::from_vec(vec![b'g', b'i', b't', 0xff]);
    let command = request.0.command.as_mut().unwrap();
    command.requested = odd.clone();
    command.arguments[0] = odd;
    let request = request.resolved("/usr/bin/git");
    assert_eq!(request.verdict(&git), Verdict::Deny);
}
