//! The walk over the rows.

use subrosa_crypto::VerifyingKey;
use subrosa_model::{Digest, LogHead, LogRow};

use super::{FINDINGS_MAX, Known, Report};
use crate::anchor::Mark;
use crate::chain::CHECKPOINT_EVERY;
use crate::entry::{Body, PruneMarker, RowKind};
use crate::finding::{Fault, Finding};
use crate::head::{self, Position};
use crate::ring::{Epoch, KeyRing};
use crate::row::{self, Row};

/// Rows that a moved row is looked for around its place.
const MOVED_BY: u64 = 64;
/// Damaged rows for which that is done; in a log that is damaged all over it would take too long.
const SEARCHES_MAX: usize = 64;

/// What a head that was read during a walk has moved.
#[derive(PartialEq, Eq)]
pub(super) enum Moved {
    Nothing,
    End,
    Start,
}

/// The links that the next row may follow.
///
/// After a damaged row there are two: the one it carries, and the one it should carry. So one
/// damaged row is one finding, whichever part of it was damaged.
#[derive(Clone, Copy)]
enum Links {
    /// Nothing is known: rows are absent.
    Any,
    One(Digest),
    Two(Digest, Digest),
}

pub(super) struct Walk<'a> {
    ring: &'a KeyRing,
    known: &'a Known,
    head: Option<Position>,
    /// Whether a head was stored, genuine or not.
    has_head: bool,
    /// What the vault's records were bound by when the walk began.
    state: Option<Digest>,
    pub(super) report: Report,
    /// The place that the next row must have.
    due: u64,
    links: Links,
    epoch: Option<u32>,
    checkpoint: u64,
    /// Whether the row at the head was there.
    met_head: bool,
    /// The last prune marker.
    marker: Option<PruneMarker>,
    searches: usize,
    /// By how much the last moved row was moved.
    moved_by: i64,
    scratch: Vec<u8>,
}

impl<'a> Walk<'a> {
    pub(super) fn begin(ring: &'a KeyRing, known: &'a Known, stored: Option<LogHead>) -> Self {
        let mut findings = Vec::new();
        let head = stored.as_ref().map(|stored| head::open(ring, stored));
        if let Some(Err(fault)) = &head {
            findings.push(Finding::whole(fault.clone()));
        }
        let has_head = head.is_some();
        let head = head.and_then(Result::ok);
        if let Some(mark) = &known.mark
            && let Err(fault) = mark.check(ring)
        {
            findings.push(Finding::whole(fault));
        }
        Self {
            ring,
            known,
            head,
            has_head,
            state: head.map(|at| at.state),
            report: Report {
                rows: 0,
                first: head.map_or(0, |at| at.first),
                last: stored.as_ref().map_or(0, |head| head.sequence),
                checkpoints: 0,
                pruned: 0,
                lost: 0,
                since: None,
                until: None,
                strength: known.strength,
                anchored: known.mark.as_ref().map(Mark::sequence),
                undetected: known.strength.undetected(),
                findings,
                omitted: 0,
            },
            due: head.map_or(0, |at| at.first),
            links: head.map_or(Links::Any, |at| Links::One(at.base)),
            epoch: None,
            checkpoint: head.map_or(0, |at| at.first - 1),
            met_head: false,
            marker: None,
            searches: 0,
            moved_by: 0,
            scratch: Vec::new(),
        }
    }

    pub(super) fn total(&self) -> u64 {
        let by_head = self
            .head
            .map_or(0, |at| at.sequence.saturating_add(1) - at.first);
        by_head.max(self.report.rows)
    }

    /// Whether rows go beyond the head, or are absent where the next are due.
    pub(super) fn is_surprised_by(&self, rows: &[LogRow]) -> bool {
        let Some(head) = self.head else { return false };
        rows.iter().any(|row| row.sequence > head.sequence)
            || rows.first().is_some_and(|row| row.sequence > self.due)
    }

    /// Takes a head that was stored after the walk began, if it is a later one.
    pub(super) fn take_later_head(&mut self, stored: Option<LogHead>) -> Moved {
        let later = stored.and_then(|stored| head::open(self.ring, &stored).ok());
        let (Some(before), Some(at)) = (self.head, later) else {
            return Moved::Nothing;
        };
        if at.sequence <= before.sequence {
            return Moved::Nothing;
        }
        if at.first != before.first {
            return Moved::Start;
        }
        self.head = Some(at);
        self.report.last = at.sequence;
        self.met_head = false;
        Moved::End
    }

