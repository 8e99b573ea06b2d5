//! The state of one stream: scan, hold back, release.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use crate::cover::{Cover, Match, Span, rule_of_owner};
use crate::decode::{self, Packed};
use crate::finding::{Counts, Finding, Form};
use crate::known::{Compiled, KnownSet};
use crate::view::{Dumped, Folded, Raw, Shaped};

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
    /// The input, with what later matches may still need to see or to mask.
    raw: Raw,
    folded: Option<Folded>,
    dumped: Dumped,
    /// Values that are known by their shape alone, where these are asked for.
    shaped: Option<Shaped>,
    /// What is packed in the stream; `None` where it is not looked deeper.
    packed: Option<Box<Packed>>,
    /// Matches that later ones may still overlap.
    cover: Cover,
    /// Whether somebody watches: see [`Redactor::interactive`].
    is_interactive: bool,
    /// Up to where the input is represented in the output.
    released: u64,
    listed: Vec<Finding>,
    list_limit: usize,
    unlisted: u64,
    tallies: BTreeMap<Option<u32>, u64>,
    /// The value of the first finding.
    first: Option<Option<u32>>,
    /// The findings as they were matched, where what is in here is a part of another stream, and up
    /// to where they were told.
    matches: Option<Vec<Match>>,
    told: u64,
}

/// What is held back.
#[derive(Clone, Copy)]
enum Held {
    Nothing,
    /// Too little to say anything.
    Short,
    /// A line, or packed data, that has to be complete before it is known what it is; nothing in it
    /// begins a value.
    Line,
    /// What is masked anyway.
    Masked,
    Run,
}

impl Held {
    fn deadline(self) -> Option<Duration> {
        match self {
            Held::Nothing => None,
            Held::Short | Held::Masked => Some(SHORT_WAIT),
            Held::Line | Held::Run => Some(LONG_WAIT),
        }
    }
}

impl Redactor {
    pub(crate) fn new(set: Arc<Compiled>) -> Self {
        Redactor::nested(set, decode::DEPTH, false).listing(LISTED)
    }

    /// For what is inside of packed data, where it is looked so much deeper.
    pub(crate) fn nested(set: Arc<Compiled>, depth: u8, shapes: bool) -> Self {
        let redactor = Redactor {
            raw: Raw::default(),
            folded: set.folded.is_some().then(|| Folded::new(set.wide)),
            dumped: Dumped::new(set.wide),
            shaped: None,
            packed: (depth > 0).then(|| Box::new(Packed::new(depth))),
            cover: Cover::default(),
            is_interactive: false,
            released: 0,
            listed: Vec::new(),
            list_limit: 0,
            unlisted: 0,
            tallies: BTreeMap::new(),
            first: None,
            matches: None,
            told: 0,
            set,
        };
        match shapes {
            true => redactor.with_shapes(),
            false => redactor,
        }
    }

    /// The same redactor, listing at most `limit` findings at a time instead
    /// of 4096. Those beyond are counted, not listed.
    #[must_use]
    pub fn listing(mut self, limit: usize) -> Self {
        self.list_limit = limit;
        self
    }

    /// The same redactor for a reader who waits for what comes, as at a terminal or behind a pipe,
    /// where [`idle`](Redactor::idle) would release a short run soon in any case: fewer than 4 letters and digits that a value with something between them
    /// may begin with are released at once. Almost every text ends so, and somebody waits to see
    /// what was typed. What is released when depends on how the text comes then.
    #[must_use]
    pub fn interactive(mut self) -> Self {
        self.is_interactive = true;
        self
    }

    /// The same redactor, which masks what has the shape of a credential as well: see
    /// [`Shapes`](crate::shapes::Shapes). What it may be is seen when its line is complete.
    #[must_use]
    pub fn with_shapes(mut self) -> Self {
        self.shaped = Some(Shaped::new());
        if let Some(packed) = &mut self.packed {
            packed.with_shapes();
        }
        self
    }

    /// Takes in `input` and appends to `out` what may be released.
    pub fn push(&mut self, input: &[u8], out: &mut Vec<u8>) {
        if self.set.is_empty() && self.shaped.is_none() {
            out.extend_from_slice(input);
            self.raw.pass(input.len());
            self.released = self.raw.position();
            return;
        }
        for block in input.chunks(BLOCK) {
            self.raw.push(&self.set, block, &mut self.cover);
            if let (Some(folded), Some(matcher)) = (&mut self.folded, &self.set.folded) {
                folded.push(&self.set, matcher, block, &mut self.cover);
            }
            self.dumped.push(&self.set, block, &mut self.cover);
            if let Some(shaped) = &mut self.shaped {
                shaped.push(block, &mut self.cover);
            }
            if let Some(packed) = &mut self.packed {
                packed.push(&self.set, &self.raw, &mut self.cover);
            }
            let open = self.open();
            self.release_until(self.open_in_view(), out);
            self.raw.forget(open.min(self.released));
        }
    }

