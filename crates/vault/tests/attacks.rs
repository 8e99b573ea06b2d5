//! Whoever can write the store, and holds no key.

mod house;

use house::{House, KEY_FILE, NOW, key, patch, quick_slot, quick_unlock, scope, secret, value};
use subrosa_crypto::Argon2Params;
use subrosa_model::{Digest, Pin, ProviderId, Scope, WorkspaceName};
use subrosa_testkit::MemoryStore;
use subrosa_vault::port::{Collection, RecordKey};
use subrosa_vault::{NewSlot, Patch, Unlock, VaultError};

fn filled() -> House {
    let mut house = House::quick();
    house.set("api/one", b"value-number-one");
    house.set("api/two", b"value-number-two");
    house.set("api/one", b"value-number-one-again");
    let other = Scope {
        workspace: WorkspaceName::new("other").unwrap(),
        group: None,
    };
    house
        .set_in(&other, "api/one", patch(b"value-of-the-other"))
        .unwrap();
    house
}

/// Opens and reads everything, as an operator who looks closely.
fn read_all(store: &MemoryStore) -> Result<(), VaultError> {
    let mut house = House::open(store, &quick_unlock())?;
    house.vault.verify_all(&mut house.journal, &mut |_| ())?;
    for (name, expected) in [
        ("api/one", "value-number-one-again"),
        ("api/two", "value-number-two"),
    ] {
        assert!(
            house.has(name, expected.as_bytes())?,
            "a value was exchanged without notice"
        );
    }
    Ok(())
}

fn keys(store: &MemoryStore) -> Vec<RecordKey> {
    store.contents().records.keys().copied().collect()
}

#[test]
fn row_40_every_changed_byte_is_noticed() {
    let house = filled();
    read_all(&house.store).unwrap();
    for key in keys(&house.store) {
        let length = house.store.contents().records[&key].1.len();
        // All of a short record, a spread of a long one.
        for index in (0..length).step_by((length / 40).max(1)) {
            let copy = house.store.copy();
            copy.contents().records.get_mut(&key).unwrap().1[index] ^= 1;
            assert!(
                read_all(&copy).is_err(),
                "{:?} byte {index}",
                key.collection
            );
        }
        let copy = house.store.copy();
        copy.contents().records.get_mut(&key).unwrap().1.pop();
        assert!(read_all(&copy).is_err(), "{:?} shortened", key.collection);
        let copy = house.store.copy();
        copy.contents().records.get_mut(&key).unwrap().1.push(0);
        assert!(read_all(&copy).is_err(), "{:?} lengthened", key.collection);
    }
}

#[test]
fn row_40_every_removed_record_is_noticed() {
    let house = filled();
    for key in keys(&house.store) {
        let copy = house.store.copy();
        copy.contents().records.remove(&key);
        // A value of a version that nobody reads is missed by verify_all.
        assert!(read_all(&copy).is_err(), "{:?}", key.collection);
    }
}

#[test]
fn row_40_swapped_bodies_are_noticed() {
    let house = filled();
    let keys = keys(&house.store);
    for one in &keys {
        for other in keys
            .iter()
            .filter(|other| other.collection == one.collection && *other > one)
        {
            let copy = house.store.copy();
            {
                let records = &mut copy.contents().records;
                let (first, second) = (records[one].clone(), records[other].clone());
                records.insert(*one, second);
                records.insert(*other, first);
            }
            assert!(read_all(&copy).is_err(), "{:?}", one.collection);
        }
    }
}

#[test]
fn row_40_a_single_record_rolled_back_is_noticed() {
    let mut house = filled();
    let before = house.store.copy();
    house.set("api/one", b"value-number-one-again");
    house
        .vault
        .remove(&mut house.journal, (&scope(), &key("api/two")), NOW)
        .unwrap();
    house
        .vault
        .rollback(&mut house.journal, (&scope(), &key("api/two")), None, NOW)
        .unwrap();
    let after: Vec<_> = keys(&house.store);
    for key in after {
        let old = before.contents().records.get(&key).cloned();
        if old.as_ref() == house.store.contents().records.get(&key) {
            continue;
        }
        let copy = house.store.copy();
        match old {
            Some(old) => copy.contents().records.insert(key, old),
            None => copy.contents().records.remove(&key),
        };
        assert!(read_all(&copy).is_err(), "{:?}", key.collection);
    }
}

