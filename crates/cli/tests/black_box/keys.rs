//! Slots: add, remove, replace the root key.

use std::os::unix::fs::PermissionsExt;

use crate::house::{House, VALUE};

fn labels(house: &House) -> Vec<String> {
    let slots = house.call(["--json", "key", "ls"]).run().json();
    let mut labels: Vec<String> = slots
        .as_array()
        .unwrap()
        .iter()
        .map(|slot| slot["label"].as_str().unwrap().to_owned())
        .collect();
    labels.sort();
    labels
}

#[test]
fn slots_are_added_and_removed() {
    let house = House::with_key();
    assert_eq!(labels(&house), ["passphrase", "recovery"]);
    house.write("new", "another passphrase of mine\n");
    let added = house
        .call(["key", "add", "passphrase", "--new-passphrase-fd", "4"])
        .second(&house.work("new"))
        .run();
    added.ok();
    house
        .call(["key", "add", "key-file", "job.key", "--label", "jobs"])
        .run()
        .ok();
    assert_eq!(
        std::fs::metadata(house.work("job.key"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let recovery = house.call(["--json", "key", "add", "recovery"]).run();
    assert!(
        !recovery
            .text()
            .contains(recovery.err.lines().last().unwrap().trim()),
        "the code is no data"
    );
    assert_eq!(
        labels(&house),
        [
            "jobs",
            "passphrase",
            "passphrase-2",
            "recovery",
            "recovery-2"
        ]
    );

    let by_new = house
        .call(["read", "api/key"])
        .proof("--passphrase-fd", &house.work("new"))
        .run();
    assert_eq!(by_new.ok(), VALUE);
    let by_file = |house: &House| {
        house
            .call(["ls"])
            .without_proof()
            .variable("SUBROSA_KEY_FILE", "job.key")
            .run()
    };
    by_file(&house).ok();
    let status = house
        .call(["--json", "status"])
        .without_proof()
        .run()
        .json();
    assert_eq!(status["ambient"], true);

    house.call(["key", "rm", "jobs"]).run().ok();
    by_file(&house).failed(1);
    house.call(["key", "rm", "passphrase-2"]).run().ok();
    let gone = house
        .call(["ls"])
        .proof("--passphrase-fd", &house.work("new"))
        .run();
    assert_eq!(gone.code, Some(1));
    assert_eq!(house.read("api/key"), VALUE.as_bytes());
    assert_eq!(
        house
            .call(["--json", "key", "rm", "nobody"])
            .run()
            .error_code(),
        "slot_missing"
    );
}

#[test]
fn the_last_passphrase_stays() {
    let house = House::new();
    // The recovery code is for the day when everything else is lost.
    assert_eq!(
        house
            .call(["--json", "key", "rm", "passphrase"])
            .run()
            .error_code(),
        "last_slot"
    );
    house
        .call(["ls"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .ok();
    house
        .call(["key", "rm", "recovery"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .ok();
    let gone = house.call(["ls"]).run();
    assert_eq!(gone.code, Some(1), "{gone:?}");
}

#[test]
fn a_rotation_keeps_everything_but_the_root_key() {
    let house = House::with_key();
    house.set("api/key", "the-second-version-of-it");
    house.apply("version: 1\nallowed_commands: [kubectl]\n");
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    let before = house.call(["--json", "status", "--verify"]).run().json();
    let rotated = house.call(["--json", "key", "rotate"]).run().json();
    let after = house.call(["--json", "status", "--verify"]).run().json();
    assert_ne!(
        before["opened"]["fingerprint"],
        after["opened"]["fingerprint"]
    );
    assert_eq!(rotated["fingerprint"], after["opened"]["fingerprint"]);
    assert_eq!(before["vault"], after["vault"]);
    assert_eq!(
        house.call(["read", "api/key", "--version", "1"]).run().ok(),
        VALUE
    );
    assert_eq!(house.read("api/key"), b"the-second-version-of-it");
    assert!(
        house
            .call(["policy", "show"])
            .run()
            .ok()
            .contains("kubectl")
    );
    house
        .call(["--key-file", "job.key", "ls"])
        .without_proof()
        .run()
        .ok();
    house
        .call(["ls"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .ok();
    house.call(["audit", "verify"]).run().ok();
}

#[test]
fn a_key_file_is_not_made_where_it_opens_every_copy() {
    let house = House::new();
    let inside = house.path("home/data/my.key");
    let back = house
        .call(["--json", "key", "add", "key-file", inside.to_str().unwrap()])
        .run();
    assert_eq!(back.error_code(), "usage");
    assert!(!inside.exists());
    house.write("there", "something");
    house
        .call(["key", "add", "key-file", "there"])
        .run()
        .failed(1);
    assert_eq!(std::fs::read(house.work("there")).unwrap(), b"something");
    assert_eq!(labels(&house), ["passphrase", "recovery"]);
}

#[test]
fn a_key_file_that_others_read_is_refused() {
    let house = House::new();
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    std::fs::set_permissions(
        house.work("job.key"),
        std::fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let back = house
        .call(["--json", "--key-file", "job.key", "ls"])
        .without_proof()
        .run();
    assert_eq!(back.error_code(), "unsafe_path");
}
