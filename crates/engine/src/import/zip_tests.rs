use std::io::Cursor;

use super::super::testing::{archive, packed, refused};
use super::*;

fn member(file: &[u8], name: &str) -> Result<Option<Vec<u8>>, Wrong> {
    let content = Archive::open(Cursor::new(file))?.read(name)?;
    Ok(content.map(|content| content.as_slice().to_vec()))
}

#[test]
fn members_are_read_stored_and_deflated() {
    let long = b"a line of hunter2 text\n".repeat(5000);
    for deflate in [true, false] {
        let file = archive(
            &[("a", b""), ("files/b", b"x"), ("export.data", &long)],
            deflate,
        );
        assert!(is_archive(&file));
        assert_eq!(
            member(&file, "export.data").unwrap().as_deref(),
            Some(&long[..])
        );
        assert_eq!(member(&file, "a").unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(member(&file, "c").unwrap(), None);
        let archive = Archive::open(Cursor::new(&file)).unwrap();
        assert_eq!(
            archive.names().collect::<Vec<_>>(),
            ["a", "files/b", "export.data"]
        );
    }
}

#[test]
fn a_comment_at_the_end_is_allowed_and_may_hold_the_mark() {
    let mut file = packed(&[("a", b"text")]);
    let comment = b"hello PK\x05\x06 and more than twenty bytes behind it";
    let at = file.len() - 2;
    file[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    file.extend(comment);
    assert_eq!(member(&file, "a").unwrap().as_deref(), Some(&b"text"[..]));
}

/// Puts a little-endian number over what stands `at` bytes into the first record of the directory.
fn over(file: &mut [u8], at: usize, number: &[u8]) {
    let start = file
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap()
        + at;
    file[start..start + number.len()].copy_from_slice(number);
}

#[test]
fn a_bomb_is_refused_by_what_it_says_and_by_what_it_does() {
    let honest = packed(&[("a", &vec![0; 4 << 20])]);
    assert!(honest.len() < 10_000, "it packs a thousandfold");
    // It says that it is huge.
    let mut file = honest.clone();
    over(&mut file, 24, &u32::to_le_bytes(FILE_MAX as u32 + 1));
    assert!(refused(member(&file, "a")).contains("is longer than"));
    // It says that it is small, and is not; or the other way round.
    for said in [10_u32, (4 << 20) - 1, (4 << 20) + 1] {
        let mut file = honest.clone();
        over(&mut file, 24, &said.to_le_bytes());
        assert!(refused(member(&file, "a")).contains("length"), "{said}");
    }
    // All members are the same one, and there are very many.
    let mut file = honest.clone();
    let end = file.len() - 14;
    file[end..end + 4].copy_from_slice(&[0xff, 0xfe, 0xff, 0xfe]);
    refused(member(&file, "a"));
}

#[test]
fn what_was_changed_is_refused() {
    let file = packed(&[("a", b"hunter2 hunter2 hunter2")]);
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = file.clone();
        over(&mut file, at, bytes);
        refused(member(&file, "a"))
    };
    assert!(changed(16, &[1, 2, 3, 4]).contains("checksum"));
    assert!(changed(8, &[1, 0]).contains("encrypted"));
    assert!(changed(10, &[12, 0]).contains("packed in a way"));
    assert!(changed(42, &[9, 0, 0, 0]).contains("no ZIP archive"));
    assert!(changed(42, &[0xf0, 0xff, 0xff, 0xff]).contains("no ZIP archive"));
    assert!(changed(20, &[0xff, 0xff, 0, 0]).contains("no ZIP archive"));
    assert!(changed(28, &[0xff, 0xff]).contains("no ZIP archive"));
    // A wide field that is announced and not there.
    assert!(changed(24, &[0xff; 4]).contains("no ZIP archive"));
    let twice = packed(&[("a", b"1"), ("a", b"2")]);
    assert!(refused(member(&twice, "a")).contains("twice"));
    let mut split = file.clone();
    let end = split.len() - 18;
    split[end] = 1;
    assert!(refused(member(&split, "a")).contains("split"));
}

#[test]
fn every_cut_is_refused() {
    let file = packed(&[("export.data", b"hunter2 hunter2 hunter2"), ("b", b"x")]);
    for end in 0..file.len() {
        refused(member(&file[..end], "export.data"));
    }
}

#[test]
fn wide_archives_are_read() {
    // One member; its sizes and place stand in a ZIP64 field, and the directory's in a ZIP64 end.
    let content = b"wide content";
    let plain = archive(&[("a", content)], false);
    let directory = plain
        .windows(4)
        .position(|part| part == b"PK\x01\x02")
        .unwrap();
    let mut file = plain[..directory].to_vec();
    let mut record = plain[directory..directory + 46].to_vec();
    for at in [20, 24, 42] {
        record[at..at + 4].copy_from_slice(&[0xff; 4]);
    }
    record[30..32].copy_from_slice(&34_u16.to_le_bytes());
    record.push(b'a');
    record.extend([0x99, 0x99, 2, 0, 7, 7, 1, 0, 24, 0]);
    record.extend((content.len() as u64).to_le_bytes());
    record.extend((content.len() as u64).to_le_bytes());
    record.extend(0_u64.to_le_bytes());
    file.extend(&record);
    let end64 = file.len() as u64;
    file.extend(b"PK\x06\x06");
    file.extend(44_u64.to_le_bytes());
    file.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend(1_u64.to_le_bytes());
    file.extend(1_u64.to_le_bytes());
    file.extend((record.len() as u64).to_le_bytes());
    file.extend((directory as u64).to_le_bytes());
    file.extend(b"PK\x06\x07\0\0\0\0");
    file.extend(end64.to_le_bytes());
    file.extend([1, 0, 0, 0]);
    file.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    assert_eq!(member(&file, "a").unwrap().as_deref(), Some(&content[..]));
    for end in directory..file.len() {
        refused(member(&file[..end], "a"));
    }
}