/// A look-up of one secret reads no other bucket, and is not followed by a check of everything.
#[test]
fn row_40_a_look_up_alone_notices_a_head_that_was_removed_or_rolled_back() {
    let mut house = filled();
    let before = house.store.copy();
    house.set("api/one", b"value-number-one-at-last");
    house.set("api/two", b"value-number-two-at-last");
    let found = |store: &MemoryStore, name: &str| {
        let mut house = House::open(store, &quick_unlock())?;
        house.vault.find(&mut house.journal, &scope(), &key(name))
    };
    let mut noticed = 0;
    for head in keys(&house.store) {
        if head.collection != Collection::Head {
            continue;
        }
        let old = before.contents().records.get(&head).cloned();
        let now = house.store.contents().records.get(&head).cloned();
        for tampered in [None, old.filter(|old| Some(old) != now.as_ref())] {
            let copy = house.store.copy();
            match tampered {
                None => copy.contents().records.remove(&head),
                Some(old) => copy.contents().records.insert(head, old),
            };
            for name in ["api/one", "api/two"] {
                match found(&copy, name) {
                    Ok(located) => {
                        let genuine = found(&house.store, name).unwrap();
                        assert_eq!(located, genuine, "{name} was believed");
                    }
                    Err(error) => {
                        assert!(matches!(error, VaultError::Tampered { .. }), "{error}");
                        noticed += 1;
                    }
                }
            }
        }
    }
    assert!(noticed >= 4, "{noticed}");
}

#[test]
fn row_40_all_records_rolled_back_behind_their_log_are_noticed() {
    let mut house = filled();
    let before = house.store.copy();
    house.set("api/two", b"value-number-two");
    let copy = house.store.copy();
    copy.contents().records = before.contents().records.clone();
    assert!(matches!(read_all(&copy), Err(VaultError::Tampered { .. })));
}

#[test]
fn row_40_a_running_process_notices_that_everything_was_rolled_back() {
    let mut house = filled();
    let before = house.store.contents().clone();
    house.set("api/two", b"value-number-two-new");
    *house.store.contents() = before;
    assert!(matches!(
        house.has("api/two", b"value-number-two"),
        Err(VaultError::Tampered { .. })
    ));
}

#[test]
fn row_40_a_replayed_or_copied_head_is_noticed() {
    let house = filled();
    let heads: Vec<RecordKey> = keys(&house.store)
        .into_iter()
        .filter(|key| key.collection == Collection::Head)
        .collect();
    for from in &heads {
        // The same secret under another id, and in another workspace.
        for (parent, flip) in [
            (from.parent, 0x80),
            (
                heads
                    .iter()
                    .find(|h| h.parent != from.parent)
                    .unwrap()
                    .parent,
                0,
            ),
        ] {
            let copy = house.store.copy();
            let mut to = RecordKey { parent, ..*from };
            to.id[0] ^= flip;
            let record = house.store.contents().records[from].clone();
            copy.contents().records.insert(to, record);
            assert!(read_all(&copy).is_err());
        }
    }
}

#[test]
fn a_planted_slot_and_a_foreign_one_are_refused() {
    let house = filled();
    let foreign = House::with_slots(vec![quick_slot()]);
    let slot_of = |store: &MemoryStore| {
        keys(store)
            .into_iter()
            .find(|key| key.collection == Collection::Slot)
            .unwrap()
    };
    // Added beside ours.
    let copy = house.store.copy();
    let (theirs, body) = {
        let key = slot_of(&foreign.store);
        (key, foreign.store.contents().records[&key].clone())
    };
    copy.contents().records.insert(theirs, body.clone());
    assert!(House::open(&copy, &quick_unlock()).is_err());
    // In place of ours, so that our key file would open their vault.
    let copy = house.store.copy();
    copy.contents().records.insert(slot_of(&house.store), body);
    assert!(House::open(&copy, &quick_unlock()).is_err());
}

#[test]
fn weak_parameters_in_a_slot_are_refused_before_they_are_used() {
    let house = House::new();
    let slot = keys(&house.store)
        .into_iter()
        .find(|key| key.collection == Collection::Slot)
        .unwrap();
    // After format, kind, label ("passphrase") and time come memory and passes.
    let memory = 1 + 1 + 4 + 10 + 8;
    for (offset, number) in [
        (memory, 8u32),
        (memory, u32::MAX),
        (memory + 4, 1),
        (memory + 4, u32::MAX),
    ] {
        let copy = house.store.copy();
        copy.contents().records.get_mut(&slot).unwrap().1[offset..offset + 4]
            .copy_from_slice(&number.to_le_bytes());
        assert!(
            matches!(
                House::open(&copy, &house::passphrase()),
                Err(VaultError::Kdf(_))
            ),
            "{number} at {offset}"
        );
    }
}

