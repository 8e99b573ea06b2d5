//! What a durable commit and a scan cost, beside bare SQLite: `cargo bench -p subrosa-store`.
//!
//! A commit here is what `set` writes: a value, a head, the state of the vault and an audit record
//! with its head. Bare SQLite writes one row of a secret's size, each in its own transaction, with
//! `synchronous=FULL`, in the faster of its journal modes.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark measures time and prints"
)]
#![allow(missing_docs)]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use subrosa_model::{LogAppend, LogHead, LogRow};
use subrosa_store::sqlite::{CreateOptions, SqliteStore};
use subrosa_vault::port::{Batch, Collection, Expect, Record, RecordKey, VaultStore, Write};

const COMMITS: u64 = 1000;
const HEADS: u64 = 100_000;
const ROUNDS: usize = 7;

fn main() {
    let home = tempfile::tempdir().expect("a temporary folder");
    // `cargo bench` adds flags of its own; a word chooses one part.
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|word| word == part);
    if wanted("commits") {
        commits(home.path());
    }
    if wanted("scans") {
        scans(home.path());
    }
}

fn commits(home: &Path) {
    let mut bare = Vec::new();
    let mut ours = Vec::new();
    for round in 0..ROUNDS {
        bare.push(bare_inserts(&home.join(format!("bare-{round}.db"))));
        ours.push(our_commits(&home.join(format!("ours-{round}/vault.db"))));
    }
    // The best round is the one that other programs disturbed least.
    for (what, pick) in [
        ("median", median as fn(&[Duration]) -> Duration),
        ("best", best),
    ] {
        let (bare, ours) = (pick(&bare), pick(&ours));
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        println!(
            "{COMMITS} bare inserts {:>7.1} ms, commits {:>7.1} ms: {ratio:.2} times ({what})",
            milliseconds(bare),
            milliseconds(ours),
        );
    }
}

fn bare_inserts(path: &Path) -> Duration {
    let conn = Connection::open(path).expect("a database");
    conn.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE secret (id INTEGER PRIMARY KEY, name TEXT, value BLOB)",
    )
    .expect("a table");
    let value = [7; 200];
    let start = Instant::now();
    for at in 0..COMMITS {
        conn.prepare_cached("INSERT INTO secret (name, value) VALUES (?1, ?2)")
            .and_then(|mut insert| insert.execute((format!("service/{at}/key"), value)))
            .expect("an insert");
    }
    start.elapsed()
}

fn our_commits(path: &Path) -> Duration {
    let mut store = SqliteStore::create(path, &CreateOptions::default()).expect("a store");
    let mut random = Random(1);
    let state = RecordKey {
        collection: Collection::State,
        parent: [0; 16],
        id: [0; 16],
    };
    let mut before: Option<Vec<u8>> = None;
    let start = Instant::now();
    for at in 1..=COMMITS {
        let secret = random.id();
        let head = RecordKey {
            collection: Collection::Head,
            parent: [1; 16],
            id: random.id(),
        };
        let value = RecordKey {
            collection: Collection::Value,
            parent: secret,
            id: random.id(),
        };
        let expect = |key, revision| Expect { key, revision };
        let log_head = random.bytes(200);
        let batch = Batch {
            expect: vec![
                expect(head, None),
                expect(value, None),
                expect(state, at.checked_sub(1).filter(|old| *old > 0)),
            ],
            writes: vec![
                put(value, 1, random.bytes(200)),
                put(head, 1, random.bytes(400)),
                put(state, at, random.bytes(4200)),
            ],
            log: Some(LogAppend {
                expected: before.take(),
                rows: vec![LogRow {
                    sequence: at,
                    body: random.bytes(700),
                }],
                head: LogHead {
                    sequence: at,
                    body: log_head.clone(),
                },
            }),
            yields: false,
        };
        store.commit(&batch).expect("a commit");
        before = Some(log_head);
    }
    start.elapsed()
}

fn scans(home: &Path) {
    let mut store = SqliteStore::create(&home.join("scan/vault.db"), &CreateOptions::default())
        .expect("a store");
    let mut random = Random(2);
    let mut writes = Vec::new();
    for at in 0..HEADS {
        let head = RecordKey {
            collection: Collection::Head,
            parent: [1; 16],
            id: random.id(),
        };
        let value = RecordKey {
            collection: Collection::Value,
            parent: random.id(),
            id: random.id(),
        };
        writes.push(put(value, 1, random.bytes(200)));
        writes.push(put(head, 1, random.bytes(350)));
        // As secrets come in over time, their heads and values lie mixed in the file.
        if at % 1000 == 999 {
            let writes = std::mem::take(&mut writes);
            store
                .commit(&Batch {
                    writes,
                    ..Batch::default()
                })
                .expect("a commit");
        }
    }
    let mut taken = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let (mut count, mut bytes) = (0, 0);
        let mut snapshot = store.snapshot().expect("a snapshot");
        snapshot
            .scan(Collection::Head, Some(&[1; 16]), &mut |record| {
                count += 1;
                bytes += record.body.len();
                ControlFlow::Continue(())
            })
            .expect("a scan");
        taken.push(start.elapsed());
        assert_eq!(count, HEADS);
    }
    println!(
        "scan of {HEADS} heads {:>7.1} ms (median), {:.1} ms (best)",
        milliseconds(median(&taken)),
        milliseconds(best(&taken)),
    );
}

fn put(key: RecordKey, revision: u64, body: Vec<u8>) -> Write {
    Write::Put(Record {
        key,
        revision,
        body,
    })
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

fn best(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// xorshift64*: the same bytes in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }

    fn id(&mut self) -> [u8; 16] {
        let mut id = [0; 16];
        id.copy_from_slice(&self.bytes(16));
        id
    }
}
