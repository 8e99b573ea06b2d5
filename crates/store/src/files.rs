//! Whole files: written durably and at once, read with a limit and with checks.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags, Stat};
use rustix::io::Errno;

use crate::error::FileError;
use crate::folder::{check_private_file, check_settled_file, facts, parent_of, trusted_parent_of};

/// Times that a lost race for the temporary file is run again.
const TRIES: usize = 100;

/// Replaces a file by these bytes, durably: after a crash there is the old file or the new one,
/// whole. The file gets this `mode`, such as `0o600`, whatever the umask.
///
/// A symbolic link at `path` is replaced, not followed. Nothing is asked of the folder.
///
/// # Errors
/// [`FileError::Full`] and others; then the old file is untouched and the temporary one is gone.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let (folder, name) = parent_of(path)?;
    write_in(folder.as_fd(), path, name, bytes, mode, Existing::Replace)
}

/// As [`write_atomic`], for a file that is not there yet.
///
/// # Errors
/// [`FileError::Exists`] when there is anything at `path`; it is untouched.
pub fn create_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
    let (folder, name) = parent_of(path)?;
    write_in(folder.as_fd(), path, name, bytes, mode, Existing::Refuse)
}

/// Reads a file of at most `limit` bytes.
///
/// With `must_be_private` it must be a regular file of ours that nobody else may open, under one
/// name, no symbolic link, and nobody else may be able to exchange it. Otherwise it must be a
/// regular file that nobody but us and root may write; links to it are followed.
///
/// The bytes are read into one allocation, so that a caller who wipes it leaves no copy.
///
/// # Errors
/// [`FileError::TooLong`], [`FileError::Unsafe`], [`FileError::Missing`] and others.
pub fn read_private(
    path: &Path,
    limit: usize,
    must_be_private: bool,
) -> Result<Vec<u8>, FileError> {
    let failed = |errno| FileError::from_os(path, errno);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    if !must_be_private {
        let file = rustix::fs::open(path, flags | OFlags::NONBLOCK, Mode::empty());
        let file = file.map_err(failed)?;
        check_settled_file(path, &rustix::fs::fstat(&file).map_err(failed)?)?;
        return read_bounded(path, &file, limit);
    }
    let (folder, real) = trusted_parent_of(path)?;
    let name = real.file_name().unwrap_or_default();
    // NONBLOCK: a pipe of somebody else's must not hold us before it is looked at.
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = rustix::fs::openat(&folder, name, flags, Mode::empty()).map_err(failed)?;
    check_private_file(path, &rustix::fs::fstat(&file).map_err(failed)?)?;
    read_bounded(path, &file, limit)
}

/// Reads a file of at most `limit` bytes that nobody else can change, though others may read it: a
/// regular file of ours or of root's, no symbolic link, in a place where nobody else may exchange it.
///
/// # Errors
/// [`FileError::Unsafe`] with what to type, and as [`read_private`].
pub fn read_own(path: &Path, limit: usize) -> Result<Vec<u8>, FileError> {
    let failed = |errno| FileError::from_os(path, errno);
    let (folder, real) = trusted_parent_of(path)?;
    let name = real.file_name().unwrap_or_default();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = rustix::fs::openat(&folder, name, flags, Mode::empty()).map_err(failed)?;
    check_settled_file(path, &rustix::fs::fstat(&file).map_err(failed)?)?;
    read_bounded(path, &file, limit)
}

