//! The byte strings that give a value away.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::finding::Form;
use crate::limits;
use crate::truncate;

/// A byte string to search for.
pub(crate) struct Needle {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) form: Form,
    pub(crate) owner: u32,
    /// The neighbours that are masked too if they carry bits of the value.
    pub(crate) left: Edge,
    pub(crate) right: Edge,
    /// From which length on a prefix at the end of the stream is masked.
    pub(crate) truncated_from: Option<usize>,
}

/// A value as the needles are made of it.
pub(crate) struct Source<'a> {
    pub(crate) value: &'a [u8],
    /// Search the exact form only: the value is below the limits, and forced.
    pub(crate) exact_only: bool,
}

/// All needles of all values; the owner of a needle is the index of its value.
pub(crate) fn expand(sources: &[Source<'_>]) -> Vec<Needle> {
    let mut needles = Vec::new();
    for (owner, source) in sources.iter().enumerate() {
        let owner = owner as u32;
        if source.exact_only {
            needles.push(exact(source.value, owner, None));
        } else {
            searched(&mut needles, source.value, owner);
        }
    }
    needles
}

fn searched(needles: &mut Vec<Needle>, value: &[u8], owner: u32) {
    let core = limits::without_final_break(value);
    if core.len() < value.len() {
        all_forms(needles, value, owner, None);
    }
    // Programs that read a value often drop its final line break.
    if limits::why_not(core).is_none() {
        all_forms(needles, core, owner, truncate::truncated_from(core));
        // A terminal writes a line break as two characters, and editors change them.
        for breaks in [&b"\r\n"[..], b"\n"] {
            let other = with_breaks(core, breaks);
            if *other != core {
                needles.push(exact(&other, owner, None));
            }
        }
    }
    for line in limits::lines(value) {
        all_forms(needles, line, owner, None);
    }
}

/// The value with these line breaks in place of its own.
fn with_breaks(value: &[u8], breaks: &[u8]) -> Zeroizing<Vec<u8>> {
    // Room for all that may come, since what is moved on growing would not be wiped.
    let lines = value.iter().filter(|byte| **byte == b'\n').count();
    let mut other = Zeroizing::new(Vec::with_capacity(value.len() + lines));
    for (index, line) in value.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            if other.last() == Some(&b'\r') {
                other.pop();
            }
            other.extend_from_slice(breaks);
        }
        other.extend_from_slice(line);
    }
    other
}

/// Where `base64` and mail programs break lines.
const WIDTHS: [usize; 3] = [60, 64, 76];

/// The text in lines of `width` characters.
fn wrapped(text: &[u8], width: usize, breaks: &[u8]) -> Zeroizing<Vec<u8>> {
    let room = text.len() + text.len().div_ceil(width) * breaks.len();
    let mut lines = Zeroizing::new(Vec::with_capacity(room));
    for line in text.chunks(width) {
        if !lines.is_empty() {
            lines.extend_from_slice(breaks);
        }
        lines.extend_from_slice(line);
    }
    lines
}

fn exact(value: &[u8], owner: u32, truncated_from: Option<usize>) -> Needle {
    Needle {
        bytes: Zeroizing::new(value.to_vec()),
        form: Form::Exact,
        owner,
        left: Edge::NONE,
        right: Edge::NONE,
        truncated_from,
    }
}

fn all_forms(needles: &mut Vec<Needle>, value: &[u8], owner: u32, truncated_from: Option<usize>) {
    needles.push(exact(value, owner, truncated_from));
    base64(needles, value, owner);
}

