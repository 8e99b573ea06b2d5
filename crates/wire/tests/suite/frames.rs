//! What is sent is what is received.

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::thread;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rustix::fs::fstat;
use rustix::pipe::pipe;
use subrosa_crypto::SecretBuf;
use subrosa_wire::{Frame, receive, send};

use crate::support::{BOUNDS, Content, PATIENCE, pair};

fn through(content: &Content) -> (Content, Vec<u8>) {
    let (ours, theirs) = pair();
    thread::scope(|scope| {
        scope.spawn(|| content.send(&ours).unwrap());
        let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
        let mut raw = Content::of(&frame).bytes();
        raw.truncate(12);
        (Content::of(&frame), raw)
    })
}

#[test]
fn every_combination_of_parts_comes_as_it_was_sent() {
    let bodies: [&[u8]; 4] = [b"", b"x", b"a message", &[7; 65_537]];
    let secrets: [Option<&[u8]>; 4] = [None, Some(b""), Some(b"s"), Some(&[9; 70_000])];
    for body in bodies {
        for secret in secrets {
            for descriptors in 0..=4 {
                let sent = Content::new(body, secret, descriptors);
                assert!(through(&sent).0 == sent, "{} {descriptors}", body.len());
            }
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_page() {
    let (ours, mut theirs) = pair();
    send(&ours, b"body", Some(b"value"), &[], PATIENCE).unwrap();
    drop(ours);
    let mut bytes = Vec::new();
    theirs.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"\x04\0\0\0\x05\0\0\0\0\x01\0\0bodyvalue");
    assert_eq!(
        bytes,
        Content::new(b"body", Some(b"value"), 0).bytes(),
        "the tests' own writer"
    );
}

#[test]
fn descriptors_come_in_order_and_are_not_inherited() {
    let (ours, theirs) = pair();
    let pipes: Vec<_> = (0..2).map(|_| pipe().unwrap()).collect();
    let sent = [
        pipes[0].0.as_fd(),
        pipes[1].1.as_fd(),
        pipes[1].0.as_fd(),
        pipes[0].1.as_fd(),
    ];
    send(&ours, b"", None, &sent, PATIENCE).unwrap();
    let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
    for (sent, came) in sent.iter().zip(&frame.descriptors) {
        let (sent, came_of) = (fstat(sent).unwrap(), fstat(came).unwrap());
        assert_eq!((sent.st_dev, sent.st_ino), (came_of.st_dev, came_of.st_ino));
        let flags = rustix::io::fcntl_getfd(came).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }
}

#[test]
fn a_value_is_in_locked_memory_and_nowhere_else() {
    let (ours, theirs) = pair();
    send(&ours, b"body", Some(b"canary-7k2"), &[], PATIENCE).unwrap();
    let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
    assert_eq!(frame.body, b"body");
    let shown = format!("{frame:?}");
    assert!(!shown.contains("canary"), "{shown}");
    // Of the parts of a frame, this one alone may hold a value, and this is its type.
    let Frame {
        body: _,
        secret,
        descriptors: _,
    } = frame;
    let secret: SecretBuf = secret.unwrap();
    assert_eq!(secret.as_slice(), b"canary-7k2");
}

#[test]
fn frames_follow_one_another_and_the_end_between_two_is_no_fault() {
    let (ours, theirs) = pair();
    let all: Vec<Content> = (0..20)
        .map(|number: u8| {
            let secret = number.is_multiple_of(3).then_some(&b"value"[..]);
            Content::new(
                &vec![number; number.into()],
                secret,
                usize::from(number) % 5,
            )
        })
        .collect();
    thread::scope(|scope| {
        let all = &all;
        scope.spawn(move || {
            all.iter().for_each(|content| content.send(&ours).unwrap());
        });
        for content in all {
            let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
            assert_eq!(&Content::of(&frame), content);
        }
        assert!(receive(&theirs, &BOUNDS, PATIENCE).unwrap().is_none());
    });
}

#[test]
fn a_frame_larger_than_the_socket_waits_for_its_reader() {
    let (ours, theirs) = pair();
    let sent = Content::new(&vec![1; 250_000], Some(&vec![2; 130_000]), 1);
    thread::scope(|scope| {
        scope.spawn(|| sent.send(&ours).unwrap());
        // Not before the writer has filled what the system holds.
        let mut first = [0; 1];
        while rustix::net::recv(&theirs, &mut first, rustix::net::RecvFlags::PEEK)
            .unwrap()
            .0
            == 0
        {}
        let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
        assert!(Content::of(&frame) == sent);
    });
}

/// What a stranger who writes our format by hand sends is read as ours is.
#[test]
fn a_frame_made_by_hand_is_read() {
    let (mut ours, theirs) = pair();
    let content = Content::new(b"by hand", Some(b""), 0);
    ours.write_all(&content.bytes()).unwrap();
    let frame = receive(&theirs, &BOUNDS, PATIENCE).unwrap().unwrap();
    assert_eq!(Content::of(&frame), content);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_frame_comes_as_it_was_sent(
        body in vec(any::<u8>(), 0..5000),
        secret in option::of(vec(any::<u8>(), 0..3000)),
        descriptors in 0usize..=4,
    ) {
        let sent = Content::new(&body, secret.as_deref(), descriptors);
        let (came, header) = through(&sent);
        prop_assert_eq!(&header[..], &sent.bytes()[..12]);
        prop_assert_eq!(came, sent);
    }
}
