//! Files of a script: regular ones, by path, relative to the script's working directory.
#![allow(
    clippy::disallowed_methods,
    reason = "a script reads and writes files that it names"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, fstatfs};

/// What the kernel calls its file system of processes. Source: linux/magic.h.
const PROC: i64 = 0x9fa0;

/// Where a script's files are, and where they may not be.
#[derive(Debug, Clone)]
pub struct Files {
    directory: PathBuf,
    /// Folders that no script touches: those of the vault.
    closed: Vec<PathBuf>,
}

impl Files {
    /// Paths are relative to `directory`; what lies in `closed` is neither read nor changed.
    #[must_use]
    pub fn new(directory: PathBuf, closed: Vec<PathBuf>) -> Self {
        Self { directory, closed }
    }

    /// The path as it will be opened.
    ///
    /// # Errors
    /// In a folder that is closed to scripts.
    pub fn path(&self, path: &Path) -> io::Result<PathBuf> {
        let path = self.directory.join(path);
        // Links are followed as far as there is something.
        let real = match (fs::canonicalize(&path), path.parent(), path.file_name()) {
            (Ok(real), _, _) => real,
            (Err(_), Some(parent), Some(name)) => match fs::canonicalize(parent) {
                Ok(parent) => parent.join(name),
                Err(_) => path.clone(),
            },
            _ => path.clone(),
        };
        let closed = |folder: &PathBuf| {
            real.starts_with(folder)
                || fs::canonicalize(folder).is_ok_and(|folder| real.starts_with(folder))
        };
        match self.closed.iter().any(closed) {
            true => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "scripts do not touch the folders of the vault",
            )),
            false => Ok(path),
        }
    }

    /// Writes a file, or adds to it.
    ///
    /// # Errors
    /// What the system said.
    pub fn write(&self, path: &Path, content: &[u8], is_added: bool) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.create(true);
        match is_added {
            true => options.append(true),
            false => options.write(true).truncate(true),
        };
        without_waiting(&mut options)
            .open(self.path(path)?)?
            .write_all(content)
    }

    /// The text of a regular file of at most `limit` bytes, none of the kernel's about processes.
    ///
    /// # Errors
    /// What the system said; [`io::ErrorKind::InvalidData`] for what is no text,
    /// [`io::ErrorKind::FileTooLarge`].
    pub fn read(&self, path: &Path, limit: usize) -> io::Result<String> {
        let mut content = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        self.open(path)?.take(most).read_to_end(&mut content)?;
        if content.len() > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        String::from_utf8(content)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8"))
    }

    /// Opens such a file.
    pub(crate) fn open(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = without_waiting(options.read(true)).open(self.path(path)?)?;
        match file.metadata()?.is_file() && !is_proc(&file)? {
            true => Ok(file),
            false => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file, and only these are read",
            )),
        }
    }

    /// Creates an empty file where there is none.
    ///
    /// # Errors
    /// What the system said.
    pub fn create(&self, path: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        options.open(self.path(path)?).map(drop)
    }

    /// Removes a file, or an empty folder.
    ///
    /// # Errors
    /// What the system said.
    pub fn delete(&self, path: &Path) -> io::Result<()> {
        let path = self.path(path)?;
        match fs::symlink_metadata(&path)?.is_dir() {
            true => fs::remove_dir(path),
            false => fs::remove_file(path),
        }
    }

    /// Gives a file another path where nothing is.
    ///
    /// # Errors
    /// What the system said.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        let (here, there) = (rustix::fs::CWD, rustix::fs::CWD);
        match rustix::fs::renameat_with(here, &from, there, &to, flags) {
            Err(rustix::io::Errno::XDEV) => {
                self.copy(&from, &to)?;
                fs::remove_file(from)
            }
            done => Ok(done?),
        }
    }

    /// Copies a regular file to where nothing is.
    ///
    /// # Errors
    /// What the system said.
    pub fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut file = self.open(from)?;
        let permissions = file.metadata()?.permissions();
        let mut options = OpenOptions::new();
        let mut copy = options.write(true).create_new(true).open(self.path(to)?)?;
        io::copy(&mut file, &mut copy)?;
        copy.set_permissions(permissions)
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// What the system said; [`io::ErrorKind::InvalidData`] for a name that is no text.
    pub fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(path)?)? {
            let name = entry?.file_name().into_string();
            names.push(name.map_err(|_| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a name in it is no text in UTF-8",
                )
            })?);
        }
        names.sort();
        Ok(names)
    }
}

/// A pipe that nobody is at the other end of would be waited for, and a terminal would become ours.
fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    options.custom_flags(flags.bits().cast_signed())
}

#[allow(clippy::unnecessary_cast, clippy::useless_conversion)]
fn is_proc(file: &File) -> io::Result<bool> {
    Ok(fstatfs(file.as_fd())?.f_type as i64 == PROC)
}
