//! Base64 of packed data, in one line or wrapped, also as it stands in JSON and in addresses.

use zeroize::Zeroizing;

use super::layer::{Layer, Sink, Step};

/// What is handed on at once.
const PIECE: usize = 3 * 1024;

/// The text, up to the end of its alphabet or, where lines are wrapped, of what is packed.
#[derive(Default)]
pub(super) struct Base64 {
    bits: u32,
    /// Characters in `bits`.
    count: u8,
    piece: Zeroizing<Vec<u8>>,
    fed: u64,
    /// Where a gap between two lines begins.
    gap: Option<u64>,
    /// How many `=` came.
    padding: u8,
    /// What is inside may end here.
    may_end: bool,
    escape: Escape,
    /// Bytes of it so far.
    escaped: u64,
}

/// An escape that has begun: `\/` and line breaks of JSON, percent encoding of what base64 has beside
/// letters and digits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Backslash,
    Percent,
    High(u8),
}

impl Escape {
    /// What `byte` does: an escape goes on, it stands for a character, or it is none.
    fn step(self, byte: u8) -> Result<Escape, Option<u8>> {
        match (self, byte) {
            (Escape::None, b'\\') => Ok(Escape::Backslash),
            (Escape::None, b'%') => Ok(Escape::Percent),
            (Escape::None, byte) => Err(Some(byte)),
            (Escape::Backslash, b'/') => Err(Some(b'/')),
            (Escape::Backslash, b'n') => Err(Some(b'\n')),
            (Escape::Backslash, b'r') => Err(Some(b'\r')),
            (Escape::Percent, b'2' | b'3') => Ok(Escape::High(byte)),
            (Escape::High(b'2'), b'B' | b'b') => Err(Some(b'+')),
            (Escape::High(b'2'), b'F' | b'f') => Err(Some(b'/')),
            (Escape::High(b'3'), b'D' | b'd') => Err(Some(b'=')),
            _ => Err(None),
        }
    }
}

/// The six bits of a character in either alphabet.
pub(super) fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

impl Base64 {
    /// Hands on what was decoded.
    fn flush(&mut self, sink: &mut Sink<'_>) -> Option<Step> {
        if self.piece.is_empty() {
            return None;
        }
        let step = sink(&self.piece);
        self.piece.clear();
        match step {
            Step::Damaged | Step::Full => Some(step),
            step => {
                self.may_end = step != Step::More;
                None
            }
        }
    }

    /// The bytes of a group that the padding left short.
    fn rest_of_group(&mut self) {
        let bytes = match self.count {
            2 => &[(self.bits >> 4) as u8][..],
            3 => &[(self.bits >> 10) as u8, (self.bits >> 2) as u8],
            _ => &[],
        };
        self.piece.extend_from_slice(bytes);
        self.count = 0;
    }

    fn end(&mut self, len: u64, sink: &mut Sink<'_>) -> Step {
        self.rest_of_group();
        self.flush(sink).unwrap_or(Step::End(len))
    }
}

impl Layer for Base64 {
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        if self.piece.capacity() == 0 {
            self.piece.reserve_exact(PIECE + 3);
        }
        for &byte in input {
            let byte = match self.escape.step(byte) {
                Ok(escape) => {
                    self.escape = escape;
                    self.escaped += 1;
                    continue;
                }
                Err(Some(byte)) => byte,
                Err(None) => return self.end(self.gap.unwrap_or(self.fed), sink),
            };
            let length = 1 + std::mem::take(&mut self.escaped);
            self.escape = Escape::None;
            match (sextet(byte), byte) {
                (Some(_), _) if self.padding > 0 => return self.end(self.fed, sink),
                (Some(bits), _) => {
                    self.gap = None;
                    self.bits = self.bits << 6 | bits;
                    self.count += 1;
                    if self.count == 4 {
                        let [_, bytes @ ..] = self.bits.to_be_bytes();
                        self.piece.extend_from_slice(&bytes);
                        (self.bits, self.count) = (0, 0);
                    }
                    if self.piece.len() >= PIECE
                        && let Some(step) = self.flush(sink)
                    {
                        return step;
                    }
                }
                (None, b'=') if self.gap.is_none() && self.padding < 2 && self.count > 1 => {
                    self.padding += 1;
                }
                (None, b'\n' | b'\r') if self.gap.is_none() && self.padding == 0 => {
                    // Only a line that was read to its end tells whether another belongs to it.
                    if let Some(step) = self.flush(sink) {
                        return step;
                    }
                    if self.may_end {
                        return self.end(self.fed, sink);
                    }
                    self.gap = Some(self.fed);
                }
                (None, b'\n' | b'\r' | b' ' | b'\t') if self.gap.is_some() => {}
                _ => return self.end(self.gap.unwrap_or(self.fed), sink),
            }
            self.fed += length;
        }
        if let Some(step) = self.flush(sink) {
            return step;
        }
        match (self.gap, self.may_end) {
            (Some(gap), _) => Step::Rest(gap),
            (None, true) => Step::Rest(self.fed),
            (None, false) => Step::More,
        }
    }

    fn finish(&mut self, sink: &mut Sink<'_>) -> Step {
        self.end(self.gap.unwrap_or(self.fed), sink)
    }
}

/// How a text was written.
pub(super) struct Style {
    alphabet: [u8; 2],
    is_padded: bool,
    /// The characters of a line, and what stands between two.
    lines: Option<(usize, Vec<u8>)>,
}

impl Style {
    /// The style of `text`; `None` where it has escapes in it.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        if text.iter().any(|byte| matches!(byte, b'\\' | b'%')) {
            return None;
        }
        let is_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
        let width = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let lines = width.map(|width| {
            let gap = text[width..].iter();
            let gap = gap.take_while(|byte| byte.is_ascii_whitespace());
            (width.max(4), gap.copied().collect())
        });
        // Where there was nothing to pad, it may be asked for.
        let characters = text.iter().filter(|byte| sextet(**byte).is_some());
        Some(Style {
            alphabet: if is_safe { *b"-_" } else { *b"+/" },
            is_padded: text.ends_with(b"=") || characters.count().is_multiple_of(4),
            lines,
        })
    }

    /// `bytes` in this style.
    pub(super) fn encode(&self, bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() * 4 / 3 + 4);
        let digit = |bits: u32| match bits & 63 {
            bits @ 0..26 => b'A' + bits as u8,
            bits @ 26..52 => b'a' + bits as u8 - 26,
            bits @ 52..62 => b'0' + bits as u8 - 52,
            62 => self.alphabet[0],
            _ => self.alphabet[1],
        };
        for group in bytes.chunks(3) {
            let mut word = [0; 4];
            word[1..=group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes(word);
            let digits = [18, 12, 6, 0].map(|shift| digit(bits >> shift));
            text.extend_from_slice(&digits[..=group.len()]);
            if self.is_padded {
                text.extend_from_slice(&b"=="[..3 - group.len()]);
            }
        }
        let Some((width, gap)) = &self.lines else {
            return text;
        };
        text.chunks(*width).collect::<Vec<_>>().join(&gap[..])
    }
}
