//! The process between us and a command: one for each run.
//!
//! It is forked before any value is at hand, starts the command, adopts whatever the command's
//! processes orphan (`PR_SET_CHILD_SUBREAPER`), counts and ends them. A process cannot leave the
//! tree below it by a new session, a double fork or by ignoring signals, and the tree is gone when
//! `wait` says that there are no children left. When we die, its socket closes and it ends the
//! tree.
//!
//! It is a fork of a process with threads: nothing here allocates or takes a lock.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, RawDir, SeekFrom, seek, unlinkat};
use rustix::io::{Errno, read};
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, WaitOptions, WaitStatus, getpid,
    ioctl_tiocsctty, kill_process_group, set_child_subreaper, set_dumpable_behavior, setrlimit,
    setsid, wait,
};
use rustix::thread::set_name;
use rustix::time::{ClockId, clock_gettime};

use crate::Limit;
use crate::group::Doors;
use crate::limits::{GRACE, WIND_DOWN};
use crate::sys::{ExecPlan, InFork, RegionView, close_all_but, execute, signal_descriptor};
use crate::tree::Tree;
use crate::wire::{Incoming, Notice, Request, Step, next_request, notify};

/// Between two counts where the kernel counts too, and where it does not.
const LOOK_WITH_BACKSTOP: Duration = Duration::from_millis(250);
const LOOK: Duration = Duration::from_millis(50);
/// Counting may take this share of the time: one part in so many.
const LOOK_SHARE: u32 = 50;
/// Between two attempts to kill all.
const KILL_AGAIN: Duration = Duration::from_millis(5);

/// All that a guardian needs, made before the fork.
pub(crate) struct Post {
    pub(crate) control: OwnedFd,
    pub(crate) plan: ExecPlan,
    /// The block with arguments and variables.
    pub(crate) region: RegionView,
    pub(crate) timeout: Option<Duration>,
    pub(crate) processes: u32,
    /// Whether the kernel bounds the number of processes as well.
    pub(crate) backstop: bool,
    /// A control group for this run.
    pub(crate) group: Option<Doors>,
    pub(crate) tree: Tree,
    pub(crate) folder: Option<FolderEntry>,
}

/// A folder to remove at the end: itself, the folder it lies in, and its name there.
pub(crate) struct FolderEntry {
    pub(crate) folder: OwnedFd,
    pub(crate) parent: OwnedFd,
    pub(crate) name: CString,
}

impl FolderEntry {
    /// Removes the files in the folder, and the folder. Makes no allocation.
    pub(crate) fn remove(&self) {
        let _ = seek(&self.folder, SeekFrom::Start(0));
        let mut buffer = [MaybeUninit::uninit(); 2048];
        let mut listing = RawDir::new(self.folder.as_fd(), &mut buffer);
        while let Some(Ok(item)) = listing.next() {
            let _ = unlinkat(&self.folder, item.file_name(), AtFlags::empty());
        }
        let _ = unlinkat(&self.parent, &*self.name, AtFlags::REMOVEDIR);
    }
}

/// What a guardian does, from the fork to its end.
pub(crate) fn stand(fork: &InFork, post: &mut Post) {
    let last = match guard(fork, post) {
        Ok(killed) => Notice::Done(killed),
        Err((step, errno)) => Notice::Failed {
            step,
            errno: errno.raw_os_error(),
        },
    };
    // Here and not in the process that waits for us alone: that may be gone.
    if let Some(folder) = &post.folder {
        folder.remove();
    }
    if let Some(group) = &post.group {
        group.leave();
    }
    let _ = notify(&post.control, last);
}

/// Starts the command and stays until nothing of it is left; returns how many processes that
/// outlived it were killed, or the step that failed.
fn guard(fork: &InFork, post: &mut Post) -> Result<u32, (Step, Errno)> {
    settle(fork, post)?;
    let changes = signal_descriptor().map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::NOSYS);
        (Step::Process, errno)
    })?;
    let Some((arguments, variables)) = wait_for_start(post) else {
        return Ok(0);
    };
    let main = execute(fork, &post.plan, post.region, arguments, variables)?;
    let _ = notify(&post.control, Notice::Started(main.as_raw_pid()));
    // Else the ends of the command's streams would never be seen.
    close_all_but(
        fork,
        &mut [
            post.control.as_raw_fd(),
            post.tree.descriptor().as_raw_fd(),
            changes.as_raw_fd(),
            raw(post.folder.as_ref().map(|entry| &entry.folder)),
            raw(post.folder.as_ref().map(|entry| &entry.parent)),
            raw(post.group.as_ref().map(|doors| &doors.exit)),
            raw(post.group.as_ref().map(|doors| &doors.parent)),
        ],
    );
    let now = now();
    let mut watch = Watch {
        main,
        deadline: post.timeout.map(|timeout| now.saturating_add(timeout)),
        next_look: now.saturating_add(LOOK),
        post,
        phase: Phase::Running,
        ended: false,
        limited: false,
        told_of_stop: false,
        deaf: false,
        killed: 0,
    };
    watch.run(&changes);
    Ok(watch.killed)
}

