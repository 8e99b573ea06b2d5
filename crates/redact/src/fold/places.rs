//! Where the characters of the folded view stand.

use std::collections::VecDeque;

use super::blocks::BLOCK;

/// Some characters in a row.
#[derive(Clone, Copy)]
struct Stretch {
    /// The number of the first.
    number: u64,
    /// Where it is looked for, in the stream.
    at: u64,
    kept: Kept,
}

#[derive(Clone, Copy)]
enum Kept {
    /// Of the bytes of a block: those whose bits are set.
    Bytes(u64),
    /// One character, which an escape up to this offset stands for.
    Escape(u64),
}

/// The places of the characters that are kept, a stretch for each block of the stream and for each
/// escape.
#[derive(Default)]
pub(super) struct Places {
    stretches: VecDeque<Stretch>,
}

impl Places {
    /// The character with this number is the byte at this offset.
    pub(super) fn byte(&mut self, number: u64, at: u64) {
        if let Some(Stretch {
            at: start,
            kept: Kept::Bytes(bits),
            ..
        }) = self.stretches.back_mut()
            && at - *start < BLOCK as u64
        {
            *bits |= 1 << (at - *start);
            return;
        }
        let kept = Kept::Bytes(1);
        self.stretches.push_back(Stretch { number, at, kept });
    }

    /// It is what these bytes stand for.
    pub(super) fn escape(&mut self, number: u64, at: u64, end: u64) {
        let kept = Kept::Escape(end);
        self.stretches.push_back(Stretch { number, at, kept });
    }

    /// The characters from this one on are bytes of the blocks from this offset on. Returns where
    /// the last one ends; `None` if there is none.
    pub(super) fn blocks(&mut self, mut number: u64, mut at: u64, kept: &[u64]) -> Option<u64> {
        let mut last = None;
        for bits in kept {
            if *bits != 0 {
                last = Some(at + u64::from(u64::BITS - bits.leading_zeros()));
                let kept = Kept::Bytes(*bits);
                self.stretches.push_back(Stretch { number, at, kept });
                number += u64::from(bits.count_ones());
            }
            at += BLOCK as u64;
        }
        last
    }

    /// Where a character begins and ends; `None` if it is not kept.
    pub(super) fn of(&self, number: u64) -> Option<(u64, u64)> {
        let after = self.stretches.partition_point(|one| one.number <= number);
        let stretch = self.stretches.get(after.checked_sub(1)?)?;
        match stretch.kept {
            Kept::Escape(end) => Some((stretch.at, end)),
            Kept::Bytes(mut bits) => {
                for _ in stretch.number..number {
                    bits &= bits.checked_sub(1)?;
                }
                let at = stretch.at + u64::from(bits.trailing_zeros());
                (bits != 0).then_some((at, at + 1))
            }
        }
    }

    /// Has no use for the characters before this one.
    pub(super) fn forget(&mut self, before: u64) {
        let after = self.stretches.partition_point(|one| one.number <= before);
        self.stretches.drain(..after.saturating_sub(1));
    }
}
