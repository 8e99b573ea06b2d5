//! Row 37: commands that take every connection keep nobody from locking.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use subrosa_model::{ProcessLimits, Scope};
use subrosa_tests::{Done, Served, family, held, runs, wait_until};
use subrosa_wire::{Answer, Call, Client, Request, Run, State, connect};

/// As many as the daemon serves at once.
const ALL: usize = 256;

fn call(request: Request) -> Call {
    Call {
        scope: Scope {
            workspace: Scope::default_workspace(),
            group: None,
        },
        request,
    }
}

/// A client whose command runs until it goes.
fn busy(served: &Served) -> (Client, OwnedFd) {
    let mut client = connect(&served.socket(), "tests").expect("it listens");
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .expect("a pair");
    let path = std::env::var("PATH").expect("set");
    let run = Run {
        command: vec![b"sleep".to_vec(), b"1000".to_vec()],
        patterns: Vec::new(),
        binds: Vec::new(),
        inject: None,
        pass: Vec::new(),
        limits: ProcessLimits::default(),
        variables: vec![(b"PATH".to_vec(), path.into_bytes())],
        directory: b"/".to_vec(),
        mask: 0o077,
        streams: [false; 3],
    };
    let call = call(Request::Run(Box::new(run)));
    let asked = client.ask(&call, None, &[theirs.as_fd()]);
    asked.expect("it takes it");
    (client, ours)
}

/// Whether the daemon has refused the command, as nothing else ends it.
fn is_answered(client: &Client) -> bool {
    let mut events = [PollFd::from_borrowed_fd(client.descriptor(), PollFlags::IN)];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    matches!(poll(&mut events, Some(&now)), Ok(1))
}

fn state(served: &Served) -> State {
    let mut client = connect(&served.socket(), "tests").expect("it listens");
    match client.call(&call(Request::State), None, &[]) {
        Ok(Ok(Answer::State(state))) => state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn row_37_commands_on_every_connection_keep_nobody_from_locking() {
    let served = Served::open();
    let pid = served.daemon().expect("it runs");
    let mut clients = Vec::new();
    for number in 1..=ALL {
        let mut client = busy(&served);
        // One after the other: a connection that waits to be served is an idle one. And once more
        // where the one that asked for the state was not gone yet.
        wait_until("the command", || {
            if is_answered(&client.0) {
                client = busy(&served);
            }
            state(&served).running as usize == number
        });
        clients.push(client);
    }
    let children = family(pid);
    assert!(children.len() >= 2 * ALL, "guardians and commands");
    let done = served.run(&["ls"]);
    assert!(
        done.status != 0 && done.err.contains("as many commands"),
        "{done:?}"
    );
    // Whoever holds on to the spare ones without asking anything makes room for the next.
    let held_open: Vec<Client> = (0..20)
        .map(|_| connect(&served.socket(), "tests").expect("it listens"))
        .collect();
    let told = served.run(&["lock", "--json"]).ok();
    let told: serde_json::Value = serde_json::from_slice(&told.out).expect("JSON");
    assert_eq!(told["was_unlocked"], true);
    assert_eq!(state(&served).running as usize, ALL, "commands go on");
    let threads = subrosa_tests::figure(pid, "Threads");
    assert!(threads < 300, "{threads} threads");
    drop(held_open);
    let _: Done = served.run(&["daemon", "stop"]).ok();
    assert_eq!(served.daemon(), None);
    wait_until("the commands gone", || {
        !children.iter().any(|(pid, _)| runs(*pid))
    });
    held(
        37,
        &format!("with commands on all {ALL} connections, status, lock and stop are answered"),
    );
}
