//! Files that somebody laid out to hold the scan up, to hide, or to speak through it.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use subrosa_tests::{Done, program};

use crate::{Scanned, VALUE, place, scan, shape, silent};

#[test]
fn pipes_devices_and_loops_hold_nothing_up() {
    let place = place();
    let folder = place.path("work");
    fs::create_dir(folder.join("sub")).expect("made");
    fs::write(folder.join("sub/found"), VALUE).expect("written");
    // Somewhere else, and here once more through a link.
    fs::write(place.path("outside"), VALUE).expect("written");
    symlink(place.path("outside"), folder.join("out")).expect("linked");
    symlink("..", folder.join("sub/up")).expect("linked");
    symlink("loop", folder.join("loop")).expect("linked");
    symlink("/dev/zero", folder.join("zero")).expect("linked");
    let pipe = folder.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let _socket = UnixListener::bind(folder.join("socket")).expect("bound");
    let scanned = scan(&place, &folder, &[]);
    assert_eq!(scanned.places(), ["sub/found:1:1 api/key"]);
    let skipped = scanned.report["skipped"].as_array().expect("a list");
    let paths: Vec<_> = skipped.iter().map(|one| one["path"].as_str()).collect();
    assert_eq!(paths, [Some("pipe"), Some("socket")], "{skipped:?}");
    // What was named is what was meant, and a device has no end.
    for path in ["pipe", "/dev/zero"] {
        let scanned = scan(&place, &folder, &[path]);
        assert_eq!(scanned.status, 0, "{scanned:?}");
        assert_eq!(scanned.report["texts"], 0, "{scanned:?}");
        let reason = scanned.report["skipped"][0]["reason"].as_str();
        assert!(reason.is_some_and(|why| why.contains("no regular file")));
    }
    // A folder that is named through a link is entered.
    symlink("sub", folder.join("named")).expect("linked");
    assert_eq!(scan(&place, &folder, &["named/found"]).status, 1);
    assert_eq!(scan(&place, &folder, &["named"]).status, 1);
}

#[test]
fn what_cannot_be_read_is_said_and_is_no_clean_result() {
    let place = place();
    let folder = place.path("work");
    fs::write(folder.join("closed"), VALUE).expect("written");
    fs::set_permissions(folder.join("closed"), Permissions::from_mode(0o000)).expect("ours");
    fs::create_dir(folder.join("shut")).expect("made");
    fs::write(folder.join("shut/in"), VALUE).expect("written");
    fs::set_permissions(folder.join("shut"), Permissions::from_mode(0o000)).expect("ours");
    // Root reads everything, unless it is told not to.
    let mut command = Command::new("setpriv");
    place.surround(&mut command);
    command.args(["--bounding-set=-all", "--inh-caps=-all"]);
    command
        .arg(program())
        .args(["--json", "scan", "--no-vault"]);
    let scanned = Scanned::of(command.current_dir(&folder));
    fs::set_permissions(folder.join("shut"), Permissions::from_mode(0o700)).expect("ours");
    assert_eq!(scanned.status, 3, "{scanned:?}");
    assert_eq!(scanned.report["complete"], false);
    let skipped = scanned.report["skipped"].as_array().expect("a list");
    let mut paths: Vec<_> = skipped.iter().map(|one| one["path"].as_str()).collect();
    paths.sort();
    assert_eq!(paths, [Some("closed"), Some("shut")], "{skipped:?}");
    let gone = scan(&place, &folder, &["no-such-file"]);
    assert_eq!(gone.status, 3, "{gone:?}");
    // What was found all the same is what counts.
    fs::write(folder.join("open"), VALUE).expect("written");
    assert_eq!(scan(&place, &folder, &["no-such-file", "open"]).status, 1);
}

