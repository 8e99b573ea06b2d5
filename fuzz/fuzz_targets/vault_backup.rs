//! Backups: what a stream puts into a store is never more than what the stream holds, and what
//! was changed after it was written is refused.
//!
//! Input: first as a stream of its own, then as parts, each with its length in two bytes before it, framed and
//! closed as a backup is.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_crypto::{Aad, sha256};
use subrosa_fuzz::Memory;
use subrosa_vault::read_backup;

fuzz_target!(|data: &[u8]| {
    read(data);
    let stream = framed(data);
    if read(&stream) {
        // Any one byte before the keyed digest at the end is covered by the digest.
        let place = usize::from(*data.last().unwrap_or(&0)) % (stream.len() - 32);
        let mut changed = stream.clone();
        changed[place] ^= 1;
        assert!(
            !read(&changed),
            "byte {place} was changed and nobody noticed"
        );
        assert!(!read(&stream[..stream.len() - 1]), "the end was cut off");
        changed.clone_from(&stream);
        changed.push(0);
        assert!(!read(&changed), "something follows the end");
    }
});

fn read(mut stream: &[u8]) -> bool {
    let size = stream.len();
    let mut store = Memory::default();
    let held = read_backup(&mut stream, &mut store, &mut |_| {}).is_ok();
    let records: usize = store.records.values().map(|record| record.body.len()).sum();
    let rows: usize = store.rows.iter().map(|row| row.body.len()).sum();
    assert!(records + rows <= size, "a store holds more than the stream");
    held
}

/// A stream whose digest is right, so that the reader goes on to what the parts say.
fn framed(data: &[u8]) -> Vec<u8> {
    let mut stream = b"subrosa-backup 1\n".to_vec();
    let mut digest = [0; 32];
    let mut frames = 0_u64;
    let mut rest = data;
    while let Some((length, after)) = rest.split_first_chunk() {
        let (frame, after) =
            after.split_at(after.len().min(usize::from(u16::from_le_bytes(*length))));
        push(&mut stream, frame);
        digest = sha256(&Aad::new("subrosa/backup/v1").bytes(&digest).bytes(frame));
        frames += 1;
        rest = after;
    }
    let mut end = vec![4];
    end.extend_from_slice(&frames.to_le_bytes());
    end.extend_from_slice(&digest);
    end.extend_from_slice(&[0; 32]);
    push(&mut stream, &end);
    stream
}

fn push(stream: &mut Vec<u8>, frame: &[u8]) {
    let length = u32::try_from(frame.len()).expect("a fuzz input is small");
    stream.extend_from_slice(&length.to_le_bytes());
    stream.extend_from_slice(frame);
}
