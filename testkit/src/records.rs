//! A vault's store in memory, whose content a test can reach and change like an attacker.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subrosa_model::{LogHead, LogRow, StoreError};
use subrosa_vault::port::{
    Batch, Changes, Collection, Record, RecordKey, RecordRef, Snapshot, VaultStore, Write,
};

/// Everything in a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordContents {
    /// Records: revision and body.
    pub records: BTreeMap<RecordKey, (u64, Vec<u8>)>,
    /// Rows of the log.
    pub rows: BTreeMap<u64, Vec<u8>>,
    /// The head of the log.
    pub head: Option<LogHead>,
    /// How many commits there were.
    pub commits: u64,
}

/// A store in memory; clones share their content.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(Arc<Mutex<RecordContents>>);

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The content, to look at and to change behind everybody's back.
    pub fn contents(&self) -> MutexGuard<'_, RecordContents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy with content of its own, as a file that was copied away.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.contents().clone())))
    }
}

impl VaultStore for MemoryStore {
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(View(self.contents().clone())))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut contents = self.contents();
        let mut next = contents.clone();
        for expect in &batch.expect {
            if next.records.get(&expect.key).map(|(revision, _)| *revision) != expect.revision {
                return Err(StoreError::Conflict);
            }
        }
        for write in &batch.writes {
            match write {
                Write::Put(record) => {
                    next.records
                        .insert(record.key, (record.revision, record.body.clone()));
                }
                Write::Remove(key) => {
                    next.records.remove(key).ok_or(StoreError::Conflict)?;
                }
                Write::RemoveAll { collection, parent } => {
                    next.records
                        .retain(|key, _| key.collection != *collection || key.parent != *parent);
                }
            }
        }
        if let Some(log) = &batch.log {
            if next.head.as_ref().map(|head| &head.body) != log.expected.as_ref() {
                return Err(StoreError::Conflict);
            }
            next.rows
                .extend(log.rows.iter().map(|row| (row.sequence, row.body.clone())));
            next.head = Some(log.head.clone());
        }
        next.commits += 1;
        *contents = next;
        Ok(())
    }

    fn changes(&mut self, _since: u64) -> Result<Changes, StoreError> {
        Ok(Changes::Everything {
            next: self.contents().commits,
        })
    }
}

struct View(RecordContents);

impl View {
    fn visit(
        &self,
        wanted: impl Fn(&RecordKey) -> bool,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) {
        for (key, (revision, body)) in self.0.records.iter().filter(|(key, _)| wanted(key)) {
            if visit(RecordRef {
                key: *key,
                revision: *revision,
                body,
            })
            .is_break()
            {
                return;
            }
        }
    }
}

impl Snapshot for View {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        let found = self.0.records.get(key);
        Ok(found.map(|(revision, body)| Record {
            key: *key,
            revision: *revision,
            body: body.clone(),
        }))
    }

    fn scan(
        &mut self,
        collection: Collection,
        parent: Option<&[u8; 16]>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.visit(
            |key| key.collection == collection && parent.is_none_or(|parent| key.parent == *parent),
            visit,
        );
        Ok(())
    }

    fn scan_bucket(
        &mut self,
        collection: Collection,
        parent: &[u8; 16],
        first: RangeInclusive<u8>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.visit(
            |key| {
                key.collection == collection && key.parent == *parent && first.contains(&key.id[0])
            },
            visit,
        );
        Ok(())
    }

    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        Ok(self.0.head.clone())
    }

    fn log_rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let rows = self.0.rows.range(from..).take(limit);
        Ok(rows
            .map(|(sequence, body)| LogRow {
                sequence: *sequence,
                body: body.clone(),
            })
            .collect())
    }
}
