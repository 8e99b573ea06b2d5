//! Guardians that another process forks, for one that holds keys.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::RunError;
use crate::charge::Charge;
use crate::duty::{Duty, Told};
use crate::guardian::now;
use crate::nursery::nurse;
use crate::orphans::{PATIENCE, pause};
use crate::packet;
use crate::spawn::{Guard, Order, Parts, Spawner, SystemGuard, joints};
use crate::sys::fork;
use crate::tree::is_stopped;
use crate::wire::Incoming;

/// How long a guardian may take to stand: a spawner that was killed is replaced meanwhile.
const STANDING: Duration = Duration::from_secs(5);
/// Between two looks at who does not answer.
const LOOK: Duration = Duration::from_millis(100);

/// A process of its own that forks guardians: its memory has nothing of ours but what there is when
/// it is made.
///
/// It ends when this is dropped, and all that it has started with it.
#[derive(Debug)]
pub struct RemoteSpawner {
    line: OwnedFd,
}

impl RemoteSpawner {
    /// Forks the process. To be called before other threads are started and before any key is read.
    ///
    /// # Errors
    /// [`RunError::System`].
    pub fn begin() -> Result<Self, RunError> {
        let (line, theirs) = pair()?;
        let theirs = Arc::new(crate::spawn::above(theirs)?);
        fork(move |own| nurse(own, &theirs)).map_err(|source| RunError::System {
            what: "making a process that starts it",
            source,
        })?;
        Ok(Self { line })
    }

    /// Has a guardian made; `None` when the spawner was lost while it did.
    fn order(&self, region: BorrowedFd<'_>, parts: &Parts) -> Result<Option<Remote>, RunError> {
        let (duty, theirs) = pair()?;
        let [input, output, error] = parts.streams.each_ref().map(AsFd::as_fd);
        let mut descriptors = vec![
            theirs.as_fd(),
            region,
            parts.control.as_fd(),
            parts.file.as_fd(),
            parts.directory.as_fd(),
            input,
            output,
            error,
        ];
        if let Some((folder, parent)) = &parts.folder {
            descriptors.extend([folder.as_fd(), parent.as_fd()]);
        }
        let until = now().saturating_add(STANDING);
        let packet = parts.packet.encode();
        loop {
            match packet::put(&self.line, &packet, &descriptors) {
                Ok(()) => break,
                Err(Errno::AGAIN) if now() < until => {
                    pause(&mut [PollFd::new(&self.line, PollFlags::OUT)], LOOK);
                }
                Err(Errno::AGAIN | Errno::PIPE | Errno::CONNRESET) => {
                    return Err(RunError::SpawnerLost);
                }
                Err(errno) => return Err(RunError::system("asking for its guardian")(errno)),
            }
        }
        drop(descriptors);
        // With our copy open, its end would not show.
        drop(theirs);
        match told(&duty, until) {
            Some(Told::Standing(guardian)) => {
                // Its number is not given to another while nobody has collected it, and who forked
                // it does not before we say so.
                let process = pidfd_open(guardian, PidfdFlags::empty())
                    .map_err(RunError::system("watching its guardian"))?;
                Ok(Some(Remote {
                    duty,
                    guardian,
                    process,
                }))
            }
            Some(Told::Failed { no_proc: true, .. }) => Err(RunError::NoProc),
            Some(Told::Failed { errno, .. }) => Err(RunError::System {
                what: "making a guardian for it",
                source: io::Error::from_raw_os_error(errno),
            }),
            Some(Told::Ended(_)) | None if now() < until => Ok(None),
            Some(Told::Ended(_)) | None => Err(RunError::SpawnerLost),
        }
    }
}

impl Spawner for RemoteSpawner {
    fn stage(&self, order: Order) -> Result<Box<dyn Guard>, RunError> {
        let (region, control, theirs) = joints()?;
        let (parts, words) = order.part(theirs)?;
        // Once more when it was lost just now: it is replaced.
        let remote = match self.order(region.descriptor(), &parts)? {
            Some(remote) => Some(remote),
            None => self.order(region.descriptor(), &parts)?,
        };
        let remote = remote.ok_or(RunError::SpawnerLost)?;
        // With our copies open, the ends of the command's streams would never be seen.
        drop(parts);
        Ok(SystemGuard::boxed(Box::new(remote), control, region, words))
    }
}

fn pair() -> Result<(OwnedFd, OwnedFd), RunError> {
    let flags = SocketFlags::CLOEXEC;
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(RunError::system("making a socket for its guardian"))
}

/// The next answer; `None` when there is none by then, or nobody to give it.
fn told(duty: &OwnedFd, until: Duration) -> Option<Told> {
    loop {
        match Told::next(duty) {
            Ok(Incoming::Message(told)) => return Some(told),
            Ok(Incoming::Nothing) if now() < until => {
                pause(&mut [PollFd::new(duty, PollFlags::IN)], LOOK);
            }
            Ok(Incoming::Nothing | Incoming::Closed) | Err(_) => return None,
        }
    }
}

/// A guardian that the spawner answers for.
struct Remote {
    duty: OwnedFd,
    guardian: Pid,
    process: OwnedFd,
}

impl Remote {
    /// Whether the spawner is gone: it says nothing unasked.
    fn is_alone(&self) -> bool {
        !matches!(Told::next(&self.duty), Ok(Incoming::Nothing))
    }
}

impl Charge for Remote {
    fn is_lost(&mut self) -> bool {
        self.is_alone() || is_stopped(self.guardian)
    }

    fn end(&mut self, main: Option<Pid>) -> u32 {
        if Duty::End(main).send(&self.duty).is_ok()
            && let Some(Told::Ended(count)) = told(&self.duty, patience())
        {
            return count;
        }
        // What it leaves is ended by the nursery.
        let _ = pidfd_send_signal(&self.process, Signal::KILL);
        0
    }

    fn release(&mut self, settled: bool, main: Option<Pid>) {
        let until = patience();
        if (Duty::Release { settled, main }).send(&self.duty).is_ok() {
            // Nothing comes but the end.
            while told(&self.duty, until).is_some() {}
        }
        let ended = || {
            let mut events = [PollFd::new(&self.process, PollFlags::IN)];
            pause(&mut events, LOOK);
            !events[0].revents().is_empty()
        };
        while !ended() {
            if now() >= until || is_stopped(self.guardian) {
                let _ = pidfd_send_signal(&self.process, Signal::KILL);
                return;
            }
        }
    }
}

/// Until when whoever ends a guardian in our place is waited for.
fn patience() -> Duration {
    now().saturating_add(PATIENCE * 2)
}
