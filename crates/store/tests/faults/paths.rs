//! Paths that are not safe, and places that may not be written to.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use subrosa_model::StoreError;
use subrosa_vault::port::VaultStore;

use crate::{child, create, is_root, open, role, step, steps_done, this_program};

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(home.path())
        .unwrap()
        .join("vault/vault.db");
    create(&path).commit(&step(1)).unwrap();
    (home, path)
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn refused(path: &Path, words: &str) {
    match open(path) {
        Err(StoreError::Unsafe { path, reason }) => {
            let told = format!("{path}: {reason}");
            assert!(told.contains(words), "{told}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn loose_permissions_are_refused_with_the_command() {
    let (_home, path) = home();
    let folder = path.parent().unwrap();
    chmod(&path, 0o640);
    refused(&path, &format!("chmod 600 {}", path.display()));
    chmod(&path, 0o600);
    chmod(folder, 0o755);
    refused(&path, &format!("chmod 700 {}", folder.display()));
    chmod(folder, 0o700);
    let _held = open(&path).unwrap();
    for ending in ["-wal", "-shm"] {
        let beside = path.with_file_name(format!("vault.db{ending}"));
        assert_eq!(
            std::fs::metadata(&beside).unwrap().permissions().mode() & 0o777,
            0o600
        );
        chmod(&beside, 0o604);
        refused(&path, &format!("chmod 600 {}", beside.display()));
        chmod(&beside, 0o600);
    }
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), 1);
}

#[test]
fn links_in_place_of_file_folder_or_companions_are_refused() {
    let (home, path) = home();
    let (folder, away) = (path.parent().unwrap(), home.path().join("away"));
    std::fs::rename(&path, &away).unwrap();
    symlink(&away, &path).unwrap();
    refused(&path, "symbolic link");
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&away, &path).unwrap();

    for ending in ["-wal", "-shm"] {
        let beside = path.with_file_name(format!("vault.db{ending}"));
        symlink(home.path().join("elsewhere"), &beside).unwrap();
        refused(&path, "symbolic link");
        std::fs::remove_file(&beside).unwrap();
    }
    assert!(!home.path().join("elsewhere").exists());

    std::fs::hard_link(&path, &away).unwrap();
    refused(&path, "2 names");
    std::fs::remove_file(&away).unwrap();

    std::fs::rename(folder, &away).unwrap();
    symlink(&away, folder).unwrap();
    refused(&path, "symbolic link");
    std::fs::remove_file(folder).unwrap();
    std::fs::rename(&away, folder).unwrap();
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), 1);
}

#[test]
fn a_folder_in_place_of_the_file_is_refused() {
    let (_home, path) = home();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    refused(&path, "folder");
    let made = subrosa_store::sqlite::SqliteStore::create(&path, &Default::default());
    assert!(matches!(made, Err(StoreError::Exists { .. })));
}

#[test]
fn a_file_that_is_exchanged_under_an_open_handle_is_noticed() {
    let (home, path) = home();
    let mut store = open(&path).unwrap();
    let refused = |store: &mut subrosa_store::sqlite::SqliteStore| {
        let error = store.commit(&step(2)).unwrap_err();
        assert!(matches!(error, StoreError::Unsafe { .. }), "{error:?}");
        assert!(error.to_string().contains("moved or replaced"), "{error}");
    };
    let away = home.path().join("away");
    std::fs::rename(&path, &away).unwrap();
    refused(&mut store);
    let other = home.path().join("other/vault.db");
    drop(create(&other));
    std::fs::rename(&other, &path).unwrap();
    refused(&mut store);
    std::fs::rename(&away, &path).unwrap();
    store.commit(&step(2)).unwrap();
    assert_eq!(steps_done(&mut open(&path).unwrap()).unwrap(), 2);
}

#[test]
fn what_may_not_be_written_to_is_read_only() {
    let test = "paths::what_may_not_be_written_to_is_read_only";
    if let Some(folder) = role() {
        return read_only_places(&folder);
    }
    if !is_root() {
        let home = tempfile::tempdir().unwrap();
        return read_only_places(home.path());
    }
    // Root may write anywhere: somebody without rights has to try. The program may stand where
    // only root reaches it.
    let home = tempfile::tempdir().unwrap();
    chmod(home.path(), 0o755);
    let program = home.path().join("program");
    std::fs::copy(this_program(), &program).unwrap();
    chmod(&program, 0o755);
    let folder = home.path().join("home");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::chown(&folder, Some(65_534), Some(65_534)).unwrap();
    let inner = child(&program, test, &folder);
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(inner.get_program())
        .args(inner.get_args())
        .env(crate::ROLE, &folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn read_only_places(home: &Path) {
    let path = home.join("vault/vault.db");
    let folder = path.parent().unwrap().to_path_buf();
    create(&path).commit(&step(1)).unwrap();
    let read_only = |words: &str| match open(&path) {
        Err(StoreError::ReadOnly { reason }) => assert!(reason.contains(words), "{reason}"),
        other => panic!("{other:?}"),
    };
    chmod(&path, 0o400);
    read_only(&format!("chmod 600 {}", path.display()));
    chmod(&path, 0o600);
    chmod(&folder, 0o500);
    read_only(&format!("chmod 700 {}", folder.display()));
    chmod(&folder, 0o700);

    // Where no folder may be made.
    let closed = home.join("closed");
    std::fs::create_dir(&closed).unwrap();
    chmod(&closed, 0o500);
    let made =
        subrosa_store::sqlite::SqliteStore::create(&closed.join("v/vault.db"), &Default::default());
    assert!(matches!(made, Err(StoreError::ReadOnly { .. })), "{made:?}");
    let written = subrosa_store::files::write_atomic(&closed.join("f"), b"x", 0o600);
    assert!(
        matches!(written, Err(subrosa_store::FileError::ReadOnly { .. })),
        "{written:?}"
    );
    chmod(&closed, 0o700);
    let mut store = open(&path).unwrap();
    store.commit(&step(2)).unwrap();
    assert_eq!(steps_done(&mut store).unwrap(), 2);
}
