//! Programs of the user that decrypt: `gpg` for a password store, `sops` for its files.
//!
//! They are looked for as commands are, get the user's environment, and nothing of ours: no secret
//! is among their arguments or variables, no descriptor is passed on. What they give goes straight
//! into locked memory. What they complain about is not shown, since it may quote what they read;
//! the error says what to type to see it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use subrosa_crypto::SecretBuf;
use subrosa_runner::{Reading, SearchPath};

use super::FILE_MAX;
use super::entry::{Entry, Found, Wrong};
use super::pass;
use crate::EngineError;

/// Most entries of a store, and how deep its folders go.
const ENTRIES_MAX: usize = 20_000;
const DEPTH_MAX: usize = 32;

/// What programs of the user are started with.
#[derive(Clone, Default)]
pub struct World {
    /// The user's environment; `PATH` says where programs are.
    pub variables: Vec<(OsString, OsString)>,
    /// The folder in which the command was typed.
    pub directory: PathBuf,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Variables often hold secrets of their own.
        f.write_str("World(***)")
    }
}

impl World {
    /// Runs a program to its end.
    fn output(
        &self,
        program: &str,
        arguments: &[&OsStr],
    ) -> Result<(SecretBuf, Option<i32>), EngineError> {
        let path = self.variables.iter().find(|(name, _)| name == "PATH");
        let search = path.map_or_else(SearchPath::default, |(_, path)| SearchPath::parse(path));
        let resolved = search.resolve(OsStr::new(program), &self.directory)?;
        let mut reading = Reading::start(&resolved, arguments, &self.variables, &self.directory)?;
        let content = SecretBuf::read_to_end(&mut reading, FILE_MAX)?;
        Ok((content, reading.finish()?))
    }

    /// What `sops` gives for a file.
    ///
    /// # Errors
    /// [`EngineError::ImportItem`] says what to type to see why it failed.
    pub(super) fn sops(&self, file: &Path, kind: &str) -> Result<SecretBuf, EngineError> {
        // Absolute, so that no name is taken for an option.
        let file = self.directory.join(file);
        let arguments = ["decrypt", "--input-type", kind, "--output-type", "json"];
        let mut arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        arguments.push(file.as_os_str());
        let (content, status) = self.output("sops", &arguments)?;
        let why = match status {
            Some(0) => return Ok(content),
            Some(128) => "has none of the keys that open it",
            Some(51 | 52) => "says that the file was changed by somebody without its keys",
            _ => "cannot decrypt it",
        };
        Err(Wrong::whole(format!("sops {why}"))
            .remedy(format!(
                "see what it says: sops decrypt {} >/dev/null",
                word(&file)
            ))
            .into_error(&file.display().to_string()))
    }

    /// All entries of a store.
    ///
    /// # Errors
    /// [`EngineError::ImportItem`] with the entry that cannot be decrypted.
    pub(super) fn store(&self, folder: &Path) -> Result<Found, EngineError> {
        let root = self.directory.join(folder);
        let mut listed = Listed::default();
        listed.add(&root, 0)?;
        listed.entries.sort();
        let mut found = Found {
            attachments: listed.others,
            ..Found::default()
        };
        for file in &listed.entries {
            found.entries.push(self.entry(&root, file)?);
        }
        Ok(found)
    }

    fn entry(&self, root: &Path, file: &Path) -> Result<Entry, EngineError> {
        let arguments = ["--batch", "--quiet", "--decrypt", "--"].map(OsStr::new);
        let arguments = [&arguments[..], &[file.as_os_str()]].concat();
        let (content, status) = self.output("gpg", &arguments)?;
        let name = file.strip_prefix(root).unwrap_or(file).with_extension("");
        if status != Some(0) {
            return Err(Wrong::whole("gpg cannot decrypt it")
                .remedy(format!(
                    "see what it says: gpg --decrypt {} >/dev/null",
                    word(file)
                ))
                .into_error(&name.display().to_string()));
        }
        Ok(pass::entry(&name.to_string_lossy(), &content)?)
    }
}

/// What lies in a store.
#[derive(Default)]
struct Listed {
    entries: Vec<PathBuf>,
    /// Files that are no entries, and links, which are not followed: they may lead anywhere.
    others: usize,
}

impl Listed {
    fn add(&mut self, folder: &Path, depth: usize) -> Result<(), EngineError> {
        let what = || format!("{} cannot be read", folder.display());
        if depth > DEPTH_MAX {
            return Err(
                Wrong::whole(format!("folders go deeper than {DEPTH_MAX} levels"))
                    .into_error(&folder.display().to_string()),
            );
        }
        for entry in std::fs::read_dir(folder).map_err(EngineError::io(what()))? {
            let entry = entry.map_err(EngineError::io(what()))?;
            let kind = entry.file_type().map_err(EngineError::io(what()))?;
            // .git, .gpg-id, .extensions: about the store.
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let path = entry.path();
            if kind.is_dir() {
                self.add(&path, depth + 1)?;
            } else if kind.is_file() && path.extension() == Some(OsStr::new("gpg")) {
                self.entries.push(path);
            } else {
                self.others += 1;
            }
            if self.entries.len() > ENTRIES_MAX {
                return Err(
                    Wrong::whole(format!("it has more than {ENTRIES_MAX} entries"))
                        .into_error(&folder.display().to_string()),
                );
            }
        }
        Ok(())
    }
}

/// A path as a shell takes it.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let harmless = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,=".contains(c);
    match text.chars().all(harmless) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
