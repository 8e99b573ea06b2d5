//! Sockets, frames made by hand, and what came.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use subrosa_wire::{Bounds, Frame, WireError, receive, send};

/// Long enough for whatever does come.
pub(crate) const PATIENCE: Option<Duration> = Some(Duration::from_secs(60));

pub(crate) const BOUNDS: Bounds = Bounds {
    body: 256 * 1024,
    secret: 128 * 1024,
    descriptors: 4,
};

/// What a frame holds, as ordinary bytes that tests compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) body: Vec<u8>,
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) descriptors: usize,
}

impl Content {
    pub(crate) fn new(body: &[u8], secret: Option<&[u8]>, descriptors: usize) -> Self {
        Self {
            body: body.to_vec(),
            secret: secret.map(<[u8]>::to_vec),
            descriptors,
        }
    }

    pub(crate) fn of(frame: &Frame) -> Self {
        Self {
            body: frame.body.clone(),
            secret: frame
                .secret
                .as_ref()
                .map(|secret| secret.as_slice().to_vec()),
            descriptors: frame.descriptors.len(),
        }
    }

    /// The bytes on the wire, written from the page and not by the code.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let secret = self.secret.clone().unwrap_or_default();
        let mut bytes = header(
            self.body.len(),
            secret.len(),
            u8::try_from(self.descriptors).unwrap(),
            u8::from(self.secret.is_some()),
        );
        bytes.extend(&self.body);
        bytes.extend(&secret);
        bytes
    }

    pub(crate) fn send(&self, socket: &UnixStream) -> Result<(), WireError> {
        let files = files(self.descriptors);
        let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
        send(socket, &self.body, self.secret.as_deref(), &files, PATIENCE)
    }
}

pub(crate) fn header(body: usize, secret: usize, descriptors: u8, has_secret: u8) -> Vec<u8> {
    let mut bytes = u32::try_from(body).unwrap().to_le_bytes().to_vec();
    bytes.extend(u32::try_from(secret).unwrap().to_le_bytes());
    bytes.extend([descriptors, has_secret, 0, 0]);
    bytes
}

pub(crate) fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

pub(crate) fn files(count: usize) -> Vec<OwnedFd> {
    (0..count)
        .map(|_| File::open("/dev/null").unwrap().into())
        .collect()
}

/// Sends bytes with that many descriptors beside them.
pub(crate) fn send_with(socket: &UnixStream, bytes: &[u8], descriptors: usize) {
    let files = files(descriptors);
    let files: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    let mut space = vec![std::mem::MaybeUninit::uninit(); 1024];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if descriptors > 0 {
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&files)));
    }
    let sent = sendmsg(
        socket,
        &[std::io::IoSlice::new(bytes)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    );
    assert_eq!(sent.unwrap(), bytes.len());
}

/// What a reader makes of these pieces, each sent by itself, and the end of the connection.
pub(crate) fn delivered(
    pieces: &[&[u8]],
    descriptors: usize,
    bounds: &Bounds,
) -> Result<Option<Frame>, WireError> {
    let (ours, theirs) = pair();
    thread::scope(|scope| {
        scope.spawn(move || {
            for (number, piece) in pieces.iter().filter(|piece| !piece.is_empty()).enumerate() {
                let beside = if number == 0 { descriptors } else { 0 };
                if beside > 0 {
                    send_with(&ours, piece, beside);
                } else if (&ours).write_all(piece).is_err() {
                    // The reader has refused it by now.
                    return;
                }
            }
        });
        receive(&theirs, bounds, PATIENCE)
    })
}

/// How many descriptors this process has open.
pub(crate) fn open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}
