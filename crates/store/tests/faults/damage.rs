//! Damaged files: cut off, scribbled on, not a database at all.
//!
//! A store answers what was written, or an error that says damage, or bodies that the vault's own
//! seals will refuse. It never panics and never goes on as if nothing were there.

use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use subrosa_audit::LogStore;
use subrosa_model::StoreError;
use subrosa_vault::port::{Collection, VaultStore};

use crate::{Random, create, open, step, steps_done};

const STEPS: u64 = 40;

/// A closed store after [`STEPS`] steps: everything is in one file.
fn store_bytes() -> Vec<u8> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    let mut store = create(&path);
    (1..=STEPS).for_each(|number| store.commit(&step(number)).unwrap());
    drop(store);
    std::fs::read(path).unwrap()
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    subrosa_store::folder::Folder::create(path.parent().unwrap()).unwrap();
    (home, path)
}

fn put_file(path: &Path, bytes: &[u8]) {
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(path.with_file_name(format!("vault.db{ending}")));
    }
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// Everything that can be read from a store: keys with bodies, and rows.
fn read_all(path: &Path) -> Result<(usize, usize), StoreError> {
    let mut store = open(path)?;
    let mut records = 0;
    for collection in Collection::ALL {
        store.snapshot()?.scan(collection, None, &mut |_| {
            records += 1;
            ControlFlow::Continue(())
        })?;
    }
    let rows = store.rows(0, usize::MAX)?.len();
    store.changes(1)?;
    Ok((records, rows))
}

fn is_damage(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Damaged { .. } | StoreError::Future { .. }
    )
}

#[test]
fn a_file_cut_anywhere_is_damaged() {
    let whole = store_bytes();
    let (_home, path) = place();
    let pages = (0..whole.len()).step_by(4096);
    let odd = (1..whole.len()).step_by(1733);
    for cut in pages
        .chain(odd)
        .chain([1, 15, 16, 99, 100, 101, 511, 512, whole.len() - 1])
    {
        put_file(&path, &whole[..cut]);
        let error = read_all(&path).expect_err(&format!("cut at {cut} of {}", whole.len()));
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{cut}: {error:?}"
        );
    }
    put_file(&path, &whole);
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), STEPS);
}

#[test]
fn what_is_no_database_is_damaged() {
    let (_home, path) = place();
    for bytes in [
        &b""[..],
        b"x",
        &[0; 4096],
        &[0xff; 100_000],
        b"SQLite format 3\0",
    ] {
        put_file(&path, bytes);
        let error = open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is left as it was");
    }
}

#[test]
fn an_emptied_file_does_not_cost_the_write_ahead_log() {
    let (_home, path) = place();
    std::fs::remove_dir(path.parent().unwrap()).unwrap();
    let mut store = create(&path);
    (1..=3).for_each(|number| store.commit(&step(number)).unwrap());
    let wal = path.with_file_name("vault.db-wal");
    let log = std::fs::read(&wal).unwrap();
    std::mem::forget(store);
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(open(&path), Err(StoreError::Damaged { .. })));
    assert_eq!(std::fs::read(&wal).unwrap(), log);
}

#[test]
fn flipped_bytes_are_damage_or_reach_the_seals() {
    let whole = store_bytes();
    let (_home, path) = place();
    let mut random = Random(7);
    let (mut told, mut read) = (0, 0);
    for round in 0..600 {
        let mut bytes = whole.clone();
        // Headers and the parts of pages that link them are hit as often as bodies.
        let at = match round % 3 {
            0 => random.below(bytes.len()),
            1 => random.below(bytes.len() / 4096) * 4096 + random.below(64),
            _ => random.below(100),
        };
        let before = bytes[at];
        bytes[at] ^= 1 << random.below(8);
        if round % 5 == 0 {
            bytes[at] = !before;
        }
        put_file(&path, &bytes);
        match read_all(&path) {
            Ok(_) => read += 1,
            Err(error) => {
                assert!(is_damage(&error), "byte {at}: {error:?}");
                told += 1;
            }
        }
        // Writing to it does not make it worse than an error.
        if let Ok(mut store) = open(&path) {
            match store.commit(&step(STEPS + 1)) {
                Ok(()) | Err(StoreError::Conflict | StoreError::Failed { .. }) => {}
                Err(error) => assert!(is_damage(&error), "byte {at}: {error:?}"),
            }
        }
    }
    assert!(told > 50 && read > 50, "{told} told, {read} read");
}

#[test]
fn a_scribbled_write_ahead_log_gives_an_earlier_state() {
    let (_home, path) = place();
    std::fs::remove_dir(path.parent().unwrap()).unwrap();
    let mut store = create(&path);
    (1..=12).for_each(|number| store.commit(&step(number)).unwrap());
    let wal = path.with_file_name("vault.db-wal");
    let (main, log) = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    // Its memory must not be taken over by the copies.
    drop(store);
    let mut random = Random(9);
    let mut states = std::collections::BTreeSet::new();
    for _ in 0..120 {
        let mut scribbled = log.clone();
        let at = random.below(log.len());
        scribbled[at] ^= 1 << random.below(8);
        put_file(&path, &main);
        std::fs::write(&wal, &scribbled).unwrap();
        std::fs::set_permissions(&wal, std::fs::Permissions::from_mode(0o600)).unwrap();
        // Checksums end the log at the first damaged frame. That it went back in time is for the
        // anchor to tell.
        match open(&path).and_then(|mut store| steps_done(&mut store)) {
            Ok(done) => assert!(states.insert(done) || done <= 12),
            Err(error) => assert!(is_damage(&error), "byte {at}: {error:?}"),
        }
    }
    assert!(states.len() > 3, "{states:?}");
}

#[test]
fn an_inspection_finds_what_reading_may_miss() {
    let whole = store_bytes();
    let (_home, path) = place();
    put_file(&path, &whole);
    open(&path).unwrap().inspect().unwrap();
    // An inner page that claims another cell: nobody may come by it.
    let mut found = 0;
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096 + 3] ^= 0x01;
        put_file(&path, &bytes);
        let inspected = open(&path).and_then(|mut store| store.inspect());
        if let Err(error) = inspected {
            assert!(is_damage(&error), "{error:?}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}
