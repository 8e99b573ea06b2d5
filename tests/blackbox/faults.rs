//! What goes wrong on real machines. Each fault must end in a clear error that says what to do,
//! lose nothing that was acknowledged, and leave a vault that is sound once the fault is gone.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use subrosa_tests::{Done, PASSPHRASE, Place, is_root, program};

const VALUE: &[u8] = b"an-acknowledged-value-51";

/// A place with one secret, saved as `sound`.
fn stocked() -> Place {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.save("sound");
    place
}

/// What was acknowledged is there, and the log verifies.
#[track_caller]
fn intact(place: &Place) {
    assert_eq!(place.read("api/key"), VALUE);
    place.verify();
}

#[test]
fn a_wrong_proof_opens_nothing_and_is_recorded() {
    let place = stocked();
    let done = Done::of(
        &mut place.with_passphrase("wrong", &["read", "api/key"]),
        b"",
    );
    assert!(done.explained(&["passphrase"]).out.is_empty());
    fs::write(place.path("empty"), "").expect("written");
    Done::of(&mut place.with_passphrase("empty", &["ls"]), b"").explained(&["holds no passphrase"]);
    fs::write(place.path("long"), "x".repeat(1 << 20)).expect("written");
    Done::of(&mut place.with_passphrase("long", &["ls"]), b"").explained(&[]);
    let mut none = Command::new(program());
    place.surround(&mut none);
    Done::of(none.arg("ls"), b"").explained(&["--passphrase-fd", "--key-file", "--recovery-fd"]);
    intact(&place);
    assert!(
        place.log().contains("\"opened\":false"),
        "the attempt is in the log"
    );
}

#[test]
fn a_passphrase_loses_one_final_newline_and_no_more() {
    let place = stocked();
    let open = |text: String| {
        fs::write(place.path("typed"), text).expect("written");
        Done::of(&mut place.with_passphrase("typed", &["ls"]), b"").status
    };
    assert_eq!(open(format!("{PASSPHRASE}\n")), 0);
    assert_ne!(open(format!("{PASSPHRASE}\n\n")), 0);
    assert_ne!(open(format!(" {PASSPHRASE}")), 0);
}

/// Bits turned over at places spread across what the file holds: a read gives the value or says
/// what is wrong, and what a read does not need the log's verification finds.
#[test]
fn a_damaged_file_is_never_believed() {
    let place = stocked();
    let whole = fs::read(place.vault()).expect("there");
    // What is removed is overwritten with zeros, so these are the bytes in use.
    let used: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] != 0).collect();
    let mut unnoticed = Vec::new();
    const TRIES: usize = 24;
    for number in 0..TRIES {
        let at = used[(number * used.len() + used.len() / 2) / TRIES];
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (number % 8);
        fs::write(place.vault(), &damaged).expect("written");
        let done = place.proven(&["read", "api/key"]);
        if done.status == 0 {
            assert_eq!(done.out, VALUE, "byte {at} was believed");
            if place.proven(&["audit", "verify"]).status == 0 {
                unnoticed.push(at);
            }
        } else {
            let done = done.explained(&[]);
            assert!(done.out.is_empty(), "byte {at}");
        }
        place.put_back("sound");
    }
    // Counters of SQLite that it writes and does not read, and older entries of `tip`.
    println!("of {TRIES} not noticed: {unnoticed:?}");
    assert!(unnoticed.len() <= TRIES / 4, "{unnoticed:?}");
    intact(&place);
}

#[test]
fn a_truncated_file_is_refused() {
    let place = stocked();
    let whole = fs::read(place.vault()).expect("there");
    for length in [
        0,
        1,
        99,
        4096,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 2000,
    ] {
        fs::write(place.vault(), &whole[..length]).expect("written");
        let done = place.proven(&["read", "api/key"]);
        // The end of the last page may be unused: SQLite reads zeros there.
        if length + 4096 <= whole.len() || done.status != 0 {
            assert!(done.explained(&[]).out.is_empty(), "{length}");
            place
                .set_with(&["other/key"], b"another-value-to-keep")
                .explained(&[]);
        } else {
            assert_eq!(done.out, VALUE, "{length}");
        }
        place.put_back("sound");
    }
    fs::write(
        place.vault(),
        b"this is some other file altogether, and no database".repeat(200),
    )
    .expect("written");
    place.run(&["ls"]).explained(&[]);
    place.put_back("sound");
    fs::remove_file(place.vault()).expect("removed");
    place.run(&["ls"]).explained(&["init"]);
    place.put_back("sound");
    intact(&place);
}

