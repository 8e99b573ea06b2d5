//! What passes between a run and its guardian: packets of twelve bytes.

use std::os::fd::AsFd;

use rustix::io::{Errno, Result};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::Limit;

/// Bytes of a packet.
pub(crate) const PACKET: usize = 12;

/// What a run asks of its guardian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// The block of arguments and variables is filled in: execute. The numbers say where in it the
    /// two arrays begin.
    Start {
        /// Offset of the array of arguments.
        arguments: u32,
        /// Offset of the array of variables.
        variables: u32,
    },
    /// Pass a signal on to the command's process group.
    Signal(i32),
    /// End every process: SIGTERM, and SIGKILL after a grace.
    End(Option<Limit>),
}

/// What a guardian tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The command runs, as this process.
    Started(i32),
    /// It was not executed: which step failed, and the system's error number.
    Failed {
        /// The step.
        step: Step,
        /// The error number.
        errno: i32,
    },
    /// A signal stopped it.
    Stopped(i32),
    /// It exited with this status.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It went over a bound.
    Limited(Limit),
    /// Nothing of it is left; so many processes that outlived it were killed.
    Done(u32),
}

/// Steps between the start of a child and its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Making a process.
    Process,
    /// Session, process group and terminal.
    Group,
    /// Limits and privileges.
    Limits,
    /// Standard input, output and error.
    Streams,
    /// The working directory.
    Directory,
    /// The file is not the one that was checked.
    Replaced,
    /// Executing the program.
    Execute,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Process,
        Self::Group,
        Self::Limits,
        Self::Streams,
        Self::Directory,
        Self::Replaced,
        Self::Execute,
    ];

    /// What failed, in words.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Process => "making a process",
            Self::Group => "making a session for it",
            Self::Limits => "setting its limits",
            Self::Streams => "handing it its input and output",
            Self::Directory => "entering the working directory",
            Self::Replaced => "comparing the file with the one that was checked",
            Self::Execute => "executing it",
        }
    }
}

const LIMITS: [Limit; 3] = [Limit::Timeout, Limit::Output, Limit::Processes];

fn limit_number(limit: Limit) -> i32 {
    match limit {
        Limit::Timeout => 0,
        Limit::Output => 1,
        Limit::Processes => 2,
    }
}

fn limit(number: i32) -> Option<Limit> {
    LIMITS.get(usize::try_from(number).ok()?).copied()
}

pub(crate) fn pack(tag: u32, a: i32, b: i32) -> [u8; PACKET] {
    let mut packet = [0; PACKET];
    packet[..4].copy_from_slice(&tag.to_ne_bytes());
    packet[4..8].copy_from_slice(&a.to_ne_bytes());
    packet[8..].copy_from_slice(&b.to_ne_bytes());
    packet
}

pub(crate) fn unpack(packet: [u8; PACKET]) -> (u32, i32, i32) {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = packet;
    (
        u32::from_ne_bytes([a, b, c, d]),
        i32::from_ne_bytes([e, f, g, h]),
        i32::from_ne_bytes([i, j, k, l]),
    )
}

impl Request {
    fn encode(self) -> [u8; PACKET] {
        match self {
            Self::Start {
                arguments,
                variables,
            } => pack(0, arguments.cast_signed(), variables.cast_signed()),
            Self::Signal(signal) => pack(1, signal, 0),
            Self::End(None) => pack(2, -1, 0),
            Self::End(Some(limit)) => pack(2, limit_number(limit), 0),
        }
    }

    fn decode(packet: [u8; PACKET]) -> Option<Self> {
        match unpack(packet) {
            (0, a, b) => Some(Self::Start {
                arguments: a.cast_unsigned(),
                variables: b.cast_unsigned(),
            }),
            (1, signal, _) => Some(Self::Signal(signal)),
            (2, number, _) => Some(Self::End(limit(number))),
            _ => None,
        }
    }
}

