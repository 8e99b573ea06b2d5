//! Row 37: whatever is poured into the socket, the next one in is served, and the daemon stays
//! small.
//!
//! The bound that is measured is [`RESIDENT`], of all memory of the daemon that is in use.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use subrosa_tests::{Served, descriptors, figure, held, wait_until};
use subrosa_wire::{FROM_CLIENT, greet};

/// In KiB.
const RESIDENT: u64 = 150 * 1024;
/// What the daemon has when nobody is connected, with room for those that are just leaving.
const FEW: u64 = 16;

fn frame(body: usize, secret: usize) -> Vec<u8> {
    let mut header = u32::try_from(body).expect("small").to_le_bytes().to_vec();
    header.extend(u32::try_from(secret).expect("small").to_le_bytes());
    header.extend([0, u8::from(secret > 0), 0, 0]);
    header
}

fn raw(served: &Served) -> UnixStream {
    let socket = UnixStream::connect(served.socket()).expect("it listens");
    let long = Some(Duration::from_secs(60));
    socket.set_read_timeout(long).expect("a timeout");
    socket.set_write_timeout(long).expect("a timeout");
    socket
}

/// A connection on which a request is expected.
fn greeted(served: &Served) -> UnixStream {
    let socket = raw(served);
    greet(&socket, "tests").expect("the first words");
    socket
}

/// A client in the middle of it is served, and the daemon is as small as it should be.
#[track_caller]
fn is_served(served: &Served, pid: u32) {
    assert_eq!(served.daemon(), Some(pid), "the same daemon");
    served.run(&["show", "api/key"]).ok();
    let resident = figure(pid, "VmRSS");
    assert!(resident < RESIDENT, "{resident} KiB are resident");
}

/// What was held for those who are gone is given back.
fn settles(pid: u32, open: usize) {
    wait_until("its threads gone", || figure(pid, "Threads") <= FEW);
    wait_until("its descriptors closed", || descriptors(pid) <= open + 8);
}

/// The daemon, with what it has open when nobody is there.
fn opened() -> (Served, u32, usize) {
    let served = Served::open();
    served
        .fed(&["set", "api/key", "--stdin"], b"canary-4p9zk2-row-value")
        .ok();
    let pid = served.daemon().expect("it runs");
    wait_until("quiet", || figure(pid, "Threads") <= FEW);
    (served, pid, descriptors(pid))
}

#[test]
fn row_37_three_hundred_megabytes_of_garbage() {
    let (served, pid, open) = opened();
    let mut sent = 0;
    // As first words, and as requests; each connection takes what it takes.
    let mut garbage = vec![0u8; 1 << 20];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for byte in &mut garbage {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state.to_le_bytes()[0];
    }
    for round in 0..100 {
        let mut socket = if round % 2 == 0 {
            raw(&served)
        } else {
            greeted(&served)
        };
        sent += garbage.len();
        let _ = socket.write_all(&garbage);
        let mut rest = Vec::new();
        let _ = socket.read_to_end(&mut rest);
        assert!(rest.len() < 4096);
    }
    is_served(&served, pid);
    // Frames as large as may be that hold nothing: each is read whole and answered.
    let mut socket = greeted(&served);
    let largest = [frame(FROM_CLIENT.body, 0), vec![0xff; FROM_CLIENT.body]].concat();
    while sent < 300_000_000 {
        sent += largest.len();
        socket.write_all(&largest).expect("it reads");
        let reply = subrosa_wire::receive(&socket, &subrosa_wire::FROM_DAEMON, None);
        let reply = reply.expect("a frame").expect("an answer");
        let reply = subrosa_wire::decode::<subrosa_wire::Reply>(&reply.body).expect("a reply");
        assert_eq!(reply.expect_err("no request").code, "protocol");
    }
    is_served(&served, pid);
    drop(socket);
    settles(pid, open);
    let resident = figure(pid, "VmRSS");
    held(
        37,
        &format!("after 300 MB of garbage {resident} KiB are resident, under {RESIDENT}"),
    );
}

