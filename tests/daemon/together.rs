//! The daemon and other processes at the same vault, one after the other.

use subrosa_tests::{Done, Served};

const VALUE: &[u8] = b"canary-4p9zk2-first-value";

fn json(done: &Done) -> serde_json::Value {
    serde_json::from_slice(&done.out).unwrap_or_else(|_| panic!("no JSON: {done:?}"))
}

#[test]
fn opening_and_locking_twice_is_like_once() {
    let served = Served::locked();
    let lock = json(&served.run(&["lock", "--json"]).ok());
    assert_eq!(lock["was_unlocked"], false);
    assert_eq!(served.daemon(), None, "locking starts no daemon");

    let pid = served.unlock();
    assert_eq!(served.daemon(), Some(pid));
    let again = json(&served.unlock_with("passphrase", &[]).ok());
    assert_eq!(
        (&again["already"], &again["pid"]),
        (&true.into(), &pid.into())
    );
    // Nothing is asked for when it is open.
    let again = json(&served.run(&["unlock", "--json"]).ok());
    assert_eq!(again["already"], true);

    let lock = json(&served.run(&["lock", "--json"]).ok());
    assert_eq!(lock["was_unlocked"], true);
    let lock = json(&served.run(&["lock", "--json"]).ok());
    assert_eq!(lock["was_unlocked"], false);
    served
        .run(&["ls"])
        .explained(&["no terminal", "subrosa unlock"]);
    assert_eq!(served.unlock(), pid, "the same daemon");
    served.run(&["ls"]).ok();

    served.run(&["daemon", "stop"]).ok();
    assert_eq!(served.daemon(), None, "stopping waits for the end");
    assert!(!served.socket().exists());
    let again = served.run(&["daemon", "stop"]).ok();
    assert!(again.err.contains("No daemon"), "{again:?}");
    served.verify();
}

#[test]
fn times_are_told_as_they_were_asked_for() {
    let served = Served::locked();
    let done = served.unlock_with("passphrase", &["--idle", "15m", "--for", "8h"]);
    let told = json(&done.ok());
    let near = |name: &str, most: u64| {
        let told = told[name].as_u64().expect("seconds");
        assert!(told <= most && told + 60 > most, "{name}: {told}");
    };
    near("idle_seconds", 15 * 60);
    near("seconds", 8 * 3600);
}

#[test]
fn a_wrong_passphrase_opens_nothing_and_is_recorded() {
    let served = Served::locked();
    let done = served.unlock_with("wrong", &[]);
    assert_eq!(done.status, 1, "{done:?}");
    assert!(done.err.contains("wrong_key"), "{done:?}");
    served.run(&["ls"]).explained(&["no terminal"]);
    served.unlock();
    served.run(&["ls"]).ok();
    // It is open: the wrong one is not even looked at, and closes nothing.
    served.unlock_with("wrong", &[]).ok();
    served.run(&["ls"]).ok();
    assert!(served.log().contains("\"opened\":false"));
    served.verify();
}

#[test]
fn without_a_terminal_a_locked_vault_says_what_to_type() {
    let served = Served::locked();
    for words in [
        &["ls"][..],
        &["show", "api/key"],
        &["set", "api/key", "--stdin"],
        &["run", "--", "true"],
    ] {
        let done = served.run(words).explained(&["subrosa unlock"]);
        assert!(done.out.is_empty());
    }
    assert_eq!(served.daemon(), None, "none was started in vain");
}

#[test]
fn what_another_process_changes_holds_for_the_next_request() {
    let served = Served::open();
    const LINE: &str = "echo $API_KEY";
    let run = ["run", "-k", "api/key", "--", "sh", "-c", LINE];
    // `Place` opens the vault in a process of its own.
    served.set("api/key", VALUE);
    let shown = json(&served.run(&["show", "api/key", "--json"]).ok());
    assert_eq!(shown["version"], 1, "{shown}");
    served.run(&run).explained(&["always-denied"]);
    served.allow("sh", &["-c", LINE], "api/key");
    assert_eq!(served.run(&run).ok().text(), "[REDACTED:api/key]\n");
    served.set("api/key", b"canary-9w2-second-value");
    assert_eq!(served.run(&run).ok().text(), "[REDACTED:api/key]\n");
    let length = ["run", "-k", "api/key", "--", "sh", "-c", "echo ${#API_KEY}"];
    served.run(&length).explained(&["always-denied"]);
    served.allow("sh", &["-c", "echo ${#API_KEY}"], "api/key");
    assert_eq!(served.run(&length).ok().text(), "23\n", "the second value");
    served.run(&run).explained(&["always-denied"]);
    served.apply("version: 1\n");
    served.run(&length).explained(&["always-denied"]);
    // And the other way round: what the daemon stored, another process sees.
    served.fed(&["set", "by/daemon", "--stdin"], VALUE).ok();
    assert_eq!(served.read("by/daemon"), VALUE);
    served.run(&["rm", "api/key"]).ok();
    assert_eq!(served.proven(&["read", "api/key"]).status, 1);
    served.verify();
}

