//! Private keys in PEM, in one line or over many.
//!
//! Source: RFC 7468 §2 and §3; RFC 4880 §6.2 for OpenPGP; RFC 1421 §4.6 for
//! headers inside a block.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memmem;

use super::ShapeFinding;
use super::catalogue::Rule;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const LONGEST_LABEL: usize = 64;
/// A block has at most so many lines …
const MOST_LINES: usize = 1000;
/// … and so many bytes, prefixes included.
const MOST_BYTES: u64 = 64 * 1024;
/// A body shorter than the shortest key is none: documentation, a test.
const LEAST_BODY: usize = 40;
/// So many different characters has any key of that length.
const LEAST_DISTINCT: u32 = 8;
/// A line of so many base64 characters is body after any prefix.
const LONG_LINE: usize = 32;

/// The labels of the catalogue's blocks.
pub(super) struct Labels {
    rules: HashMap<Box<[u8]>, usize>,
}

impl Labels {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let label =
            |(index, rule): (usize, &Rule)| Some((rule.pem.as_ref()?.as_bytes().into(), index));
        let rules = rules.iter().enumerate().filter_map(label).collect();
        Labels { rules }
    }
}

/// A block that begins in a line and has not ended there.
pub(super) struct Begin {
    rule: usize,
    /// Where the boundary stands.
    at: usize,
    /// The body that stands behind it already.
    body: Range<usize>,
}

/// Finds the blocks in one line. Gives the one that goes on after it.
pub(super) fn in_line(
    labels: &Labels,
    line: &[u8],
    mut found: impl FnMut(usize, Range<usize>),
) -> Option<Begin> {
    let mut at = 0;
    let mut open = None;
    while let Some(begin) = find(BEGIN, line, at) {
        at = begin + BEGIN.len();
        let label_end = find(DASHES, &line[..line.len().min(at + LONGEST_LABEL)], at);
        let Some(label_end) = label_end else { continue };
        let Some(rule) = labels.rules.get(&line[at..label_end]) else {
            continue;
        };
        at = label_end + DASHES.len();
        let next = find(BEGIN, line, at).unwrap_or(line.len());
        let end = find(END, &line[..next], at);
        let tail = at..end.unwrap_or(next);
        let body = run(line, trimmed(line, tail.clone()));
        let whole = body == trimmed(line, tail);
        if end.is_none() && next == line.len() && whole {
            open = Some(Begin {
                rule: *rule,
                at: begin,
                body,
            });
        } else if Body::of(&line[body.clone()]).is_key() {
            found(*rule, body);
        }
    }
    open
}

/// What is known of a body.
#[derive(Clone, Copy, Default)]
struct Body {
    characters: usize,
    distinct: u128,
}

impl Body {
    fn of(text: &[u8]) -> Self {
        let mut body = Body::default();
        body.add(text);
        body
    }

    fn add(&mut self, text: &[u8]) {
        for byte in text.iter().filter(|byte| is_base64(**byte)) {
            self.characters += 1;
            self.distinct |= 1 << (byte & 127);
        }
    }

    fn is_key(self) -> bool {
        self.characters >= LEAST_BODY && self.distinct.count_ones() >= LEAST_DISTINCT
    }
}

/// A block that is being followed over lines.
pub(super) struct Block {
    rule: usize,
    /// How long the prefix of the first line was.
    prefix: usize,
    /// How many words stood before the body of a line with a prefix of its own.
    words: Option<usize>,
    opened: u64,
    lines: usize,
    body: Body,
    /// From the first body byte to the last.
    range: Option<Range<u64>>,
    /// A line shorter than the first was seen: it should have been the last.
    short: bool,
    longest: usize,
}

impl Block {
    /// Opens a block in `line`, which stands at `base`.
    pub(super) fn open(begin: Begin, line: &[u8], base: u64) -> Self {
        let mut block = Block {
            rule: begin.rule,
            prefix: begin.at,
            words: None,
            opened: base + begin.at as u64,
            lines: 0,
            body: Body::default(),
            range: None,
            short: false,
            longest: 0,
        };
        if !begin.body.is_empty() {
            block.add(line, begin.body, base);
            block.longest = 0;
        }
        block
    }

    /// The first body byte.
    pub(super) fn hold(&self) -> Option<u64> {
        self.range.as_ref().map(|range| range.start)
    }

    /// Takes a line of the block; false when the block ended before it, or
    /// ends in it: then the line is to be searched like any other.
    pub(super) fn take(&mut self, line: &[u8], base: u64) -> bool {
        self.lines += 1;
        let size = base + line.len() as u64 - self.opened;
        if self.lines > MOST_LINES || size > MOST_BYTES || find(BEGIN, line, 0).is_some() {
            return false;
        }
        let end = find(END, line, 0);
        let text = &line[..end.unwrap_or(line.len())];
        match self.content(text) {
            Content::Nothing => {}
            Content::Body(range) if self.is_next(&range, end.is_some()) => {
                self.add(text, range, base);
            }
            // A word before the end boundary is a prefix.
            Content::Body(_) | Content::Other => return false,
        }
        end.is_none()
    }

    /// The finding, if the body is long enough for a key.
    pub(super) fn close(self) -> Option<ShapeFinding> {
        let range = self.range.filter(|_| self.body.is_key())?;
        Some(ShapeFinding {
            rule: self.rule,
            start: range.start,
            end: range.end,
        })
    }

