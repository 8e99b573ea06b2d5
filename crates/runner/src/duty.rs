//! What passes between a run and the process that forked its guardian, about the guardian: packets
//! like those of [`crate::wire`].

use std::os::fd::AsFd;

use rustix::io::{Errno, Result};
use rustix::process::Pid;

use crate::RunError;
use crate::wire::{Incoming, PACKET, pack, put, take, unpack};

/// What is asked of whoever forked the guardian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    /// See [`crate::charge::Charge::end`]; answered by [`Told::Ended`].
    End(Option<Pid>),
    /// See [`crate::charge::Charge::release`]; answered by the end of the connection.
    Release { settled: bool, main: Option<Pid> },
}

/// What it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The guardian stands, as this process.
    Standing(Pid),
    /// There is none.
    Failed {
        /// Whether that is for want of `/proc`.
        no_proc: bool,
        errno: i32,
    },
    /// So many processes were ended.
    Ended(u32),
}

fn number(pid: Option<Pid>) -> i32 {
    pid.map_or(0, Pid::as_raw_pid)
}

impl Duty {
    pub(crate) fn send(self, socket: impl AsFd) -> Result<()> {
        put(
            socket,
            match self {
                Self::End(main) => pack(0, number(main), 0),
                Self::Release { settled, main } => pack(1, number(main), i32::from(settled)),
            },
        )
    }

    pub(crate) fn next(socket: impl AsFd) -> Result<Incoming<Self>> {
        take(socket, |packet: [u8; PACKET]| match unpack(packet) {
            (0, main, _) => Some(Self::End(Pid::from_raw(main))),
            (1, main, settled) => Some(Self::Release {
                settled: settled == 1,
                main: Pid::from_raw(main),
            }),
            _ => None,
        })
    }
}

impl Told {
    pub(crate) fn failed(error: &RunError) -> Self {
        let errno = match error {
            RunError::System { source, .. } => source.raw_os_error(),
            _ => None,
        };
        Self::Failed {
            no_proc: matches!(error, RunError::NoProc),
            errno: errno.unwrap_or(Errno::IO.raw_os_error()),
        }
    }

    pub(crate) fn send(self, socket: impl AsFd) -> Result<()> {
        put(
            socket,
            match self {
                Self::Standing(pid) => pack(0, pid.as_raw_pid(), 0),
                Self::Failed { no_proc, errno } => pack(1, i32::from(no_proc), errno),
                Self::Ended(count) => pack(2, count.cast_signed(), 0),
            },
        )
    }

    pub(crate) fn next(socket: impl AsFd) -> Result<Incoming<Self>> {
        take(socket, |packet: [u8; PACKET]| match unpack(packet) {
            (0, pid, _) => Pid::from_raw(pid).map(Self::Standing),
            (1, no_proc, errno) => Some(Self::Failed {
                no_proc: no_proc == 1,
                errno,
            }),
            (2, count, _) => Some(Self::Ended(count.cast_unsigned())),
            _ => None,
        })
    }
}
