//! Records: reading, writing, compare-and-swap.

use std::ops::ControlFlow;

use subrosa_model::StoreError;
use subrosa_store::BODY_MAX;
use subrosa_vault::port::{Batch, Collection, RecordKey, VaultStore, Write};

use crate::{StoreUnderTest, append, expect, head, key, put, record, records_of, writes};

pub(crate) fn what_is_put_is_read_by_every_handle<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    assert_eq!(store.snapshot().unwrap().get(&head(1)).unwrap(), None);
    store
        .commit(&writes(vec![
            put(head(1), 1, b"one"),
            put(head(2), 1, b"two"),
        ]))
        .unwrap();
    store
        .commit(&writes(vec![put(head(1), 2, b"one again")]))
        .unwrap();
    for mut handle in [home.open(&place), store] {
        let mut snapshot = handle.snapshot().unwrap();
        assert_eq!(
            snapshot.get(&head(1)).unwrap(),
            Some(record(head(1), 2, b"one again"))
        );
        assert_eq!(
            snapshot.get(&head(2)).unwrap(),
            Some(record(head(2), 1, b"two"))
        );
        assert_eq!(snapshot.get(&key(Collection::Value, 1, 1)).unwrap(), None);
        assert_eq!(snapshot.get(&key(Collection::Head, 2, 1)).unwrap(), None);
    }
}

pub(crate) fn scans_are_in_order_and_keep_to_their_range<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    // Neighbours on every side of each range, written in no order.
    let mut keys = Vec::new();
    for collection in Collection::ALL {
        for parent in [0, 1, 0x7f, 0x80, 0xfe, 0xff] {
            for id in [0, 1, 0x7f, 0x80, 0xff] {
                keys.push(key(collection, parent, id));
            }
        }
    }
    let mut late = keys.split_off(keys.len() / 2);
    late.reverse();
    keys.reverse();
    for part in [late, keys] {
        let puts = part.iter().map(|key| put(*key, 1, &key.id)).collect();
        store.commit(&writes(puts)).unwrap();
    }
    let all: Vec<RecordKey> = records_of(&mut store)
        .iter()
        .map(|record| record.key)
        .collect();
    assert_eq!(all.len(), Collection::ALL.len() * 6 * 5);
    assert!(all.is_sorted());
    let mut snapshot = store.snapshot().unwrap();
    for collection in Collection::ALL {
        for parent in [0, 1, 2, 0xff] {
            let mut found = Vec::new();
            snapshot
                .scan(collection, Some(&[parent; 16]), &mut |record| {
                    found.push(record.key);
                    ControlFlow::Continue(())
                })
                .unwrap();
            let ids: &[u8] = if parent == 2 {
                &[]
            } else {
                &[0, 1, 0x7f, 0x80, 0xff]
            };
            let wanted: Vec<_> = ids.iter().map(|id| key(collection, parent, *id)).collect();
            assert_eq!(found, wanted, "{collection:?} {parent}");
            for (first, last) in [(0, 0), (2, 5), (0, 1), (2, 0x7f), (0x80, 0xff), (0, 0xff)] {
                let mut found = Vec::new();
                snapshot
                    .scan_bucket(collection, &[parent; 16], first..=last, &mut |record| {
                        found.push((record.key, record.revision, record.body.to_vec()));
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                let inside = ids.iter().filter(|id| (first..=last).contains(id));
                let wanted: Vec<_> = inside
                    .map(|id| (key(collection, parent, *id), 1, vec![*id; 16]))
                    .collect();
                assert_eq!(found, wanted, "{first} to {last}");
            }
        }
    }
}

pub(crate) fn a_scan_ends_when_the_visitor_breaks<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let puts = (0..=255).map(|id| put(head(id), 1, b"")).collect();
    store.commit(&writes(puts)).unwrap();
    let mut snapshot = store.snapshot().unwrap();
    // More and fewer than any batch that a store may fetch at a time.
    for wanted in [1, 63, 64, 65, 200] {
        let mut seen = 0;
        snapshot
            .scan(Collection::Head, None, &mut |_| {
                seen += 1;
                if seen == wanted {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
            .unwrap();
        assert_eq!(seen, wanted);
    }
    assert!(
        snapshot.get(&head(9)).unwrap().is_some(),
        "the snapshot lives on"
    );
}

pub(crate) fn expectations_decide<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    let mut other = home.open(&place);
    let create = |revision| Batch {
        expect: vec![expect(head(1), revision)],
        writes: vec![put(head(1), revision.unwrap_or(0) + 1, b"x")],
        log: None,
        yields: false,
    };
    conflicts(store.commit(&create(Some(1))));
    store.commit(&create(None)).unwrap();
    conflicts(other.commit(&create(None)));
    other.commit(&create(Some(1))).unwrap();
    conflicts(store.commit(&create(Some(1))));
    conflicts(store.commit(&create(Some(3))));
    store.commit(&create(Some(2))).unwrap();
    let all = records_of(&mut other);
    assert_eq!(all, [record(head(1), 3, b"x")]);

    // One expectation that does not hold is enough, wherever it stands.
    let batch = Batch {
        expect: vec![
            expect(head(1), Some(3)),
            expect(head(2), None),
            expect(head(3), Some(1)),
        ],
        writes: vec![put(head(2), 1, b"y")],
        log: None,
        yields: false,
    };
    conflicts(store.commit(&batch));
    assert_eq!(records_of(&mut store), all);
}

pub(crate) fn removals<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let value = |parent, id| key(Collection::Value, parent, id);
    let puts = [
        value(0, 1),
        value(1, 1),
        value(1, 2),
        value(1, 0xff),
        value(2, 0),
        head(1),
    ];
    store
        .commit(&writes(puts.iter().map(|key| put(*key, 1, b"v")).collect()))
        .unwrap();
    store
        .commit(&writes(vec![Write::Remove(value(0, 1))]))
        .unwrap();
    conflicts(store.commit(&writes(vec![
        put(head(9), 1, b""),
        Write::Remove(value(0, 1)),
    ])));
    let all = Write::RemoveAll {
        collection: Collection::Value,
        parent: [1; 16],
    };
    store.commit(&writes(vec![all.clone()])).unwrap();
    let left: Vec<_> = records_of(&mut store)
        .iter()
        .map(|record| record.key)
        .collect();
    assert_eq!(left, [head(1), value(2, 0)]);
    // Nothing there is fine when it was not said what.
    store.commit(&writes(vec![all])).unwrap();
}

pub(crate) fn writes_happen_in_order<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let all = Write::RemoveAll {
        collection: Collection::Head,
        parent: [1; 16],
    };
    store
        .commit(&writes(vec![
            put(head(1), 1, b"a"),
            put(head(1), 2, b"b"),
            put(head(2), 1, b"c"),
            Write::Remove(head(2)),
            put(head(3), 1, b"d"),
            all,
            put(head(4), 1, b"e"),
        ]))
        .unwrap();
    assert_eq!(records_of(&mut store), [record(head(4), 1, b"e")]);
}

