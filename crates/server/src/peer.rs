//! Who is at the other end of a connection: what the system says, never what they say.

use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use subrosa_crypto::{Rng, random};
use subrosa_model::{Caller, CallerKind, SessionId};

/// Namespaces in which a caller must be where the daemon is: else a path, a process id or a user
/// means something else to it, and what it runs would be let out of where it is.
const NAMESPACES: [&str; 6] = ["mnt", "pid", "user", "net", "ipc", "uts"];

/// Why a caller is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It is another user.
    #[error("user {uid} is not the user of this daemon")]
    User {
        /// Who it is.
        uid: u32,
    },
    /// It cannot be seen from here.
    #[error("the caller is in another {which} namespace: use subrosa --no-daemon there")]
    Elsewhere {
        /// Which.
        which: &'static str,
    },
    /// The system does not tell.
    #[error("the system does not tell who calls: {0}")]
    Unknown(Errno),
}

/// The caller behind a connection.
pub(crate) fn caller(socket: impl AsFd, rng: &dyn Rng) -> Result<Caller, Refused> {
    let peer = match socket_peercred(socket) {
        // Not an error of the system's: it says 0 for a process that has no number here.
        Err(errno) if errno.raw_os_error() == 0 => {
            return Err(Refused::Elsewhere { which: "pid" });
        }
        told => told.map_err(Refused::Unknown)?,
    };
    let (uid, pid) = (peer.uid.as_raw(), peer.pid.as_raw_pid());
    if uid != rustix::process::geteuid().as_raw() {
        return Err(Refused::User { uid });
    }
    let of = |name: &str| std::fs::read_link(PathBuf::from(format!("/proc/{pid}/{name}"))).ok();
    let own = |name: &str| std::fs::read_link(PathBuf::from(format!("/proc/self/{name}"))).ok();
    for which in NAMESPACES {
        let name = format!("ns/{which}");
        // A process that is closed to debuggers, as our own program is, does not show them.
        if let (Some(theirs), Some(ours)) = (of(&name), own(&name))
            && theirs != ours
        {
            return Err(Refused::Elsewhere { which });
        }
    }
    Ok(Caller {
        kind: CallerKind::Local,
        uid,
        pid: pid.cast_unsigned(),
        executable: of("exe").map(|path| path.display().to_string()),
        token: None,
        session: SessionId::from_bytes(random(rng)),
    })
}