    /// Tells that nothing has come for the time `since`, counted from the last
    /// push; appends to `out` what is not to be held back any longer.
    ///
    /// | Held back | Released after |
    /// | --- | --- |
    /// | a run under 4 bytes | 100 ms, as it is |
    /// | only bytes that are masked anyway | 100 ms, as a mask |
    /// | a line that may be one of a dump, or have the shape of a credential | 900 ms, as it is |
    /// | a longer run | 900 ms, as a mask |
    ///
    /// A run is counted from where the value would begin, so that a value
    /// coming byte by byte does not slip out three bytes at a time. What
    /// continues a run whose mask was written is masked with it, without a
    /// second mask. Before the deadline the call does nothing.
    pub fn idle(&mut self, since: Duration, out: &mut Vec<u8>) {
        let held = self.what_is_held();
        if held.deadline().is_none_or(|deadline| since < deadline) {
            return;
        }
        if let Some(packed) = &mut self.packed
            && packed.is_harmless()
        {
            packed.let_go();
        }
        let position = self.raw.position();
        if matches!(held, Held::Short | Held::Line) {
            return self.copy_until(position, out);
        }
        let run = self.run_start();
        self.copy_until(run, out);
        let span = self.cover.write_all(Match {
            start: run.max(self.released),
            end: position,
            form: Form::Partial,
            owner: self.sole_owner(),
            named: false,
        });
        if !span.written {
            out.extend_from_slice(self.set.mask(span.best.owner));
        }
        self.released = position;
    }

    /// How long after the last push [`idle`](Redactor::idle) has something to
    /// do; `None` when nothing is held back.
    pub fn deadline(&self) -> Option<Duration> {
        self.what_is_held().deadline()
    }

    /// Ends the stream: appends to `out` what is held back, masked if it is a
    /// long prefix of a value.
    ///
    /// Afterwards the redactor is ready for another stream; offsets go on.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.raw.finish(&self.set, &mut self.cover);
        if let (Some(folded), Some(matcher)) = (&mut self.folded, &self.set.folded) {
            folded.finish(&self.set, matcher, &mut self.cover);
        }
        self.dumped.finish(&self.set, &mut self.cover);
        if let Some(shaped) = &mut self.shaped {
            shaped.finish(&mut self.cover);
        }
        if let Some(packed) = &mut self.packed {
            packed.finish(&self.set, &self.raw, &mut self.cover);
        }
        let position = self.raw.position();
        self.release_until(position, out);
        self.raw.forget(position);
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

    /// How many pieces of packed data were let through because they say more than may be looked
    /// at: bombs. What only begins as such data may, and goes on as text, is not counted.
    pub fn unopened(&self) -> u64 {
        self.packed.as_ref().map_or(0, |packed| packed.unopened())
    }

    /// How many bytes of input have been taken in.
    pub fn position(&self) -> u64 {
        self.raw.position()
    }

    /// How many bytes at the end of the input are not represented in the
    /// output yet, because they may belong to a finding.
    pub fn held_back(&self) -> u64 {
        self.raw.position() - self.released
    }

    /// Where the earliest match that is still to come can begin.
    fn open(&self) -> u64 {
        let folded = self.folded.as_ref().map_or(u64::MAX, Folded::held);
        self.open_elsewhere().min(folded).min(self.open_packed())
    }

    /// The same of what is packed.
    fn open_packed(&self) -> u64 {
        self.packed
            .as_ref()
            .map_or(u64::MAX, |packed| packed.held())
    }

    /// The same without the folded view and what is packed.
    fn open_elsewhere(&self) -> u64 {
        let known = self.raw.open().held.min(self.dumped.held());
        let shaped = self.shaped.as_ref().map(Shaped::held);
        shaped.map_or(known, |shaped| known.min(shaped))
    }

    /// From where on nothing is released.
    fn open_in_view(&self) -> u64 {
        if !self.is_interactive {
            return self.open();
        }
        let mut open = self.open_elsewhere();
        if let Some(folded) = self.folded.as_ref().filter(|one| one.run() >= SHORT_RUN) {
            open = open.min(folded.held());
        }
        let packed = self.open_packed();
        match packed.saturating_add(SHORT_RUN) <= self.raw.position() {
            true => open.min(packed),
            false => open,
        }
    }

    /// Where the run that is held back begins, released or not.
    fn run_start(&self) -> u64 {
        let packed = self.packed.as_ref().filter(|packed| !packed.is_harmless());
        let packed = packed.map_or(u64::MAX, |packed| packed.held());
        let known = self.raw.open().held.min(self.dumped.run_start());
        let known = known.min(packed);
        let open = match &self.folded {
            Some(folded) if !self.is_interactive || folded.run() >= SHORT_RUN => {
                known.min(folded.held())
            }
            _ => known,
        };
        self.cover.first().map_or(open, |span| open.min(span.start))
    }

    /// Whether nothing is held back that says something.
    pub(crate) fn is_quiet(&self) -> bool {
        !matches!(self.what_is_held(), Held::Run | Held::Masked)
    }

    /// How many bytes at the end may be the beginning of a value. In the folded view the characters
    /// count, and not what stands between them.
    pub(crate) fn run(&self) -> u64 {
        let folded = self.folded.as_ref().map_or(0, Folded::run);
        (self.raw.position() - self.raw.open().held).max(folded)
    }

