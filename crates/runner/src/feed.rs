//! A value on its way into a command's standard input.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, ioctl_fionbio, write};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

use crate::RunError;
use crate::sys::wipe;

/// Our end of a pipe that the command reads a value from, once; closed behind the last byte.
pub(crate) struct Feed {
    pipe: Option<OwnedFd>,
    /// What the pipe had no room for.
    rest: Vec<u8>,
    written: usize,
}

impl Feed {
    /// The command's end, and ours.
    pub(crate) fn new() -> Result<(OwnedFd, Self), RunError> {
        let system = RunError::system("preparing its input");
        let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC).map_err(&system)?;
        ioctl_fionbio(&ours, true).map_err(&system)?;
        let feed = Self {
            pipe: Some(ours),
            rest: Vec::new(),
            written: 0,
        };
        Ok((theirs, feed))
    }

    /// Puts the value into the pipe. What does not fit (beyond a megabyte, mostly) is kept until
    /// the command has read, and wiped then.
    pub(crate) fn fill(&mut self, value: &[u8]) -> Result<(), RunError> {
        let Some(pipe) = &self.pipe else {
            return Err(RunError::NotStarted);
        };
        // A wish: without it the value is fed in pieces.
        let _ = fcntl_setpipe_size(pipe, value.len());
        let written = put(pipe.as_fd(), value).map_err(RunError::system("writing its input"))?;
        let left = &value[written..];
        if left.is_empty() {
            self.pipe = None;
        } else {
            // One allocation of the right size: growing would leave copies behind.
            self.rest = left.to_vec();
        }
        Ok(())
    }

    /// What to wait for before [`Feed::go_on`]; `None` when all is written.
    pub(crate) fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Writes what there is room for; closes the pipe at the end, or when nobody reads.
    pub(crate) fn go_on(&mut self) {
        let Some(pipe) = &self.pipe else {
            return;
        };
        match put(pipe.as_fd(), &self.rest[self.written..]) {
            Ok(written) => self.written += written,
            Err(_) => self.written = self.rest.len(),
        }
        if self.written == self.rest.len() {
            self.pipe = None;
            wipe(&mut self.rest);
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        wipe(&mut self.rest);
    }
}

/// Writes what there is room for.
fn put(pipe: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    let mut written = 0;
    while written < bytes.len() {
        match write(pipe, &bytes[written..]) {
            Ok(count) => written += count,
            Err(Errno::AGAIN) => break,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(written)
}
