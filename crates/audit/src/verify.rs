//! Verification: walks the whole log in bounded memory and says all that is wrong.

mod walk;

use serde::Serialize;
use subrosa_model::{Digest, Timestamp};

use crate::AuditError;
use crate::anchor::{Mark, Strength};
use crate::finding::Finding;
use crate::port::{LogView, PAGE};
use crate::ring::KeyRing;
use walk::{Moved, Walk};

/// Findings that a report keeps; more are counted.
pub const FINDINGS_MAX: usize = 1000;
/// Walks that are begun because another process pruned during the one before.
const ATTEMPTS: usize = 8;

/// What is known about the log from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What the anchor remembers.
    pub mark: Option<Mark>,
    /// How much that anchor proves.
    pub strength: Strength,
    /// What the vault's records are bound by, as the vault computes it now.
    pub state: Option<Digest>,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows that are there.
    pub rows: u64,
    /// The first row that the log keeps.
    pub first: u64,
    /// The last row by the head; 0 for none.
    pub last: u64,
    /// Checkpoints whose signature holds.
    pub checkpoints: u64,
    /// Rows that were pruned, by the markers that are there.
    pub pruned: u64,
    /// Completion records that could not be written, by the rows that say so.
    pub lost: u64,
    /// The earliest time in the log.
    pub since: Option<Timestamp>,
    /// The latest time in the log.
    pub until: Option<Timestamp>,
    /// How much the anchor proves.
    pub strength: Strength,
    /// The row that the anchor remembers, if it remembers any.
    pub anchored: Option<u64>,
    /// What cannot be told at this strength.
    pub undetected: &'static str,
    /// What is wrong, in the order of the log.
    pub findings: Vec<Finding>,
    /// Findings beyond [`FINDINGS_MAX`].
    pub omitted: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Verifies the whole log. `progress` is told how many rows of how many are done.
///
/// Other processes may append meanwhile: rows after the head that was read are measured against the
/// head of then.
///
/// # Errors
/// [`AuditError::Store`] when the log cannot be read. Whatever is wrong with it is in the report.
pub fn verify<V: LogView + ?Sized>(
    view: &mut V,
    ring: &KeyRing,
    known: &Known,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Report, AuditError> {
    for _ in 1..ATTEMPTS {
        if let Some(report) = attempt(view, ring, known, progress, true)? {
            return Ok(report);
        }
    }
    let report = attempt(view, ring, known, progress, false)?;
    Ok(report.expect("invariant: an attempt that may not give up ends with a report"))
}

/// One walk; `None` when another process pruned meanwhile and `may_give_up`.
fn attempt<V: LogView + ?Sized>(
    view: &mut V,
    ring: &KeyRing,
    known: &Known,
    progress: &mut dyn FnMut(u64, u64),
    may_give_up: bool,
) -> Result<Option<Report>, AuditError> {
    let mut walk = Walk::begin(ring, known, view.head()?);
    let mut from = 0;
    loop {
        let rows = view.page(from, PAGE)?;
        let Some(last) = rows.last().map(|row| row.sequence) else {
            break;
        };
        if walk.is_surprised_by(&rows) {
            // A head is stored with its rows, so one that is read now covers them.
            let moved = walk.take_later_head(view.head()?);
            if moved == Moved::Start && may_give_up {
                return Ok(None);
            }
        }
        for row in &rows {
            walk.row(row);
        }
        progress(walk.report.rows, walk.total());
        match last.checked_add(1) {
            // A store that answers below what was asked for must not keep us here.
            Some(next) if next > from => from = next,
            _ => break,
        }
    }
    Ok(Some(walk.end()))
}