impl Notice {
    fn encode(self) -> [u8; PACKET] {
        match self {
            Self::Started(pid) => pack(0, pid, 0),
            Self::Failed { step, errno } => {
                let number = Step::ALL.iter().position(|known| *known == step);
                pack(1, number.unwrap_or(0) as i32, errno)
            }
            Self::Stopped(signal) => pack(2, signal, 0),
            Self::Exited(status) => pack(3, status, 0),
            Self::Signalled(signal) => pack(4, signal, 0),
            Self::Limited(limit) => pack(5, limit_number(limit), 0),
            Self::Done(killed) => pack(6, killed.cast_signed(), 0),
        }
    }

    fn decode(packet: [u8; PACKET]) -> Option<Self> {
        match unpack(packet) {
            (0, pid, _) => Some(Self::Started(pid)),
            (1, number, errno) => {
                let step = *Step::ALL.get(usize::try_from(number).ok()?)?;
                Some(Self::Failed { step, errno })
            }
            (2, signal, _) => Some(Self::Stopped(signal)),
            (3, status, _) => Some(Self::Exited(status)),
            (4, signal, _) => Some(Self::Signalled(signal)),
            (5, number, _) => limit(number).map(Self::Limited),
            (6, killed, _) => Some(Self::Done(killed.cast_unsigned())),
            _ => None,
        }
    }
}

/// What came in.
pub(crate) enum Incoming<T> {
    Message(T),
    /// Nothing at the moment.
    Nothing,
    /// The other side is gone.
    Closed,
}

/// Sends a packet. Makes no allocation.
pub(crate) fn put(socket: impl AsFd, packet: [u8; PACKET]) -> Result<()> {
    loop {
        match send(&socket, &packet, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Takes a packet without waiting. Makes no allocation.
pub(crate) fn take<T>(
    socket: impl AsFd,
    decode: impl Fn([u8; PACKET]) -> Option<T>,
) -> Result<Incoming<T>> {
    let mut packet = [0; PACKET];
    loop {
        return match recv(&socket, &mut packet, RecvFlags::DONTWAIT) {
            // The other side went without reading all; what it had sent is still there.
            Err(Errno::CONNRESET) => continue,
            Ok((0, _)) => Ok(Incoming::Closed),
            Ok((PACKET, _)) => match decode(packet) {
                Some(message) => Ok(Incoming::Message(message)),
                None => continue,
            },
            Ok(_) | Err(Errno::INTR) => continue,
            Err(Errno::AGAIN) => Ok(Incoming::Nothing),
            Err(errno) => Err(errno),
        };
    }
}

pub(crate) fn request(socket: impl AsFd, request: Request) -> Result<()> {
    put(socket, request.encode())
}

pub(crate) fn notify(socket: impl AsFd, notice: Notice) -> Result<()> {
    put(socket, notice.encode())
}

pub(crate) fn next_request(socket: impl AsFd) -> Result<Incoming<Request>> {
    take(socket, Request::decode)
}

pub(crate) fn next_notice(socket: impl AsFd) -> Result<Incoming<Notice>> {
    take(socket, Notice::decode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_back_as_they_went() {
        let requests = [
            Request::Start {
                arguments: 16,
                variables: u32::MAX,
            },
            Request::Signal(15),
            Request::End(None),
            Request::End(Some(Limit::Processes)),
        ];
        for request in requests {
            assert_eq!(Request::decode(request.encode()), Some(request));
        }
        let mut notices = vec![
            Notice::Started(7),
            Notice::Stopped(20),
            Notice::Exited(255),
            Notice::Signalled(9),
            Notice::Done(3),
        ];
        notices.extend(LIMITS.map(Notice::Limited));
        notices.extend(Step::ALL.map(|step| Notice::Failed { step, errno: 2 }));
        for notice in notices {
            assert_eq!(Notice::decode(notice.encode()), Some(notice));
        }
        assert_eq!(Request::decode(pack(99, 0, 0)), None);
        assert_eq!(Notice::decode(pack(1, -1, 0)), None);
    }
}
