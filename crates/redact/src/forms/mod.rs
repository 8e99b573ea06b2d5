//! The byte strings that give a value away: each form in which programs write it.

mod bases;
mod escapes;
mod hashes;
mod literals;
mod units;

use zeroize::Zeroizing;

use crate::finding::Form;
use crate::fold;
use crate::limits;
use crate::needle::{Cut, Edge, Needle};
use bases::Encoded;
use escapes::Bytes;
pub(crate) use units::Tells;
use units::Unit;

/// A larger value is searched for in fewer forms: their needles would take as much memory again for
/// each, and what encodes a document seldom does more than this to it.
const LARGE: usize = 16 * 1024;

/// A value as the needles are made of it.
pub(crate) struct Source<'a> {
    pub(crate) value: &'a [u8],
    /// Search the exact form only: the value is below the limits, and forced.
    pub(crate) exact_only: bool,
    /// Search for its digests as well.
    pub(crate) hashes: bool,
    /// Which parts of it are needles of their own.
    pub(crate) tells: Tells,
}

/// What is searched for: in the text as it is, and in what is left of it when it is folded.
#[derive(Default)]
pub(crate) struct Needles {
    pub(crate) raw: Vec<Needle>,
    pub(crate) folded: Vec<Needle>,
}

/// All needles of all values; the owner of a needle is the index of its value.
pub(crate) fn expand(sources: &[Source<'_>]) -> Needles {
    let mut needles = Needles::default();
    for (source, owner) in sources.iter().zip(0..) {
        let bytes = || Zeroizing::new(source.value.to_vec());
        if source.exact_only {
            let needle = Needle::plain(bytes(), Form::Exact, owner);
            needles.raw.push(needle);
            continue;
        }
        if source.hashes {
            let mut forms = Forms {
                needles: &mut needles,
                value: source.value,
                owner,
                tells: source.tells,
            };
            forms.add(Form::Hash, hashes::hashes(source.value));
        }
        for unit in units::of(source.value, source.tells) {
            let mut forms = Forms {
                needles: &mut needles,
                value: &unit.bytes,
                owner,
                tells: source.tells,
            };
            forms.all(&unit);
        }
    }
    needles
}

/// The forms of a value that other forms are made of.
struct Made {
    base64: Vec<Encoded>,
    base32: Vec<Encoded>,
    hex: [Bytes; 2],
    arrays: Vec<Bytes>,
    strings: Vec<Bytes>,
    percent: Vec<Bytes>,
    printable: Bytes,
}

struct Forms<'a> {
    needles: &'a mut Needles,
    value: &'a [u8],
    owner: u32,
    tells: Tells,
}

