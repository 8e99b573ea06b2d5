//! A fork that stays in our code, and what it needs at once.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr::null_mut;

use rustix::process::Pid;

/// Proof that the code runs in a fork: one thread, all signals blocked, and no owner of anything
/// that will ever run again. Only [`fork`] makes one.
pub(crate) struct InFork(());

/// Ends the process when dropped: a fork must neither return nor unwind into its caller.
struct EndOfFork;

impl Drop for EndOfFork {
    fn drop(&mut self) {
        // SAFETY: `_exit` runs no handlers and takes no locks.
        unsafe { libc::_exit(0) };
    }
}

/// Forks; the new process runs `main` with all signals blocked, and exits.
///
/// `main` must allocate nothing, take no lock, and touch nothing that other threads may have been
/// changing.
pub(crate) fn fork(main: impl FnOnce(&InFork)) -> io::Result<Pid> {
    let before = block_signals();
    // SAFETY: the child runs `main` only, under the rules above, and leaves by `_exit`.
    let outcome = unsafe { libc::fork() };
    if outcome == 0 {
        let _end = EndOfFork;
        main(&InFork(()));
        // Dropped here and when `main` panics.
    }
    let error = io::Error::last_os_error();
    // SAFETY: `before` is the mask that `block_signals` took.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, null_mut()) };
    match Pid::from_raw(outcome) {
        Some(pid) if outcome > 0 => Ok(pid),
        _ => Err(error),
    }
}

/// Blocks every signal on this thread; returns the mask before.
fn block_signals() -> libc::sigset_t {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both pointers are valid for a whole set; `sigfillset` fills the first and
    // `pthread_sigmask`, which fails only for a wrong first argument, the second.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        before.assume_init()
    }
}

/// A descriptor that becomes readable when a child changes state (SIGCHLD) or the terminal of our
/// session is gone (SIGHUP). Both must be blocked.
pub(crate) fn signal_descriptor() -> io::Result<OwnedFd> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is valid for a whole set, which `sigemptyset` fills.
    let descriptor = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGHUP);
        libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was just made and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Closes every descriptor but those in `keep`, which gets sorted. Negative numbers are passed over.
pub(crate) fn close_all_but(_: &InFork, keep: &mut [RawFd]) {
    keep.sort_unstable();
    let mut first: RawFd = 0;
    for kept in keep.iter().copied().filter(|kept| *kept >= 0) {
        if kept > first {
            close_range(first, kept - 1, 0);
        }
        first = first.max(kept.saturating_add(1));
    }
    close_range(first, RawFd::MAX, 0);
}

/// Marks every descriptor but the standard ones: no program that is executed from now on gets it.
pub fn close_on_execute() {
    close_range(3, RawFd::MAX, libc::CLOSE_RANGE_CLOEXEC);
}

/// `close_range`, or one call a descriptor on kernels before 5.9.
pub(super) fn close_range(first: RawFd, last: RawFd, flags: libc::c_uint) {
    // SAFETY: closes descriptors of a process that executes or ends before any owner of them runs
    // again (see the callers), or marks them, which their owners do not notice.
    let outcome = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    if outcome == 0 {
        return;
    }
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let limit = limit.unwrap_or(65_536).min(1 << 20) as RawFd;
    for descriptor in first..=last.min(limit) {
        // SAFETY: as above; a number that is no descriptor gives an error, which is as good.
        unsafe {
            if flags == 0 {
                libc::close(descriptor);
            } else {
                libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
    }
}
