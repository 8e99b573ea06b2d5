//! Why two peers did not understand each other.

use std::path::PathBuf;

use rustix::io::Errno;

/// What may go wrong between a client and the daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Nobody listens there.
    #[error("no daemon listens at {}", path.display())]
    Nobody {
        /// The socket.
        path: PathBuf,
    },
    /// The socket belongs to somebody else.
    #[error("the socket {} belongs to user {uid}", path.display())]
    Foreign {
        /// The socket.
        path: PathBuf,
        /// Its owner.
        uid: u32,
    },
    /// The daemon's process has no number here.
    #[error("the daemon is in another pid namespace")]
    Elsewhere,
    /// The other side speaks another protocol.
    #[error("the daemon speaks protocol {theirs} (subrosa {program}), and this program {ours}")]
    Version {
        /// Our protocol.
        ours: u32,
        /// Theirs.
        theirs: u32,
        /// Their program's version.
        program: String,
    },
    /// The other side went away.
    #[error("the other side closed the connection")]
    Closed,
    /// Nothing came in time.
    #[error("the other side did not answer in time")]
    Late,
    /// What came is not of this protocol.
    #[error("what came is not of this protocol: {what}")]
    Garbled {
        /// What was wrong with it.
        what: &'static str,
    },
    /// A part of a frame is larger than may be.
    #[error("{what} of {size} bytes is over the bound of {limit}")]
    TooLarge {
        /// The part.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The bound.
        limit: usize,
    },
    /// No locked memory was left for a value.
    #[error(transparent)]
    Memory(#[from] subrosa_crypto::MemoryError),
    /// The system said no.
    #[error("{what}: {errno}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why not.
        errno: Errno,
    },
}

impl WireError {
    pub(crate) fn system(what: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| match errno {
            Errno::PIPE | Errno::CONNRESET => Self::Closed,
            Errno::AGAIN => Self::Late,
            errno => Self::System { what, errno },
        }
    }
}
