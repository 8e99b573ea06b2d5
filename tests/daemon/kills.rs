//! `kill -9` of the daemon and of its clients.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;
use subrosa_tests::{Served, runs, send, wait_until};

/// Four clients store fifty values each, and the daemon is killed in the middle: what it had
/// acknowledged is there, what it had not is there whole or not at all.
#[test]
fn what_a_killed_daemon_acknowledged_is_there() {
    const CLIENTS: usize = 4;
    const SETS: usize = 50;
    for moment in [3, 60, 120] {
        let served = Served::open();
        let pid = served.daemon().expect("it runs");
        let value = |client: usize, set: usize| format!("canary-value-{client}-of-{set}");
        let acknowledged = Mutex::new(Vec::new());
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                let (served, acknowledged, done) = (&served, &acknowledged, &done);
                scope.spawn(move || {
                    for set in 0..SETS {
                        let key = format!("k/{client}/{set}");
                        let outcome =
                            served.fed(&["set", &key, "--stdin"], value(client, set).as_bytes());
                        if outcome.status != 0 {
                            outcome.explained(&["subrosa unlock"]);
                            return;
                        }
                        acknowledged.lock().expect("ours").push((client, set));
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            wait_until("some of it done", || done.load(Ordering::Relaxed) >= moment);
            send(pid, Signal::KILL);
        });
        let acknowledged = acknowledged.into_inner().expect("ours");
        assert!(
            (moment..CLIENTS * SETS).contains(&acknowledged.len()),
            "it was killed in the middle: {}",
            acknowledged.len()
        );
        let exported = served.proven(&["export", "--format", "json"]).ok();
        let all: serde_json::Value = serde_json::from_slice(&exported.out).expect("JSON");
        for (client, set) in &acknowledged {
            assert_eq!(all[format!("k/{client}/{set}")], value(*client, *set));
        }
        for (key, there) in all.as_object().expect("an object") {
            let mut parts = key
                .split('/')
                .skip(1)
                .map(|part| part.parse().expect("a number"));
            let (client, set) = (parts.next().expect("one"), parts.next().expect("two"));
            assert_eq!(there, &value(client, set), "{key}");
        }
        served.verify();
        served.unlock();
        served
            .fed(&["set", "next", "--stdin"], b"value-of-what-comes-next")
            .ok();
        served.verify();
    }
}

/// Starts a command through the daemon that starts others, in every way of getting away; the
/// processes that it has.
fn started(served: &Served) -> (std::process::Child, Vec<u32>) {
    const TREE: &str = "sleep 1000 & echo $! >>pids; \
        setsid sleep 1001 & \
        (setsid sh -c 'echo $$ >>pids; trap \"\" TERM HUP INT; sleep 1002; sleep 1003' &) ; \
        echo $$ >>pids; : >ready; sleep 1004; sleep 1005";
    served
        .fed(&["set", "api/key", "--stdin"], b"canary-4p9zk2-row-value")
        .ok();
    served.allow("sh", &["-c", TREE], "api/key");
    let mut command = served.command(&["run", "-k", "api/key", "--", "sh", "-c", TREE]);
    let child = command.spawn().expect("it starts");
    let pids = || -> Vec<u32> {
        let text = fs::read_to_string(served.path("work/pids")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    };
    wait_until("the tree", || {
        served.path("work/ready").exists() && pids().len() == 3
    });
    assert!(pids().iter().all(|pid| runs(*pid)));
    (child, pids())
}

#[test]
fn the_tree_ends_with_its_client() {
    let served = Served::open();
    let (mut child, pids) = started(&served);
    child.kill().expect("ours");
    child.wait().expect("it ends");
    wait_until("the tree gone", || !pids.iter().any(|pid| runs(*pid)));
    served.run(&["ls"]).ok();
    wait_until("the end in the log", || {
        served.log().contains("\"completion\"")
    });
    served.verify();
}

#[test]
fn the_tree_ends_with_the_daemon() {
    let served = Served::open();
    let (child, pids) = started(&served);
    served.kill();
    wait_until("the tree gone", || !pids.iter().any(|pid| runs(*pid)));
    let done = subrosa_tests::Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!(done.status, 125, "{done:?}");
    done.explained(&["closed", "subrosa unlock"]);
    served.verify();
}

#[test]
fn the_tree_ends_when_the_daemon_is_stopped() {
    let served = Served::open();
    let (child, pids) = started(&served);
    served.run(&["daemon", "stop"]).ok();
    wait_until("the tree gone", || !pids.iter().any(|pid| runs(*pid)));
    let done = subrosa_tests::Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!(done.status, 125, "{done:?}");
    served.verify();
}

/// Signals to the client reach the command, and its status comes back.
#[test]
fn a_signal_to_the_client_is_one_to_the_command() {
    const TRAPS: &str = "trap 'echo got it; exit 5' TERM; : >ready; while :; do sleep 0.05; done";
    let served = Served::open();
    let mut command = served.command(&["run", "--", "sh", "-c", TRAPS]);
    let child = command.spawn().expect("it starts");
    wait_until("the command", || served.path("work/ready").exists());
    send(child.id(), Signal::TERM);
    let done = subrosa_tests::Done::from(child.wait_with_output().expect("it ends"));
    assert_eq!(
        (done.status, done.text().as_str()),
        (5, "got it\n"),
        "{done:?}"
    );
}
