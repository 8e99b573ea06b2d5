//! The state of one stream: scan, hold back, release.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::automaton::{Automaton, ROOT, State};
use crate::cover::{Cover, Match, Span};
use crate::finding::{Counts, Finding, Form};
use crate::held::Held;
use crate::known::{Compiled, KnownSet};
use crate::needles::Edge;

/// Input is taken in pieces of this size, which bounds what is remembered
/// between two releases.
const BLOCK: usize = 64 * 1024;
/// How many findings are listed unless the caller asks for another number.
const LISTED: usize = 4096;
/// A run of fewer bytes is released as it is when the stream is idle.
const SHORT_RUN: u64 = 4;
/// How long a short run, or one that is masked anyway, is held back.
const SHORT_WAIT: Duration = Duration::from_millis(100);
/// How long a longer run is held back: it has to be out within a second.
const LONG_WAIT: Duration = Duration::from_millis(900);

/// Redacts one stream.
///
/// Call [`push`](Redactor::push) for what arrives and
/// [`finish`](Redactor::finish) at the end; on a terminal, call
/// [`idle`](Redactor::idle) when [`deadline`](Redactor::deadline) has passed
/// without input. All offsets count bytes of input since the redactor was made.
pub struct Redactor {
    set: Arc<Compiled>,
    state: State,
    /// Bytes of input so far.
    position: u64,
    /// What later matches may still need to see or to mask.
    held: Held,
    /// Matches that later ones may still overlap.
    cover: Cover,
    /// Matches that ended at `position` and may take in the next byte.
    at_edge: Vec<(Match, Edge)>,
    /// Up to where the input is represented in the output.
    released: u64,
    listed: Vec<Finding>,
    list_limit: usize,
    unlisted: u64,
    tallies: BTreeMap<Option<u32>, u64>,
}

impl Redactor {
    pub(crate) fn new(set: Arc<Compiled>) -> Self {
        Redactor {
            set,
            state: ROOT,
            position: 0,
            held: Held::new(),
            cover: Cover::default(),
            at_edge: Vec::new(),
            released: 0,
            listed: Vec::new(),
            list_limit: LISTED,
            unlisted: 0,
            tallies: BTreeMap::new(),
        }
    }

    /// The same redactor, listing at most `limit` findings at a time instead
    /// of 4096. Those beyond are counted, not listed.
    #[must_use]
    pub fn listing(mut self, limit: usize) -> Self {
        self.list_limit = limit;
        self
    }