pub(crate) fn a_failing_batch_leaves_nothing<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    store
        .commit(&Batch {
            writes: vec![put(head(1), 1, b"kept")],
            log: Some(append(None, &[1], (1, "h1"))),
            ..Batch::default()
        })
        .unwrap();
    let before = records_of(&mut store);
    let point = changes_now(&mut store);
    let full = vec![
        put(head(1), 2, b"new"),
        put(head(2), 1, b"new"),
        Write::Remove(head(1)),
    ];
    let wrong_head = append(Some("h0"), &[2], (2, "h2"));
    let batch = Batch {
        writes: full.clone(),
        log: Some(wrong_head),
        ..Batch::default()
    };
    conflicts(store.commit(&batch));
    let mut last = full;
    last.push(Write::Remove(head(7)));
    let log = Some(append(Some("h1"), &[2], (2, "h2")));
    conflicts(store.commit(&Batch {
        writes: last,
        log,
        ..Batch::default()
    }));
    for mut handle in [home.open(&place), store] {
        assert_eq!(records_of(&mut handle), before);
        assert_eq!(changes_now(&mut handle), point);
        assert_eq!(crate::sequences(&mut handle), [1]);
    }
    // A handle is as good as before.
    let mut handle = home.open(&place);
    conflicts(handle.commit(&writes(vec![Write::Remove(head(7))])));
    handle
        .commit(&writes(vec![put(head(7), 1, b""), Write::Remove(head(7))]))
        .unwrap();
    assert_eq!(records_of(&mut handle), before);
}

