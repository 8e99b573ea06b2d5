//! One stream of a command's output on its way through the redactor.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::{Errno, read};
use subrosa_redact::{Counts, Redactor};

use crate::console::Outlet;
use crate::sys::wipe;

/// Bytes of one read: a pipe holds no more, unless somebody made it larger.
const CHUNK: usize = 64 * 1024;

/// Most bytes that are kept until a command is over.
const HELD_MAX: usize = 64 * 1024 * 1024;

/// From a source through a redactor to an outlet. Nothing more is read before what was read is
/// written, so that a reader who stalls stalls the command and not our memory.
pub(crate) struct Stream {
    source: Option<OwnedFd>,
    outlet: Outlet,
    redactor: Redactor,
    /// On a terminal what is held back must not wait for ever.
    terminal: bool,
    /// Bytes as they came, until the next ones.
    chunk: Vec<u8>,
    /// Bytes to be written, without the values.
    pending: Vec<u8>,
    written: usize,
    bytes: u64,
    last: Duration,
    broken: bool,
    lost: Option<i32>,
    /// Whether the rest is thrown away.
    cut: bool,
    /// Whether nothing is written before the end.
    held: bool,
}

impl Stream {
    pub(crate) fn new(source: OwnedFd, outlet: Outlet, redactor: Redactor, now: Duration) -> Self {
        Self {
            source: Some(source),
            terminal: outlet.is_terminal(),
            outlet,
            // Counts are enough.
            redactor: redactor.listing(0),
            chunk: vec![0; CHUNK],
            pending: Vec::new(),
            written: 0,
            bytes: 0,
            last: now,
            broken: false,
            lost: None,
            cut: false,
            held: false,
        }
    }

    /// The same, with nothing written before all of it has come. What is written is then as bounded
    /// as what is read.
    pub(crate) fn held(mut self, held: bool) -> Self {
        self.held = held;
        self
    }

    /// Whether it waits for the end with what it has.
    fn waits(&self) -> bool {
        self.held && self.source.is_some()
    }

    /// Bytes that were passed on, values masked. What came in is not told: with the number of
    /// masks it would give the length of a value.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What was masked.
    pub(crate) fn counts(&self) -> Counts {
        self.redactor.counts()
    }

    /// How many pieces of compressed data were passed on without being looked into.
    pub(crate) fn unopened(&self) -> u64 {
        self.redactor.unopened()
    }

    /// Whether nothing will come and nothing is to be written.
    pub(crate) fn is_finished(&self) -> bool {
        self.source.is_none() && self.pending.is_empty()
    }

    /// Whether all that was read is written.
    pub(crate) fn is_written(&self) -> bool {
        self.pending.is_empty() || self.waits()
    }

    /// Whether some of it was thrown away since there was too much.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Waits no longer for whoever does not read.
    pub(crate) fn give_up(&mut self) {
        self.broken = true;
        self.source = None;
        self.pending.clear();
        self.written = 0;
    }

    /// What to wait for before [`Stream::take`].
    pub(crate) fn reads_from(&self) -> Option<BorrowedFd<'_>> {
        let ready = self.pending.is_empty() || self.held;
        self.source.as_ref().filter(|_| ready).map(AsFd::as_fd)
    }

    /// What to wait for before [`Stream::put`], when there is something to write.
    pub(crate) fn writes_to(&self) -> Option<BorrowedFd<'_>> {
        (!self.pending.is_empty() && !self.waits()).then(|| self.outlet.waits_on())?
    }

    /// When [`Stream::idle`] has something to do.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        if self.cut || self.held {
            return None;
        }
        let deadline = self.redactor.deadline()?;
        (deadline <= self.patience()).then(|| self.last.saturating_add(deadline))
    }

    /// Reads once, and takes at most `room` bytes of it; returns how many came. What goes over is
    /// thrown away, with what the redactor holds back: cut off at a place of the command's own
    /// choosing, it could be the beginning of a value.
    pub(crate) fn take(&mut self, room: Option<u64>, now: Duration) -> u64 {
        let Some(source) = &self.source else {
            return 0;
        };
        match read(source, &mut self.chunk[..]) {
            Ok(0) => self.end(),
            Ok(count) => {
                let room = room.map_or(count, |room| usize::try_from(room).unwrap_or(usize::MAX));
                let kept = count.min(room);
                self.last = now;
                if !self.cut && !self.broken {
                    self.redactor.push(&self.chunk[..kept], &mut self.pending);
                }
                // Masks may be longer than what they stand for.
                self.cut |= kept < count || (self.held && self.pending.len() > HELD_MAX);
                if self.cut && self.held {
                    // Where it ends depends on what was held back there: whoever chooses the place
                    // learns whether that was the beginning of a value. So there is nothing of it.
                    self.pending.clear();
                }
                self.put();
                return count as u64;
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            // A pseudo-terminal that nobody has open any more says EIO.
            Err(_) => self.end(),
        }
        0
    }

    /// Ends the stream: nothing more will come, or nothing more is waited for.
    pub(crate) fn end(&mut self) {
        if self.source.take().is_some() && !self.cut && !self.broken {
            self.redactor.finish(&mut self.pending);
            self.put();
        }
    }

    /// Ends a stream that waits for its end with what it has.
    pub(crate) fn release(&mut self) {
        if self.waits() {
            self.end();
        }
    }

    /// How long it may seem that nothing comes. A person who watches a terminal sees a mask where
    /// something longer is held back; in a pipe it is held, since what is read there by a program
    /// has to be what was written, and only a few bytes are let go: an answer may wait for them.
    fn patience(&self) -> Duration {
        match self.terminal {
            true => Duration::MAX,
            false => Duration::from_millis(100),
        }
    }

    /// Lets go of what was held back too long.
    pub(crate) fn idle(&mut self, now: Duration) {
        if !self.cut && !self.broken && !self.held {
            let since = now.saturating_sub(self.last).min(self.patience());
            self.redactor.idle(since, &mut self.pending);
            self.put();
        }
    }

    /// Writes what there is room for. Without a reader the source is closed, so that the command
    /// learns of it as it would without us: by SIGPIPE or EPIPE.
    pub(crate) fn put(&mut self) {
        if self.waits() {
            return;
        }
        while self.written < self.pending.len() {
            match self.outlet.put(&self.pending[self.written..]) {
                Ok(count) => {
                    self.written += count;
                    self.bytes += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if error.kind() != io::ErrorKind::BrokenPipe {
                        self.lost = error.raw_os_error();
                    }
                    self.broken = true;
                    self.source = None;
                    break;
                }
            }
            // Room for part of it: the rest waits for the next time that there is room.
            if self.outlet.waits_on().is_some() && self.written < self.pending.len() {
                return;
            }
        }
        self.pending.clear();
        self.written = 0;
    }

    /// Why output could not be written, where that is not a reader who went away: an error number
    /// of the system.
    pub(crate) fn lost(&self) -> Option<i32> {
        self.lost
    }

    /// Whether nobody reads what comes out.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        wipe(&mut self.chunk);
    }
}
