//! Slots that an age or SSH identity opens, with the real `age-keygen` and `ssh-keygen`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::ambient::{configure, put_back};
use crate::house::{Call, House};

fn run(program: &str, words: &[&str]) -> String {
    let made = Command::new(program).args(words).output().unwrap();
    assert!(made.status.success(), "{program}: {made:?}");
    String::from_utf8(made.stdout).unwrap()
}

/// An age identity in a file; returns its recipient.
fn age_key(path: &Path) -> String {
    let path = path.to_str().unwrap();
    run("age-keygen", &["-o", path]);
    run("age-keygen", &["-y", path]).trim().to_owned()
}

fn ssh_key(path: &Path, words: &[&str]) {
    let path = path.to_str().unwrap();
    run("ssh-keygen", &[&["-q", "-f", path], words].concat());
}

fn by(house: &House, identity: &str, words: &[&str]) -> Call {
    house
        .call([&["--age-identity", identity], words].concat())
        .without_proof()
}

#[test]
fn each_kind_of_identity_opens_the_vault_alone() {
    let house = House::with_key();
    let recipient = age_key(&house.work("id"));
    house.call(["key", "add", "age", &recipient]).run().ok();
    ssh_key(&house.work("ed"), &["-t", "ed25519", "-N", ""]);
    ssh_key(&house.work("rsa"), &["-t", "rsa", "-b", "2048", "-N", ""]);
    ssh_key(
        &house.work("pem"),
        &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"],
    );
    for name in ["ed", "rsa", "pem"] {
        let file = format!("{name}.pub");
        let words = [
            "key",
            "add",
            "age",
            "--label",
            name,
            "--recipient-file",
            &file,
        ];
        house.call(words).run().ok();
    }
    // The line itself will do as well as its file.
    let line = fs::read_to_string(house.work("ed.pub")).unwrap();
    house
        .call(["key", "add", "age", "--label", "line", &line])
        .run()
        .ok();
    house.call(["key", "rm", "line"]).run().ok();
    house
        .call(["key", "rm", "recovery"])
        .proof("--passphrase-fd", &house.path("passphrase"))
        .run()
        .ok();
    for (identity, label) in [("id", "age"), ("ed", "ed"), ("rsa", "rsa"), ("pem", "pem")] {
        let slots = by(&house, identity, &["--json", "key", "ls"]).run().json();
        let current = |slot: &&serde_json::Value| slot["current"] == true;
        let current = slots.as_array().unwrap().iter().find(current).unwrap();
        assert_eq!(
            (&current["label"], &current["presence"]),
            (&label.into(), &false.into())
        );
        assert_eq!(current["kind"], "age identity");
        by(&house, identity, &["read", "api/key"]).run().failed(1);
    }
    let status = house.call(["status"]).without_proof().run().ok();
    assert!(
        status.contains("an age identity opens the vault without a person"),
        "{status}"
    );

    // By variable and by configuration.
    let ls = || house.call(["ls"]).without_proof();
    ls().variable("SUBROSA_AGE_IDENTITY", "ed").run().ok();
    configure(&house, &format!("age_identity = {:?}\n", house.work("id")));
    ls().run().ok();
    ssh_key(&house.work("other"), &["-t", "ed25519", "-N", ""]);
    // What was asked for and does not fit is not replaced by what would.
    let other = by(&house, "other", &["--json", "ls"]).run();
    assert_eq!(other.error_code(), "wrong_key");
    let other = ls().variable("SUBROSA_AGE_IDENTITY", "other").run();
    other.failed(1);
}

#[test]
fn a_removed_slot_opens_neither_today_nor_an_old_copy() {
    let house = House::with_key();
    let recipient = age_key(&house.work("id"));
    house.call(["key", "add", "age", &recipient]).run().ok();
    by(&house, "id", &["ls"]).run().ok();
    // A new root key needs nobody's identity.
    house.call(["key", "rotate"]).run().ok();
    by(&house, "id", &["ls"]).run().ok();
    house.call(["backup", "copy"]).run().ok();
    put_back(&house, |house| {
        house.call(["key", "rm", "age"]).run().ok();
        house.set("later", "of-today");
    });
    let old = by(&house, "id", &["--json", "ls"]).run();
    assert_eq!(old.error_code(), "forged");
    fs::remove_dir_all(house.path("home/data")).unwrap();
    fs::rename(house.path("today"), house.path("home/data")).unwrap();
    let gone = by(&house, "id", &["--json", "ls"]).run();
    assert_eq!(gone.error_code(), "no_slot");
}