    /// Takes in `input` and appends to `out` what may be released.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.set.is_empty() {
            out.extend_from_slice(input);
            self.position += input.len() as u64;
            self.released = self.position;
            return;
        }
        for block in input.chunks(BLOCK) {
            self.scan(block);
            self.release(block, out);
        }
    }

    /// Tells that nothing has come for the time `since`, counted from the last
    /// push; appends to `out` what is not to be held back any longer.
    ///
    /// | Held back | Released after |
    /// | --- | --- |
    /// | a run under 4 bytes | 100 ms, as it is |
    /// | only bytes that are masked anyway | 100 ms, as a mask |
    /// | a longer run | 900 ms, as a mask |
    ///
    /// A run is counted from where the value would begin, so that a value
    /// coming byte by byte does not slip out three bytes at a time. What
    /// continues a run whose mask was written is masked with it, without a
    /// second mask. Before the deadline the call does nothing.
    pub fn idle(&mut self, since: Duration, out: &mut Vec<u8>) {
        if self.deadline().is_none_or(|deadline| since < deadline) {
            return;
        }
        let run = self.run_start();
        if self.position - run < SHORT_RUN {
            out.extend_from_slice(self.held.range(self.released, self.position));
        } else {
            let span = self.cover.write_all(Match {
                start: run.max(self.released),
                end: self.position,
                form: Form::Partial,
                owner: self.set.automaton.sole_owner(self.open_state()),
                named: false,
            });
            if !span.written {
                out.extend_from_slice(self.set.mask(span.best.owner));
            }
        }
        self.released = self.position;
    }

    /// How long after the last push [`idle`](Redactor::idle) has something to
    /// do; `None` when nothing is held back.
    pub fn deadline(&self) -> Option<Duration> {
        if self.released == self.position {
            return None;
        }
        let run = self.run_start();
        let masked = self.cover.covers(self.released, self.position);
        Some(if self.position - run < SHORT_RUN || masked {
            SHORT_WAIT
        } else {
            LONG_WAIT
        })
    }

    /// Ends the stream: appends to `out` what is held back, masked if it is a
    /// long prefix of a value.
    ///
    /// Afterwards the redactor is ready for another stream; offsets go on.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.at_edge.clear();
        let set = Arc::clone(&self.set);
        if let Some((len, owner)) = set.automaton.truncation(self.open_state()) {
            self.cover.add(Match {
                start: self.position - len as u64,
                end: self.position,
                form: Form::Truncated,
                owner: Some(owner),
                named: set.is_named(owner),
            });
        }
        self.state = ROOT;
        self.release_until(self.position, &[], out);
        self.held.advance(&[], self.position, 0);
    }

    /// The findings listed so far: those whose masks are final.
    pub fn findings(&self) -> &[Finding] {
        &self.listed
    }

    /// Takes the list of findings and begins a new one.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        mem::take(&mut self.listed)
    }

    /// Exact totals of all findings whose masks are final.
    pub fn counts(&self) -> Counts {
        let tallies = self.tallies.iter();
        Counts::new(
            tallies.map(|(owner, count)| (self.set.name(*owner), *count)),
            self.unlisted,
        )
    }

    /// How many bytes of input have been taken in.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// How many bytes at the end of the input are not represented in the
    /// output yet, because they may belong to a finding.
    pub fn held_back(&self) -> u64 {
        self.position - self.released
    }

    fn scan(&mut self, block: &[u8]) {
        let set = Arc::clone(&self.set);
        let automaton = &set.automaton;
        let base = self.position;
        let mut at = 0;
        while let Some(&byte) = block.get(at) {
            if !self.at_edge.is_empty() {
                self.settle_edges(byte);
            } else if self.state == ROOT {
                let skipped = automaton.skip(&block[at..]);
                if skipped > 0 {
                    at += skipped;
                    self.position = base + at as u64;
                    continue;
                }
            }
            self.state = automaton.step(self.state, byte);
            at += 1;
            self.position = base + at as u64;
            for candidate in automaton.ending(self.state) {
                let mut start = self.position - u64::from(candidate.len);
                let fits = |byte| candidate.left.fits(byte);
                if start > 0 && self.byte_at(start - 1, block, base).is_some_and(fits) {
                    start -= 1;
                }
                let found = Match {
                    start,
                    end: self.position,
                    form: candidate.form,
                    owner: Some(candidate.owner),
                    named: set.is_named(candidate.owner),
                };
                self.cover.add(found);
                if candidate.right != Edge::NONE {
                    self.at_edge.push((found, candidate.right));
                }
            }
        }
    }

    /// Widens the matches that ended before `byte` if it carries bits of them.
    fn settle_edges(&mut self, byte: u8) {
        for &(found, right) in &self.at_edge {
            if right.fits(byte) {
                self.cover.add(Match {
                    end: found.end + 1,
                    ..found
                });
            }
        }
        self.at_edge.clear();
    }

    fn byte_at(&self, offset: u64, block: &[u8], base: u64) -> Option<u8> {
        match offset.checked_sub(base) {
            Some(index) => block.get(usize::try_from(index).ok()?).copied(),
            None => self.held.at(offset),
        }
    }

    /// The state of the longest proper prefix of a needle.
    fn open_state(&self) -> State {
        self.set.automaton.open(self.state)
    }

    /// Where the earliest match that is still to come can begin.
    fn open_start(&self, neighbour: impl Fn(u64) -> Option<u8>) -> u64 {
        let automaton: &Automaton = &self.set.automaton;
        let open = self.open_state();
        let start = self.position - automaton.depth(open) as u64;
        match start.checked_sub(1) {
            Some(left) if neighbour(left).is_some_and(|b| automaton.takes_left(open, b)) => left,
            _ => start,
        }
    }

    /// Where the run that is held back begins, released or not.
    fn run_start(&self) -> u64 {
        let open = self.open_start(|offset| self.held.at(offset));
        self.cover.first().map_or(open, |span| open.min(span.start))
    }

    /// Releases what is final, when `block` has just been scanned.
    fn release(&mut self, block: &[u8], out: &mut Vec<u8>) {
        let base = self.position - block.len() as u64;
        let open = self.open_start(|offset| self.byte_at(offset, block, base));
        self.release_until(open, block, out);
        self.held.advance(block, open, self.set.automaton.longest());
    }

    /// Releases everything before `open`, from where on matches may begin.
    /// `block` is the input that is not yet in `held`.
    fn release_until(&mut self, open: u64, block: &[u8], out: &mut Vec<u8>) {
        while let Some(&span) = self.cover.first() {
            let at_edge = !self.at_edge.is_empty() && span.end == self.position;
            if span.end > open || at_edge {
                return self.copy_until(open.min(span.start), block, out);
            }
            self.cover.pop_first();
            self.copy_until(span.start, block, out);
            if !span.written {
                out.extend_from_slice(self.set.mask(span.best.owner));
            }
            self.released = self.released.max(span.end);
            self.record(&span);
        }
        self.copy_until(open, block, out);
    }

    /// Copies input to the output as it is, up to the offset `to`.
    fn copy_until(&mut self, to: u64, block: &[u8], out: &mut Vec<u8>) {
        if self.released >= to {
            return;
        }
        let base = self.position - block.len() as u64;
        out.extend_from_slice(self.held.range(self.released, to));
        let index = |offset: u64| (offset.saturating_sub(base)) as usize;
        out.extend_from_slice(&block[index(self.released)..index(to)]);
        self.released = to;
    }

    fn record(&mut self, span: &Span) {
        *self.tallies.entry(span.best.owner).or_default() += 1;
        if self.listed.len() >= self.list_limit {
            self.unlisted += 1;
            return;
        }
        self.listed.push(Finding {
            start: span.start,
            end: span.end,
            form: span.best.form,
            key: self.set.name(span.best.owner),
        });
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("position", &self.position)
            .field("held_back", &self.held_back())
            .finish_non_exhaustive()
    }
}

/// Redacts a whole text at once; all findings are listed.
///
/// ```
/// use subrosa_redact::{Known, redact_all};
/// let mut known = Known::new();
/// let _ = known.add(Some("db"), b"correct-h0rse");
/// let (out, findings) = redact_all(&known.build(), b"pw: correct-h0rse.");
/// assert_eq!(out, b"pw: [REDACTED:db].");
/// assert_eq!((findings[0].start, findings[0].end), (4, 17));
/// ```
pub fn redact_all(set: &KnownSet, input: &[u8]) -> (Vec<u8>, Vec<Finding>) {
    let mut redactor = set.redactor().listing(usize::MAX);
    let mut out = Vec::with_capacity(input.len());
    redactor.push(input, &mut out);
    redactor.finish(&mut out);
    (out, redactor.take_findings())
}
