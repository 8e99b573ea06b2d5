//! What several targets share: a store in memory, and what holds of every import; a world for
//! scripts.

pub mod scripts;

use std::collections::BTreeMap;
use std::ops::{ControlFlow, RangeInclusive};

use subrosa_engine::import::entry::{Found, Wrong};
use subrosa_engine::import::outline;
use subrosa_model::{LogHead, LogRow, StoreError};
use subrosa_vault::port::{
    Batch, Changes, Collection, Record, RecordKey, RecordRef, Snapshot, VaultStore, Write,
};

/// What holds of every parser of items: the same file gives the same names, keys are valid and
/// differ, and no error tells a part of a value.
pub fn items(data: &[u8], parse: impl Fn(&[u8]) -> Result<Found, Wrong>) {
    // The longest texts are what is most likely to be a value.
    let told = |said: &str| {
        let words = data.split(|byte| !byte.is_ascii_alphanumeric());
        let long = words.filter(|word| word.len() >= 16);
        long.filter_map(|word| std::str::from_utf8(word).ok())
            .any(|word| said.contains(word))
    };
    let (found, again) = match (parse(data), parse(data)) {
        (Ok(found), Ok(again)) => (found, again),
        (Err(wrong), Err(_)) => {
            let said = format!("{wrong:?}");
            assert!(!told(&said), "{said}");
            return;
        }
        _ => panic!("the second reading ends otherwise"),
    };
    let secret = |entry: &&subrosa_engine::import::entry::Entry| {
        entry.fields.iter().any(|field| field.sensitive)
    };
    let entries = found.entries.iter().filter(secret).count();
    match (outline("fuzz", found), outline("fuzz", again)) {
        (Ok(names), Ok(again)) => {
            assert_eq!(names, again);
            assert_eq!(names.len(), entries);
            let keys: std::collections::BTreeSet<_> = names.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), names.len(), "keys differ");
            for (_, fields) in &names {
                let all: std::collections::BTreeSet<_> = fields.iter().collect();
                assert_eq!(all.len(), fields.len(), "fields differ");
            }
        }
        (Err(error), Err(_)) => {
            let said = format!("{error} {error:?}");
            assert!(!told(&said), "{said}");
        }
        _ => panic!("the second outline ends otherwise"),
    }
}

/// Keeps what is written; knows no transactions.
#[derive(Default)]
pub struct Memory {
    /// All records.
    pub records: BTreeMap<RecordKey, Record>,
    /// All rows of the log.
    pub rows: Vec<LogRow>,
    /// The log's head.
    pub head: Option<LogHead>,
}

impl Memory {
    /// Puts a record without parent.
    pub fn put(&mut self, collection: Collection, id: [u8; 16], body: &[u8]) {
        let key = RecordKey {
            collection,
            parent: [0; 16],
            id,
        };
        self.records.insert(
            key,
            Record {
                key,
                revision: 1,
                body: body.to_vec(),
            },
        );
    }
}

impl VaultStore for Memory {
    fn snapshot(&mut self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        Ok(Box::new(View(self)))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        for expect in &batch.expect {
            let found = self.records.get(&expect.key).map(|record| record.revision);
            if found != expect.revision {
                return Err(StoreError::Conflict);
            }
        }
        for write in &batch.writes {
            match write {
                Write::Put(record) => {
                    self.records.insert(record.key, record.clone());
                }
                Write::Remove(key) => {
                    self.records.remove(key).ok_or(StoreError::Conflict)?;
                }
                Write::RemoveAll { collection, parent } => {
                    self.records
                        .retain(|key, _| (key.collection, key.parent) != (*collection, *parent));
                }
            }
        }
        if let Some(log) = &batch.log {
            self.rows.extend(log.rows.iter().cloned());
            self.head = Some(log.head.clone());
        }
        Ok(())
    }

    fn changes(&mut self, _since: u64) -> Result<Changes, StoreError> {
        Ok(Changes::Everything { next: 1 })
    }
}

struct View<'a>(&'a Memory);

impl View<'_> {
    fn visit(
        &self,
        wanted: impl Fn(&RecordKey) -> bool,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) {
        for (key, record) in self.0.records.iter().filter(|(key, _)| wanted(key)) {
            let read = RecordRef {
                key: *key,
                revision: record.revision,
                body: &record.body,
            };
            if visit(read).is_break() {
                return;
            }
        }
    }
}

impl Snapshot for View<'_> {
    fn get(&mut self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        Ok(self.0.records.get(key).cloned())
    }

    fn scan(
        &mut self,
        collection: Collection,
        parent: Option<&[u8; 16]>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let wanted = |key: &RecordKey| {
            key.collection == collection && parent.is_none_or(|parent| *parent == key.parent)
        };
        self.visit(wanted, visit);
        Ok(())
    }

    fn scan_bucket(
        &mut self,
        collection: Collection,
        parent: &[u8; 16],
        first: RangeInclusive<u8>,
        visit: &mut dyn FnMut(RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let wanted = |key: &RecordKey| {
            (key.collection, &key.parent) == (collection, parent) && first.contains(&key.id[0])
        };
        self.visit(wanted, visit);
        Ok(())
    }

    fn log_head(&mut self) -> Result<Option<LogHead>, StoreError> {
        Ok(self.0.head.clone())
    }

    fn log_rows(&mut self, from: u64, limit: usize) -> Result<Vec<LogRow>, StoreError> {
        let rows = self.0.rows.iter().filter(|row| row.sequence >= from);
        Ok(rows.take(limit).cloned().collect())
    }
}
