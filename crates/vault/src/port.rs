//! The vault's port to a store: opaque records, compare-and-swap, one transaction a commit.
//!
//! Only ciphertext and keyed hashes cross it. A store knows collections, parents and ids; what a
//! body means it never learns. A secret is found by its record's id, which is a keyed hash of its
//! name, so a store needs no other index.

use std::ops::{ControlFlow, RangeInclusive};

use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};

/// What kind of record. The numbers are the format's (`spec/vault.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Collection {
    /// The one header: format, vault id.
    Header = 1,
    /// Ways to open the vault.
    Slot = 2,
    /// Workspaces, with their wrapped keys.
    Workspace = 3,
    /// One record for each secret: everything about it but its values.
    Head = 4,
    /// One record for each value of a field.
    Value = 5,
    /// Sealed documents: policy, key ring of the log, settings.
    Document = 6,
    /// What binds the set of records together.
    State = 7,
    /// What a list tells of the secrets of a large workspace. Made anew whenever it is missing.
    Index = 8,
}

impl Collection {
    /// Every collection.
    pub const ALL: [Self; 8] = [
        Self::Header,
        Self::Slot,
        Self::Workspace,
        Self::Head,
        Self::Value,
        Self::Document,
        Self::State,
        Self::Index,
    ];

    /// The format's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// From the format's number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.number() == number)
    }
}

/// Where a record stands. Unique in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// Its kind.
    pub collection: Collection,
    /// What it belongs to: a workspace for heads, a secret for values, zeros otherwise.
    pub parent: [u8; 16],
    /// Its id within the parent.
    pub id: [u8; 16],
}

/// A record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub key: RecordKey,
    /// Counts writes of this record, from 1. Chosen by the vault, compared by the store.
    pub revision: u64,
    /// Opaque.
    pub body: Vec<u8>,
}

/// A record that is being read.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    /// Where it stands.
    pub key: RecordKey,
    /// Counts writes of this record.
    pub revision: u64,
    /// Opaque; valid during the visit.
    pub body: &'a [u8],
}

/// What must hold for a commit to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// The record.
    pub key: RecordKey,
    /// Its revision; `None` when it must not exist.
    pub revision: Option<u64>,
}

/// One write of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Creates or replaces a record.
    Put(Record),
    /// Removes a record; removing what is not there is an error of the caller and a conflict.
    Remove(RecordKey),
    /// Removes every record of a collection under a parent.
    RemoveAll {
        /// The collection.
        collection: Collection,
        /// The parent.
        parent: [u8; 16],
    },
}

/// A change that happens whole and durably, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Checked first, inside the transaction.
    pub expect: Vec<Expect>,
    /// Carried out in order.
    pub writes: Vec<Write>,
    /// The audit record of this very change.
    pub log: Option<LogAppend>,
    /// Gives up with [`StoreError::Busy`] at once while somebody else writes: for what can as well
    /// be written another time.
    pub yields: bool,
}

/// What changed since a point that an earlier answer named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// These records were written or removed; ask from `next` the next time.
    Records {
        /// The point to ask from next.
        next: u64,
        /// The records, each once, in no particular order.
        keys: Vec<RecordKey>,
    },
    /// Too long ago: read everything again, then ask from `next`.
    Everything {
        /// The point to ask from next.
        next: u64,
    },
}

/// One consistent view of a store.
pub trait Snapshot {
    /// One record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError>;

    /// Visits all records of a collection, of one parent or of all, in ascending order of parent
    /// and id, until the visitor breaks.
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan(
        &mut self,
        collection: Collection,
        parent: Option<&[u8; 16]>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Visits the records of a collection and parent whose id begins with a byte of `first`, as above.
    ///
    /// # Errors
    /// [`StoreError`].
    fn scan_bucket(
        &mut self,
        collection: Collection,
        parent: &[u8; 16],
        first: RangeInclusive<u8>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// The head of the log in this view.
    ///
    /// # Errors
    /// [`StoreError`].
    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError>;

    /// Up to `limit` rows of the log from `from` (inclusive) upwards, ascending.
    ///
    /// # Errors
    /// [`StoreError`].
    fn log_rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError>;
}

/// Where a vault's records are kept. Blocking.
pub trait VaultStore: Send {
    /// A consistent view; writes of others do not appear in it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError>;

    /// Carries out a batch. When this returns `Ok`, the batch survives a crash and power loss.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an expectation or the log's head does not hold; nothing was
    /// written then.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Records that changed since `since`, which an earlier answer named; 0 answers
    /// [`Changes::Everything`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn changes(&mut self, since: u64) -> Result<Changes, StoreError>;
}
