//! One daemon a vault, where nobody else can be in its place.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::thread;
use std::time::Duration;

use subrosa_tests::{Done, Served, held, program, runs, wait_until};

#[test]
fn twenty_that_start_it_at_once_get_the_same_one() {
    let served = Served::locked();
    let pids: Vec<u64> = thread::scope(|scope| {
        let starts: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| served.unlock_with("passphrase", &[]).ok()))
            .collect();
        let pid = |done: &Done| {
            let told: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
            assert_eq!(told["unlocked"], true, "{done:?}");
            told["pid"].as_u64().expect("a process")
        };
        let dones = starts
            .into_iter()
            .map(|start| start.join().expect("it ends"));
        dones.map(|done| pid(&done)).collect()
    });
    let daemon = u64::from(served.daemon().expect("it runs"));
    assert!(pids.iter().all(|pid| *pid == daemon), "{daemon}: {pids:?}");
    served.run(&["ls"]).ok();
    served.verify();
}

#[test]
fn a_second_daemon_is_told_that_there_is_one() {
    let served = Served::open();
    let done = served.run(&["daemon", "run"]);
    done.explained(&["serves this vault already", "subrosa daemon stop"]);
    served.run(&["ls"]).ok();
}

#[test]
fn what_a_killed_daemon_left_is_in_nobodys_way() {
    let served = Served::open();
    served.kill();
    assert!(served.socket().exists(), "it could not clean up");
    served.run(&["ls"]).explained(&["subrosa unlock"]);
    let stop = served.run(&["daemon", "stop"]).ok();
    assert!(stop.err.contains("No daemon"), "{stop:?}");
    served.unlock();
    served.run(&["ls"]).ok();
    served.verify();
}

#[test]
fn a_socket_that_was_removed_comes_back() {
    let served = Served::open();
    let pid = served.daemon();
    fs::remove_file(served.socket()).expect("it was there");
    wait_until("the socket", || served.socket().exists());
    served.run(&["ls"]).ok();
    assert_eq!(served.daemon(), pid, "the same daemon, and open still");
    let mode = served.socket().metadata().expect("there").mode();
    assert_eq!(mode & 0o7777, 0o600);
}

#[test]
fn row_34_the_socket_is_for_its_user_alone() {
    let served = Served::open();
    let mode = |path: &std::path::Path| path.metadata().expect("there").mode() & 0o7777;
    assert_eq!(mode(&served.socket()), 0o600);
    assert_eq!(mode(&served.runtime()), 0o700);
    assert_eq!(mode(&served.runtime().join("daemon.lock")), 0o600);
    held(34, "the socket is 0600, in a folder that is 0700");
}

#[test]
fn row_34_a_folder_that_others_may_enter_is_not_used() {
    let served = Served::locked();
    for loose in [0o755, 0o711, 0o770, 0o1777] {
        let _ = fs::create_dir(served.runtime());
        fs::set_permissions(served.runtime(), Permissions::from_mode(loose)).expect("ours");
        let done = served.unlock_with("passphrase", &[]);
        assert_ne!(done.status, 0, "{loose:o}: {done:?}");
        assert!(done.err.contains("live/home/run"), "{loose:o}: {done:?}");
        assert_eq!(served.daemon(), None);
        assert!(!served.socket().exists());
    }
    fs::set_permissions(served.runtime(), Permissions::from_mode(0o700)).expect("ours");
    served.unlock();
    served.run(&["ls"]).ok();
    held(34, "no daemon listens in a folder that others may enter");
}

#[test]
fn row_34_a_link_in_place_of_the_folder_is_not_followed() {
    let served = Served::locked();
    let elsewhere = served.path("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o700)).expect("ours");
    let _ = fs::remove_dir_all(served.runtime());
    symlink(&elsewhere, served.runtime()).expect("made");
    let done = served.unlock_with("passphrase", &[]);
    assert_ne!(done.status, 0, "{done:?}");
    assert_eq!(fs::read_dir(&elsewhere).expect("there").count(), 0);
    held(34, "a link in place of the socket's folder is not followed");
}

/// Whoever listens there in place of the daemon and speaks another protocol hears the first words
/// and nothing else.
#[test]
fn row_34_a_foreign_listener_gets_no_passphrase() {
    /// A header, the magic, the protocol, the version.
    const FIRST_WORDS: usize = 12 + 8 + 4 + 5;
    let served = Served::locked();
    let folder = served.runtime();
    fs::create_dir_all(&folder).expect("made");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("ours");
    let listener = UnixListener::bind(served.socket()).expect("bound");
    let (heard, done) = thread::scope(|scope| {
        let listening = scope.spawn(|| {
            let (mut socket, _) = listener.accept().expect("a client");
            let long = Some(Duration::from_secs(20));
            socket.set_read_timeout(long).expect("a timeout");
            let mut words = b"subrosa\0".to_vec();
            words.extend(999u32.to_le_bytes());
            words.extend(b"0.1.0");
            let mut frame = u32::try_from(words.len())
                .expect("short")
                .to_le_bytes()
                .to_vec();
            frame.extend([0; 8]);
            frame.extend(words);
            socket.write_all(&frame).expect("it listens");
            // Whoever says more waits for an answer: a byte more is enough, and it is hung up.
            let mut heard = Vec::new();
            let more = FIRST_WORDS as u64 + 1;
            (&mut socket)
                .take(more)
                .read_to_end(&mut heard)
                .expect("it closes, or says more");
            heard
        });
        let done = served.unlock_with("passphrase", &[]);
        (listening.join().expect("it ends"), done)
    });
    assert!(
        heard.starts_with(b"\x11\0\0\0\0\0\0\0\0\0\0\0subrosa\0"),
        "{heard:?}"
    );
    assert_eq!(heard.len(), FIRST_WORDS, "only the first words");
    assert_eq!(done.status, 1, "{done:?}");
    assert!(done.err.contains("protocol 999"), "{done:?}");
    held(
        34,
        "a listener of another protocol hears the first words alone",
    );
}

/// A process that starts the daemon ends, and nothing of it is held: neither its streams nor its
/// folder.
#[test]
fn the_daemon_holds_on_to_nothing_of_who_started_it() {
    let served = Served::open();
    let pid = served.daemon().expect("it runs");
    let folder = fs::read_link(format!("/proc/{pid}/cwd")).expect("readable");
    assert_eq!(folder.to_str(), Some("/"));
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("readable");
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .expect("fields")
        .split(' ')
        .collect();
    assert_eq!(fields[3], pid.to_string(), "a session of its own");
    assert_eq!(fields[4], "0", "no terminal");
    assert!(runs(pid));
}

/// Nor are the descriptors that whoever started it had: a passphrase on one, a lock on another.
#[test]
fn the_daemon_has_no_descriptor_of_who_started_it() {
    let served = Served::locked();
    let mut command = Command::new("/bin/sh");
    served.admit(&mut command);
    command
        .arg("-c")
        .arg("exec \"$0\" unlock --passphrase-fd 3 3<../passphrase 8>lock")
        .arg(program());
    Done::of(&mut command, b"").ok();
    let pid = served.daemon().expect("it runs");
    let theirs = [served.path("passphrase"), served.path("work/lock")];
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).expect("readable") {
        let open = fs::read_link(entry.expect("an entry").path()).unwrap_or_default();
        assert!(!theirs.contains(&open), "it has {}", open.display());
    }
}
