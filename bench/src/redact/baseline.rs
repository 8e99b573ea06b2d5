//! Other ways to search for the same needles, each a whole program: reads 64 KiB at a time,
//! replaces, writes.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use daachorse::{DoubleArrayAhoCorasick, DoubleArrayAhoCorasickBuilder};
use memchr::memmem::Finder;

use super::Result;

const BLOCK: usize = 64 * 1024;
const MASK: &[u8] = b"[REDACTED]";

/// A way to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The crate `aho-corasick`, contiguous NFA.
    Nfa,
    /// The crate `aho-corasick`, DFA.
    Dfa,
    /// The crate `daachorse`.
    Daachorse,
    /// Needle by needle over each block.
    Replace,
}

impl Way {
    /// All.
    pub const ALL: [Self; 4] = [Self::Nfa, Self::Dfa, Self::Daachorse, Self::Replace];

    /// As it is asked for and printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nfa => "aho-corasick NFA",
            Self::Dfa => "aho-corasick DFA",
            Self::Daachorse => "daachorse",
            Self::Replace => "needle by needle",
        }
    }
}

/// Needles as a file that every program here can read: the length of each in four bytes, little end
/// first, then its bytes.
#[must_use]
pub fn packed(needles: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for needle in needles {
        let length = u32::try_from(needle.len()).unwrap_or(u32::MAX);
        out.extend(length.to_le_bytes());
        out.extend(needle);
    }
    out
}

fn unpacked(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut needles = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (needle, rest) = rest.split_at(u32::from_le_bytes(*length) as usize);
        needles.push(needle);
        bytes = rest;
    }
    needles
}

/// Replaces in the first `limit` bytes of a file and writes what comes of it.
///
/// # Errors
/// What reading, compiling or writing gave.
pub fn run(way: &str, needles: &Path, text: &Path, limit: u64) -> Result<()> {
    let way = Way::ALL.into_iter().find(|one| one.name() == way);
    let bytes = std::fs::read(needles)?;
    let needles = unpacked(&bytes);
    let longest = needles.iter().map(|one| one.len()).max().unwrap_or(1);
    let finder = Search::new(way.ok_or("no such baseline")?, &needles)?;
    let input = File::open(text)?.take(limit);
    // Without the buffer of lines that `stdout` has.
    let output = File::from(rustix::io::dup(std::io::stdout())?);
    replace(&finder, longest, input, output)
}

/// Reads, replaces, writes. What may still begin a longer needle waits for the next block.
fn replace(
    finder: &Search<'_>,
    longest: usize,
    mut input: impl Read,
    mut output: impl Write,
) -> Result<()> {
    let mut text = Vec::with_capacity(2 * BLOCK);
    let (mut found, mut out) = (Vec::new(), Vec::new());
    loop {
        let held = text.len();
        text.resize(held + BLOCK, 0);
        let count = input.read(&mut text[held..])?;
        text.truncate(held + count);
        let settled = match count {
            0 => text.len(),
            _ => text.len().saturating_sub(longest - 1),
        };
        found.clear();
        finder.find(&text, &mut found);
        let mut at = 0;
        for &(start, end) in found.iter().take_while(|(start, _)| *start < settled) {
            out.extend(&text[at..start]);
            out.extend(MASK);
            at = end;
        }
        let keep = at.max(settled);
        out.extend(&text[at..keep]);
        output.write_all(&out)?;
        out.clear();
        text.drain(..keep);
        if count == 0 {
            return Ok(());
        }
    }
}

/// What was compiled from the needles.
enum Search<'a> {
    Automaton(AhoCorasick),
    DoubleArray(DoubleArrayAhoCorasick<u32>),
    Finders(Vec<Finder<'a>>),
}

impl<'a> Search<'a> {
    fn new(way: Way, needles: &[&'a [u8]]) -> Result<Self> {
        let automaton = |kind| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .kind(Some(kind))
                .build(needles)
        };
        Ok(match way {
            Way::Nfa => Self::Automaton(automaton(AhoCorasickKind::ContiguousNFA)?),
            Way::Dfa => Self::Automaton(automaton(AhoCorasickKind::DFA)?),
            Way::Daachorse => Self::DoubleArray(
                DoubleArrayAhoCorasickBuilder::new()
                    .match_kind(daachorse::MatchKind::LeftmostLongest)
                    .build(needles)
                    .map_err(|error| error.to_string())?,
            ),
            Way::Replace => Self::Finders(needles.iter().map(|one| Finder::new(*one)).collect()),
        })
    }

    /// Appends what is found, in order and apart.
    fn find(&self, text: &[u8], found: &mut Vec<(usize, usize)>) {
        match self {
            Self::Automaton(all) => {
                found.extend(all.find_iter(text).map(|one| (one.start(), one.end())));
            }
            Self::DoubleArray(all) => {
                let all = all.leftmost_find_iter(text);
                found.extend(all.map(|one| (one.start(), one.end())));
            }
            Self::Finders(all) => {
                for finder in all {
                    let length = finder.needle().len();
                    found.extend(finder.find_iter(text).map(|at| (at, at + length)));
                }
                found.sort_unstable();
                found.dedup_by(|next, last| {
                    let overlaps = next.0 < last.1;
                    if overlaps {
                        last.1 = last.1.max(next.1);
                    }
                    overlaps
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(buffer.len()).min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn each_way_replaces_the_same_in_whatever_pieces_text_comes() {
        let needles: [&[u8]; 3] = [b"s3cr3t", b"s3cr3t-t0ken", b"other"];
        let kept = packed(&needles.map(<[u8]>::to_vec));
        assert_eq!(unpacked(&kept), needles);
        let text = b"a s3cr3t-t0ken s3cr3t-t0keN other s3cr3";
        for way in Way::ALL {
            let finder = Search::new(way, &needles).expect("compiled");
            let mut whole = Vec::new();
            replace(&finder, 12, &text[..], &mut whole).expect("replaced");
            let expected = "a [REDACTED] [REDACTED]-t0keN [REDACTED] s3cr3";
            assert_eq!(String::from_utf8_lossy(&whole), expected, "{way:?}");
            let mut torn = Vec::new();
            replace(&finder, 12, Slow(text), &mut torn).expect("replaced");
            assert_eq!(torn, whole, "{way:?}");
        }
    }
}
