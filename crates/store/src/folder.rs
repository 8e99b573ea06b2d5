//! Folders and files that only their owner reaches.
//!
//! A folder is walked from the root, component by component, on descriptors that follow no link.
//!
//! - The folder itself is a real folder of ours with no permission for group or others (0700).
//! - It and the folder that holds it are no symbolic links. A link farther up is followed when the
//!   system's administrator or we ourselves made it.
//! - No folder on the way may be re-arranged by somebody else: each belongs to root or to us and is
//!   not writable by others, unless sticky as `/tmp` is. A group of ours may write.
//! - It is not on a network file system.
//! - Each file in it is a regular file of ours, 0600, under one name.
//!
//! Between a check and the later use of the path by SQLite nobody but root and our own user can
//! exchange the folder or a file, because nobody else can write to any folder on the way. Against
//! our own user permissions are no wall; there the sealed contents are.

mod mounts;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Access, AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::error::{FileError, quoted};
use crate::files::sync;

/// Links followed on one walk before it is given up as a circle.
const LINKS_MAX: usize = 40;
/// In a folder with this bit only a file's owner may rename or remove it.
const STICKY: u32 = 0o1000;
/// The uid that stands for owners outside of a user namespace.
const UNMAPPED: u32 = 65_534;

/// A folder that was found safe, held open.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    fd: OwnedFd,
}

/// What `stat` said about a file that was found safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFacts {
    /// Length in bytes.
    pub size: u64,
    /// Device and inode: which file the name stood for.
    pub identity: (u64, u64),
}

impl Folder {
    /// Makes the folder, and those above it that are missing, with mode 0700, and checks it.
    ///
    /// # Errors
    /// [`FileError::Unsafe`] when it, or a folder on the way, is not safe; else as the system says.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        Self::reach(path, true)
    }

    /// Opens and checks a folder.
    ///
    /// # Errors
    /// [`FileError::Missing`]; [`FileError::Unsafe`] with the command to type;
    /// [`FileError::ReadOnly`] when its owner may not write to it.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::reach(path, false)
    }

    /// The folder's absolute path, without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks the file `name`; `None` when there is none.
    ///
    /// The file is not opened: closing a second descriptor of a database would drop the locks that
    /// SQLite holds on it in this process (`fcntl(2)`, record locks).
    ///
    /// # Errors
    /// [`FileError::Unsafe`] with the command to type; [`FileError::ReadOnly`].
    pub fn check_file(&self, name: &OsStr) -> Result<Option<FileFacts>, FileError> {
        let path = self.path.join(name);
        let stat = match rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(FileError::from_os(&path, errno)),
        };
        check_private_file(&path, &stat)?;
        let wanted = Access::READ_OK | Access::WRITE_OK;
        match rustix::fs::accessat(&self.fd, name, wanted, AtFlags::EACCESS) {
            Ok(()) => Ok(Some(facts(&stat))),
            // Somebody else closed the vault between the two looks, and its log went away.
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::ACCESS) => Err(FileError::ReadOnly {
                reason: format!(
                    "its owner may not write to it; type: chmod 600 {}",
                    quoted(&path)
                ),
                path,
            }),
            Err(errno) => Err(FileError::from_os(&path, errno)),
        }
    }

    /// The open folder, for another room that makes something in it.
    #[must_use]
    pub fn into_descriptor(self) -> OwnedFd {
        self.fd
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Makes the names in the folder durable.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        sync(self.fd.as_fd()).map_err(|e| FileError::from_os(&self.path, e))
    }

    fn reach(path: &Path, make: bool) -> Result<Self, FileError> {
        let (path, fd) = Walk::to(path, make)?;
        let stat = rustix::fs::fstat(&fd).map_err(|e| FileError::from_os(&path, e))?;
        check_owner(&path, &stat)?;
        if mode(&stat) & 0o077 != 0 {
            return Err(FileError::not_safe(
                &path,
                format!(
                    "its mode is {:04o}, so others may reach what is in it; type: chmod 700 {}",
                    mode(&stat),
                    quoted(&path)
                ),
            ));
        }
        let read_only = |reason: String| FileError::ReadOnly {
            path: path.clone(),
            reason,
        };
        if mode(&stat) & 0o700 != 0o700 {
            return Err(read_only(format!(
                "its owner may not use it fully; type: chmod 700 {}",
                quoted(&path)
            )));
        }
        let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::accessat(&fd, ".", wanted, AtFlags::EACCESS)
            .map_err(|e| FileError::from_os(&path, e))?;
        // The walk's descriptor may not be read or locked; this one may.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&fd, ".", flags, Mode::empty())
            .map_err(|e| FileError::from_os(&path, e))?;
        mounts::refuse_network(&path, fd.as_fd())?;
        Ok(Self { path, fd })
    }
}

