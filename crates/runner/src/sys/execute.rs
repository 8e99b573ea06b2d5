//! From a filled-in plan to a running program.

use std::ffi::{CString, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::fs::{Mode, fstat, stat};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, fchdir, getpid, getppid, set_parent_process_death_signal,
    setpgid, setrlimit, umask,
};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustix::termios::tcsetpgrp;
use rustix::thread::set_no_new_privs;

use super::fork::close_range;
use super::{InFork, RegionView};
use crate::inherited::Inherited;
use crate::resolve::Identity;
use crate::wire::Step;

/// What is executed, and in what state. All of it is made before the fork.
pub(crate) struct ExecPlan {
    /// The file that was checked, as a path descriptor.
    pub(crate) file: OwnedFd,
    /// Its path, for scripts.
    pub(crate) path: CString,
    /// Whether it goes by the path.
    pub(crate) by_path: bool,
    /// What the file was when it was checked.
    pub(crate) identity: Identity,
    /// The working directory.
    pub(crate) directory: OwnedFd,
    /// Standard input, output and error: numbers above 2.
    pub(crate) streams: [OwnedFd; 3],
    /// Which of them is the controlling terminal.
    pub(crate) terminal: Option<usize>,
    /// `RLIMIT_AS` in bytes.
    pub(crate) address_space: Option<u64>,
    /// `RLIMIT_DATA` in bytes.
    pub(crate) data: u64,
    /// `RLIMIT_NPROC`: tasks of the user.
    pub(crate) tasks: Option<u64>,
    /// What its files are made without, where it is not what ours are made without.
    pub(crate) mask: Option<Mode>,
    /// Limits and priority, where they are not ours.
    pub(crate) inherited: Option<Inherited>,
}

struct Job<'a> {
    plan: &'a ExecPlan,
    arguments: *const *const c_char,
    variables: *const *const c_char,
    parent: Pid,
    step: AtomicI32,
    errno: AtomicI32,
}

/// Bytes of stack that a child needs until it executes; the calls below are shallow.
const STACK: usize = 256 * 1024;

/// Makes a process in a group of its own that executes the plan; returns once it does, or with the
/// step that failed.
///
/// `arguments` and `variables` are offsets of arrays in `region`. The child borrows our memory
/// until it executes (as `posix_spawn` does it), so that no copy of the variables is made; all
/// signals are blocked in a fork, else a handler of ours could run in the child.
pub(crate) fn execute(
    fork: &InFork,
    plan: &ExecPlan,
    region: RegionView,
    arguments: usize,
    variables: usize,
) -> Result<Pid, (Step, Errno)> {
    let process = |errno| (Step::Process, errno);
    let strings = |offset| region.strings(fork, offset).ok_or(process(Errno::FAULT));
    let job = Job {
        plan,
        arguments: strings(arguments)?,
        variables: strings(variables)?,
        parent: getpid(),
        step: AtomicI32::new(-1),
        errno: AtomicI32::new(0),
    };
    let flags = MapFlags::PRIVATE | MapFlags::STACK;
    // SAFETY: a null hint lets the kernel choose an unused range.
    let stack =
        unsafe { mmap_anonymous(null_mut(), STACK, ProtFlags::READ | ProtFlags::WRITE, flags) }
            .map_err(process)?;
    // SAFETY: the stack is a fresh mapping and the child starts at its top. CLONE_VFORK suspends
    // this thread until the child has executed or ended, so `job` and the stack outlive its use of
    // them; without CLONE_FILES, CLONE_FS and CLONE_SIGHAND it has its own descriptors, directory
    // and handlers. `run` neither allocates nor unwinds.
    let outcome = unsafe {
        libc::clone(
            run,
            stack.cast::<u8>().add(STACK).cast::<c_void>(),
            libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
            std::ptr::from_ref(&job).cast_mut().cast::<c_void>(),
        )
    };
    let error = std::io::Error::last_os_error();
    // SAFETY: the child has left the stack.
    let _ = unsafe { munmap(stack, STACK) };
    let Some(pid) = Pid::from_raw(outcome).filter(|_| outcome > 0) else {
        return Err(process(
            Errno::from_io_error(&error).unwrap_or(Errno::AGAIN),
        ));
    };
    let failed = job.step.load(Ordering::SeqCst);
    match STEPS.iter().find(|step| **step as i32 == failed) {
        None => Ok(pid),
        Some(step) => {
            let _ = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
            let errno = Errno::from_raw_os_error(job.errno.load(Ordering::SeqCst));
            Err((*step, errno))
        }
    }
}

const STEPS: [Step; 6] = [
    Step::Group,
    Step::Limits,
    Step::Streams,
    Step::Directory,
    Step::Replaced,
    Step::Execute,
];

