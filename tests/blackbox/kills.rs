//! `kill -9` at every write, and at random moments, of what changes the vault.
//!
//! After each kill: the vault opens with the passphrase and with the key file (so the pin still
//! accepts it), every acknowledged value is there, the log verifies, and the next change goes in.
//!
//! `SUBROSA_KILLS=500` sets how many random kills there are in all; 40 without it.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use subrosa_tests::{Done, Place, program};

const OLD: &str = "value-before-the-kill-1";
const NEW: &str = "value-after-the-change-2";

/// A command that changes the vault, and what may be there after it was killed.
struct Change {
    name: &'static str,
    words: &'static [&'static str],
    /// What goes to its standard input.
    input: &'static str,
    /// Whether the key `changed` has the new value once it is done.
    sets: bool,
}

const CHANGES: [Change; 4] = [
    Change {
        name: "set",
        words: &["set", "changed", "--stdin"],
        input: NEW,
        sets: true,
    },
    Change {
        name: "rotate",
        words: &["key", "rotate"],
        input: "",
        sets: false,
    },
    Change {
        name: "restore",
        words: &["restore", "new.backup", "--conflict", "replace"],
        input: "",
        sets: true,
    },
    Change {
        name: "prune",
        words: &["audit", "prune", "--before", "0s"],
        input: "",
        sets: false,
    },
];

/// A vault with a history, saved as `before`; beside it a backup that holds the new value.
fn prepared() -> Place {
    let place = Place::new();
    for number in 0..3 {
        place.set(
            &format!("kept/{number}"),
            format!("kept-value-{number}-xyz").as_bytes(),
        );
    }
    place.set("changed", OLD.as_bytes());
    let _ = place.run(&["run", "-k", "changed", "--", "id"]);
    place.save("before");
    place.set("changed", NEW.as_bytes());
    place.proven(&["backup", "new.backup"]).ok();
    place.put_back("before");
    place
}

fn command(place: &Place, change: &Change, wrapper: &[&str]) -> Command {
    let mut command = Command::new("/bin/sh");
    place.surround(&mut command);
    command
        .args(["-c", "file=$1; shift; exec \"$@\" 3<\"$file\"", "sh"])
        .arg(place.path("passphrase"))
        .args(wrapper)
        .arg(program())
        .args(["--passphrase-fd", "3"])
        .args(change.words);
    command
}

/// Everything that must hold after a kill. `acknowledged` says that the change had succeeded.
#[track_caller]
fn check(place: &Place, change: &Change, when: &str, acknowledged: bool) {
    let context = format!("{} killed {when}", change.name);
    let exported = place.proven(&["export", "--format", "json"]);
    assert_eq!(exported.status, 0, "{context}: {exported:?}");
    let all: serde_json::Value = serde_json::from_slice(&exported.out).expect("JSON");
    for number in 0..3 {
        assert_eq!(
            all[format!("kept/{number}")],
            format!("kept-value-{number}-xyz"),
            "{context}"
        );
    }
    let value = all["changed"].as_str().expect("a value");
    let may = match (change.sets, acknowledged) {
        (true, true) => value == NEW,
        (true, false) => value == NEW || value == OLD,
        (false, _) => value == OLD,
    };
    assert!(may, "{context}: {value}, acknowledged: {acknowledged}");
    let verified = place.run(&["audit", "verify"]);
    assert_eq!(verified.status, 0, "{context}: {verified:?}");
    let next = place.set_with(&["next"], b"value-of-what-comes-next");
    assert_eq!(next.status, 0, "{context}: {next:?}");
}

/// System calls that make something durable or visible, each killed at its first, second, …
/// occurrence until the command survives.
const POINTS: [&str; 12] = [
    "pwrite64",
    "write",
    "fdatasync",
    "fsync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "ftruncate",
    "openat",
    "fcntl",
];