/// The checks of a private file that need no name: kind, owner, mode, number of names.
pub(crate) fn check_private_file(path: &Path, stat: &Stat) -> Result<(), FileError> {
    let reason = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Symlink => Some("it is a symbolic link; put the real file there"),
        FileType::Directory => Some("it is a folder, where a file belongs; move it away"),
        _ => Some("it is not a regular file; move it away"),
    };
    if let Some(reason) = reason {
        return Err(FileError::not_safe(path, reason));
    }
    check_owner(path, stat)?;
    if mode(stat) & 0o077 != 0 {
        return Err(FileError::not_safe(
            path,
            format!(
                "its mode is {:04o}, so others may reach it; type: chmod 600 {}",
                mode(stat),
                quoted(path)
            ),
        ));
    }
    if stat.st_nlink > 1 {
        return Err(FileError::not_safe(
            path,
            format!(
                "it has {} names (hard links), so it can be changed from elsewhere; to find them \
                 type: find / -xdev -samefile {}",
                stat.st_nlink,
                quoted(path)
            ),
        ));
    }
    Ok(())
}

#[allow(
    clippy::unnecessary_cast,
    reason = "the fields' types differ between systems"
)]
pub(crate) fn facts(stat: &Stat) -> FileFacts {
    FileFacts {
        size: u64::try_from(stat.st_size).unwrap_or(0),
        identity: (stat.st_dev as u64, stat.st_ino as u64),
    }
}

/// A file whose content we go by: nobody but us and root writes it.
pub(crate) fn check_settled_file(path: &Path, stat: &Stat) -> Result<(), FileError> {
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        let reason = "it is not a regular file; move it away";
        return Err(FileError::not_safe(path, reason));
    }
    if stat.st_uid != 0 {
        check_owner(path, stat)?;
    }
    if mode(stat) & 0o022 != 0 {
        return Err(FileError::not_safe(
            path,
            format!(
                "its mode is {:04o}, so others may change it; type: chmod go-w {}",
                mode(stat),
                quoted(path)
            ),
        ));
    }
    Ok(())
}

fn check_owner(path: &Path, stat: &Stat) -> Result<(), FileError> {
    let us = rustix::process::geteuid().as_raw();
    if stat.st_uid == us {
        return Ok(());
    }
    Err(FileError::not_safe(
        path,
        format!(
            "it belongs to user {}, and you are user {us}; use a vault of your own, or run as its \
             owner",
            stat.st_uid
        ),
    ))
}

#[allow(
    clippy::unnecessary_cast,
    reason = "the field's type differs between systems"
)]
fn mode(stat: &Stat) -> u32 {
    stat.st_mode as u32 & 0o7777
}

/// Opens the folder that holds `path`, however it is reached, and names the file in it. For files
/// whose place the user chose: no demands on the folders on the way.
pub(crate) fn parent_of(path: &Path) -> Result<(OwnedFd, &OsStr), FileError> {
    let name = file_name(path)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = rustix::fs::open(folder, flags, Mode::empty())
        .map_err(|e| FileError::from_os(folder, e))?;
    Ok((fd, name))
}

/// Opens the folder that holds `path` by the same walk as a [`Folder`]: nobody else can re-arrange
/// what is on the way. The folder itself may be open to readers.
pub(crate) fn trusted_parent_of(path: &Path) -> Result<(OwnedFd, PathBuf), FileError> {
    let name = file_name(path)?;
    let absolute = absolute(path)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    let (real, fd) = Walk::to(folder, false)?;
    check_passage(&real, &fd)?;
    Ok((fd, real.join(name)))
}

fn file_name(path: &Path) -> Result<&OsStr, FileError> {
    path.file_name()
        .ok_or_else(|| FileError::not_safe(path, "it does not name a file"))
}

fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::path::absolute(path).map_err(|source| FileError::Failed {
        path: path.to_path_buf(),
        source,
    })
}

/// A walk from the root that follows no link unseen.
struct Walk {
    path: PathBuf,
    fd: OwnedFd,
}

/// A component still to be walked. `last` counts among the two that may not be links.
struct Step {
    name: OsString,
    last: bool,
}

impl Walk {
    fn to(path: &Path, make: bool) -> Result<(PathBuf, OwnedFd), FileError> {
        let absolute = absolute(path)?;
        let way: Vec<OsString> = names(&absolute).collect();
        let count = way.len();
        let mut steps: VecDeque<Step> = way
            .into_iter()
            .enumerate()
            .map(|(at, name)| Step {
                name,
                last: at + 2 >= count,
            })
            .collect();
        let mut walk = Self::root()?;
        let mut links = 0;
        while let Some(step) = steps.pop_front() {
            check_passage(&walk.path, &walk.fd)?;
            if let Some(target) = walk.step(&step, make)? {
                links += 1;
                if links > LINKS_MAX {
                    return Err(FileError::not_safe(
                        path,
                        "its symbolic links go in a circle",
                    ));
                }
                if target.is_absolute() {
                    walk = Self::root()?;
                }
                let inner: Vec<OsString> = names(&target).collect();
                for name in inner.into_iter().rev() {
                    steps.push_front(Step { name, last: false });
                }
            }
        }
        Ok((walk.path, walk.fd))
    }