fn raw(descriptor: Option<&OwnedFd>) -> RawFd {
    descriptor.map_or(-1, AsRawFd::as_raw_fd)
}

/// Makes the process what a guardian has to be.
fn settle(fork: &InFork, post: &Post) -> Result<(), (Step, Errno)> {
    let at = |errno| (Step::Group, errno);
    let plan = &post.plan;
    let [input, output, error] = &plan.streams;
    close_all_but(
        fork,
        &mut [
            post.control.as_raw_fd(),
            plan.file.as_raw_fd(),
            plan.directory.as_raw_fd(),
            input.as_raw_fd(),
            output.as_raw_fd(),
            error.as_raw_fd(),
            post.tree.descriptor().as_raw_fd(),
            raw(post.group.as_ref().map(|doors| &doors.entrance)),
            raw(post.group.as_ref().map(|doors| &doors.exit)),
            raw(post.group.as_ref().map(|doors| &doors.parent)),
            raw(post.folder.as_ref().map(|entry| &entry.folder)),
            raw(post.folder.as_ref().map(|entry| &entry.parent)),
        ],
    );
    let _ = set_name(c"subrosa-guard");
    // A copy of our memory is nobody's to read or dump. (What is locked is not even in it.)
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(at)?;
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).map_err(at)?;
    // A session of its own: no signal of the caller's terminal, and no way to it by /dev/tty, which
    // would lead around the redactor. The command is a group in this session with a parent outside
    // the group, so that Ctrl-Z may stop it.
    setsid().map_err(at)?;
    set_child_subreaper(Some(getpid())).map_err(at)?;
    if let Some(index) = plan.terminal {
        ioctl_tiocsctty(&plan.streams[index]).map_err(at)?;
    }
    if let Some(group) = &post.group {
        group.enter().map_err(|errno| (Step::Limits, errno))?;
    }
    Ok(())
}

/// Waits for the block to be filled; `None` when the run was given up.
fn wait_for_start(post: &Post) -> Option<(usize, usize)> {
    loop {
        let mut events = [PollFd::new(&post.control, PollFlags::IN)];
        match poll(&mut events, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
        match next_request(&post.control) {
            Ok(Incoming::Message(Request::Start {
                arguments,
                variables,
            })) => {
                return Some((arguments as usize, variables as usize));
            }
            Ok(Incoming::Closed) | Err(_) => return None,
            Ok(Incoming::Message(_) | Incoming::Nothing) => {}
        }
    }
}

/// Time since boot.
pub(crate) fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    /// Asked to end, or left behind: killed at that time.
    Ending(Duration),
    Killing,
}

struct Watch<'a> {
    post: &'a mut Post,
    main: Pid,
    deadline: Option<Duration>,
    next_look: Duration,
    phase: Phase,
    /// Whether the command itself has ended.
    ended: bool,
    limited: bool,
    told_of_stop: bool,
    /// Whether the other side is gone.
    deaf: bool,
    killed: u32,
}

