//! Signals to this process, as something to wait for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::getppid;
use signal_hook::SigId;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};

use crate::tree::belonging;

/// Caught while a run lasts.
pub(crate) const CAUGHT: [i32; 7] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH];

/// Catches signals until it is dropped; then they do what they did before.
pub(crate) struct Signals {
    flags: [Arc<AtomicBool>; CAUGHT.len()],
    ids: Vec<SigId>,
    wake: OwnedFd,
}

impl Signals {
    pub(crate) fn catch() -> io::Result<Self> {
        let (wake, bell) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let mut signals = Self {
            flags: Default::default(),
            ids: Vec::new(),
            wake,
        };
        for (signal, flag) in CAUGHT.into_iter().zip(&signals.flags) {
            // The flag first: whoever hears the bell must find it up.
            let flag = Arc::clone(flag);
            signals.ids.push(signal_hook::flag::register(signal, flag)?);
            let bell = bell.try_clone()?;
            signals
                .ids
                .push(signal_hook::low_level::pipe::register(signal, bell)?);
        }
        Ok(signals)
    }

    /// Readable when a signal came.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// The signals since the last call, each once.
    pub(crate) fn take(&self) -> Vec<i32> {
        let mut bells = [0; 64];
        while matches!(rustix::io::read(&self.wake, &mut bells[..]), Ok(1..)) {}
        let pairs = CAUGHT.into_iter().zip(&self.flags);
        pairs
            .filter(|(_, flag)| flag.swap(false, Ordering::SeqCst))
            .map(|(signal, _)| signal)
            .collect()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Whether somebody would continue this process if it stopped: its parent is in the same session
/// and another group, as a shell with job control is.
pub(crate) fn may_stop() -> bool {
    let of_parent = getppid().and_then(|parent| belonging(Some(parent)));
    match (of_parent, belonging(None)) {
        (Some((their_group, their_session)), Some((group, session))) => {
            their_session == session && their_group != group
        }
        _ => false,
    }
}

/// Stops this process until SIGCONT.
pub(crate) fn stop() {
    let _ = signal_hook::low_level::raise(signal_hook::consts::SIGSTOP);
}
