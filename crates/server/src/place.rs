//! Where a daemon listens.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
};
use subrosa_engine::{Home, private_folder};

use crate::ServerError;

const SOCKET: &str = "daemon.sock";
const LOCK: &str = "daemon.lock";
/// Connections that the system holds until they are accepted.
const BACKLOG: i32 = 128;

/// The folder of a daemon's socket, one a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// Where the daemon of an installation listens.
    #[must_use]
    pub fn of(home: &Home) -> Self {
        Self {
            folder: home.runtime.clone(),
        }
    }

    /// The socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    /// Takes the place: one daemon at a time. What a killed one left is removed.
    pub(crate) fn take(&self) -> Result<Taken, ServerError> {
        let folder = private_folder(&self.folder)?;
        let failed = |what, name: &'static str| {
            let path = self.folder.join(name);
            move |errno| ServerError::System { what, path, errno }
        };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = openat(&folder, LOCK, flags, Mode::RUSR | Mode::WUSR)
            .map_err(failed("opening the lock", LOCK))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN) => return Err(ServerError::Running),
            locked => locked.map_err(failed("locking", LOCK))?,
        }
        let socket = self.listen(&folder)?;
        Ok(Taken {
            place: self.clone(),
            socket,
            identity: identity(&folder),
            folder,
            _lock: lock,
        })
    }

    fn listen(&self, folder: &OwnedFd) -> Result<OwnedFd, ServerError> {
        let failed = |what| {
            let path = self.socket();
            move |errno| ServerError::System { what, path, errno }
        };
        match unlinkat(folder, SOCKET, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed("removing an old socket")(errno)),
        }
        let making = || failed("making the socket");
        let flags = SocketFlags::CLOEXEC;
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(making())?;
        // By the open folder: the path itself may be longer than a socket's name may be.
        let address = SocketAddrUnix::new(by_folder(folder)).map_err(making())?;
        bind(&socket, &address).map_err(making())?;
        // The folder lets nobody else in; the socket does not either.
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::chmodat(folder, SOCKET, mode, AtFlags::empty()).map_err(making())?;
        listen(&socket, BACKLOG).map_err(making())?;
        Ok(socket)
    }
}

/// A name of the socket of a folder that is open.
fn by_folder(folder: impl AsFd) -> PathBuf {
    Path::new("/proc/self/fd")
        .join(folder.as_fd().as_raw_fd().to_string())
        .join(SOCKET)
}

/// Device and inode of what has the socket's name.
fn identity(folder: &OwnedFd) -> Option<(u64, u64)> {
    let there = rustix::fs::statat(folder, SOCKET, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some((there.st_dev, there.st_ino))
}

/// A place that is ours.
pub(crate) struct Taken {
    place: Place,
    pub(crate) socket: OwnedFd,
    /// Which file its name stood for when it was made.
    identity: Option<(u64, u64)>,
    folder: OwnedFd,
    _lock: OwnedFd,
}

impl Taken {
    /// Makes the socket anew when somebody removed or replaced it: nobody else may, while we hold
    /// the lock.
    pub(crate) fn stay_found(&mut self) -> Result<(), ServerError> {
        if identity(&self.folder) != self.identity || self.identity.is_none() {
            self.socket = self.place.listen(&self.folder)?;
            self.identity = identity(&self.folder);
        }
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        // Before the lock is given up: the next daemon makes its own.
        let _ = unlinkat(&self.folder, SOCKET, AtFlags::empty());
    }
}