#[test]
fn row_37_ten_thousand_idle_connections() {
    const MANY: usize = 10_000;
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    let room = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let room = usize::try_from(room)
        .unwrap_or(usize::MAX)
        .saturating_sub(200);
    let (served, pid, open) = opened();
    let (mut idle, mut threads, mut files) = (Vec::new(), 0, 0);
    for number in 0..MANY {
        // Some say their first words, some do not.
        let socket = match number % 4 {
            0 => greeted(&served),
            _ => raw(&served),
        };
        idle.push(socket);
        if idle.len() > room {
            // Where this process may not hold as many, the oldest go.
            idle.remove(0);
        }
        if number % 1000 == 999 {
            is_served(&served, pid);
            threads = threads.max(figure(pid, "Threads"));
            files = files.max(descriptors(pid));
        }
    }
    is_served(&served, pid);
    assert!(threads < 300, "{threads} threads");
    assert!(files < 700, "{files} descriptors");
    let resident = figure(pid, "VmRSS");
    drop(idle);
    settles(pid, open);
    is_served(&served, pid);
    held(
        37,
        &format!(
            "{MANY} idle connections: at most {threads} threads, {files} descriptors, \
             {resident} KiB, and a client is served"
        ),
    );
}

/// Frames that begin and never end, with small bodies: more of them than there may be connections.
#[test]
fn row_37_frames_that_never_end() {
    let (served, pid, open) = opened();
    let mut halves = Vec::new();
    for number in 0..600usize {
        let mut socket = greeted(&served);
        let (body, come) = [(1, 0), (4096, 4095), (65_536, 1000), (1 << 20, 4096)][number % 4];
        let bytes = [frame(body, 0), vec![0; come]].concat();
        let part = if number % 8 == 0 { &bytes[..5] } else { &bytes };
        socket.write_all(part).expect("it reads");
        halves.push(socket);
    }
    is_served(&served, pid);
    served.run(&["lock"]).ok();
    served.unlock();
    is_served(&served, pid);
    let resident = figure(pid, "VmRSS");
    drop(halves);
    settles(pid, open);
    held(
        37,
        &format!("600 half frames: {resident} KiB are resident, and a client is served"),
    );
}

/// As large as frames may be, all but their last byte.
#[test]
fn row_37_large_frames_that_never_end() {
    let (served, pid, open) = opened();
    let mut halves = Vec::new();
    let most = [frame(FROM_CLIENT.body, 0), vec![0x20; FROM_CLIENT.body - 1]].concat();
    for _ in 0..256 {
        let mut socket = greeted(&served);
        socket.write_all(&most).expect("it reads");
        halves.push(socket);
    }
    is_served(&served, pid);
    drop(halves);
    settles(pid, open);
}

/// Messages that are small on the wire and large in memory.
#[test]
fn row_37_small_messages_that_grow() {
    let (served, pid, open) = opened();
    let run = subrosa_wire::Run {
        command: vec![Vec::new(); FROM_CLIENT.body - 4096],
        patterns: Vec::new(),
        binds: Vec::new(),
        inject: None,
        pass: Vec::new(),
        limits: subrosa_model::ProcessLimits::default(),
        variables: Vec::new(),
        directory: b"/".to_vec(),
        mask: 0o022,
        streams: [false; 3],
    };
    let call = subrosa_wire::Call {
        scope: subrosa_model::Scope {
            workspace: subrosa_model::Scope::default_workspace(),
            group: None,
        },
        request: subrosa_wire::Request::Run(Box::new(run)),
    };
    let body = subrosa_wire::encode(&call).expect("bytes");
    let mut most = 0;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..64)
            .map(|_| {
                let (served, body) = (&served, &body);
                scope.spawn(move || {
                    let socket = greeted(served);
                    let null = std::fs::File::open("/dev/null").expect("there");
                    let null = std::os::fd::AsFd::as_fd(&null);
                    let sent = subrosa_wire::send(&socket, body, None, &[null], None);
                    sent.expect("it reads");
                    let _ = subrosa_wire::receive(&socket, &subrosa_wire::FROM_DAEMON, None);
                })
            })
            .collect();
        while clients.iter().any(|client| !client.is_finished()) {
            most = most.max(figure(pid, "VmRSS"));
        }
    });
    assert!(most < RESIDENT, "{most} KiB were resident");
    settles(pid, open);
}

/// Twenty passphrases at once: deriving keys takes memory, which is not taken twenty times.
#[test]
fn row_37_passphrases_tried_at_once() {
    let served = Served::locked();
    served.run(&["daemon", "start"]).ok();
    let pid = served.daemon().expect("it runs");
    let mut most = 0;
    std::thread::scope(|scope| {
        let tries: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| served.unlock_with("wrong", &[])))
            .collect();
        while tries.iter().any(|one| !one.is_finished()) {
            most = most.max(figure(pid, "VmRSS"));
        }
    });
    assert!(most < 3 * 256 * 1024, "{most} KiB were resident");
}
