//! What both stores ask of a batch before they touch a database, and how keys are written down.

use std::ops::RangeInclusive;

use subrosa_model::{LogAppend, LogHead, StoreError};
use subrosa_vault::port::{Batch, Changes, Collection, RecordKey, Write};

/// Longest body of a record or log row, in bytes: a sealed document of the longest kind fits.
pub const BODY_MAX: usize = 8 * 1024 * 1024;
/// Most bytes that the memory of recent changes takes: with the log's head beside it, it fits on
/// one page. That is about twenty ordinary commits.
const RECENT_MAX: usize = 2400;
/// Bytes of a key: collection, parent, id.
pub(crate) const KEY_BYTES: usize = 33;

/// Refuses what no caller of ours hands in.
pub(crate) fn check(batch: &Batch) -> Result<(), StoreError> {
    for write in &batch.writes {
        if let Write::Put(record) = write {
            number(record.revision)?;
            body_fits(&record.body)?;
        }
    }
    batch.log.as_ref().map_or(Ok(()), check_append)
}

/// The rows follow each other and end at the new head.
pub(crate) fn check_append(append: &LogAppend) -> Result<(), StoreError> {
    body_fits(&append.head.body)?;
    number(append.head.sequence)?;
    let mut before = None;
    for row in &append.rows {
        body_fits(&row.body)?;
        if row.sequence == 0 || before.is_some_and(|b: u64| b.checked_add(1) != Some(row.sequence))
        {
            return Err(misuse("the rows of the log have a gap"));
        }
        before = Some(row.sequence);
    }
    match before {
        Some(last) if last != append.head.sequence => {
            Err(misuse("the head of the log is not at its last row"))
        }
        _ => Ok(()),
    }
}

/// One row of a database: the head of everything that grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tip {
    /// Counts commits that touched records, from 1 for an empty store.
    pub(crate) change: u64,
    /// What the last of them touched.
    pub(crate) recent: Recent,
    /// The head of the log.
    pub(crate) log: Option<LogHead>,
}

impl Tip {
    /// As a database keeps it; a head of the log has both its parts or neither.
    pub(crate) fn from_row(
        change: i64,
        recent: Vec<u8>,
        sequence: Option<i64>,
        head: Option<Vec<u8>>,
    ) -> Result<Self, StoreError> {
        let log = match (sequence, head) {
            (None, None) => None,
            (Some(sequence), Some(body)) => Some(LogHead {
                sequence: counter(sequence)?,
                body,
            }),
            _ => return Err(damaged("the head of its log has an unknown form")),
        };
        Ok(Self {
            change: counter(change)?,
            recent: Recent::from_bytes(recent),
            log,
        })
    }

    /// Counts and remembers a commit that touched these records.
    pub(crate) fn touch(&mut self, keys: Changed) -> Result<(), StoreError> {
        self.change = self
            .change
            .checked_add(1)
            .ok_or_else(|| misuse("too many changes"))?;
        self.recent.push(keys)
    }

    /// What changed after `since`.
    pub(crate) fn changes(&self, since: u64) -> Result<Changes, StoreError> {
        self.recent.changes(since, self.change)
    }
}

/// Whether an append fits on the head that the store has.
pub(crate) fn check_follows(
    append: &LogAppend,
    current: Option<&LogHead>,
) -> Result<(), StoreError> {
    if append.expected.as_deref() != current.map(|head| head.body.as_slice()) {
        return Err(StoreError::Conflict);
    }
    let Some(current) = current else {
        return Ok(());
    };
    let next = append
        .rows
        .first()
        .map_or(append.head.sequence, |row| row.sequence - 1);
    if next == current.sequence {
        Ok(())
    } else {
        Err(misuse("the rows of the log do not follow its head"))
    }
}

/// A prune may not reach beyond the head that it was made for.
pub(crate) fn check_prune(keep_from: u64, current: Option<&LogHead>) -> Result<(), StoreError> {
    let last = current.map_or(0, |head| head.sequence);
    if keep_from > last.saturating_add(1) {
        return Err(misuse("a prune reaches beyond the end of the log"));
    }
    Ok(())
}

fn body_fits(body: &[u8]) -> Result<(), StoreError> {
    if body.len() > BODY_MAX {
        return Err(misuse("a record is longer than a store takes"));
    }
    Ok(())
}

/// A counter as a database keeps it.
pub(crate) fn number(counter: u64) -> Result<i64, StoreError> {
    i64::try_from(counter).map_err(|_| misuse("a counter is out of range"))
}

/// A counter that a database answered.
pub(crate) fn counter(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged("a counter is negative"))
}

/// A key as a database keeps it: ordered bytewise as `RecordKey` is.
pub(crate) fn key_bytes(key: &RecordKey) -> [u8; KEY_BYTES] {
    let mut bytes = [0; KEY_BYTES];
    bytes[0] = key.collection.number();
    bytes[1..17].copy_from_slice(&key.parent);
    bytes[17..].copy_from_slice(&key.id);
    bytes
}

