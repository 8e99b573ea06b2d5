//! Why a command was not run.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

/// Why a command was refused or could not be run. No text here holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No such command.
    #[error("{}: there is no such command; check the name and PATH", name.display())]
    NotFound {
        /// The name as it was typed.
        name: OsString,
    },
    /// It is there, and it is no program.
    #[error("{}: {why}", path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: &'static str,
    },
    /// Someone else could change what would be executed.
    #[error("{}: refused, because {why}", path.display())]
    Unsafe {
        /// The file or folder that is unsafe.
        path: PathBuf,
        /// Why, and what to do.
        why: &'static str,
    },
    /// The file is not the one that was checked.
    #[error("{}: the file was replaced after it was checked; nothing was started, run it again", path.display())]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// A variable that may not be set or passed on.
    #[error("the variable {name} may not be handed to a command: {why}")]
    Variable {
        /// Its name.
        name: String,
        /// Why, and what to do.
        why: &'static str,
    },
    /// A text with a NUL byte cannot be an argument or a variable.
    #[error(
        "{what} holds a NUL byte, which {carrier} cannot carry; use --inject file or stdin for binary values"
    )]
    Nul {
        /// What holds it.
        what: String,
        /// What cannot carry it.
        carrier: &'static str,
    },
    /// Arguments and variables together are more than the system takes.
    #[error(
        "{what} is longer than the {limit} bytes that the system takes; use --inject file or stdin for large values"
    )]
    TooLong {
        /// What is too long.
        what: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// Standard input takes exactly one value.
    #[error(
        "standard input takes exactly one value and {count} were given; put several into one document"
    )]
    OneValue {
        /// How many were given.
        count: usize,
    },
    /// The working directory cannot be used.
    #[error("the working directory {} cannot be used: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No folder in memory was found for files with values.
    #[error(
        "there is no folder in memory for files with values ({why}); set XDG_RUNTIME_DIR or use --inject env or stdin"
    )]
    NoPrivateFolder {
        /// What was tried.
        why: String,
    },
    /// The system did not execute the file.
    #[error("{}: the system did not execute it: {source}", path.display())]
    Execute {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Preparing the child failed before it was executed.
    #[error("the command could not be started: {what}: {source}")]
    System {
        /// What failed.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Processes of the command cannot be seen, hence not be ended.
    #[error(
        "/proc does not show this process, so processes of the command could not be ended: mount /proc of this PID namespace"
    )]
    NoProc,
    /// The supervising process went away.
    #[error(
        "the process that supervises the command was killed, and the command with it; look for processes that it may have left"
    )]
    SupervisorLost,
    /// The process that starts commands went away, and the one that replaces it.
    #[error(
        "the process that starts commands was killed or does not answer; end the daemon, which makes a new one: subrosa daemon stop; subrosa unlock"
    )]
    SpawnerLost,
    /// The sink was asked for a process before it was given values.
    #[error("nothing was started: no values were released to the command")]
    NotStarted,
}

impl RunError {
    /// The exit status that tells a shell about it, as `env` does: 127 when there is no such
    /// command, 126 when it cannot be executed, 125 for whatever is our own refusal or failure.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::NotFound { .. } => 127,
            Self::NotExecutable { .. } | Self::Execute { .. } => 126,
            _ => 125,
        }
    }

    pub(crate) fn system(what: &'static str) -> impl Fn(rustix::io::Errno) -> Self {
        move |errno| Self::System {
            what,
            source: errno.into(),
        }
    }
}