#[test]
fn what_is_no_identity_is_refused_and_not_repeated() {
    let house = House::with_key();
    let recipient = age_key(&house.work("id"));
    house.call(["key", "add", "age", &recipient]).run().ok();
    ssh_key(
        &house.work("locked"),
        &["-t", "ed25519", "-N", "c4n4ry-passphrase"],
    );
    ssh_key(
        &house.work("locked-rsa"),
        &["-t", "rsa", "-b", "2048", "-N", "c4n4ry-passphrase"],
    );
    ssh_key(&house.work("ecdsa"), &["-t", "ecdsa", "-N", ""]);
    let identity = fs::read(house.work("id")).unwrap();
    let whole = String::from_utf8(identity.clone()).unwrap();
    let secret = whole.lines().last().unwrap();
    for (name, text) in [
        ("empty", &b""[..]),
        ("comments", b"# nothing\n\n"),
        ("cut", &identity[..identity.len() - 9]),
        ("text", b"AGE-SECRET-KEY-C4N4RY"),
        ("binary", b"\xff\xfe\x00\x01"),
        ("nul", b"-----BEGIN OPENSSH PRIVATE KEY-----\n\0\0\n"),
        ("open", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ("file", b"age-encryption.org/v1\n-> scrypt c4n4ry 18\n"),
        ("armour", b"-----BEGIN AGE ENCRYPTED FILE-----\nc4n4ry\n"),
        ("plugin", b"AGE-PLUGIN-YUBIKEY-1C4N4RY\n"),
        ("long", &b"#".repeat(65 * 1024)),
        ("deep", &b"(".repeat(60 * 1024)),
    ] {
        house.write(name, text);
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(house.work(name), private).unwrap();
    }
    for (name, code, why) in [
        ("empty", "age", "holds no age identity"),
        ("comments", "age", "holds no age identity"),
        ("cut", "age", "holds no age identity"),
        ("text", "age", "holds no age identity"),
        ("binary", "age", "holds no age identity"),
        ("nul", "age", "no SSH private key"),
        ("open", "age", "no SSH private key"),
        ("file", "age", "a passphrase of its own"),
        ("armour", "age", "a passphrase of its own"),
        ("locked", "age", "a passphrase of its own"),
        ("locked-rsa", "age", "a passphrase of its own"),
        ("ecdsa", "age", "take ssh-ed25519 or ssh-rsa"),
        ("plugin", "age", "holds no age identity"),
        ("long", "limit", "65536"),
        ("deep", "age", "holds no age identity"),
        ("absent", "file_missing", "absent"),
    ] {
        let back = by(&house, name, &["--json", "ls"]).run();
        assert_eq!(back.error_code(), code, "{name}: {back:?}");
        assert!(back.err.contains(why), "{name}: {back:?}");
        let low = back.err.to_lowercase();
        assert!(
            !low.contains("c4n4ry") && !back.err.contains(secret),
            "{back:?}"
        );
    }
    fs::set_permissions(house.work("id"), fs::Permissions::from_mode(0o640)).unwrap();
    let open = by(&house, "id", &["--json", "ls"]).run();
    assert_eq!(open.error_code(), "unsafe_path");
    let inside = house.path("home/data/id");
    fs::rename(house.work("id"), &inside).unwrap();
    let inside = by(&house, inside.to_str().unwrap(), &["--json", "ls"]).run();
    assert_eq!(inside.error_code(), "usage");

    let weak = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDx";
    for (text, why) in [
        ("age1c4n4ry", "neither an age recipient"),
        (secret, "that is an identity"),
        ("", "neither"),
        (weak, ""),
        (
            &fs::read_to_string(house.work("ecdsa.pub")).unwrap(),
            "take ssh-ed25519",
        ),
    ] {
        let back = house.call(["--json", "key", "add", "age", text]).run();
        assert_eq!(back.error_code(), "age", "{why}");
        assert!(back.err.contains(why), "{back:?}");
        assert!(!back.err.contains("c4n4ry") && !back.err.contains(secret));
    }
    let slots = house.call(["--json", "key", "ls"]).run().json();
    assert_eq!(slots.as_array().unwrap().len(), 3, "{slots}");
}

#[test]
fn row_45_no_envelope_of_a_stranger_opens_their_vault() {
    let ours = House::new();
    // Made from nothing: the others are copies of one vault and have its root key.
    let theirs = House::bare();
    theirs.call(["init"]).run().ok();
    theirs.set("api/key", "planted-value-for-you");
    // The recipient is public: whoever plants a vault writes an envelope for it.
    let recipient = age_key(&ours.work("id"));
    theirs.call(["key", "add", "age", &recipient]).run().ok();
    ours.call(["key", "add", "age", &recipient]).run().ok();
    let home = theirs.path("home");
    let planted = by(&ours, "id", &["--json", "ls"]).at(&home).run();
    assert_eq!(planted.error_code(), "unpinned");
    let accepted = by(&ours, "id", &["--json", "--accept-root", "ls"])
        .at(&home)
        .run();
    assert_eq!(accepted.error_code(), "unpinned");
    // In place of ours, it is another vault.
    fs::rename(ours.path("home/data"), ours.path("aside")).unwrap();
    crate::house::copy(&theirs.path("home/data"), &ours.path("home/data"));
    for words in [&["--json", "ls"][..], &["--json", "--accept-root", "ls"]] {
        let back = by(&ours, "id", words).run();
        assert_eq!(back.error_code(), "forged");
        assert!(!back.err.contains("api/key"));
    }
    println!(
        "REDTEAM row=45 verdict=held why=an envelope of a stranger opens no vault that is not pinned"
    );
}
