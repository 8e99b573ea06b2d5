//! Every kind of slot, by itself: it opens the vault in a fresh process and through the daemon, and
//! once it is removed it opens nothing of today's.

mod chip;
mod desktop;
mod kinds;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use subrosa_tests::{Done, Place, Served, copy_folder, held};

use kinds::{Kind, LABEL, Way, added, unproven};

const VALUE: &[u8] = b"canary-1zq8m4-of-yesterday";
const LATER: &str = "later/of-today";

/// A place where this kind opens the vault beside a passphrase and a key file.
fn with(kind: &Kind) -> (Place, Way) {
    let place = Place::new();
    place.set("api/key", VALUE);
    let way = (kind.add)(&place);
    (place, way)
}

fn code(done: &Done) -> String {
    assert_ne!(done.status, 0, "{done:?}");
    let last = done.err.lines().last().unwrap_or_default();
    let error: serde_json::Value = serde_json::from_str(last).expect("errors are JSON");
    error["error"]["code"].as_str().expect("a code").to_owned()
}

fn json(done: &Done) -> serde_json::Value {
    assert_eq!(done.status, 0, "{done:?}");
    serde_json::from_slice(&done.out).expect("JSON")
}

/// Removes all slots but the one under test. The last with which a person opens the vault cannot be
/// removed: a passphrase that nobody has takes its place.
fn alone(place: &Place, kind: &Kind) {
    let proven = |words: &[&str]| place.proven(words).ok();
    proven(&["key", "rm", "key-file"]);
    if !kind.everyday {
        fs::write(place.path("unknown"), "nobody has this passphrase").expect("written");
        let words = [
            "key",
            "add",
            "passphrase",
            "--new-passphrase-fd",
            "4",
            "--label",
            "nobody",
        ];
        added(place, &words, "unknown").ok();
    }
    proven(&["key", "rm", "passphrase"]);
}

fn alone_opens_the_vault_in_a_fresh_process(kind: &Kind) {
    let (place, way) = with(kind);
    alone(&place, kind);
    let others = place.proven(&["--json", "ls"]);
    assert!(["wrong_key", "no_slot"].contains(&code(&others).as_str()));
    let others = place.run(&["--json", "ls"]);
    assert!(["wrong_key", "no_slot"].contains(&code(&others).as_str()));

    let listed = way.run(&place, &["ls"], b"").ok();
    assert!(listed.text().contains("api/key"), "{listed:?}");
    way.run(&place, &["set", "more", "--stdin"], b"of it").ok();
    let slots = json(&way.run(&place, &["--json", "key", "ls"], b""));
    let slots = slots.as_array().expect("a list");
    let own = slots.iter().find(|slot| slot["label"] == LABEL);
    let own = own.expect("the slot under test");
    assert_eq!(own["current"], true, "{own}");
    assert_eq!(own["presence"], kind.presence, "{own}");
    assert_eq!(slots.len(), if kind.everyday { 1 } else { 2 });

    let status = json(&unproven(&place, &["--json", "status"]));
    assert_eq!(status["ambient"], !kind.presence, "{status}");
    let custody = status["custody"].as_str().expect("words");
    let words = kind.custody.unwrap_or("same user: stops accidents");
    assert!(custody.contains(words), "{custody}");

    let read = way.run(&place, &["read", "api/key"], b"");
    if kind.presence {
        assert_eq!(read.ok().out, VALUE);
    } else {
        let read = read.explained(&["refused by presence"]);
        assert!(read.out.is_empty(), "{read:?}");
    }
}

fn opens_the_vault_of_the_daemon(kind: &Kind) {
    let (place, way) = with(kind);
    let served = Served::of(place);
    let mut unlock = way.command(&served, &["unlock", "--json"]);
    unlock.env_remove("SUBROSA_NO_DAEMON");
    let told = json(&Done::of(&mut unlock, b""));
    assert_eq!(told["unlocked"], true, "{told}");
    assert_eq!(told["slot"], LABEL, "{told}");
    // Nothing of the way is needed from here on.
    let _ = fs::remove_dir_all(served.path("live/home/config"));
    let listed = served.run(&["ls"]).ok();
    assert!(listed.text().contains("api/key"), "{listed:?}");
    served.run(&["lock"]).ok();
    served.run(&["ls"]).explained(&["subrosa unlock"]);
}

fn removed_opens_neither_the_vault_nor_an_old_copy_with_todays_data(kind: &Kind) {
    let (place, way) = with(kind);
    let own = |place: &Place| way.run(place, &["--json", "ls"], b"");
    own(&place).ok();
    copy_folder(&place.data(), &place.path("old"));
    place.proven(&["key", "rm", LABEL]).ok();
    place.set(LATER, b"of today");

    let gone = own(&place);
    assert!(
        ["no_slot", "wrong_key"].contains(&code(&gone).as_str()),
        "{gone:?}"
    );
    copy_folder(&place.data(), &place.path("today"));
    let (old, today) = (place.path("old/vault.db"), place.path("today/vault.db"));

    // The old copy in the place of today's.
    put(&place, &old);
    assert_eq!(code(&own(&place)), "forged", "{}", kind.name);
    // The same slot in today's vault, and today's records in the old one.
    for (base, other, only) in [
        (
            &today,
            &old,
            format!("instr(body, CAST('{LABEL}' AS BLOB)) > 0"),
        ),
        (&old, &today, "1".to_owned()),
    ] {
        put(&place, base);
        let database = Connection::open(place.vault()).expect("it opens");
        let other = other.to_str().expect("UTF-8");
        database
            .execute("ATTACH ?1 AS other", [other])
            .expect("both open");
        let sql =
            format!("INSERT OR REPLACE INTO records SELECT * FROM other.records WHERE {only}");
        assert!(database.execute(&sql, []).expect("mixed") > 0);
        drop(database);
        let mixed = own(&place);
        assert_ne!(mixed.status, 0, "{mixed:?}");
        assert!(!mixed.text().contains(LATER), "{mixed:?}");
        // Nor where nobody knows the vault.
        let aside = place.path("aside");
        fs::rename(pins(&place), &aside).expect("moved");
        let mixed = way.run(&place, &["--json", "--accept-root", "ls"], b"");
        assert_ne!(mixed.status, 0, "{}: {mixed:?}", kind.name);
        assert!(!mixed.text().contains(LATER), "{mixed:?}");
        let _ = fs::remove_dir_all(pins(&place));
        fs::rename(&aside, pins(&place)).expect("moved");
    }
    // Today's own data are as they were.
    put(&place, &today);
    let listed = place.run(&["ls"]).ok();
    assert!(listed.text().contains(LATER), "{listed:?}");
    held(
        45,
        "a removed slot of any kind opens neither the vault nor an old copy with today's data",
    );
}

