//! Who answers for a guardian: its parent, which collects it and adopts what it leaves.

use rustix::process::{Pid, Signal, kill_process_group};

use crate::group::Group;
use crate::orphans::Ward;

/// The duty to do a guardian's work should it be lost, here or in the process that forked it.
pub(crate) trait Charge: Send {
    /// Whether the guardian cannot answer: it was stopped, or nobody is there to answer for it.
    fn is_lost(&mut self) -> bool;

    /// Ends the guardian, should it still be there, and what it was to end; returns how many
    /// processes that were. `main` is the command, which leads a process group.
    fn end(&mut self, main: Option<Pid>) -> u32;

    /// Waits for the guardian, whose socket is closed by now, to end by itself, and ends it else;
    /// unless `settled`, what it was to end too.
    fn release(&mut self, settled: bool, main: Option<Pid>);
}

/// A guardian that this process forked.
pub(crate) struct OwnCharge {
    ward: Ward,
    group: Option<Group>,
}

impl OwnCharge {
    pub(crate) fn new(ward: Ward, group: Option<Group>) -> Self {
        Self { ward, group }
    }

    pub(crate) fn guardian(&self) -> Pid {
        self.ward.number()
    }
}

impl Charge for OwnCharge {
    fn is_lost(&mut self) -> bool {
        self.ward.is_stopped()
    }

    /// Those of its control group, of the command's process group, and whatever was orphaned to us.
    /// The command itself went with it.
    fn end(&mut self, main: Option<Pid>) -> u32 {
        self.ward.kill();
        // Its number is not given to another while nobody has collected it.
        if let Some(main) = main {
            let _ = kill_process_group(main, Signal::KILL);
        }
        if let Some(group) = &self.group {
            group.kill();
        }
        self.ward.end_orphans()
    }

    fn release(&mut self, settled: bool, main: Option<Pid>) {
        self.ward.await_end();
        if !settled {
            self.end(main);
        }
        self.ward.kill();
        if let Some(group) = self.group.take() {
            group.remove();
        }
    }
}
