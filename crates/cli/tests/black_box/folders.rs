//! Folders and files that are not as they must be.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::house::{House, VALUE};

#[test]
fn loose_permissions_are_refused_until_they_are_mended() {
    let house = House::with_key();
    for (name, loose, tight) in [
        ("home/data", 0o755, 0o700),
        ("home/data", 0o770, 0o700),
        ("home/data/vault.db", 0o644, 0o600),
        ("home/data/vault.db", 0o660, 0o600),
    ] {
        set_permissions(house.path(name), Permissions::from_mode(loose)).unwrap();
        let back = house.call(["--json", "ls"]).run();
        assert_eq!(back.error_code(), "unsafe_path", "{name} {loose:o}");
        assert!(back.err.contains("chmod"), "{back:?}");
        set_permissions(house.path(name), Permissions::from_mode(tight)).unwrap();
        house.call(["ls"]).run().ok();
    }
    assert_eq!(house.read("api/key"), VALUE.as_bytes());
}

#[test]
fn links_are_not_followed() {
    let house = House::with_key();
    let data = house.path("home/data");
    std::fs::rename(&data, house.path("elsewhere")).unwrap();
    symlink(house.path("elsewhere"), &data).unwrap();
    assert_eq!(
        house.call(["--json", "ls"]).run().error_code(),
        "unsafe_path"
    );
    std::fs::remove_file(&data).unwrap();
    std::fs::rename(house.path("elsewhere"), &data).unwrap();
    std::fs::rename(data.join("vault.db"), data.join("real.db")).unwrap();
    symlink("real.db", data.join("vault.db")).unwrap();
    assert_ne!(house.call(["ls"]).run().code, Some(0));
}

#[test]
fn a_damaged_or_foreign_file_is_said_to_be_one() {
    let house = House::with_key();
    let vault = house.path("home/data/vault.db");
    let bytes = std::fs::read(&vault).unwrap();
    for broken in [
        b"not a database at all".to_vec(),
        bytes[..bytes.len() / 2].to_vec(),
        Vec::new(),
    ] {
        std::fs::write(&vault, broken).unwrap();
        let back = house.call(["ls"]).run();
        assert_eq!(back.code, Some(1), "{back:?}");
        assert!(
            back.err.starts_with("subrosa: ") && back.out.is_empty(),
            "{back:?}"
        );
    }
    std::fs::write(&vault, bytes).unwrap();
    assert_eq!(house.read("api/key"), VALUE.as_bytes());
}

#[test]
fn a_forged_vault_takes_no_value() {
    let house = House::new();
    house.call(["ls"]).run().ok();
    let forger = House::bare();
    forger.call(["init", "--no-recovery"]).run().ok();
    forger
        .call(["key", "add", "key-file", "forged.key"])
        .run()
        .ok();
    std::fs::copy(
        forger.path("home/data/vault.db"),
        house.path("home/data/vault.db"),
    )
    .unwrap();
    let key = forger.work("forged.key");
    let words = [
        "--json",
        "--key-file",
        key.to_str().unwrap(),
        "set",
        "bank/token",
        "--stdin",
    ];
    let stored = house.call(words).without_proof().input(VALUE).run();
    assert_eq!(stored.error_code(), "forged");
    let by_passphrase = house
        .call(["--json", "ls"])
        .proof("--passphrase-fd", &forger.path("passphrase"))
        .run();
    assert_eq!(by_passphrase.error_code(), "forged");
    let accepted = house
        .call(["--accept-root", "ls"])
        .proof("--passphrase-fd", &forger.path("passphrase"))
        .run();
    assert_eq!(
        accepted.code,
        Some(0),
        "a person with the passphrase may accept it: {accepted:?}"
    );
}
