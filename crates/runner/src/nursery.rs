//! The process that forks guardians for another one which holds keys, and the one that forks it.
//!
//! ```text
//! the daemon ──fork──▶ nursery ──fork──▶ spawner ──fork──▶ guardian ──▶ command
//!      └────────────── line ────────────────┘                  │
//!      └───────────────────────── control ─────────────────────┘
//! ```
//!
//! Both are forked before any key is at hand. They get descriptors and the name of a program,
//! never a value: arguments and variables are in a block of memory that only the guardian reads,
//! and what the command writes goes to the daemon. Whoever kills the spawner ends its commands; the
//! nursery, which does nothing else, forks a new one.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::process::{
    DumpableBehavior, Pid, Resource, Rlimit, Signal, WaitOptions, chdir, getpid, kill_process,
    set_child_subreaper, set_dumpable_behavior, setrlimit, setsid, wait, waitpid,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::thread::{set_name, set_no_new_privs};

use crate::charge::Charge;
use crate::duty::{Duty, Told};
use crate::group::Group;
use crate::guardian::now;
use crate::image::IMAGE;
use crate::orphans::{PATIENCE, pause};
use crate::packet::{self, Packet};
use crate::spawn::{Parts, post};
use crate::sys::{InFork, SharedRegion, close_all_but, fork};
use crate::tree::Tree;
use crate::wire::Incoming;
use crate::{RunError, charge};

/// How long the guardians of a killed spawner may take to end their commands: whoever asked for
/// those looks once a second whether somebody answers for them.
const WIND_DOWN: Duration = Duration::from_millis(1500);
/// Between two looks at who is left, and two attempts to fork.
const LOOK: Duration = Duration::from_millis(10);
/// As many looks in a row that find nothing are believed.
const EMPTY_LOOKS: u32 = 3;
/// A thread's stack in the spawner: one a command.
const STACK: usize = 256 * 1024;

/// What a nursery does, from the fork to its end.
pub(crate) fn nurse(own: &InFork, line: &Arc<OwnedFd>) {
    if settle(own, line).is_err() {
        return;
    }
    while !is_over(line) {
        let Ok(spawner) = fork(|_| {
            let _ = set_name(c"subrosa-spawner");
            serve(line);
        }) else {
            pause(&mut [], LOOK);
            continue;
        };
        stay_with(spawner);
        end_all();
    }
}

/// Makes the process what nobody else can look into, with nothing of whoever forked it.
fn settle(own: &InFork, line: &OwnedFd) -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    let nothing = openat(CWD, c"/dev/null", flags, Mode::empty())?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    dup2_stderr(&nothing)?;
    close_all_but(own, &mut [0, 1, 2, line.as_raw_fd()]);
    // Closed by now.
    std::mem::forget(nothing);
    let _ = set_name(c"subrosa-nursery");
    setsid()?;
    chdir(c"/")?;
    // All that is below us is told from others by that, see `Tree::end_orphans`.
    set_no_new_privs(true)?;
    set_child_subreaper(Some(getpid()))
}

/// Whether the other end of the line is gone.
fn is_over(line: &OwnedFd) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match recv(line, &mut [0_u8][..], flags) {
        Ok((length, _)) => length == 0,
        Err(errno) => errno != Errno::AGAIN && errno != Errno::INTR,
    }
}

/// Returns when the spawner has ended. One that is stopped does as little as one that is gone.
fn stay_with(spawner: Pid) {
    loop {
        match waitpid(Some(spawner), WaitOptions::UNTRACED) {
            Ok(Some((_, status))) if status.stopped() => {
                let _ = kill_process(spawner, Signal::KILL);
            }
            Ok(None) | Err(Errno::INTR) => {}
            Ok(Some(_)) | Err(_) => return,
        }
    }
}

/// Collects what a spawner left; kills what does not end by itself.
fn end_all() {
    let begun = now();
    let mut tree = None;
    let mut empty = 0;
    while empty < EMPTY_LOOKS && now() < begun.saturating_add(WIND_DOWN + PATIENCE) {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break,
                // No child, hence nothing below one.
                Err(_) => return,
            }
        }
        if now() >= begun.saturating_add(WIND_DOWN) {
            if tree.is_none() {
                tree = Tree::new().ok();
            }
            let left = tree
                .as_mut()
                .map_or(0, |tree| tree.end_orphans(|_| false).0);
            empty = if left == 0 { empty + 1 } else { 0 };
        }
        pause(&mut [], LOOK);
    }
}

/// Forks a guardian for each order, and answers for it on a thread. Returns when nobody is there
/// to order and all is ended.
fn serve(line: &OwnedFd) {
    let mut threads: Vec<thread::JoinHandle<()>> = Vec::new();
    loop {
        match packet::take(line) {
            Ok(Some((packet, descriptors))) => {
                threads.retain(|thread| !thread.is_finished());
                let Some((duty, region, parts)) = order(&packet, descriptors) else {
                    continue;
                };
                // Without a thread it is dropped, and whoever ordered sees that.
                let spawned = thread::Builder::new()
                    .name("run".to_owned())
                    .stack_size(STACK)
                    .spawn(move || answer_for(&duty, region, parts));
                threads.extend(spawned);
            }
            Ok(None) => break,
            // A moment without memory or descriptors passes.
            Err(_) => pause(&mut [], LOOK),
        }
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// The socket for what concerns the guardian, the block, and the rest; `None` when it is no order.
fn order(packet: &[u8], descriptors: Vec<OwnedFd>) -> Option<(OwnedFd, OwnedFd, Parts)> {
    let packet = Packet::decode(packet)?;
    let mut passed = descriptors.into_iter();
    let mut next = || passed.next();
    let (duty, region, control) = (next()?, next()?, next()?);
    let (file, directory) = (next()?, next()?);
    let streams = [next()?, next()?, next()?];
    let folder = match packet.folder {
        Some(_) => Some((next()?, next()?)),
        None => None,
    };
    let parts = Parts {
        packet,
        control,
        file,
        directory,
        streams,
        folder,
    };
    passed.next().is_none().then_some((duty, region, parts))
}

/// Forks a guardian and answers for it until the run is over.
fn answer_for(duty: &OwnedFd, region: OwnedFd, parts: Parts) {
    let mut charge = match stand(region, parts) {
        Ok(charge) => charge,
        Err(error) => {
            let _ = Told::failed(&error).send(duty);
            return;
        }
    };
    let _ = Told::Standing(charge.guardian()).send(duty);
    loop {
        match Duty::next(duty) {
            Ok(Incoming::Message(Duty::End(main))) => {
                let _ = Told::Ended(charge.end(main)).send(duty);
            }
            Ok(Incoming::Message(Duty::Release { settled, main })) => {
                return charge.release(settled, main);
            }
            Ok(Incoming::Nothing) => {
                let _ = poll(&mut [PollFd::new(duty, PollFlags::IN)], None);
            }
            Ok(Incoming::Closed) | Err(_) => return charge.release(false, None),
        }
    }
}

fn stand(region: OwnedFd, parts: Parts) -> Result<charge::OwnCharge, RunError> {
    // Mapped here only until the guardian has its own: nothing was written to it yet.
    let region = SharedRegion::map(region, IMAGE).map_err(|source| RunError::System {
        what: "mapping its variables",
        source,
    })?;
    let group = Group::create(parts.packet.processes);
    post(parts, &region, group)
}