fn at_every_point(change: &Change) {
    if Command::new("strace").arg("-V").output().is_err() {
        panic!("strace is needed: apt-get install strace");
    }
    let place = prepared();
    // Without the long form, reads and locks are not points: they change nothing by themselves.
    let points = if std::env::var_os("SUBROSA_KILLS").is_some() {
        &POINTS[..]
    } else {
        &POINTS[..10]
    };
    let mut kills = 0;
    for call in points {
        for number in 1.. {
            assert!(number < 1000, "{} never survives {call}", change.name);
            let inject = format!("inject={call}:signal=SIGKILL:when={number}");
            let trace = format!("trace={call}");
            let log = place.path("strace").display().to_string();
            let wrapper = [
                "strace", "-f", "-qq", "-o", &log, "-e", &trace, "-e", &inject,
            ];
            let done = Done::of(
                &mut command(&place, change, &wrapper),
                change.input.as_bytes(),
            );
            // As a shell tells of SIGKILL.
            let killed = done.status == 128 + 9;
            assert!(
                killed || done.status == 0,
                "{} at {call} {number}: {done:?}",
                change.name
            );
            check(&place, change, &format!("at {call} {number}"), !killed);
            place.put_back("before");
            if !killed {
                break;
            }
            kills += 1;
        }
    }
    println!("{}: killed at {kills} points", change.name);
    assert!(kills > 5, "{kills}");
}

#[test]
fn set_killed_at_every_point() {
    at_every_point(&CHANGES[0]);
}

#[test]
fn rotate_killed_at_every_point() {
    at_every_point(&CHANGES[1]);
}

#[test]
fn restore_killed_at_every_point() {
    at_every_point(&CHANGES[2]);
}

#[test]
fn prune_killed_at_every_point() {
    at_every_point(&CHANGES[3]);
}

/// A whole restore where there was no vault: afterwards there is none, or all of it.
#[test]
fn whole_restore_killed_at_random() {
    let place = prepared();
    place.set("changed", NEW.as_bytes());
    fs::remove_dir_all(place.data()).expect("removed");
    place.save("before-whole");
    let change = Change {
        name: "restore-whole",
        words: &["restore", "new.backup"],
        input: "",
        sets: true,
    };
    let whole = duration(&place, &change);
    let mut killed = 0;
    let count = kills() / 5;
    for number in 0..count {
        place.put_back("before-whole");
        let pause = whole * number / count;
        let acknowledged = kill_after(&place, &change, pause);
        killed += usize::from(!acknowledged);
        if !place.vault().exists() || place.run(&["ls"]).err.contains("there is no vault") {
            assert!(!acknowledged, "an acknowledged restore left no vault");
            place.proven(&["restore", "new.backup"]).ok();
        }
        check(&place, &change, &format!("after {pause:?}"), true);
    }
    println!("restore-whole: {count} tries, {killed} killed");
}

fn kills() -> u32 {
    let set = std::env::var("SUBROSA_KILLS").ok();
    set.map_or(40, |text| text.parse().expect("SUBROSA_KILLS is a number"))
}

fn duration(place: &Place, change: &Change) -> Duration {
    let start = Instant::now();
    let child = command(place, change, &[]);
    let mut child = child;
    Done::of(&mut child, change.input.as_bytes()).ok();
    start.elapsed()
}

/// Starts the change and kills it after a while; answers whether it had succeeded.
fn kill_after(place: &Place, change: &Change, pause: Duration) -> bool {
    let mut child = command(place, change, &[])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = child.stdin.take().expect("piped");
    let _ = std::io::Write::write_all(&mut input, change.input.as_bytes());
    drop(input);
    std::thread::sleep(pause);
    // The shell has become the program: one process.
    let _ = child.kill();
    let done = Done::from(child.wait_with_output().expect("it ends"));
    assert!(matches!(done.status, 0 | 137), "{}: {done:?}", change.name);
    done.status == 0
}

fn at_random(change: &Change) {
    let place = prepared();
    let whole = duration(&place, change);
    let count = kills() / 4;
    let (mut killed, mut state) = (0, 0x9e37_79b9_u32);
    for number in 0..count {
        place.put_back("before");
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Opening takes most of the time and changes nothing: two thirds of the kills come late.
        let from = if number % 3 == 0 {
            Duration::ZERO
        } else {
            whole / 2
        };
        let pause =
            from + (whole * 11 / 10 - from).mul_f64(f64::from(state >> 8) / f64::from(1 << 24));
        let acknowledged = kill_after(&place, change, pause);
        killed += usize::from(!acknowledged);
        check(&place, change, &format!("after {pause:?}"), acknowledged);
    }
    println!(
        "{}: {count} tries at random moments, {killed} killed",
        change.name
    );
}

#[test]
fn set_killed_at_random() {
    at_random(&CHANGES[0]);
}

#[test]
fn rotate_killed_at_random() {
    at_random(&CHANGES[1]);
}

#[test]
fn restore_killed_at_random() {
    at_random(&CHANGES[2]);
}

#[test]
fn prune_killed_at_random() {
    at_random(&CHANGES[3]);
}
