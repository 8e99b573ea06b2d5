//! The client of a run in another process: passes its signals on, and stops when the command does.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, send, socketpair};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGCONT, SIGTSTP};

use crate::RunError;
use crate::signals::{Signals, may_stop, stop};
use crate::steering::{Steered, Steering};

/// Our end of the connection beside a run that another process carries out, see
/// [`Console::steered_by`](crate::Console::steered_by).
///
/// Signals are caught and the terminal is remembered from here on until it is dropped.
pub struct Attendance {
    steering: Steering,
    signals: Signals,
    terminal: Option<Terminal>,
}

impl Attendance {
    /// Both ends: ours, and the one to hand over.
    ///
    /// # Errors
    /// [`RunError::System`].
    pub fn begin() -> Result<(Self, OwnedFd), RunError> {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
            .map_err(RunError::system("making a socket for the run"))?;
        // Before signals are caught: in the background this stops us, as it stops whoever else
        // wants to set the terminal.
        let terminal = Terminal::remember();
        let signals = Signals::catch().map_err(|source| RunError::System {
            what: "catching signals",
            source,
        })?;
        let attendance = Self {
            steering: Steering::new(ours),
            signals,
            terminal,
        };
        Ok((attendance, theirs))
    }

    /// Attends the run until `answer` is readable.
    ///
    /// # Errors
    /// [`RunError::System`] when the system does not let us wait.
    pub fn until(&self, answer: impl AsFd) -> Result<(), RunError> {
        loop {
            let mut events = [
                PollFd::new(&answer, PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.descriptor(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.steering.descriptor(), PollFlags::IN),
            ];
            match poll(&mut events, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(RunError::system("waiting")(errno)),
            }
            let ready = |event: &PollFd<'_>| !event.revents().is_empty();
            if ready(&events[0]) {
                return Ok(());
            }
            for signal in self.signals.take() {
                match signal {
                    SIGCONT => self.continued(),
                    SIGTSTP if !may_stop() => {}
                    signal => self.pass(signal),
                }
            }
            match self.steering.next() {
                Steered::Signal(_) => self.stop_too(),
                Steered::Nothing => {}
                // The run is over; the answer is on its way, or the end of its connection.
                Steered::Gone => return wait_for(answer.as_fd()),
            }
        }
    }

    /// The command was stopped: so are we, for the shell that waits for us.
    fn stop_too(&self) {
        if may_stop() {
            self.terminal.iter().for_each(Terminal::restore);
            stop();
        }
        self.continued();
    }

    /// The command is to go on, and the terminal is ours again; in the background this stops us.
    fn continued(&self) {
        self.terminal.iter().for_each(Terminal::restore);
        self.pass(SIGCONT);
    }

    fn pass(&self, signal: i32) {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        // A run that does not listen is over, or has so many signals that one more says nothing.
        let _ = send(self.steering.descriptor(), &signal.to_ne_bytes(), flags);
    }
}

impl std::fmt::Debug for Attendance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attendance").finish_non_exhaustive()
    }
}

fn wait_for(answer: BorrowedFd<'_>) -> Result<(), RunError> {
    loop {
        match poll(&mut [PollFd::from_borrowed_fd(answer, PollFlags::IN)], None) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(RunError::system("waiting")(errno)),
        }
    }
}

/// Our terminal as it is to be when we have it, whoever sets it meanwhile, and should they die.
struct Terminal {
    descriptor: OwnedFd,
    settings: Termios,
}

impl Terminal {
    /// Standard input, when a command would read the terminal there: output is on one too.
    fn remember() -> Option<Self> {
        let input = rustix::stdio::stdin();
        if !isatty(input) || !isatty(rustix::stdio::stdout()) {
            return None;
        }
        let terminal = Self {
            descriptor: fcntl_dupfd_cloexec(input, 3).ok()?,
            settings: tcgetattr(input).ok()?,
        };
        terminal.restore();
        Some(terminal)
    }

    fn restore(&self) {
        let _ = tcsetattr(&self.descriptor, OptionalActions::Now, &self.settings);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.restore();
    }
}
