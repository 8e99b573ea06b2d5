//! Values put back into a dotenv file, where they stood.

use std::ops::Range;

use subrosa_crypto::{MemoryError, SecretBuf};

use super::{Transform, sealed};

/// Which characters a value has escaped between double quotes: a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Escapes(u8);

/// What can be escaped: the character, and what stands for it behind a backslash.
const PAIRS: [(u8, u8); 7] = [
    (b'\n', b'n'),
    (b'\r', b'r'),
    (b'\t', b't'),
    (b'"', b'"'),
    (b'\\', b'\\'),
    (b'$', b'$'),
    (b'`', b'`'),
];
const BACKSLASH: u8 = 1 << 4;
const QUOTE: u8 = 1 << 3;

impl Escapes {
    /// Every character that can be.
    pub const ALL: Self = Self(0x7f);

    /// The number that stands for it; see [`Escapes::bits`].
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// As a number: 1 for `\n`, 2 `\r`, 4 `\t`, 8 `\"`, 16 `\\`, 32 `\$`, 64 `` \` ``.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// How `value` is written as `raw` between double quotes; `None` where it is escaped here and
    /// not there, so that it could not be written in the same way again.
    ///
    /// # Errors
    /// [`MemoryError`] when there is too little locked memory to try.
    pub fn of(raw: &[u8], value: &[u8]) -> Result<Option<Self>, MemoryError> {
        let mut bits = 0;
        let mut rest = raw;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            if *first == b'\\'
                && let Some((letter, behind)) = rest.split_first()
                && let Some(at) = PAIRS.iter().position(|(_, known)| known == letter)
            {
                bits |= 1 << at;
                rest = behind;
            }
        }
        let escapes = Self(bits);
        let mut again = SecretBuf::with_capacity(raw.len())?;
        escapes.write(value, &mut again)?;
        Ok((again.as_slice() == raw).then_some(escapes))
    }

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// What stands for a byte behind a backslash, if it is escaped.
    fn letter(self, byte: u8) -> Option<u8> {
        let at = PAIRS.iter().position(|(known, _)| *known == byte)?;
        self.has(1 << at).then(|| PAIRS[at].1)
    }

    fn write(self, value: &[u8], out: &mut SecretBuf) -> Result<(), MemoryError> {
        value.iter().try_for_each(|byte| match self.letter(*byte) {
            Some(letter) => out.extend(&[b'\\', letter]),
            None => out.extend(&[*byte]),
        })
    }

    /// Whether what is written is read as the same value again.
    fn keeps(self, value: &[u8]) -> bool {
        let quotes = self.has(QUOTE) || !value.contains(&b'"');
        let lone = |at: usize| {
            let next = value.get(at + 1).copied();
            let escaped = next.is_some_and(|next| self.letter(next).is_some());
            let letter = next.is_some_and(|next| PAIRS.iter().any(|(_, known)| *known == next));
            next.is_some() && !escaped && !letter
        };
        let mut backslashes = value.iter().enumerate().filter(|(_, byte)| **byte == b'\\');
        quotes && (self.has(BACKSLASH) || backslashes.all(|(at, _)| lone(at)))
    }
}

/// A place in a text that takes a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What the value takes the place of, with its quotes.
    pub place: Range<usize>,
    /// The quote that stands around it.
    pub quote: Option<u8>,
    /// How it is written between double quotes.
    pub escapes: Escapes,
}

/// Puts values into a dotenv file: what `export --undo` writes. A value that the quotes around it
/// cannot hold gets double quotes.
#[derive(Debug)]
pub struct Filling {
    text: SecretBuf,
    gaps: Vec<Gap>,
}

impl Filling {
    /// The text with its gaps, ascending; `None` when they overlap or are not in the text. The
    /// inputs are taken in the same order.
    #[must_use]
    pub fn new(text: SecretBuf, gaps: Vec<Gap>) -> Option<Self> {
        let mut end = 0;
        for Gap { place, .. } in &gaps {
            if place.start < end || place.end < place.start || place.end > text.len() {
                return None;
            }
            end = place.end;
        }
        Some(Self { text, gaps })
    }
}

impl sealed::Sealed for Filling {}

impl Transform for Filling {
    fn run(&self, inputs: &[&[u8]], out: &mut SecretBuf) -> Result<(), MemoryError> {
        let text = self.text.as_slice();
        let mut end = 0;
        for (gap, value) in self.gaps.iter().zip(inputs) {
            out.extend(&text[end..gap.place.start])?;
            fill(gap, value, out)?;
            end = gap.place.end;
        }
        out.extend(&text[end..])
    }
}

