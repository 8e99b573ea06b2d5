//! gzip, and deflate with a zlib header or without. Sources: RFC 1950, 1951, 1952.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use zeroize::Zeroizing;

use super::layer::{Layer, Sink, Step};

/// How far back a match may reach.
const REACH: usize = 32 * 1024;

/// Compressed data without a header.
#[derive(Default)]
struct Inflate {
    state: Box<DecompressorOxide>,
    /// What was said last, up to `at`.
    window: Zeroizing<Vec<u8>>,
    at: usize,
    has_begun: bool,
}

enum Inflated {
    More,
    Done,
    Failed(Step),
}

impl Inflate {
    /// Takes in `input`; returns how much of it, all unless it is done or has failed.
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> (usize, Inflated) {
        if !self.has_begun {
            let Some(first) = input.first() else {
                return (0, Inflated::More);
            };
            // There are three kinds of blocks: most of what is none is told here.
            if first >> 1 & 3 == 3 {
                return (0, Inflated::Failed(Step::Damaged));
            }
            self.has_begun = true;
            self.window.resize(2 * REACH, 0);
        }
        let mut taken = 0;
        loop {
            if self.at == self.window.len() {
                self.window.copy_within(REACH.., 0);
                self.at = REACH;
            }
            // Not as a ring: a match must not reach behind the beginning.
            let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let rest = &input[taken..];
            let (status, used, made) =
                decompress(&mut self.state, rest, &mut self.window, self.at, flags);
            taken += used;
            if made > 0 {
                let step = sink(&self.window[self.at..self.at + made]);
                self.at += made;
                if let Step::Damaged | Step::Full = step {
                    return (taken, Inflated::Failed(step));
                }
            }
            match status {
                TINFLStatus::Done => return (taken, Inflated::Done),
                TINFLStatus::NeedsMoreInput => return (taken, Inflated::More),
                TINFLStatus::HasMoreOutput => {}
                _ => return (taken, Inflated::Failed(Step::Damaged)),
            }
        }
    }
}

/// gzip: members, one after the other.
#[derive(Default)]
pub(super) struct Gzip {
    part: Part,
    inflate: Inflate,
    /// Bytes so far, and up to the end of the last whole member.
    fed: u64,
    whole: u64,
    /// The flags of the member's header.
    flags: u8,
    /// How much of its name or comment was seen.
    named: u16,
}

/// A longer name or comment is none: what follows would not be looked into.
const NAME_MAX: u16 = 1024;

#[derive(Clone, Copy, Default)]
enum Part {
    /// So many bytes of the fixed header were seen.
    #[default]
    Begin,
    Fixed(u8),
    /// The length of the extra field: its low byte.
    ExtraLow,
    ExtraHigh(u8),
    Extra(u16),
    Name,
    Comment,
    Check(u8),
    Data,
    /// So many bytes of the sum and the length are left.
    Tail(u8),
}

const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const CHECK: u8 = 2;

impl Gzip {
    /// What follows a part of the header that is there.
    fn after(&self, part: Part) -> Part {
        let has = |flag: u8| self.flags & flag != 0;
        match part {
            Part::Begin | Part::Fixed(_) if has(EXTRA) => Part::ExtraLow,
            Part::Begin | Part::Fixed(_) | Part::Extra(_) | Part::ExtraHigh(_) if has(NAME) => {
                Part::Name
            }
            Part::Check(_) | Part::Data | Part::Tail(_) => Part::Data,
            Part::Comment => self.check(),
            _ if has(COMMENT) => Part::Comment,
            _ => self.check(),
        }
    }

    fn check(&self) -> Part {
        match self.flags & CHECK {
            0 => Part::Data,
            _ => Part::Check(2),
        }
    }

