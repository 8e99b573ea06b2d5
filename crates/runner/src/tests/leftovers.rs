//! Folders with values that a killed run left behind.

use std::os::unix::fs::symlink;

use rustix::process::getpid;

use super::*;
use crate::folder::PrivateFolder;

fn base() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").expect("a folder in memory")
}

/// A folder as a run with this number makes one, with a value in it.
#[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
fn fake(base: &Path, name: &str) -> PathBuf {
    let folder = base.join(name);
    std::fs::create_dir(&folder).expect("a folder is made");
    make_mode(&folder, 0o700);
    put(&folder.join("TOKEN"), b"plaintext");
    folder
}

/// A number that no process has.
#[allow(clippy::disallowed_methods, reason = "processes are what is tested")]
fn ended() -> u32 {
    let mut child = std::process::Command::new("true")
        .spawn()
        .expect("it starts");
    child.wait().expect("it ends");
    child.id()
}

#[test]
fn what_a_killed_run_left_is_removed() {
    let base = base();
    let left = fake(base.path(), &format!("subrosa-run-{}-0", ended()));
    let made = PrivateFolder::create(&[base.path().to_owned()]).expect("is made");
    assert!(!left.exists());
    drop(made);
}

#[test]
fn what_a_process_with_an_older_number_left_is_removed() {
    let base = base();
    // Our own number, on a folder from before we were started.
    let left = fake(
        base.path(),
        &format!("subrosa-run-{}-9", getpid().as_raw_pid()),
    );
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let folder = std::fs::File::open(&left).expect("it opens");
    folder.set_modified(old).expect("it is dated");
    drop(folder);
    let made = PrivateFolder::create(&[base.path().to_owned()]).expect("is made");
    assert!(!left.exists());
    drop(made);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]
fn what_is_not_a_leftover_stays() {
    let base = base();
    let dead = ended();
    let live = fake(
        base.path(),
        &format!("subrosa-run-{}-7", getpid().as_raw_pid()),
    );
    let open = fake(base.path(), &format!("subrosa-run-{dead}-1"));
    make_mode(&open, 0o755);
    let others = [
        fake(base.path(), "subrosa-run-0-0"),
        fake(base.path(), "subrosa-run--5-0"),
        fake(base.path(), &format!("subrosa-run-{dead}")),
        fake(base.path(), &format!("subrosa-run-{dead}-1-2")),
        fake(base.path(), &format!("subrosa-run-+{dead}-1")),
        fake(base.path(), &format!("subrosa-running-{dead}-1")),
    ];
    let target = fake(base.path(), "target");
    symlink(&target, base.path().join(format!("subrosa-run-{dead}-2"))).expect("a link");
    put(&base.path().join(format!("subrosa-run-{dead}-3")), b"file");
    // A run in another PID namespace, whose number means nothing here: it holds its folder.
    let held = fake(base.path(), &format!("subrosa-run-{dead}-4"));
    let holder = std::fs::File::open(&held).expect("it opens");
    rustix::fs::flock(&holder, rustix::fs::FlockOperation::LockShared).expect("it is held");

    drop(PrivateFolder::create(&[base.path().to_owned()]).expect("is made"));
    for folder in [&live, &open, &target, &held].into_iter().chain(&others) {
        assert!(folder.join("TOKEN").exists(), "{}", folder.display());
    }
    assert!(base.path().join(format!("subrosa-run-{dead}-3")).exists());
    drop(holder);
    drop(PrivateFolder::create(&[base.path().to_owned()]).expect("is made"));
    assert!(!held.exists());
}

#[test]
fn a_folder_is_held_while_its_run_lasts() {
    let base = base();
    let made = PrivateFolder::create(&[base.path().to_owned()]).expect("is made");
    let path = made.put("TOKEN", b"value").expect("is written");
    let folder = std::fs::File::open(path.parent().expect("it has one")).expect("it opens");
    let alone = rustix::fs::FlockOperation::NonBlockingLockExclusive;
    assert!(rustix::fs::flock(&folder, alone).is_err());
}

#[test]
fn a_sweep_is_bounded() {
    let base = base();
    let dead = ended();
    let all: Vec<PathBuf> = (0..200)
        .map(|number| fake(base.path(), &format!("subrosa-run-{dead}-{number}")))
        .collect();
    let left = || all.iter().filter(|folder| folder.exists()).count();
    drop(PrivateFolder::create(&[base.path().to_owned()]).expect("is made"));
    assert!((1..200).contains(&left()), "{}", left());
    for _ in 0..3 {
        drop(PrivateFolder::create(&[base.path().to_owned()]).expect("is made"));
    }
    assert_eq!(left(), 0);
}
