//! A control group for a run, where we may make one: the kernel's own bound on processes.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::write;
use rustix::process::getpid;

use crate::RunError;
use crate::spawn::{above, backstop};

/// A group below our own, with a bound on tasks.
pub(crate) struct Group {
    path: PathBuf,
}

impl Group {
    /// Makes a group that holds at most [`backstop`] tasks; `None` where that is not ours to do,
    /// which is the common case without root.
    pub(crate) fn create(processes: u32) -> Option<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("subrosa-{}-{number}", getpid().as_raw_pid());
        let path = parent()?.join(name);
        mkdirat(CWD, &path, Mode::from_raw_mode(0o755)).ok()?;
        let group = Self { path };
        let bound = backstop(processes).to_string();
        let bounded = group
            .open("pids.max")
            .and_then(|file| write(&file, bound.as_bytes()).ok());
        if bounded.is_none() || group.open("cgroup.procs").is_none() {
            group.remove();
            return None;
        }
        Some(group)
    }

    /// What a process writes `0` to in order to enter.
    pub(crate) fn entrance(&self) -> Result<OwnedFd, RunError> {
        let file = self.open("cgroup.procs").ok_or(RunError::System {
            what: "opening its control group",
            source: std::io::ErrorKind::NotFound.into(),
        })?;
        above(file)
    }

    /// Removes the group; it must be empty.
    pub(crate) fn remove(self) {
        let _ = unlinkat(CWD, &self.path, AtFlags::REMOVEDIR);
    }

    fn open(&self, file: &str) -> Option<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        openat(CWD, self.path.join(file), flags, Mode::empty()).ok()
    }
}

/// The group that we are in, in the hierarchy that counts processes.
///
/// Source: cgroups(7): a line of `/proc/self/cgroup` is `id:controllers:path`, with the number 0
/// and no controllers for version 2.
fn parent() -> Option<PathBuf> {
    let lines = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    for line in lines.lines() {
        let mut parts = line.splitn(3, ':');
        let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|name| name == "pids") {
            return Some(Path::new("/sys/fs/cgroup/pids").join(path));
        }
        if id == "0" {
            let own = Path::new("/sys/fs/cgroup").join(path);
            let inherited = std::fs::read_to_string(own.join("cgroup.subtree_control")).ok();
            if inherited.is_some_and(|names| names.split_whitespace().any(|name| name == "pids")) {
                return Some(own);
            }
        }
    }
    None
}
