//! Folders with values whose run was killed, and its guardian with it.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, RawDir, Stat, flock, fstat, openat};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::{Pid, geteuid, test_kill_process};

use crate::guardian::FolderEntry;
use crate::tree;

/// What the names of folders with values begin with; the number of the process that made it and
/// one that counts follow.
pub(crate) const PREFIX: &str = "subrosa-run-";
/// Most folders that one sweep removes.
const MOST_REMOVED: usize = 64;
/// Most names that one sweep reads.
const MOST_READ: usize = 4096;
/// How much later than its folder a process must have started to be another one that got the same
/// number: times in `/proc` are to the second.
const LATER: Duration = Duration::from_secs(2);

/// Removes folders in `parent` that a process which is gone has left.
///
/// Whoever uses a folder holds a lock on it, so a number that is reused, or means nothing in our
/// PID namespace, does not cost another run its folder.
pub(crate) fn sweep(parent: &OwnedFd) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    // Opened anew, for a place in the listing that is its own.
    let Ok(listed) = openat(parent, c".", flags, Mode::empty()) else {
        return;
    };
    let mut found: Vec<(CString, Pid)> = Vec::new();
    let mut buffer = Vec::with_capacity(8 * 1024);
    let mut listing = RawDir::new(listed.as_fd(), buffer.spare_capacity_mut());
    for _ in 0..MOST_READ {
        let Some(Ok(item)) = listing.next() else {
            break;
        };
        if let Some(pid) = maker(item.file_name()) {
            found.push((item.file_name().to_owned(), pid));
        }
    }
    found
        .into_iter()
        .filter_map(|(name, pid)| leftover(parent, name, pid))
        .take(MOST_REMOVED)
        .for_each(|entry| entry.remove());
}

/// The process that made a folder of this name; `None` when it is no name of ours.
fn maker(name: &CStr) -> Option<Pid> {
    let (pid, count) = name.to_str().ok()?.strip_prefix(PREFIX)?.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(pid) || !digits(count) {
        return None;
    }
    Pid::from_raw(pid.parse().ok()?)
}

/// The folder, held against everybody else, if it is ours and nobody uses it.
fn leftover(parent: &OwnedFd, name: CString, pid: Pid) -> Option<FolderEntry> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(parent, &*name, flags, Mode::empty()).ok()?;
    let state = fstat(&folder).ok()?;
    let ours = FileType::from_raw_mode(state.st_mode) == FileType::Directory
        && state.st_uid == geteuid().as_raw()
        && state.st_mode & 0o7777 == 0o700;
    if !ours || !is_gone(pid, &state) {
        return None;
    }
    flock(&folder, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(FolderEntry {
        folder,
        parent: fcntl_dupfd_cloexec(parent, 3).ok()?,
        name,
    })
}

/// Whether no process has this number, or one has that started after the folder was last changed.
fn is_gone(pid: Pid, folder: &Stat) -> bool {
    if matches!(test_kill_process(pid), Err(Errno::SRCH)) {
        return true;
    }
    let changed = Duration::from_secs(u64::try_from(folder.st_mtime).unwrap_or(u64::MAX));
    tree::started(pid).is_some_and(|started| started > changed.saturating_add(LATER))
}