impl Watch<'_> {
    /// Returns when no process is left.
    fn run(&mut self, changes: &OwnedFd) {
        loop {
            self.sleep(changes);
            self.take_signals(changes);
            if !self.reap() {
                return;
            }
            if !self.deaf {
                self.listen();
            }
            self.keep_time();
        }
    }

    /// Empties the descriptor of signals. When a terminal goes away the kernel tells the leader of
    /// its session only, which is us: the command has to be told.
    fn take_signals(&self, changes: &OwnedFd) {
        // One `signalfd_siginfo`, which begins with the number: signalfd(2).
        let mut record = [0; 128];
        while matches!(read(changes, &mut record[..]), Ok(128)) {
            let number = u32::from_ne_bytes([record[0], record[1], record[2], record[3]]);
            if number == Signal::HUP.as_raw().cast_unsigned() && !self.ended {
                let _ = kill_process_group(self.main, Signal::HUP);
                let _ = kill_process_group(self.main, Signal::CONT);
            }
        }
    }

    fn sleep(&self, changes: &OwnedFd) {
        let now = now();
        let due = match self.phase {
            Phase::Running => self
                .deadline
                .map_or(self.next_look, |deadline| deadline.min(self.next_look)),
            Phase::Ending(kill) => kill.min(self.next_look),
            Phase::Killing => now.saturating_add(KILL_AGAIN),
        };
        let timeout = timespec(due.saturating_sub(now));
        let heard = if self.deaf {
            PollFlags::empty()
        } else {
            PollFlags::IN
        };
        let mut events = [
            PollFd::new(changes, PollFlags::IN),
            PollFd::new(&self.post.control, heard),
        ];
        // A socket without its other end is always ready: it is left out then.
        let count = if self.deaf { 1 } else { 2 };
        let _ = poll(&mut events[..count], Some(&timeout));
    }

    /// Collects what changed; `false` when there is no child left.
    fn reap(&mut self) -> bool {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        loop {
            match wait(options) {
                Ok(Some((pid, status))) if pid == self.main => self.main_changed(status),
                Ok(Some((_, status))) => {
                    let by_us = self.phase == Phase::Killing
                        && status.terminating_signal() == Some(Signal::KILL.as_raw());
                    self.killed += u32::from(by_us);
                }
                Ok(None) => return true,
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    fn main_changed(&mut self, status: WaitStatus) {
        if let Some(signal) = status.stopping_signal() {
            // Once until it is answered: a command that stops again and again must not fill the
            // socket and so hold us up.
            if !self.told_of_stop {
                self.told_of_stop = true;
                self.tell(Notice::Stopped(signal));
            }
            return;
        }
        if let Some(status) = status.exit_status() {
            self.tell(Notice::Exited(status));
        } else if let Some(signal) = status.terminating_signal() {
            self.tell(Notice::Signalled(signal));
        } else {
            return;
        }
        self.ended = true;
        let soon = now().saturating_add(WIND_DOWN);
        self.phase = match self.phase {
            Phase::Running => Phase::Ending(soon),
            Phase::Ending(kill) => Phase::Ending(kill.min(soon)),
            Phase::Killing => Phase::Killing,
        };
    }

    fn listen(&mut self) {
        loop {
            match next_request(&self.post.control) {
                Ok(Incoming::Message(Request::Signal(number))) => {
                    self.told_of_stop = false;
                    if let Some(signal) = Signal::from_named_raw(number).filter(|_| !self.ended) {
                        let _ = kill_process_group(self.main, signal);
                    }
                }
                Ok(Incoming::Message(Request::End(limit))) => self.end(limit),
                Ok(Incoming::Message(Request::Start { .. })) => {}
                Ok(Incoming::Nothing) => return,
                Ok(Incoming::Closed) | Err(_) => {
                    self.deaf = true;
                    self.phase = Phase::Killing;
                    return;
                }
            }
        }
    }

    fn keep_time(&mut self) {
        let now = now();
        match self.phase {
            Phase::Running if self.deadline.is_some_and(|deadline| now >= deadline) => {
                self.end(Some(Limit::Timeout));
            }
            Phase::Ending(kill) if now >= kill => self.phase = Phase::Killing,
            _ => {}
        }
        if self.phase == Phase::Killing {
            self.post.tree.signal(Signal::KILL);
        } else if now >= self.next_look {
            self.look(now);
        }
    }

    /// Counts processes. Over the bound nothing is asked: whoever forks without end does not stop
    /// for SIGTERM, and each moment makes it worse.
    fn look(&mut self, before: Duration) {
        let count = self.post.tree.count();
        if count > self.post.processes as usize {
            self.limit(Limit::Processes);
            self.phase = Phase::Killing;
            if !self.ended {
                // All at once, before one of them forks again.
                let _ = kill_process_group(self.main, Signal::KILL);
            }
            self.post.tree.signal(Signal::KILL);
            return;
        }
        let after = now();
        let least = if self.post.backstop {
            LOOK_WITH_BACKSTOP
        } else {
            LOOK
        };
        let cost = after.saturating_sub(before).saturating_mul(LOOK_SHARE);
        self.next_look = after.saturating_add(least.max(cost));
    }

    fn end(&mut self, limit: Option<Limit>) {
        if let Some(limit) = limit {
            self.limit(limit);
        }
        if self.phase != Phase::Running {
            return;
        }
        self.post.tree.signal(Signal::TERM);
        // What is stopped has to run to see it.
        self.post.tree.signal(Signal::CONT);
        self.phase = Phase::Ending(now().saturating_add(GRACE));
    }

    fn limit(&mut self, limit: Limit) {
        if !self.limited {
            self.limited = true;
            self.tell(Notice::Limited(limit));
        }
    }

    fn tell(&self, notice: Notice) {
        let _ = notify(&self.post.control, notice);
    }
}
