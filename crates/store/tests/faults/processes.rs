//! Several processes, and one that holds the vault.

use std::time::Duration;

use rusqlite::Connection;
use subrosa_model::StoreError;
use subrosa_store::sqlite::OpenOptions;
use subrosa_store::sqlite::SqliteStore;
use subrosa_vault::port::{Batch, Collection, VaultStore};

use crate::{child, create, key, open, role, step, steps_done, this_program};

const STEPS: u64 = 100;

#[test]
fn two_processes_lose_nothing() {
    if let Some(folder) = role() {
        let mut store = open(&folder.join("vault.db")).unwrap();
        for _ in 0..STEPS {
            take_a_step(&mut store);
        }
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("vault");
    let path = folder.join("vault.db");
    drop(create(&path));
    let program = this_program();
    let writers: Vec<_> = (0..2)
        .map(|_| {
            child(&program, "processes::two_processes_lose_nothing", &folder)
                .spawn()
                .unwrap()
        })
        .collect();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    }
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), 2 * STEPS);
}

fn take_a_step(store: &mut SqliteStore) {
    loop {
        let counter = store
            .snapshot()
            .unwrap()
            .get(&key(Collection::State, 0))
            .unwrap();
        match store.commit(&step(counter.map_or(0, |counter| counter.revision) + 1)) {
            Ok(()) => return,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_vault_that_is_held_is_busy_and_then_free() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    create(&path).commit(&step(1)).unwrap();
    let options = OpenOptions::default().busy(Duration::from_millis(30));
    let mut store = SqliteStore::open(&path, &options).unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(store.commit(&step(2)), Err(StoreError::Busy)));
    assert_eq!(
        steps_done(&mut store).unwrap(),
        1,
        "readers are not held up"
    );
    holder.execute_batch("ROLLBACK").unwrap();
    store.commit(&step(2)).unwrap();
    assert_eq!(steps_done(&mut store).unwrap(), 2);
}

#[test]
fn what_yields_does_not_wait_and_what_follows_does() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    create(&path).commit(&step(1)).unwrap();
    let mut store = SqliteStore::open(&path, &OpenOptions::default()).unwrap();
    let holder = Connection::open(&path).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let yielding = Batch {
        yields: true,
        ..step(2)
    };
    // It would wait for five seconds, and the writer is let go only after it has answered.
    assert!(matches!(store.commit(&yielding), Err(StoreError::Busy)));
    let held = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        holder.execute_batch("ROLLBACK").unwrap();
    });
    store.commit(&step(2)).unwrap();
    held.join().unwrap();
    store
        .commit(&Batch {
            yields: true,
            ..step(3)
        })
        .unwrap();
    assert_eq!(steps_done(&mut store).unwrap(), 3);
}

#[test]
fn an_open_handle_survives_the_checks_of_another() {
    // Closing any descriptor of a file drops a process's locks on it. Were a check to open the
    // database, a second process could write into the middle of our transaction.
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    let mut store = create(&path);
    store.commit(&step(1)).unwrap();
    let snapshot = store.snapshot().unwrap();
    for _ in 0..3 {
        drop(open(&path).unwrap());
    }
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    let own = format!(" {} ", std::process::id());
    let inode = |name: &str| {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path.with_file_name(name)).unwrap().ino()
    };
    let inode = format!(":{} ", inode("vault.db-shm"));
    let held = locks
        .lines()
        .any(|line| line.contains(&own) && line.contains(&inode));
    assert!(
        held || locks.is_empty(),
        "the reader's lock is gone:\n{locks}"
    );
    drop(snapshot);
}
