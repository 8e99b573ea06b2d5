#![allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use super::*;

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = std::fs::canonicalize(home.path()).unwrap();
    (home, path)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_file_is_replaced_whole_and_with_its_mode() {
    let (_home, path) = home();
    let file = path.join("file");
    for (bytes, wanted) in [(&b"first"[..], 0o600), (b"", 0o640), (&[7; 300_000], 0o600)] {
        write_atomic(&file, bytes, wanted).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        assert_eq!(mode(&file), wanted);
    }
    assert_eq!(names(&path), ["file"]);
}

#[test]
fn a_link_is_replaced_and_not_followed() {
    let (_home, path) = home();
    std::fs::write(path.join("target"), b"untouched").unwrap();
    symlink("target", path.join("link")).unwrap();
    write_atomic(&path.join("link"), b"new", 0o600).unwrap();
    assert_eq!(std::fs::read(path.join("target")).unwrap(), b"untouched");
    assert!(
        std::fs::symlink_metadata(path.join("link"))
            .unwrap()
            .is_file()
    );
}

#[test]
fn a_new_file_takes_nobodys_place() {
    let (_home, path) = home();
    let file = path.join("file");
    create_new(&file, b"first", 0o600).unwrap();
    assert_eq!(mode(&file), 0o600);
    symlink("nowhere", path.join("dangling")).unwrap();
    std::fs::create_dir(path.join("folder")).unwrap();
    for taken in ["file", "dangling", "folder"] {
        let result = create_new(&path.join(taken), b"second", 0o600);
        assert!(
            matches!(result, Err(FileError::Exists { .. })),
            "{taken}: {result:?}"
        );
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"first");
    assert_eq!(names(&path), ["dangling", "file", "folder"]);
}

#[test]
fn a_name_that_is_taken_meanwhile_is_not_replaced() {
    let (_home, path) = home();
    let folder = rustix::fs::open(&path, OFlags::RDONLY, Mode::empty()).unwrap();
    std::fs::write(path.join("from"), b"new").unwrap();
    std::fs::write(path.join("to"), b"old").unwrap();
    let result = rename_new(folder.as_fd(), OsStr::new("from"), OsStr::new("to"));
    assert_eq!(result, Err(Errno::EXIST));
    assert_eq!(std::fs::read(path.join("to")).unwrap(), b"old");
}

#[test]
fn what_a_killed_writer_left_is_used_up() {
    let (_home, path) = home();
    let left = path.join(".file.tmp");
    std::fs::write(&left, [1; 5000]).unwrap();
    std::fs::set_permissions(&left, std::fs::Permissions::from_mode(0o600)).unwrap();
    write_atomic(&path.join("file"), b"short", 0o600).unwrap();
    // A planted one that others may read, and one that has a second name.
    for mode in [0o644, 0o600] {
        std::fs::write(&left, b"planted").unwrap();
        std::fs::set_permissions(&left, std::fs::Permissions::from_mode(mode)).unwrap();
        if mode == 0o600 {
            std::fs::hard_link(&left, path.join("second")).unwrap();
        }
        write_atomic(&path.join("file"), b"short", 0o600).unwrap();
        assert_eq!(std::fs::read(path.join("file")).unwrap(), b"short");
    }
    assert_eq!(std::fs::read(path.join("second")).unwrap(), b"planted");
    assert_eq!(names(&path), ["file", "second"]);
}

#[test]
fn a_link_where_the_temporary_file_goes_is_refused() {
    let (_home, path) = home();
    std::fs::write(path.join("target"), b"untouched").unwrap();
    symlink("target", path.join(".file.tmp")).unwrap();
    let result = write_atomic(&path.join("file"), b"new", 0o600);
    assert!(
        matches!(result, Err(FileError::Unsafe { .. })),
        "{result:?}"
    );
    assert_eq!(std::fs::read(path.join("target")).unwrap(), b"untouched");
}

#[test]
fn writers_of_one_file_take_turns() {
    let (_home, path) = home();
    let file = path.join("file");
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let file = &file;
            scope.spawn(move || {
                for _ in 0..25 {
                    write_atomic(file, &vec![writer; 10_000], 0o600).unwrap();
                    let seen = std::fs::read(file).unwrap();
                    assert_eq!(seen.len(), 10_000);
                    assert!(seen.iter().all(|byte| *byte == seen[0]));
                }
            });
        }
    });
    assert_eq!(names(&path), ["file"]);
}

#[test]
fn reading_is_bounded() {
    let (_home, path) = home();
    let file = path.join("file");
    write_atomic(&file, &[3; 1000], 0o600).unwrap();
    for private in [true, false] {
        assert_eq!(read_private(&file, 1000, private).unwrap(), [3; 1000]);
        let long = read_private(&file, 999, private);
        assert!(
            matches!(long, Err(FileError::TooLong { limit: 999, .. })),
            "{long:?}"
        );
        let missing = read_private(&path.join("none"), 9, private);
        assert!(
            matches!(missing, Err(FileError::Missing { .. })),
            "{missing:?}"
        );
        write_atomic(&path.join("empty"), b"", 0o600).unwrap();
        assert!(
            read_private(&path.join("empty"), 0, private)
                .unwrap()
                .is_empty()
        );
    }
    let endless = read_private(Path::new("/dev/zero"), 1000, false);
    assert!(
        matches!(endless, Err(FileError::Unsafe { .. })),
        "{endless:?}"
    );
}

#[test]
fn a_private_file_must_be_private() {
    let (_home, path) = home();
    let file = path.join("key");
    write_atomic(&file, b"k", 0o644).unwrap();
    let loose = read_private(&file, 10, true).unwrap_err();
    assert!(loose.to_string().contains("chmod 600 "), "{loose}");
    assert_eq!(read_private(&file, 10, false).unwrap(), b"k");
    write_atomic(&file, b"k", 0o600).unwrap();
    symlink("key", path.join("link")).unwrap();
    let linked = read_private(&path.join("link"), 10, true).unwrap_err();
    assert!(matches!(linked, FileError::Unsafe { .. }), "{linked:?}");
    assert_eq!(read_private(&path.join("link"), 10, false).unwrap(), b"k");
    // Nobody may be able to put another file in its place.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    let exchangeable = read_private(&file, 10, true).unwrap_err();
    assert!(
        exchangeable.to_string().contains("chmod o-w "),
        "{exchangeable}"
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    let folder = rustix::fs::open(&path, OFlags::RDONLY, Mode::empty()).unwrap();
    rustix::fs::mkfifoat(&folder, "pipe", Mode::RUSR | Mode::WUSR).unwrap();
    // It does not wait for a writer.
    let pipe = read_private(&path.join("pipe"), 10, true).unwrap_err();
    assert!(pipe.to_string().contains("regular"), "{pipe}");
    let pipe = read_private(&path.join("pipe"), 10, false).unwrap_err();
    assert!(pipe.to_string().contains("regular"), "{pipe}");
}

#[test]
fn what_is_gone_by_is_written_by_nobody_else() {
    let (_home, path) = home();
    let file = path.join("config.toml");
    for (mode, read) in [(0o600, true), (0o644, true), (0o664, false), (0o646, false)] {
        write_atomic(&file, b"c", 0o600).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        match read_private(&file, 10, false) {
            Ok(content) => assert!(read && content == b"c", "{mode:o}"),
            Err(error) => assert!(!read && error.to_string().contains("chmod go-w"), "{error}"),
        }
    }
}