fn fill(gap: &Gap, value: &[u8], out: &mut SecretBuf) -> Result<(), MemoryError> {
    match gap.quote {
        None if stands_alone(value) => return out.extend(value),
        Some(b'\'') if !value.contains(&b'\'') => {
            out.extend(b"'")?;
            out.extend(value)?;
            return out.extend(b"'");
        }
        _ => {}
    }
    let escapes = match gap.quote {
        Some(b'"') if gap.escapes.keeps(value) => gap.escapes,
        _ => Escapes::ALL,
    };
    out.extend(b"\"")?;
    escapes.write(value, out)?;
    out.extend(b"\"")
}

/// Whether a value is read as itself without quotes.
fn stands_alone(value: &[u8]) -> bool {
    let begins_well = !matches!(value.first(), Some(b'\'' | b'"' | b'#'));
    let has_comment = value
        .windows(2)
        .any(|pair| matches!(pair, [b' ' | b'\t', b'#']));
    begins_well && !has_comment && !value.contains(&b'\n') && value.trim_ascii() == value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, gap: Gap, value: &[u8]) -> String {
        let text = SecretBuf::copy_from(text.as_bytes()).unwrap();
        let mut out = SecretBuf::new();
        let filling = Filling::new(text, vec![gap]).unwrap();
        filling.run(&[value], &mut out).unwrap();
        String::from_utf8(out.as_slice().to_vec()).unwrap()
    }

    fn gap(place: Range<usize>, quote: Option<u8>, bits: u8) -> Gap {
        let escapes = Escapes::from_bits(bits);
        Gap {
            place,
            quote,
            escapes,
        }
    }

    #[test]
    fn a_value_stands_as_it_stood() {
        assert_eq!(
            filled("A=x # n\n", gap(2..3, None, 0), b"b c"),
            "A=b c # n\n"
        );
        assert_eq!(
            filled("A='x'\n", gap(2..5, Some(b'\''), 0), b"$b"),
            "A='$b'\n"
        );
        assert_eq!(
            filled("A=\"x\"", gap(2..5, Some(b'"'), 1), b"a\nb\tc"),
            "A=\"a\\nb\tc\""
        );
    }

    #[test]
    fn what_its_quotes_cannot_hold_gets_others() {
        for (quote, bits, value) in [
            (None, 0, &b"a # b"[..]),
            (None, 0, b"a\nb"),
            (None, 0, b" a"),
            (None, 0, b"'a"),
            (Some(b'\''), 0, b"it's"),
            (Some(b'"'), 0, b"a\"b"),
            (Some(b'"'), 0, b"a\\"),
            (Some(b'"'), 0, b"a\\nb"),
            (Some(b'"'), 8, b"a\\\"b"),
        ] {
            let mut expected = SecretBuf::new();
            Escapes::ALL.write(value, &mut expected).unwrap();
            let expected = String::from_utf8(expected.as_slice().to_vec()).unwrap();
            let place = if quote.is_some() { 2..5 } else { 2..3 };
            let text = if quote.is_some() { "A=?x?" } else { "A=x" };
            assert_eq!(
                filled(text, gap(place, quote, bits), value),
                format!("A=\"{expected}\""),
                "{value:?}"
            );
        }
    }

    #[test]
    fn mixed_escapes_are_known_as_such() {
        let of = |raw: &[u8], value: &[u8]| Escapes::of(raw, value).unwrap().map(Escapes::bits);
        assert_eq!(of(b"a\\nb\\\"", b"a\nb\""), Some(1 | 8));
        assert_eq!(of(b"a\nb\\q", b"a\nb\\q"), Some(0));
        assert_eq!(of(b"a\\nb\nc", b"a\nb\nc"), None);
        assert_eq!(of(b"\\\\ \\q", b"\\ \\q"), None);
    }

    #[test]
    fn gaps_are_in_the_text_and_apart() {
        let new = |gaps| Filling::new(SecretBuf::copy_from(b"A=xyz").unwrap(), gaps);
        assert!(new(vec![gap(2..3, None, 0), gap(3..5, None, 0)]).is_some());
        assert!(new(vec![gap(2..6, None, 0)]).is_none());
        assert!(new(vec![gap(2..4, None, 0), gap(3..5, None, 0)]).is_none());
    }
}
