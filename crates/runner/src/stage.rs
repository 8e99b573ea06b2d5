//! A command with its streams laid, before and after it has its values.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::ioctl_fionbio;
use rustix::pipe::{PipeFlags, pipe_with};
use subrosa_egress::SinkError;
use subrosa_model::{Destination, Inject};
use subrosa_redact::KnownSet;

use crate::feed::Feed;
use crate::folder::PrivateFolder;
use crate::image::Values;
use crate::spawn::{Guard, Order, Spawner};
use crate::terminal::{Pty, read_only};
use crate::{Command, Console, Limits, RunError};

/// Where the command's output arrives.
pub(crate) struct Sources {
    /// Standard output, or what the command writes to its terminal.
    pub(crate) output: OwnedFd,
    /// Standard error, when it does not go the same way.
    pub(crate) error: Option<OwnedFd>,
    /// Whether `output` is the pseudo-terminal.
    pub(crate) terminal: bool,
    /// Whether the command reads from the pseudo-terminal.
    pub(crate) input: bool,
}

/// A command that waits for its values.
pub(crate) struct Staged {
    guard: Box<dyn Guard>,
    console: Console,
    sources: Sources,
    limits: Limits,
    destination: Destination,
    pub(crate) folder: Option<PrivateFolder>,
}

impl Staged {
    /// Lays the streams and has the process prepared. With `input` that is the command's standard
    /// input, whatever the console has.
    pub(crate) fn new(
        command: Command,
        console: Console,
        spawner: &dyn Spawner,
        inject: Inject,
        input: Option<OwnedFd>,
        folder: Option<PrivateFolder>,
    ) -> Result<Self, RunError> {
        let destination = command.destination(inject);
        let limits = command.limits;
        let (streams, terminal, sources) = if console.on_terminal() {
            lay_terminal(&console, input)?
        } else {
            lay_pipes(&console, input)?
        };
        ioctl_fionbio(&sources.output, true).map_err(RunError::system("preparing its output"))?;
        if let Some(error) = &sources.error {
            ioctl_fionbio(error, true).map_err(RunError::system("preparing its output"))?;
        }
        let guard = spawner.stage(Order {
            command,
            streams,
            terminal,
            folder: folder.as_ref().map(PrivateFolder::entry).transpose()?,
        })?;
        Ok(Self {
            guard,
            console,
            sources,
            limits,
            destination,
            folder,
        })
    }

    pub(crate) fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Starts the command with `values`; `known` is what its output is masked by.
    pub(crate) fn start(
        mut self,
        values: Values<'_>,
        known: &KnownSet,
    ) -> Result<Running, RunError> {
        self.guard.start(values)?;
        Ok(Running {
            guard: self.guard,
            console: self.console,
            sources: self.sources,
            limits: self.limits,
            known: known.clone(),
            feed: None,
            _folder: self.folder,
        })
    }
}

/// A running command, whose output waits to be pumped. Dropping it ends the command.
pub struct Running {
    pub(crate) guard: Box<dyn Guard>,
    pub(crate) console: Console,
    pub(crate) sources: Sources,
    pub(crate) limits: Limits,
    pub(crate) known: KnownSet,
    pub(crate) feed: Option<Feed>,
    // Last: it is removed when the command is gone.
    pub(crate) _folder: Option<PrivateFolder>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

/// Starts a command that gets no secret; its output is masked all the same.
///
/// # Errors
/// [`RunError`] when it cannot be started.
pub fn run_without_secrets(
    command: Command,
    console: Console,
    spawner: &dyn Spawner,
    known: &KnownSet,
) -> Result<Running, RunError> {
    let inject = Inject::Placeholder;
    Staged::new(command, console, spawner, inject, None, None)?.start(Values::default(), known)
}

/// The states of a sink: prepared, started, refused.
pub(crate) enum Stage {
    Waiting(Box<Staged>),
    Started(Box<Running>),
    Failed(Option<RunError>),
}

impl Stage {
    pub(crate) fn waiting(staged: Staged) -> Self {
        Self::Waiting(Box::new(staged))
    }

    /// Moves on by `start`; keeps what went wrong for whoever asks for the process.
    pub(crate) fn advance(
        &mut self,
        start: impl FnOnce(Staged) -> Result<Running, RunError>,
    ) -> Result<(), SinkError> {
        let outcome = match std::mem::replace(self, Self::Failed(None)) {
            Self::Waiting(staged) => start(*staged),
            Self::Started(_) | Self::Failed(_) => Err(RunError::NotStarted),
        };
        match outcome {
            Ok(running) => {
                *self = Self::Started(Box::new(running));
                Ok(())
            }
            Err(error) => {
                let told = SinkError::new(error.to_string());
                *self = Self::Failed(Some(error));
                Err(told)
            }
        }
    }

    pub(crate) fn finish(self) -> Result<Running, RunError> {
        match self {
            Self::Started(running) => Ok(*running),
            Self::Failed(Some(error)) => Err(error),
            Self::Waiting(_) | Self::Failed(None) => Err(RunError::NotStarted),
        }
    }
}

type Laid = ([OwnedFd; 3], Option<usize>, Sources);

fn pipe() -> Result<(OwnedFd, OwnedFd), RunError> {
    pipe_with(PipeFlags::CLOEXEC).map_err(RunError::system("making a pipe"))
}

fn nothing_to_read() -> Result<OwnedFd, RunError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    openat(CWD, c"/dev/null", flags, Mode::empty()).map_err(RunError::system("opening /dev/null"))
}

fn duplicate(descriptor: impl AsFd) -> Result<OwnedFd, RunError> {
    rustix::io::fcntl_dupfd_cloexec(descriptor, 3)
        .map_err(RunError::system("duplicating a descriptor"))
}

/// What the command reads when it has no terminal of its own for that.
fn plain_input(console: &Console, given: Option<OwnedFd>) -> Result<OwnedFd, RunError> {
    if let Some(given) = given {
        return Ok(given);
    }
    match (console.input_terminal().and_then(read_only), &console.input) {
        (Some(terminal), _) => Ok(terminal),
        (None, Some(input)) => duplicate(input),
        (None, None) => nothing_to_read(),
    }
}

fn lay_pipes(console: &Console, input: Option<OwnedFd>) -> Result<Laid, RunError> {
    let (output, their_output) = pipe()?;
    let (error, their_error) = pipe()?;
    let sources = Sources {
        output,
        error: Some(error),
        terminal: false,
        input: false,
    };
    let streams = [plain_input(console, input)?, their_output, their_error];
    Ok((streams, None, sources))
}

/// Output on a pseudo-terminal; input and error too, where ours are terminals.
fn lay_terminal(console: &Console, input: Option<OwnedFd>) -> Result<Laid, RunError> {
    let Some(own) = console.output.terminal() else {
        return lay_pipes(console, input);
    };
    let typed = input.is_none() && console.input_terminal().is_some();
    let pty = Pty::open(own, typed).map_err(RunError::system("opening a pseudo-terminal"))?;
    let their_input = match typed {
        true => duplicate(&pty.theirs)?,
        false => plain_input(console, input)?,
    };
    let (error, their_error) = if console.error.is_terminal() {
        (None, duplicate(&pty.theirs)?)
    } else {
        let (error, theirs) = pipe()?;
        (Some(error), theirs)
    };
    let sources = Sources {
        output: pty.ours,
        error,
        terminal: true,
        input: typed,
    };
    Ok(([their_input, pty.theirs, their_error], Some(1), sources))
}