    /// One byte outside of the data; `None` where it cannot stand there.
    fn step(&mut self, byte: u8) -> Option<Part> {
        Some(match self.part {
            Part::Begin if byte == 0x1f => Part::Fixed(1),
            Part::Fixed(1) if byte == 0x8b => Part::Fixed(2),
            Part::Fixed(2) if byte == 8 => Part::Fixed(3),
            Part::Fixed(3) if byte & 0xe0 == 0 => {
                self.flags = byte;
                Part::Fixed(4)
            }
            Part::Fixed(9) => self.after(self.part),
            Part::Fixed(seen @ 4..9) => Part::Fixed(seen + 1),
            Part::Begin | Part::Fixed(_) => return None,
            Part::ExtraLow => Part::ExtraHigh(byte),
            Part::ExtraHigh(low) => match u16::from_le_bytes([low, byte]) {
                0 => self.after(self.part),
                len => Part::Extra(len),
            },
            Part::Extra(1) => self.after(self.part),
            Part::Extra(left) => Part::Extra(left - 1),
            Part::Name | Part::Comment if byte == 0 => {
                self.named = 0;
                self.after(self.part)
            }
            Part::Name | Part::Comment if self.named == NAME_MAX => return None,
            Part::Check(1) => Part::Data,
            Part::Check(left) => Part::Check(left - 1),
            Part::Tail(1) => {
                self.whole = self.fed + 1;
                Part::Begin
            }
            Part::Tail(left) => Part::Tail(left - 1),
            Part::Name | Part::Comment => {
                self.named += 1;
                self.part
            }
            Part::Data => self.part,
        })
    }

    /// Whether a whole member was seen, and of the next no more than its magic bytes.
    fn is_between(&self) -> bool {
        self.whole > 0 && matches!(self.part, Part::Begin | Part::Fixed(1..=3))
    }
}

impl Layer for Gzip {
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        let mut at = 0;
        while at < input.len() {
            if let Part::Data = self.part {
                let (used, inflated) = self.inflate.feed(&input[at..], sink);
                at += used;
                self.fed += used as u64;
                match inflated {
                    Inflated::More => break,
                    Inflated::Failed(step) => return step,
                    Inflated::Done => {
                        self.part = Part::Tail(8);
                        self.inflate.state.init();
                        self.inflate.at = 0;
                    }
                }
                continue;
            }
            match self.step(input[at]) {
                Some(part) => self.part = part,
                None if self.is_between() => return Step::End(self.whole),
                None => return Step::Damaged,
            }
            self.fed += 1;
            at += 1;
        }
        match self.is_between() {
            true => Step::Rest(self.whole),
            false => Step::More,
        }
    }

    fn finish(&mut self, _: &mut Sink<'_>) -> Step {
        match self.is_between() {
            true => Step::End(self.whole),
            false => Step::Damaged,
        }
    }
}

/// Whether these two bytes begin data with a zlib header and no dictionary.
pub(super) fn is_zlib(first: u8, second: u8) -> bool {
    let sum = u16::from_be_bytes([first, second]);
    first & 15 == 8 && first >> 4 <= 7 && sum.is_multiple_of(31) && second & 32 == 0
}

/// Deflate with a zlib header, or without one: servers send either.
#[derive(Default)]
pub(super) struct Deflate {
    head: Vec<u8>,
    inflate: Inflate,
    /// Bytes that are to come behind the data; `None` within it.
    tail: Option<u64>,
    has_header: bool,
    fed: u64,
}

impl Layer for Deflate {
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        let mut rest = input;
        while self.head.len() < 2 {
            let Some((byte, others)) = rest.split_first() else {
                return Step::More;
            };
            self.head.push(*byte);
            rest = others;
            if let [first, second] = self.head[..] {
                self.has_header = is_zlib(first, second);
                if self.has_header {
                    self.fed = 2;
                } else if let Some(step) = self.data(&[first, second], sink).1 {
                    return step;
                }
            }
        }
        if self.tail.is_none() {
            let (used, step) = self.data(rest, sink);
            if let Some(step) = step {
                return step;
            }
            rest = &rest[used..];
        }
        let Some(tail) = self.tail else {
            return Step::More;
        };
        let taken = tail.min(rest.len() as u64);
        self.fed += taken;
        self.tail = Some(tail - taken);
        match tail - taken {
            0 => Step::End(self.fed),
            _ => Step::More,
        }
    }

    fn finish(&mut self, _: &mut Sink<'_>) -> Step {
        match self.tail {
            Some(0) => Step::End(self.fed),
            _ => Step::Damaged,
        }
    }
}

impl Deflate {
    fn data(&mut self, input: &[u8], sink: &mut Sink<'_>) -> (usize, Option<Step>) {
        let (used, inflated) = self.inflate.feed(input, sink);
        self.fed += used as u64;
        match inflated {
            Inflated::More => (used, None),
            Inflated::Failed(step) => (used, Some(step)),
            Inflated::Done if self.has_header => {
                self.tail = Some(4);
                (used, None)
            }
            Inflated::Done => {
                self.tail = Some(0);
                (used, Some(Step::End(self.fed)))
            }
        }
    }
}
