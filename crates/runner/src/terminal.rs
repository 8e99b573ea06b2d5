//! Pseudo-terminals, and our own terminal in raw mode.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, fstat, openat};
use rustix::io::{FdFlags, Result, fcntl_dupfd_cloexec, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{
    LocalModes, OptionalActions, OutputModes, Termios, tcgetattr, tcgetwinsize, tcsetattr,
    tcsetwinsize, ttyname,
};

/// A pseudo-terminal: our end and the command's.
pub(crate) struct Pty {
    pub(crate) ours: OwnedFd,
    pub(crate) theirs: OwnedFd,
}

impl Pty {
    /// A pseudo-terminal with the settings and the size of `like`.
    ///
    /// With `raw` unset our own terminal goes on translating line ends, so this one must not.
    pub(crate) fn open(like: BorrowedFd<'_>, raw: bool) -> Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        fcntl_setfd(&ours, FdFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = openat(CWD, name, flags, Mode::empty())?;
        let mut settings = tcgetattr(like)?;
        if !raw {
            settings.output_modes &= !OutputModes::OPOST;
        }
        tcsetattr(&theirs, OptionalActions::Now, &settings)?;
        let pty = Self { ours, theirs };
        let _ = copy_size(like, pty.ours.as_fd());
        Ok(pty)
    }
}

/// Gives a pseudo-terminal the size of `from`; its foreground group gets SIGWINCH.
pub(crate) fn copy_size(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<()> {
    tcsetwinsize(to, tcgetwinsize(from)?)
}

/// Opens a terminal once more, for reading only: a command with pipes must not find a way to write
/// around the redactor in its standard input.
pub(crate) fn read_only(terminal: BorrowedFd<'_>) -> Option<OwnedFd> {
    let name = ttyname(terminal, Vec::new()).ok()?;
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    let again = openat(CWD, name, flags, Mode::empty()).ok()?;
    let same = fstat(&again).ok()?.st_rdev == fstat(terminal).ok()?.st_rdev;
    same.then_some(again)
}

/// Our terminal in raw mode; as it was when dropped, by a panic too.
pub(crate) struct RawMode {
    terminal: OwnedFd,
    before: Termios,
}

impl RawMode {
    pub(crate) fn enter(terminal: BorrowedFd<'_>) -> Result<Self> {
        let mode = Self {
            terminal: fcntl_dupfd_cloexec(terminal, 3)?,
            before: tcgetattr(terminal)?,
        };
        mode.resume()?;
        Ok(mode)
    }

    /// As it was before, while this process is stopped.
    pub(crate) fn suspend(&self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }

    /// Raw again.
    pub(crate) fn resume(&self) -> Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        tcsetattr(&self.terminal, OptionalActions::Now, &raw)
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.suspend();
    }
}

/// What is typed does not show until this is dropped.
#[derive(Debug)]
pub struct Hidden {
    terminal: OwnedFd,
    before: Termios,
}

impl Hidden {
    /// Hides it, if this is a terminal.
    #[must_use]
    pub fn on(terminal: BorrowedFd<'_>) -> Option<Self> {
        let before = tcgetattr(terminal).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes &= !(LocalModes::ECHO | LocalModes::ECHONL);
        let terminal = fcntl_dupfd_cloexec(terminal, 3).ok()?;
        tcsetattr(&terminal, OptionalActions::Flush, &hidden).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}
