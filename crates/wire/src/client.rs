//! The client's side of a connection.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, open, statat};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect as dial, socket_with,
};

use crate::frame::{receive, send};
use crate::hello::greet;
use crate::message::{Call, Reply, decode, encode};
use crate::{FROM_DAEMON, WireError};

/// How long a request may take to be taken.
const SENDING: Option<Duration> = Some(Duration::from_secs(30));

/// A connection to a daemon of our own user.
#[derive(Debug)]
pub struct Client {
    socket: OwnedFd,
}

/// Connects to the daemon that listens at `path`, and exchanges the first words.
///
/// # Errors
/// [`WireError::Nobody`], [`WireError::Foreign`], [`WireError::Version`].
pub fn connect(path: &Path, program: &str) -> Result<Client, WireError> {
    let nobody = || WireError::Nobody {
        path: path.to_owned(),
    };
    let own = rustix::process::geteuid().as_raw();
    let foreign = |uid| WireError::Foreign {
        path: path.to_owned(),
        uid,
    };
    let there = match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Err(nobody()),
        found => found.map_err(WireError::system("looking for the socket"))?,
    };
    if there.st_uid != own {
        return Err(foreign(there.st_uid));
    }
    if FileType::from_raw_mode(there.st_mode) != FileType::Socket {
        return Err(nobody());
    }
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(WireError::system("making a socket"))?;
    // By its open folder: the path itself may be longer than a socket's name may be.
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(nobody());
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = open(folder, flags, Mode::empty())
        .map_err(WireError::system("opening the socket's folder"))?;
    let near = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
    let address =
        SocketAddrUnix::new(near.join(name)).map_err(WireError::system("naming the socket"))?;
    match dial(&socket, &address) {
        Err(Errno::CONNREFUSED | Errno::NOENT) => return Err(nobody()),
        dialled => dialled.map_err(WireError::system("connecting"))?,
    }
    // Whoever listens, not only whoever made the name: a passphrase is going to be said there.
    let peer = match socket_peercred(&socket) {
        // Not an error of the system's: it says 0 for a process that has no number here.
        Err(errno) if errno.raw_os_error() == 0 => return Err(WireError::Elsewhere),
        told => told.map_err(WireError::system("asking who listens"))?,
    };
    if peer.uid.as_raw() != own {
        return Err(foreign(peer.uid.as_raw()));
    }
    greet(&socket, program)?;
    Ok(Client { socket })
}

impl Client {
    /// Asks and waits for the answer, for as long as it takes.
    ///
    /// # Errors
    /// [`WireError`] when the connection fails; what the daemon refuses is in the reply.
    pub fn call(
        &mut self,
        call: &Call,
        secret: Option<&[u8]>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Reply, WireError> {
        self.ask(call, secret, descriptors)?;
        self.answer()
    }

    /// Asks, without waiting for the answer.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn ask(
        &mut self,
        call: &Call,
        secret: Option<&[u8]>,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), WireError> {
        send(&self.socket, &encode(call)?, secret, descriptors, SENDING)
    }

    /// Waits for the answer to what was asked.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn answer(&mut self) -> Result<Reply, WireError> {
        let frame = receive(&self.socket, &FROM_DAEMON, None)?.ok_or(WireError::Closed)?;
        decode(&frame.body)
    }

    /// Waits until the other side has ended.
    pub fn closed(&mut self) {
        while let Ok(Some(_)) = receive(&self.socket, &FROM_DAEMON, None) {}
    }

    /// Readable when the answer comes.
    #[must_use]
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
