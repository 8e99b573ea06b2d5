//! Why a file or folder could not be used.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use subrosa_model::StoreError;

/// Why a file or folder could not be used. Texts name paths, never contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing is there.
    #[error("{path} does not exist")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Something is there already, and it was not to be replaced.
    #[error("{path} exists already; it was left as it is")]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// Permissions, ownership or the kind of file are not what they must be.
    #[error("{path}: {reason}")]
    Unsafe {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The content is longer than what is read.
    #[error("{path} is longer than {limit} bytes")]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: usize,
    },
    /// The content is not what a program of ours wrote.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: &'static str,
    },
    /// No space left, or the user's share of it is used up.
    #[error("{path}: the disk is full; nothing was changed. Free some space and try again")]
    Full {
        /// The file that was being written.
        path: PathBuf,
    },
    /// It may be read but not written.
    #[error("{path} cannot be written: {reason}")]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
        /// Why, and how to mend it.
        reason: String,
    },
    /// Somebody else is at it.
    #[error("{path} is held by another process; try again when it is done")]
    Busy {
        /// The file or folder.
        path: PathBuf,
    },
    /// The operating system failed otherwise.
    #[error("{path}: {source}")]
    Failed {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
}

impl FileError {
    /// What an error of the operating system means for `path`.
    pub(crate) fn from_os(path: &Path, errno: Errno) -> Self {
        let path = path.to_path_buf();
        match errno {
            Errno::NOENT => Self::Missing { path },
            Errno::EXIST => Self::Exists { path },
            Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Self::Full { path },
            Errno::ROFS => Self::ReadOnly {
                path,
                reason: "it is on a read-only file system".into(),
            },
            Errno::LOOP => Self::Unsafe {
                path,
                reason: "it is a symbolic link; put the real file or folder there".into(),
            },
            Errno::ACCESS | Errno::PERM => Self::Unsafe {
                path,
                reason: "the system denies access to it".into(),
            },
            Errno::NOTDIR => Self::Unsafe {
                path,
                reason: "it is not a folder".into(),
            },
            Errno::WOULDBLOCK => Self::Busy { path },
            other => Self::Failed {
                path,
                source: other.into(),
            },
        }
    }

    pub(crate) fn not_safe(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unsafe {
            path: path.to_path_buf(),
            reason: reason.into(),
        }
    }
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        let show = |path: &Path| path.display().to_string();
        match error {
            FileError::Missing { path } => Self::Missing { path: show(&path) },
            FileError::Exists { path } => Self::Exists { path: show(&path) },
            FileError::Unsafe { path, reason } => Self::Unsafe {
                path: show(&path),
                reason,
            },
            FileError::Full { .. } => Self::Full,
            FileError::ReadOnly { path, reason } => Self::ReadOnly {
                reason: format!("{}: {reason}", path.display()),
            },
            FileError::Busy { .. } => Self::Busy,
            FileError::Damaged { .. } => Self::Damaged {
                reason: error.to_string(),
            },
            FileError::TooLong { .. } | FileError::Failed { .. } => Self::Failed {
                reason: error.to_string(),
                source: Some(Box::new(error)),
            },
        }
    }
}

/// A path as a shell takes it, for the command that a message tells the user to type.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