    fn root() -> Result<Self, FileError> {
        let path = PathBuf::from("/");
        let fd = rustix::fs::open(&path, passing(), Mode::empty())
            .map_err(|e| FileError::from_os(&path, e))?;
        Ok(Self { path, fd })
    }

    /// Goes one component down; answers a link's target instead of following it.
    fn step(&mut self, step: &Step, make: bool) -> Result<Option<PathBuf>, FileError> {
        let here = if step.name == ".." {
            self.path.parent().unwrap_or(Path::new("/")).to_path_buf()
        } else {
            self.path.join(&step.name)
        };
        let failed = |errno| FileError::from_os(&here, errno);
        let stat = match rustix::fs::statat(&self.fd, &step.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) if make => {
                self.make(&step.name, &here)?;
                rustix::fs::statat(&self.fd, &step.name, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(failed)?
            }
            Err(errno) => return Err(failed(errno)),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {}
            FileType::Symlink => return self.link(step, &here, &stat).map(Some),
            _ => return Err(FileError::not_safe(&here, "it is not a folder")),
        }
        let flags = passing() | OFlags::NOFOLLOW;
        self.fd = rustix::fs::openat(&self.fd, &step.name, flags, Mode::empty()).map_err(failed)?;
        self.path = here;
        Ok(None)
    }

    fn link(&self, step: &Step, here: &Path, stat: &Stat) -> Result<PathBuf, FileError> {
        let target = rustix::fs::readlinkat(&self.fd, &step.name, Vec::new())
            .map_err(|e| FileError::from_os(here, e))?;
        let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
        if step.last {
            return Err(FileError::not_safe(
                here,
                "it is a symbolic link; name the real folder instead",
            ));
        }
        if !trusted(stat.st_uid) {
            return Err(FileError::not_safe(
                here,
                format!("it is a symbolic link that user {} made", stat.st_uid),
            ));
        }
        Ok(target)
    }

    fn make(&self, name: &OsStr, here: &Path) -> Result<(), FileError> {
        let failed = |errno| FileError::from_os(here, errno);
        match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) => {}
            // Another process of ours made it meanwhile; it is checked like any other.
            Err(Errno::EXIST) => return Ok(()),
            Err(Errno::ACCESS) => {
                return Err(FileError::ReadOnly {
                    path: here.to_path_buf(),
                    reason: format!("no folder may be made in {}", self.path.display()),
                });
            }
            Err(errno) => return Err(failed(errno)),
        }
        // A umask may have taken more than is wanted.
        rustix::fs::chmodat(&self.fd, name, Mode::RWXU, AtFlags::empty()).map_err(failed)?;
        // The name is to survive a crash together with what will be in the folder.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, ".", flags, Mode::empty()) {
            Ok(parent) => sync(parent.as_fd()).map_err(failed),
            // A folder that may be passed and not read cannot be synchronised.
            Err(Errno::ACCESS) => Ok(()),
            Err(errno) => Err(failed(errno)),
        }
    }
}

/// The names on the way, without `.`; `..` stays, because it means something else behind a link.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    })
}

/// Flags that open a folder in order to pass through it.
fn passing() -> OFlags {
    #[cfg(target_os = "linux")]
    let way = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let way = OFlags::RDONLY;
    way | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Nobody but root and us may re-arrange what is in this folder.
fn check_passage(path: &Path, fd: &OwnedFd) -> Result<(), FileError> {
    let stat = rustix::fs::fstat(fd).map_err(|e| FileError::from_os(path, e))?;
    if !trusted(stat.st_uid) {
        return Err(FileError::not_safe(
            path,
            format!(
                "it belongs to user {}, who could exchange what is in it; choose a folder of your \
                 own",
                stat.st_uid
            ),
        ));
    }
    let own_groups = [0, rustix::process::getegid().as_raw()];
    let everybody = mode(&stat) & 0o002 != 0;
    let group = mode(&stat) & 0o020 != 0 && !own_groups.contains(&stat.st_gid);
    let change = match (group, everybody) {
        (false, false) => return Ok(()),
        _ if mode(&stat) & STICKY != 0 => return Ok(()),
        (true, true) => "go-w",
        (true, false) => "g-w",
        (false, true) => "o-w",
    };
    Err(FileError::not_safe(
        path,
        format!(
            "its mode is {:04o}, so others may exchange what is in it; type: chmod {change} {}",
            mode(&stat),
            quoted(path)
        ),
    ))
}

fn trusted(uid: u32) -> bool {
    uid == 0
        || uid == rustix::process::geteuid().as_raw()
        // Inside a user namespace the owners outside of it, root among them, look like this.
        || (uid == UNMAPPED && in_user_namespace())
}

/// Whether this process sees only a part of the system's users. Format: `user_namespaces(7)`.
fn in_user_namespace() -> bool {
    std::fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| !map.split_whitespace().eq(["0", "0", "4294967295"]))
}

#[cfg(test)]
mod tests;