impl Forms<'_> {
    fn all(&mut self, unit: &Unit) {
        let value = self.value;
        let is_large = value.len() > LARGE;
        // What others are made of, too.
        let made = Made {
            base64: bases::base64(value),
            base32: if is_large {
                Vec::new()
            } else {
                bases::base32(value)
            },
            hex: bases::hex(value),
            arrays: if is_large {
                Vec::new()
            } else {
                bases::arrays(value)
            },
            strings: escapes::strings(value),
            percent: escapes::percent(value),
            printable: escapes::quoted_printable(value),
        };
        self.exact(unit.cut);
        self.line_breaks();
        self.base64(&made.base64, Form::Base64);
        self.fold(&made, is_large);
        if !is_large {
            self.base32(&made.base32);
            self.add(Form::Base85, bases::base85(value));
            self.letters();
            self.wide();
            self.layers(&made);
        }
        self.add(Form::Array, made.arrays);
        self.add(Form::Hex, made.hex);
        self.add(Form::Escaped, made.strings);
        self.add(Form::Percent, made.percent);
        self.add(Form::Quoted, escapes::quoting(value));
        self.add(Form::Entities, escapes::entities(value));
        self.add(Form::QuotedPrintable, [made.printable]);
    }

    fn exact(&mut self, cut: Option<Cut>) {
        let bytes = Zeroizing::new(self.value.to_vec());
        let mut needle = Needle::plain(bytes, Form::Exact, self.owner);
        needle.cut = cut;
        self.needles.raw.push(needle);
        // What stands behind the public beginning, and beginnings of that.
        if let Some(cut) = cut.filter(|cut| cut.public > 0) {
            let rest = Zeroizing::new(self.value[cut.public..].to_vec());
            let cut = Cut {
                prefix: cut.prefix - cut.public,
                suffix: rest.len(),
                public: 0,
            };
            self.needles.raw.push(Needle {
                cut: Some(cut),
                ..Needle::plain(rest, Form::Truncated, self.owner)
            });
        }
    }

    fn add(&mut self, form: Form, all: impl IntoIterator<Item = Bytes>) {
        for bytes in all {
            if *bytes != self.value && limits::is_distinctive(&bytes) {
                let needle = Needle::plain(bytes, form, self.owner);
                self.needles.raw.push(needle);
            }
        }
    }

    /// A terminal writes a line break as two characters, and editors change them.
    fn line_breaks(&mut self) {
        if self.value.contains(&b'\n') {
            for breaks in [&b"\r\n"[..], b"\n", b"\r", b"\\n", b"\\r\\n", b"\\\\n"] {
                let other = with_breaks(self.value, breaks);
                self.add(Form::Lines, [other]);
            }
        }
    }

    fn base64(&mut self, all: &[Encoded], form: Form) {
        for encoded in all {
            if !limits::is_distinctive(&encoded.bytes) {
                continue;
            }
            let needle = |bytes, right| Needle {
                left: encoded.left,
                right,
                ..Needle::plain(bytes, form, self.owner)
            };
            // Wrapped, where the value is what was encoded. Where it is a part of that, the lines
            // may break at any place in it.
            if encoded.is_first {
                for lines in bases::wrapped(&encoded.bytes) {
                    self.needles.raw.push(needle(lines, Edge::NONE));
                }
            }
            let needle = needle(encoded.bytes.clone(), encoded.right);
            self.needles.raw.push(needle);
        }
    }

    fn base32(&mut self, all: &[Encoded]) {
        for encoded in all {
            if limits::is_distinctive(&encoded.bytes) {
                self.needles.raw.push(Needle {
                    left: encoded.left,
                    right: encoded.right,
                    ..Needle::plain(encoded.bytes.clone(), Form::Base32, self.owner)
                });
            }
        }
    }

    fn letters(&mut self) {
        let map = |of: fn(&u8) -> u8| Zeroizing::new(self.value.iter().map(of).collect());
        let rot13 = map(|byte| match byte {
            b'a'..=b'z' => (byte - b'a' + 13) % 26 + b'a',
            b'A'..=b'Z' => (byte - b'A' + 13) % 26 + b'A',
            byte => *byte,
        });
        let (upper, lower) = (map(u8::to_ascii_uppercase), map(u8::to_ascii_lowercase));
        self.add(Form::Case, [upper, lower]);
        self.add(Form::Rot13, [rot13]);
        self.add(Form::Reversed, [reversed(self.value)]);
    }

    fn wide(&mut self) {
        let Ok(text) = std::str::from_utf8(self.value) else {
            return;
        };
        let units = || text.encode_utf16();
        let little: Bytes = Zeroizing::new(units().flat_map(u16::to_le_bytes).collect());
        let big: Bytes = Zeroizing::new(units().flat_map(u16::to_be_bytes).collect());
        // Where each second byte is zero, both orders are one needle.
        if units().all(|unit| unit < 0x100) {
            let bytes = Zeroizing::new(little[..little.len() - 1].to_vec());
            self.needles.raw.push(Needle {
                is_wide: true,
                ..Needle::plain(bytes, Form::Utf16, self.owner)
            });
        } else {
            self.add(Form::Utf16, [little.clone(), big.clone()]);
        }
        let points = || text.chars().map(u32::from);
        let four = [
            Zeroizing::new(points().flat_map(u32::to_le_bytes).collect::<Vec<u8>>()),
            Zeroizing::new(points().flat_map(u32::to_be_bytes).collect()),
        ];
        // Without the zeros at the ends: those beside them would be masked in the other order.
        let four = four.map(|bytes| Zeroizing::new(without_zeros(&bytes).to_vec()));
        self.add(Form::Utf32, four);
        for bytes in [little, big] {
            self.add(Form::Utf16, bases::hex(&bytes));
            self.base64(&bases::base64(&bytes), Form::Utf16);
        }
    }

    fn layers(&mut self, made: &Made) {
        for inner in &made.base64 {
            if !limits::is_distinctive(&inner.bytes) {
                continue;
            }
            self.add(Form::Layered, bases::hex(&inner.bytes));
            let written = escapes::percent(&inner.bytes);
            let changed = written
                .into_iter()
                .take(1)
                .filter(|text| *text != inner.bytes);
            self.add(Form::Layered, changed);
            self.base64(&bases::base64_again(inner), Form::Layered);
        }
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let marked = !self.value.iter().all(is_plain);
        let urls = made.percent.iter().take(if marked { 3 } else { 0 });
        let strings = made.strings.iter().take(if marked { 6 } else { 0 });
        let mut inner: Vec<&Bytes> = made.hex.iter().chain(urls).chain(strings).collect();
        inner.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
        inner.dedup();
        for text in inner {
            if **text != self.value {
                self.base64(&bases::base64(text), Form::Layered);
            }
        }
    }

    fn fold(&mut self, made: &Made, is_large: bool) {
        let value = self.value;
        let mut all = vec![
            fold::letters_and_digits(value),
            fold::letters_and_digits(&reversed(value)),
            // What looks like an escape in the value is one in the text, too.
            fold::folded(value),
            fold::letters_and_digits(&made.printable),
        ];
        if !is_large {
            let hex = made.hex.iter().take(1);
            all.extend(hex.map(|text| fold::letters_and_digits(text)));
            let base32 = made.base32.iter();
            all.extend(base32.map(|one| fold::letters_and_digits(&one.bytes)));
            let prefixed = made.arrays.iter().filter(|text| text.starts_with(b"0x"));
            all.extend(prefixed.map(|text| fold::letters_and_digits(text)));
        }
        let base64 = made.base64.iter();
        all.extend(base64.map(|one| fold::letters_and_digits(&one.bytes)));
        for bytes in all {
            // Without its other characters a value may be one that tells little.
            if limits::is_distinctive_folded(&bytes) && (self.tells)(&bytes) {
                let needle = Needle::plain(bytes, Form::Folded, self.owner);
                self.needles.folded.push(needle);
            }
        }
    }
}

fn reversed(value: &[u8]) -> Bytes {
    match std::str::from_utf8(value) {
        Ok(text) => {
            let mut reversed = Zeroizing::new(Vec::with_capacity(value.len()));
            for character in text.chars().rev() {
                reversed.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            reversed
        }
        Err(_) => Zeroizing::new(value.iter().rev().copied().collect()),
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(0);
    let end = bytes.iter().rposition(|byte| *byte != 0);
    &bytes[start..end.map_or(start, |end| end + 1)]
}

/// The value with these line breaks in place of its own.
fn with_breaks(value: &[u8], breaks: &[u8]) -> Bytes {
    // Room for all that may come, since what is moved on growing would not be wiped.
    let lines = value.iter().filter(|byte| **byte == b'\n').count();
    let mut other = Zeroizing::new(Vec::with_capacity(value.len() + lines * breaks.len()));
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
