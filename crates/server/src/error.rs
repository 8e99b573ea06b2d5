//! Why the daemon does not serve.

use std::path::PathBuf;

use rustix::io::Errno;
use subrosa_engine::{FileError, RunError};

/// What may go wrong while it starts.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// Another one serves this vault already.
    #[error("a daemon serves this vault already")]
    Running,
    /// Its folder is not fit.
    #[error(transparent)]
    File(#[from] FileError),
    /// The process that starts commands cannot be made.
    #[error(transparent)]
    Spawner(#[from] RunError),
    /// The system said no.
    #[error("{what}: {}: {errno}", path.display())]
    System {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        errno: Errno,
    },
}