const STANDARD: u8 = 1;
const URL_SAFE: u8 = 2;
const CHARACTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The base64 text of a value that begins at each of the three places in a
/// group of three bytes: only the characters that the value determines alone.
///
/// Source: RFC 4648 §4, §5.
fn base64(needles: &mut Vec<Needle>, value: &[u8], owner: u32) {
    for before in 0..3 {
        let bits = 8 * before..8 * (before + value.len());
        let whole = bits.start.div_ceil(6)..bits.end / 6;
        let sextets = |index: usize| sextet(value, before, index);
        let special = whole.clone().any(|index| sextets(index) >= 62);
        // Without a special character both alphabets give the same needle.
        let alphabets: &[u8] = match special {
            true => &[STANDARD, URL_SAFE],
            false => &[STANDARD | URL_SAFE],
        };
        for &alphabets in alphabets {
            let bytes: Vec<u8> = whole
                .clone()
                .map(|index| character(sextets(index), alphabets))
                .collect();
            let bytes = Zeroizing::new(bytes);
            if !limits::is_distinctive(&bytes) {
                continue;
            }
            // The partly determined characters: how many of their six bits
            // are bits of the value, at the low end or at the high end.
            let low = (whole.start * 6 - bits.start) as u32;
            let high = (bits.end - whole.end * 6) as u32;
            let left = match low {
                0 => Edge::NONE,
                _ => Edge::new(alphabets, sextets(whole.start - 1), (1 << low) - 1),
            };
            let right = match high {
                0 => Edge::NONE,
                _ => Edge::new(alphabets, sextets(whole.end), 63 & !((1 << (6 - high)) - 1)),
            };
            let needle = |bytes| Needle {
                bytes,
                form: Form::Base64,
                owner,
                left,
                right,
                truncated_from: None,
            };
            // Wrapped, where the value is what was encoded. Where it is a part of that, the
            // lines may break at any place in it.
            for width in WIDTHS
                .into_iter()
                .filter(|width| before == 0 && bytes.len() > *width)
            {
                for breaks in [&b"\n"[..], b"\r\n"] {
                    needles.push(needle(wrapped(&bytes, width, breaks)));
                }
            }
            needles.push(needle(bytes));
        }
    }
}

/// The six bits of the character at `index` when `before` bytes precede the
/// value; bits that are not the value's are zero.
fn sextet(value: &[u8], before: usize, index: usize) -> u8 {
    (index * 6..index * 6 + 6).fold(0, |bits, bit| {
        let byte = (bit / 8).checked_sub(before).and_then(|at| value.get(at));
        bits << 1 | byte.map_or(0, |byte| byte >> (7 - bit % 8) & 1)
    })
}

fn character(sextet: u8, alphabets: u8) -> u8 {
    match (sextet, alphabets & STANDARD != 0) {
        (62, true) => b'+',
        (63, true) => b'/',
        (62, false) => b'-',
        (63, false) => b'_',
        (index, _) => CHARACTERS[index as usize],
    }
}

/// The neighbours of a needle that are masked with it: characters of the
/// encoding's alphabet some of whose six bits are bits of the value.
///
/// A set of characters of both alphabets, one bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Edge(u128);

/// The bits belong to a value, so they are not shown.
impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Edge::NONE { "none" } else { "some" })
    }
}

impl Edge {
    pub(crate) const NONE: Edge = Edge(0);

    /// The characters whose bits under `mask` are those of `bits`.
    fn new(alphabets: u8, bits: u8, mask: u8) -> Self {
        let fitting = (0..64).filter(|sextet| sextet & mask == bits & mask);
        let characters = fitting.flat_map(|sextet| {
            [STANDARD, URL_SAFE]
                .into_iter()
                .filter(|alphabet| alphabets & alphabet != 0)
                .filter_map(move |alphabet| Edge::index(character(sextet, alphabet)))
        });
        Edge(characters.fold(0, |set, index| set | 1 << index))
    }

    /// Whether `byte` is such a neighbour.
    pub(crate) fn fits(self, byte: u8) -> bool {
        Edge::index(byte).is_some_and(|index| self.0 >> index & 1 == 1)
    }

    /// The neighbours of either.
    pub(crate) fn or(self, other: Edge) -> Edge {
        Edge(self.0 | other.0)
    }

    fn index(byte: u8) -> Option<u8> {
        match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            b'-' => Some(64),
            b'_' => Some(65),
            _ => None,
        }
    }
}

impl Zeroize for Edge {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