#[test]
fn a_read_only_folder_is_refused() {
    let place = stocked();
    // Root may write to any file; a folder that its owner closed is refused even so.
    let cases = if is_root() { 1 } else { 2 };
    for (path, mode) in [(place.data(), 0o500), (place.vault(), 0o400)]
        .into_iter()
        .take(cases)
    {
        let before = path.metadata().expect("there").permissions();
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("ours");
        place
            .set_with(&["api/key"], b"a-value-that-is-refused")
            .explained(&["chmod"]);
        fs::set_permissions(&path, before).expect("ours");
    }
    intact(&place);
}

#[test]
fn another_version_is_refused_without_a_change() {
    let place = stocked();
    let db = Connection::open(place.vault()).expect("SQLite");
    let version: i64 = db
        .query_row("PRAGMA user_version", (), |row| row.get(0))
        .expect("SQL");
    db.execute_batch(&format!("PRAGMA user_version = {}", version + 1000))
        .expect("SQL");
    drop(db);
    let before = fs::read(place.vault()).expect("there");
    for done in [
        place.run(&["ls"]),
        place.set_with(&["api/key"], b"a-value-of-the-past"),
    ] {
        done.explained(&["format", "newer"]);
    }
    assert!(
        fs::read(place.vault()).expect("there") == before,
        "it was written to"
    );
    place.put_back("sound");
    intact(&place);
}

/// Room for a while and then none: by the limit on the size of files, which takes no privileges.
#[test]
fn a_full_disk_loses_nothing() {
    let place = stocked();
    let size = place.vault().metadata().expect("there").len();
    let mut stored: Vec<String> = Vec::new();
    let mut refused = 0;
    for number in 0..30 {
        let key = format!("filled/{number}");
        let mut command = Command::new("/bin/sh");
        place.surround(&mut command);
        // In blocks of 512 bytes. Without the signal a write fails as on a full disk.
        let line = format!(
            "trap '' XFSZ; ulimit -f {}; exec \"$@\"",
            (size + 60_000) / 512
        );
        command
            .args(["-c", &line, "sh"])
            .arg(program())
            .arg("--key-file")
            .arg(place.key_file());
        command.args(["set", &key, "--stdin"]);
        let done = Done::of(&mut command, &b"0123456789abcdef".repeat(400));
        // It may be stored and its closing record not: then it says both.
        let told = done.err.contains(": stored");
        if told {
            stored.push(key.clone());
        }
        assert!(told || done.status != 0, "{done:?}");
        if done.status != 0 {
            assert!(
                done.err.contains("subrosa: ") && done.err.contains("try"),
                "{done:?}"
            );
            refused += 1;
            if refused == 3 {
                break;
            }
        }
    }
    println!("{} stored, {refused} refused", stored.len());
    assert!(refused == 3 && !stored.is_empty());
    // With room again all that was acknowledged is there, and more goes in.
    for key in &stored {
        assert_eq!(place.read(key).len(), 6400, "{key}");
    }
    place.set("filled/later", VALUE);
    intact(&place);
}

/// A disk of its own that is really full, where the system lets us mount one.
#[test]
fn a_full_file_system_loses_nothing() {
    let place = Place::empty();
    let script = r#"
        set -u
        mount -t tmpfs -o size=600k,mode=700 none "$1/live" || exit 77
        mkdir -p "$1/live/user" "$1/live/tmp"
        "$0" -q --passphrase-fd 3 init --no-recovery 3<"$1/passphrase" || exit 78
        "$0" -q --passphrase-fd 3 key add key-file "$1/live/user/key" 3<"$1/passphrase" || exit 78
        n=0; full=0
        while [ $n -lt 60 ] && [ $full -lt 3 ]; do
            n=$((n + 1))
            if head -c 20000 /dev/zero | tr '\0' k |
                "$0" -q --key-file "$1/live/user/key" set "k/$n" --stdin --force 2>"$1/err"
            then echo "$n" >>"$1/stored"
            else full=$((full + 1)); cat "$1/err" >>"$1/errors"; fi
        done
        "$0" -q --key-file "$1/live/user/key" run -k k/1 -- id >>"$1/errors" 2>&1
        echo "run $?" >>"$1/errors"
        mount -o remount,size=8m "$1/live" || exit 79
        for n in $(cat "$1/stored"); do
            "$0" -q --passphrase-fd 3 read "k/$n" 3<"$1/passphrase" | wc -c
        done >"$1/lengths"
        printf value-after-the-flood | "$0" -q --key-file "$1/live/user/key" set after --stdin || exit 80
        "$0" --key-file "$1/live/user/key" audit verify || exit 81
    "#;
    let mut command = Command::new("unshare");
    place.surround(&mut command);
    command
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "/bin/sh",
            "-c",
            script,
        ])
        .arg(program());
    command.arg(place.path(""));
    let done = Done::of(&mut command, b"");
    if done.status == 77 || done.err.contains("unshare") {
        println!(
            "skipped: no file system may be mounted here: {}",
            done.err.trim()
        );
        return;
    }
    assert_eq!(done.status, 0, "{done:?}");
    let text = |name: &str| fs::read_to_string(place.path(name)).expect("written");
    let (stored, lengths) = (text("stored"), text("lengths"));
    assert!(!stored.is_empty());
    assert_eq!(lengths.lines().count(), stored.lines().count());
    assert!(lengths.lines().all(|length| length == "20000"), "{lengths}");
    let errors = text("errors");
    assert!(
        errors.contains("full") || errors.contains("space"),
        "{errors}"
    );
    assert!(
        errors.contains("run 125"),
        "a use that cannot be recorded is refused: {errors}"
    );
    assert!(done.text().contains("sound"), "{done:?}");
}

