//! Literals of programming languages and shells, which differ in their short escapes.
//!
//! Sources: the references of C, Go, Python, Rust and Ruby, RFC 8259 §7, POSIX.1-2024 `$'…'`, and
//! PostgreSQL's escape format of `bytea`.

use super::escapes::{Bytes, replaced};

/// The short escapes that C and its heirs share.
pub(super) fn short(character: char) -> Option<&'static [u8]> {
    Some(match character {
        '\\' => b"\\\\",
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        '\u{8}' => b"\\b",
        '\u{c}' => b"\\f",
        _ => return None,
    })
}

/// Which characters have short escapes: languages differ.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shorts {
    /// JSON and JavaScript.
    Json,
    /// Python, Rust: line breaks and tabs.
    Breaks,
    /// C, Go, `sed`: all of C.
    C,
    /// Ruby, and shells, which differ in the letter.
    Escape(&'static [u8]),
    /// SQL: the backslash alone.
    None,
}

impl Shorts {
    fn of(self, character: char) -> Option<&'static [u8]> {
        match (self, character) {
            (Shorts::Json, _) | (_, '\\') => short(character),
            (Shorts::None, _) => None,
            (_, '\n' | '\r' | '\t') => short(character),
            (Shorts::Breaks, _) => None,
            (_, '\u{7}') => Some(b"\\a"),
            (_, '\u{b}') => Some(b"\\v"),
            (Shorts::Escape(escape), '\u{1b}') => Some(escape),
            _ => short(character),
        }
    }

    /// Those that write this value otherwise than JSON does.
    pub(super) fn others(value: &[u8]) -> impl Iterator<Item = Shorts> {
        let has = |some: &[u8]| value.iter().any(|byte| some.contains(byte));
        let (in_c, escape, breaks) = (has(b"\x07\x08\x0b\x0c"), has(b"\x1b"), has(b"\n\r\t"));
        [
            (Shorts::Breaks, in_c),
            (Shorts::C, in_c),
            (Shorts::Escape(b"\\e"), escape),
            (Shorts::Escape(b"\\E"), escape),
            (Shorts::None, in_c || breaks),
        ]
        .into_iter()
        .filter_map(|(shorts, is_other)| is_other.then_some(shorts))
    }
}

/// C, Go, Python, shell `$'…'`: short escapes, and `rest` for what cannot be printed.
pub(super) fn literal(
    value: &[u8],
    quotes: &[char],
    ascii: bool,
    shorts: Shorts,
    rest: impl Fn(&[u8], &mut Vec<u8>),
) -> Bytes {
    replaced(value, |character, bytes, text| {
        let is_letter = character.is_ascii_graphic() || character == ' ';
        if let Some(escape) = shorts.of(character) {
            text.extend_from_slice(escape);
        } else if quotes.contains(&character) {
            text.push(b'\\');
            text.extend_from_slice(bytes);
        } else if is_letter || !ascii && !character.is_control() && bytes.len() > 1 {
            return false;
        } else {
            rest(bytes, text);
        }
        true
    })
}
