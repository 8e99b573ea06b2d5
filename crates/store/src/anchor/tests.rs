#![allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]

use subrosa_testkit::mark;

use super::*;

fn home() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("anchor");
    (home, path)
}

#[test]
fn the_last_mark_is_remembered_by_every_handle() {
    let (_home, path) = home();
    let (mut one, mut two) = (FileAnchor::at(&path), FileAnchor::at(&path));
    assert_eq!(one.read().unwrap(), None);
    assert!(!path.exists(), "reading makes nothing");
    for sequence in 1..=20 {
        let writer = if sequence % 3 == 0 {
            &mut one
        } else {
            &mut two
        };
        writer.write(&mark(1, sequence)).unwrap();
        assert_eq!(one.read().unwrap(), Some(mark(1, sequence)));
        assert_eq!(
            FileAnchor::at(&path).read().unwrap(),
            Some(mark(1, sequence))
        );
    }
    assert_eq!(
        std::fs::metadata(&path).unwrap().len(),
        (SLOTS * SLOT) as u64
    );
    assert_eq!(one.strength(), Strength::LocalFile);
}

#[test]
fn a_late_writer_does_not_take_it_back() {
    let (_home, path) = home();
    let mut anchor = FileAnchor::at(&path);
    anchor.write(&mark(1, 8)).unwrap();
    anchor.write(&mark(1, 7)).unwrap();
    assert_eq!(anchor.read().unwrap(), Some(mark(1, 8)));
    // Another vault's log counts anew.
    anchor.write(&mark(2, 1)).unwrap();
    assert_eq!(anchor.read().unwrap(), Some(mark(2, 1)));
    anchor.forget().unwrap();
    anchor.forget().unwrap();
    assert_eq!(anchor.read().unwrap(), None);
    anchor.write(&mark(2, 1)).unwrap();
    assert_eq!(anchor.read().unwrap(), Some(mark(2, 1)));
}

#[test]
fn a_file_that_was_moved_away_is_left_alone() {
    let (home, path) = home();
    let mut anchor = FileAnchor::at(&path);
    anchor.write(&mark(1, 9)).unwrap();
    std::fs::rename(&path, home.path().join("old")).unwrap();
    assert_eq!(anchor.read().unwrap(), None);
    anchor.write(&mark(1, 2)).unwrap();
    assert_eq!(anchor.read().unwrap(), Some(mark(1, 2)));
    let old = FileAnchor::at(&home.path().join("old")).read().unwrap();
    assert_eq!(old, Some(mark(1, 9)));
}

#[test]
fn a_write_that_is_cut_off_leaves_the_mark_before() {
    let (_home, path) = home();
    let mut anchor = FileAnchor::at(&path);
    let mut states = vec![Vec::new()];
    for sequence in 1..=4 {
        anchor.write(&mark(1, sequence)).unwrap();
        states.push(std::fs::read(&path).unwrap());
    }
    for (sequence, pair) in (0..).zip(states.windows(2)) {
        let (before, after) = (&pair[0], &pair[1]);
        for cut in 0..=after.len() {
            // The first bytes of the write have arrived, the rest has not.
            let mut torn = after.clone();
            torn.truncate(cut);
            torn.extend_from_slice(before.get(cut..).unwrap_or_default());
            std::fs::write(&path, &torn).unwrap();
            let found = FileAnchor::at(&path).read();
            if sequence == 0 {
                // Nothing was known before; a part of a first mark is no mark.
                let whole = matches!(&found, Ok(Some(found)) if *found == mark(1, 1));
                let refused = matches!(found, Ok(None) | Err(AnchorError::Damaged { .. }));
                assert!(whole || refused, "{cut}: {found:?}");
            } else {
                let found = found.unwrap().unwrap().sequence();
                assert!(
                    found == sequence || found == sequence + 1,
                    "{sequence} {cut}: {found}"
                );
            }
        }
    }
}

#[test]
fn what_holds_no_mark_is_damaged() {
    let (_home, path) = home();
    let mut anchor = FileAnchor::at(&path);
    anchor.write(&mark(1, 1)).unwrap();
    std::fs::write(&path, [7; SLOTS * SLOT]).unwrap();
    assert!(matches!(anchor.read(), Err(AnchorError::Damaged { .. })));
    std::fs::write(&path, [0; SLOTS * SLOT + 1]).unwrap();
    assert!(matches!(anchor.read(), Err(AnchorError::Damaged { .. })));
    std::fs::write(&path, [0; SLOT]).unwrap();
    assert_eq!(anchor.read().unwrap(), None);
}

#[test]
fn a_link_or_a_loose_file_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let (home, path) = home();
    symlink(home.path().join("elsewhere"), &path).unwrap();
    let error = FileAnchor::at(&path).write(&mark(1, 1)).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
    std::fs::remove_file(&path).unwrap();
    FileAnchor::at(&path).write(&mark(1, 1)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = FileAnchor::at(&path).read().unwrap_err();
    assert!(error.to_string().contains("chmod 600 "), "{error}");
}