pub(crate) fn read_bounded(
    path: &Path,
    file: &OwnedFd,
    limit: usize,
) -> Result<Vec<u8>, FileError> {
    let failed = |errno| FileError::from_os(path, errno);
    let size = facts(&rustix::fs::fstat(file).map_err(failed)?).size;
    let room = limit.saturating_add(1);
    // What has no size of its own, such as a pipe, gets all the room that it may fill.
    let known = usize::try_from(size).ok().filter(|size| *size > 0);
    let mut bytes = vec![0; known.map_or(room, |size| size.saturating_add(1).min(room))];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::io::read(file, &mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    if filled > limit {
        return Err(FileError::TooLong {
            path: path.to_path_buf(),
            limit,
        });
    }
    if filled == bytes.len() {
        // It grew meanwhile: whoever writes to it is not done.
        return Err(FileError::Busy {
            path: path.to_path_buf(),
        });
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// What to do when the name is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Replace,
    Refuse,
}

/// Writes `name` in an open folder; `path` is for messages.
pub(crate) fn write_in(
    folder: BorrowedFd<'_>,
    path: &Path,
    name: &OsStr,
    bytes: &[u8],
    mode: u32,
    existing: Existing,
) -> Result<(), FileError> {
    let failed = |errno| FileError::from_os(path, errno);
    if existing == Existing::Refuse && is_taken(folder, name).map_err(failed)? {
        return Err(FileError::Exists {
            path: path.to_path_buf(),
        });
    }
    let temporary = temporary_name(name);
    let file = lock_temporary(folder, path, &temporary)?;
    let done = fill(&file, bytes, mode)
        .and_then(|()| put_in_place(folder, &temporary, name, existing))
        .map_err(failed);
    if done.is_err() {
        // Nothing can be done about a failure here, and the first error says more.
        let _ = rustix::fs::unlinkat(folder, &temporary, AtFlags::empty());
        return done;
    }
    sync(folder).map_err(failed)
}

fn is_taken(folder: BorrowedFd<'_>, name: &OsStr) -> rustix::io::Result<bool> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// One temporary name for each file: what a killed writer left is used up by the next one.
fn temporary_name(name: &OsStr) -> OsString {
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".tmp");
    temporary
}

/// Opens the temporary file and locks it, so that two writers of one file take turns.
fn lock_temporary(
    folder: BorrowedFd<'_>,
    path: &Path,
    temporary: &OsStr,
) -> Result<OwnedFd, FileError> {
    let failed = |errno| FileError::from_os(path, errno);
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    for _ in 0..TRIES {
        let file = rustix::fs::openat(folder, temporary, flags, Mode::RUSR | Mode::WUSR).map_err(
            |errno| match errno {
                Errno::ACCESS => FileError::ReadOnly {
                    path: path.to_path_buf(),
                    reason: "its folder may not be written to".into(),
                },
                other => failed(other),
            },
        )?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive).map_err(failed)?;
        let stat = rustix::fs::fstat(&file).map_err(failed)?;
        if !stands_at(folder, temporary, &stat) {
            // Whoever held the lock has moved it into place meanwhile: it is no draft any more.
            continue;
        }
        if check_private_file(path, &stat).is_ok() {
            rustix::fs::ftruncate(&file, 0).map_err(failed)?;
            return Ok(file);
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(FileError::not_safe(
                &path.with_file_name(temporary),
                "somebody else put it where a temporary file goes; choose another folder",
            ));
        }
        rustix::fs::unlinkat(folder, temporary, AtFlags::empty()).map_err(failed)?;
    }
    Err(FileError::Busy {
        path: path.to_path_buf(),
    })
}

/// Whether an open file is still the one under this name.
pub(crate) fn stands_at(folder: BorrowedFd<'_>, name: &OsStr, open: &Stat) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|there| facts(&there).identity == facts(open).identity)
}

fn fill(file: &OwnedFd, bytes: &[u8], mode: u32) -> rustix::io::Result<()> {
    write_all(file, bytes)?;
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode as rustix::fs::RawMode))?;
    sync(file.as_fd())
}

/// Makes a file's contents, or the names in a folder, durable.
pub(crate) fn sync(file: BorrowedFd<'_>) -> rustix::io::Result<()> {
    // There fsync(2) leaves the data in the disk's own memory.
    #[cfg(target_vendor = "apple")]
    if rustix::fs::fcntl_fullfsync(file).is_ok() {
        return Ok(());
    }
    rustix::fs::fsync(file)
}

pub(crate) fn write_all(file: &OwnedFd, mut bytes: &[u8]) -> rustix::io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn put_in_place(
    folder: BorrowedFd<'_>,
    from: &OsStr,
    to: &OsStr,
    existing: Existing,
) -> rustix::io::Result<()> {
    match existing {
        Existing::Replace => rustix::fs::renameat(folder, from, folder, to),
        Existing::Refuse => rename_new(folder, from, to),
    }
}

/// Renames, unless the new name is taken.
pub(crate) fn rename_new(
    folder: BorrowedFd<'_>,
    from: &OsStr,
    to: &OsStr,
) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot; a link refuses a taken name everywhere.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            rustix::fs::linkat(folder, from, folder, to, AtFlags::empty())?;
            rustix::fs::unlinkat(folder, from, AtFlags::empty())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests;
