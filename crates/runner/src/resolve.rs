//! From a name to the one file that will be executed.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, stat};
use rustix::process::{getegid, geteuid};

use crate::RunError;

/// Where commands are looked for, as the operator set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPath {
    folders: Vec<PathBuf>,
}

impl Default for SearchPath {
    /// The folders of the system.
    fn default() -> Self {
        Self::parse(OsStr::new(
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ))
    }
}

impl SearchPath {
    /// Reads the form of `PATH`. Relative and empty entries, which mean the working directory, are
    /// left out: what lies there is whoever's who wrote there last.
    #[must_use]
    pub fn parse(path: &OsStr) -> Self {
        Self::new(std::env::split_paths(path))
    }

    /// The absolute ones of `folders`, in order.
    pub fn new(folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let folders = folders.into_iter().filter(|folder| folder.is_absolute());
        Self {
            folders: folders.collect(),
        }
    }

    /// The form of `PATH`.
    #[must_use]
    pub fn to_os_string(&self) -> OsString {
        let folders: Vec<&OsStr> = self.folders.iter().map(|f| f.as_os_str()).collect();
        folders.join(OsStr::new(":"))
    }

    /// Finds `name` and opens the file, following symbolic links.
    ///
    /// A name with a slash is taken relative to `directory`. Folders of the path that others may
    /// write to are passed over and listed in [`Resolved::passed_over`].
    ///
    /// # Errors
    /// [`RunError::NotFound`], [`RunError::NotExecutable`], or [`RunError::Unsafe`] when others
    /// could change the file, or could have put it there.
    pub fn resolve(&self, name: &OsStr, directory: &Path) -> Result<Resolved, RunError> {
        let not_found = || RunError::NotFound {
            name: name.to_owned(),
        };
        if name.is_empty() || name.as_bytes().contains(&0) {
            return Err(not_found());
        }
        if name.as_bytes().contains(&b'/') {
            return open(name, &directory.join(name), Vec::new())?.ok_or_else(not_found);
        }
        let mut passed_over = Vec::new();
        let mut refusal = None;
        for folder in &self.folders {
            let candidate = folder.join(name);
            if stat(&candidate).is_err() {
                continue;
            }
            if let Some(why) = unsafe_folder(folder) {
                refusal.get_or_insert(RunError::Unsafe {
                    path: folder.clone(),
                    why,
                });
                passed_over.push((folder.clone(), why));
                continue;
            }
            match open(name, &candidate, passed_over.clone()) {
                Ok(Some(resolved)) => return Ok(resolved),
                Ok(None) => {}
                // A file that is no program does not hide a program further on.
                Err(error @ RunError::NotExecutable { .. }) => {
                    refusal.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refusal.unwrap_or_else(not_found))
    }
}

/// What tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// Last change of the content: seconds since 1970.
    pub modified: i64,
    /// Last change of the content: nanoseconds of that second.
    pub modified_nanoseconds: i64,
}

impl Identity {
    // Field types of `Stat` differ between architectures.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
    pub(crate) fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            modified: stat.st_mtime as i64,
            modified_nanoseconds: stat.st_mtime_nsec as i64,
        }
    }
}

/// A file that was checked, held open so that this very file is executed.
pub struct Resolved {
    requested: OsString,
    executable: PathBuf,
    file: OwnedFd,
    identity: Identity,
    by_path: bool,
    passed_over: Vec<(PathBuf, &'static str)>,
}

impl Resolved {
    /// The name as it was typed.
    #[must_use]
    pub fn requested(&self) -> &OsStr {
        &self.requested
    }

