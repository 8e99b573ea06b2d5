//! A control group for a run, where we may make one: the kernel's own bound on processes.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::write;
use rustix::process::{Pid, Signal, getpid, kill_process};

use crate::RunError;
use crate::spawn::{above, backstop};

/// How often members are killed.
const KILL_ATTEMPTS: u32 = 1000;

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

    /// What a guardian needs to enter the group, and to leave and remove it.
    pub(crate) fn doors(&self) -> Result<Doors, RunError> {
        let missing = || RunError::System {
            what: "opening its control group",
            source: std::io::ErrorKind::NotFound.into(),
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let outside = self.path.parent().ok_or_else(missing)?;
        let parent = openat(CWD, outside, flags, Mode::empty())
            .map_err(RunError::system("opening its control group"))?;
        let name = self
            .path
            .file_name()
            .and_then(|name| CString::new(name.as_bytes()).ok());
        Ok(Doors {
            entrance: above(self.open("cgroup.procs").ok_or_else(missing)?)?,
            exit: above(open_procs(outside).ok_or_else(missing)?)?,
            parent: above(parent)?,
            name: name.ok_or_else(missing)?,
        })
    }

    /// Kills everything in the group, for when its guardian is gone. Bounded: whoever forks faster
    /// than this for so long has won against a guardian that was killed.
    pub(crate) fn kill(&self) {
        // Nothing new may start.
        let _ = self.open("pids.max").map(|file| write(&file, b"0"));
        for _ in 0..KILL_ATTEMPTS {
            let members = std::fs::read_to_string(self.path.join("cgroup.procs"));
            let members: Vec<Pid> = members
                .unwrap_or_default()
                .lines()
                .filter_map(|line| line.parse().ok().and_then(Pid::from_raw))
                .collect();
            if members.is_empty() {
                return;
            }
            for pid in members {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Removes the group, should it still be there; it must be empty.
    pub(crate) fn remove(self) {
        let _ = unlinkat(CWD, &self.path, AtFlags::REMOVEDIR);
    }

    fn open(&self, file: &str) -> Option<OwnedFd> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        openat(CWD, self.path.join(file), flags, Mode::empty()).ok()
    }
}

fn open_procs(group: &Path) -> Option<OwnedFd> {
    let flags = OFlags::WRONLY | OFlags::CLOEXEC;
    openat(CWD, group.join("cgroup.procs"), flags, Mode::empty()).ok()
}

/// A group as its guardian has it: descriptors, made before the fork.
pub(crate) struct Doors {
    pub(crate) entrance: OwnedFd,
    pub(crate) exit: OwnedFd,
    pub(crate) parent: OwnedFd,
    name: CString,
}

impl Doors {
    /// Enters. Makes no allocation.
    pub(crate) fn enter(&self) -> rustix::io::Result<()> {
        write(&self.entrance, b"0").map(|_| ())
    }

    /// Leaves the group, and removes it when nobody else is in it. Makes no allocation.
    pub(crate) fn leave(&self) {
        let _ = write(&self.exit, b"0");
        let _ = unlinkat(&self.parent, &*self.name, AtFlags::REMOVEDIR);
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
