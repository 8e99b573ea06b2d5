//! A look into the memory of a running process.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use super::invented::contains;

/// What a look showed.
pub(super) enum Look {
    /// The system does not let us look.
    Refused(std::io::Error),
    /// How many pages hold each of the patterns.
    Seen(Vec<usize>),
}

/// How much is read at a time.
const CHUNK: usize = 1 << 20;

/// Searches the writable memory of a process.
pub(super) fn search(process: u32, patterns: &[&[u8]]) -> Look {
    let maps = match std::fs::read_to_string(format!("/proc/{process}/maps")) {
        Ok(maps) => maps,
        Err(error) => return Look::Refused(error),
    };
    let mut memory = match File::open(format!("/proc/{process}/mem")) {
        Ok(memory) => memory,
        Err(error) => return Look::Refused(error),
    };
    let mut seen = vec![0; patterns.len()];
    for (from, to) in maps.lines().filter_map(writable) {
        // What cannot be read here cannot be read by anybody: pages that the kernel keeps to itself.
        let _ = search_range(&mut memory, (from, to), patterns, &mut seen);
    }
    Look::Seen(seen)
}

fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    if !rest.starts_with("rw") {
        return None;
    }
    Some((
        u64::from_str_radix(from, 16).ok()?,
        u64::from_str_radix(to, 16).ok()?,
    ))
}

fn search_range(
    memory: &mut File,
    (from, to): (u64, u64),
    patterns: &[&[u8]],
    seen: &mut [usize],
) -> std::io::Result<()> {
    let longest = patterns
        .iter()
        .map(|pattern| pattern.len())
        .max()
        .unwrap_or(0);
    let mut at = from;
    let mut carried: Vec<u8> = Vec::new();
    memory.seek(SeekFrom::Start(from))?;
    while at < to {
        let wanted = CHUNK.min(usize::try_from(to - at).unwrap_or(CHUNK));
        let mut chunk = vec![0; wanted];
        memory.read_exact(&mut chunk)?;
        at += wanted as u64;
        carried.extend_from_slice(&chunk);
        for (pattern, seen) in patterns.iter().zip(seen.iter_mut()) {
            *seen += usize::from(contains(&carried, pattern));
        }
        carried.drain(..carried.len().saturating_sub(longest));
    }
    Ok(())
}
