//! Files that are not what they should be: other programs', other formats', rearranged ones.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use subrosa_model::StoreError;
use subrosa_vault::port::VaultStore;

use crate::{create, open, step, steps_done};

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("vault/vault.db");
    create(&path).commit(&step(1)).unwrap();
    (home, path)
}

fn edit(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn a_later_format_is_refused_and_untouched() {
    let (_home, path) = home();
    edit(&path, "PRAGMA user_version = 9; CREATE TABLE later (x)");
    let before = std::fs::read(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::Future { found: 9, known: 1 }),
        "{error:?}"
    );
    assert!(error.to_string().contains("newer subrosa"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn other_databases_are_refused_and_untouched() {
    for sql in [
        "PRAGMA application_id = 77",
        "PRAGMA user_version = 0",
        "PRAGMA user_version = -3",
        "DROP TABLE log",
        "CREATE TABLE more (x)",
        "CREATE VIEW seen AS SELECT * FROM records",
        "CREATE TRIGGER t AFTER INSERT ON log BEGIN DELETE FROM records; END",
        "CREATE INDEX i ON log (body)",
        "ALTER TABLE log ADD COLUMN more TEXT",
        "ALTER TABLE records RENAME COLUMN body TO other",
    ] {
        let (_home, path) = home();
        edit(&path, sql);
        let before = std::fs::read(&path).unwrap();
        let error = open(&path).unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { .. }),
            "{sql}: {error:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), before, "{sql}");
    }
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("v/other.db");
    subrosa_store::folder::Folder::create(path.parent().unwrap()).unwrap();
    edit(&path, "CREATE TABLE t (x); PRAGMA journal_mode = DELETE");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(open(&path), Err(StoreError::Damaged { .. })));
}

#[test]
fn another_journal_mode_is_put_right() {
    let (_home, path) = home();
    edit(&path, "PRAGMA journal_mode = DELETE");
    let mut store = open(&path).unwrap();
    store.commit(&step(2)).unwrap();
    assert!(path.with_file_name("vault.db-wal").exists());
    assert_eq!(steps_done(&mut store).unwrap(), 2);
}

#[test]
fn a_planted_journal_is_not_played_back() {
    let (_home, path) = home();
    let before = std::fs::read(&path).unwrap();
    let journal = path.with_file_name("vault.db-journal");
    std::fs::write(&journal, [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Unsafe { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::remove_file(journal).unwrap();
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), 1);
}

#[test]
fn what_is_removed_is_overwritten() {
    let (_home, path) = home();
    let mut store = open(&path).unwrap();
    for number in 2..=9 {
        store.commit(&step(number)).unwrap();
    }
    drop(store);
    let mark = crate::body(8);
    let has = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(32).any(|window| window == &mark[..32])
    };
    assert!(has(&path));
    let mut store = open(&path).unwrap();
    let all = subrosa_vault::port::Write::RemoveAll {
        collection: subrosa_vault::port::Collection::Value,
        parent: [1; 16],
    };
    let log = subrosa_model::LogAppend {
        expected: Some(9_u64.to_be_bytes().to_vec()),
        rows: vec![],
        head: subrosa_model::LogHead {
            sequence: 9,
            body: b"h".to_vec(),
        },
    };
    subrosa_audit::LogStore::prune(&mut store, 9, &log).unwrap();
    let batch = subrosa_vault::port::Batch {
        writes: vec![all],
        ..Default::default()
    };
    store.commit(&batch).unwrap();
    drop(store);
    assert!(!path.with_file_name("vault.db-wal").exists());
    assert!(!has(&path));
}