    fn add(&mut self, line: &[u8], range: Range<usize>, base: u64) {
        self.body.add(&line[range.clone()]);
        self.short |= self.longest > range.len();
        self.longest = self.longest.max(range.len());
        let start = self
            .range
            .as_ref()
            .map_or(base + range.start as u64, |old| old.start);
        self.range = Some(start..base + range.end as u64);
    }

    /// Whether a piece of body can follow: after a short line only a long
    /// piece can, or the checksum of OpenPGP; before the end boundary a short
    /// piece may be the word of a prefix.
    fn is_next(&self, range: &Range<usize>, ends: bool) -> bool {
        match (ends, self.range.is_some()) {
            (true, _) => range.len() >= 16,
            (false, true) => !self.short || range.len() >= 5,
            (false, false) => range.len() >= 16,
        }
    }

    fn content(&mut self, line: &[u8]) -> Content {
        let whole = trimmed(line, 0..line.len());
        let known = trimmed(line, self.prefix.min(line.len())..line.len());
        if known.is_empty() || whole.is_empty() {
            return Content::Nothing;
        }
        for part in [known.clone(), whole.clone()] {
            if run(line, part.clone()) == part {
                return Content::Body(part);
            }
        }
        if self.range.is_none() && (is_header(&line[known]) || is_header(&line[whole.clone()])) {
            return Content::Nothing;
        }
        // A prefix that changes its length: a counter, a time. The words
        // before the body keep their number.
        let text = &line[whole.clone()];
        let last = text
            .iter()
            .rposition(|byte| matches!(byte, b' ' | b'\t' | b'|' | b'"'));
        let start = whole.start + last.map_or(0, |at| at + 1);
        let part = trimmed(line, start..whole.end);
        let words = text.split(u8::is_ascii_whitespace).count();
        if run(line, part.clone()) != part || part.is_empty() {
            return Content::Other;
        }
        if part.len() >= LONG_LINE || self.words == Some(words) {
            self.words = Some(words);
            return Content::Body(part);
        }
        Content::Other
    }
}

enum Content {
    /// Blank, or a header.
    Nothing,
    Body(Range<usize>),
    Other,
}

fn find(what: &[u8], text: &[u8], from: usize) -> Option<usize> {
    memmem::find(text.get(from..)?, what).map(|at| from + at)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// `Proc-Type: 4,ENCRYPTED`, `Version: …`.
fn is_header(text: &[u8]) -> bool {
    let name = memmem::find(text, b": ").map_or(&b""[..], |at| &text[..at]);
    (1..=32).contains(&name.len())
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphabetic() || *byte == b'-')
}

/// The run of body at the start of `range`: base64, newlines written as
/// escapes, single spaces.
fn run(line: &[u8], range: Range<usize>) -> Range<usize> {
    let mut at = range.start;
    while at < range.end {
        let rest = &line[at..range.end];
        at += match rest[0] {
            byte if is_base64(byte) => 1,
            b'\\' => match escape(rest) {
                Some(length) => length,
                None => break,
            },
            b' ' if rest.get(1).is_some_and(|byte| is_base64(*byte)) && run_is_long(rest) => 1,
            _ => break,
        };
    }
    range.start..at
}

/// Whether what follows a space is a line of a key that was folded into one line.
fn run_is_long(rest: &[u8]) -> bool {
    let length = rest[1..]
        .iter()
        .take_while(|byte| is_base64(**byte))
        .count();
    let ends = rest
        .get(1 + length..)
        .is_none_or(|after| trimmed(after, 0..after.len()).is_empty());
    length >= LONG_LINE || ends
}

/// The length of `\n`, `\r`, `\\n` at the start.
fn escape(text: &[u8]) -> Option<usize> {
    let slashes = text.iter().take_while(|byte| **byte == b'\\').count();
    let newline = matches!(text.get(slashes), Some(b'n' | b'r'));
    (slashes > 0 && slashes <= 4 && newline).then_some(slashes + 1)
}

/// `range` without what surrounds a piece of body: blanks, quotes, commas,
/// escapes of newlines, quote marks, a plus that joins strings.
fn trimmed(line: &[u8], range: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    let is_edge = |byte: u8| byte.is_ascii_whitespace() || b"\"'`,;()>|#*".contains(&byte);
    while start < end {
        let rest = &line[start..end];
        start += match rest[0] {
            b'\\' => escape(rest).unwrap_or(1),
            b'+' if matches!(rest.get(1), None | Some(b' ' | b'"' | b'\'')) => 1,
            byte if is_edge(byte) => 1,
            _ => break,
        };
    }
    while start < end {
        let text = &line[start..end];
        let [before @ .., last] = text else { break };
        let joins = |byte: &u8| matches!(byte, b' ' | b'"' | b'\'' | b'`');
        end -= match last {
            b'n' | b'r' if before.ends_with(b"\\") => {
                1 + before
                    .iter()
                    .rev()
                    .take_while(|byte| **byte == b'\\')
                    .count()
            }
            b'+' if before.last().is_some_and(joins) => 1,
            b'\\' => 1,
            byte if is_edge(*byte) => 1,
            _ => break,
        };
    }
    start..end
}
