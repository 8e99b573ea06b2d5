//! What a command leaves to us when its guardian is killed.
//!
//! While runs last, this process adopts what is orphaned below it (`PR_SET_CHILD_SUBREAPER`): the
//! processes of a killed guardian come to us instead of to init, whatever session they are in, and
//! are found and ended here as the guardian would have.
//!
//! Not all that is below us is a command's. Spared are the children that were there before the
//! run, the guardians of other runs, and those that may gain privileges: every process of a command
//! has given that up for good. Where we have given it up ourselves that does not tell, and other
//! children that came during the run are taken for orphans.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions, child_subreaper, getpid,
    kill_process, pidfd_open, set_child_subreaper, waitid, waitpid,
};

use crate::RunError;
use crate::guardian::now;
use crate::tree::{Tree, Who};

/// How long a guardian that was let go may take to end its tree, and how long we try in its place.
/// Whoever forks faster than this for so long has won against a guardian that was killed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks at a guardian that winds down.
const LOOK: Duration = Duration::from_millis(100);
/// Between two attempts to kill all.
const KILL_AGAIN: Duration = Duration::from_millis(5);
/// As many looks in a row that find nothing are believed: one can miss a process whose parent ends
/// while the table is read.
const EMPTY_LOOKS: u32 = 3;

/// The runs of this process.
struct Runs {
    guardians: Vec<Pid>,
    /// Whether this process adopted orphans before the first of them.
    adopted_before: bool,
}

static RUNS: Mutex<Runs> = Mutex::new(Runs {
    guardians: Vec::new(),
    adopted_before: false,
});

fn runs() -> MutexGuard<'static, Runs> {
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runs {
    /// Called with the first guardian still to come.
    fn adopt(&mut self) -> Result<(), RunError> {
        if self.guardians.is_empty() {
            let at = RunError::system("adopting orphans");
            self.adopted_before = child_subreaper().map_err(&at)?.is_some();
            set_child_subreaper(Some(getpid())).map_err(&at)?;
        }
        Ok(())
    }

    fn stop_adopting(&self) {
        if self.guardians.is_empty() && !self.adopted_before {
            let _ = set_child_subreaper(None);
        }
    }
}

/// A guardian, and the duty to do its work should it be lost.
pub(crate) struct Ward {
    number: Pid,
    /// Whether its end was not collected yet.
    there: bool,
    /// Children that this process had before.
    spared: Vec<Who>,
    tree: Tree,
}

impl Ward {
    /// Has `fork` make a guardian, with this process made ready to inherit from it.
    pub(crate) fn new(fork: impl FnOnce() -> io::Result<Pid>) -> Result<Self, RunError> {
        let mut tree = Tree::new()?;
        // Held while forking: a guardian that is not listed would be taken for an orphan.
        let mut runs = runs();
        runs.adopt()?;
        let spared = match has_children() {
            true => tree.children(),
            false => Vec::new(),
        };
        match fork() {
            Ok(number) => {
                runs.guardians.push(number);
                Ok(Self {
                    number,
                    there: true,
                    spared,
                    tree,
                })
            }
            Err(source) => {
                runs.stop_adopting();
                Err(RunError::System {
                    what: "making a guardian for it",
                    source,
                })
            }
        }
    }

    /// The guardian.
    pub(crate) fn number(&self) -> Pid {
        self.number
    }

    /// Whether somebody has stopped the guardian.
    pub(crate) fn is_stopped(&mut self) -> bool {
        while self.there {
            match waitpid(
                Some(self.number),
                WaitOptions::UNTRACED | WaitOptions::NOHANG,
            ) {
                Ok(Some((_, status))) if status.stopped() => return true,
                Ok(None) => return false,
                Err(Errno::INTR) => {}
                Ok(Some(_)) | Err(_) => self.there = false,
            }
        }
        false
    }

    /// Waits for the guardian to end by itself, unless it is stopped or takes too long.
    pub(crate) fn await_end(&mut self) {
        if !self.there {
            return;
        }
        let _ = kill_process(self.number, Signal::CONT);
        let until = now().saturating_add(PATIENCE);
        // Kernels before 5.3 have none: then it is looked at often.
        let descriptor = pidfd_open(self.number, PidfdFlags::empty()).ok();
        while !self.is_stopped() && self.there && now() < until {
            match &descriptor {
                Some(descriptor) => pause(&mut [PollFd::new(descriptor, PollFlags::IN)], LOOK),
                None => pause(&mut [], KILL_AGAIN),
            }
        }
    }

    /// Kills the guardian. Only when it is gone for good have its orphans become ours.
    pub(crate) fn kill(&mut self) {
        if !self.there {
            return;
        }
        let _ = kill_process(self.number, Signal::KILL);
        while let Err(Errno::INTR) = waitpid(Some(self.number), WaitOptions::empty()) {}
        self.there = false;
    }

    /// Kills and collects what the guardian left; returns how many were collected.
    pub(crate) fn end_orphans(&mut self) -> u32 {
        let until = now().saturating_add(PATIENCE);
        let mut ended = 0;
        let mut empty = 0;
        while empty < EMPTY_LOOKS && now() < until {
            let runs = runs();
            let (own, spared) = (self.number, &self.spared);
            let (left, collected) = self.tree.end_orphans(|who| {
                spared.contains(&who)
                    || runs
                        .guardians
                        .iter()
                        .any(|other| *other != own && other.as_raw_pid() == who.pid)
            });
            drop(runs);
            ended += collected;
            empty = if left == 0 { empty + 1 } else { 0 };
            if empty < EMPTY_LOOKS {
                pause(&mut [], KILL_AGAIN);
            }
        }
        ended
    }
}

impl Drop for Ward {
    fn drop(&mut self) {
        let mut runs = runs();
        runs.guardians.retain(|guardian| *guardian != self.number);
        runs.stop_adopting();
    }
}

/// Whether this process has any child; costs nothing, unlike a look at all processes.
fn has_children() -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::All, options), Err(Errno::CHILD))
}

pub(crate) fn pause(events: &mut [PollFd<'_>], duration: Duration) {
    let timeout = Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    };
    let _ = poll(events, Some(&timeout));
}
