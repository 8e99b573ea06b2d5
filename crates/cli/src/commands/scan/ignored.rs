//! What git is told to leave out, and so is left out of a search: `.gitignore`, `.git/info/exclude`
//! and the user's own list.
//!
//! These files are read here, and not by whatever walks the folders: whoever made a folder chose what
//! has their names. Nothing is waited for, no link is followed, as git follows none, and no file is
//! read that is longer than any list of this kind.

use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::files::Stored;
use super::text::Source;

/// Longest list that is read.
const LIST_MAX: u64 = 1024 * 1024;
/// Most rules of one list: each of them takes memory and time.
const RULES_MAX: usize = 10_000;
/// Longest file that says where a repository is.
const POINTER_MAX: u64 = 8 * 1024;

/// What is left out below one folder that is searched.
pub(super) struct Ignored {
    /// The folder, as it was named and as it is.
    named: PathBuf,
    real: PathBuf,
    /// The rules of each folder from the root to the one that is being walked.
    rules: Vec<Rules>,
    /// The user's own.
    own: Gitignore,
    refused: Vec<(PathBuf, Refused)>,
}

/// Why a list is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// A link, a pipe, a folder.
    NoFile,
    TooLong,
    Unread(io::ErrorKind),
}

/// The rules of one folder.
struct Rules {
    folder: PathBuf,
    list: Gitignore,
    exclude: Gitignore,
    /// Whether a repository begins here: what is said above it is none of its own.
    is_top: bool,
}

impl Ignored {
    /// With the rules of the folders above; nothing is left out of what has no real path.
    pub(super) fn below(folder: &Path) -> Self {
        let real = folder.canonicalize().unwrap_or_default();
        let mut ignored = Self {
            named: folder.to_owned(),
            rules: Vec::new(),
            own: Gitignore::global().0,
            refused: Vec::new(),
            real,
        };
        if ignored.real.is_dir() {
            let mut above: Vec<PathBuf> = ignored.real.ancestors().map(PathBuf::from).collect();
            above.reverse();
            for folder in above {
                ignored.enter(folder);
            }
        }
        ignored
    }

    /// Whether something below the folder is left out. What is asked for comes in the order of a
    /// walk: each folder before what is in it.
    pub(super) fn leaves_out(&mut self, path: &Path, is_dir: bool) -> bool {
        let Ok(rest) = path.strip_prefix(&self.named) else {
            return false;
        };
        let real = self.real.join(rest);
        let Some(folder) = real.parent().filter(|_| self.real.is_absolute()) else {
            return false;
        };
        while self
            .rules
            .last()
            .is_some_and(|last| !folder.starts_with(&last.folder))
        {
            self.rules.pop();
        }
        if self.rules.last().is_none_or(|last| last.folder != folder) {
            self.enter(folder.to_owned());
        }
        let mut within = Vec::new();
        for rules in self.rules.iter().rev() {
            within.push(rules);
            if rules.is_top {
                break;
            }
        }
        // The nearest list that says something decides, and only where none does, the others.
        let lists = within.iter().map(|rules| &rules.list);
        let excludes = within.iter().map(|rules| &rules.exclude);
        lists
            .chain(excludes)
            .chain([&self.own])
            .map(|list| list.matched(&real, is_dir))
            .find(|said| !said.is_none())
            .is_some_and(|said| said.is_ignore())
    }

    /// What was not followed since the last call, by its path as the folder was named.
    pub(super) fn take_refused(&mut self) -> Vec<(PathBuf, Refused)> {
        let mut refused = std::mem::take(&mut self.refused);
        for (path, _) in &mut refused {
            if let Ok(rest) = path.strip_prefix(&self.real) {
                *path = self.named.join(rest);
            }
        }
        refused
    }

    fn enter(&mut self, folder: PathBuf) {
        let list = self.read(&folder, &folder.join(".gitignore"));
        let git = folder.join(".git");
        let there = git.symlink_metadata();
        let exclude = match repository(&git) {
            Some(git) => self.read(&folder, &git.join("info/exclude")),
            None => Gitignore::empty(),
        };
        self.rules.push(Rules {
            folder,
            list,
            exclude,
            is_top: there.is_ok(),
        });
    }

    /// The rules of a list for a folder; none where there is no such list, or it is not followed.
    fn read(&mut self, folder: &Path, path: &Path) -> Gitignore {
        match list(folder, path) {
            Ok(rules) => rules,
            Err(why) => {
                self.refused.push((path.to_owned(), why));
                Gitignore::empty()
            }
        }
    }
}

/// Where a repository keeps its list: what is at `.git`, or where the file there says, as of a
/// worktree and of a submodule.
fn repository(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let said = small(git)?;
    let there = said.strip_prefix(b"gitdir: ")?.trim_ascii();
    let there = git.parent()?.join(std::ffi::OsStr::from_bytes(there));
    // A worktree has the list of the repository that it is of.
    Some(match small(&there.join("commondir")) {
        Some(common) => there.join(std::ffi::OsStr::from_bytes(common.trim_ascii())),
        None => there,
    })
}

/// A file of one line.
fn small(path: &Path) -> Option<Vec<u8>> {
    contents(path, POINTER_MAX).ok()?
}

/// A file up to a length; `None` where there is none.
fn contents(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Refused> {
    let unread = |error: io::Error| Refused::Unread(error.kind());
    let mut stored = match Stored::open(path, false) {
        Ok(Some(stored)) => stored,
        Ok(None) => return Err(Refused::NoFile),
        Err(error) => {
            let loops = rustix::io::Errno::LOOP.raw_os_error();
            return match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
                _ if error.raw_os_error() == Some(loops) => Err(Refused::NoFile),
                // A socket.
                _ if path.symlink_metadata().is_ok_and(|about| !about.is_file()) => {
                    Err(Refused::NoFile)
                }
                _ => Err(unread(error)),
            };
        }
    };
    let mut text = Vec::new();
    let from = stored.open().map_err(unread)?;
    let read = from.take(most + 1).read_to_end(&mut text);
    match read.map_err(unread)? as u64 > most {
        true => Err(Refused::TooLong),
        false => Ok(Some(text)),
    }
}

fn list(folder: &Path, path: &Path) -> Result<Gitignore, Refused> {
    let Some(text) = contents(path, LIST_MAX)? else {
        return Ok(Gitignore::empty());
    };
    let text = String::from_utf8_lossy(&text);
    let lines = text.trim_start_matches('\u{feff}').lines();
    let mut builder = GitignoreBuilder::new(folder);
    // To git a class without an end fits nothing.
    builder.allow_unclosed_class(false);
    let mut rules = 0;
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        rules += 1;
        if rules > RULES_MAX {
            return Err(Refused::TooLong);
        }
        // Of a line that makes no sense git says nothing, and leaves nothing out.
        let _ = builder.add_line(None, line);
    }
    // Rules that are too large to be compiled leave nothing out either.
    builder.build().map_err(|_| Refused::TooLong)
}
