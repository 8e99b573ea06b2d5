//! One suite over every store.
#![allow(
    clippy::disallowed_methods,
    reason = "tests own their folders and measure nothing"
)]

mod changes;
mod concurrent;
mod log;
mod model;
mod places;
mod records;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, VaultId};
use subrosa_store::postgres::PgStore;
use subrosa_store::sqlite::{CreateOptions, OpenOptions, SqliteStore};
use subrosa_vault::port::{
    Batch, Collection, Expect, Record, RecordKey, RecordRef, VaultStore, Write,
};

/// A kind of store, as the suite sees it.
trait StoreUnderTest: Sized + Sync {
    /// A handle on it.
    type Handle: VaultStore + LogStore + Send + 'static;

    /// A place for stores.
    fn new() -> Self;

    /// Makes an empty store and opens it.
    fn make(&self) -> (Self::Handle, Place);

    /// Opens the same store once more, with a handle of its own.
    fn open(&self, place: &Place) -> Self::Handle;
}

/// Which store of a kind.
#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Vault(VaultId),
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

struct Sqlite(tempfile::TempDir);

impl StoreUnderTest for Sqlite {
    type Handle = SqliteStore;

    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn make(&self) -> (Self::Handle, Place) {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = self.0.path().join(format!("{number}/vault.db"));
        let store = SqliteStore::create(&path, &CreateOptions::default()).unwrap();
        (store, Place::File(path))
    }

    fn open(&self, place: &Place) -> Self::Handle {
        let Place::File(path) = place else {
            unreachable!("another kind's place")
        };
        SqliteStore::open(path, &OpenOptions::default()).unwrap()
    }
}

struct Postgres(String);

impl StoreUnderTest for Postgres {
    type Handle = PgStore;

    fn new() -> Self {
        Self(subrosa_testkit::postgres().database())
    }

    fn make(&self) -> (Self::Handle, Place) {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let vault = VaultId::from_bytes(u128::from(number).to_be_bytes());
        (
            PgStore::create(&self.0, vault).unwrap(),
            Place::Vault(vault),
        )
    }

    fn open(&self, place: &Place) -> Self::Handle {
        let Place::Vault(vault) = place else {
            unreachable!("another kind's place")
        };
        PgStore::open(&self.0, *vault).unwrap()
    }
}

/// Runs each function of the suite over each kind of store.
macro_rules! suite {
    ($($module:ident: $($test:ident),+ $(,)?;)+) => {
        mod sqlite {
            $(mod $module { $(
                #[test]
                fn $test() {
                    crate::$module::$test::<crate::Sqlite>();
                }
            )+ })+
        }
        mod postgres {
            $(mod $module { $(
                #[test]
                fn $test() {
                    crate::$module::$test::<crate::Postgres>();
                }
            )+ })+
        }
    };
}

suite! {
    records:
        what_is_put_is_read_by_every_handle,
        scans_are_in_order_and_keep_to_their_range,
        a_scan_ends_when_the_visitor_breaks,
        expectations_decide,
        removals,
        writes_happen_in_order,
        a_failing_batch_leaves_nothing,
        an_empty_batch_only_checks,
        a_snapshot_does_not_move,
        bodies_of_every_length,
        counters_out_of_range_are_refused;
    log:
        rows_follow_the_head,
        a_head_may_change_alone,
        rows_with_gaps_are_refused,
        a_restored_log_may_begin_late,
        rows_come_in_pages,
        a_prune_keeps_what_it_names,
        a_change_and_its_record_are_one;
    changes:
        the_first_answer_is_everything,
        each_record_once,
        what_was_removed_is_named,
        too_long_ago_is_everything,
        too_many_records_are_everything,
        rows_of_the_log_are_no_change;
    concurrent:
        no_increment_is_lost,
        one_chain_from_many_writers;
    model:
        behaves_like_a_store_in_memory;
}

fn key(collection: Collection, parent: u8, id: u8) -> RecordKey {
    RecordKey {
        collection,
        parent: [parent; 16],
        id: [id; 16],
    }
}

fn head(id: u8) -> RecordKey {
    key(Collection::Head, 1, id)
}

fn record(key: RecordKey, revision: u64, body: &[u8]) -> Record {
    Record {
        key,
        revision,
        body: body.to_vec(),
    }
}

fn put(key: RecordKey, revision: u64, body: &[u8]) -> Write {
    Write::Put(record(key, revision, body))
}

fn expect(key: RecordKey, revision: Option<u64>) -> Expect {
    Expect { key, revision }
}

fn writes(writes: Vec<Write>) -> Batch {
    Batch {
        writes,
        ..Batch::default()
    }
}

/// Rows with these sequences, on top of the head with this body.
fn append(expected: Option<&str>, sequences: &[u64], head: (u64, &str)) -> LogAppend {
    LogAppend {
        expected: expected.map(|body| body.as_bytes().to_vec()),
        rows: sequences
            .iter()
            .map(|sequence| LogRow {
                sequence: *sequence,
                body: format!("row {sequence}").into(),
            })
            .collect(),
        head: LogHead {
            sequence: head.0,
            body: head.1.as_bytes().to_vec(),
        },
    }
}

/// All records, in the order of the scans.
fn records_of(store: &mut dyn VaultStore) -> Vec<Record> {
    Collection::ALL
        .into_iter()
        .flat_map(|collection| records_in(store, collection))
        .collect()
}

fn records_in(store: &mut dyn VaultStore, collection: Collection) -> Vec<Record> {
    let mut found = Vec::new();
    let mut visit = |record: RecordRef<'_>| {
        found.push(Record {
            key: record.key,
            revision: record.revision,
            body: record.body.to_vec(),
        });
        ControlFlow::Continue(())
    };
    store
        .snapshot()
        .unwrap()
        .scan(collection, None, &mut visit)
        .unwrap();
    found
}

/// The sequences of all rows.
fn sequences(store: &mut impl LogStore) -> Vec<u64> {
    store
        .rows(0, usize::MAX)
        .unwrap()
        .iter()
        .map(|row| row.sequence)
        .collect()
}