#[test]
fn names_drive_no_terminal_and_are_told_byte_for_byte() {
    let place = place();
    let folder = place.path("work");
    let names: [&[u8]; 3] = [b"a\nb: clean", b"\x1b[2J\x1b]0;title\x07", b"caf\xe9\x9b"];
    for name in names {
        fs::write(folder.join(OsStr::from_bytes(name)), VALUE).expect("written");
    }
    let mut command = place.command(&["--color", "always", "scan"]);
    let done = Done::of(command.current_dir(&folder), b"");
    silent(&done);
    assert_eq!(done.status, 1);
    let said = [&done.out[..], done.err.as_bytes()].concat();
    let controls = |byte: &&u8| **byte < 0x20 && **byte != b'\n';
    let own: Vec<u8> = said.iter().filter(controls).copied().collect();
    // Colours are ours; no name may bring any.
    assert!(own.iter().all(|byte| *byte == 0x1b), "{said:?}");
    let text = done.text();
    assert!(
        !text.contains("\u{1b}[2J") && !text.contains("\u{1b}]0"),
        "{text}"
    );
    assert!(text.contains("a\\u{a}b: clean:1:1"), "{text}");
    let scanned = scan(&place, &folder, &[]);
    let findings = scanned.report["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 3);
    let bytes: Vec<_> = findings
        .iter()
        .filter_map(|one| one["path_bytes"].as_str())
        .collect();
    assert_eq!(bytes, ["636166e99b"]);
}

#[test]
fn a_file_of_holes_is_left_where_it_is_no_text() {
    let place = place();
    let folder = place.path("work");
    let sparse = File::create(folder.join("sparse")).expect("made");
    std::io::Write::write_all(&mut &sparse, format!("{VALUE}\n").as_bytes()).expect("written");
    sparse.set_len(1 << 42).expect("sparse");
    let scanned = scan(&place, &folder, &["--no-vault"]);
    assert_eq!(scanned.status, 0, "{scanned:?}");
    let reason = scanned.report["skipped"][0]["reason"].as_str();
    assert!(
        reason.is_some_and(|why| why.contains("only its first 64 MiB")),
        "{scanned:?}"
    );
    let bytes = scanned.report["bytes"].as_u64().expect("a number");
    assert!(bytes <= 64 << 20, "{bytes}");
    // What is no text is searched so far.
    let mut binary = vec![0; 100_000];
    binary.extend_from_slice(VALUE.as_bytes());
    binary.push(0);
    fs::write(folder.join("sparse"), binary).expect("written");
    let found = scan(&place, &folder, &[]);
    assert_eq!(found.one()["offset"], 100_000);
}

#[test]
fn files_that_come_and_go_are_no_failure() {
    let place = place();
    let folder = place.path("work");
    fs::write(folder.join("found"), VALUE).expect("written");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !over.load(Ordering::Relaxed) {
                let name = folder.join(format!("{}", round % 50));
                match round % 3 {
                    0 => drop(fs::write(&name, "here")),
                    1 => drop(fs::remove_file(&name)),
                    // A file a moment ago, a pipe now: whoever opens it must not wait for a writer.
                    _ => drop(Command::new("mkfifo").arg(&name).output()),
                }
                round += 7;
            }
        });
        for _ in 0..10 {
            let scanned = scan(&place, &folder, &[]);
            assert_eq!(scanned.status, 1, "{scanned:?}");
            assert_eq!(scanned.places(), ["found:1:1 api/key"]);
            assert_eq!(scanned.report["complete"], true, "{scanned:?}");
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn many_small_files_are_all_searched() {
    const MANY: usize = 20_000;
    let place = place();
    let folder = place.path("work");
    for n in 0..MANY {
        if n % 1000 == 0 {
            fs::create_dir(folder.join(format!("{}", n / 1000))).expect("made");
        }
        let text = match n {
            12_345 => VALUE,
            _ => "small",
        };
        fs::write(folder.join(format!("{}/{n}", n / 1000)), text).expect("written");
    }
    let scanned = scan(&place, &folder, &[]);
    assert_eq!(scanned.places(), ["12/12345:1:1 api/key"]);
    assert_eq!(scanned.report["texts"], MANY);
}

#[test]
fn a_text_full_of_findings_is_counted_and_not_listed() {
    let place = place();
    let folder = place.path("work");
    let line = format!("{} {VALUE}\n", shape());
    fs::write(folder.join("full"), line.repeat(5_000)).expect("written");
    let scanned = scan(&place, &folder, &[]);
    let listed = scanned.report["findings"].as_array().expect("a list").len() as u64;
    let more = scanned.report["more"].as_u64().expect("a number");
    assert_eq!(listed + more, 10_000);
    assert!(listed <= 2_000, "{listed}");
}

/// What cannot be read is named, and why; whatever its name is.
#[test]
fn reasons_drive_no_terminal_either() {
    let place = place();
    let folder = place.path("work/shut\x1b]0;title\x07\x1b[31mred\u{9b}31m\u{202e}");
    fs::create_dir(&folder).expect("made");
    fs::set_permissions(&folder, Permissions::from_mode(0o000)).expect("ours");
    let asked = |words: &[&str]| {
        let mut command = Command::new("setpriv");
        place.surround(&mut command);
        command.args(["--bounding-set=-all", "--inh-caps=-all"]);
        command.arg(program()).args(words);
        Done::of(&mut command, b"")
    };
    let name = folder.to_str().expect("UTF-8");
    let missing = format!("{name}/missing");
    let calls = [
        &["scan", "--no-vault"][..],
        &["--json", "scan", "--no-vault"],
        &["scan", "--no-vault", "--sarif"],
        &["scan", "--no-vault", name],
        &["scan", "--no-vault", &missing],
        &["scan", "--no-vault", "--history", &missing],
        &["redact", "--shapes", name],
        &["redact", "--shapes", &missing],
        &["--json", "policy", "check", &missing],
        &["policy", "check", &missing],
        &["import", &missing],
        &["apply", "-f", &missing],
    ];
    let done = calls.map(|words| (words, asked(words)));
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("ours");
    for (words, done) in done {
        assert_ne!(done.status, 0, "{words:?} {done:?}");
        let said = String::from_utf8_lossy(&done.out).into_owned() + &done.err;
        let drives = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(drives), "{words:?} {said:?}");
        assert!(said.contains("title"), "{words:?} {said:?}");
    }
}
