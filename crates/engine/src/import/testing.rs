//! What the tests of several forms need: archives, and items in words.

use miniz_oxide::deflate::compress_to_vec;

use super::entry::{Entry, Found, Wrong};

/// An archive of these members, packed.
pub(super) fn packed(members: &[(&str, &[u8])]) -> Vec<u8> {
    archive(members, true)
}

/// An archive of these members.
pub(super) fn archive(members: &[(&str, &[u8])], deflate: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in members {
        let packed = match deflate {
            true => compress_to_vec(content, 6),
            false => content.to_vec(),
        };
        let offset = file.len() as u32;
        let mut about = Vec::new();
        about.extend([20, 0, 0, 0]);
        about.extend(if deflate { [8, 0] } else { [0, 0] });
        about.extend([0; 4]);
        about.extend(crc32fast::hash(content).to_le_bytes());
        about.extend((packed.len() as u32).to_le_bytes());
        about.extend((content.len() as u32).to_le_bytes());
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0; 2]);
        file.extend(b"PK\x03\x04");
        file.extend(&about);
        file.extend(name.as_bytes());
        file.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (count, start) = (members.len() as u16, file.len() as u32);
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

/// An item in words: `path: field(kind)=value, shown field=value; url; tags`.
pub(super) fn words(entry: &Entry) -> String {
    let mut text = format!("{}:", entry.path.join("|"));
    for field in &entry.fields {
        let value = String::from_utf8_lossy(field.value.as_slice());
        let open = if field.sensitive { "" } else { "shown " };
        text.push_str(&format!(" {open}{}({})={value},", field.name, field.kind));
    }
    if let Some(url) = &entry.url {
        text.push_str(&format!(" at {url}"));
    }
    if !entry.tags.is_empty() {
        text.push_str(&format!(" tags {}", entry.tags.join(",")));
    }
    text
}

pub(super) fn all(found: Result<Found, Wrong>) -> Vec<String> {
    found.unwrap().entries.iter().map(words).collect()
}

/// What a user is told, and that no part of a value is in it.
#[track_caller]
pub(super) fn refused<T>(outcome: Result<T, Wrong>) -> String {
    let Err(wrong) = outcome else {
        panic!("it was taken");
    };
    let debug = format!("{wrong:?}");
    let error = wrong.into_error("file");
    let said = format!(
        "{error} {error:?} {debug} {}",
        error.remedy().unwrap_or_default()
    );
    assert!(!said.contains("hunter2"), "{said}");
    said
}

/// Every beginning of a document is refused, or is one by itself: none panics, none tells a value.
pub(super) fn cut_anywhere(document: &[u8], parse: impl Fn(&[u8]) -> Result<Found, Wrong>) {
    for end in 0..document.len() {
        if let Err(wrong) = parse(&document[..end]) {
            let debug = format!("{wrong:?}");
            let said = format!("{debug} {}", wrong.into_error("file"));
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
