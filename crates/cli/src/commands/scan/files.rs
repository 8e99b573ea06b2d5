//! Files and folders: what is below the paths that were typed.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ignore::WalkBuilder;
use rustix::fs::{Mode, OFlags};

use super::ignored::Ignored;
use super::report::{Origin, Skip};
use super::text::Source;
use super::{Kind, Scanner};
use crate::failure::Failure;

/// Searches all that is below the paths.
pub(super) fn scan(
    scanner: &mut Scanner<'_>,
    paths: &[PathBuf],
    ignored_too: bool,
) -> Result<(), Failure> {
    for path in paths {
        let there = path.symlink_metadata();
        if there.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            scanner.skip(origin(path, Kind::File), Skip::Missing);
            continue;
        }
        below(scanner, path, ignored_too, Kind::File)?;
    }
    Ok(())
}

/// Searches a file, or all files below a folder. Symbolic links below it are not followed.
pub(super) fn below(
    scanner: &mut Scanner<'_>,
    path: &Path,
    ignored_too: bool,
    kind: Kind,
) -> Result<(), Failure> {
    let ignored = (!ignored_too).then(|| Arc::new(Mutex::new(Ignored::below(path))));
    let known = ignored.clone();
    let mut walk = WalkBuilder::new(path);
    walk.standard_filters(false)
        .follow_links(false)
        .sort_by_file_name(|a, b| a.cmp(b))
        .filter_entry(move |entry| {
            // What is in there is compressed: --history looks into it.
            let of_git = entry.path().parent().and_then(Path::file_name) == Some(".git".as_ref());
            if of_git && entry.file_name() == "objects" {
                return false;
            }
            let is_dir = entry.file_type().is_some_and(|there| there.is_dir());
            // What was named is meant.
            entry.depth() == 0
                || known
                    .as_ref()
                    .is_none_or(|known| !locked(known).leaves_out(entry.path(), is_dir))
        });
    for entry in walk.build() {
        not_followed(scanner, ignored.as_deref(), kind);
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                unwalked(scanner, path, &error, kind);
                continue;
            }
        };
        let is_root = entry.depth() == 0;
        // The name of a folder that was typed is followed, and nothing else.
        let there = match is_root {
            true => entry.path().metadata().map(|found| found.file_type()).ok(),
            false => entry.file_type(),
        };
        let Some(there) = there else {
            let error = io::Error::from(io::ErrorKind::NotFound);
            scanner.skip(origin(entry.path(), kind), Skip::Unread(error));
            continue;
        };
        if there.is_dir() || there.is_symlink() {
            continue;
        }
        if !there.is_file() {
            scanner.skip(origin(entry.path(), kind), Skip::NoFile);
            continue;
        }
        one(scanner, entry.path(), is_root, kind)?;
    }
    not_followed(scanner, ignored.as_deref(), kind);
    Ok(())
}

/// Says which lists are not followed.
fn not_followed(scanner: &mut Scanner<'_>, ignored: Option<&Mutex<Ignored>>, kind: Kind) {
    let refused = ignored.map(|known| locked(known).take_refused());
    for (list, why) in refused.into_iter().flatten() {
        scanner.skip(origin(&list, kind), Skip::Ignored(why));
    }
}

/// Nobody else has it: the walk asks in this thread.
fn locked(ignored: &Mutex<Ignored>) -> MutexGuard<'_, Ignored> {
    ignored.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Searches one file.
fn one(scanner: &mut Scanner<'_>, path: &Path, follow: bool, kind: Kind) -> Result<(), Failure> {
    let mut stored = match Stored::open(path, follow) {
        Ok(Some(stored)) => stored,
        Ok(None) => {
            scanner.skip(origin(path, kind), Skip::NoFile);
            return Ok(());
        }
        // Somebody removed it, or put something else there: it is not in the folder any more.
        Err(error) if !follow && is_gone(&error) => return Ok(()),
        Err(error) => {
            scanner.skip(origin(path, kind), Skip::Unread(error));
            return Ok(());
        }
    };
    scanner.text(origin(path, kind), &mut stored)
}

fn is_gone(error: &io::Error) -> bool {
    let loops = rustix::io::Errno::LOOP.raw_os_error();
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(loops)
}

fn origin(path: &Path, kind: Kind) -> Origin {
    let path = path.as_os_str().as_bytes();
    Origin {
        path: path.strip_prefix(b"./").unwrap_or(path).to_vec(),
        commit: None,
        kind,
    }
}

/// A folder that cannot be entered, or a path that is not there.
fn unwalked(scanner: &mut Scanner<'_>, path: &Path, error: &ignore::Error, kind: Kind) {
    let at = path_of(error).unwrap_or(path);
    let why = error.io_error().map_or_else(
        || io::Error::other("it cannot be walked"),
        // Its text names the path, which is said already.
        |error| io::Error::from(error.kind()),
    );
    if why.kind() == io::ErrorKind::NotFound && at != path {
        return;
    }
    scanner.skip(origin(at, kind), Skip::Unread(why));
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}

/// A file, as long as it was when it was opened: one that grows has an end.
pub(super) struct Stored {
    file: File,
    length: u64,
}

impl Stored {
    /// `None` for what is no regular file. Nothing is waited for: what was a file a moment ago may
    /// be a pipe now.
    pub(super) fn open(path: &Path, follow: bool) -> io::Result<Option<Self>> {
        let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        if !follow {
            flags |= OFlags::NOFOLLOW;
        }
        let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
        let about = file.metadata()?;
        Ok(about.is_file().then_some(Self {
            file,
            length: about.len(),
        }))
    }
}

impl Source for Stored {
    fn open(&mut self) -> io::Result<Box<dyn Read + '_>> {
        self.file.rewind()?;
        Ok(Box::new((&mut self.file).take(self.length)))
    }
}
