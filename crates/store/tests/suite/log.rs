//! The log: rows, head, pruning.

use subrosa_audit::LogStore;
use subrosa_model::{LogAppend, LogHead, StoreError};
use subrosa_vault::port::{Batch, VaultStore};

use crate::records::conflicts;
use crate::{StoreUnderTest, append, expect, head, put, records_of, sequences};

pub(crate) fn rows_follow_the_head<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    let mut other = home.open(&place);
    assert_eq!(store.log_head().unwrap(), None);
    assert_eq!(store.rows(0, 10).unwrap(), []);
    conflicts(store.append(&append(Some("h0"), &[1], (1, "h1"))));
    store.append(&append(None, &[1, 2], (2, "h2"))).unwrap();
    conflicts(other.append(&append(None, &[1], (1, "h1"))));
    other.append(&append(Some("h2"), &[3], (3, "h3"))).unwrap();
    conflicts(store.append(&append(Some("h2"), &[3], (3, "mine"))));
    assert_eq!(
        store.log_head().unwrap(),
        Some(LogHead {
            sequence: 3,
            body: b"h3".to_vec()
        })
    );
    let rows = store.rows(0, 10).unwrap();
    let bodies: Vec<_> = rows
        .iter()
        .map(|row| String::from_utf8_lossy(&row.body))
        .collect();
    assert_eq!(bodies, ["row 1", "row 2", "row 3"]);
}

pub(crate) fn a_head_may_change_alone<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    store.append(&append(None, &[], (0, "empty"))).unwrap();
    store
        .append(&append(Some("empty"), &[1], (1, "one")))
        .unwrap();
    store
        .append(&append(Some("one"), &[], (1, "resealed")))
        .unwrap();
    conflicts(store.append(&append(Some("one"), &[2], (2, "two"))));
    store
        .append(&append(Some("resealed"), &[2], (2, "two")))
        .unwrap();
    assert_eq!(sequences(&mut store), [1, 2]);
}

pub(crate) fn rows_with_gaps_are_refused<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    store.append(&append(None, &[1, 2], (2, "h2"))).unwrap();
    for wrong in [
        append(Some("h2"), &[4], (4, "h")),
        append(Some("h2"), &[2], (2, "h")),
        append(Some("h2"), &[3, 5], (5, "h")),
        append(Some("h2"), &[3, 3], (3, "h")),
        append(Some("h2"), &[4, 3], (3, "h")),
        append(Some("h2"), &[3], (4, "h")),
        append(Some("h2"), &[3], (2, "h")),
        append(Some("h2"), &[], (3, "h")),
        append(Some("h2"), &[0], (0, "h")),
    ] {
        let result = store.append(&wrong);
        assert!(
            matches!(result, Err(StoreError::Failed { .. })),
            "{wrong:?}: {result:?}"
        );
        let result = store.commit(&Batch {
            log: Some(wrong),
            ..Batch::default()
        });
        assert!(
            matches!(result, Err(StoreError::Failed { .. })),
            "{result:?}"
        );
    }
    assert_eq!(sequences(&mut store), [1, 2]);
    assert_eq!(store.log_head().unwrap().unwrap().body, b"h2");
}

pub(crate) fn a_restored_log_may_begin_late<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    store
        .append(&append(None, &[501, 502], (502, "h")))
        .unwrap();
    store
        .append(&append(Some("h"), &[503], (503, "i")))
        .unwrap();
    assert_eq!(sequences(&mut store), [501, 502, 503]);
}

pub(crate) fn rows_come_in_pages<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let all: Vec<u64> = (1..=300).collect();
    store.append(&append(None, &all, (300, "h"))).unwrap();
    let mut found = Vec::new();
    while let Some(last) = store
        .rows(found.last().map_or(0, |last| last + 1), 128)
        .unwrap()
        .iter()
        .map(|row| {
            found.push(row.sequence);
            row.sequence
        })
        .last()
    {
        assert!(last <= 300);
    }
    assert_eq!(found, all);
    assert_eq!(store.rows(1, 0).unwrap(), []);
    assert_eq!(store.rows(301, 5).unwrap(), []);
    assert_eq!(store.rows(u64::MAX, 5).unwrap(), []);
    let mut snapshot = store.snapshot().unwrap();
    let rows = snapshot.log_rows(299, 5).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.sequence).collect::<Vec<_>>(),
        [299, 300]
    );
    assert_eq!(snapshot.log_head().unwrap().unwrap().sequence, 300);
}

pub(crate) fn a_prune_keeps_what_it_names<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    store
        .append(&append(None, &[1, 2, 3, 4, 5], (5, "h5")))
        .unwrap();
    conflicts(store.prune(4, &append(Some("h4"), &[6], (6, "h6"))));
    assert_eq!(sequences(&mut store), [1, 2, 3, 4, 5]);
    store
        .prune(4, &append(Some("h5"), &[6], (6, "h6")))
        .unwrap();
    assert_eq!(sequences(&mut store), [4, 5, 6]);
    store
        .prune(2, &append(Some("h6"), &[], (6, "again")))
        .unwrap();
    let beyond = store.prune(8, &append(Some("again"), &[7], (7, "h7")));
    assert!(matches!(beyond, Err(StoreError::Failed { .. })));
    let mut other = home.open(&place);
    assert_eq!(sequences(&mut other), [4, 5, 6]);
    other
        .prune(7, &append(Some("again"), &[7], (7, "h7")))
        .unwrap();
    assert_eq!(sequences(&mut store), [7]);
}

pub(crate) fn a_change_and_its_record_are_one<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    let mut log = home.open(&place);
    let batch = |expected, log: LogAppend| Batch {
        expect: vec![expect(head(1), expected)],
        writes: vec![put(head(1), expected.unwrap_or(0) + 1, b"x")],
        log: Some(log),
        yields: false,
    };
    store
        .commit(&batch(None, append(None, &[1], (1, "h1"))))
        .unwrap();
    // The record fits, the log does not.
    log.append(&append(Some("h1"), &[2], (2, "h2"))).unwrap();
    conflicts(store.commit(&batch(Some(1), append(Some("h1"), &[2], (2, "other")))));
    // The log fits, the record does not.
    conflicts(store.commit(&batch(Some(7), append(Some("h2"), &[3], (3, "h3")))));
    assert_eq!(records_of(&mut store)[0].revision, 1);
    assert_eq!(sequences(&mut log), [1, 2]);
    store
        .commit(&batch(Some(1), append(Some("h2"), &[3], (3, "h3"))))
        .unwrap();
    assert_eq!(records_of(&mut store)[0].revision, 2);
    assert_eq!(sequences(&mut log), [1, 2, 3]);
    // A record of the log alone goes through the same door.
    let alone = Batch {
        log: Some(append(Some("h3"), &[4], (4, "h4"))),
        ..Batch::default()
    };
    store.commit(&alone).unwrap();
    assert_eq!(log.log_head().unwrap().unwrap().body, b"h4");
}