pub(crate) fn an_empty_batch_only_checks<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let point = changes_now(&mut store);
    store.commit(&Batch::default()).unwrap();
    let check = |revision| Batch {
        expect: vec![expect(head(1), revision)],
        ..Batch::default()
    };
    store.commit(&check(None)).unwrap();
    conflicts(store.commit(&check(Some(1))));
    assert_eq!(changes_now(&mut store), point);
}

pub(crate) fn a_snapshot_does_not_move<S: StoreUnderTest>() {
    let home = S::new();
    let (mut reader, place) = home.make();
    let mut writer = home.open(&place);
    writer
        .commit(&writes(vec![
            put(head(1), 1, b"old"),
            put(head(2), 1, b"old"),
        ]))
        .unwrap();
    {
        let mut snapshot = reader.snapshot().unwrap();
        // Nothing has been read yet: the view is that of the moment it was asked for.
        writer
            .commit(&Batch {
                writes: vec![
                    put(head(1), 2, b"new"),
                    Write::Remove(head(2)),
                    put(head(3), 1, b""),
                ],
                log: Some(append(None, &[1], (1, "h1"))),
                ..Batch::default()
            })
            .unwrap();
        assert_eq!(
            snapshot.get(&head(1)).unwrap(),
            Some(record(head(1), 1, b"old"))
        );
        assert_eq!(snapshot.log_head().unwrap(), None);
        assert_eq!(snapshot.log_rows(0, 9).unwrap(), []);
        writer
            .commit(&writes(vec![put(head(1), 3, b"newer")]))
            .unwrap();
        let mut seen = Vec::new();
        snapshot
            .scan(Collection::Head, None, &mut |record| {
                seen.push((record.key, record.body.to_vec()));
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(
            seen,
            [(head(1), b"old".to_vec()), (head(2), b"old".to_vec())]
        );
    }
    let now: Vec<_> = records_of(&mut reader)
        .iter()
        .map(|r| (r.key, r.revision))
        .collect();
    assert_eq!(now, [(head(1), 3), (head(3), 1)]);
}

pub(crate) fn bodies_of_every_length<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, place) = home.make();
    let value = |id| key(Collection::Value, 1, id);
    let lengths = [0, 1, 4095, 4096, 4097, 65_536, 1024 * 1024 + 97, BODY_MAX];
    let body = |length: usize, seed: usize| -> Vec<u8> {
        (0..length)
            .map(|at| ((at * 31 + seed) % 251) as u8)
            .collect()
    };
    for (id, length) in (0..).zip(lengths) {
        store
            .commit(&writes(vec![put(value(id), 1, &body(length, 1))]))
            .unwrap();
        // Once more with another length nearby, over the first.
        store
            .commit(&writes(vec![put(value(id), 2, &body(length, 2))]))
            .unwrap();
    }
    let mut other = home.open(&place);
    let mut snapshot = other.snapshot().unwrap();
    for (id, length) in (0..).zip(lengths) {
        let found = snapshot.get(&value(id)).unwrap().unwrap();
        assert!(found.body == body(length, 2), "{length} bytes");
    }
    let mut seen = Vec::new();
    snapshot
        .scan(Collection::Value, None, &mut |record| {
            seen.push(record.body.len());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, lengths);
    drop(snapshot);
    let long = writes(vec![put(value(99), 1, &vec![0; BODY_MAX + 1])]);
    assert!(matches!(
        store.commit(&long),
        Err(StoreError::Failed { .. })
    ));
    assert_eq!(store.snapshot().unwrap().get(&value(99)).unwrap(), None);
}

pub(crate) fn counters_out_of_range_are_refused<S: StoreUnderTest>() {
    let home = S::new();
    let (mut store, _) = home.make();
    let most = u64::try_from(i64::MAX).unwrap();
    store
        .commit(&writes(vec![put(head(1), most, b"")]))
        .unwrap();
    assert_eq!(records_of(&mut store)[0].revision, most);
    let over = store.commit(&writes(vec![put(head(1), most + 1, b"")]));
    assert!(matches!(over, Err(StoreError::Failed { .. })));
    assert_eq!(records_of(&mut store)[0].revision, most);
}

pub(crate) fn conflicts(result: Result<(), StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict)), "{result:?}");
}

fn changes_now(store: &mut impl VaultStore) -> u64 {
    match store.changes(0).unwrap() {
        subrosa_vault::port::Changes::Everything { next } => next,
        other => panic!("{other:?}"),
    }
}
