//! All processes below one, found in `/proc`.
//!
//! Runs in a fork of a process with threads, so nothing here allocates: the table and the buffers
//! are made before.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, RawDir, SeekFrom, fstat, openat, readlinkat_raw, seek};
use rustix::io::{Errno, read};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, getuid, kill_process, pidfd_open,
    pidfd_send_signal, waitpid,
};

use crate::RunError;

/// Most processes of the system that are looked at in one pass. Those beyond are seen in a later
/// one, after others have been killed.
const TABLE: usize = 64 * 1024;

/// A process, told from a later one with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) pid: i32,
    start: u64,
}

/// One process as it was seen.
#[derive(Clone, Copy)]
struct Entry {
    pid: i32,
    parent: i32,
    /// Start in ticks since boot: with the number it tells a process from a later one.
    start: u64,
    zombie: bool,
    below: bool,
}

impl Entry {
    fn who(&self) -> Who {
        Who {
            pid: self.pid,
            start: self.start,
        }
    }
}

/// The table of processes.
pub(crate) struct Tree {
    proc: OwnedFd,
    entries: Vec<Entry>,
    buffer: Vec<u8>,
}

impl Tree {
    /// Opens `/proc` and makes room for the table.
    ///
    /// # Errors
    /// [`RunError::NoProc`] when it is not that of our own process identifiers.
    pub(crate) fn new() -> Result<Self, RunError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let proc = openat(CWD, c"/proc", flags, Mode::empty()).map_err(|_| RunError::NoProc)?;
        let mut link = [MaybeUninit::uninit(); 16];
        let own = readlinkat_raw(&proc, c"self", &mut link[..])
            .ok()
            .and_then(|(name, _)| std::str::from_utf8(name).ok()?.parse::<i32>().ok());
        if own != Some(getpid().as_raw_pid()) {
            return Err(RunError::NoProc);
        }
        Ok(Self {
            proc,
            entries: Vec::with_capacity(TABLE),
            buffer: Vec::with_capacity(32 * 1024),
        })
    }

    pub(crate) fn descriptor(&self) -> &OwnedFd {
        &self.proc
    }

    /// How many processes there are below this one, zombies included: they take a number too.
    pub(crate) fn count(&mut self) -> usize {
        self.look();
        self.entries.iter().filter(|entry| entry.below).count()
    }

    /// Sends `signal` to every process below this one.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.look();
        for entry in self
            .entries
            .iter()
            .filter(|entry| entry.below && !entry.zombie)
        {
            self.send(entry, signal);
        }
    }

    /// Sends through a descriptor of the process, after a second look, so that a number that was
    /// given to a new process in between is not hit.
    fn send(&self, entry: &Entry, signal: Signal) {
        let Some(pid) = Pid::from_raw(entry.pid) else {
            return;
        };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => {
                if self
                    .entry(entry.pid)
                    .is_some_and(|now| now.start == entry.start)
                {
                    let _ = pidfd_send_signal(descriptor, signal);
                }
            }
            // Kernels before 5.3.
            Err(Errno::NOSYS | Errno::PERM) => {
                let _ = kill_process(pid, signal);
            }
            Err(_) => {}
        }
    }

    /// The children of this process. Allocates, as the next one does: neither is for a fork.
    pub(crate) fn children(&mut self) -> Vec<Who> {
        self.read();
        let own = getpid().as_raw_pid();
        let children = self.entries.iter().filter(|entry| entry.parent == own);
        children.map(Entry::who).collect()
    }

    /// Kills what is below this process, except for the children that are to be spared or may gain
    /// privileges, and what is below those. Collects children that have ended. Returns how many
    /// processes there were, and how many were collected.
    pub(crate) fn end_orphans(&mut self, spare: impl Fn(Who) -> bool) -> (usize, u32) {
        self.read();
        let own = getpid().as_raw_pid();
        let mut entries = std::mem::take(&mut self.entries);
        // What is not in the table leads to nothing below it.
        entries.retain(|entry| {
            entry.parent != own || !(spare(entry.who()) || self.may_gain_privileges(entry.pid))
        });
        self.entries = entries;
        self.mark(own);
        let mut collected = 0;
        let mut count = 0;
        for entry in self.entries.iter().filter(|entry| entry.below) {
            count += 1;
            if !entry.zombie {
                self.send(entry, Signal::KILL);
            } else if entry.parent == own {
                let ended = waitpid(Pid::from_raw(entry.pid), WaitOptions::NOHANG);
                collected += u32::from(matches!(ended, Ok(Some(_))));
            }
        }
        (count, collected)
    }

    /// Whether a process has not given up privileges for good, which commands do before they are
    /// executed and which passes on to all they start.
    fn may_gain_privileges(&self, pid: i32) -> bool {
        let path = format!("{pid}/status");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let mut text = [0; 4096];
        openat(&self.proc, path, flags, Mode::empty())
            .and_then(|file| read(&file, &mut text[..]))
            .is_ok_and(|length| {
                // A name cannot hold a line of its own: newlines in it are escaped.
                let mut lines = text[..length].split(|byte| *byte == b'\n');
                lines.any(|line| line == b"NoNewPrivs:\t0")
            })
    }

    /// Reads the table and marks what is below us.
    fn look(&mut self) {
        self.read();
        self.mark(getpid().as_raw_pid());
    }

    fn read(&mut self) {
        self.entries.clear();
        let _ = seek(&self.proc, SeekFrom::Start(0));
        let mut buffer = std::mem::take(&mut self.buffer);
        {
            let mut listing = RawDir::new(self.proc.as_fd(), buffer.spare_capacity_mut());
            while let Some(Ok(item)) = listing.next() {
                if self.entries.len() == self.entries.capacity() {
                    break;
                }
                let pid = number(item.file_name().to_bytes());
                if let Some(entry) = pid.and_then(|pid| self.entry(pid)) {
                    self.entries.push(entry);
                }
            }
        }
        self.buffer = buffer;
        self.entries.sort_unstable_by_key(|entry| entry.pid);
    }

    /// Marks everything below `root`. Children mostly have higher numbers than their parents, so
    /// one pass does nearly always; numbers that wrapped around take more.
    fn mark(&mut self, root: i32) {
        loop {
            let mut changed = false;
            for index in 0..self.entries.len() {
                let Entry { parent, below, .. } = self.entries[index];
                if below {
                    continue;
                }
                let found = parent == root
                    || self
                        .entries
                        .binary_search_by_key(&parent, |entry| entry.pid)
                        .is_ok_and(|at| self.entries[at].below);
                if found {
                    self.entries[index].below = true;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// One process; `None` when there is none.
    fn entry(&self, pid: i32) -> Option<Entry> {
        let mut path = [0; 24];
        let mut text = [0; 512];
        let file = openat(
            &self.proc,
            stat_path(pid, &mut path)?,
            OFlags::RDONLY | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .ok()?;
        let length = read(&file, &mut text[..]).ok()?;
        parse(pid, &text[..length])
    }
}

/// Tasks (threads count too) of our user at present; `None` for root, whom `RLIMIT_NPROC` does not
/// bind. For use before a fork: it allocates.
pub(crate) fn tasks_of_user() -> Option<u64> {
    let own = getuid();
    if own.is_root() {
        return None;
    }
    let mut tasks = 0;
    for item in std::fs::read_dir("/proc").ok()?.flatten() {
        let is_own = item
            .metadata()
            .is_ok_and(|metadata| metadata.uid() == own.as_raw());
        if !is_own || number(item.file_name().as_bytes()).is_none() {
            continue;
        }
        let line = std::fs::read(item.path().join("stat")).unwrap_or_default();
        tasks += threads(&line).unwrap_or(0);
    }
    Some(tasks)
}

/// Process group and session of a process, or of this one. Either is 0 when its leader lives
/// outside our PID namespace, as the session of a shell that was put into a container does;
/// `getpgid` and `getsid` of rustix hold that this cannot be.
pub(crate) fn belonging(pid: Option<Pid>) -> Option<(i32, i32)> {
    let path = match pid {
        Some(pid) => format!("/proc/{}/stat", pid.as_raw_nonzero()),
        None => "/proc/self/stat".to_owned(),
    };
    let line = std::fs::read(path).ok()?;
    Some((number(field(&line, 5)?)?, number(field(&line, 6)?)?))
}

/// Whether somebody has stopped a process. Allocates.
pub(crate) fn is_stopped(pid: Pid) -> bool {
    let line = std::fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
    matches!(field(&line, 3), Some(b"T" | b"t"))
}

/// Whether a process runs and, if `terminal` is that of its session, is in the group that may read
/// there. Allocates.
///
/// Source: proc_pid_stat(5): pgrp is field 5, tty_nr 7 with the low bits of the minor number in 0 to
/// 7 and the rest in 20 to 31, tpgid 8.
pub(crate) fn has_terminal(pid: Pid, terminal: impl AsFd) -> bool {
    let line = std::fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
    let of = |at: usize| field(&line, at).and_then(number);
    let device = fstat(terminal).map_or(0, |state| state.st_rdev);
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let encoded = (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12);
    let is_its_own = of(7) == Some(encoded.cast_signed());
    !matches!(field(&line, 3), Some(b"T" | b"t")) && (!is_its_own || of(5) == of(8))
}

/// When a process started, since 1970; to the second. Allocates.
///
/// Source: proc_pid_stat(5): field 22, in ticks since boot, of which Linux shows 100 a second to
/// programs on every architecture that Rust has; proc_stat(5): `btime`.
pub(crate) fn started(pid: Pid) -> Option<Duration> {
    const TICKS: u64 = 100;
    let line = std::fs::read(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    let ticks: u64 = std::str::from_utf8(field(&line, 22)?).ok()?.parse().ok()?;
    let system = std::fs::read_to_string("/proc/stat").ok()?;
    let boot = system
        .lines()
        .find_map(|line| line.strip_prefix("btime "))?;
    Some(Duration::from_secs(
        boot.trim().parse::<u64>().ok()? + ticks / TICKS,
    ))
}

fn threads(line: &[u8]) -> Option<u64> {
    std::str::from_utf8(field(line, 20)?).ok()?.parse().ok()
}

/// One field of `/proc/PID/stat` behind the name, counted as proc_pid_stat(5) counts: from 3.
fn field(line: &[u8], number: usize) -> Option<&[u8]> {
    let after = line.iter().rposition(|byte| *byte == b')')? + 2;
    line.get(after..)?
        .split(|byte| *byte == b' ')
        .nth(number.checked_sub(3)?)
}

fn number(text: &[u8]) -> Option<i32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `PID/stat`, without an allocation.
fn stat_path(pid: i32, buffer: &mut [u8; 24]) -> Option<&CStr> {
    let mut digits = [0; 10];
    let mut first = digits.len();
    let mut rest = u32::try_from(pid).ok()?;
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    let digits = &digits[first..];
    let end = digits.len() + b"/stat\0".len();
    buffer[..digits.len()].copy_from_slice(digits);
    buffer[digits.len()..end].copy_from_slice(b"/stat\0");
    CStr::from_bytes_with_nul(&buffer[..end]).ok()
}

/// Reads a line of `/proc/PID/stat`. The name in parentheses may hold anything, parentheses too,
/// so fields are counted from the last one.
///
/// Source: proc_pid_stat(5): state is field 3, ppid 4, starttime 22.
fn parse(pid: i32, line: &[u8]) -> Option<Entry> {
    let after = line.iter().rposition(|byte| *byte == b')')? + 2;
    let mut fields = line.get(after..)?.split(|byte| *byte == b' ');
    let state = fields.next()?;
    let parent = number(fields.next()?)?;
    let start = std::str::from_utf8(fields.nth(17)?).ok()?.parse().ok()?;
    Some(Entry {
        pid,
        parent,
        start,
        zombie: matches!(state, b"Z" | b"X"),
        below: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_fields() {
        let line = b"7 (a) Z 1 (b) c) S 42 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 9876 1 1";
        let entry = parse(7, line).expect("a whole line");
        assert_eq!((entry.parent, entry.start, entry.zombie), (42, 9876, false));
        assert!(parse(7, b"7 (cut").is_none());
        assert!(parse(7, b"7 (cut)").is_none());
    }

    #[test]
    fn paths_are_written_without_format() {
        let mut buffer = [0; 24];
        assert_eq!(stat_path(0, &mut buffer), Some(c"0/stat"));
        assert_eq!(stat_path(i32::MAX, &mut buffer), Some(c"2147483647/stat"));
        assert_eq!(stat_path(-1, &mut buffer), None);
    }

    #[test]
    fn marks_what_is_below_whatever_the_numbers() {
        let mut tree = Tree::new().expect("/proc is there");
        let entry = |pid, parent| Entry {
            pid,
            parent,
            start: 0,
            zombie: false,
            below: false,
        };
        // 100 → 50 → 20 → 70, and 60 beside it.
        tree.entries
            .extend([entry(20, 50), entry(50, 100), entry(60, 1), entry(70, 20)]);
        tree.mark(100);
        let below: Vec<i32> = tree
            .entries
            .iter()
            .filter(|e| e.below)
            .map(|e| e.pid)
            .collect();
        assert_eq!(below, [20, 50, 70]);
    }
}
