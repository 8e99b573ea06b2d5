//! Whether git keeps a file, and with it every value that was ever in it.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Longest index that is looked through, in bytes.
const INDEX_MAX: u64 = 64 * 1024 * 1024;

/// What git knows of a file, as far as its index tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Versioned {
    /// It is in no working tree.
    No,
    /// It is in a working tree, and not seen in its index; its history may have it still.
    Perhaps,
    /// The index names it.
    Yes,
}

/// Looks for the file's path in the index of the working tree around it. The paths of an index of
/// version 4 are written in parts and are not found.
///
/// Source: git, Documentation/gitformat-index.
#[must_use]
pub fn versioned(path: &Path) -> Versioned {
    let Ok(path) = std::path::absolute(path) else {
        return Versioned::No;
    };
    let around = path.ancestors().skip(1);
    let Some((tree, git)) = around
        .map(|folder| (folder, folder.join(".git")))
        .find(|(_, git)| git.exists())
    else {
        return Versioned::No;
    };
    let Ok(inside) = path.strip_prefix(tree) else {
        return Versioned::No;
    };
    let mut wanted = inside.as_os_str().as_bytes().to_vec();
    wanted.push(0);
    let mut index = Vec::new();
    let read = File::open(folder_of(tree, git).join("index"))
        .and_then(|file| file.take(INDEX_MAX).read_to_end(&mut index));
    match read {
        Ok(_) if names(&index, &wanted) => Versioned::Yes,
        _ => Versioned::Perhaps,
    }
}

/// Where git keeps its own; in a further working tree `.git` is a file that says it.
fn folder_of(tree: &Path, git: PathBuf) -> PathBuf {
    const LONG: u64 = 4096;
    let mut text = Vec::new();
    let read = File::open(&git).and_then(|file| file.take(LONG).read_to_end(&mut text));
    let said = std::str::from_utf8(&text).ok();
    match said.and_then(|text| text.strip_prefix("gitdir: ")) {
        Some(folder) if read.is_ok() => tree.join(folder.trim_end()),
        _ => git,
    }
}

/// Whether an entry has this path: two bytes of flags in front of it say how long it is.
fn names(index: &[u8], wanted: &[u8]) -> bool {
    const LENGTH: usize = 0xfff;
    let long = (wanted.len() - 1).min(LENGTH);
    index
        .windows(wanted.len() + 2)
        .any(|window| match window.split_first_chunk::<2>() {
            Some((flags, path)) => {
                usize::from(u16::from_be_bytes(*flags)) & LENGTH == long && path == wanted
            }
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_whole_one() {
        let entry = |path: &[u8]| [&[0, path.len() as u8], path, &[0]].concat();
        let index = [entry(b"app/.env"), entry(b"x")].concat();
        assert!(names(&index, b"app/.env\0"));
        assert!(!names(&index, b".env\0"));
        assert!(!names(&index, b"app/.en\0"));
        assert!(!names(b"", b".env\0"));
    }
}
