//! The demonstration holds what it shows, and leaves nothing.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::house::{House, PROGRAM};

#[test]
fn every_attack_that_applies_is_held_and_nothing_stays() {
    let house = House::bare();
    let temporary = house.path("tmp");
    crate::house::folder(&temporary);
    let back = house
        .call(["--json", "demo"])
        .without_proof()
        .variable("TMPDIR", &temporary)
        .run();
    let told = back.json();
    assert_eq!(told["held"], true, "{told}");
    assert_eq!(told["audit"]["sound"], true);
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 48);
    let held: BTreeSet<u64> = rows
        .iter()
        .filter(|row| row["verdict"] == "held")
        .map(|row| row["number"].as_u64().unwrap())
        .collect();
    let always = BTreeSet::from([
        3, 4, 5, 6, 9, 10, 11, 12, 13, 25, 27, 28, 29, 31, 32, 34, 35, 36, 37, 39, 40, 42, 43, 44,
        45,
    ]);
    // Where nobody may look into any process, the first two say so instead of being held.
    let looks = BTreeSet::from([1, 2]);
    assert!(held.is_superset(&always), "{told}");
    for row in rows {
        let number = row["number"].as_u64().unwrap();
        let word = row["verdict"].as_str().unwrap();
        if looks.contains(&number) {
            assert!(["held", "skipped"].contains(&word), "{row}");
        } else if !always.contains(&number) {
            assert_eq!(word, "not built", "{row}");
        }
    }
    assert_eq!(
        std::fs::read_dir(&temporary).unwrap().count(),
        0,
        "the folder is gone"
    );
    assert_eq!(
        std::fs::read_dir(house.path("home")).unwrap().count(),
        0,
        "nothing of the user's is touched"
    );
    assert_eq!(std::fs::read_dir(house.path("state")).unwrap().count(), 0);
}

/// The locks of all daemons that a demonstration in this folder has started.
fn locks(temporary: &Path) -> Vec<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let installations = folders(temporary).into_iter().flat_map(|one| folders(&one));
    installations
        .map(|one| one.join("run/daemon.lock"))
        .filter(|lock| lock.exists())
        .collect()
}

/// Whether a daemon runs that holds this lock, as the system knows it: trying to take it could keep
/// one from starting.
fn is_held(lock: &Path) -> bool {
    let Ok(there) = lock.metadata() else {
        return false;
    };
    let inode = format!(":{} ", there.ino());
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    locks
        .lines()
        .any(|line| line.contains("FLOCK") && line.contains(&inode))
}

fn any_runs(temporary: &Path) -> bool {
    locks(temporary).iter().any(|lock| is_held(lock))
}

/// Waits for something that is about to happen.
#[track_caller]
fn wait_until(what: &str, mut happened: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !happened() {
        assert!(begin.elapsed() < Duration::from_secs(120), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_that_is_killed_leaves_no_daemon() {
    let house = House::bare();
    let temporary = house.path("tmp");
    crate::house::folder(&temporary);
    let mut demo = Command::new(PROGRAM)
        .arg("demo")
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("daemon", || any_runs(&temporary));
    demo.kill().unwrap();
    demo.wait().unwrap();
    wait_until("end of the daemon", || !any_runs(&temporary));
}

#[test]
fn the_story_is_told_and_the_folder_kept_on_request() {
    let house = House::bare();
    let temporary = house.path("tmp");
    crate::house::folder(&temporary);
    let back = house
        .call(["demo", "--keep"])
        .without_proof()
        .variable("TMPDIR", &temporary)
        .run();
    let text = back.ok();
    for part in [
        "[REDACTED:shop/STRIPE_KEY]",
        "not built: part 6",
        "The audit log verifies",
        "Where to go next",
    ] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    let folder = std::fs::read_dir(&temporary)
        .unwrap()
        .next()
        .expect("the folder stays")
        .unwrap()
        .path();
    assert!(folder.join("home/data/vault.db").exists());
    assert!(!locks(&temporary).is_empty(), "daemons were started");
    assert!(!any_runs(&temporary), "and have ended");
}
