//! A folder in memory for files with values, gone when the run is.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{
    CWD, FlockOperation, Mode, OFlags, fchmod, flock, fstat, fstatfs, mkdirat, openat,
};
use rustix::io::{Errno, write};
use rustix::process::{geteuid, getpid};

use crate::RunError;
use crate::guardian::FolderEntry;
use crate::leftovers::{PREFIX, sweep};
use crate::spawn::above;

/// `TMPFS_MAGIC` and `RAMFS_MAGIC`, from statfs(2).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
/// Names that are tried before giving up.
const ATTEMPTS: u32 = 64;

/// A folder that only we may enter, removed with its files when dropped; should we be killed, the
/// guardian removes it, and should that be killed too, the next run does.
pub(crate) struct PrivateFolder {
    entry: FolderEntry,
    path: PathBuf,
}

impl PrivateFolder {
    /// Makes a folder in the first of `bases` that lies in memory and is safe: ours, or sticky.
    pub(crate) fn create(bases: &[PathBuf]) -> Result<Self, RunError> {
        let mut why = "none was named".to_owned();
        for base in bases {
            match Self::create_in(base) {
                Ok(folder) => return Ok(folder),
                Err(reason) => why = format!("{} {reason}", base.display()),
            }
        }
        Err(RunError::NoPrivateFolder { why })
    }

    fn create_in(base: &Path) -> Result<Self, String> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let failed = |errno: Errno| format!("cannot be used: {}", std::io::Error::from(errno));
        let parent = openat(CWD, base, flags, Mode::empty()).map_err(failed)?;
        let kind = fstatfs(&parent).map_err(failed)?.f_type;
        if !IN_MEMORY.contains(&kind) {
            return Err("is not in memory".to_owned());
        }
        let state = fstat(&parent).map_err(failed)?;
        let ours = state.st_uid == geteuid().as_raw() || state.st_uid == 0;
        let sticky = state.st_mode & 0o1000 != 0;
        if !ours || (state.st_mode & 0o022 != 0 && !sticky) {
            return Err("may be changed by others".to_owned());
        }
        sweep(&parent);
        for _ in 0..ATTEMPTS {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = format!("{PREFIX}{}-{number}", getpid().as_raw_pid());
            match mkdirat(&parent, &name, Mode::RWXU) {
                // Somebody else's, or left by a process with our number.
                Err(Errno::EXIST) => continue,
                outcome => outcome.map_err(failed)?,
            }
            let flags = flags | OFlags::NOFOLLOW;
            let folder = openat(&parent, &name, flags, Mode::empty()).map_err(failed)?;
            // Held as long as it is used: what nobody holds may be swept away.
            if flock(&folder, FlockOperation::NonBlockingLockShared).is_err() {
                continue;
            }
            // Whatever the umask took away.
            fchmod(&folder, Mode::RWXU).map_err(failed)?;
            let path = base.join(&name);
            let name = CString::new(name).map_err(|error| error.to_string())?;
            let entry = FolderEntry {
                folder,
                parent,
                name,
            };
            return Ok(Self { entry, path });
        }
        Err("has no free name".to_owned())
    }

    /// What the guardian needs to remove it.
    pub(crate) fn entry(&self) -> Result<FolderEntry, RunError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let duplicate = |descriptor: &OwnedFd| {
            // Opened anew and not duplicated: each reads the listing from its own place.
            openat(descriptor, c".", flags, Mode::empty())
                .map_err(RunError::system("opening the folder for values"))
                .and_then(above)
        };
        let folder = duplicate(&self.entry.folder)?;
        flock(&folder, FlockOperation::NonBlockingLockShared)
            .map_err(RunError::system("holding the folder for values"))?;
        Ok(FolderEntry {
            folder,
            parent: duplicate(&self.entry.parent)?,
            name: self.entry.name.clone(),
        })
    }

    /// Writes one file that only we may read; returns its path.
    pub(crate) fn put(&self, name: &str, value: &[u8]) -> Result<PathBuf, RunError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let system = RunError::system("writing a file in the folder for values");
        let file =
            openat(&self.entry.folder, name, flags, Mode::RUSR | Mode::WUSR).map_err(&system)?;
        fchmod(&file, Mode::RUSR | Mode::WUSR).map_err(&system)?;
        let mut rest = value;
        while !rest.is_empty() {
            match write(&file, rest) {
                Ok(written) => rest = &rest[written..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(system(errno)),
            }
        }
        Ok(self.path.join(name))
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        self.entry.remove();
    }
}

/// The path as bytes of a variable.
pub(crate) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