#[test]
fn two_writers_lose_nothing() {
    const EACH: usize = 50;
    let place = stocked();
    // One command is one process; two shells run fifty each.
    let writer = |name: &str| {
        let mut command = Command::new("/bin/sh");
        place.surround(&mut command);
        let script = format!(
            "n=0; while [ $n -lt {EACH} ]; do n=$((n + 1)); \
             printf 'value-of-%s-%s-0000' {name} $n | \"$0\" -q --key-file \"$1\" set {name}/$n --stdin \
             || exit 9; done"
        );
        command
            .args(["-c", &script])
            .arg(program())
            .arg(place.key_file());
        command.spawn().expect("it starts")
    };
    let (one, two) = (writer("one"), writer("two"));
    for child in [one, two] {
        let done = Done::from(child.wait_with_output().expect("it ends"));
        assert_eq!(done.status, 0, "{done:?}");
    }
    let exported = place
        .proven(&["export", "--format", "json", "one/*", "two/*"])
        .ok()
        .text();
    let all: serde_json::Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!(all.as_object().expect("an object").len(), 2 * EACH);
    for name in ["one", "two"] {
        for number in 1..=EACH {
            let value = format!("value-of-{name}-{number}-0000");
            assert_eq!(all[format!("{name}/{number}")], value, "{name}/{number}");
        }
    }
    intact(&place);
}

#[test]
fn a_locked_file_is_waited_for_and_then_said() {
    let place = stocked();
    let db = Connection::open(place.vault()).expect("SQLite");
    db.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let done = place.set_with(&["api/key"], b"a-value-that-has-to-wait");
    done.explained(&[]);
    drop(db);
    intact(&place);
}

#[test]
fn a_backup_is_whole_or_refused() {
    let place = stocked();
    let file = place.path("work/vault.backup");
    place.proven(&["backup", "vault.backup"]).ok();
    assert_eq!(mode_of(&file) & 0o077, 0, "nobody else reads a backup");
    place.proven(&["backup", "vault.backup"]).explained(&[]);
    let whole = fs::read(&file).expect("there");
    place.set("later/key", VALUE);
    place.save("later");
    for number in 0..8 {
        let mut damaged = whole.clone();
        let at = (number * whole.len() + whole.len() / 2) / 8;
        damaged[at] ^= 0x10;
        fs::write(&file, &damaged).expect("written");
        place.proven(&["restore", "vault.backup"]).explained(&[]);
        // Where there is no vault, none is left behind either.
        fs::remove_dir_all(place.data()).expect("removed");
        place.proven(&["restore", "vault.backup"]).explained(&[]);
        assert!(!place.vault().exists(), "a vault from a damaged backup");
        place.put_back("later");
    }
    fs::write(&file, &whole[..whole.len() - 20]).expect("written");
    place.proven(&["restore", "vault.backup"]).explained(&[]);
    fs::write(&file, &whole).expect("written");
    fs::remove_dir_all(place.data()).expect("removed");
    place.proven(&["restore", "vault.backup"]).ok();
    assert_eq!(place.read("api/key"), VALUE);
}

fn mode_of(path: &Path) -> u32 {
    path.metadata().expect("there").permissions().mode()
}
