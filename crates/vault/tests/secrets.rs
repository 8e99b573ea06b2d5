//! What users do with secrets.

mod house;

use house::{
    House, NOW, field, key, passphrase, patch, quick_slot, quick_unlock, scope, secret, value,
};
use subrosa_crypto::{Argon2Params, SystemRng};
use subrosa_model::{GroupName, Scope, Tag, WorkspaceName};
use subrosa_vault::{Mode, NewSlot, Patch, Unlock, VaultError};

#[test]
fn a_value_comes_back_after_opening_again() {
    let mut house = House::new();
    house.set("api/key", b"s3cr3t-value");
    let mut again = House::open(&house.store, &passphrase()).unwrap();
    assert!(again.has("api/key", b"s3cr3t-value").unwrap());
    assert!(!again.has("api/key", b"another-value").unwrap());
}

#[test]
fn a_wrong_proof_is_told_from_a_missing_slot() {
    let house = House::new();
    let wrong = Unlock::Passphrase(secret(b"wrong"));
    assert!(matches!(
        House::open(&house.store, &wrong),
        Err(VaultError::WrongKey { what: "passphrase" })
    ));
    assert!(matches!(
        House::open(&house.store, &quick_unlock()),
        Err(VaultError::NoSlot { what: "key file" })
    ));
}

#[test]
fn each_slot_alone_opens_and_the_code_is_read_as_people_write_it() {
    let code = NewSlot::recovery_code(&SystemRng).unwrap();
    let text = String::from_utf8(code.as_slice().to_vec()).unwrap();
    let slots = vec![
        quick_slot(),
        NewSlot {
            unlock: Unlock::Recovery(secret(code.as_slice())),
            label: "recovery",
            params: Argon2Params::FLOOR,
        },
    ];
    let mut house = House::with_slots(slots);
    house.set("a", b"s3cr3t-value");
    let sloppy = text
        .to_lowercase()
        .replace('-', " ")
        .replace('0', "o")
        .replace('1', "l");
    for code in [text.clone(), sloppy, format!("{text}\n")] {
        let mut again =
            House::open(&house.store, &Unlock::Recovery(secret(code.as_bytes()))).unwrap();
        assert!(again.has("a", b"s3cr3t-value").unwrap());
    }
    let mut slip = text.into_bytes();
    slip[3] = if slip[3] == b'A' { b'B' } else { b'A' };
    let slip = Unlock::Recovery(secret(&slip));
    assert!(matches!(
        House::open(&house.store, &slip),
        Err(VaultError::WrongKey { .. })
    ));
}

#[test]
fn a_patch_wipes_nothing_that_it_does_not_name() {
    let mut house = House::quick();
    let first = Patch {
        values: vec![
            value("user", b"the-user-name"),
            value("password", b"the-password-1"),
        ],
        tags: Some(vec![Tag::new("prod").unwrap()]),
        note: Some("a note".into()),
        ..Patch::default()
    };
    house.set_in(&scope(), "db", first).unwrap();
    let head = house
        .set_in(
            &scope(),
            "db",
            Patch {
                values: vec![value("password", b"the-password-2")],
                ..Patch::default()
            },
        )
        .unwrap();
    assert_eq!(head.current().number, 2);
    assert_eq!((head.note.as_str(), head.tags.len()), ("a note", 1));
    assert!(
        house
            .holds(&scope(), "db", "user", b"the-user-name")
            .unwrap()
    );
    assert!(
        house
            .holds(&scope(), "db", "password", b"the-password-2")
            .unwrap()
    );
    // The unchanged value was not written again.
    assert_eq!(head.current().values[&field("user")].written, 1);
    assert_eq!(head.current().values[&field("password")].written, 2);
}

#[test]
fn history_is_kept_and_rolled_back_to() {
    let mut house = House::quick();
    for number in 1..=3 {
        house.set("k", format!("value-number-{number}").as_bytes());
    }
    let head = house
        .vault
        .rollback(&mut house.journal, (&scope(), &key("k")), Some(1), NOW)
        .unwrap();
    assert_eq!(head.current().number, 4);
    assert!(house.has("k", b"value-number-1").unwrap());
    let missing = house
        .vault
        .rollback(&mut house.journal, (&scope(), &key("k")), Some(9), NOW);
    assert!(matches!(
        missing,
        Err(VaultError::NoVersion { version: 9, .. })
    ));
}

#[test]
fn the_oldest_versions_go_and_their_values_with_them() {
    let mut house = House::quick();
    for number in 1..=30 {
        house.set("k", format!("value-number-{number}").as_bytes());
    }
    let located = house
        .vault
        .locate(&mut house.journal, &scope(), &key("k"))
        .unwrap();
    assert_eq!(located.head.versions.len(), 20);
    assert_eq!(located.head.versions[0].number, 11);
    let values = house
        .store
        .contents()
        .records
        .keys()
        .filter(|key| key.collection.number() == 5)
        .count();
    assert_eq!(values, 20);
    for version in 11..=30 {
        let value =
            house
                .vault
                .open_value(&mut house.journal, &located, &field("value"), Some(version));
        assert!(value.is_ok(), "version {version}");
    }
}

#[test]
fn removing_is_undone_and_purging_is_not() {
    let mut house = House::quick();
    house.set("k", b"s3cr3t-value");
    house
        .vault
        .remove(&mut house.journal, (&scope(), &key("k")), NOW)
        .unwrap();
    assert!(matches!(
        house.has("k", b""),
        Err(VaultError::Missing { .. })
    ));
    house
        .vault
        .rollback(&mut house.journal, (&scope(), &key("k")), None, NOW)
        .unwrap();
    assert!(house.has("k", b"s3cr3t-value").unwrap());
    house
        .vault
        .purge(&mut house.journal, (&scope(), &key("k")))
        .unwrap();
    assert!(matches!(
        house
            .vault
            .rollback(&mut house.journal, (&scope(), &key("k")), None, NOW),
        Err(VaultError::Missing { .. })
    ));
    let left = house
        .store
        .contents()
        .records
        .keys()
        .filter(|key| matches!(key.collection.number(), 4 | 5))
        .count();
    assert_eq!(left, 0);
}

