//! Where the characters of the folded view stand.

use std::collections::VecDeque;

use crate::wide::BLOCK;

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

    /// The characters from this one on are bytes of the blocks from this offset on: which of each,
    /// and how many there are before it. Returns where the last one ends; `None` if there is none.
    pub(super) fn blocks(&mut self, first: u64, start: u64, kept: &[(u64, u16)]) -> Option<u64> {
        let blocks = kept.iter().zip((start..).step_by(BLOCK));
        let stretches = blocks.map(|((bits, before), at)| Stretch {
            number: first + u64::from(*before),
            at,
            kept: Kept::Bytes(*bits),
        });
        // A block without any is the last one, before an escape.
        let count = kept.len() - usize::from(kept.last().is_some_and(|last| last.0 == 0));
        self.stretches.extend(stretches.take(count));
        let (bits, at) = (kept.get(count.checked_sub(1)?)?.0, BLOCK * (count - 1));
        Some(start + at as u64 + u64::from(u64::BITS - bits.leading_zeros()))
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
