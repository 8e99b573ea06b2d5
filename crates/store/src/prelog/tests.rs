#![allow(clippy::disallowed_methods, reason = "a test lays out its own folder")]

use std::cell::RefCell;

use proptest::prelude::*;

use super::*;

fn home() -> (tempfile::TempDir, Prelog) {
    let home = tempfile::tempdir().unwrap();
    let prelog = Prelog::at(&home.path().join("attempts"));
    (home, prelog)
}

fn drained(prelog: &Prelog) -> Option<PrelogEntries> {
    let kept = RefCell::new(None);
    prelog
        .drain(|found| {
            *kept.borrow_mut() = Some(found);
            Ok::<_, FileError>(())
        })
        .unwrap();
    kept.into_inner()
}

fn entries(entries: &[&[u8]]) -> PrelogEntries {
    PrelogEntries {
        entries: entries.iter().map(|entry| entry.to_vec()).collect(),
        ..PrelogEntries::default()
    }
}

#[test]
fn entries_are_kept_until_they_are_taken() {
    let (_home, prelog) = home();
    assert_eq!(drained(&prelog), None);
    prelog.append(b"one").unwrap();
    prelog.append("zwei \u{e9}".as_bytes()).unwrap();
    let failed = prelog.drain(|found| {
        assert_eq!(found.entries.len(), 2);
        Err(FileError::Busy {
            path: PathBuf::new(),
        })
    });
    assert!(matches!(failed, Err(FileError::Busy { .. })));
    assert_eq!(
        drained(&prelog),
        Some(entries(&[b"one", "zwei \u{e9}".as_bytes()]))
    );
    assert_eq!(drained(&prelog), None);
    prelog.append(b"three").unwrap();
    assert_eq!(drained(&prelog), Some(entries(&[b"three"])));
}

#[test]
fn an_entry_is_one_short_line() {
    let (_home, prelog) = home();
    for wrong in [&b""[..], b"a\nb", b"\n", b"a\0"] {
        assert!(matches!(
            prelog.append(wrong),
            Err(FileError::Damaged { .. })
        ));
    }
    let long = prelog.append(&[b'x'; PRELOG_ENTRY_MAX + 1]);
    assert!(matches!(long, Err(FileError::TooLong { .. })));
    prelog.append(&[b'x'; PRELOG_ENTRY_MAX]).unwrap();
    assert_eq!(
        drained(&prelog),
        Some(entries(&[&[b'x'; PRELOG_ENTRY_MAX]]))
    );
}

#[test]
fn the_oldest_go_when_it_is_full() {
    let (home, prelog) = home();
    let entry = |at: u32| format!("{at:0>500}").into_bytes();
    for at in 0..400 {
        prelog.append(&entry(at)).unwrap();
        let size = std::fs::metadata(home.path().join("attempts"))
            .unwrap()
            .len();
        assert!(size <= PRELOG_MAX as u64);
    }
    let found = drained(&prelog).unwrap();
    assert_eq!(found.unreadable, 0);
    assert!(found.entries.len() > 40);
    // Nothing is missing but what is counted.
    let first = u32::try_from(found.dropped).unwrap();
    assert_eq!(found.entries, (first..400).map(entry).collect::<Vec<_>>());
}

#[test]
fn a_cut_line_is_counted_and_does_not_run_into_the_next() {
    let (home, prelog) = home();
    prelog.append(b"whole").unwrap();
    let file = home.path().join("attempts");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes.extend_from_slice(b"+ cu");
    std::fs::write(&file, bytes).unwrap();
    prelog.append(b"next").unwrap();
    let found = drained(&prelog).unwrap();
    assert_eq!(found.entries, [b"whole".to_vec(), b"next".to_vec()]);
    assert_eq!((found.dropped, found.unreadable), (0, 1));
}

#[test]
fn scribble_is_survived() {
    let (home, prelog) = home();
    let file = home.path().join("attempts");
    prelog.append(b"x").unwrap();
    std::fs::write(&file, vec![0xff; 3 * PRELOG_MAX]).unwrap();
    prelog.append(b"after").unwrap();
    let found = drained(&prelog).unwrap();
    assert_eq!(found.entries, [b"after".to_vec()]);
    assert_eq!(found.dropped + found.unreadable, 1);
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("elsewhere", &file).unwrap();
    assert!(matches!(prelog.append(b"x"), Err(FileError::Unsafe { .. })));
    assert!(!home.path().join("elsewhere").exists());
}

#[test]
fn many_writers_lose_nothing() {
    let (_home, prelog) = home();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let prelog = prelog.clone();
            scope.spawn(move || {
                for at in 0..25 {
                    prelog.append(format!("{writer} {at}").as_bytes()).unwrap();
                }
            });
        }
    });
    let mut found = drained(&prelog).unwrap().entries;
    found.sort();
    let mut wanted: Vec<_> = (0..4)
        .flat_map(|writer| (0..25).map(move |at| format!("{writer} {at}").into_bytes()))
        .collect();
    wanted.sort();
    assert_eq!(found, wanted);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let found = PrelogEntries::parse(&bytes);
        for entry in &found.entries {
            prop_assert!(is_entry(entry));
        }
        // What is written anew is understood, and says the same.
        let again = PrelogEntries::parse(&found.to_bytes(0));
        prop_assert_eq!(again.entries, found.entries);
        prop_assert_eq!(again.dropped, found.dropped.saturating_add(found.unreadable));
    }
}
