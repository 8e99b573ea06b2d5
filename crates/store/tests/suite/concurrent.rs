//! Several writers at once, each with a handle of its own.

use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, LogRow, StoreError};
use subrosa_vault::port::{Batch, VaultStore};

use crate::{Place, StoreUnderTest, expect, head, put, records_of, sequences, writes};

const INCREMENTS: u64 = 200;
const WRITERS: u64 = 2;

pub(crate) fn no_increment_is_lost<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    store
        .commit(&writes(vec![put(head(1), 1, &0_u64.to_be_bytes())]))
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            let mut handle = home.open(&place);
            scope.spawn(move || (0..INCREMENTS).for_each(|_| increment(&mut handle)));
        }
    });
    let found = &records_of(&mut store)[0];
    assert_eq!(found.revision, 1 + WRITERS * INCREMENTS);
    assert_eq!(found.body, (WRITERS * INCREMENTS).to_be_bytes());
}

/// Adds one to a counter, as often as it takes.
fn increment(store: &mut impl VaultStore) {
    loop {
        let found = store.snapshot().unwrap().get(&head(1)).unwrap().unwrap();
        let count = u64::from_be_bytes(found.body.try_into().unwrap()) + 1;
        let batch = Batch {
            expect: vec![expect(head(1), Some(found.revision))],
            writes: vec![put(head(1), found.revision + 1, &count.to_be_bytes())],
            log: None,
            yields: false,
        };
        match store.commit(&batch) {
            Ok(()) => return,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

pub(crate) fn one_chain_from_many_writers<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let (home, place) = (&home, &place);
            scope.spawn(move || write_rows(home, place, writer));
        }
    });
    let rows = store.rows(0, usize::MAX).unwrap();
    assert_eq!(sequences(&mut store), (1..=3 * 60).collect::<Vec<_>>());
    // Each writer's rows are all there, in its own order.
    for writer in 0..3_u8 {
        let own: Vec<u8> = rows
            .iter()
            .filter(|row| row.body[0] == writer)
            .map(|row| row.body[1])
            .collect();
        assert_eq!(own, (0..60).collect::<Vec<_>>());
    }
    // The records of the first writer's commits, which went with its rows.
    assert_eq!(records_of(&mut store).len(), 60);
}

/// The first writer's rows come with a change each, as a vault's do, the others' without.
fn write_rows<S: StoreUnderTest>(home: &S, place: &Place, writer: u8) {
    let mut store = home.open(place);
    for at in 0..60 {
        loop {
            let before = LogStore::log_head(&mut store).unwrap();
            let sequence = before.as_ref().map_or(0, |head| head.sequence) + 1;
            let append = LogAppend {
                expected: before.map(|head| head.body),
                rows: vec![LogRow {
                    sequence,
                    body: vec![writer, at],
                }],
                head: LogHead {
                    sequence,
                    body: vec![writer, at, 0xff],
                },
            };
            let done = if writer == 0 {
                let writes = vec![put(head(at), 1, b"")];
                store.commit(&Batch {
                    writes,
                    log: Some(append),
                    ..Batch::default()
                })
            } else {
                store.append(&append)
            };
            match done {
                Ok(()) => break,
                Err(StoreError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