    /// The file, symbolic links followed.
    #[must_use]
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// Its state when it was checked.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Folders of the path that hold the name too, and why they were passed over.
    #[must_use]
    pub fn passed_over(&self) -> &[(PathBuf, &'static str)] {
        &self.passed_over
    }

    /// Opens the file that was checked for reading, to compare its digest with an expected one.
    ///
    /// # Errors
    /// What the system gave (a program may be executable and not readable), or `NotFound` when the
    /// path leads to another file by now.
    pub fn open(&self) -> io::Result<File> {
        read_again(&self.executable, self.identity)
    }

    /// Whether it is executed by its path and not by the open descriptor.
    ///
    /// Scripts are: the kernel hands the interpreter a path, and the path of a descriptor would
    /// cost the child a leaked descriptor and the script its name (`$0`). The identity is compared
    /// again right before; the folders were checked, so only root and the user could use what gap
    /// remains.
    pub(crate) fn by_path(&self) -> bool {
        self.by_path
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Resolved({})", self.executable.display())
    }
}

/// Opens by the path and compares: `/proc/self/fd` is closed to a process that is not dumpable.
fn read_again(path: &Path, identity: Identity) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(CWD, path, flags, Mode::empty())?;
    if Identity::of(&fstat(&file)?) != identity {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(file.into())
}

/// Opens and checks one candidate; `None` when there is no such file.
fn open(
    requested: &OsStr,
    candidate: &Path,
    passed_over: Vec<(PathBuf, &'static str)>,
) -> Result<Option<Resolved>, RunError> {
    let not_executable = |path: &Path, why| {
        Err(RunError::NotExecutable {
            path: path.to_owned(),
            why,
        })
    };
    let executable = match std::fs::canonicalize(candidate) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return not_executable(candidate, "it may not be reached; check its permissions");
        }
        Err(_) => return Ok(None),
    };
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(file) = openat(CWD, &executable, flags, Mode::empty()) else {
        return Ok(None);
    };
    let Ok(state) = fstat(&file) else {
        return Ok(None);
    };
    match FileType::from_raw_mode(state.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return not_executable(&executable, "it is a folder"),
        _ => return not_executable(&executable, "it is not an ordinary file"),
    }
    let accessible = rustix::fs::access(&executable, rustix::fs::Access::EXEC_OK).is_ok();
    if state.st_mode & 0o111 == 0 || !accessible {
        return not_executable(&executable, "it is not executable; chmod +x makes it so");
    }
    // The folders first: a file in a folder of someone else's is whatever they want.
    if let Some(folder) = executable.parent()
        && let Some(why) = unsafe_folder(folder)
    {
        return Err(RunError::Unsafe {
            path: folder.to_owned(),
            why,
        });
    }
    if let Some(why) = unsafe_file(&state) {
        return Err(RunError::Unsafe {
            path: executable,
            why,
        });
    }
    let identity = Identity::of(&state);
    let by_path = match kind(&executable, identity) {
        Content::Native => false,
        Content::Interpreted => true,
        Content::Unknown => {
            let why = "it is neither a program nor a script with a #! line; run it as `sh FILE`";
            return not_executable(&executable, why);
        }
    };
    Ok(Some(Resolved {
        requested: requested.to_owned(),
        executable,
        identity,
        file,
        by_path,
        passed_over,
    }))
}

enum Content {
    Native,
    Interpreted,
    Unknown,
}

fn kind(path: &Path, identity: Identity) -> Content {
    let mut magic = [0; 4];
    // Unreadable programs exist; unreadable scripts do not work anyway.
    let Ok(file) = read_again(path, identity) else {
        return Content::Native;
    };
    let read = rustix::io::pread(&file, &mut magic[..], 0).unwrap_or(0);
    match &magic[..read] {
        b"\x7fELF" => Content::Native,
        [b'#', b'!', ..] => Content::Interpreted,
        // What binfmt_misc knows (WebAssembly, Windows programs) goes through an interpreter too.
        b"\0asm" | [b'M', b'Z', ..] => Content::Interpreted,
        _ => Content::Unknown,
    }
}

/// Why a file is not to be trusted.
fn unsafe_file(state: &Stat) -> Option<&'static str> {
    if !is_trusted(state.st_uid) {
        return Some("it belongs to another user, who could change it; use a copy of your own");
    }
    if others_may_write(state) {
        return Some("others may write to it; chmod go-w closes it");
    }
    // The child runs with no new privileges, so such a program would start without those it was
    // written for, in a state that nobody tests.
    if state.st_mode & 0o6000 != 0 {
        return Some("it is setuid or setgid, and commands that get secrets gain no privileges");
    }
    None
}

/// Why a folder, or one above it, is not to be trusted. Symbolic links are followed first: every
/// folder on the way that is really taken counts.
fn unsafe_folder(folder: &Path) -> Option<&'static str> {
    let Ok(real) = std::fs::canonicalize(folder) else {
        return Some("it cannot be examined");
    };
    for folder in real.ancestors() {
        let Ok(state) = stat(folder) else {
            return Some("a folder above it cannot be examined");
        };
        if !is_trusted(state.st_uid) {
            return Some("a folder on the way to it belongs to another user");
        }
        // In a sticky folder others may add files and not replace ours: what lies there is safe
        // when it is ours, which is checked for the next folder down and for the file itself.
        if others_may_write(&state) && state.st_mode & 0o1000 == 0 {
            return Some("others may write to a folder on the way to it; chmod go-w closes it");
        }
    }
    None
}

fn is_trusted(owner: u32) -> bool {
    owner == 0 || owner == geteuid().as_raw()
}

/// Whether someone else than root and us may write. Where each user has a group of his own, with
/// the number of the user, that group is nobody else.
fn others_may_write(state: &Stat) -> bool {
    let group = state.st_gid;
    let own_group = group == getegid().as_raw() && group == geteuid().as_raw();
    let by_group = state.st_mode & 0o020 != 0 && group != 0 && !own_group;
    by_group || state.st_mode & 0o002 != 0
}
