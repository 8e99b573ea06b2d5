#![allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(home.path()).unwrap();
    (home, path)
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn reason(result: Result<impl std::fmt::Debug, FileError>) -> String {
    match result {
        Err(FileError::Unsafe { path, reason }) => format!("{}: {reason}", path.display()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_made_private_with_those_above() {
    let (_home, path) = home();
    let deep = path.join("a/b/vault");
    assert!(matches!(
        Folder::open(&deep),
        Err(FileError::Missing { .. })
    ));
    let folder = Folder::create(&deep).unwrap();
    assert_eq!(folder.path(), deep);
    for made in ["a", "a/b", "a/b/vault"] {
        let mode = std::fs::metadata(path.join(made))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o700, "{made}");
    }
    Folder::create(&deep).unwrap();
    Folder::open(&deep).unwrap();
}

#[test]
fn a_loose_folder_is_refused_with_what_to_type() {
    let (_home, path) = home();
    let vault = path.join("it's mine");
    Folder::create(&vault).unwrap();
    for mode in [0o755, 0o770, 0o701, 0o1777, 0o750] {
        chmod(&vault, mode);
        let told = reason(Folder::open(&vault));
        let shown = vault.display().to_string().replace('\'', r"'\''");
        assert!(told.contains(&format!("chmod 700 '{shown}'")), "{told}");
        assert!(told.contains(&format!("{mode:04o}")), "{told}");
    }
    chmod(&vault, 0o700);
    Folder::open(&vault).unwrap();
}

#[test]
fn a_folder_that_its_owner_may_not_write_is_read_only() {
    let (_home, path) = home();
    let vault = path.join("vault");
    Folder::create(&vault).unwrap();
    chmod(&vault, 0o500);
    let error = Folder::open(&vault).unwrap_err();
    assert!(matches!(&error, FileError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("chmod 700 "), "{error}");
    chmod(&vault, 0o700);
}

#[test]
fn a_link_in_place_of_the_folder_or_its_parent_is_refused() {
    let (_home, path) = home();
    std::fs::create_dir_all(path.join("real/vault")).unwrap();
    for folder in ["real", "real/vault"] {
        chmod(&path.join(folder), 0o700);
    }
    symlink(path.join("real"), path.join("link")).unwrap();
    symlink(path.join("real/vault"), path.join("vault")).unwrap();
    symlink("nowhere", path.join("dangling")).unwrap();
    for linked in ["vault", "link/vault", "link", "dangling", "dangling/vault"] {
        for result in [
            Folder::open(&path.join(linked)),
            Folder::create(&path.join(linked)),
        ] {
            let told = reason(result);
            assert!(told.contains("symbolic link"), "{linked}: {told}");
        }
    }
    Folder::open(&path.join("real/vault")).unwrap();
}

#[test]
fn a_link_of_ours_farther_up_is_followed_to_the_real_path() {
    let (_home, path) = home();
    let real = path.join("real/a/b");
    Folder::create(&real).unwrap();
    symlink("real", path.join("link")).unwrap();
    symlink(path.join("link"), path.join("far")).unwrap();
    for way in ["link/a/b", "far/a/b", "far/../real/./a/b", "link/a/../a/b"] {
        assert_eq!(Folder::open(&path.join(way)).unwrap().path(), real, "{way}");
    }
    symlink("circle", path.join("circle")).unwrap();
    let told = reason(Folder::open(&path.join("circle/a/b")));
    assert!(told.contains("circle"), "{told}");
}

#[test]
fn a_passage_that_others_may_rearrange_is_refused() {
    let (_home, path) = home();
    let passage = path.join("open");
    let vault = passage.join("vault");
    Folder::create(&vault).unwrap();
    for (mode, refused) in [
        (0o777, true),
        (0o707, true),
        (0o1777, false),
        (0o755, false),
        (0o711, false),
    ] {
        chmod(&passage, mode);
        let result = Folder::open(&vault);
        if refused {
            let told = reason(result);
            assert!(
                told.contains(&format!("chmod o-w {}", passage.display())),
                "{told}"
            );
        } else {
            result.unwrap();
        }
    }
}

#[test]
fn a_group_may_write_to_a_passage_only_if_it_is_ours() {
    let (_home, path) = home();
    let passage = path.join("shared");
    let vault = passage.join("vault");
    Folder::create(&vault).unwrap();
    chmod(&passage, 0o770);
    // The group of what we make is ours.
    Folder::open(&vault).unwrap();
    // Only root can give it away.
    if std::os::unix::fs::chown(&passage, None, Some(54_321)).is_ok() {
        let told = reason(Folder::open(&vault));
        assert!(told.contains("chmod g-w "), "{told}");
        chmod(&passage, 0o1770);
        Folder::open(&vault).unwrap();
    }
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    let (_home, path) = home();
    let vault = path.join("passage/vault");
    let folder = Folder::create(&vault).unwrap();
    std::fs::write(vault.join("f"), b"").unwrap();
    chmod(&vault.join("f"), 0o600);
    let give = |path: &Path, uid| std::os::unix::fs::chown(path, Some(uid), None);
    if give(&vault.join("f"), 54_321).is_err() {
        // Not root: what belongs to root must do. It is nobody's to write to either.
        let told = reason(Folder::open(Path::new("/usr/lib")));
        assert!(told.contains("belongs to user 0"), "{told}");
        return;
    }
    let told = reason(folder.check_file(OsStr::new("f")));
    assert!(told.contains("belongs to user 54321"), "{told}");
    give(&vault, 54_321).unwrap();
    assert!(reason(Folder::open(&vault)).contains("belongs to user 54321"));
    give(&vault, 0).unwrap();
    give(&path.join("passage"), 54_321).unwrap();
    assert!(reason(Folder::open(&vault)).contains("could exchange"));
}

#[test]
fn files_are_checked_for_kind_mode_and_names() {
    let (_home, path) = home();
    let folder = Folder::create(&path.join("vault")).unwrap();
    let at = |name: &str| folder.path().join(name);
    assert_eq!(folder.check_file(OsStr::new("absent")).unwrap(), None);

    std::fs::write(at("file"), b"12345").unwrap();
    chmod(&at("file"), 0o600);
    assert_eq!(
        folder.check_file(OsStr::new("file")).unwrap().unwrap().size,
        5
    );
    for mode in [0o644, 0o660, 0o601] {
        chmod(&at("file"), mode);
        let told = reason(folder.check_file(OsStr::new("file")));
        assert!(
            told.contains(&format!("chmod 600 {}", at("file").display())),
            "{told}"
        );
    }
    chmod(&at("file"), 0o600);

    symlink(at("file"), at("link")).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    rustix::fs::mkfifoat(folder.fd(), "pipe", Mode::RUSR | Mode::WUSR).unwrap();
    for (name, word) in [
        ("link", "symbolic link"),
        ("folder", "folder"),
        ("pipe", "regular"),
    ] {
        let told = reason(folder.check_file(OsStr::new(name)));
        assert!(told.contains(word), "{told}");
    }

    std::fs::hard_link(at("file"), path.join("other")).unwrap();
    let told = reason(folder.check_file(OsStr::new("file")));
    assert!(
        told.contains("2 names") && told.contains("-samefile"),
        "{told}"
    );
}

#[test]
fn a_file_in_place_of_a_folder_is_refused() {
    let (_home, path) = home();
    std::fs::write(path.join("file"), b"").unwrap();
    for way in ["file", "file/vault"] {
        assert!(reason(Folder::create(&path.join(way))).contains("not a folder"));
    }
}

#[test]
fn a_file_that_goes_away_meanwhile_is_not_there() {
    let (_home, path) = home();
    chmod(&path, 0o700);
    let (folder, file) = (Folder::open(&path).unwrap(), path.join("vault-wal"));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use std::os::unix::fs::OpenOptionsExt;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let mut options = std::fs::OpenOptions::new();
                drop(options.write(true).create(true).mode(0o600).open(&file));
                let _ = std::fs::remove_file(&file);
            }
        });
        let (mut seen, mut absent) = (0, 0);
        for _ in 0..200_000 {
            match folder.check_file(OsStr::new("vault-wal")) {
                Ok(Some(_)) => seen += 1,
                Ok(None) => absent += 1,
                Err(error) => {
                    done.store(true, std::sync::atomic::Ordering::Relaxed);
                    panic!("{error}");
                }
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(seen > 0 && absent > 0, "{seen} {absent}");
    });
}
