//! Backup and restore.

use std::os::unix::fs::PermissionsExt;

use crate::house::{House, VALUE, copy, folder};

#[test]
fn a_whole_vault_comes_back_from_its_backup() {
    let house = House::with_key();
    house.set("db/main#password", "password-of-the-db");
    house.set("api/key", "a-second-version-of-it");
    house.apply("version: 1\nallowed_commands: [kubectl]\n");
    house.call(["backup", "vault.subrosa"]).run().ok();
    let mode = std::fs::metadata(house.work("vault.subrosa"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = std::fs::read(house.work("vault.subrosa")).unwrap();
    assert!(
        !bytes
            .windows(8)
            .any(|part| part == b"password" || part == &VALUE.as_bytes()[..8])
    );
    house.call(["backup", "vault.subrosa"]).run().failed(1);

    let home = house.path("elsewhere");
    folder(&home);
    let restored = house
        .call(["--json", "restore", "vault.subrosa"])
        .at(&home)
        .run()
        .json();
    assert_eq!(restored["whole"], true);
    let read = |what: &str| house.call(["read", what]).at(&home).run().ok();
    assert_eq!(read("api/key"), "a-second-version-of-it");
    assert_eq!(
        house
            .call(["read", "api/key", "--version", "1"])
            .at(&home)
            .run()
            .ok(),
        VALUE
    );
    assert_eq!(read("db/main#password"), "password-of-the-db");
    assert!(
        house
            .call(["policy", "show"])
            .at(&home)
            .run()
            .ok()
            .contains("kubectl")
    );
    house.call(["audit", "verify"]).at(&home).run().ok();
}

#[test]
fn a_backup_is_added_to_a_vault_all_or_nothing() {
    let house = House::with_key();
    house.set("other/key", "some-other-value");
    house.call(["backup", "vault.subrosa"]).run().ok();
    house.set("api/key", "changed-after-the-backup");
    house.call(["rm", "other/key", "--purge"]).run().ok();
    let restore = |words: &[&str]| {
        house
            .call([&["--json", "restore", "vault.subrosa"], words].concat())
            .run()
    };
    assert_eq!(restore(&[]).error_code(), "conflicts");
    assert_eq!(
        house
            .call(["--json", "ls"])
            .run()
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let kept = restore(&["--conflict", "skip"]).json();
    assert_eq!(kept["restored"].as_array().unwrap().len(), 1);
    assert_eq!(house.read("other/key"), b"some-other-value");
    assert_eq!(house.read("api/key"), b"changed-after-the-backup");
    restore(&["--conflict", "replace"]).json();
    assert_eq!(house.read("api/key"), VALUE.as_bytes());
}

#[test]
fn a_damaged_backup_leaves_no_vault() {
    let house = House::with_key();
    house.call(["backup", "vault.subrosa"]).run().ok();
    let bytes = std::fs::read(house.work("vault.subrosa")).unwrap();
    for (index, broken) in [
        bytes[..bytes.len() / 2].to_vec(),
        bytes[..bytes.len() - 1].to_vec(),
        {
            let mut b = bytes.clone();
            let at = b.len() / 2;
            b[at] ^= 1;
            b
        },
        [bytes.as_slice(), b"more"].concat(),
        b"not a backup".to_vec(),
    ]
    .iter()
    .enumerate()
    {
        house.write("broken.subrosa", broken);
        let home = house.path(&format!("try{index}"));
        folder(&home);
        let back = house
            .call(["--json", "restore", "broken.subrosa"])
            .at(&home)
            .run();
        assert_ne!(back.code, Some(0), "{index}: {back:?}");
        assert!(!home.join("data/vault.db").exists(), "{index}");
    }
}

#[test]
fn what_was_revoked_after_a_backup_stays_revoked() {
    let house = House::with_key();
    house.call(["key", "add", "key-file", "old.key"]).run().ok();
    house.call(["backup", "vault.subrosa"]).run().ok();
    house.call(["key", "rm", "key-file"]).run().ok();
    std::fs::remove_dir_all(house.path("home/data")).unwrap();
    let restored = house
        .call(["--json", "restore", "vault.subrosa"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .json();
    let left_out = restored["left_out"].as_array().unwrap();
    assert!(left_out.contains(&"key-file".into()), "{restored}");
    let read = house
        .call(["read", "api/key"])
        .proof("--passphrase-fd", &house.path("passphrase"));
    assert_eq!(read.run().ok(), VALUE);
    let revoked = house
        .call(["--key-file", "old.key", "ls"])
        .without_proof()
        .run();
    assert_eq!(revoked.code, Some(1), "{revoked:?}");
}

#[test]
fn a_backup_with_a_passphrase_of_its_own_is_added() {
    let house = House::with_key();
    let theirs = house.write("theirs", "the passphrase of the backup\n");
    house
        .call(["key", "add", "passphrase", "--new-passphrase-fd", "4"])
        .second(&theirs)
        .run()
        .ok();
    house.call(["backup", "vault.subrosa"]).run().ok();
    // Another vault, with another passphrase.
    let other = house.path("other");
    folder(&other);
    let mine = house.write("mine", "a passphrase of another vault\n");
    let call = |words: &[&str]| house.call(words).at(&other).proof("--passphrase-fd", &mine);
    call(&["init"]).run().ok();
    let back = call(&["--json", "restore", "vault.subrosa"]).run();
    assert_eq!(back.error_code(), "backup_key");
    assert!(back.err.contains("--backup-passphrase-fd"), "{}", back.err);
    call(&["restore", "vault.subrosa", "--backup-passphrase-fd", "4"])
        .second(&theirs)
        .run()
        .ok();
    assert_eq!(call(&["read", "api/key"]).run().ok(), VALUE);
    call(&["audit", "verify"]).run().ok();
}

#[test]
fn an_old_copy_is_accepted_by_who_put_it_back() {
    let house = House::with_key();
    let data = house.path("home/data");
    let old = house.path("old");
    copy(&data, &old);
    house.set("api/key", "a-newer-version-of-it");
    std::fs::remove_dir_all(&data).unwrap();
    copy(&old, &data);
    let back = house.call(["--json", "ls"]).run();
    assert_eq!(back.error_code(), "rolled_back");
    assert!(back.err.contains("--accept"), "{}", back.err);
    house.call(["audit", "verify"]).run().failed(1);
    house.call(["audit", "verify", "--accept"]).run().ok();
    assert_eq!(house.call(["read", "api/key"]).run().ok(), VALUE);
    house.call(["audit", "verify"]).run().ok();
}