#[test]
fn look_up_goes_from_group_to_workspace_to_global() {
    let mut house = House::quick();
    let workspace = WorkspaceName::new("shop").unwrap();
    let group = Some(GroupName::new("staging").unwrap());
    let near = Scope {
        workspace: workspace.clone(),
        group,
    };
    let plain = Scope {
        workspace,
        group: None,
    };
    house
        .set_in(&Scope::global(), "k", patch(b"from-the-global"))
        .unwrap();
    assert!(
        house
            .holds(&near, "k", "value", b"from-the-global")
            .unwrap()
    );
    house
        .set_in(&plain, "k", patch(b"from-the-workspace"))
        .unwrap();
    assert!(
        house
            .holds(&near, "k", "value", b"from-the-workspace")
            .unwrap()
    );
    house.set_in(&near, "k", patch(b"from-the-group")).unwrap();
    assert!(house.holds(&near, "k", "value", b"from-the-group").unwrap());
    assert!(
        house
            .holds(&plain, "k", "value", b"from-the-workspace")
            .unwrap()
    );
    // A removed one hides nothing.
    house
        .vault
        .remove(&mut house.journal, (&near, &key("k")), NOW)
        .unwrap();
    assert!(
        house
            .holds(&near, "k", "value", b"from-the-workspace")
            .unwrap()
    );
}

#[test]
fn moving_keeps_versions_also_into_another_workspace() {
    let mut house = House::quick();
    house.set("a", b"value-number-1");
    house.set("a", b"value-number-2");
    let other = Scope {
        workspace: WorkspaceName::new("other").unwrap(),
        group: None,
    };
    house
        .vault
        .rename(
            &mut house.journal,
            (&scope(), &key("a")),
            (&scope(), &key("b")),
            NOW,
        )
        .unwrap();
    let head = house
        .vault
        .rename(
            &mut house.journal,
            (&scope(), &key("b")),
            (&other, &key("c")),
            NOW,
        )
        .unwrap();
    assert_eq!(head.versions.len(), 2);
    assert!(
        house
            .holds(&other, "c", "value", b"value-number-2")
            .unwrap()
    );
    house
        .vault
        .rollback(&mut house.journal, (&other, &key("c")), None, NOW)
        .unwrap();
    assert!(
        house
            .holds(&other, "c", "value", b"value-number-1")
            .unwrap()
    );
    assert!(matches!(
        house.has("a", b""),
        Err(VaultError::Missing { .. })
    ));
    house.set("d", b"in-the-way-here");
    let taken = house.vault.rename(
        &mut house.journal,
        (&other, &key("c")),
        (&scope(), &key("d")),
        NOW,
    );
    assert!(matches!(taken, Err(VaultError::Exists { .. })));
}

#[test]
fn modes_demand_what_they_say() {
    let mut house = House::quick();
    let mut set = |mode| {
        house
            .vault
            .set(
                &mut house.journal,
                (&scope(), &key("k")),
                &patch(b"s3cr3t-value"),
                mode,
                NOW,
            )
            .map(|s| s.created)
    };
    assert!(matches!(set(Mode::Update), Err(VaultError::Missing { .. })));
    assert!(set(Mode::Create).unwrap());
    assert!(matches!(set(Mode::Create), Err(VaultError::Exists { .. })));
    assert!(!set(Mode::Update).unwrap());
}

#[test]
fn bounds_are_named() {
    let mut house = House::quick();
    let large = vec![b'x'; 1024 * 1024 + 1];
    let error = house.set_in(&scope(), "k", patch(&large)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "bytes of a value (value): at most 1048576"
    );
    assert!(house.set_in(&scope(), "k", patch(&large[1..])).is_ok());
    let tags = (0..11)
        .map(|n| Tag::new(format!("t{n}")).unwrap())
        .collect();
    let error = house
        .set_in(
            &scope(),
            "k",
            Patch {
                tags: Some(tags),
                ..Patch::default()
            },
        )
        .unwrap_err();
    assert_eq!(error.to_string(), "tags: at most 10");
    let values = (0..101)
        .map(|n| value(&format!("f{n}"), b"s3cr3t-value"))
        .collect();
    let error = house
        .set_in(
            &scope(),
            "many",
            Patch {
                values,
                ..Patch::default()
            },
        )
        .unwrap_err();
    assert_eq!(error.to_string(), "fields: at most 100");
}

#[test]
fn two_writers_lose_nothing() {
    let mut one = House::quick();
    let mut two = House::open(&one.store, &quick_unlock()).unwrap();
    for number in 0..20 {
        one.set(&format!("one/{number}"), b"s3cr3t-value-1");
        two.set(&format!("two/{number}"), b"s3cr3t-value-2");
        one.set("shared", format!("one-writes-{number}").as_bytes());
        two.set("shared", format!("two-writes-{number}").as_bytes());
    }
    let heads = one
        .vault
        .list(&mut one.journal, &Scope::default_workspace())
        .unwrap();
    assert_eq!(heads.len(), 41);
    let shared = one
        .vault
        .locate(&mut one.journal, &scope(), &key("shared"))
        .unwrap();
    assert_eq!(shared.head.current().number, 40);
    assert!(one.has("shared", b"two-writes-19").unwrap());
}
