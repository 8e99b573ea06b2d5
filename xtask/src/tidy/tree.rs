//! The files of the work tree that belong to the project.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold what is built or found, not what is written.
const NOT_OURS: [&str; 7] = [
    ".git",
    "target",
    "corpus",
    "artifacts",
    "node_modules",
    ".venv",
    "__pycache__",
];

/// All files by path relative to the root, with `/` between folders.
pub(super) struct Tree {
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the tree under `root`; files that are not UTF-8 are known by name only.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        walk(root, "", &mut files).with_context(|| root.display().to_string())?;
        Ok(Self { files })
    }

    /// Number of files.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Text of a file, when it is there and UTF-8.
    pub(super) fn text(&self, file: &str) -> Option<&str> {
        self.files.get(file)?.as_deref()
    }

    /// Whether there is such a file, or a folder with files in it.
    pub(super) fn exists(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.files.contains_key(path)
            || self
                .files
                .range(folder.clone()..)
                .next()
                .is_some_and(|(f, _)| f.starts_with(&folder))
    }

    /// All texts with their paths, in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(file, text)| Some((file.as_str(), text.as_deref()?)))
    }

    /// Texts whose path ends so.
    pub(super) fn ending(&self, end: &'static str) -> impl Iterator<Item = (&str, &str)> {
        self.texts().filter(move |(file, _)| file.ends_with(end))
    }

    /// Names of the folders in crates/ that hold a manifest.
    pub(super) fn rooms(&self) -> Vec<&str> {
        self.files
            .keys()
            .filter_map(|file| file.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"))
            .filter(|room| !room.contains('/'))
            .collect()
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Option<String>>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path())?;
            files.insert(path, String::from_utf8(bytes).ok());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::tree;

    #[test]
    fn built_and_hidden_files_are_left_out() {
        let tree = tree(&[("a/b.rs", ""), ("target/c.rs", ""), ("fuzz/corpus/x/1", "")]);
        assert_eq!(tree.len(), 1);
        assert!(tree.exists("a") && tree.exists("a/") && tree.exists("a/b.rs"));
        assert!(!tree.exists("a/b") && !tree.exists("target"));
    }
}
