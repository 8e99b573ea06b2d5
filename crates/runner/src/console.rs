//! Our side of a run: where input comes from and output goes to.

use std::fmt;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, ReadWriteFlags, fcntl_dupfd_cloexec, pwritev2, write};
use rustix::net::{SendFlags, send};
use rustix::termios::isatty;

use crate::RunError;
use crate::steering::Steering;

/// Where input comes from and output goes to.
#[derive(Debug)]
pub struct Console {
    pub(crate) input: Option<OwnedFd>,
    pub(crate) output: Outlet,
    pub(crate) error: Outlet,
    pub(crate) signals: bool,
    pub(crate) terminal: bool,
    pub(crate) leash: Option<OwnedFd>,
    pub(crate) steering: Option<Steering>,
    pub(crate) held: bool,
}

impl Console {
    /// The process's own standard input, output and error. Signals that ask this process to end or
    /// to stop go to the command; on a terminal the command gets a pseudo-terminal.
    ///
    /// # Errors
    /// [`RunError::System`] when the descriptors cannot be duplicated.
    pub fn system() -> Result<Self, RunError> {
        let own = |descriptor: BorrowedFd<'_>| match fcntl_dupfd_cloexec(descriptor, 3) {
            Ok(descriptor) => Ok(Some(descriptor)),
            // Started without it: the command gets nothing there.
            Err(Errno::BADF) => Ok(None),
            Err(errno) => Err(RunError::system("duplicating a descriptor")(errno)),
        };
        let outlet = |descriptor: Option<OwnedFd>| match descriptor {
            Some(descriptor) => Outlet::descriptor(descriptor),
            None => Outlet::discard(),
        };
        let mut console = Self::new(
            own(rustix::stdio::stdin())?,
            outlet(own(rustix::stdio::stdout())?),
            outlet(own(rustix::stdio::stderr())?),
        );
        console.signals = true;
        Ok(console)
    }

    /// Other descriptors or buffers; signals are left alone. Without input the command reads
    /// nothing.
    #[must_use]
    pub fn new(input: Option<OwnedFd>, output: Outlet, error: Outlet) -> Self {
        Self {
            input,
            output,
            error,
            signals: false,
            terminal: true,
            leash: None,
            steering: None,
            held: false,
        }
    }

    /// The same, with pipes to the command even on a terminal.
    #[must_use]
    pub fn without_terminal(mut self) -> Self {
        self.terminal = false;
        self
    }

    /// The same, and the command is ended when `leash` becomes readable or its other end is closed:
    /// when a client goes away, or cancels.
    #[must_use]
    pub fn ended_by(mut self, leash: OwnedFd) -> Self {
        self.leash = Some(leash);
        self
    }

    /// The same, for another process: its signals come over this socket, which preserves packets,
    /// as four bytes each with a signal's number, and it is told in the same form by which signal
    /// the command was stopped. The command is ended when the other end is closed.
    #[must_use]
    pub fn steered_by(mut self, socket: OwnedFd) -> Self {
        self.steering = Some(Steering::new(socket));
        self
    }

    /// The same, with all output written when the command is over: when a piece of it comes then
    /// tells nothing of what was masked or held back. A bound on the output bounds what is kept.
    #[must_use]
    pub fn until_the_end(mut self) -> Self {
        self.held = true;
        self
    }

    /// The same, with standard output to somewhere else.
    #[must_use]
    pub fn with_output(mut self, output: Outlet) -> Self {
        self.output = output;
        self
    }

    /// Whether a command would get a pseudo-terminal: output is on a terminal.
    #[must_use]
    pub fn on_terminal(&self) -> bool {
        self.terminal && self.output.is_terminal()
    }

    /// Input, if it is a terminal.
    pub(crate) fn input_terminal(&self) -> Option<BorrowedFd<'_>> {
        self.input
            .as_ref()
            .map(AsFd::as_fd)
            .filter(|descriptor| isatty(descriptor))
    }
}

/// Where one stream of output goes.
pub struct Outlet(Target);

enum Target {
    Pipe(OwnedFd),
    Socket(OwnedFd),
    /// A file or terminal.
    Other(OwnedFd),
    Writer(Box<dyn Write + Send>),
    Nothing,
}

/// The most that a pipe with any room at all takes without waiting.
const ROOM: usize = 4096;

impl Outlet {
    /// A pipe, socket, terminal or file. Its flags are left alone, since others share them.
    #[must_use]
    pub fn descriptor(descriptor: OwnedFd) -> Self {
        let kind = fstat(&descriptor).map(|state| FileType::from_raw_mode(state.st_mode));
        Self(match kind {
            Ok(FileType::Fifo) => Target::Pipe(descriptor),
            Ok(FileType::Socket) => Target::Socket(descriptor),
            _ => Target::Other(descriptor),
        })
    }

    /// A writer, such as a buffer. It is written to on the thread of the run: a writer that waits
    /// holds up the run, though not its limits.
    #[must_use]
    pub fn writer(writer: impl Write + Send + 'static) -> Self {
        Self(Target::Writer(Box::new(writer)))
    }

    /// Nowhere.
    #[must_use]
    pub fn discard() -> Self {
        Self(Target::Nothing)
    }

    pub(crate) fn is_terminal(&self) -> bool {
        match &self.0 {
            Target::Other(descriptor) => isatty(descriptor),
            _ => false,
        }
    }

    /// What to wait for before [`Outlet::put`]; `None` when that never waits.
    pub(crate) fn waits_on(&self) -> Option<BorrowedFd<'_>> {
        match &self.0 {
            Target::Pipe(descriptor) | Target::Socket(descriptor) => Some(descriptor.as_fd()),
            Target::Other(descriptor) => isatty(descriptor).then(|| descriptor.as_fd()),
            Target::Writer(_) | Target::Nothing => None,
        }
    }

    /// The terminal that it is.
    pub(crate) fn terminal(&self) -> Option<BorrowedFd<'_>> {
        match &self.0 {
            Target::Other(descriptor) => {
                Some(descriptor.as_fd()).filter(|descriptor| isatty(descriptor))
            }
            _ => None,
        }
    }

    /// Writes what there is room for, without waiting for a reader that has stalled.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = match &mut self.0 {
            Target::Pipe(descriptor) => put_into_pipe(descriptor.as_fd(), bytes),
            Target::Socket(descriptor) => {
                send(descriptor, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
            }
            Target::Other(descriptor) => write(descriptor, bytes),
            Target::Writer(writer) => {
                writer.write_all(bytes)?;
                writer.flush()?;
                Ok(bytes.len())
            }
            Target::Nothing => Ok(bytes.len()),
        };
        Ok(outcome?)
    }
}

fn put_into_pipe(pipe: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, Errno> {
    let whole = [io::IoSlice::new(bytes)];
    // The offset -1 means that of the stream.
    match pwritev2(pipe, &whole, u64::MAX, ReadWriteFlags::NOWAIT) {
        // Kernels that do not know it for pipes.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::SPIPE) => {
            write(pipe, &bytes[..bytes.len().min(ROOM)])
        }
        outcome => outcome,
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Target::Pipe(_) => "Outlet(pipe)",
            Target::Socket(_) => "Outlet(socket)",
            Target::Other(_) => "Outlet(file)",
            Target::Writer(_) => "Outlet(writer)",
            Target::Nothing => "Outlet(nothing)",
        })
    }
}
