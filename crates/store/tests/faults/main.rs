//! What stands in the way of a SQLite store: damage, other people's files, full disks, killed
//! processes.
//!
//! Some tests run this program again as a child: the same test, told by [`ROLE`] to play its part.
#![allow(
    clippy::disallowed_methods,
    reason = "tests damage files, start processes and play parts told by the environment"
)]

mod damage;
mod full;
mod identity;
mod killed;
mod paths;
mod processes;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};
use subrosa_store::sqlite::{CreateOptions, OpenOptions, SqliteStore};
use subrosa_vault::port::{Batch, Collection, Expect, Record, RecordKey, VaultStore, Write};

/// Tells a child the folder that it works on, and thereby that it is one.
const ROLE: &str = "SUBROSA_STORE_TEST_CHILD";

/// The folder that a child is to work on; `None` in the test itself.
fn role() -> Option<PathBuf> {
    std::env::var_os(ROLE).map(PathBuf::from)
}

/// This program, about to run one test as a child. What it says goes to its standard error.
fn child(program: &Path, test: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ROLE, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn create(path: &Path) -> SqliteStore {
    SqliteStore::create(path, &CreateOptions::default()).unwrap()
}

fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, &OpenOptions::default())
}

fn key(collection: Collection, number: u64) -> RecordKey {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&number.to_be_bytes());
    RecordKey {
        collection,
        parent: [1; 16],
        id,
    }
}

/// The body of the record of a step: its length and bytes follow from the number.
fn body(number: u64) -> Vec<u8> {
    let length = [40, 700, 9000][usize::try_from(number % 3).unwrap()];
    number
        .to_be_bytes()
        .into_iter()
        .cycle()
        .take(length)
        .collect()
}

/// The `number`th commit of a store that counts its commits in a record, in its log, and in as many
/// other records.
fn step(number: u64) -> Batch {
    let counter = key(Collection::State, 0);
    let before = number - 1;
    let put = |key, revision, body| {
        Write::Put(Record {
            key,
            revision,
            body,
        })
    };
    let head = |number: u64| number.to_be_bytes().to_vec();
    Batch {
        expect: vec![Expect {
            key: counter,
            revision: (before > 0).then_some(before),
        }],
        writes: vec![
            put(counter, number, head(number)),
            put(key(Collection::Value, number), 1, body(number)),
        ],
        log: Some(LogAppend {
            expected: (before > 0).then(|| head(before)),
            rows: vec![LogRow {
                sequence: number,
                body: body(number),
            }],
            head: LogHead {
                sequence: number,
                body: head(number),
            },
        }),
        yields: false,
    }
}

/// How many steps a store has done, after a look at everything that they wrote.
fn steps_done(store: &mut SqliteStore) -> Result<u64, StoreError> {
    let mut found = Vec::new();
    let (count, head) = {
        let mut snapshot = store.snapshot()?;
        let counter = snapshot.get(&key(Collection::State, 0))?;
        snapshot.scan(Collection::Value, None, &mut |record| {
            found.push((record.key, record.body.to_vec()));
            ControlFlow::Continue(())
        })?;
        (
            counter.map_or(0, |counter| counter.revision),
            snapshot.log_head()?,
        )
    };
    let wanted = (1..=count).map(|number| (key(Collection::Value, number), body(number)));
    assert!(
        found.into_iter().eq(wanted),
        "a record is missing, wrong or too many"
    );
    assert_eq!(head.map_or(0, |head| head.sequence), count);
    let rows = store.rows(0, usize::MAX)?;
    let wanted = (1..=count).map(|sequence| LogRow {
        sequence,
        body: body(sequence),
    });
    assert!(
        rows.into_iter().eq(wanted),
        "a row of the log is missing, wrong or too many"
    );
    Ok(count)
}

/// xorshift64*: the same choices in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % bound
    }
}