#[test]
fn a_later_format_is_named() {
    let house = filled();
    let header = keys(&house.store)
        .into_iter()
        .find(|key| key.collection == Collection::Header)
        .unwrap();
    house.store.contents().records.get_mut(&header).unwrap().1[8] = 2;
    let error = House::open(&house.store, &quick_unlock()).err().unwrap();
    assert!(
        matches!(error, VaultError::Future { found: 2, known: 1 }),
        "{error}"
    );
}

fn pin(provider: &str) -> Pin {
    Pin {
        provider: ProviderId::new(provider).unwrap(),
        hosts: Digest::from_bytes([7; 32]),
    }
}

#[test]
fn row_25_a_pin_is_given_once_and_goes_wherever_the_secret_goes() {
    let mut house = House::quick();
    let pinned = Patch {
        values: vec![value("value", b"s3cr3t-value")],
        pin: Some(pin("openai")),
        ..Patch::default()
    };
    house.set_in(&scope(), "OPENAI_API_KEY", pinned).unwrap();
    // Another pin, or none, later: it stays what it was.
    let other = Patch {
        values: vec![value("value", b"s3cr3t-value")],
        pin: Some(pin("evil")),
        ..Patch::default()
    };
    assert!(matches!(
        house.set_in(&scope(), "OPENAI_API_KEY", other),
        Err(VaultError::PinFixed { .. })
    ));
    let head = house.set("OPENAI_API_KEY", b"s3cr3t-value-2");
    assert_eq!(head.pin, Some(pin("openai")));
    // Renamed, moved into another workspace, removed and stored again.
    let far = Scope {
        workspace: WorkspaceName::new("far").unwrap(),
        group: None,
    };
    let head = house
        .vault
        .rename(
            &mut house.journal,
            (&scope(), &key("OPENAI_API_KEY")),
            (&far, &key("plain")),
            NOW,
        )
        .unwrap();
    assert_eq!(head.pin, Some(pin("openai")));
    house
        .vault
        .remove(&mut house.journal, (&far, &key("plain")), NOW)
        .unwrap();
    let head = house
        .set_in(&far, "plain", patch(b"s3cr3t-value-3"))
        .unwrap();
    assert_eq!(head.pin, Some(pin("openai")));
    let head = house
        .vault
        .rollback(&mut house.journal, (&far, &key("plain")), Some(1), NOW)
        .unwrap();
    assert_eq!(head.pin, Some(pin("openai")));
    // A plain secret does not become pinned afterwards, nor take over a pinned one's name.
    house.set("free", b"s3cr3t-value-4");
    let late = Patch {
        pin: Some(pin("openai")),
        ..Patch::default()
    };
    assert!(matches!(
        house.set_in(&scope(), "free", late),
        Err(VaultError::PinFixed { .. })
    ));
    let onto = house.vault.rename(
        &mut house.journal,
        (&scope(), &key("free")),
        (&far, &key("plain")),
        NOW,
    );
    assert!(matches!(onto, Err(VaultError::Exists { .. })));
}

#[test]
fn row_25_the_value_opens_only_under_the_pin_it_was_stored_with() {
    let mut house = House::quick();
    let pinned = Patch {
        values: vec![value("value", b"s3cr3t-value")],
        pin: Some(pin("openai")),
        ..Patch::default()
    };
    house.set_in(&scope(), "k", pinned).unwrap();
    let mut located = house
        .vault
        .locate(&mut house.journal, &scope(), &key("k"))
        .unwrap();
    let field = house::field("value");
    assert!(
        house
            .vault
            .open_value(&mut house.journal, &located, &field, None)
            .is_ok()
    );
    for forged in [None, Some(pin("evil"))] {
        located.head.pin = forged;
        let opened = house
            .vault
            .open_value(&mut house.journal, &located, &field, None);
        assert!(matches!(opened, Err(VaultError::Tampered { .. })));
    }
}

