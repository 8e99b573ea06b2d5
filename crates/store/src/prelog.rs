//! Attempts to unlock from before the key is known, in a bounded file.
//!
//! The audit log is sealed with a key that a failed unlock does not have. Its attempts are noted
//! here in the clear, one line each, and moved into the log by the next unlock that succeeds.
//! Nothing in the file is trusted: whoever can write to it can write anything.
//!
//! Each line is `+`, a space and the entry; `- N` says that N older entries were dropped.

use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::error::FileError;
use crate::files::{read_bounded, sync, write_all};
use crate::folder::{check_private_file, facts, trusted_parent_of};

/// Most bytes that the file grows to; then the oldest entries go.
pub const PRELOG_MAX: usize = 64 * 1024;
/// Longest entry, in bytes.
pub const PRELOG_ENTRY_MAX: usize = 1024;
/// Closes a line that a killed writer did not finish, and makes it unreadable.
const CUT: u8 = 0;

/// What the file held.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrelogEntries {
    /// The entries, oldest first, as they were handed in. Not to be trusted.
    pub entries: Vec<Vec<u8>>,
    /// How many older ones were dropped for space.
    pub dropped: u64,
    /// How many lines could not be read: a write that was cut off, or somebody's scribble.
    pub unreadable: u64,
}

impl PrelogEntries {
    /// Reads the bytes of the file. Any bytes will do; what makes no sense is counted.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut found = Self::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n").and_then(Line::parse) {
                Some(Line::Entry(entry)) => found.entries.push(entry.to_vec()),
                Some(Line::Dropped(count)) => {
                    found.dropped = found.dropped.saturating_add(count);
                }
                None => found.unreadable = found.unreadable.saturating_add(1),
            }
        }
        found
    }

    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The bytes of a file with these entries, the oldest left out until it has room for `more`.
    fn to_bytes(&self, more: usize) -> Vec<u8> {
        let mut first = 0;
        let mut size: usize = self.entries.iter().map(|entry| entry.len() + 3).sum();
        // Half at once: the file is not rewritten for each entry.
        let room = PRELOG_MAX / 2;
        while first < self.entries.len() && size + more > room {
            size -= self.entries[first].len() + 3;
            first += 1;
        }
        let gone = self
            .dropped
            .saturating_add(self.unreadable)
            .saturating_add(u64::try_from(first).unwrap_or(u64::MAX));
        let mut bytes = format!("- {gone}\n").into_bytes();
        for entry in &self.entries[first..] {
            push_line(&mut bytes, entry);
        }
        bytes
    }
}

enum Line<'a> {
    Entry(&'a [u8]),
    Dropped(u64),
}

impl<'a> Line<'a> {
    fn parse(line: &'a [u8]) -> Option<Self> {
        if let Some(entry) = line.strip_prefix(b"+ ") {
            return is_entry(entry).then_some(Self::Entry(entry));
        }
        let count = std::str::from_utf8(line.strip_prefix(b"- ")?).ok()?;
        count
            .bytes()
            .all(|digit| digit.is_ascii_digit())
            .then_some(())?;
        count.parse().ok().map(Self::Dropped)
    }
}

/// One line, and not the mark of a cut one.
fn is_entry(entry: &[u8]) -> bool {
    let fits = !entry.is_empty() && entry.len() <= PRELOG_ENTRY_MAX;
    fits && !entry.contains(&b'\n') && !entry.contains(&CUT)
}

fn push_line(bytes: &mut Vec<u8>, entry: &[u8]) {
    bytes.extend_from_slice(b"+ ");
    bytes.extend_from_slice(entry);
    bytes.push(b'\n');
}

/// The file of attempts.
#[derive(Debug, Clone)]
pub struct Prelog {
    path: PathBuf,
}

