//! What changed since a point.

use subrosa_audit::LogStore;
use subrosa_vault::port::{Changes, Collection, RecordKey, VaultStore, Write};

use crate::{StoreUnderTest, append, head, key, put, writes};

pub(crate) fn the_first_answer_is_everything<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let start = everything(&mut store, 0);
    assert!(start > 0, "0 would ask for everything for ever");
    assert_eq!(records(&mut store, start), (start, vec![]));
    store.commit(&writes(vec![put(head(1), 1, b"")])).unwrap();
    assert!(everything(&mut store, 0) > start);
    // Named by a store that has been put back since.
    everything(&mut store, start + 1000);
    everything(&mut store, u64::MAX);
}

pub(crate) fn each_record_once<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    let mut reader = home.open(&place);
    let start = everything(&mut reader, 0);
    store
        .commit(&writes(vec![put(head(2), 1, b""), put(head(1), 1, b"")]))
        .unwrap();
    let (between, keys) = records(&mut reader, start);
    assert_eq!(keys, [head(1), head(2)]);
    store
        .commit(&writes(vec![put(head(1), 2, b""), put(head(1), 3, b"")]))
        .unwrap();
    store
        .commit(&writes(vec![put(head(3), 1, b""), put(head(1), 4, b"")]))
        .unwrap();
    let (end, keys) = records(&mut reader, between);
    assert_eq!(keys, [head(1), head(3)]);
    assert_eq!(
        records(&mut reader, start),
        (end, vec![head(1), head(2), head(3)])
    );
    assert_eq!(records(&mut reader, end), (end, vec![]));
}

pub(crate) fn what_was_removed_is_named<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let value = |id| key(Collection::Value, 5, id);
    store
        .commit(&writes(vec![
            put(head(1), 1, b""),
            put(value(1), 1, b""),
            put(value(2), 1, b""),
        ]))
        .unwrap();
    let point = everything(&mut store, 0);
    let all = Write::RemoveAll {
        collection: Collection::Value,
        parent: [5; 16],
    };
    store
        .commit(&writes(vec![Write::Remove(head(1)), all.clone()]))
        .unwrap();
    let (next, keys) = records(&mut store, point);
    assert_eq!(keys, [head(1), value(1), value(2)]);
    // Where nothing was, nothing changed.
    store.commit(&writes(vec![all])).unwrap();
    assert_eq!(records(&mut store, next), (next, vec![]));
}

pub(crate) fn too_long_ago_is_everything<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let mut points = vec![everything(&mut store, 0)];
    for at in 1..=60 {
        store
            .commit(&writes(vec![put(head(1), at, b""), put(head(2), at, b"")]))
            .unwrap();
        points.push(everything(&mut store, 0));
    }
    // From some point on the answer is exact, and before it everything.
    let exact: Vec<bool> = points
        .iter()
        .map(|point| matches!(store.changes(*point).unwrap(), Changes::Records { .. }))
        .collect();
    assert!(exact.is_sorted(), "{exact:?}");
    assert!(!exact[0], "the memory is bounded");
    assert!(exact[points.len() - 20], "an ordinary reader is not behind");
    for (point, exact) in points.iter().zip(exact) {
        if exact && *point != points[60] {
            assert_eq!(
                records(&mut store, *point),
                (points[60], vec![head(1), head(2)])
            );
        }
    }
}

pub(crate) fn too_many_records_are_everything<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    store.commit(&writes(vec![put(head(1), 1, b"")])).unwrap();
    let point = everything(&mut store, 0);
    let many = (0..300_u16).map(|at| {
        let [high, low] = at.to_be_bytes();
        put(
            RecordKey {
                collection: Collection::Value,
                parent: [high; 16],
                id: [low; 16],
            },
            1,
            b"",
        )
    });
    store.commit(&writes(many.collect())).unwrap();
    let after = everything(&mut store, point);
    store.commit(&writes(vec![put(head(1), 2, b"")])).unwrap();
    everything(&mut store, point);
    assert_eq!(records(&mut store, after), (after + 1, vec![head(1)]));
}

pub(crate) fn rows_of_the_log_are_no_change<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let point = everything(&mut store, 0);
    store.append(&append(None, &[1], (1, "h1"))).unwrap();
    store
        .prune(2, &append(Some("h1"), &[2], (2, "h2")))
        .unwrap();
    assert_eq!(records(&mut store, point), (point, vec![]));
}

fn everything(store: &mut impl VaultStore, since: u64) -> u64 {
    match store.changes(since).unwrap() {
        Changes::Everything { next } => next,
        Changes::Records { next, keys } => panic!("since {since}: {next} {keys:?}"),
    }
}

fn records(store: &mut impl VaultStore, since: u64) -> (u64, Vec<RecordKey>) {
    match store.changes(since).unwrap() {
        Changes::Records { next, mut keys } => {
            keys.sort_unstable();
            (next, keys)
        }
        Changes::Everything { next } => panic!("since {since}: everything, {next}"),
    }
}
