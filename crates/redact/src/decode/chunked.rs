//! The framing of HTTP bodies in chunks. Source: RFC 9112 §7.1.

use std::ops::Range;

use super::layer::{Layer, Sink, Step};

/// A longer line of a size, with what is said beside it, is none; so is a longer trailer.
const LINE_MAX: usize = 1024;
const TRAILER_MAX: usize = 16 * 1024;
/// What is said beside sizes may be so much more than the data: what is held back of the stream must
/// not be much more than what is held back of the body.
const BESIDE_MAX: u64 = 16 * 1024;

/// A body in chunks.
pub(super) struct Chunked {
    part: Part,
    fed: u64,
    /// How much data came, and how much was said beside sizes.
    data: u64,
    beside: u64,
}

enum Part {
    /// A line with a size: its digits, their value, and how long it is so far.
    Size {
        digits: u8,
        value: u64,
        len: usize,
    },
    /// The same behind the digits.
    Beside {
        value: u64,
        len: usize,
    },
    Data(u64),
    /// The line break behind the data.
    Break,
    /// Lines behind the last chunk: bytes of this one, and of all.
    Trailer {
        line: usize,
        len: usize,
    },
    Over,
}

/// What stands in a piece of the framing.
pub(super) enum Read {
    /// Nothing for the body.
    More,
    /// These bytes of the input.
    Data(Range<usize>),
    Over,
    Damaged,
}

const SIZE: Part = Part::Size {
    digits: 0,
    value: 0,
    len: 0,
};

impl Default for Chunked {
    fn default() -> Self {
        Chunked {
            part: SIZE,
            fed: 0,
            data: 0,
            beside: 0,
        }
    }
}

impl Chunked {
    /// Bytes that were read.
    pub(super) fn fed(&self) -> u64 {
        self.fed
    }

    /// Reads `input` from `at` on, up to the end of a piece of data.
    pub(super) fn read(&mut self, input: &[u8], at: &mut usize) -> Read {
        let from = *at;
        let read = self.next(input, at);
        self.fed += (*at - from) as u64;
        read
    }

    fn next(&mut self, input: &[u8], at: &mut usize) -> Read {
        while let Some(&byte) = input.get(*at) {
            if let Part::Data(left) = self.part {
                let rest = (input.len() - *at) as u64;
                let count = left.min(rest);
                let from = *at;
                *at += count as usize;
                self.data += count;
                self.part = match left - count {
                    0 => Part::Break,
                    left => Part::Data(left),
                };
                return Read::Data(from..*at);
            }
            let Some(next) = self.step(byte) else {
                return Read::Damaged;
            };
            self.part = next;
            *at += 1;
            if let Part::Beside { .. } = self.part {
                self.beside += 1;
                if self.beside > self.data + BESIDE_MAX {
                    return Read::Damaged;
                }
            }
            if let Part::Over = self.part {
                return Read::Over;
            }
        }
        Read::More
    }

    fn step(&self, byte: u8) -> Option<Part> {
        let begin = |value: u64| match value {
            0 => Part::Trailer { line: 0, len: 0 },
            value => Part::Data(value),
        };
        Some(match self.part {
            Part::Size { digits, value, len } => match char::from(byte).to_digit(16) {
                Some(digit) if digits < 8 => Part::Size {
                    digits: digits + 1,
                    value: value << 4 | u64::from(digit),
                    len: len + 1,
                },
                Some(_) => return None,
                None if digits == 0 => return None,
                None if byte == b'\n' => begin(value),
                None if matches!(byte, b'\r' | b';' | b' ' | b'\t') => Part::Beside { value, len },
                None => return None,
            },
            Part::Beside { value, .. } if byte == b'\n' => begin(value),
            Part::Beside { value, len } if len < LINE_MAX => Part::Beside {
                value,
                len: len + 1,
            },
            Part::Break if byte == b'\r' => Part::Break,
            Part::Break if byte == b'\n' => SIZE,
            Part::Trailer { line: 0, .. } if byte == b'\n' => Part::Over,
            Part::Trailer { len, .. } if len >= TRAILER_MAX => return None,
            Part::Trailer { len, .. } if byte == b'\n' => Part::Trailer {
                line: 0,
                len: len + 1,
            },
            Part::Trailer { line, len } => Part::Trailer {
                line: line + usize::from(byte != b'\r'),
                len: len + 1,
            },
            _ => return None,
        })
    }

    /// Whether all chunks were seen, if not the end of what stands behind them.
    fn is_whole(&self) -> bool {
        matches!(self.part, Part::Trailer { .. } | Part::Over)
    }
}

impl Layer for Chunked {
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        let mut at = 0;
        while at < input.len() {
            match self.read(input, &mut at) {
                Read::More => {}
                Read::Data(range) => {
                    if let step @ (Step::Damaged | Step::Full) = sink(&input[range]) {
                        return step;
                    }
                }
                Read::Over => return Step::End(self.fed),
                Read::Damaged => return Step::Damaged,
            }
        }
        Step::More
    }

    fn finish(&mut self, _: &mut Sink<'_>) -> Step {
        match self.is_whole() {
            true => Step::End(self.fed),
            false => Step::Damaged,
        }
    }
}

/// `body` as one chunk.
pub(super) fn encode(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(body.len() + 32);
    if !body.is_empty() {
        framed.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
        framed.extend_from_slice(body);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}
