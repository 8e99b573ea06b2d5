//! What is refused: frames over the bounds, headers of nobody, descriptors that do not fit, peers
//! that never finish.

use std::io::Write;
use std::os::fd::AsFd;
use std::time::Duration;

use subrosa_wire::{Bounds, FROM_CLIENT, FROM_DAEMON, WireError, receive, send};

use crate::support::{BOUNDS, Content, PATIENCE, delivered, files, header, open, pair, send_with};

/// Other tests of this binary open and close files meanwhile: what leaks stays.
pub(crate) fn settles(before: usize) {
    for _ in 0..10_000 {
        if open() <= before + 16 {
            return;
        }
        std::thread::yield_now();
    }
    panic!("{} descriptors are open, and {before} were", open());
}

fn refused(bytes: &[u8], bounds: &Bounds) -> WireError {
    let (mut ours, theirs) = pair();
    ours.write_all(bytes).unwrap();
    // The connection stays open: what is refused is so by what has come, not by its end.
    receive(&theirs, bounds, Some(Duration::from_secs(5))).expect_err("refused")
}

#[test]
fn row_37_a_part_over_its_bound_is_refused_by_its_header_alone() {
    let bounds = Bounds {
        body: 10,
        secret: 5,
        descriptors: 1,
    };
    for (header, what, size, limit) in [
        (header(11, 0, 0, 0), "a message", 11, 10),
        (
            header(u32::MAX as usize, 0, 0, 0),
            "a message",
            u32::MAX as usize,
            10,
        ),
        (header(0, 6, 0, 1), "a value", 6, 5),
        (
            header(10, u32::MAX as usize, 0, 1),
            "a value",
            u32::MAX as usize,
            5,
        ),
        (header(0, 0, 2, 0), "the descriptors", 2, 1),
        (header(0, 0, 255, 0), "the descriptors", 255, 1),
    ] {
        match refused(&header, &bounds) {
            WireError::TooLarge {
                what: part,
                size: told,
                limit: bound,
            } => assert_eq!((part, told, bound), (what, size, limit)),
            other => panic!("{other:?}"),
        }
    }
    let most = Content::new(&[1; 10], Some(&[2; 5]), 1);
    let frame = delivered(&[&most.bytes()], 1, &bounds).unwrap().unwrap();
    assert_eq!(Content::of(&frame), most);
    println!("REDTEAM row=37 verdict=held why=what is too large is refused before its first byte");
}

#[test]
fn the_bounds_of_both_sides() {
    let one_more = FROM_CLIENT.body + 1;
    for bytes in [
        header(one_more, 0, 0, 0),
        header(0, FROM_CLIENT.secret + 1, 0, 1),
    ] {
        let error = refused(&bytes, &FROM_CLIENT);
        assert!(matches!(error, WireError::TooLarge { .. }), "{error:?}");
    }
    // A daemon sends neither values nor descriptors.
    assert_eq!((FROM_DAEMON.secret, FROM_DAEMON.descriptors), (0, 0));
    for bytes in [header(4, 1, 0, 1), header(4, 0, 1, 0)] {
        let error = refused(&bytes, &FROM_DAEMON);
        assert!(matches!(error, WireError::TooLarge { .. }), "{error:?}");
    }
}

#[test]
fn where_no_value_may_come_an_empty_one_may_not_either() {
    let error = refused(&header(0, 0, 0, 1), &FROM_DAEMON);
    assert!(
        matches!(
            error,
            WireError::TooLarge { .. } | WireError::Garbled { .. }
        ),
        "{error:?}"
    );
}

#[test]
fn a_header_of_nobody_is_refused() {
    for (at, byte) in
        (2..=255)
            .map(|byte| (9, byte))
            .chain([(10, 1), (10, 255), (11, 1), (11, 128)])
    {
        let mut bytes = header(0, 0, 0, 0);
        bytes[at] = byte;
        let error = refused(&bytes, &BOUNDS);
        assert!(
            matches!(error, WireError::Garbled { .. }),
            "{at} {byte}: {error:?}"
        );
    }
    // Bytes of a value that is said not to be there.
    let error = refused(&header(0, 5, 0, 0), &BOUNDS);
    assert!(matches!(error, WireError::Garbled { .. }), "{error:?}");
    for greeting in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_10.0\r\n",
        &[0xff; 12],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0",
    ] {
        let error = refused(greeting, &FROM_CLIENT);
        assert!(
            matches!(
                error,
                WireError::TooLarge { .. } | WireError::Garbled { .. }
            ),
            "{error:?}"
        );
    }
}

