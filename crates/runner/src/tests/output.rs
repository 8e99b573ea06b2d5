//! Every byte, in order, and nothing of the values.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, pipe_with};

use super::*;
use crate::{Ending, Limit};

const SECRET: &[u8] = b"tango-7351-quebec";

#[test]
fn both_streams_and_the_status() {
    let ran = run(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(ran.output.text(), "out\n");
    assert_eq!(ran.error.text(), "err\n");
    assert_eq!(ran.report.ending, Ending::Exited(7));
    assert_eq!((ran.report.stdout_bytes, ran.report.stderr_bytes), (4, 4));
    assert!(!ran.report.truncated);
}

#[test]
fn row_13_the_account_does_not_tell_the_length_of_a_value() {
    let account = |secret: &[u8]| {
        let known = known(&[("api/key", secret)]);
        let line = format!("printf %s {}", String::from_utf8_lossy(secret));
        let command = command(&["sh", "-c", &line], limits()).expect("sh is there");
        let console = Console::new(None, Outlet::discard(), Outlet::discard());
        let running = run_without_secrets(command, console, &SystemSpawner, &known);
        let report = running
            .expect("starts")
            .pump(&BootClock)
            .expect("is pumped");
        assert_eq!(report.redacted, 1);
        report.stdout_bytes
    };
    assert_eq!(
        account(SECRET),
        account(b"tango-7351-quebec-and-much-longer-8264")
    );
}

#[test]
fn every_status_comes_through() {
    for status in 0..=255_i32 {
        let ran = run(&["sh", "-c", &format!("exit {status}")]);
        assert_eq!(ran.report.ending, Ending::Exited(status));
        assert_eq!(i32::from(ran.report.exit_status()), status);
    }
}

#[test]
fn a_signal_comes_through() {
    for (name, number) in [("TERM", 15), ("KILL", 9), ("SEGV", 11), ("USR1", 10)] {
        let ran = run(&["sh", "-c", &format!("kill -{name} $$")]);
        assert_eq!(ran.report.ending, Ending::Signalled(number));
        assert_eq!(i32::from(ran.report.exit_status()), 128 + number);
    }
}

/// Bytes that repeat after a long time only.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn fifty_megabytes_pass_unchanged() {
    let folder = scratch();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let bytes = noise(50 * 1024 * 1024);
    put(&from, &bytes);
    put(&to, b"");
    let target = || {
        let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::open(&to, flags, rustix::fs::Mode::empty()).expect("the file opens")
    };
    let console = Console::new(None, Outlet::descriptor(target()), Outlet::discard());
    let words = ["cat", from.to_str().expect("an ordinary name")];
    let command = command(&words, limits()).expect("cat is there");
    let known = known(&[("api/key", SECRET)]);
    let running = run_without_secrets(command, console, &SystemSpawner, &known).expect("starts");
    let report = running.pump(&BootClock).expect("is pumped");
    assert_eq!(report.ending, Ending::Exited(0));
    assert_eq!(report.stdout_bytes, bytes.len() as u64);
    assert!(
        std::fs::read(&to).expect("is readable") == bytes,
        "every byte in its place"
    );
}

#[test]
fn large_output_passes_a_pipe_that_is_read_slowly() {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let reader = std::thread::spawn(move || {
        let (mut file, mut all, mut piece) = (File::from(ours), Vec::new(), [0; 777]);
        loop {
            match file.read(&mut piece).expect("is readable") {
                0 => return all,
                count => all.extend_from_slice(&piece[..count]),
            }
        }
    });
    let console = Console::new(None, Outlet::descriptor(theirs), Outlet::discard());
    let words = [
        "sh",
        "-c",
        "i=0; while [ $i -lt 50000 ]; do echo line $i; i=$((i+1)); done",
    ];
    let command = command(&words, limits()).expect("sh is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    running
        .expect("starts")
        .pump(&BootClock)
        .expect("is pumped");
    let expected: String = (0..50_000)
        .map(|number| format!("line {number}\n"))
        .collect();
    assert!(
        reader.join().expect("no panic") == expected.as_bytes(),
        "every line in its place"
    );
}

#[test]
fn a_value_in_one_piece_or_byte_by_byte_is_masked_on_both_streams() {
    let whole = r#"printf '<%s>' "$API_KEY"; printf '<%s>' "$API_KEY" >&2"#;
    let split = r#"printf '<%s>' "$API_KEY" | dd bs=1 status=none; printf '<%s>' "$API_KEY" | dd bs=1 status=none >&2"#;
    for script in [whole, split] {
        let ran = run_with(&["sh", "-c", script], &[("API_KEY", SECRET)]);
        assert_eq!(ran.output.text(), "<[REDACTED:API_KEY]>");
        assert_eq!(ran.error.text(), "<[REDACTED:API_KEY]>");
        assert_eq!(ran.report.redacted, 2);
        assert_eq!(ran.report.redactions, [(Some("API_KEY".to_owned()), 2)]);
    }
}

#[test]
fn without_a_reader_the_command_gets_sigpipe() {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut first = [0; 2];
        File::from(ours)
            .read_exact(&mut first)
            .expect("a line comes");
        first
    });
    let console = Console::new(None, Outlet::descriptor(theirs), Outlet::discard());
    let command = command(&["yes"], limits()).expect("yes is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    let report = running
        .expect("starts")
        .pump(&BootClock)
        .expect("is pumped");
    assert_eq!(reader.join().expect("no panic"), *b"y\n");
    assert_eq!(report.ending, Ending::Signalled(13));
}

