//! Attacks on what is kept: the vault, its folder, the policy and the log.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use rusqlite::Connection;
use subrosa_tests::{Done, Place, copy_folder, held};

const VALUE: &[u8] = b"canary-4p9zk2-row-value";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours");
}

type Row = (Vec<u8>, i64, Vec<u8>);

/// Everything that is said of a run is the same for a short and a long value.
#[test]
fn row_13_nothing_said_of_a_run_depends_on_the_length_of_the_value() {
    let place = Place::new();
    place.allow("sh", &["-c", "printf %s $API_KEY"], "api/key");
    let mut said = Vec::new();
    for length in [12, 13, 64, 900] {
        let value: Vec<u8> = (0..length).map(|at| b"kXq7Zp2mWv9"[at % 11]).collect();
        place.set("api/key", &value);
        let run = [
            "--json",
            "run",
            "-k",
            "api/key",
            "--",
            "sh",
            "-c",
            "printf %s $API_KEY",
        ];
        let done = place.run(&run).ok();
        assert_eq!(done.text(), "[REDACTED:api/key]");
        let last = done.err.lines().last().expect("an account");
        let mut account: serde_json::Value = serde_json::from_str(last).expect("JSON");
        account["run"]["duration_ms"] = 0.into();
        let shown = place.run(&["show", "api/key", "--json"]).ok().text();
        let mut shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        // Times and version numbers go on by themselves.
        strip(
            &mut shown,
            &["created", "modified", "version", "versions", "written"],
        );
        let log = place.log();
        let completion = log
            .lines()
            .rfind(|line| line.contains("\"redactions\""))
            .expect("one");
        let mut completion: serde_json::Value = serde_json::from_str(completion).expect("JSON");
        strip(
            &mut completion,
            &["time", "request", "sequence", "caller", "link"],
        );
        said.push((account, shown, completion));
    }
    for other in &said[1..] {
        assert_eq!(*other, said[0]);
    }
    held(
        13,
        "mask, run report, show and log are the same for 12 and for 900 bytes",
    );
}

fn strip(value: &mut serde_json::Value, names: &[&str]) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|name, _| !names.contains(&name.as_str()));
            map.values_mut().for_each(|inner| strip(inner, names));
        }
        serde_json::Value::Array(list) => list.iter_mut().for_each(|inner| strip(inner, names)),
        _ => {}
    }
}

#[test]
fn row_25_a_pinned_secret_goes_nowhere_here_under_any_name() {
    let place = Place::new();
    let pin = ["openai/key", "--pin", "openai", "--host", "api.openai.com"];
    place.set_with(&pin, VALUE).ok();
    place.set("plain/key", b"an-ordinary-value-77");
    place.apply(
        "version: 1\nrules:\n  - allow: run\n    command: printenv\n    args: [\"API_KEY\"]\n    \
         secrets: [\"**\"]\n    inject: env\n",
    );
    let bound = |key: &str| {
        let bind = format!("API_KEY={key}");
        place.run(&[
            "run", "--inject", "env", "--bind", &bind, "--", "printenv", "API_KEY",
        ])
    };
    assert_eq!(bound("plain/key").ok().text(), "[REDACTED:plain/key]\n");
    let refused = |key: &str| {
        let done = bound(key).explained(&["pinned"]);
        assert_eq!(done.status, 125);
        place.proven(&["read", key]).explained(&["pinned"]);
    };
    refused("openai/key");
    place.run(&["mv", "openai/key", "moved/key"]).ok();
    refused("moved/key");
    // A name that was pinned is not pinned by its past, and no name lends its pin away.
    place.run(&["mv", "plain/key", "openai/key"]).ok();
    bound("openai/key").ok();
    refused("moved/key");
    let again = ["moved/key", "--pin", "mine", "--host", "evil.example"];
    assert_ne!(place.set_with(&again, b"other-value-8833").status, 0);
    let exported = place.proven(&["export", "--format", "json"]).ok();
    assert!(!exported.text().contains("canary"), "{exported:?}");
    assert!(
        place.log().contains("\"rule\":\"pin\""),
        "the gate's own refusals are in the log, which come before the policy's"
    );
    place.verify();
    held(
        25,
        "refused as a variable, to read and in an export, before and after a rename",
    );
}

