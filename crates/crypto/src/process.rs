//! What a process that holds keys does to itself at start.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

/// Closes the process to debuggers of the same user and to core dumps.
///
/// Sets `PR_SET_DUMPABLE` to 0, which also hands `/proc/self` to root, and the
/// soft and hard limit of `RLIMIT_CORE` to 0, which children inherit. Call it
/// first in a process that will hold keys, before any is read. `execve` of a
/// program makes a process dumpable again; the core limit stays.
///
/// Also asks for images without memory, for whoever may take one all the same:
/// root, a debugger of root's, a handler of crashes. Children inherit that too.
///
/// On systems other than Linux only the core limit is set.
///
/// # Errors
/// What the system call reported; the process must then not go on to hold keys.
///
/// Source: prctl(2), getrlimit(2), core(5).
pub fn harden_process() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    empty_images();
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    Ok(())
}

/// Leaves all memory out of core images, not locked pages alone: the redactor's automaton and what
/// a command printed a moment ago are in ordinary memory.
///
/// Before the process is closed, because then the file belongs to root. Without `/proc` the limit
/// and the flag have to do.
#[cfg(target_os = "linux")]
fn empty_images() {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    if let Ok(file) = open("/proc/self/coredump_filter", flags, Mode::empty()) {
        let _ = rustix::io::write(&file, b"0");
    }
}
