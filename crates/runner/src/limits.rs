//! Bounds on a run, filled in.

use std::time::Duration;

use subrosa_model::ProcessLimits;

/// Wall-clock time of a command whose output is not on a terminal.
pub const TIMEOUT: Duration = Duration::from_secs(300);
/// Bytes of output of a command whose output is not on a terminal, both streams together.
pub const OUTPUT: u64 = 1024 * 1024 * 1024;
/// Bytes of private memory (`RLIMIT_DATA`) of each process where no rule says less.
pub const MEMORY: u64 = 64 * 1024 * 1024 * 1024;
/// Processes of one command at a time.
pub const PROCESSES: u32 = 512;
/// Between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long a guardian may take beyond all that before it counts as lost.
pub(crate) const ANSWER: Duration = Duration::from_secs(1);
/// How long processes that outlive the command have to end by themselves: enough for the end of
/// `cmd > >(tee log)`, which a shell does not wait for.
pub const WIND_DOWN: Duration = Duration::from_millis(500);

/// Bounds on one run.
///
/// What a rule leaves open is filled with the constants of this module, except on a terminal:
/// there a person watches and can press Ctrl-C, so time and output are unbounded unless a rule
/// bounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Wall-clock time; `None` is no bound. Then SIGTERM to every process, [`GRACE`], SIGKILL.
    pub timeout: Option<Duration>,
    /// Bytes of output, both streams together, counted before redaction; `None` is no bound.
    pub output: Option<u64>,
    /// Bytes of address space (`RLIMIT_AS`) of each process; `None` is [`MEMORY`] of private
    /// memory instead, since runtimes reserve much more address space than they use.
    pub memory: Option<u64>,
    /// Processes at a time. Over it, all are killed.
    pub processes: u32,
}

impl Limits {
    /// The bounds of a rule, completed for a command on a terminal or not.
    #[must_use]
    pub fn new(rule: ProcessLimits, on_terminal: bool) -> Self {
        Self {
            timeout: rule.timeout.or((!on_terminal).then_some(TIMEOUT)),
            output: rule.output.or((!on_terminal).then_some(OUTPUT)),
            memory: rule.memory,
            processes: rule.processes.unwrap_or(PROCESSES).max(1),
        }
    }
}