#[test]
fn descriptors_that_do_not_fit_the_header_are_refused_and_closed() {
    let before = open();
    for claimed in 0..=4u8 {
        for sent in 0..=8usize {
            if sent == usize::from(claimed) {
                continue;
            }
            let outcome = delivered(&[&header(0, 0, claimed, 0)], sent, &BOUNDS);
            assert!(
                matches!(outcome, Err(WireError::Garbled { .. })),
                "{claimed} claimed, {sent} sent: {outcome:?}"
            );
        }
    }
    settles(before);
}

#[test]
fn descriptors_with_every_byte_of_a_header_do_not_stay_open() {
    let before = open();
    for _ in 0..20 {
        let (ours, theirs) = pair();
        for byte in header(0, 0, 4, 0) {
            send_with(&ours, &[byte], 4);
        }
        let error = receive(&theirs, &BOUNDS, PATIENCE).expect_err("refused");
        assert!(matches!(error, WireError::Garbled { .. }), "{error:?}");
    }
    settles(before);
}

#[test]
fn descriptors_beside_a_body_are_nobodys() {
    let before = open();
    for _ in 0..20 {
        let (ours, theirs) = pair();
        send_with(&ours, &header(4, 0, 0, 0), 0);
        send_with(&ours, b"body", 4);
        let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
        assert!(frame.descriptors.is_empty());
    }
    settles(before);
}

#[test]
fn more_descriptors_than_a_frame_has_are_not_sent() {
    let (ours, _theirs) = pair();
    let files = files(5);
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let error = send(&ours, b"", None, &files, PATIENCE).expect_err("refused");
    assert!(
        matches!(
            error,
            WireError::TooLarge {
                size: 5,
                limit: 4,
                ..
            }
        ),
        "{error:?}"
    );
}

const SOON: Option<Duration> = Some(Duration::from_millis(20));

#[test]
fn whoever_never_finishes_is_late() {
    let content = Content::new(b"a message", Some(b"a value"), 0);
    let bytes = content.bytes();
    for at in 0..bytes.len() {
        let (mut ours, theirs) = pair();
        ours.write_all(&bytes[..at]).unwrap();
        let error = receive(&theirs, &BOUNDS, SOON).expect_err("late");
        assert!(matches!(error, WireError::Late), "{at}: {error:?}");
    }
}

/// The deadline is the whole frame's: a byte now and then does not move it.
#[test]
fn whoever_drips_is_late() {
    let (ours, theirs) = pair();
    let dripping = std::thread::spawn(move || {
        let mut bytes = header(200_000, 0, 0, 0);
        bytes.resize(200_000, 0);
        for byte in bytes {
            if (&ours).write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("all of it was taken");
    });
    let error = receive(&theirs, &BOUNDS, Some(Duration::from_millis(100))).expect_err("late");
    assert!(matches!(error, WireError::Late), "{error:?}");
    drop(theirs);
    dripping.join().unwrap();
}

#[test]
fn whoever_does_not_read_is_given_up() {
    let (ours, _theirs) = pair();
    let much = vec![0; 64 * 1024 * 1024];
    let error = send(&ours, &much, None, &[], SOON).expect_err("late");
    assert!(matches!(error, WireError::Late), "{error:?}");
}

#[test]
fn whoever_went_away_is_closed() {
    let (ours, theirs) = pair();
    drop(theirs);
    let error = send(&ours, b"body", None, &[], PATIENCE).expect_err("closed");
    assert!(matches!(error, WireError::Closed), "{error:?}");
}

/// A length that is only claimed costs nothing until its bytes come.
#[test]
fn row_37_a_claimed_length_is_not_allocated() {
    const PEERS: usize = 4;
    let resident = || {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages = pages.split_whitespace().nth(1).unwrap().to_owned();
        pages.parse::<usize>().unwrap() * rustix::param::page_size()
    };
    let sockets: Vec<_> = (0..PEERS).map(|_| pair()).collect();
    let before = resident();
    let mut most = before;
    std::thread::scope(|scope| {
        let readers: Vec<_> = sockets
            .iter()
            .map(|(ours, theirs)| {
                send_with(ours, &header(FROM_DAEMON.body, 0, 0, 0), 0);
                send_with(ours, b"only this", 0);
                scope.spawn(move || receive(theirs, &FROM_DAEMON, Some(Duration::from_secs(1))))
            })
            .collect();
        while readers.iter().any(|reader| !reader.is_finished()) {
            most = most.max(resident());
            std::thread::yield_now();
        }
        for reader in readers {
            assert!(matches!(reader.join().unwrap(), Err(WireError::Late)));
        }
    });
    let grown = most - before;
    assert!(grown < PEERS * FROM_DAEMON.body / 2, "{grown} bytes");
    println!(
        "REDTEAM row=37 verdict=held why={PEERS} lengths of {} MiB that were only claimed cost {} KiB",
        FROM_DAEMON.body >> 20,
        grown >> 10
    );
}
