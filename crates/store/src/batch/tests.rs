use super::*;

fn key(collection: Collection, parent: u8, id: u8) -> RecordKey {
    RecordKey {
        collection,
        parent: [parent; 16],
        id: [id; 16],
    }
}

#[test]
fn keys_are_ordered_as_their_bytes_and_survive_them() {
    let mut keys = Vec::new();
    for collection in Collection::ALL {
        for parent in [0, 1, 0x7f, 0x80, 0xff] {
            for id in [0, 0x80, 0xff] {
                keys.push(key(collection, parent, id));
            }
        }
    }
    keys.sort_unstable();
    let bytes: Vec<_> = keys.iter().map(key_bytes).collect();
    assert!(bytes.is_sorted());
    for (key, bytes) in keys.iter().zip(&bytes) {
        assert_eq!(key_from(bytes).unwrap(), *key);
    }
}

#[test]
fn what_is_no_key_is_damage() {
    let good = key_bytes(&key(Collection::Head, 1, 2));
    let mut strange = good;
    strange[0] = 99;
    for bytes in [&[][..], &good[..32], &strange] {
        assert!(matches!(key_from(bytes), Err(StoreError::Damaged { .. })));
    }
}

#[test]
fn a_range_has_what_begins_so_and_nothing_else() {
    let inside = |range: &KeyRange, key: &RecordKey| {
        let bytes = key_bytes(key);
        range.first <= bytes && bytes < range.end
    };
    let all = KeyRange::new(Collection::Value, None);
    let one = KeyRange::new(Collection::Value, Some(&[0xff; 16]));
    let bucket = KeyRange::bucket(Collection::Value, &[0xff; 16], &(0xfd..=0xff));
    let below = KeyRange::bucket(Collection::Value, &[0xff; 16], &(0..=0xfd));
    for collection in Collection::ALL {
        for parent in [0, 0xfe, 0xff] {
            for id in [0, 0xfc, 0xfd, 0xfe, 0xff] {
                let key = key(collection, parent, id);
                let value = collection == Collection::Value;
                assert_eq!(inside(&all, &key), value);
                assert_eq!(inside(&one, &key), value && parent == 0xff);
                assert_eq!(inside(&bucket, &key), value && parent == 0xff && id >= 0xfd);
                assert_eq!(inside(&below, &key), value && parent == 0xff && id <= 0xfd);
            }
        }
    }
}

#[test]
fn damaged_memory_of_changes_is_damage() {
    let mut recent = Recent::default();
    recent
        .push(vec![key_bytes(&key(Collection::Head, 1, 2))])
        .unwrap();
    let good = recent.as_bytes().to_vec();
    for cut in 1..good.len() {
        let damaged = Recent::from_bytes(good[..cut].to_vec());
        let found = damaged.changes(1, 2);
        assert!(
            matches!(found, Err(StoreError::Damaged { .. })),
            "{cut}: {found:?}"
        );
    }
}

#[test]
fn memory_of_changes_is_bounded() {
    let mut recent = Recent::default();
    for at in 0..500_u16 {
        let count = usize::from(at % 9);
        let keys = (0..count)
            .map(|id| key_bytes(&key(Collection::Head, 1, id as u8)))
            .collect();
        recent.push(keys).unwrap();
        assert!(recent.as_bytes().len() <= RECENT_MAX);
    }
    assert!(recent.as_bytes().len() > RECENT_MAX / 2);
}
