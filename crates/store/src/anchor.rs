//! How far the log was, in a file outside of the vault folder.
//!
//! The file has two slots, written in turn without `fsync`: a write that is cut off spoils the
//! older mark, never the newer. What a slot says is not trusted here; the log checks it.
//!
//! ```text
//! offset  bytes  in each slot of 128
//!      0      8  generation, little-endian; the greater is the newer
//!      8    101  the mark
//!    109      8  generation again: both must agree, or the write was cut off
//!    117     11  zeros
//! ```

use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use subrosa_audit::{Anchor, AnchorError, MARK_LEN, Mark, Strength};

use crate::error::FileError;
use crate::files::stands_at;
use crate::folder::{check_private_file, facts, trusted_parent_of};

/// Bytes of a slot.
const SLOT: usize = 128;
const SLOTS: usize = 2;
const AFTER_MARK: usize = 8 + MARK_LEN;
/// Times that a file which somebody removes meanwhile is opened again.
const TRIES: usize = 100;

/// An anchor in one file of the same user: [`Strength::LocalFile`].
///
/// The file belongs outside of the vault folder: inside it would be put back together with it.
#[derive(Debug)]
pub struct FileAnchor {
    path: PathBuf,
    file: Option<OwnedFd>,
}

impl FileAnchor {
    /// The anchor at `path`, which need not exist yet; its folder must. Nothing is opened yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            file: None,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, so that the next mark starts anew: for an operator who has accepted a vault
    /// that went back in time.
    ///
    /// # Errors
    /// [`FileError`]. No file is no error.
    pub fn forget(&mut self) -> Result<(), FileError> {
        let path = self.path.clone();
        let Some(file) = self.locked(FlockOperation::LockExclusive, false)? else {
            return Ok(());
        };
        let removed = rustix::fs::unlink(&path).map_err(|e| FileError::from_os(&path, e));
        unlock(file);
        removed
    }

    /// The open file, locked; made when `make` says so, else `None` when there is none.
    fn locked(&mut self, how: FlockOperation, make: bool) -> Result<Option<&OwnedFd>, FileError> {
        for _ in 0..TRIES {
            if self.file.is_none() {
                self.file = open(&self.path, make)?;
            }
            let Some(file) = self.file.take() else {
                return Ok(None);
            };
            rustix::fs::flock(&file, how).map_err(|e| self.failed(e))?;
            let stat = rustix::fs::fstat(&file).map_err(|e| self.failed(e))?;
            if stands_at(rustix::fs::CWD, self.path.as_os_str(), &stat) {
                return Ok(Some(self.file.insert(file)));
            }
            // Somebody moved it away to start anew.
        }
        Err(FileError::Busy {
            path: self.path.clone(),
        })
    }

    fn failed(&self, errno: Errno) -> FileError {
        FileError::from_os(&self.path, errno)
    }

    fn error(&self, error: FileError) -> AnchorError {
        let place = self.path.display().to_string();
        match error {
            FileError::Damaged { .. } => AnchorError::Damaged { place },
            other => AnchorError::Failed {
                place,
                reason: other.to_string(),
                source: Some(Box::new(other)),
            },
        }
    }
}

impl Anchor for FileAnchor {
    fn read(&mut self) -> Result<Option<Mark>, AnchorError> {
        let path = self.path.clone();
        let read = match self.locked(FlockOperation::LockShared, false) {
            Ok(None) => return Ok(None),
            Ok(Some(file)) => {
                let read = Slots::read(&path, file);
                unlock(file);
                read
            }
            Err(error) => Err(error),
        };
        let slots = read.map_err(|e| self.error(e))?;
        match slots.newest() {
            Some((_, _, mark)) => Ok(Some(mark)),
            // A first write that a crash cut off may leave room without contents.
            None if slots.0.iter().all(|byte| *byte == 0) => Ok(None),
            None => Err(AnchorError::Damaged {
                place: self.path.display().to_string(),
            }),
        }
    }

