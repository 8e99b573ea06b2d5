//! Frames: a body, a secret that is kept apart from it, and descriptors.
//!
//! ```text
//! offset  bytes
//!      0      4  length of the body, little-endian
//!      4      4  length of the secret
//!      8      1  number of descriptors, which come with the first byte
//!      9      1  whether there is a secret: an empty one is one
//!     10      2  zeros
//!     12         body, then secret
//! ```

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, send as send_bytes, sendmsg,
};
use rustix::time::{ClockId, clock_gettime};
use subrosa_crypto::SecretBuf;

use crate::WireError;

const HEADER: usize = 12;
/// A body is read in pieces of this size: a length that is only claimed allocates no more.
const PIECE: usize = 64 * 1024;
/// The most descriptors that any frame has.
const DESCRIPTORS: usize = 4;

/// What a reader takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the body.
    pub body: usize,
    /// Bytes of the secret.
    pub secret: usize,
    /// Descriptors.
    pub descriptors: usize,
}

/// A frame as it was read.
#[derive(Debug)]
pub struct Frame {
    /// The message.
    pub body: Vec<u8>,
    /// A value, in locked memory from the first byte on.
    pub secret: Option<SecretBuf>,
    /// What came with it.
    pub descriptors: Vec<OwnedFd>,
}

/// Sends a frame. Waits for room as long as `patience` says.
///
/// # Errors
/// [`WireError::Closed`], [`WireError::Late`], [`WireError::TooLarge`].
pub fn send(
    socket: impl AsFd,
    body: &[u8],
    secret: Option<&[u8]>,
    descriptors: &[BorrowedFd<'_>],
    patience: Option<Duration>,
) -> Result<(), WireError> {
    let due = Due::after(patience);
    let length = |what, size: usize| {
        u32::try_from(size).map_err(|_| WireError::TooLarge {
            what,
            size,
            limit: u32::MAX as usize,
        })
    };
    let mut header = [0; HEADER];
    header[..4].copy_from_slice(&length("a message", body.len())?.to_le_bytes());
    let of_secret = secret.map_or(0, <[u8]>::len);
    header[4..8].copy_from_slice(&length("a value", of_secret)?.to_le_bytes());
    header[8] = u8::try_from(descriptors.len())
        .ok()
        .filter(|count| usize::from(*count) <= DESCRIPTORS)
        .ok_or(WireError::TooLarge {
            what: "the descriptors",
            size: descriptors.len(),
            limit: DESCRIPTORS,
        })?;
    header[9] = u8::from(secret.is_some());
    let sent = send_header(socket.as_fd(), &header, descriptors, &due)?;
    for part in [&header[sent..], body, secret.unwrap_or_default()] {
        send_all(socket.as_fd(), part, &due)?;
    }
    Ok(())
}

fn send_header(
    socket: BorrowedFd<'_>,
    header: &[u8],
    descriptors: &[BorrowedFd<'_>],
    due: &Due,
) -> Result<usize, WireError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    loop {
        due.wait(socket, PollFlags::OUT)?;
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match sendmsg(socket, &[IoSlice::new(header)], &mut ancillary, flags) {
            Err(Errno::INTR | Errno::AGAIN) => {}
            outcome => return outcome.map_err(WireError::system("sending")),
        }
    }
}

fn send_all(socket: BorrowedFd<'_>, mut bytes: &[u8], due: &Due) -> Result<(), WireError> {
    while !bytes.is_empty() {
        match send_bytes(socket, bytes, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => due.wait(socket, PollFlags::OUT)?,
            Err(errno) => return Err(WireError::system("sending")(errno)),
        }
    }
    Ok(())
}

/// Reads a frame; `None` when the other side closed the connection between two.
///
/// `patience` is for the whole of the frame, from now on.
///
/// # Errors
/// [`WireError`]. The connection is of no use afterwards.
pub fn receive(
    socket: impl AsFd,
    bounds: &Bounds,
    patience: Option<Duration>,
) -> Result<Option<Frame>, WireError> {
    let due = Due::after(patience);
    let socket = socket.as_fd();
    let Some((header, descriptors)) = receive_header(socket, &due)? else {
        return Ok(None);
    };
    let number = |at: usize| {
        let bytes = [header[at], header[at + 1], header[at + 2], header[at + 3]];
        u32::from_le_bytes(bytes) as usize
    };
    let (of_body, of_secret) = (number(0), number(4));
    let within = |what, size, limit| {
        if size > limit {
            Err(WireError::TooLarge { what, size, limit })
        } else {
            Ok(())
        }
    };
    within("a message", of_body, bounds.body)?;
    within("a value", of_secret, bounds.secret)?;
    within("the descriptors", header[8].into(), bounds.descriptors)?;
    if usize::from(header[8]) != descriptors.len() {
        return Err(WireError::Garbled {
            what: "descriptors are missing or too many",
        });
    }
    let has_secret = match (header[9], of_secret) {
        (0, 0) => false,
        (1, _) => true,
        _ => return Err(WireError::Garbled { what: "its header" }),
    };
    if has_secret && bounds.secret == 0 {
        return Err(WireError::Garbled {
            what: "a value where none may come",
        });
    }
    if header[10..] != [0; 2] {
        return Err(WireError::Garbled { what: "its header" });
    }
    let mut body = Vec::new();
    while body.len() < of_body {
        let start = body.len();
        body.resize(of_body.min(start + PIECE), 0);
        receive_all(socket, &mut body[start..], &due)?;
    }
    let secret = if has_secret {
        let mut secret = SecretBuf::zeroed(of_secret)?;
        receive_all(socket, secret.as_mut_slice(), &due)?;
        Some(secret)
    } else {
        None
    };
    Ok(Some(Frame {
        body,
        secret,
        descriptors,
    }))
}

type Header = ([u8; HEADER], Vec<OwnedFd>);

fn receive_header(socket: BorrowedFd<'_>, due: &Due) -> Result<Option<Header>, WireError> {
    let mut header = [0; HEADER];
    let mut descriptors = Vec::new();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut filled = 0;
    while filled < HEADER {
        due.wait(socket, PollFlags::IN)?;
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let rest = &mut header[filled..];
        let got = match recvmsg(socket, &mut [IoSliceMut::new(rest)], &mut ancillary, flags) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            outcome => outcome.map_err(WireError::system("receiving"))?,
        };
        // Taken in any case: whoever sends too many must not leave them open here.
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(passed) = message {
                descriptors.extend(passed);
            }
        }
        if got.flags.contains(ReturnFlags::CTRUNC) {
            return Err(WireError::Garbled {
                what: "too many descriptors",
            });
        }
        match got.bytes {
            0 if filled == 0 => return Ok(None),
            0 => return Err(WireError::Closed),
            count => filled += count,
        }
    }
    Ok(Some((header, descriptors)))
}

