//! Disks without room, and file systems that may not be written to.
//!
//! A child gets a small file system of its own: a `tmpfs` in a private mount namespace, which needs
//! root or user namespaces.

use std::path::Path;
use std::process::Command;

use subrosa_model::StoreError;
use subrosa_store::FileError;
use subrosa_store::files::write_atomic;
use subrosa_store::prelog::Prelog;
use subrosa_vault::port::VaultStore;

use crate::{child, create, open, role, step, steps_done, this_program};

/// Runs a test as a child on a file system of this size, in KiB.
fn on_small_disk(test: &str, size: u32) {
    let home = tempfile::tempdir().unwrap();
    let inner = child(&this_program(), test, home.path());
    let script = format!(
        "mount -t tmpfs -o size={size}k,mode=0700 subrosa-test \"$1\" && shift && exec \"$@\""
    );
    let output = Command::new("unshare")
        .args([
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            &script,
            "sh",
        ])
        .arg(home.path())
        .arg(inner.get_program())
        .args(inner.get_args())
        .env(crate::ROLE, home.path())
        .output()
        .unwrap_or_else(|error| panic!("unshare (of util-linux) is needed: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "a child on a small disk failed (user namespaces must be allowed):\n{said}"
    );
}

#[test]
fn a_full_disk_loses_nothing_acknowledged() {
    let Some(home) = role() else {
        return on_small_disk("full::a_full_disk_loses_nothing_acknowledged", 2048);
    };
    let path = home.join("vault/vault.db");
    let ballast = home.join("ballast");
    std::fs::write(&ballast, vec![1; 256 * 1024]).unwrap();
    let mut store = create(&path);
    let mut done = 0;
    let error = loop {
        match store.commit(&step(done + 1)) {
            Ok(()) => done += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert!(done > 10, "{done}");
    // The handle reads on, and says the same again.
    assert_eq!(steps_done(&mut store).unwrap(), done);
    assert!(matches!(
        store.commit(&step(done + 1)),
        Err(StoreError::Full)
    ));
    // Another one may not find the room to begin; it says so.
    match open(&path) {
        Ok(mut second) => assert_eq!(steps_done(&mut second).unwrap(), done),
        Err(error) => assert!(matches!(error, StoreError::Full), "{error:?}"),
    }
    drop(store);
    match open(&path) {
        Ok(mut again) => assert_eq!(steps_done(&mut again).unwrap(), done),
        Err(error) => assert!(matches!(error, StoreError::Full), "{error:?}"),
    }
    // With room again everything goes on.
    std::fs::remove_file(&ballast).unwrap();
    let mut store = open(&path).unwrap();
    assert_eq!(steps_done(&mut store).unwrap(), done);
    store.commit(&step(done + 1)).unwrap();
    assert_eq!(steps_done(&mut store).unwrap(), done + 1);
    store.inspect().unwrap();
}

#[test]
fn a_full_disk_leaves_no_half_of_a_store() {
    let Some(home) = role() else {
        return on_small_disk("full::a_full_disk_leaves_no_half_of_a_store", 256);
    };
    for room in [0, 4, 20, 40, 80] {
        let folder = home.join(format!("vault-{room}"));
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .unwrap();
        let ballast = home.join("ballast");
        fill(&ballast, room);
        let made = subrosa_store::sqlite::SqliteStore::create(
            &folder.join("vault.db"),
            &Default::default(),
        );
        match made {
            Ok(mut store) => assert_eq!(steps_done(&mut store).unwrap(), 0),
            Err(error) => {
                assert!(matches!(error, StoreError::Full), "{room}: {error:?}");
                assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "{room}");
            }
        }
        std::fs::remove_file(&ballast).unwrap();
    }
}

#[test]
fn a_full_disk_leaves_the_old_file_and_no_temporary_one() {
    let Some(home) = role() else {
        return on_small_disk(
            "full::a_full_disk_leaves_the_old_file_and_no_temporary_one",
            256,
        );
    };
    let file = home.join("file");
    write_atomic(&file, b"old", 0o600).unwrap();
    let prelog = Prelog::at(&home.join("attempts"));
    prelog.append(b"one").unwrap();
    fill(&home.join("ballast"), 8);
    let error = write_atomic(&file, &[7; 64 * 1024], 0o600).unwrap_err();
    assert!(matches!(error, FileError::Full { .. }), "{error:?}");
    assert!(error.to_string().contains("Free some space"), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), b"old");
    let entry = [b'x'; 1000];
    let error = (0..100).find_map(|_| prelog.append(&entry).err()).unwrap();
    assert!(matches!(error, FileError::Full { .. }), "{error:?}");
    let mut names: Vec<_> = std::fs::read_dir(&home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["attempts", "ballast", "file"]);
    std::fs::remove_file(home.join("ballast")).unwrap();
    write_atomic(&file, &[7; 64 * 1024], 0o600).unwrap();
    // The entry that did not fit left no trace.
    prelog
        .drain(|found| {
            assert_eq!(found.unreadable, 0);
            assert_eq!(found.entries[0], b"one");
            assert!(found.entries[1..].iter().all(|found| found == &entry));
            Ok::<_, FileError>(())
        })
        .unwrap();
}

/// Fills the disk until `room` KiB are left.
fn fill(ballast: &Path, room: usize) {
    use std::io::Write;
    let mut file = std::fs::File::create(ballast).unwrap();
    while file.write_all(&[1; 1024]).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(room as u64 * 1024))
        .unwrap();
}

#[test]
fn a_read_only_file_system_says_so() {
    let Some(home) = role() else {
        return on_small_disk("full::a_read_only_file_system_says_so", 1024);
    };
    let path = home.join("vault/vault.db");
    create(&path).commit(&step(1)).unwrap();
    remount(&home, "ro");
    let error = open(&path).unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error:?}");
    assert!(
        error.to_string().contains("read-only file system"),
        "{error}"
    );
    let written = write_atomic(&home.join("f"), b"x", 0o600);
    assert!(
        matches!(written, Err(FileError::ReadOnly { .. })),
        "{written:?}"
    );
    remount(&home, "rw");
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), 1);
}

fn remount(home: &Path, how: &str) {
    let status = Command::new("mount")
        .args(["-o", &format!("remount,bind,{how}")])
        .arg(home)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_limit_on_file_sizes_is_an_error_and_no_signal_of_death() {
    if let Some(home) = role() {
        let path = home.join("vault/vault.db");
        let mut store = open(&path).unwrap();
        let mut done = 0;
        while store.commit(&step(done + 1)).is_ok() {
            done += 1;
        }
        assert_eq!(steps_done(&mut store).unwrap(), done);
        let error = write_atomic(&home.join("f"), &[1; 1024 * 1024], 0o600).unwrap_err();
        assert!(matches!(error, FileError::Full { .. }), "{error:?}");
        assert!(!home.join(".f.tmp").exists());
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    drop(create(&path));
    let test = "full::a_limit_on_file_sizes_is_an_error_and_no_signal_of_death";
    let inner = child(&this_program(), test, home.path());
    // In units of 512 bytes: 256 KiB.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 512; exec \"$@\"", "sh"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .env(crate::ROLE, home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let mut store = open(&path).unwrap();
    let done = steps_done(&mut store).unwrap();
    assert!(done > 3, "{done}");
    store.commit(&step(done + 1)).unwrap();
    store.inspect().unwrap();
}