    /// What is held back.
    fn what_is_held(&self) -> Held {
        let position = self.raw.position();
        if self.released == position {
            return Held::Nothing;
        }
        if self.cover.covers(self.released, position) {
            return Held::Masked;
        }
        let run = self.run();
        let packed = self.packed.as_ref();
        let is_harmless = packed.is_none_or(|packed| packed.is_harmless());
        let is_long = run.max(self.dumped.run()) >= SHORT_RUN;
        if self.cover.first().is_some() || is_long || !is_harmless {
            return Held::Run;
        }
        // Packed data is let go as a line is: what a value in it may be is not known before its end.
        let packed = self.open_packed().saturating_add(SHORT_RUN - 1);
        let shaped = self.shaped.as_ref().map_or(position, Shaped::held);
        match self.dumped.held().min(shaped).min(packed) < position {
            true => Held::Line,
            false => Held::Short,
        }
    }

    /// The value of the first finding, if there is any.
    pub(crate) fn first_owner(&self) -> Option<Option<u32>> {
        let open = || self.cover.first().map(|span| span.best.owner);
        self.first.or_else(open)
    }

    /// From now on findings are kept as they were matched.
    pub(crate) fn keep_matches(&mut self) {
        self.matches = Some(Vec::new());
    }

    /// From where on what is to come may still change what is masked: a mask that was written before
    /// its end is known goes on there.
    pub(crate) fn settled(&self) -> u64 {
        let is_open = self.cover.first().is_some_and(|span| span.written);
        self.released - u64::from(is_open)
    }

    /// Whether such a mask goes on.
    pub(crate) fn is_masking(&self) -> bool {
        self.settled() < self.released
    }

    /// The findings since the last call.
    pub(crate) fn take_matches(&mut self) -> Vec<Match> {
        self.matches.as_mut().map(mem::take).unwrap_or_default()
    }

    /// What [`unopened`](Redactor::unopened) says, since the last call.
    pub(crate) fn take_unopened(&mut self) -> u64 {
        let packed = self.packed.as_mut();
        packed.map_or(0, |packed| packed.take_unopened())
    }

    /// Forgets what was found, after the end of a stream.
    pub(crate) fn restart(&mut self) {
        self.first = None;
        self.tallies.clear();
    }

    /// The value to which what is held back can lead, if there is only one.
    fn sole_owner(&self) -> Option<u32> {
        let open = self.raw.open().start;
        match (&self.folded, &self.set.folded) {
            (Some(folded), Some(matcher)) if folded.held() < open => folded.sole_owner(matcher),
            _ => self.raw.sole_owner(&self.set.raw),
        }
    }

    /// Releases everything before `open`, from where on matches may begin.
    fn release_until(&mut self, open: u64, out: &mut Vec<u8>) {
        while let Some(&span) = self.cover.first() {
            if span.end > open || self.raw.is_at_edge(span.end) {
                self.copy_until(open.min(span.start), out);
                let packed = self.packed.as_ref();
                if open > span.start && packed.is_some_and(|one| one.is_written_early(&span)) {
                    self.write_mask(&span, out);
                    self.cover.first_is_written();
                    self.released = self.released.max(open);
                    self.tell(&Span { end: open, ..span });
                }
                return;
            }
            self.cover.pop_first();
            self.copy_until(span.start, out);
            self.write_mask(&span, out);
            self.released = self.released.max(span.end);
            self.record(&span);
        }
        self.copy_until(open, out);
    }

    /// Copies input to the output as it is, up to the offset `to`.
    fn copy_until(&mut self, to: u64, out: &mut Vec<u8>) {
        if self.released < to {
            out.extend_from_slice(self.raw.range(self.released, to));
            self.released = to;
        }
    }

    fn write_mask(&mut self, span: &Span, out: &mut Vec<u8>) {
        if span.written {
            return;
        }
        let packed = self.packed.as_mut();
        if let Some(packed) = packed.and_then(|packed| packed.replacement(span)) {
            // Its first bytes may have left before it was known what they begin.
            // What is no longer kept of them cannot be compared: there is a mask then.
            let left = (span.start >= self.raw.base())
                .then(|| self.raw.range(span.start, self.released.max(span.start)));
            if let Some(rest) = left.and_then(|left| packed.strip_prefix(left)) {
                return out.extend_from_slice(rest);
            }
        }
        out.extend_from_slice(self.set.mask(span.best.owner));
    }

    /// Tells the stream around this one what is masked, the rest of it where some was told before.
    fn tell(&mut self, span: &Span) {
        if let Some(matches) = &mut self.matches {
            matches.push(Match {
                start: span.start.max(self.told.saturating_sub(1)),
                end: span.end,
                ..span.best
            });
            self.told = span.end;
        }
    }

    fn record(&mut self, span: &Span) {
        self.first.get_or_insert(span.best.owner);
        self.tell(span);
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
            rule: rule_of_owner(span.best.owner),
        });
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor")
            .field("position", &self.position())
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