#[test]
fn row_27_a_loose_or_linked_folder_is_refused_until_it_is_mended() {
    let place = Place::new();
    place.set("api/key", VALUE);
    let refused = |words: &[&str]| {
        place.run(&["ls"]).explained(words);
        place
            .set_with(&["other"], b"value-of-another")
            .explained(words);
    };
    for (path, bad, good) in [
        (place.data(), 0o755, 0o700),
        (place.data(), 0o770, 0o700),
        (place.vault(), 0o644, 0o600),
        (place.vault(), 0o620, 0o600),
        (place.path("live/home"), 0o777, 0o700),
        (place.path("live/home/state"), 0o705, 0o700),
    ] {
        mode(&path, bad);
        refused(&["type: chmod"]);
        mode(&path, good);
        assert_eq!(place.run(&["ls"]).ok().text().lines().count(), 2);
    }
    mode(&place.key_file(), 0o640);
    place.run(&["ls"]).explained(&["chmod 600"]);
    mode(&place.key_file(), 0o600);

    for path in [place.data(), place.vault(), place.path("live/home")] {
        let aside = place.path("aside");
        fs::rename(&path, &aside).expect("moved");
        symlink(&aside, &path).expect("linked");
        refused(&["symbolic link; "]);
        fs::remove_file(&path).expect("removed");
        fs::rename(&aside, &path).expect("moved");
    }
    // A second name for the file, through which it could be written from elsewhere.
    fs::hard_link(place.vault(), place.path("second")).expect("linked");
    refused(&["hard links"]);
    fs::remove_file(place.path("second")).expect("removed");
    assert_eq!(place.read("api/key"), VALUE);
    place.verify();
    held(
        27,
        "loose modes, symbolic and hard links are refused; mended, all is there",
    );
}

#[test]
fn row_27_policy_and_log_written_over_are_noticed() {
    let place = Place::new();
    place.set("api/key", VALUE);
    place.allow("sh", &["-c", "echo $API_KEY"], "api/key");
    place.save("narrow");
    let wide = "version: 1\nrules:\n  - allow: run\n    command: id\n    args: [\"**\"]\n    \
                secrets: [\"**\"]\n    inject: env\n";
    place.apply(wide);
    // Else nothing below would show that the wider one is not in force.
    let run = ["run", "-k", "api/key", "--inject", "env", "--", "id", "-u"];
    place.run(&run).ok();
    let loose = records(&place.vault());
    place.put_back("narrow");

    // Each record of the wider policy's time, put alone into the vault of the narrower.
    let before = records(&place.vault());
    let mut tried = 0;
    for (key, revision, body) in &loose {
        if before.contains(&(key.clone(), *revision, body.clone())) {
            continue;
        }
        let db = Connection::open(place.vault()).expect("SQLite");
        db.execute(
            "REPLACE INTO records VALUES (?1, ?2, ?3)",
            (key, revision, body),
        )
        .expect("SQL");
        drop(db);
        let done = place.run(&run);
        assert_eq!(done.status, 125, "{done:?}");
        assert!(done.out.is_empty());
        tried += 1;
        place.put_back("narrow");
    }
    assert!(tried >= 2, "the policy has a record and the state another");
    let run = ["run", "-k", "api/key", "--", "sh", "-c", "echo $API_KEY"];
    assert_eq!(place.run(&run).ok().text(), "[REDACTED:api/key]\n");
    held(
        27,
        "no record of a wider policy is taken in place of the one in force",
    );
}

