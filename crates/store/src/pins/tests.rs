#![allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]

use proptest::prelude::*;

use super::*;

fn record(next: bool) -> PinRecord {
    PinRecord {
        vault: VaultId::from_bytes([1; 16]),
        current: Digest::from_bytes([2; 32]),
        next: next.then(|| Digest::from_bytes([3; 32])),
    }
}

#[test]
fn each_folder_has_its_own_pin() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (home.path().join("one"), home.path().join("two"));
    std::fs::create_dir_all(&one).unwrap();
    std::fs::create_dir_all(&two).unwrap();
    let pins = Pins::at(&home.path().join("state/pins")).unwrap();
    assert_eq!(pins.get(&one).unwrap(), None);
    pins.set(&one, &record(true)).unwrap();
    assert_eq!(pins.get(&one).unwrap(), Some(record(true)));
    assert_eq!(pins.get(&two).unwrap(), None);
    pins.set(&one, &record(false)).unwrap();
    assert_eq!(pins.get(&one).unwrap(), Some(record(false)));
    // However the folder is named.
    std::os::unix::fs::symlink(&one, home.path().join("link")).unwrap();
    assert_eq!(
        pins.get(&home.path().join("link")).unwrap(),
        Some(record(false))
    );
    assert_eq!(pins.get(&two.join("../one")).unwrap(), Some(record(false)));
    pins.forget(&one).unwrap();
    pins.forget(&one).unwrap();
    assert_eq!(pins.get(&one).unwrap(), None);
    assert!(matches!(
        pins.get(&home.path().join("none")),
        Err(FileError::Missing { .. })
    ));
}

#[test]
fn a_damaged_pin_is_not_taken_for_none() {
    let home = tempfile::tempdir().unwrap();
    let vault = home.path().join("vault");
    std::fs::create_dir(&vault).unwrap();
    let pins = Pins::at(&home.path().join("pins")).unwrap();
    pins.set(&vault, &record(true)).unwrap();
    let file = std::fs::read_dir(home.path().join("pins"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let good = std::fs::read(&file).unwrap();
    for cut in 0..good.len() {
        std::fs::write(&file, &good[..cut]).unwrap();
        let found = pins.get(&vault);
        // Without its last line it is a whole pin of another meaning: then a root that was about
        // to become current is refused, never accepted.
        let shorter = matches!(found, Ok(Some(found)) if found == record(false));
        assert!(
            shorter || matches!(found, Err(FileError::Damaged { .. })),
            "{cut}: {found:?}"
        );
    }
    // Another folder's pin under this name.
    std::fs::write(&file, record(true).to_text(b"/elsewhere")).unwrap();
    assert!(matches!(pins.get(&vault), Err(FileError::Damaged { .. })));
}

#[test]
fn a_planted_pin_is_reported() {
    let home = tempfile::tempdir().unwrap();
    let vault = home.path().join("vault");
    std::fs::create_dir(&vault).unwrap();
    let pins = Pins::at(&home.path().join("pins")).unwrap();
    pins.set(&vault, &record(true)).unwrap();
    let file = std::fs::read_dir(home.path().join("pins"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::rename(&file, home.path().join("real")).unwrap();
    std::os::unix::fs::symlink(home.path().join("real"), &file).unwrap();
    for result in [
        pins.get(&vault).map(|_| ()),
        pins.set(&vault, &record(false)),
    ] {
        assert!(
            matches!(result, Err(FileError::Unsafe { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn names_are_spread_as_published() {
    // The empty text and "a", from the algorithm's specification.
    assert_eq!(spread(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    assert_eq!(spread(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
}

proptest! {
    #[test]
    fn texts_are_read_back(folder in prop::collection::vec(any::<u8>(), 1..80), next: bool) {
        let text = record(next).to_text(&folder);
        prop_assert_eq!(PinRecord::parse(text.as_bytes()), Ok((folder, record(next))));
    }

    #[test]
    fn what_is_read_is_what_would_be_written(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok((folder, record)) = PinRecord::parse(&bytes) {
            prop_assert_eq!(record.to_text(&folder).into_bytes(), bytes);
        }
    }

    #[test]
    fn one_changed_byte_is_noticed(at in 0_usize..260, to: u8) {
        let good = record(true).to_text(b"/home/u/vault").into_bytes();
        let mut bytes = good.clone();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok((folder, record)) = PinRecord::parse(&bytes) {
            // Another digit in a number: read as just what it says.
            prop_assert_eq!(record.to_text(&folder).into_bytes(), bytes);
        }
    }
}