fn receive_all(socket: BorrowedFd<'_>, mut into: &mut [u8], due: &Due) -> Result<(), WireError> {
    while !into.is_empty() {
        match recv(socket, &mut *into, RecvFlags::DONTWAIT) {
            Ok((0, _)) => return Err(WireError::Closed),
            Ok((count, _)) => into = &mut into[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => due.wait(socket, PollFlags::IN)?,
            Err(errno) => return Err(WireError::system("receiving")(errno)),
        }
    }
    Ok(())
}

/// A point in time until which one waits, by a clock that does not go backwards.
struct Due(Option<Duration>);

impl Due {
    fn after(patience: Option<Duration>) -> Self {
        Self(patience.map(|patience| now().saturating_add(patience)))
    }

    fn wait(&self, socket: BorrowedFd<'_>, flags: PollFlags) -> Result<(), WireError> {
        loop {
            let left = self.0.map(|due| due.saturating_sub(now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(WireError::Late);
            }
            let left = left.map(|left| Timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: left.subsec_nanos().into(),
            });
            match poll(
                &mut [PollFd::from_borrowed_fd(socket, flags)],
                left.as_ref(),
            ) {
                Ok(0) => return Err(WireError::Late),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(WireError::system("waiting")(errno)),
            }
        }
    }
}

fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}
