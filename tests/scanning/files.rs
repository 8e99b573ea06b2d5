//! Files and folders.

use std::fs;

use base64::Engine;
use subrosa_tests::{Done, Place};

use crate::repository::Repository;
use crate::{RULE, VALUE, place, scan, shape};

#[test]
fn values_and_shapes_are_found_where_they_stand() {
    let place = place();
    let folder = place.path("work");
    fs::create_dir_all(folder.join("sub/.hidden")).expect("made");
    fs::write(folder.join("a.txt"), format!("first\nkey = {VALUE}\n")).expect("written");
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("user:{VALUE}"));
    fs::write(folder.join("sub/.hidden/b"), format!("ü {encoded}")).expect("written");
    fs::write(folder.join("sub/c"), format!("id: {}\n{VALUE}", shape())).expect("written");
    fs::write(folder.join("sub/d"), "nothing of the kind\n").expect("written");
    let scanned = scan(&place, &folder, &[]);
    assert_eq!(scanned.status, 1, "{scanned:?}");
    assert_eq!(
        scanned.places(),
        [
            "a.txt:2:7 api/key".to_owned(),
            // Of what is encoded only the characters that the value determines.
            "sub/.hidden/b:1:9 api/key".to_owned(),
            format!("sub/c:1:5 {RULE}"),
            "sub/c:2:1 api/key".to_owned(),
        ]
    );
    let findings = scanned.report["findings"].as_array().expect("a list");
    assert_eq!(findings[0]["offset"], 12);
    assert_eq!(findings[1]["form"], "base64");
    assert!(
        findings[2]["rotate"]
            .as_str()
            .is_some_and(|page| page.starts_with("https://")),
        "{findings:?}"
    );
    assert_eq!(findings[3]["next"], "subrosa set api/key");
    // The same secret, in whatever form; another one has another fingerprint.
    assert_eq!(findings[0]["fingerprint"], findings[1]["fingerprint"]);
    assert_ne!(findings[0]["fingerprint"], findings[2]["fingerprint"]);
    assert_eq!(scanned.report["texts"], 4);
    assert_eq!(scanned.report["complete"], true);
    // Another run's fingerprint says nothing about this one's.
    let again = scan(&place, &folder, &["a.txt"]);
    assert_ne!(again.one()["fingerprint"], findings[0]["fingerprint"]);
}

#[test]
fn nothing_found_is_status_0_and_nothing_is_changed() {
    let place = place();
    let folder = place.path("work");
    fs::write(folder.join("clean"), "nothing\n").expect("written");
    let scanned = scan(&place, &folder, &[]);
    assert_eq!((scanned.status, scanned.places().len()), (0, 0));
    fs::write(folder.join("found"), VALUE).expect("written");
    let before = subrosa_tests::files_below(&folder);
    assert_eq!(scan(&place, &folder, &[]).status, 1);
    assert_eq!(subrosa_tests::files_below(&folder), before);
}

#[test]
fn what_git_ignores_is_left_out_unless_it_is_asked_for() {
    let place = place();
    let repository = Repository::new(&place.path("work/repository"));
    repository.write(".gitignore", ".env\n/build/\n");
    repository.write(".env", VALUE);
    repository.write("build/out", VALUE);
    repository.write("sub/.gitignore", "*.log\n!kept.log\n");
    repository.write("sub/x.log", VALUE);
    repository.write("sub/kept.log", VALUE);
    repository.write(".git/info/exclude", "local\n");
    repository.write("local", VALUE);
    // A remote with a password in it.
    repository.write(
        ".git/config",
        format!("[remote \"o\"]\n\turl = https://u:{VALUE}@h/\n"),
    );
    let folder = &repository.folder;
    let seen = scan(&place, folder, &[]);
    assert_eq!(
        seen.places(),
        [".git/config:2:18 api/key", "sub/kept.log:1:1 api/key"]
    );
    let all = scan(&place, folder, &["--no-ignore"]).places();
    assert_eq!(all.len(), 6, "{all:?}");
    // A file that is named is meant, whatever git thinks of it.
    assert_eq!(scan(&place, folder, &[".env"]).status, 1);
}

#[test]
fn a_long_text_is_searched_to_its_end() {
    let place = place();
    let folder = place.path("work");
    let line = "a line of a log that goes on and on, as logs do\n";
    let mut text = line.repeat(60_000);
    text.push_str(&format!("\tlast {VALUE} and {}", shape()));
    fs::write(folder.join("log"), &text).expect("written");
    let scanned = scan(&place, &folder, &[]);
    assert_eq!(
        scanned.places(),
        [
            "log:60001:7 api/key".to_owned(),
            format!("log:60001:{} {RULE}", 7 + VALUE.len() + 5),
        ]
    );
    assert_eq!(scanned.report["bytes"], text.len());
}

#[test]
fn without_a_vault_shapes_are_found_alone() {
    let place = Place::empty();
    let folder = place.path("work");
    fs::write(folder.join("a"), format!("{}\n{VALUE}\n", shape())).expect("written");
    let mut bare = std::process::Command::new(subrosa_tests::program());
    place.surround(&mut bare);
    let told = crate::Scanned::of(bare.args(["--json", "scan"]));
    assert_eq!(told.places(), [format!("a:1:1 {RULE}")]);
    assert!(told.err.contains("there is no vault"), "{told:?}");
    // With a vault that nobody opens, nothing is said to be clean.
    let place = crate::place();
    fs::write(place.path("work/a"), VALUE).expect("written");
    let mut closed = std::process::Command::new(subrosa_tests::program());
    place.surround(&mut closed);
    let told = crate::Scanned::of(closed.args(["--json", "scan"]));
    assert_eq!(told.status, 3, "{told:?}");
    assert!(told.err.contains("--no-vault"), "{told:?}");
    let mut without = std::process::Command::new(subrosa_tests::program());
    place.surround(&mut without);
    let told = crate::Scanned::of(without.args(["--json", "scan", "--no-vault"]));
    assert_eq!((told.status, told.places().len()), (0, 0), "{told:?}");
}

/// Nothing found in an archive that is not looked into is not the same as nothing in it.
#[test]
fn archives_that_are_not_looked_into_are_counted() {
    let place = place();
    let folder = place.path("work/packed");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("a.zip"), b"PK\x03\x04\x14\0\0\0\x08\0rest").expect("written");
    fs::write(folder.join("b.tar.xz"), b"\xfd7zXZ\0\0\x04rest").expect("written");
    fs::write(folder.join("c.txt"), "PK is no archive").expect("written");
    let scanned = scan(&place, &folder, &[]);
    assert_eq!(scanned.status, 0, "{scanned:?}");
    assert_eq!(scanned.report["packed"], 2);
    let skipped = scanned.report["skipped"].as_array().expect("a list");
    let told: Vec<_> = skipped.iter().map(|one| one["path"].as_str()).collect();
    assert_eq!(told, [Some("a.zip"), Some("b.tar.xz")]);
    let done = Done::of(place.command(&["scan"]).current_dir(&folder), b"");
    assert!(done.err.contains("2 archives: a.zip, b.tar.xz"), "{done:?}");
    // What is looked into is none of these.
    fs::write(folder.join("d.gz"), b"\x1f\x8b\x08\0\0\0\0\0\0\x03rest").expect("written");
    assert_eq!(scan(&place, &folder, &["--no-vault"]).report["packed"], 2);
}