impl Prelog {
    /// The file at `path`, whose folder must exist. Nothing is opened yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Adds an entry of one line, durably; drops the oldest when the file is full.
    ///
    /// # Errors
    /// [`FileError`]; [`FileError::TooLong`] for an entry over [`PRELOG_ENTRY_MAX`], and
    /// [`FileError::Damaged`] for one that is empty or has a line break or a NUL.
    pub fn append(&self, entry: &[u8]) -> Result<(), FileError> {
        if entry.len() > PRELOG_ENTRY_MAX {
            return Err(FileError::TooLong {
                path: self.path.clone(),
                limit: PRELOG_ENTRY_MAX,
            });
        }
        if !is_entry(entry) {
            let reason = "an entry must be one line";
            return Err(FileError::Damaged {
                path: self.path.clone(),
                reason,
            });
        }
        let file = self.lock(true)?.ok_or(FileError::Missing {
            path: self.path.clone(),
        })?;
        self.make_room(&file, entry.len() + 5)?;
        let failed = |errno| FileError::from_os(&self.path, errno);
        let before = self.size(&file)?;
        let mut line = Vec::with_capacity(entry.len() + 5);
        if self.is_cut(&file, before)? {
            line.extend_from_slice(&[CUT, b'\n']);
        }
        push_line(&mut line, entry);
        if let Err(errno) = write_all(&file, &line).and_then(|()| sync(file.as_fd())) {
            // A half line would be counted as unreadable for ever.
            let _ = rustix::fs::ftruncate(&file, before);
            return Err(failed(errno));
        }
        Ok(())
    }

    /// Hands what the file holds to `keep` and empties the file when that succeeds. Nothing is
    /// added meanwhile; when `keep` fails, or the program dies, the file is as it was.
    ///
    /// `keep` is not called when there is nothing.
    ///
    /// # Errors
    /// [`FileError`] as `E`, and what `keep` says.
    pub fn drain<E: From<FileError>>(
        &self,
        keep: impl FnOnce(PrelogEntries) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(file) = self.lock(false)? else {
            return Ok(());
        };
        let found = self.read(&file)?;
        if found.is_empty() {
            return Ok(());
        }
        keep(found)?;
        let failed = |errno| FileError::from_os(&self.path, errno);
        rustix::fs::ftruncate(&file, 0).map_err(failed)?;
        sync(file.as_fd()).map_err(failed)?;
        Ok(())
    }

    fn is_cut(&self, file: &OwnedFd, size: u64) -> Result<bool, FileError> {
        let Some(last) = size.checked_sub(1) else {
            return Ok(false);
        };
        let mut byte = [0];
        let read = rustix::io::pread(file, &mut byte, last)
            .map_err(|e| FileError::from_os(&self.path, e))?;
        Ok(read == 1 && byte != *b"\n")
    }

    fn make_room(&self, file: &OwnedFd, more: usize) -> Result<(), FileError> {
        let size = usize::try_from(self.size(file)?).unwrap_or(usize::MAX);
        if size.saturating_add(more) <= PRELOG_MAX {
            return Ok(());
        }
        let failed = |errno| FileError::from_os(&self.path, errno);
        let kept = self.read(file)?.to_bytes(more);
        // In place, under the lock: another file under this name would not be the locked one. A
        // crash in between loses entries that have no claim to be kept; it cannot forge any.
        rustix::fs::ftruncate(file, 0).map_err(failed)?;
        write_all(file, &kept).map_err(failed)
    }

    fn read(&self, file: &OwnedFd) -> Result<PrelogEntries, FileError> {
        rustix::fs::seek(file, rustix::fs::SeekFrom::Start(0))
            .map_err(|e| FileError::from_os(&self.path, e))?;
        match read_bounded(&self.path, file, 2 * PRELOG_MAX) {
            Ok(bytes) => Ok(PrelogEntries::parse(&bytes)),
            // Only a stranger's file is so long. What it said is lost, and that is said.
            Err(FileError::TooLong { .. }) => Ok(PrelogEntries {
                unreadable: 1,
                ..PrelogEntries::default()
            }),
            Err(error) => Err(error),
        }
    }

    fn size(&self, file: &OwnedFd) -> Result<u64, FileError> {
        let stat = rustix::fs::fstat(file).map_err(|e| FileError::from_os(&self.path, e))?;
        Ok(facts(&stat).size)
    }

    /// Opens and locks the file; `None` when there is none and it is not to be made.
    fn lock(&self, make: bool) -> Result<Option<OwnedFd>, FileError> {
        let failed = |errno| FileError::from_os(&self.path, errno);
        let (folder, real) = trusted_parent_of(&self.path)?;
        let name = real.file_name().unwrap_or_default();
        let mut flags =
            OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        if make {
            flags |= OFlags::CREATE;
        }
        let file = match rustix::fs::openat(&folder, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => file,
            Err(rustix::io::Errno::NOENT) if !make => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        check_private_file(&self.path, &rustix::fs::fstat(&file).map_err(failed)?)?;
        rustix::fs::flock(file.as_fd(), FlockOperation::LockExclusive).map_err(failed)?;
        Ok(Some(file))
    }
}

#[cfg(test)]
mod tests;
