//! What a stranger writes into the daemon's socket: what is read as a frame is written as the same
//! bytes, and first words that are taken are of the one form that they have.
//!
//! Input: a byte that says who reads, then what comes over the socket until it is closed.

#![no_main]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use subrosa_wire::{Bounds, FROM_CLIENT, FROM_DAEMON, PROTOCOL, receive, send, welcome};

/// What a socket holds without a reader.
const MOST: usize = 64 * 1024;
const SMALL: Bounds = Bounds {
    body: 40,
    secret: 20,
    descriptors: 0,
};
const PATIENCE: Option<Duration> = Some(Duration::from_secs(10));

fuzz_target!(|data: &[u8]| {
    let Some((who, data)) = data.split_first() else {
        return;
    };
    let data = &data[..data.len().min(MOST)];
    let (mut theirs, ours) = UnixStream::pair().expect("a pair of sockets");
    theirs.write_all(data).expect("there is room");
    theirs.shutdown(std::net::Shutdown::Write).expect("open");
    let bounds = match who % 4 {
        0 => FROM_CLIENT,
        1 => FROM_DAEMON,
        2 => SMALL,
        _ => return first_words(data, &ours),
    };
    let mut rest = data;
    while let Ok(Some(frame)) = receive(&ours, &bounds, PATIENCE) {
        assert!(frame.body.len() <= bounds.body && frame.descriptors.is_empty());
        let secret = frame.secret.as_ref().map(|secret| secret.as_slice());
        assert!(secret.map_or(0, <[u8]>::len) <= bounds.secret);
        assert!(secret.is_none() || bounds.secret > 0);
        let (here, mut there) = UnixStream::pair().expect("a pair of sockets");
        send(&here, &frame.body, secret, &[], PATIENCE).expect("it was read from as much");
        drop(here);
        let mut again = Vec::new();
        there.read_to_end(&mut again).expect("written");
        rest = rest
            .strip_prefix(&again[..])
            .expect("it is what the bytes say");
    }
});

fn first_words(data: &[u8], ours: &UnixStream) {
    if let Ok(hello) = welcome(ours, "fuzz") {
        let length = u32::try_from(8 + 4 + hello.program.len()).expect("short");
        let mut form = length.to_le_bytes().to_vec();
        form.extend([0; 8]);
        form.extend(b"subrosa\0");
        form.extend(PROTOCOL.to_le_bytes());
        form.extend(hello.program.as_bytes());
        assert!(data.starts_with(&form));
        assert!(!hello.program.contains(char::is_control));
    }
}
