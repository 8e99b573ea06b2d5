//! A run that serves another process: its signals come over a socket.
//!
//! Whoever waits for the command is a client, whose shell stops and continues the client and not
//! us. It tells which signals came to it, and is told when the command stopped. Packets of four
//! bytes, a signal's number in the machine's byte order; the end of the connection ends the run.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use rustix::process::Pid;

use crate::tree::has_terminal;

/// The socket to whoever the run is for.
#[derive(Debug)]
pub(crate) struct Steering {
    socket: OwnedFd,
    /// Who made it, as the system says.
    client: Option<Pid>,
}

/// What came over it.
pub(crate) enum Steered {
    /// This signal came to the client.
    Signal(i32),
    /// Nothing more at the moment.
    Nothing,
    /// The client went away.
    Gone,
}

impl Steering {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        let client = socket_peercred(&socket).ok().map(|peer| peer.pid);
        Self { socket, client }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// The next packet, without waiting.
    pub(crate) fn next(&self) -> Steered {
        let mut packet = [0; 4];
        loop {
            return match recv(&self.socket, &mut packet, RecvFlags::DONTWAIT) {
                Ok((4, _)) => Steered::Signal(i32::from_ne_bytes(packet)),
                Ok((0, _)) => Steered::Gone,
                Ok(_) | Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Steered::Nothing,
                Err(_) => Steered::Gone,
            };
        }
    }

    /// Whether what is typed on `terminal` is the client's: it was not stopped by a signal of which
    /// it could not tell, and its group has the terminal. A shell reads there else.
    pub(crate) fn may_type(&self, terminal: BorrowedFd<'_>) -> bool {
        self.client
            .is_none_or(|client| has_terminal(client, terminal))
    }

    /// Tells that this signal stopped the command. A client that does not read is as good as one
    /// that went on.
    pub(crate) fn stopped(&self, signal: i32) -> bool {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        send(&self.socket, &signal.to_ne_bytes(), flags).is_ok()
    }
}
