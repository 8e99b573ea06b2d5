//! Agents: what a token is good for, and what it is not.

use std::process::Command;

use subrosa_tests::{Done, Served, held, program, wait_until};

const VALUE: &[u8] = b"canary-7Hq2-Zr8v-Lw4x-n0Pk";
const OTHER: &[u8] = b"canary-3Jd9-Qm5t-Vb1y-s6Fc";

/// A vault with two workspaces, and a rule for the agent `claude`.
fn house() -> Served {
    let served = Served::open();
    served.fed(&["set", "app/key", "--stdin"], VALUE).ok();
    served.fed(&["set", "ops/key", "--stdin"], OTHER).ok();
    served
        .fed(&["set", "-w", "vaulted", "app/key", "--stdin"], OTHER)
        .ok();
    served.apply(
        "version: 1\n\
         rules:\n\
         \x20 - { allow: run, command: sh, args: [\"-c\", \"echo $APP_KEY\"], secrets: [\"**\"], inject: env, agents: [claude], exposed: true }\n\
         \x20 - { allow: run, command: sh, args: [\"-c\", \"echo $OPS_KEY\"], secrets: [\"**\"], inject: env }\n\
         \x20 - { allow: run, command: sh, args: [\"-c\", \"echo first $APP_KEY; sleep 3; echo last\"], secrets: [\"**\"], inject: env, agents: [claude], exposed: true }\n\
         \x20 - { allow: run, command: cat, args: [\"other\"], secrets: [\"**\"], inject: stdin, agents: [claude], exposed: true }\n\
         \x20 - { allow: run, command: cat, args: [guess], secrets: [\"**\"], inject: stdin, agents: [claude], exposed: true, limits: { output: 9B } }\n",
    );
    served
}

/// Gives a token with these options; returns it.
fn token(served: &Served, options: &[&str]) -> String {
    let mut words = vec!["agent", "add", "claude", "--json"];
    words.extend(options);
    let given = served.proven(&words).ok().text();
    let given: serde_json::Value = serde_json::from_str(&given).expect("JSON");
    given["token"].as_str().expect("a token").to_owned()
}

/// Runs our program as the bearer of a token.
fn with(served: &Served, token: &str, words: &[&str]) -> Done {
    let mut command = served.command(words);
    Done::of(command.env("SUBROSA_TOKEN", token), b"")
}

#[test]
fn row_35_a_token_is_good_for_looking_and_using_alone() {
    let served = house();
    let token = token(&served, &["--secrets", "app/**", "--here"]);
    let listed = with(&served, &token, &["ls", "--all", "--json"])
        .ok()
        .text();
    assert!(
        listed.contains("app/key") && !listed.contains("ops/key"),
        "{listed}"
    );
    assert!(!listed.contains("vaulted"), "{listed}");
    let used = with(
        &served,
        &token,
        &["run", "-k", "app/key", "--", "sh", "-c", "echo $APP_KEY"],
    );
    assert_eq!(used.ok().text(), "[REDACTED:app/key]\n");
    with(&served, &token, &["show", "app/key"]).ok();
    with(&served, &token, &["history", "app/key"]).ok();
    let refused: [&[&str]; 24] = [
        &["set", "app/key", "--stdin"],
        &["generate", "app/other"],
        &["edit", "app/key", "--note", "x"],
        &["mv", "app/key", "app/moved"],
        &["rm", "app/key"],
        &["rm", "app/key", "--purge"],
        &["rollback", "app/key"],
        &["read", "app/key"],
        &["export"],
        &["backup", "b"],
        &["restore", "b"],
        &["key", "ls"],
        &["key", "add", "recovery"],
        &["key", "rotate"],
        &["policy", "show"],
        &["apply", "-f", "/dev/null"],
        &["log"],
        &["audit", "verify"],
        &["unlock"],
        &["lock"],
        &["daemon", "stop"],
        &["agent", "add", "claude"],
        &["agent", "ls"],
        &["agent", "rm", "claude"],
    ];
    for words in refused {
        let done = with(&served, &token, words);
        assert_ne!(done.status, 0, "{words:?}: {done:?}");
        // A proof beside the token changes nothing: an agent is no person.
        let file = served.path("passphrase");
        let mut command = served.with_passphrase(file.to_str().expect("UTF-8"), words);
        let done = Done::of(command.env("SUBROSA_TOKEN", &token), b"");
        assert_ne!(done.status, 0, "{words:?} with a proof: {done:?}");
    }
    // What reached the daemon is in the log.
    let log = served.log();
    for what in ["set", "lock", "stop", "purge", "tokens", "revoketokens"] {
        let record = format!("refused: {what} is not for agents");
        assert!(log.contains(&record), "{what}: {log}");
    }
    // And all of it is as it was.
    served.run(&["show", "app/key"]).ok();
    assert_eq!(served.read("app/key"), VALUE);
    held(
        35,
        "an agent lists, shows and uses; 24 operator actions are refused, with the passphrase too",
    );
}