    fn find(&mut self, sequence: u64, fault: Fault) {
        self.add(Finding::at(sequence, fault));
    }

    fn add(&mut self, finding: Finding) {
        if self.report.findings.len() < FINDINGS_MAX {
            self.report.findings.push(finding);
        } else {
            self.report.omitted += 1;
        }
    }

    pub(super) fn row(&mut self, stored: &LogRow) {
        self.report.rows += 1;
        let sequence = stored.sequence;
        if self.due == 0 {
            // Without a head nothing says where the log begins.
            self.due = sequence;
            self.report.first = sequence;
            self.checkpoint = sequence.saturating_sub(1);
            self.links = match sequence {
                1 => Links::One(self.ring.origin()),
                _ => Links::Any,
            };
        }
        if sequence < self.due {
            self.find(sequence, Fault::Leftover);
            return;
        }
        if let Some(head) = self.head
            && sequence > head.sequence
        {
            let head = head.sequence;
            self.find(sequence, Fault::BeyondHead { head });
            return;
        }
        if sequence > self.due {
            let (from, to) = (self.due, sequence - 1);
            self.find(sequence, Fault::Deleted { from, to });
            self.links = Links::Any;
            // One is not due for rows that are absent.
            self.checkpoint = self.checkpoint.max(sequence - 1);
        }
        self.due = sequence.saturating_add(1);
        self.chained(stored);
        self.compare_known(stored);
    }

    /// Verifies a row in its place.
    fn chained(&mut self, stored: &LogRow) {
        let row = match Row::split(stored) {
            Ok(row) => row,
            Err(fault) => return self.damaged(stored, fault, None),
        };
        let Some(epoch) = self.ring.find(row.epoch) else {
            let fault = Fault::UnknownEpoch { epoch: row.epoch };
            return self.damaged(stored, fault, None);
        };
        let follows = |link: &Digest| row.follows(self.ring, epoch, link);
        let (linked, due) = match &self.links {
            Links::Any => (true, None),
            Links::One(link) => (follows(link), Some(*link)),
            Links::Two(a, b) => (follows(a) || follows(b), Some(*a)),
        };
        let due = due.map(|previous| row.link_after(self.ring, epoch, &previous));
        let mut opened = std::mem::take(&mut self.scratch);
        let outcome = row.open_at(self.ring, epoch, row.sequence, &mut opened);
        match outcome {
            Err(fault) => {
                let fault = self.moved_from(&row, epoch, &mut opened).unwrap_or(fault);
                self.damaged(stored, fault, due);
            }
            Ok(()) if !linked => self.damaged(stored, Fault::Unlinked, due),
            Ok(()) => {
                let previous = match self.links {
                    Links::One(link) => Some(link),
                    Links::Any | Links::Two(..) => None,
                };
                self.links = Links::One(row.link);
                self.content(&row, epoch.public, previous, &opened);
            }
        }
        self.scratch = opened;
    }

    fn damaged(&mut self, stored: &LogRow, fault: Fault, due: Option<Digest>) {
        self.find(stored.sequence, fault);
        self.links = match (row::stored_link(stored), due) {
            (Some(carried), Some(due)) => Links::Two(carried, due),
            (Some(one), None) | (None, Some(one)) => Links::One(one),
            (None, None) => Links::Any,
        };
        // It may have been the checkpoint that is due.
        if stored.sequence - self.checkpoint >= CHECKPOINT_EVERY {
            self.checkpoint = stored.sequence;
        }
    }

    /// Looks whether a row that does not open here was written for a place nearby.
    fn moved_from(&mut self, row: &Row<'_>, epoch: &Epoch, opened: &mut Vec<u8>) -> Option<Fault> {
        let mut opens_at = |place: u64| row.open_at(self.ring, epoch, place, opened).is_ok();
        // When rows were taken out and the rest renumbered, all moved by the same.
        if self.moved_by != 0
            && let Some(belongs_at) = row.sequence.checked_add_signed(self.moved_by)
            && opens_at(belongs_at)
        {
            return Some(Fault::Reordered { belongs_at });
        }
        if self.searches == SEARCHES_MAX {
            return None;
        }
        self.searches += 1;
        let belongs_at = (1..=MOVED_BY)
            .flat_map(|by| [row.sequence.checked_add(by), row.sequence.checked_sub(by)])
            .flatten()
            .find(|place| opens_at(*place))?;
        self.moved_by = (belongs_at as i64).wrapping_sub(row.sequence as i64);
        Some(Fault::Reordered { belongs_at })
    }