pub(crate) fn key_from(bytes: &[u8]) -> Result<RecordKey, StoreError> {
    let key = || {
        let (collection, rest) = bytes.split_first()?;
        let (parent, id) = rest.split_at_checked(16)?;
        Some(RecordKey {
            collection: Collection::from_number(*collection)?,
            parent: parent.try_into().ok()?,
            id: id.try_into().ok()?,
        })
    };
    key().ok_or_else(|| damaged("a key has an unknown form"))
}

/// The keys that begin with some bytes: from `first` up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) first: [u8; KEY_BYTES],
    pub(crate) end: [u8; KEY_BYTES],
}

impl KeyRange {
    /// The keys of a collection, of one parent or of all.
    pub(crate) fn new(collection: Collection, parent: Option<&[u8; 16]>) -> Self {
        let first = start(collection, parent);
        let prefix = if parent.is_some() { 17 } else { 1 };
        Self {
            first,
            end: after(first, prefix),
        }
    }

    /// The keys of a collection and parent whose id begins with one of these bytes.
    pub(crate) fn bucket(
        collection: Collection,
        parent: &[u8; 16],
        bytes: &RangeInclusive<u8>,
    ) -> Self {
        let mut first = start(collection, Some(parent));
        let mut last = first;
        (first[17], last[17]) = (*bytes.start(), *bytes.end());
        Self {
            first,
            end: after(last, 18),
        }
    }
}

fn start(collection: Collection, parent: Option<&[u8; 16]>) -> [u8; KEY_BYTES] {
    let mut first = [0; KEY_BYTES];
    first[0] = collection.number();
    first[1..17].copy_from_slice(parent.unwrap_or(&[0; 16]));
    first
}

/// The least key that does not begin as this one does.
fn after(mut key: [u8; KEY_BYTES], prefix: usize) -> [u8; KEY_BYTES] {
    key[prefix..].fill(0);
    // The first byte is a collection's number, far from 255, so the carry ends there at last.
    for byte in key[..prefix].iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    key
}

/// The keys that one commit touches.
pub(crate) type Changed = Vec<[u8; KEY_BYTES]>;

/// Which records the last commits touched, oldest first, as far back as there is room.
///
/// It is kept in one row with the counter of changes and the log's head, so that remembering costs
/// a commit no page of its own. Who asks for more than it holds is told to read everything.
///
/// Each commit: how many keys, two bytes, big-endian; the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Recent(Vec<u8>);

impl Recent {
    /// The bytes that a database kept.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds a commit and forgets the oldest for it.
    pub(crate) fn push(&mut self, mut keys: Changed) -> Result<(), StoreError> {
        keys.sort_unstable();
        keys.dedup();
        let length = 2 + keys.len() * KEY_BYTES;
        let Some(room) = RECENT_MAX.checked_sub(length) else {
            // Too many to remember. Whoever asks finds fewer commits than it counts.
            self.0.clear();
            return Ok(());
        };
        let mut first = 0;
        while self.0.len() - first > room {
            let (_, rest) = split_commit(&self.0[first..])?;
            first = self.0.len() - rest.len();
        }
        self.0.drain(..first);
        let count = u16::try_from(keys.len()).map_err(|_| misuse("a commit has too many keys"))?;
        self.0.extend_from_slice(&count.to_be_bytes());
        self.0.extend_from_slice(&keys.concat());
        Ok(())
    }

    /// What changed after `since`, where `next` counts the commits so far.
    pub(crate) fn changes(&self, since: u64, next: u64) -> Result<Changes, StoreError> {
        let mut commits = Vec::new();
        let mut rest = self.0.as_slice();
        while !rest.is_empty() {
            let (keys, behind) = split_commit(rest)?;
            commits.push(keys);
            rest = behind;
        }
        // 0 names no point; one beyond the end was named by a store that has been put back.
        let wanted = next.checked_sub(since).filter(|_| since != 0);
        let wanted = wanted.and_then(|count| usize::try_from(count).ok());
        let Some(first) = wanted.and_then(|count| commits.len().checked_sub(count)) else {
            return Ok(Changes::Everything { next });
        };
        let touched = commits[first..]
            .iter()
            .flat_map(|keys| keys.chunks_exact(KEY_BYTES));
        let mut keys = touched.map(key_from).collect::<Result<Vec<_>, _>>()?;
        keys.sort_unstable();
        keys.dedup();
        Ok(Changes::Records { next, keys })
    }
}

fn split_commit(bytes: &[u8]) -> Result<(&[u8], &[u8]), StoreError> {
    let split = || {
        let (count, rest) = bytes.split_first_chunk()?;
        rest.split_at_checked(usize::from(u16::from_be_bytes(*count)) * KEY_BYTES)
    };
    split().ok_or_else(|| damaged("its list of changes has an unknown form"))
}

pub(crate) fn misuse(reason: &str) -> StoreError {
    StoreError::Failed {
        reason: reason.to_owned(),
        source: None,
    }
}

pub(crate) fn damaged(reason: &str) -> StoreError {
    StoreError::Damaged {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
