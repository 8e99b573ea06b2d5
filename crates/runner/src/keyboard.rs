//! What is typed, on its way to a command's pseudo-terminal.

use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::PollFlags;
use rustix::io::{Errno, read, write};

/// From our terminal in raw mode to the command's, where Ctrl-C becomes a signal.
pub(crate) struct Keyboard {
    from: Option<OwnedFd>,
    to: OwnedFd,
    buffer: [u8; 1024],
    typed: Range<usize>,
}

impl Keyboard {
    pub(crate) fn new(from: OwnedFd, to: OwnedFd) -> Self {
        Self {
            from: Some(from),
            to,
            buffer: [0; 1024],
            typed: 0..0,
        }
    }

    /// What to wait for before [`Keyboard::go_on`], and which way.
    pub(crate) fn waits_on(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        if self.typed.is_empty() {
            let from = self.from.as_ref()?;
            Some((from.as_fd(), PollFlags::IN))
        } else {
            Some((self.to.as_fd(), PollFlags::OUT))
        }
    }

    /// The terminal, when it is to be read next.
    pub(crate) fn reads_from(&self) -> Option<BorrowedFd<'_>> {
        let from = self.from.as_ref().filter(|_| self.typed.is_empty());
        from.map(AsFd::as_fd)
    }

    /// Reads once or writes once.
    pub(crate) fn go_on(&mut self) {
        if self.typed.is_empty() {
            let Some(from) = &self.from else {
                return;
            };
            match read(from, &mut self.buffer[..]) {
                Ok(0) => self.from = None,
                Ok(count) => self.typed = 0..count,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => self.from = None,
            }
            return;
        }
        match write(&self.to, &self.buffer[self.typed.clone()]) {
            Ok(count) => self.typed.start += count,
            Err(Errno::AGAIN | Errno::INTR) => {}
            // The command closed its terminal: nobody will read this.
            Err(_) => self.typed = 0..0,
        }
    }
}