#[test]
fn row_35_a_token_reaches_no_further_than_it_says() {
    let served = house();
    let token = token(
        &served,
        &["--secrets", "app/**", "--commands", "git", "--here"],
    );
    let beyond: [(&[&str], &str); 5] = [
        (&["-w", "vaulted", "ls"], "does not reach"),
        (
            &[
                "-w",
                "vaulted",
                "run",
                "-k",
                "app/key",
                "--",
                "sh",
                "-c",
                "echo $APP_KEY",
            ],
            "does not reach",
        ),
        (&["show", "ops/key"], "no secret"),
        (
            &[
                "run",
                "-k",
                "subrosa://vaulted/app/key",
                "--",
                "sh",
                "-c",
                "echo $APP_KEY",
            ],
            "no secret",
        ),
        // The rule allows it, the token does not.
        (
            &["run", "-k", "app/key", "--", "sh", "-c", "echo $APP_KEY"],
            "beyond what its token reaches",
        ),
    ];
    for (words, what) in beyond {
        let done = with(&served, &token, words);
        assert!(
            done.status != 0 && done.err.contains(what),
            "{words:?}: {done:?}"
        );
        assert!(!done.err.contains("canary"), "{words:?}");
    }
    // What a rule reserves for another is not had by leaving the token at home.
    let local = served.run(&["run", "-k", "app/key", "--", "sh", "-c", "echo $APP_KEY"]);
    assert_eq!(local.status, 125, "{local:?}");
    let log = served.log();
    assert!(
        log.contains("token does not reach") && log.contains(r#""kind":"agent","name":"claude""#),
        "{log}"
    );
    held(
        35,
        "another workspace, secret or command is refused, and recorded",
    );
}

#[test]
fn row_35_a_token_is_over_when_it_is_over() {
    let served = house();
    let short = token(&served, &["--here", "--for", "2s"]);
    with(&served, &short, &["ls"]).ok();
    wait_until("token over", || with(&served, &short, &["ls"]).status != 0);
    let done = with(&served, &short, &["ls"]);
    assert!(done.err.contains("the token is over"), "{done:?}");

    let revoked = token(&served, &["--here"]);
    // Its id alone is known to `agent ls`, and worth nothing.
    let mut changed = revoked.clone().into_bytes();
    let last = changed.last_mut().expect("it is long");
    *last = if *last == b'0' { b'1' } else { b'0' };
    let changed = String::from_utf8(changed).expect("digits");
    let done = with(&served, &changed, &["ls"]);
    assert!(done.err.contains("nobody has this token"), "{done:?}");
    // One connection that was accepted is not accepted for ever.
    let mut client = subrosa_wire::connect(&served.socket(), "tests").expect("it listens");
    let scope = subrosa_model::Scope {
        workspace: subrosa_model::Scope::default_workspace(),
        group: None,
    };
    let call = |request| subrosa_wire::Call {
        scope: scope.clone(),
        request,
    };
    let identify = call(subrosa_wire::Request::Identify);
    let reply = client
        .call(&identify, Some(revoked.as_bytes()), &[])
        .expect("answered");
    assert!(reply.is_ok(), "{reply:?}");
    let list = call(subrosa_wire::Request::List(subrosa_wire::Filter::default()));
    assert!(client.call(&list, None, &[]).expect("answered").is_ok());
    served.run(&["agent", "rm", "claude"]).ok();
    let reply = client.call(&list, None, &[]).expect("answered");
    assert!(reply.is_err_and(|failure| failure.code == "token"));
    let done = with(&served, &revoked, &["ls"]);
    assert!(done.err.contains("taken away"), "{done:?}");
    // Nor does one that never was.
    for made_up in ["subrosa-agent-", "x", &revoked.replace("agent", "agens")] {
        assert_ne!(with(&served, made_up, &["ls"]).status, 0, "{made_up}");
    }
    held(
        35,
        "expired, revoked, changed and made-up tokens are refused, in open connections too",
    );
}

/// Gives a token in a session whose leader has ended, and uses it there; returns it.
fn work_without_leader(served: &Served) -> String {
    let mut command = Command::new("setsid");
    served.admit(&mut command);
    let script = "export L=$$; (until [ $(ps -o ppid= $BASHPID) != $L ]; do sleep 0.1; done; \
                  $S --passphrase-fd 3 agent add claude --here --to token 3<$P >out 2>&1; \
                  SUBROSA_TOKEN_FILE=token $S ls >>out 2>&1; echo $? >over) & exit";
    command.args(["--wait", "bash", "-c", script]);
    command
        .env("S", program())
        .env("P", served.path("passphrase"));
    Done::of(&mut command, b"").ok();
    let over = served.path("work/over");
    wait_until("the work over", || over.exists());
    let out = std::fs::read_to_string(served.path("work/out")).expect("written");
    let over = std::fs::read_to_string(over).expect("written");
    assert_eq!(over, "0\n", "{out}");
    let token = std::fs::read_to_string(served.path("work/token")).expect("written");
    token.trim().to_owned()
}

#[test]
fn row_35_a_token_works_from_its_own_session_alone() {
    let served = house();
    let first = token(&served, &[]);
    let sh = |words: &[&str], script: &str| {
        let mut command = Command::new(words[0]);
        served.admit(&mut command);
        command.args(&words[1..]).args(["/bin/bash", "-c", script]);
        Done::of(
            command.env("S", program()).env("SUBROSA_TOKEN", &first),
            b"",
        )
    };
    // The session that shows it first: within it again and again, and what it starts elsewhere too.
    let both = sh(
        &["setsid", "--wait"],
        "$S ls && $S ls && setsid --wait $S ls",
    );
    both.ok();
    let again = sh(&["setsid", "--wait"], "$S ls");
    assert!(again.err.contains("another session"), "{again:?}");
    let own = with(&served, &first, &["ls"]);
    assert!(own.err.contains("another session"), "{own:?}");
    // A thief in the background, whose session has lost its leader, is nobody's descendant.
    let second = token(&served, &["--here"]);
    let mut command = Command::new("/bin/bash");
    served.admit(&mut command);
    let script = "setsid bash -c '(sleep 1; $S ls >out 2>&1; echo $? >status) & exit' & wait";
    command.args(["-c", script]).env("S", program());
    Done::of(command.env("SUBROSA_TOKEN", &second), b"").ok();
    wait_until("thief done", || served.path("work/status").exists());
    let out = std::fs::read_to_string(served.path("work/out")).expect("written");
    assert!(out.contains("another session"), "{out}");
    // Without a leader, as in a container: who descends from the eldest there, and nobody else.
    let third = work_without_leader(&served);
    let own = with(&served, &third, &["ls"]);
    assert!(own.err.contains("another session"), "{own:?}");
    held(
        35,
        "a token that was taken to another session is refused there",
    );
}

/// What is held back and when it comes tells an agent nothing, and names beyond it are not told.
#[test]
fn row_43_an_agent_gets_output_when_the_command_is_over() {
    use std::io::Read;
    let served = house();
    // A value that was handed out before, and is out of the agent's reach.
    served
        .run(&["run", "-k", "ops/key", "--", "sh", "-c", "echo $OPS_KEY"])
        .ok();
    let token = token(&served, &["--secrets", "app/**", "--here"]);
    let line = "echo first $APP_KEY; sleep 3; echo last";
    let mut command = served.command(&["run", "-k", "app/key", "--", "sh", "-c", line]);
    let mut child = command
        .env("SUBROSA_TOKEN", &token)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = child.stdout.take().expect("piped");
    let mut first = vec![0; 4096];
    let count = out.read(&mut first).expect("read");
    // The first bytes that come are all of them.
    let text = String::from_utf8_lossy(&first[..count]).into_owned();
    assert_eq!(text, "first [REDACTED:app/key]\nlast\n");
    assert!(child.wait().expect("waited for").success());
    let file = served.path("work/other");
    std::fs::write(&file, [OTHER, b"\n"].concat()).expect("written");
    let told = with(
        &served,
        &token,
        &["run", "-k", "app/key", "--", "cat", "other"],
    );
    assert_eq!(told.ok().text(), "[REDACTED]\n");
    // Nothing comes of output that is cut: whether it ends with a guess would tell that it is one.
    for guess in ["canary-3", "canary-4"] {
        let file = served.path("work/guess");
        std::fs::write(&file, format!("{guess}~~~~")).expect("written");
        let words = ["run", "-k", "app/key", "--", "cat", "guess"];
        let done = with(&served, &token, &words);
        assert!(done.out.is_empty(), "{guess}: {done:?}");
    }
    // A command without secrets is its own to run.
    let none = with(&served, &token, &["run", "--", "true"]);
    assert!(
        none.status == 125 && none.err.contains("name them"),
        "{none:?}"
    );
    held(
        43,
        "an agent's output comes at the end of the command, and masks name nothing beyond it",
    );
}

/// Whether a guess is masked would tell an agent that it is right.
#[test]
fn row_43_a_value_that_can_be_guessed_is_not_handed_to_an_agent() {
    let served = house();
    let token = token(&served, &["--here"]);
    for weak in ["Summer2026!", "correcthorse", "1234567890123456"] {
        served
            .fed(&["set", "app/key", "--stdin"], weak.as_bytes())
            .ok();
        let words = ["run", "-k", "app/key", "--", "sh", "-c", "echo $APP_KEY"];
        let done = with(&served, &token, &words);
        assert!(
            done.status == 125 && done.err.contains("guess"),
            "{weak}: {done:?}"
        );
        assert!(!done.err.contains(weak), "{done:?}");
    }
    served.fed(&["set", "app/key", "--stdin"], VALUE).ok();
    with(
        &served,
        &token,
        &["run", "-k", "app/key", "--", "sh", "-c", "echo $APP_KEY"],
    )
    .ok();
    // Nor beside another, in one document; nor is it told by a mask that a guess is right.
    served
        .fed(&["set", "ops/weak", "--stdin"], b"hunter2hunter")
        .ok();
    std::fs::write(served.path("work/other"), "hunter2hunter\n").expect("written");
    let words = [
        "run", "-k", "ops/weak", "-k", "app/key", "--", "cat", "other",
    ];
    let done = with(&served, &token, &words);
    assert!(done.status == 125 && done.err.contains("guess"), "{done:?}");
    served.run(&[
        "run",
        "-k",
        "ops/weak",
        "--bind",
        "OPS_KEY=ops/weak",
        "--",
        "sh",
        "-c",
        "echo $OPS_KEY",
    ]);
    let done = with(
        &served,
        &token,
        &["run", "-k", "app/key", "--", "cat", "other"],
    );
    assert_eq!(done.ok().text(), "hunter2hunter\n");
    held(
        43,
        "words, dates and runs are not handed to an agent; a random value is",
    );
}

#[test]
fn the_policy_says_which_agents_there_are() {
    let served = house();
    let token = token(&served, &["--here"]);
    let policy = |agents: &str| {
        format!(
            "version: 1\nrules:\n  - {{ allow: run, command: sh, args: [\"-c\", \"echo $APP_KEY\"], \
             secrets: [\"**\"], inject: env, exposed: true }}\n{agents}"
        )
    };
    let words = ["run", "-k", "app/key", "--", "sh", "-c", "echo $APP_KEY"];
    served.apply(&policy(""));
    with(&served, &token, &words).ok();
    for (agents, why) in [
        ("agents: []\n", "names other agents"),
        ("agents:\n  - name: codex\n", "names other agents"),
        (
            "agents:\n  - name: claude\n    commands: [git]\n",
            "builtin:agent",
        ),
        (
            "agents:\n  - name: claude\n    secrets: [\"ops/**\"]\n",
            "no secret",
        ),
    ] {
        served.apply(&policy(agents));
        let done = with(&served, &token, &words);
        assert!(
            done.status == 125 && done.err.contains(why),
            "{agents}: {done:?}"
        );
    }
    // The last of them bounds what it sees, too.
    assert_eq!(with(&served, &token, &["show", "app/key"]).status, 1);
    with(&served, &token, &["show", "ops/key"]).ok();
    let done = served.proven(&["agent", "add", "codex"]);
    assert!(done.err.contains("names agents"), "{done:?}");
    served.apply(&policy(
        "agents:\n  - name: claude\n    secrets: [\"app/**\"]\n    tokens: 1h\n",
    ));
    with(&served, &token, &words).ok();
    let done = served.proven(&["agent", "add", "claude", "--for", "2h"]);
    assert!(done.err.contains("at most 3600 seconds"), "{done:?}");
}

/// Where the caller says that programs are, it could have put one of its own.
#[test]
fn row_28_an_agents_path_does_not_say_what_a_command_is() {
    use std::os::unix::fs::PermissionsExt;
    let served = house();
    let token = token(&served, &["--here"]);
    let evil = served.path("work/evil");
    std::fs::create_dir(&evil).expect("made");
    let program = evil.join("cat");
    std::fs::write(&program, "#!/bin/sh\n/usr/bin/cat >stolen\n").expect("written");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&program, mode).expect("ours");
    std::fs::write(served.path("work/other"), "as it should\n").expect("written");
    let mut command = served.command(&["run", "-k", "app/key", "--", "cat", "other"]);
    command
        .env("SUBROSA_TOKEN", &token)
        .env("PATH", format!("{}:/usr/bin:/bin", evil.display()));
    let done = Done::of(&mut command, b"").ok();
    assert_eq!(done.text(), "as it should\n");
    assert!(!served.path("work/stolen").exists());
    held(
        28,
        "an agent's PATH decides nothing: commands are looked for in the system's folders",
    );
}

/// A backup knows nothing of what was taken away after it.
#[test]
fn a_restored_vault_knows_no_token() {
    let served = house();
    let token = token(&served, &["--here"]);
    with(&served, &token, &["ls"]).ok();
    served.proven(&["backup", "b.backup"]).ok();
    served.run(&["daemon", "stop"]).ok();
    std::fs::remove_dir_all(served.data()).expect("removed");
    served.proven(&["restore", "b.backup"]).ok();
    served.unlock();
    let done = with(&served, &token, &["ls"]);
    assert!(
        done.status != 0 && done.err.contains("taken away"),
        "{done:?}"
    );
    assert_eq!(served.read("app/key"), VALUE);
}
