//! What became of a run.

use std::time::Duration;

/// A bound that ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Wall-clock time.
    Timeout,
    /// Bytes of output.
    Output,
    /// Processes at a time.
    Processes,
}

impl Limit {
    /// What happened, as the end of a sentence that begins with the command's name.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "ran longer than it may and was ended",
            Self::Output => "wrote more than it may and was ended",
            Self::Processes => "started more processes than it may and was ended",
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It exited with this status.
    Exited(i32),
    /// A signal with this number ended it.
    Signalled(i32),
    /// We ended it, since it went over a bound.
    Limited(Limit),
    /// We ended it, since whoever it ran for went away.
    Abandoned,
}

/// The account of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunReport {
    /// How it ended.
    pub ending: Ending,
    /// Bytes passed on to standard output, or to the terminal, after redaction: what the command
    /// wrote would tell the length of a value that was masked.
    pub stdout_bytes: u64,
    /// Bytes passed on to standard error, after redaction.
    pub stderr_bytes: u64,
    /// How many times the value of each secret was masked, by key; `None` is one without a name.
    pub redactions: Vec<(Option<String>, u64)>,
    /// How many times anything was masked.
    pub redacted: u64,
    /// How many pieces of compressed data were passed on without being looked into, since there is
    /// more in them than may be read.
    pub unopened: u64,
    /// Whether output was thrown away since there was too much.
    pub truncated: bool,
    /// Why output was lost, if it could not be written (a full disk, not a reader who went away): an
    /// error number of the system.
    pub output_error: Option<i32>,
    /// Processes that outlived the command and were killed.
    pub stragglers_killed: u32,
    /// Wall-clock time from start to end.
    pub duration: Duration,
}

impl RunReport {
    /// A run of which nothing but its end is known.
    #[must_use]
    pub fn ended(ending: Ending, duration: Duration) -> Self {
        Self {
            ending,
            stdout_bytes: 0,
            stderr_bytes: 0,
            redactions: Vec::new(),
            redacted: 0,
            unopened: 0,
            truncated: false,
            output_error: None,
            stragglers_killed: 0,
            duration,
        }
    }

    /// The status to exit with: the command's own, 128 and the signal's number as a shell has it,
    /// 125 when we ended it or lost its output.
    ///
    /// A timeout is 125 and not 124 as `timeout` has it: like every refusal it is ours, and the
    /// message says which.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        if self.output_error.is_some() {
            return 125;
        }
        match self.ending {
            Ending::Exited(status) => (status & 0xff) as u8,
            Ending::Signalled(signal) => (128 + (signal & 0x7f)) as u8,
            Ending::Limited(_) | Ending::Abandoned => 125,
        }
    }
}
