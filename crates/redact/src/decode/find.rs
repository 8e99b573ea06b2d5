//! Where packed data may begin.

use memchr::memmem;

use super::inflate::is_zlib;
use super::kind::{Coding, Kind};
use crate::wide::Wide;

/// First bytes, and what they begin. The two of zlib are not enough to be searched for alone.
const MAGIC: [(&[u8], Kind); 4] = [
    (b"\x1f\x8b\x08", Kind::File(Coding::Gzip)),
    (b"\x28\xb5\x2f\xfd", Kind::File(Coding::Zstd)),
    // The same three bytes and the same four in base64.
    (b"H4sI", Kind::Text(Coding::Gzip)),
    (b"KLUv", Kind::Text(Coding::Zstd)),
];
/// What follows `x` in the headers of zlib at its usual levels, with the usual window.
const ZLIB: [u8; 4] = [0x01, 0x5e, 0x9c, 0xda];
/// The end of the names of the headers that are looked for, and how long it is.
pub(super) const HEADER: &[u8] = b"ncoding:";

/// How many bytes say whether something is text: among as many of
/// compressed data some are none.
const TEXT_READ: usize = 16;

/// Places that were found, so that none is looked for twice.
#[derive(Default)]
pub(super) struct Finder {
    next: [Next; MAGIC.len() + 1],
}

/// The next place of one kind.
#[derive(Clone, Copy, Default)]
struct Next {
    /// Looked through up to here.
    seen: u64,
    at: Option<u64>,
}

impl Finder {
    /// The first place from the offset `at` on. `text` begins at `at`, and has nothing before
    /// `quiet`, counted from its beginning.
    pub(super) fn first(&mut self, text: &[u8], at: u64, quiet: usize) -> Option<(u64, Kind)> {
        let mut first: Option<(u64, usize)> = None;
        for (index, next) in self.next.iter_mut().enumerate() {
            if next.at.is_none_or(|place| place < at) {
                let from = next.seen.saturating_sub(at) as usize;
                let from = from.max(quiet).min(text.len());
                let found = search(index, &text[from..]);
                next.at = found.map(|place| at + (from + place) as u64);
                // What begins at the end is seen when its rest is there.
                let end = at + text.len() as u64;
                next.seen = next.at.map_or(end.saturating_sub(3), |place| place + 1);
            }
            if let Some(place) = next.at
                && first.is_none_or(|(other, _)| place < other)
            {
                first = Some((place, index));
            }
        }
        first.map(|(place, index)| {
            let kind = MAGIC.get(index).map(|(_, kind)| kind.clone());
            (place, kind.unwrap_or(Kind::File(Coding::Deflate)))
        })
    }
}

fn search(index: usize, text: &[u8]) -> Option<usize> {
    match MAGIC.get(index) {
        Some((magic, _)) => memmem::find(text, magic),
        None => memchr::memchr_iter(b'x', text).find(|at| {
            let second = text.get(at + 1);
            second.is_some_and(|second| ZLIB.contains(second) && is_zlib(b'x', *second))
        }),
    }
}

/// Whether what follows two bytes of zlib reads on as text, as in `x^2`.
pub(super) fn is_text(text: &[u8]) -> bool {
    text.iter()
        .skip(2)
        .take(TEXT_READ)
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// How many bytes at the end of `text` may go on to be first bytes.
pub(super) fn open(text: &[u8]) -> usize {
    let all = MAGIC.iter().map(|(magic, _)| *magic).chain([&b"x\x9c"[..]]);
    let reach = |magic: &[u8]| {
        let most = text.len().min(magic.len() - 1);
        (1..=most)
            .rev()
            .find(|len| text.ends_with(&magic[..*len]))
            .unwrap_or(0)
    };
    all.map(reach).max().unwrap_or(0)
}

/// Pairs of bytes without which there is nothing: the second and third character of base64, the end
/// of a header's name, and zlib in ASCII.
const PAIRS: [(u8, u8); 5] = [
    (b'4', b's'),
    (b'L', b'U'),
    (b'g', b':'),
    (b'x', b'^'),
    (b'x', 1),
];

/// From where on there may be anything that begins packed data, or a header that tells of it: quick
/// to see, and true of few ordinary texts. The length of `text` where there is nothing.
pub(super) fn quiet(wide: Option<Wide>, text: &[u8]) -> usize {
    let at = wide.map_or(0, |wide| wide.without(text, &PAIRS));
    let mut rest = &text[at..];
    while let [a, after @ ..] = rest {
        let is_pair = |(one, other): &(u8, u8)| a == one && after.first() == Some(other);
        if !a.is_ascii() || PAIRS.iter().any(is_pair) {
            // What is seen is not the beginning of what it stands in.
            return (text.len() - rest.len()).saturating_sub(HEADER.len());
        }
        rest = after;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_packed_data_is_loud() {
        for (magic, _) in MAGIC {
            for before in [0, 1, 60, 61, 62, 63, 64, 65, 100, 127] {
                for after in [0, 1, 40, 64, 200] {
                    let text = [&vec![b'.'; before][..], magic, &vec![b'.'; after]].concat();
                    let at = quiet(Wide::detect(), &text);
                    assert_eq!(quiet(None, &text), at);
                    assert!(at <= before, "{before} {after}: {at}");
                    let found = Finder::default().first(&text, 5, at);
                    assert_eq!(found.map(|one| one.0), Some(5 + before as u64));
                }
            }
        }
        for second in ZLIB {
            assert!(is_zlib(b'x', second));
            assert_eq!(quiet(None, &[b'x', second]), 0);
        }
        let plain = "ordinary text, and lines of it; x = 4 Ls\n".repeat(20);
        assert_eq!(quiet(Wide::detect(), plain.as_bytes()), plain.len());
        assert!(quiet(None, b"content-encoding:") < "content-e".len());
    }

    #[test]
    fn the_end_of_a_text_may_go_on() {
        for (text, len) in [
            (&b"abc"[..], 0),
            (b"abcx", 1),
            (b"ab\x1f", 1),
            (b"ab\x1f\x8b", 2),
            (b"ab\x28\xb5\x2f", 3),
            (b"H4sH4", 2),
            (b"KLU", 3),
            (b"", 0),
        ] {
            assert_eq!(open(text), len, "{text:?}");
        }
    }

    #[test]
    fn each_place_is_found_once_and_in_order() {
        let text = b"x^ \x1f\x8b\x08 H4sI x\x9c \x28\xb5\x2f\xfd KLUv";
        let mut finder = Finder::default();
        let mut places = Vec::new();
        let mut at = 0;
        while let Some((place, _)) = finder.first(&text[at as usize..], at, 0) {
            places.push(place);
            at = place + 1;
        }
        assert_eq!(places, [0, 3, 7, 12, 15, 20]);
    }
}
