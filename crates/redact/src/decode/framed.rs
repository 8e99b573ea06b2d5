//! A body in chunks that is not packed: a value may stand in two of them.

use std::collections::VecDeque;

use zeroize::Zeroizing;

use super::chunked::{Chunked, Read};
use crate::cover::{Cover, Match};
use crate::redactor::Redactor;

/// The body, and where its bytes stand.
pub(super) struct Framed {
    framing: Chunked,
    inner: Box<Redactor>,
    /// The first byte of each piece, counted in the body, and where it stands in the stream.
    pieces: VecDeque<(u64, u64)>,
    start: u64,
    scrap: Zeroizing<Vec<u8>>,
}

impl Framed {
    pub(super) fn new(start: u64, inner: Box<Redactor>) -> Self {
        Framed {
            framing: Chunked::default(),
            inner,
            pieces: VecDeque::new(),
            start,
            scrap: Zeroizing::new(Vec::with_capacity(super::SCRAP)),
        }
    }

    /// Up to where it was read.
    pub(super) fn read_to(&self) -> u64 {
        self.start + self.framing.fed()
    }

    /// Where the earliest match that is still to come can begin, in the stream.
    pub(super) fn held(&self) -> u64 {
        match self.inner.position() - self.inner.settled() {
            0 => self.read_to(),
            _ => self.place(self.inner.settled()),
        }
    }

    /// Whether something in it is masked whose end is not known yet.
    pub(super) fn is_masking(&self) -> bool {
        self.inner.is_masking()
    }

    /// Takes in what comes next; returns whether it goes on.
    pub(super) fn push(&mut self, input: &[u8], cover: &mut Cover) -> bool {
        let mut at = 0;
        while at < input.len() {
            match self.framing.read(input, &mut at) {
                Read::More => {}
                Read::Data(range) => {
                    let stands = self.read_to() - range.len() as u64;
                    self.pieces.push_back((self.inner.position(), stands));
                    self.inner.push(&input[range], &mut self.scrap);
                    self.scrap.clear();
                    self.take(cover);
                }
                Read::Over | Read::Damaged => {
                    self.finish(cover);
                    return false;
                }
            }
        }
        true
    }

    /// Ends the body.
    pub(super) fn finish(&mut self, cover: &mut Cover) {
        self.inner.finish(&mut self.scrap);
        self.scrap.clear();
        self.take(cover);
    }

    fn take(&mut self, cover: &mut Cover) {
        for found in self.inner.take_matches() {
            cover.add(Match {
                start: self.place(found.start),
                end: self.place(found.end - 1) + 1,
                ..found
            });
        }
        let needed = self.inner.settled();
        while self.pieces.get(1).is_some_and(|piece| piece.0 <= needed) {
            self.pieces.pop_front();
        }
    }

    /// Where a byte of the body stands in the stream.
    fn place(&self, byte: u64) -> u64 {
        let later = self.pieces.partition_point(|piece| piece.0 <= byte);
        let piece = later.checked_sub(1).and_then(|at| self.pieces.get(at));
        piece.map_or(self.start, |(first, stands)| stands + (byte - first))
    }
}