#[test]
fn a_flood_is_cut_at_the_byte() {
    let limits = Limits {
        output: Some(1_000_001),
        ..limits()
    };
    let ran = run_within(&["yes"], limits);
    assert_eq!(ran.report.ending, Ending::Limited(Limit::Output));
    assert_eq!(ran.report.exit_status(), 125);
    assert!(ran.report.truncated);
    let bytes = ran.output.bytes();
    assert_eq!(bytes.len(), 1_000_001);
    assert!(bytes.chunks(2).all(|line| b"y\n".starts_with(line)));
}

#[test]
fn output_of_exactly_the_bound_is_whole() {
    let limits = Limits {
        output: Some(10),
        ..limits()
    };
    let ran = run_within(&["sh", "-c", "printf 12345; printf 67890 >&2"], limits);
    assert_eq!(ran.report.ending, Ending::Exited(0));
    assert!(!ran.report.truncated);
}

#[test]
fn the_bound_does_not_cut_a_value_open() {
    let cut = |room: u64| {
        let (console, output, _) = buffers();
        let limits = Limits {
            output: Some(room),
            ..limits()
        };
        let words = ["sh", "-c", r#"printf '<%s>' "$API_KEY""#];
        let command = command(&words, limits).expect("sh is there");
        let mut sink = EnvironmentSink::new(command, console, &SystemSpawner).expect("is staged");
        sink.hand_over(&[("API_KEY", SECRET)], &known(&[("k", SECRET)]))
            .expect("starts");
        sink.finish()
            .expect("runs")
            .pump(&BootClock)
            .expect("is pumped");
        output.text()
    };
    for room in 2..=SECRET.len() as u64 {
        assert_eq!(cut(room), "<", "no part of the value, {room} bytes in");
    }
    assert_eq!(cut(100), "<[REDACTED:k]>");
}

#[test]
fn a_process_that_ends_closes_nothing_of_another() {
    // Many at once: descriptors of one run must not leak into a fork of another, or the end of a
    // stream would wait for it.
    let threads: Vec<_> = (0..8)
        .map(|number| {
            std::thread::spawn(move || {
                let text = format!("run {number}");
                for _ in 0..10 {
                    let ran = run(&["sh", "-c", &format!("echo {text}")]);
                    assert_eq!(ran.output.text(), format!("{text}\n"));
                    assert!(ran.report.duration < Duration::from_secs(30));
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("no panic"));
}

#[test]
fn a_socket_and_a_closed_leash() {
    let (ours, theirs) = rustix::net::socketpair(
        rustix::net::AddressFamily::UNIX,
        rustix::net::SocketType::STREAM,
        rustix::net::SocketFlags::CLOEXEC,
        None,
    )
    .expect("a socket");
    let (leash, hand): (OwnedFd, OwnedFd) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let client = std::thread::spawn(move || {
        let mut first = [0; 6];
        File::from(ours)
            .read_exact(&mut first)
            .expect("a line comes");
        drop(hand);
        first
    });
    let console = Console::new(None, Outlet::descriptor(theirs), Outlet::discard()).ended_by(leash);
    let command = command(&["sh", "-c", "echo ready; sleep 1000"], limits()).expect("is there");
    let running = run_without_secrets(command, console, &SystemSpawner, &KnownSet::empty());
    let report = running
        .expect("starts")
        .pump(&BootClock)
        .expect("is pumped");
    assert_eq!(client.join().expect("no panic"), *b"ready\n");
    assert_eq!(report.ending, Ending::Abandoned);
    assert_eq!(report.exit_status(), 125);
}
