//! What a command has of whoever it runs for, where that is another process: resource limits and
//! priority, as the system tells them.

use rustix::io::Errno;
use rustix::process::{
    Pid, Resource, Rlimit, getpriority_process, getrlimit, setpriority_process, setrlimit,
};

use crate::RunError;
use crate::sys::limits_of;

/// The limits in the order in which [`limits_of`] and [`Inherited`] have them.
///
/// Source: getrlimit(2).
pub(crate) const RESOURCES: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

/// A soft and a hard limit; `None` is no bound.
pub(crate) type Bounds = (Option<u64>, Option<u64>);

/// Resource limits and priority of a process, for a command that is to have them too.
///
/// They are read of the process by its number: it can claim nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inherited {
    pub(crate) limits: [Bounds; RESOURCES.len()],
    pub(crate) nice: i32,
}

impl Inherited {
    /// What a process of our user has now.
    ///
    /// # Errors
    /// [`RunError::System`] when there is no such process, or it is not ours to ask about.
    pub fn of(process: u32) -> Result<Self, RunError> {
        let failed = RunError::system("reading the limits of the caller");
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        let process = process.ok_or(Errno::SRCH).map_err(&failed)?;
        Ok(Self {
            limits: limits_of(process).map_err(&failed)?,
            nice: getpriority_process(Some(process)).map_err(&failed)?,
        })
    }

    /// Gives this process the limits, as far as they are not above its own, and the priority,
    /// if it is not above its own. Makes no allocation.
    pub(crate) fn take_over(&self) -> Result<(), Errno> {
        for (resource, (soft, hard)) in RESOURCES.into_iter().zip(self.limits) {
            let own = getrlimit(resource);
            let maximum = least(hard, own.maximum);
            let limits = Rlimit {
                current: least(soft, maximum),
                maximum,
            };
            setrlimit(resource, limits)?;
        }
        if getpriority_process(None)? < self.nice {
            setpriority_process(None, self.nice)?;
        }
        Ok(())
    }
}

fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
