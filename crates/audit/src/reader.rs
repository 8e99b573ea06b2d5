//! Reading the log: forwards or newest first, filtered, in bounded memory.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use subrosa_model::{Caller, Event, EventBody, LogRow, Timestamp, Verdict};

use crate::AuditError;
use crate::entry::{Body, Entry};
use crate::head;
use crate::port::{LogView, PAGE};
use crate::ring::KeyRing;
use crate::row::{self, Row};

/// Reads entries one after another.
///
/// What it shows is genuine: each row opens only in its own place. Whether rows are absent, only
/// [`verify`](crate::verify) can tell. A row that does not open is shown as [`Body::Unreadable`].
pub struct Reader<'a, V: LogView + ?Sized> {
    ring: &'a KeyRing,
    view: &'a mut V,
    page: VecDeque<LogRow>,
    scratch: Vec<u8>,
    walk: Walk,
}

enum Walk {
    /// Ask from here on; `None` at the end.
    Up(Option<u64>),
    /// Ask for what is below `above`, down to `least`. Both come from a genuine head: a forged one
    /// could name places that take for ever to look through.
    Down { above: u64, least: u64 },
    /// Ask for the pages that begin here, the last one first.
    Pages(Vec<u64>),
}

impl<'a, V: LogView + ?Sized> Reader<'a, V> {
    /// Reads upwards from a place.
    pub fn forward(ring: &'a KeyRing, view: &'a mut V, from: u64) -> Self {
        Self::new(ring, view, Walk::Up(Some(from)))
    }

    /// Reads downwards from the last row that the head knows. Without a genuine head everything is
    /// looked through once, upwards, to find out what there is.
    ///
    /// # Errors
    /// [`AuditError::Store`] when the log cannot be read.
    pub fn newest_first(ring: &'a KeyRing, view: &'a mut V) -> Result<Self, AuditError> {
        let stored = view.head()?;
        let walk = match stored.and_then(|stored| head::open(ring, &stored).ok()) {
            Some(at) => Walk::Down {
                above: at.sequence.saturating_add(1),
                least: at.first,
            },
            None => Walk::Pages(page_starts(view)?),
        };
        Ok(Self::new(ring, view, walk))
    }

    fn new(ring: &'a KeyRing, view: &'a mut V, walk: Walk) -> Self {
        Self {
            ring,
            view,
            page: VecDeque::new(),
            scratch: Vec::new(),
            walk,
        }
    }

    /// Fetches pages until there is a row or nothing is left.
    fn fill(&mut self) -> Result<ControlFlow<()>, AuditError> {
        while self.page.is_empty() {
            match &mut self.walk {
                Walk::Up(None) => return Ok(ControlFlow::Break(())),
                Walk::Up(Some(from)) => {
                    let rows = self.view.page(*from, PAGE)?;
                    self.walk = Walk::Up(after(*from, &rows));
                    self.page = rows.into();
                }
                Walk::Pages(starts) => {
                    let Some(from) = starts.pop() else {
                        return Ok(ControlFlow::Break(()));
                    };
                    let mut rows = self.view.page(from, PAGE)?;
                    rows.reverse();
                    self.page = rows.into();
                }
                Walk::Down { above, least } => {
                    let (above, least) = (*above, *least);
                    if above <= least {
                        return Ok(ControlFlow::Break(()));
                    }
                    let from = above.saturating_sub(PAGE as u64).max(least);
                    let mut rows = self.view.page(from, (above - from) as usize)?;
                    rows.retain(|row| (from..above).contains(&row.sequence));
                    rows.reverse();
                    self.page = rows.into();
                    self.walk = Walk::Down { above: from, least };
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl<V: LogView + ?Sized> Iterator for Reader<'_, V> {
    type Item = Result<Entry, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => return None,
            Err(error) => {
                self.walk = Walk::Up(None);
                return Some(Err(error));
            }
        }
        let stored = self.page.pop_front()?;
        Some(Ok(open(self.ring, &stored, &mut self.scratch)))
    }
}

/// Where to ask from next, after a page that was asked for at `from`.
fn after(from: u64, rows: &[LogRow]) -> Option<u64> {
    // A store that answers below what was asked for must not keep us here.
    let last = rows.last().map(|row| row.sequence)?;
    (last >= from).then(|| last.checked_add(1))?
}

/// Where each page begins, upwards.
fn page_starts<V: LogView + ?Sized>(view: &mut V) -> Result<Vec<u64>, AuditError> {
    let mut starts = Vec::new();
    let mut from = Some(0);
    while let Some(at) = from {
        let rows = view.page(at, PAGE)?;
        if !rows.is_empty() {
            starts.push(at);
        }
        from = after(at, &rows);
    }
    Ok(starts)
}

/// Opens a row; one that does not open becomes [`Body::Unreadable`].
pub(crate) fn open(ring: &KeyRing, stored: &LogRow, scratch: &mut Vec<u8>) -> Entry {
    let unreadable = |epoch, fault| Entry {
        sequence: stored.sequence,
        epoch,
        link: row::stored_link(stored).unwrap_or_else(|| ring.origin()),
        body: Body::Unreadable(fault),
    };
    match Row::split(stored) {
        Err(fault) => unreadable(0, fault),
        Ok(row) => row
            .entry(ring, scratch)
            .unwrap_or_else(|fault| unreadable(row.epoch, fault)),
    }
}

/// The first row whose event is of `time` or later, for pruning by age; `None` when all are older.
///
/// # Errors
/// [`AuditError::Store`].
pub fn first_since<V: LogView + ?Sized>(
    ring: &KeyRing,
    view: &mut V,
    time: Timestamp,
) -> Result<Option<u64>, AuditError> {
    for entry in Reader::forward(ring, view, 1) {
        let entry = entry?;
        if entry.body.time().is_some_and(|at| at >= time) {
            return Ok(Some(entry.sequence));
        }
    }
    Ok(None)
}

/// The kinds of events, to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A use was decided.
    Decision,
    /// A use has ended.
    Completion,
    /// The vault changed.
    Change,
    /// Somebody tried to open the vault.
    Unlock,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Decision, Self::Completion, Self::Change, Self::Unlock];

