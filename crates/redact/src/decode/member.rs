//! One piece of packed data, while it passes.

use std::sync::Arc;

use super::kind::Kind;
use super::layer::{Chain, Step};
use super::{BLOCK, HELD, Inside, RECODED_MAX};
use crate::known::Compiled;

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// More of it has to come.
    More,
    /// It ends at this offset; whether what is inside is whole.
    Closed { end: u64, is_whole: bool },
    /// It is none, or not readable to its end.
    Damaged,
    /// There is more in it than may be looked at.
    Full,
}

/// What may still be looked at: packed data must not make the work grow without bound.
pub(super) struct Credit {
    left: u64,
    rate: u64,
    most: u64,
    counted: u64,
}

impl Credit {
    /// `rate` bytes for each byte of the stream, of which so many may be saved.
    pub(super) fn new(rate: u64, first: u64, most: u64) -> Self {
        Credit {
            left: first,
            rate,
            most,
            counted: 0,
        }
    }

    /// The stream has come to this offset.
    pub(super) fn reach(&mut self, offset: u64) {
        let gain = offset.saturating_sub(self.counted);
        self.counted = self.counted.max(offset);
        let gain = gain.saturating_mul(self.rate);
        self.left = self.left.saturating_add(gain).min(self.most);
    }

    /// Whether there is so much, which is then spent.
    pub(super) fn spend(&mut self, cost: u64) -> bool {
        let is_there = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        is_there
    }
}

/// Packed data that has begun.
pub(super) struct Member {
    pub(super) kind: Kind,
    chain: Chain,
    /// What searches what is inside, once there is something.
    inside: Option<Inside>,
    pub(super) start: u64,
    /// What lies before has left.
    pub(super) from: u64,
    /// Up to where it was fed.
    pub(super) fed: u64,
    /// Up to where it goes in any case.
    pub(super) sure: u64,
    /// Where its next block begins. What is decided is decided there, so that it does not depend on
    /// how the stream is cut.
    pub(super) block: u64,
    /// What its present block may still say.
    room: u64,
    /// Since a value was found in it and it is too long to be held: the name of its mask.
    pub(super) masked: Option<Option<u32>>,
}

impl Member {
    pub(super) fn new(kind: Kind, start: u64, credit: &Credit, inside: Option<Inside>) -> Self {
        Member {
            chain: Chain::new(&kind),
            kind,
            inside,
            start,
            from: start,
            fed: start,
            sure: start,
            block: start + BLOCK,
            room: credit.left,
            masked: None,
        }
    }

    /// Whether all of it is still there.
    pub(super) fn is_held(&self) -> bool {
        self.from == self.start && self.masked.is_none()
    }

    /// What was found in it first, so far.
    pub(super) fn found(&self) -> Option<Option<u32>> {
        self.masked
            .or_else(|| self.inside.as_ref().and_then(Inside::found))
    }

    /// Whether there is neither a value in it so far nor the beginning of one.
    pub(super) fn is_harmless(&self) -> bool {
        self.found().is_none() && self.inside.as_ref().is_none_or(Inside::is_quiet)
    }

    /// Takes in its next bytes, up to the end of its block.
    pub(super) fn feed(
        &mut self,
        input: &[u8],
        credit: &mut Credit,
        make: &mut dyn FnMut() -> Inside,
    ) -> Outcome {
        let step = self.run(Some(input), make);
        self.fed += input.len() as u64;
        self.sure = match step {
            Step::Rest(len) => self.start + len,
            _ => self.fed,
        };
        let outcome = self.outcome(step);
        if self.fed == self.block || outcome != Outcome::More {
            credit.left = self.room;
            credit.reach(self.block);
            credit.spend(BLOCK);
        }
        if self.fed == self.block && outcome == Outcome::More {
            self.next_block(credit);
        }
        outcome
    }

    /// Feeds the layers, or ends them.
    fn run(&mut self, input: Option<&[u8]>, make: &mut dyn FnMut() -> Inside) -> Step {
        let (inside, room) = (&mut self.inside, &mut self.room);
        let is_masked = self.masked.is_some();
        let mut sink = |piece: &[u8]| {
            let count = piece
                .len()
                .min(usize::try_from(*room).unwrap_or(usize::MAX));
            *room -= count as u64;
            if !is_masked {
                inside.get_or_insert_with(&mut *make).push(&piece[..count]);
            }
            match count < piece.len() {
                true => Step::Full,
                false => Step::More,
            }
        };
        match input {
            Some(input) => self.chain.feed(input, &mut sink),
            None => self.chain.finish(&mut sink),
        }
    }

    fn outcome(&self, step: Step) -> Outcome {
        match step {
            Step::More | Step::Rest(_) => Outcome::More,
            Step::End(len) => Outcome::Closed {
                end: self.start + len,
                is_whole: true,
            },
            Step::Cut(len) => Outcome::Closed {
                end: self.start + len,
                is_whole: false,
            },
            Step::Damaged => Outcome::Damaged,
            Step::Full => Outcome::Full,
        }
    }

    fn next_block(&mut self, credit: &Credit) {
        self.room = credit.left;
        self.block += BLOCK;
        if self.fed - self.start < HELD {
            return;
        }
        match self.found() {
            Some(owner) => self.masked = Some(owner),
            // What is let go cannot be masked later, and a value may be longer than what is held.
            None if self.inside.as_ref().is_some_and(Inside::has_begun_one) => {}
            None => self.from = self.from.max(self.fed - HELD),
        }
    }

    /// Nothing of it comes any more.
    pub(super) fn finish(&mut self, make: &mut dyn FnMut() -> Inside) -> Outcome {
        let step = self.run(None, make);
        self.outcome(step)
    }

    /// What was found in it, all in all, and what searched it.
    pub(super) fn close(mut self) -> (Option<Option<u32>>, Option<Inside>) {
        if let Some(inside) = &mut self.inside {
            inside.finish();
        }
        (self.found(), self.inside)
    }

    /// What was let go may be looked at no more.
    pub(super) fn let_go(&mut self) {
        self.from = self.fed;
    }
}

/// What stands in the place of packed data: the same, with masks in it. `None` where that would be
/// too much.
pub(super) fn recoded(
    kind: &Kind,
    packed: &[u8],
    set: &Arc<Compiled>,
    depth: u8,
    shapes: bool,
) -> Option<Vec<u8>> {
    let mut inner = super::nested(set, depth, shapes);
    let mut text = Vec::new();
    let mut chain = Chain::new(kind);
    let mut sink = |piece: &[u8]| {
        inner.push(piece, &mut text);
        match text.len() > RECODED_MAX {
            true => Step::Full,
            false => Step::More,
        }
    };
    let step = match chain.feed(packed, &mut sink) {
        Step::More | Step::Rest(_) => chain.finish(&mut sink),
        step => step,
    };
    inner.finish(&mut text);
    let Step::End(_) = step else { return None };
    kind.encode(&text, packed)
        .filter(|packed| !packed.is_empty())
}