#[test]
fn a_removed_slot_opens_neither_the_vault_nor_what_came_after() {
    let second = || Unlock::KeyFile(secret(b"another key file of 32 bytes !!!"));
    let mut house = House::with_slots(vec![
        quick_slot(),
        NewSlot {
            unlock: house::passphrase(),
            label: "person",
            params: Argon2Params::FLOOR,
        },
    ]);
    let new = NewSlot {
        unlock: second(),
        label: "laptop",
        params: Argon2Params::FLOOR,
    };
    let slot = house.vault.add_slot(&mut house.journal, &new, NOW).unwrap();
    house.set("k", b"value-from-before");
    let old_copy = house.store.copy();
    let old_fingerprint = house.vault.fingerprint();
    let mut announced = None;
    house
        .vault
        .rotate(&mut house.journal, &[slot.id], &mut |next| {
            announced = Some(next);
            Ok(())
        })
        .unwrap();
    assert_eq!(announced, Some(house.vault.fingerprint()));
    assert_ne!(announced, Some(old_fingerprint));
    house.set("k", b"value-from-after");

    assert!(matches!(
        House::open(&house.store, &second()),
        Err(VaultError::WrongKey { .. })
    ));
    // The old copy still opens with it, and tells nothing of today: today's heads in the old copy.
    assert!(House::open(&old_copy, &second()).is_ok());
    let mixed = old_copy.copy();
    {
        let today = house.store.contents().records.clone();
        let mut contents = mixed.contents();
        contents
            .records
            .retain(|key, _| key.collection != Collection::Head);
        contents.records.extend(
            today
                .into_iter()
                .filter(|(key, _)| matches!(key.collection, Collection::Head | Collection::Value)),
        );
    }
    let mut opened = House::open(&mixed, &second()).unwrap();
    assert!(opened.has("k", b"value-from-after").is_err());
    // Everybody else goes on.
    for unlock in [quick_unlock(), house::passphrase()] {
        let mut again = House::open(&house.store, &unlock).unwrap();
        assert!(again.has("k", b"value-from-after").unwrap());
        again
            .vault
            .verify_all(&mut again.journal, &mut |_| ())
            .unwrap();
    }
}

#[test]
fn the_last_slot_of_a_person_stays() {
    let mut house = House::with_slots(vec![
        quick_slot(),
        NewSlot {
            unlock: house::passphrase(),
            label: "person",
            params: Argon2Params::FLOOR,
        },
    ]);
    let slots = house.vault.slots(&mut house.journal).unwrap();
    let person = slots.iter().find(|slot| slot.label == "person").unwrap().id;
    let removed = house
        .vault
        .rotate(&mut house.journal, &[person], &mut |_| Ok(()));
    assert!(matches!(removed, Err(VaultError::LastSlot { .. })));
}

#[test]
fn another_process_learns_that_the_keys_were_replaced() {
    let mut one = filled();
    let mut two = House::open(&one.store, &quick_unlock()).unwrap();
    one.vault
        .rotate(&mut one.journal, &[], &mut |_| Ok(()))
        .unwrap();
    assert!(matches!(
        two.has("api/one", b"x"),
        Err(VaultError::Replaced)
    ));
    assert!(read_all(&one.store).is_ok());
}

#[test]
fn a_backup_that_was_changed_anywhere_is_refused() {
    let mut house = filled();
    let mut backup = Vec::new();
    house
        .vault
        .backup(&mut house.journal, &mut backup, &mut |_| ())
        .unwrap();
    let restore = |bytes: &[u8]| -> Result<(), VaultError> {
        let mut store = MemoryStore::new();
        let trailer = subrosa_vault::read_backup(&mut &bytes[..], &mut store, &mut |_| ())?;
        let unverified = subrosa_vault::Vault::open(
            Box::new(store.clone()),
            std::sync::Arc::new(subrosa_crypto::SystemRng),
            &quick_unlock(),
        )?;
        if !unverified.vouches_for(&trailer) {
            return Err(VaultError::Backup {
                reason: "mac".into(),
            });
        }
        read_all(&store)
    };
    restore(&backup).unwrap();
    for index in (0..backup.len()).step_by(37) {
        let mut changed = backup.clone();
        changed[index] ^= 1;
        assert!(restore(&changed).is_err(), "byte {index}");
        assert!(restore(&backup[..index]).is_err(), "cut at {index}");
    }
    let mut longer = backup.clone();
    longer.push(0);
    assert!(restore(&longer).is_err());
    assert_eq!(KEY_FILE.len(), 32);
}

#[test]
fn no_plaintext_crosses_the_port() {
    let mut house = House::new();
    let patch = Patch {
        values: vec![value("password", b"CANARY-value-7f3k")],
        note: Some("CANARY-note-7f3k".into()),
        tags: Some(vec![subrosa_model::Tag::new("CANARY-tag-7f3k").unwrap()]),
        url: Some("CANARY-url-7f3k".into()),
        ..Patch::default()
    };
    let scope = Scope {
        workspace: WorkspaceName::new("CANARY-workspace-7f3k").unwrap(),
        group: Some(subrosa_model::GroupName::new("CANARY-group-7f3k").unwrap()),
    };
    house.set_in(&scope, "CANARY-key-7f3k", patch).unwrap();
    let contents = house.store.contents();
    let bodies = contents
        .records
        .values()
        .map(|(_, body)| body)
        .chain(contents.rows.values());
    for body in bodies {
        assert!(!body.windows(6).any(|window| window == b"CANARY"));
    }
}