fn records(vault: &Path) -> Vec<Row> {
    let db = Connection::open(vault).expect("SQLite");
    let mut query = db
        .prepare("SELECT key, revision, body FROM records")
        .expect("SQL");
    let rows = query
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("SQL");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn row_39_every_change_of_the_log_is_found() {
    let place = Place::new();
    for number in 0..6 {
        place.set(&format!("key/{number}"), VALUE);
    }
    let _ = place.run(&["run", "-k", "key/1", "--", "id"]);
    place.verify();
    place.save("sound");
    let all: i64 = sql(&place, |db| {
        db.query_row("SELECT max(sequence) FROM log", (), |row| row.get(0))
    });
    assert!(all > 10);
    let changes: [(&str, String); 8] = [
        (
            "one deleted",
            format!("DELETE FROM log WHERE sequence = {}", all / 2),
        ),
        (
            "the first deleted",
            "DELETE FROM log WHERE sequence = (SELECT min(sequence) FROM log)".to_owned(),
        ),
        (
            "the end cut off",
            format!("DELETE FROM log WHERE sequence > {}", all - 3),
        ),
        ("all deleted", "DELETE FROM log".to_owned()),
        (
            "two exchanged",
            format!(
                "UPDATE log SET sequence = -1 WHERE sequence = 3; UPDATE log SET sequence = 3 WHERE \
                 sequence = {0}; UPDATE log SET sequence = {0} WHERE sequence = -1",
                all - 2
            ),
        ),
        (
            "one edited",
            "UPDATE log SET body = CAST(substr(body, 1, length(body) - 40) || x'00' || \
             substr(body, length(body) - 38) AS BLOB) WHERE sequence = 5"
                .to_owned(),
        ),
        (
            "one repeated",
            format!(
                "INSERT INTO log SELECT {} , body FROM log WHERE sequence = 4",
                all + 1
            ),
        ),
        (
            "head and log gone",
            "DELETE FROM log; UPDATE tip SET sequence = NULL, head = NULL".to_owned(),
        ),
    ];
    for (what, change) in &changes {
        sql(&place, |db| db.execute_batch(change));
        let done = place.run(&["audit", "verify"]);
        assert_eq!(done.status, 1, "{what}: {done:?}");
        assert!(
            done.text().contains("WRONG") || done.err.contains("\n  try: "),
            "{what}: {done:?}"
        );
        place.put_back("sound");
    }
    // The whole folder put back to an earlier time; the anchor outside of it remembers.
    copy_folder(&place.data(), &place.path("earlier"));
    place.set("later", VALUE);
    fs::remove_dir_all(place.data()).expect("removed");
    copy_folder(&place.path("earlier"), &place.data());
    assert_eq!(place.run(&["audit", "verify"]).status, 1);
    place.put_back("sound");
    let done = place.run(&["audit", "verify"]).ok();
    assert!(
        done.text().contains("sound") && done.text().contains("not detected"),
        "{done:?}"
    );
    held(
        39,
        "deleted, cut, exchanged, edited, repeated, rewound: found; what cannot be is said",
    );
}

fn sql<T>(place: &Place, what: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> T {
    let db = Connection::open(place.vault()).expect("SQLite");
    what(&db).expect("SQL")
}

#[test]
fn row_40_a_vault_put_back_or_mixed_is_refused() {
    let place = Place::new();
    place.set("api/key", b"old-value-of-the-key");
    place.set("other/key", VALUE);
    place.save("old");
    let old = records(&place.vault());
    place.set("api/key", b"new-value-of-the-key");
    place.save("new");

    // The file alone, from before.
    fs::copy(place.path("old/home/data/vault.db"), place.vault()).expect("copied");
    for suffix in ["vault.db-wal", "vault.db-shm"] {
        let _ = fs::remove_file(place.data().join(suffix));
    }
    let done = place.proven(&["read", "api/key"]).explained(&[]);
    assert!(done.out.is_empty());
    place.put_back("new");

    // Single records from before, and all bodies of one kind exchanged.
    let mut tried = 0;
    for (key, revision, body) in old {
        let db = Connection::open(place.vault()).expect("SQLite");
        let changed = db
            .execute(
                "UPDATE records SET revision = ?2, body = ?3 WHERE key = ?1 AND body <> ?3",
                (&key, revision, &body),
            )
            .expect("SQL");
        drop(db);
        if changed > 0 {
            let done = place.proven(&["read", "api/key"]);
            assert_eq!((done.status, done.out.len()), (1, 0), "{done:?}");
            tried += 1;
            place.put_back("new");
        }
    }
    assert!(tried >= 2, "{tried}");
    assert_eq!(place.read("api/key"), b"new-value-of-the-key");
    place.verify();
    held(
        40,
        "the old file and every old record in the new file are refused",
    );
}

#[test]
fn row_45_a_planted_vault_gets_no_secret() {
    let (ours, theirs) = (Place::new(), Place::new());
    ours.set("api/key", VALUE);
    theirs.set("api/key", b"planted-value-for-you");
    // Their vault in place of ours, opened by a passphrase that we share and by a key file.
    fs::rename(ours.data(), ours.path("aside")).expect("moved");
    copy_folder(&theirs.data(), &ours.data());
    fs::copy(ours.key_file(), ours.path("our-key")).expect("copied");
    fs::copy(theirs.key_file(), ours.key_file()).expect("copied");
    for done in [
        ours.set_with(&["bank/pin"], b"value-for-the-thief"),
        ours.proven(&["ls"]),
        ours.proven(&["read", "api/key"]),
    ] {
        let done = done.explained(&[]);
        assert!(done.out.is_empty(), "{done:?}");
    }
    // A home that was planted whole, in another place: a key file in it proves nothing.
    let mut planted = ours.command(&["set", "bank/pin", "--stdin"]);
    planted.env("SUBROSA_HOME", theirs.path("live/home"));
    Done::of(&mut planted, b"value-for-the-thief").explained(&[]);

    fs::remove_dir_all(ours.data()).expect("removed");
    fs::rename(ours.path("aside"), ours.data()).expect("moved");
    fs::copy(ours.path("our-key"), ours.key_file()).expect("copied");
    assert_eq!(ours.read("api/key"), VALUE);
    ours.verify();
    held(
        45,
        "another root in our folder and a planted home are refused",
    );
}