/// A value that was masked stays masked after it was replaced: by the daemon, whoever replaced it.
#[test]
fn an_earlier_value_is_masked_too() {
    let served = Served::open();
    let line = "echo canary-4p9zk2-first-value $API_KEY";
    served.fed(&["set", "api/key", "--stdin"], VALUE).ok();
    served.allow("sh", &["-c", line], "api/key");
    let run = ["run", "-k", "api/key", "--", "sh", "-c", line];
    let masked = "[REDACTED:api/key] [REDACTED:api/key]\n";
    assert_eq!(served.run(&run).ok().text(), masked);
    served.set("api/key", b"canary-9w2-second-value");
    assert_eq!(served.run(&run).ok().text(), masked);
}

/// New keys in the vault: the daemon's are of no use any more, and it says what to do, which helps.
#[test]
fn keys_that_another_process_replaced() {
    let served = Served::open();
    served.fed(&["set", "api/key", "--stdin"], VALUE).ok();
    served.proven(&["key", "rotate"]).ok();
    let done = served.run(&["ls"]).explained(&["replaced"]);
    assert!(done.out.is_empty());
    served.run(&["ls"]).explained(&["subrosa unlock"]);
    served.unlock();
    served.run(&["show", "api/key"]).ok();
    served
        .fed(&["set", "api/key", "--stdin"], b"canary-after-the-rotation")
        .ok();
    assert_eq!(served.read("api/key"), b"canary-after-the-rotation");
    served.verify();
}

/// A command that runs goes on when the vault is locked; its output is masked, and its end is in
/// the log.
#[test]
fn locking_leaves_commands_that_run() {
    const WAITS: &str = ": >ready; while [ ! -e go ]; do sleep 0.02; done; echo $API_KEY";
    let served = Served::open();
    served.fed(&["set", "api/key", "--stdin"], VALUE).ok();
    served.allow("sh", &["-c", WAITS], "api/key");
    let mut command = served.command(&["run", "-k", "api/key", "--", "sh", "-c", WAITS]);
    let child = command.spawn().expect("it starts");
    subrosa_tests::wait_until("the command running", || served.path("work/ready").exists());
    served.run(&["lock"]).ok();
    served.run(&["ls"]).explained(&["subrosa unlock"]);
    std::fs::write(served.path("work/go"), "").expect("written");
    let done = Done::from(child.wait_with_output().expect("it ends")).ok();
    assert_eq!(done.text(), "[REDACTED:api/key]\n");
    served.unlock();
    served.verify();
    let log = served.log();
    let completed = log
        .lines()
        .filter(|line| line.contains("\"completion\""))
        .count();
    assert_eq!(completed, 1, "{log}");
}

#[test]
fn one_hundred_clients_at_once_get_their_own_answers_in_order() {
    use subrosa_model::{KeyName, Scope};
    use subrosa_wire::{Answer, Call, Request, connect};
    const CLIENTS: usize = 100;
    const TURNS: usize = 10;
    let served = Served::open();
    let names: Vec<String> = (0..CLIENTS).map(|client| format!("k/{client}")).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let served = &served;
            scope.spawn(move || {
                let mut client = connect(&served.socket(), "tests").expect("it listens");
                let key = KeyName::new(name).expect("a key");
                let call = |request| Call {
                    scope: Scope {
                        workspace: Scope::default_workspace(),
                        group: None,
                    },
                    request,
                };
                let generate = call(Request::Generate {
                    key: key.clone(),
                    field: subrosa_model::FieldName::default_field(),
                    recipe: subrosa_wire::Recipe::Hex,
                    length: 32,
                });
                let show = call(Request::Show(key.clone()));
                for turn in 1..=TURNS {
                    let stored = client.call(&generate, None, &[]).expect("an answer");
                    let Ok(Answer::Stored(stored)) = stored else {
                        panic!("{stored:?}");
                    };
                    assert_eq!(stored.shown.listed.key, key);
                    assert_eq!(stored.shown.listed.version as usize, turn);
                    let shown = client.call(&show, None, &[]).expect("an answer");
                    let Ok(Answer::Shown(shown)) = shown else {
                        panic!("{shown:?}");
                    };
                    assert_eq!(
                        (&shown.listed.key, shown.listed.version as usize),
                        (&key, turn)
                    );
                }
            });
        }
    });
    assert_eq!(served.run(&["ls"]).ok().text().lines().count(), CLIENTS + 1);
    served.verify();
}