    fn write(&mut self, mark: &Mark) -> Result<(), AnchorError> {
        let path = self.path.clone();
        let done = match self.locked(FlockOperation::LockExclusive, true) {
            Ok(Some(file)) => {
                let done = store(&path, file, mark);
                unlock(file);
                done
            }
            Ok(None) => Err(FileError::Missing { path }),
            Err(error) => Err(error),
        };
        done.map_err(|e| self.error(e))
    }

    fn strength(&self) -> Strength {
        Strength::LocalFile
    }
}

/// Writes a mark over the older slot.
fn store(path: &Path, file: &OwnedFd, mark: &Mark) -> Result<(), FileError> {
    let newest = Slots::read(path, file)?.newest();
    if let Some((_, _, known)) = &newest
        && known.vault() == mark.vault()
        && known.sequence() > mark.sequence()
    {
        // Another process of ours has written more meanwhile, and got here first.
        return Ok(());
    }
    let (slot, generation) = newest.map_or((0, 1), |(slot, generation, _)| {
        ((slot + 1) % SLOTS, generation.saturating_add(1))
    });
    let mut bytes = [0; SLOT];
    bytes[..8].copy_from_slice(&generation.to_le_bytes());
    bytes[8..AFTER_MARK].copy_from_slice(&mark.to_bytes());
    bytes[AFTER_MARK..AFTER_MARK + 8].copy_from_slice(&generation.to_le_bytes());
    let mut written = 0;
    while written < SLOT {
        match rustix::io::pwrite(file, &bytes[written..], (slot * SLOT + written) as u64) {
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(FileError::from_os(path, errno)),
        }
    }
    Ok(())
}

fn unlock(file: &OwnedFd) {
    // Closing the file would do it too; there is nothing to do about a failure.
    let _ = rustix::fs::flock(file, FlockOperation::Unlock);
}

/// The contents of the file, filled up with zeros.
struct Slots([u8; SLOTS * SLOT]);

impl Slots {
    fn read(path: &Path, file: &OwnedFd) -> Result<Self, FileError> {
        let failed = |errno| FileError::from_os(path, errno);
        let stat = rustix::fs::fstat(file).map_err(failed)?;
        let mut slots = Self([0; SLOTS * SLOT]);
        if facts(&stat).size > slots.0.len() as u64 {
            let reason = "it is longer than an anchor";
            return Err(FileError::Damaged {
                path: path.to_path_buf(),
                reason,
            });
        }
        let mut filled = 0;
        while filled < slots.0.len() {
            match rustix::io::pread(file, &mut slots.0[filled..], filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(slots)
    }

    /// The slot that was written last as a whole: which, its generation, its mark.
    fn newest(&self) -> Option<(usize, u64, Mark)> {
        self.0
            .chunks_exact(SLOT)
            .enumerate()
            .filter_map(|(slot, bytes)| {
                let before = u64::from_le_bytes(bytes[..8].try_into().ok()?);
                let after = u64::from_le_bytes(bytes[AFTER_MARK..][..8].try_into().ok()?);
                let mark = Mark::from_bytes(&bytes[8..AFTER_MARK])?;
                (before == after).then_some((slot, before, mark))
            })
            .max_by_key(|(_, generation, _)| *generation)
    }
}

/// Opens the file, checked as every file of ours.
fn open(path: &Path, make: bool) -> Result<Option<OwnedFd>, FileError> {
    let failed = |errno| FileError::from_os(path, errno);
    let (folder, real) = trusted_parent_of(path)?;
    let name = real.file_name().unwrap_or_default();
    let mut flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if make {
        flags |= OFlags::CREATE;
    }
    let file = match rustix::fs::openat(&folder, name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => file,
        Err(Errno::NOENT) if !make => return Ok(None),
        Err(errno) => return Err(failed(errno)),
    };
    check_private_file(path, &rustix::fs::fstat(&file).map_err(failed)?)?;
    Ok(Some(file))
}

#[cfg(test)]
mod tests;
