//! Who is at the other end of a connection: what the system says, never what they say.

use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use subrosa_crypto::{Rng, random};
use subrosa_model::{Caller, CallerKind, SessionId};

/// Namespaces in which a caller must be where the daemon is: else a path, a process id or a user
/// means something else to it, and what it runs would be let out of where it is.
///
/// A process that is closed to debuggers, as our own program is, shows their names to root alone.
/// What [`Seen`] goes by is open to all; only root can make one of the others without any of those.
const NAMESPACES: [&str; 6] = ["mnt", "pid", "user", "net", "ipc", "uts"];
/// A look may fall between two changes of what is mounted.
const LOOKS: u32 = 3;

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
    /// `/proc` does not show where it is.
    #[error("/proc does not show where the caller is: use subrosa --no-daemon there")]
    Unseen,
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
        if let (Some(theirs), Some(ours)) = (of(&name), own(&name))
            && theirs != ours
        {
            return Err(Refused::Elsewhere { which });
        }
    }
    for look in 1..=LOOKS {
        let (theirs, ours) = (Seen::of(&pid.to_string()), Seen::own());
        let (Some(theirs), Some(ours)) = (theirs, ours) else {
            return Err(Refused::Unseen);
        };
        match theirs.differs(&ours) {
            None => break,
            Some(which) if look == LOOKS => return Err(Refused::Elsewhere { which }),
            Some(_) => {}
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

/// What tells namespaces of a process from others, also of one that is closed to debuggers.
#[derive(PartialEq, Eq)]
struct Seen {
    /// All that is mounted, with numbers that no other namespace has, and where: seen from the root
    /// of the process.
    mounts: Vec<u8>,
    /// Of users and groups: as the reader sees them, so another namespace's differ unless root made
    /// it with ours.
    maps: [Vec<u8>; 2],
    /// How many numbers it has: one for each namespace of processes, from the reader's down.
    numbers: usize,
    /// A file that each network namespace has of its own.
    network: u64,
}

impl Seen {
    /// `None` when `/proc` does not show it.
    fn of(process: &str) -> Option<Self> {
        Self::with_numbers(process, numbers(process)?)
    }

    /// As [`Seen::of`], of this process.
    fn own() -> Option<Self> {
        /// A process stays in its namespace of processes. The system adds up for each look what a
        /// process holds in memory, which takes this one tens of milliseconds after a large answer.
        static NUMBERS: OnceLock<Option<usize>> = OnceLock::new();
        Self::with_numbers("self", (*NUMBERS.get_or_init(|| numbers("self")))?)
    }

    fn with_numbers(process: &str, numbers: usize) -> Option<Self> {
        let read = |name: &str| std::fs::read(format!("/proc/{process}/{name}")).ok();
        let network = rustix::fs::stat(format!("/proc/{process}/net/unix")).ok()?;
        let mounts = read("mountinfo").filter(|mounts| !mounts.is_empty())?;
        Some(Self {
            mounts,
            maps: [read("uid_map")?, read("gid_map")?],
            numbers,
            network: network.st_ino,
        })
    }

    fn differs(&self, other: &Self) -> Option<&'static str> {
        [
            ("mnt", self.mounts == other.mounts),
            ("user", self.maps == other.maps),
            ("pid", self.numbers == other.numbers),
            ("net", self.network == other.network),
        ]
        .into_iter()
        .find_map(|(which, same)| (!same).then_some(which))
    }
}

/// How many numbers a process has, as `/proc/PID/status` tells it.
fn numbers(process: &str) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    numbers.map(|numbers| numbers.split_whitespace().count())
}