    /// The word that options and records use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Completion => "completion",
            Self::Change => "change",
            Self::Unlock => "unlock",
        }
    }

    /// The kind of an event; `None` for one that a later program wrote.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        match &event.body {
            EventBody::Decision(_) => Some(Self::Decision),
            EventBody::Completion(_) => Some(Self::Completion),
            EventBody::Change(_) => Some(Self::Change),
            EventBody::Unlock(_) => Some(Self::Unlock),
            _ => None,
        }
    }
}

impl std::str::FromStr for EventKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or_else(|| format!("{text:?} is none of decision, completion, change, unlock"))
    }
}

/// Which entries to show. The default shows all; each bound that is set leaves out more.
///
/// Unreadable rows are always shown. A bound that an entry has nothing for leaves it out: a
/// completion names no key and no verdict.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// Only this kind of event.
    pub kind: Option<EventKind>,
    /// Only events about a key that begins with this.
    pub key: Option<String>,
    /// Only events of this caller: its kind (`operator`, `agent`), an agent's name, or both.
    pub caller: Option<String>,
    /// Only decisions with this verdict.
    pub verdict: Option<Verdict>,
}

impl Filter {
    /// Whether to show an entry.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        if matches!(entry.body, Body::Unreadable(_)) {
            return true;
        }
        let timely = entry.body.time().is_none_or(|time| {
            self.since.is_none_or(|since| time >= since)
                && self.until.is_none_or(|until| time < until)
        });
        timely
            && match &entry.body {
                Body::Event(event) => self.matches_event(event),
                _ => {
                    self.kind.is_none()
                        && self.key.is_none()
                        && self.caller.is_none()
                        && self.verdict.is_none()
                }
            }
    }

    fn matches_event(&self, event: &Event) -> bool {
        let verdict = match &event.body {
            EventBody::Decision(decision) => Some(decision.verdict),
            _ => None,
        };
        self.kind
            .is_none_or(|kind| EventKind::of(event) == Some(kind))
            && self.verdict.is_none_or(|wanted| verdict == Some(wanted))
            && (self.caller.as_deref()).is_none_or(|wanted| is_caller(&event.caller, wanted))
            && (self.key.as_deref()).is_none_or(|prefix| names_key(&event.body, prefix))
    }
}

fn is_caller(caller: &Caller, wanted: &str) -> bool {
    let shown = caller.kind.to_string();
    shown == wanted
        || shown.split(' ').next() == Some(wanted)
        || caller
            .kind
            .agent()
            .is_some_and(|name| name.as_str() == wanted)
}

fn names_key(body: &EventBody, prefix: &str) -> bool {
    match body {
        EventBody::Decision(decision) => decision
            .secrets
            .iter()
            .any(|used| used.label.key.as_str().starts_with(prefix)),
        // A subject is `scope key#field`, or one word.
        EventBody::Change(change) => change
            .subjects
            .iter()
            .flat_map(|subject| subject.split(' '))
            .any(|word| word.starts_with(prefix)),
        _ => false,
    }
}
