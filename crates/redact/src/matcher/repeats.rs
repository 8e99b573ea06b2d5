//! Needles that repeat themselves.
//!
//! In text that goes round in the same circle such a needle begins again and again before it ends,
//! and each of these beginnings would be compared with all that follows. What one of them agrees
//! with tells what the later ones do: no byte of the text is compared twice.
//!
//! Source: the Z-algorithm (Gusfield, Algorithms on Strings, Trees and Sequences, §1.4).

use std::collections::VecDeque;

use super::{Matcher, common_prefix, offset};

/// A needle that agrees with itself further on in so many bytes repeats itself.
const MIN_OVERLAP: u32 = 32;

/// How far a needle agrees with itself from each of its places on; `None` where that is nowhere
/// far.
pub(super) fn overlaps(bytes: &[u8]) -> Option<Box<[u32]>> {
    let first = bytes.get(..MIN_OVERLAP as usize)?;
    memchr::memmem::find(&bytes[1..], first)?;
    let mut overlaps = vec![0u32; bytes.len()];
    let (mut from, mut to) = (0, 0);
    for at in 1..bytes.len() {
        let known = match at < to {
            true => (overlaps[at - from] as usize).min(to - at),
            false => 0,
        };
        let length = known + common_prefix(&bytes[known..], &bytes[at + known..]);
        overlaps[at] = offset(length);
        if at + length > to {
            (from, to) = (at, at + length);
        }
    }
    Some(overlaps.into_boxed_slice())
}

/// Where such a needle begins in the text of one stream.
pub(super) struct Queue {
    pub(super) entry: u32,
    /// The last beginning that was compared, and up to where the text agrees with it.
    front: u64,
    agreed_to: u64,
    /// Whether it may go on.
    is_live: bool,
    /// Later beginnings, which agree with the text as far as the first does.
    later: VecDeque<u64>,
}

/// A beginning, and how many bytes agree.
pub(super) type Settled = (u64, u32);

impl Queue {
    pub(super) fn new(entry: u32) -> Self {
        Queue {
            entry,
            front: 0,
            agreed_to: 0,
            is_live: false,
            later: VecDeque::new(),
        }
    }

    /// The earliest beginning that may go on.
    pub(super) fn live(&self) -> Option<u64> {
        self.is_live.then_some(self.front)
    }

    /// The text goes on.
    pub(super) fn go_on(
        &mut self,
        matcher: &Matcher,
        (text, base): (&[u8], u64),
        settled: &mut Vec<Settled>,
    ) {
        if !self.is_live {
            return;
        }
        self.compare(matcher, (text, base), self.front, self.agreed_to, settled);
        while !self.is_live
            && let Some(start) = self.later.pop_front()
        {
            self.begin(matcher, (text, base), start, settled);
        }
    }

    /// The needle may begin here. Beginnings come nearly in order: the pieces by which the filter
    /// knows a needle may be the same at several of its places.
    pub(super) fn begin(
        &mut self,
        matcher: &Matcher,
        (text, base): (&[u8], u64),
        start: u64,
        settled: &mut Vec<Settled>,
    ) {
        let Some(overlaps) = matcher.overlaps(self.entry) else {
            return;
        };
        if start < self.front && self.is_live {
            let (front, agreed_to) = (self.front, self.agreed_to);
            self.compare(matcher, (text, base), start, start, settled);
            match self.is_live {
                true => self.later.push_front(front),
                false => (self.front, self.agreed_to, self.is_live) = (front, agreed_to, true),
            }
            return;
        }
        let mut known = start;
        if (self.front..self.agreed_to).contains(&start) {
            let at = usize::try_from(start - self.front).unwrap_or(usize::MAX);
            let agreed = overlaps.get(at).copied().unwrap_or(0);
            if at > 0 && start + u64::from(agreed) < self.agreed_to {
                settled.push((start, agreed));
                return;
            }
            if at > 0 && self.is_live {
                let after = self.later.iter().rev().take_while(|other| **other > start);
                let place = self.later.len() - after.count();
                self.later.insert(place, start);
                return;
            }
            known = self.agreed_to;
        }
        self.compare(matcher, (text, base), start, known, settled);
    }

    /// Compares from an offset on up to which the text is known to agree.
    fn compare(
        &mut self,
        matcher: &Matcher,
        (text, base): (&[u8], u64),
        start: u64,
        known: u64,
        settled: &mut Vec<Settled>,
    ) {
        let index = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = matcher.bytes(&matcher.entries[self.entry as usize]);
        let from = index(known - start).min(bytes.len());
        let rest = text.get(index(known - base)..).unwrap_or_default();
        let same = common_prefix(&bytes[from..], rest);
        self.front = start;
        self.agreed_to = start + (from + same) as u64;
        self.is_live = same == rest.len() && from + same < bytes.len();
        if !self.is_live {
            settled.push((start, offset(from + same)));
        }
    }

    /// The text ends at this offset.
    pub(super) fn finish(&mut self, end: u64, settled: &mut Vec<Settled>) {
        let front = self.live();
        let later = std::mem::take(&mut self.later);
        for start in front.into_iter().chain(later) {
            settled.push((start, u32::try_from(end - start).unwrap_or(u32::MAX)));
        }
        self.is_live = false;
        self.agreed_to = self.front;
    }
}