    /// Looks at what a row says.
    fn content(
        &mut self,
        row: &Row<'_>,
        public: VerifyingKey,
        previous: Option<Digest>,
        opened: &[u8],
    ) {
        let sequence = row.sequence;
        if let Some(before) = self.epoch
            && before != row.epoch
            && (row.epoch < before || row.kind != RowKind::Checkpoint)
        {
            let epoch = row.epoch;
            self.find(sequence, Fault::EpochOrder { before, epoch });
        }
        self.epoch = Some(row.epoch);
        let due = sequence - self.checkpoint >= CHECKPOINT_EVERY;
        if row.kind == RowKind::Checkpoint || due {
            self.checkpoint = sequence;
        }
        if due && row.kind != RowKind::Checkpoint {
            self.find(sequence, Fault::CheckpointMissing);
        }
        let body = match Body::decode(row.kind, opened) {
            Ok(body) => body,
            Err(fault) => return self.find(sequence, fault),
        };
        if let Some(time) = body.time() {
            self.report.since = Some(self.report.since.map_or(time, |since| since.min(time)));
            self.report.until = Some(self.report.until.map_or(time, |until| until.max(time)));
        }
        let vault = self.ring.vault();
        match body {
            Body::Checkpoint(checkpoint) => {
                if !checkpoint.verify(vault, sequence, row.epoch, &public) {
                    self.find(sequence, Fault::BadSignature);
                } else if checkpoint.count != sequence - 1
                    || previous.is_some_and(|link| link != checkpoint.previous)
                {
                    self.find(sequence, Fault::CheckpointMismatch);
                } else {
                    self.report.checkpoints += 1;
                }
            }
            Body::Prune(marker) => {
                if marker.verify(vault, sequence, row.epoch, &public) {
                    self.report.pruned = self.report.pruned.max(marker.last_removed);
                    self.marker = Some(marker);
                } else {
                    self.find(sequence, Fault::BadSignature);
                }
            }
            Body::Loss(loss) => self.report.lost = self.report.lost.saturating_add(loss.count),
            Body::Event(_) | Body::Unreadable(_) => {}
        }
    }

    /// Compares a row with the head and the mark.
    fn compare_known(&mut self, stored: &LogRow) {
        let link = row::stored_link(stored);
        if let Some(head) = self.head
            && head.sequence == stored.sequence
        {
            self.met_head = true;
            if link != Some(head.link) {
                self.find(stored.sequence, Fault::HeadMismatch);
            }
        }
        if let Some(mark) = self.trusted_mark()
            && mark.sequence() == stored.sequence
            && link != Some(mark.link())
        {
            self.find(stored.sequence, Fault::Forked);
        }
    }

    fn trusted_mark(&self) -> Option<&'a Mark> {
        let mark = self.known.mark.as_ref()?;
        mark.check(self.ring).is_ok().then_some(mark)
    }

    pub(super) fn end(mut self) -> Report {
        match self.head {
            Some(head) => {
                if !self.met_head && head.sequence > 0 {
                    let (last, head) = (self.due.saturating_sub(1), head.sequence);
                    self.add(Finding::whole(Fault::Truncated { last, head }));
                }
                self.explain_start(&head);
            }
            None if self.has_head => {}
            None if self.report.rows > 0 => self.add(Finding::whole(Fault::HeadMissing)),
            None => self.add(Finding::whole(Fault::LogMissing)),
        }
        if self.state.is_some() && self.known.state.is_some() && self.state != self.known.state {
            self.add(Finding::whole(Fault::StateMismatch));
        }
        if let Some(mark) = self.trusted_mark() {
            let known = mark.sequence();
            let head = self
                .head
                .map_or(self.due.saturating_sub(1), |at| at.sequence);
            if head < known {
                self.add(Finding::whole(Fault::Rewound { head, known }));
            }
        }
        self.report
    }

    /// A log that does not begin at 1 must hold the marker that says why.
    fn explain_start(&mut self, head: &Position) {
        if head.first == 1 {
            return;
        }
        let explained = self.marker.as_ref().is_some_and(|marker| {
            marker.last_removed == head.first - 1 && marker.base == head.base
        });
        if !explained {
            let first = head.first;
            self.add(Finding::whole(Fault::PruneUnexplained { first }));
        }
    }
}
