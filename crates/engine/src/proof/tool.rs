//! Programs of the system that keep a secret or open it for us: run without a shell, bounded in time
//! and in length, secrets on standard input and output alone.
#![allow(
    clippy::disallowed_methods,
    reason = "programs of the system are started that keep the secret of a slot"
)]

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use subrosa_crypto::{ReadError, SecretBuf};
use subrosa_runner::environment::inherited;

use super::command::ASKING;
use super::encoded::{SECRET_TEXT_MAX, Source};
use crate::EngineError;

/// Where such programs are. Not where a variable says: whoever could set that would be asked for
/// the secret.
const FOLDERS: [&str; 4] = [
    "/usr/bin",
    "/bin",
    "/usr/local/bin",
    "/run/current-system/sw/bin",
];
/// How long one may take, in seconds: a person may have to be asked.
const SECONDS_MAX: i64 = 120;
/// Longest complaint that is looked at, in bytes.
const COMPLAINT_MAX: u64 = 4096;

/// What a program said.
pub(super) struct Said {
    /// Whether it succeeded.
    pub(super) success: bool,
    /// Its standard output.
    pub(super) output: SecretBuf,
    /// Its standard error.
    pub(super) complaint: String,
}

impl Said {
    /// The first line of what it complained of, or that it said nothing.
    pub(super) fn why(&self) -> String {
        let line = self.complaint.lines().find(|line| !line.trim().is_empty());
        match line {
            Some(line) => line.trim().chars().filter(|c| !c.is_control()).collect(),
            None => "it does not say why".to_owned(),
        }
    }
}

/// Runs a program of the system with `input` as its standard input.
///
/// Of `variables` it has what children inherit, what asking the user needs, and those that `more`
/// names.
///
/// # Errors
/// [`EngineError::Secret`] for `source` when it is not there, cannot be started or does not end in
/// two minutes. What it refuses is in what it said.
pub(super) fn run(
    (program, words): (&str, &[&OsStr]),
    variables: &[(OsString, OsString)],
    more: &[&str],
    input: &[u8],
    source: Source<'_>,
) -> Result<Said, EngineError> {
    let path = find(program)
        .ok_or_else(|| source.wrong(format!("cannot be asked: there is no program {program}")))?;
    let wanted =
        |name: &OsStr| inherited(name) || ASKING.iter().chain(more).any(|known| name == *known);
    let kept = variables.iter().filter(|(name, _)| wanted(name)).cloned();
    let child = Command::new(&path)
        .args(words)
        .env_clear()
        .envs(kept)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn();
    let mut child = child
        .map_err(|error| source.wrong(format!("cannot be asked: {}: {error}", path.display())))?;
    let said = converse(&mut child, input, source);
    if said.is_err() {
        // It leads a group of its own, so that whatever it started goes with it.
        let _ = kill_process_group(pid(&child), Signal::KILL);
    }
    let status = child.wait().map_err(EngineError::io(program.to_owned()))?;
    let (output, complaint) = said?;
    Ok(Said {
        success: status.success(),
        output,
        complaint,
    })
}

fn converse(
    child: &mut Child,
    input: &[u8],
    source: Source<'_>,
) -> Result<(SecretBuf, String), EngineError> {
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(EngineError::usage("the program has no input or output"));
    };
    // It is shorter than a pipe holds; one that does not read it says why by itself.
    let _ = stdin.write_all(input);
    drop(stdin);
    let ended = || pidfd_open(pid(child), PidfdFlags::empty()).map_err(system);
    let mut reader = Bounded {
        output: &mut stdout,
        deadline: deadline(SECONDS_MAX)?,
        ended: ended()?,
    };
    let output =
        SecretBuf::read_to_end(&mut reader, SECRET_TEXT_MAX).map_err(|error| match error {
            ReadError::TooLong { limit } => source.wrong(format!("gives more than {limit} bytes")),
            ReadError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                source.wrong(format!("did not answer within {SECONDS_MAX} seconds"))
            }
            other => other.into(),
        })?;
    let reader = Bounded {
        output: &mut stderr,
        deadline: reader.deadline,
        ended: ended()?,
    };
    let mut complaint = Vec::new();
    reader
        .take(COMPLAINT_MAX)
        .read_to_end(&mut complaint)
        .map_err(EngineError::io("the program"))?;
    Ok((output, String::from_utf8_lossy(&complaint).into_owned()))
}

fn find(program: &str) -> Option<PathBuf> {
    FOLDERS
        .iter()
        .map(|folder| Path::new(folder).join(program))
        .find(|path| path.is_file())
}

/// The output of a command that is given up after a while.
pub(super) struct Bounded<'a, R> {
    pub(super) output: &'a mut R,
    pub(super) deadline: OwnedFd,
    pub(super) ended: OwnedFd,
}

impl<R: Read + AsFd> Read for Bounded<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let waiting = PollFlags::IN;
        loop {
            let mut watched = [
                PollFd::from_borrowed_fd(self.output.as_fd(), waiting),
                PollFd::from_borrowed_fd(self.deadline.as_fd(), waiting),
                PollFd::from_borrowed_fd(self.ended.as_fd(), waiting),
            ];
            match poll(&mut watched, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let [output, deadline, ended] = watched.map(|fd| !fd.revents().is_empty());
            // Time first: a command that prints for ever is stopped too.
            if deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if output {
                return self.output.read(into);
            }
            // What it started in the background may hold its output open.
            if ended {
                return Ok(0);
            }
        }
    }
}

/// Readable after so many seconds.
pub(super) fn deadline(seconds: i64) -> Result<OwnedFd, EngineError> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC).map_err(system)?;
    let span = |tv_sec| Timespec { tv_sec, tv_nsec: 0 };
    let once = Itimerspec {
        it_interval: span(0),
        it_value: span(seconds),
    };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &once).map_err(system)?;
    Ok(timer)
}

pub(super) fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

pub(super) fn system(errno: Errno) -> EngineError {
    EngineError::io("the command")(errno.into())
}