/// Puts a file in the place of the vault's.
fn put(place: &Place, file: &Path) {
    for name in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(place.data().join(name));
    }
    fs::copy(file, place.vault()).expect("copied");
}

/// What says outside the vault's folder which root key is known.
fn pins(place: &Place) -> PathBuf {
    place.path("live/state/subrosa/pins")
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(mod $name {
            use crate::kinds::$name as kind;

            #[test]
            fn alone_opens_the_vault_in_a_fresh_process() {
                crate::alone_opens_the_vault_in_a_fresh_process(&kind());
            }

            #[test]
            fn opens_the_vault_of_the_daemon() {
                crate::opens_the_vault_of_the_daemon(&kind());
            }

            #[test]
            fn row_45_removed_opens_neither_the_vault_nor_an_old_copy_with_todays_data() {
                crate::removed_opens_neither_the_vault_nor_an_old_copy_with_todays_data(&kind());
            }
        })*

        /// Every kind.
        const KINDS: &[fn() -> Kind] = &[$(kinds::$name),*];
    };
}

tests! { passphrase recovery key_file environment command age ssh keyring tpm }

#[test]
fn row_45_a_slot_without_presence_opens_no_vault_that_is_not_pinned() {
    for kind in KINDS.iter().map(|kind| kind()).filter(|kind| !kind.vouches) {
        let (place, way) = with(&kind);
        // What an agent could plant: a vault of its own with a slot for the user's way to open it.
        fs::remove_dir_all(pins(&place)).expect("pins were there");
        let done = way.run(&place, &["--json", "ls"], b"");
        assert_eq!(code(&done), "unpinned", "{}: {done:?}", kind.name);
        let done = way.run(&place, &["--json", "--accept-root", "ls"], b"");
        assert_eq!(code(&done), "unpinned", "{}: {done:?}", kind.name);
        let done = way.run(&place, &["set", "api/key", "--stdin"], b"mine");
        assert_ne!(done.status, 0, "{done:?}");
    }
    held(
        45,
        "no slot without presence opens a vault that is not pinned",
    );
}

#[test]
fn a_tpm_gives_nothing_for_a_wrong_pin_and_locks_itself() {
    let (place, way) = with(&kinds::tpm());
    let wrong = |pin: &str| {
        fs::write(place.path("pin"), pin).expect("written");
        let done = way.run(&place, &["--json", "ls"], b"");
        assert!(!done.err.contains(kinds::PIN), "{done:?}");
        (code(&done), done.err)
    };
    // What no TPM takes is not even asked for, and not counted.
    for pin in ["123", "a PIN of more bytes than a digest has"] {
        let (code, text) = wrong(pin);
        assert_eq!(code, "slot_secret");
        assert!(text.contains("4 to 32 bytes"), "{text}");
    }
    assert_eq!(wrong("0000").0, "wrong_key");
    fs::write(place.path("pin"), kinds::PIN).expect("written");
    way.run(&place, &["ls"], b"").ok();
    let mut last = String::new();
    for _ in 0..8 {
        let (code, text) = wrong("0000");
        last = text;
        if code == "slot_secret" {
            break;
        }
        assert_eq!(code, "wrong_key");
    }
    assert!(last.contains("too many wrong PINs"), "{last}");
    // The right one is of no use now, and the passphrase opens as ever.
    let (code, text) = wrong(kinds::PIN);
    assert_eq!(code, "slot_secret");
    assert!(text.contains("too many wrong PINs"), "{text}");
    place.proven(&["ls"]).ok();
    // Nothing is left of what the programs handed each other.
    let run = place.path("live/home/run");
    let left = fs::read_dir(run).into_iter().flatten().flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with("tpm")),
        "{left:?}"
    );
}

#[test]
fn another_tpm_opens_no_slot_of_this_one() {
    let (place, way) = with(&kinds::tpm());
    let other = chip::Chip::start(&place, "other");
    let mut command = way.command(&place, &["--json", "ls"]);
    command.env("TPM2TOOLS_TCTI", &other.name);
    let done = Done::of(&mut command, b"");
    assert_eq!(code(&done), "slot_secret");
    assert!(
        done.err.contains("made none of the vault's slots"),
        "{done:?}"
    );
    let mut command = way.command(&place, &["--json", "ls"]);
    command.env("TPM2TOOLS_TCTI", "swtpm:path=/nonexistent");
    let done = Done::of(&mut command, b"");
    assert_eq!(code(&done), "slot_secret", "{done:?}");
}