extern "C" fn run(job: *mut c_void) -> c_int {
    // SAFETY: `execute` passes a pointer to a job that outlives this call.
    let job = unsafe { &*job.cast::<Job<'_>>().cast_const() };
    let (step, errno) = prepare_and_execute(job);
    job.errno.store(errno.raw_os_error(), Ordering::SeqCst);
    job.step.store(step as i32, Ordering::SeqCst);
    // SAFETY: leaves without running what belongs to the parent.
    unsafe { libc::_exit(127) }
}

/// Returns only when something failed.
fn prepare_and_execute(job: &Job<'_>) -> (Step, Errno) {
    match prepare(job.plan, job.parent) {
        Err(failed) => failed,
        Ok(()) => (Step::Execute, execute_file(job)),
    }
}

fn prepare(plan: &ExecPlan, parent: Pid) -> Result<(), (Step, Errno)> {
    let at = |step: Step| move |errno: Errno| (step, errno);
    setpgid(None, None).map_err(at(Step::Group))?;
    if let Some(index) = plan.terminal {
        // From the background this would stop us with SIGTTOU, which is blocked.
        tcsetpgrp(&plan.streams[index], getpid()).map_err(at(Step::Group))?;
    }
    // Should the guardian be killed, the command goes with it.
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(at(Step::Group))?;
    if getppid() != Some(parent) {
        return Err((Step::Group, Errno::SRCH));
    }

    set_no_new_privs(true).map_err(at(Step::Limits))?;
    let [input, output, error] = &plan.streams;
    dup2_stdin(input).map_err(at(Step::Streams))?;
    dup2_stdout(output).map_err(at(Step::Streams))?;
    dup2_stderr(error).map_err(at(Step::Streams))?;
    // Marked and not closed: the program is executed through one of them.
    close_range(3, c_int::MAX, libc::CLOSE_RANGE_CLOEXEC);

    // First those of whoever it runs for, which may be lower still than what follows.
    if let Some(inherited) = &plan.inherited {
        inherited.take_over().map_err(at(Step::Limits))?;
    }
    let hard = |resource, limit: u64| {
        let limits = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        setrlimit(resource, limits)
    };
    hard(Resource::Core, 0).map_err(at(Step::Limits))?;
    match plan.address_space {
        Some(bytes) => lower(Resource::As, bytes),
        None => lower(Resource::Data, plan.data),
    }
    .map_err(at(Step::Limits))?;
    if let Some(tasks) = plan.tasks {
        lower(Resource::Nproc, tasks).map_err(at(Step::Limits))?;
    }

    if let Some(mask) = plan.mask {
        umask(mask);
    }

    fchdir(&plan.directory).map_err(at(Step::Directory))?;
    if plan.by_path {
        let state = stat(&plan.path).map_err(at(Step::Replaced))?;
        if Identity::of(&state) != plan.identity {
            return Err((Step::Replaced, Errno::STALE));
        }
    } else {
        let state = fstat(&plan.file).map_err(at(Step::Replaced))?;
        if Identity::of(&state) != plan.identity {
            return Err((Step::Replaced, Errno::STALE));
        }
    }
    reset_signals();
    Ok(())
}

/// Lowers a limit; one that is lower already stays.
fn lower(resource: Resource, limit: u64) -> Result<(), Errno> {
    let present = rustix::process::getrlimit(resource);
    let least = |bound: Option<u64>| Some(bound.map_or(limit, |bound| bound.min(limit)));
    setrlimit(
        resource,
        Rlimit {
            current: least(present.current),
            maximum: least(present.maximum),
        },
    )
}

/// Default disposition for every signal, and none blocked: `execve` keeps what is ignored or
/// blocked, and a program expects neither.
fn reset_signals() {
    // The kernel's `sigaction`, all zero, on every architecture: SIG_DFL, no flags, empty mask. The
    // C library's call would refuse the two signals that it keeps for itself.
    let default = [0_u64; 4];
    // SAFETY: the action is at least as long as the kernel's, and the size of a set is 64 bits;
    // numbers that may not be changed give errors, which is as good. The set is emptied before use.
    unsafe {
        for signal in 1..=64 {
            let none = null_mut::<c_void>();
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), none, 8);
        }
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), null_mut());
    }
}

fn execute_file(job: &Job<'_>) -> Errno {
    let plan = job.plan;
    // SAFETY: the paths are C strings and the arrays were checked by `RegionView::strings`;
    // nothing of them is written to. Both calls return only when they fail.
    unsafe {
        if plan.by_path {
            libc::execve(plan.path.as_ptr(), job.arguments, job.variables);
        } else {
            libc::syscall(
                libc::SYS_execveat,
                plan.file.as_raw_fd(),
                c"".as_ptr(),
                job.arguments,
                job.variables,
                libc::AT_EMPTY_PATH,
            );
        }
    }
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOEXEC)
}
