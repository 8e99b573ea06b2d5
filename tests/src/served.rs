//! A place whose commands go through a daemon.

use std::ffi::OsStr;
use std::fs;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Done, Place, program, wait_until};

/// A place with a vault; its daemon is ended with it, whatever becomes of the test.
pub struct Served {
    place: Place,
}

impl Served {
    /// No daemon runs yet.
    #[must_use]
    pub fn locked() -> Self {
        Self::of(Place::new())
    }

    /// The daemon runs, and the vault is open.
    #[must_use]
    pub fn open() -> Self {
        let served = Self::locked();
        served.unlock();
        served
    }

    /// A place that was made before.
    #[must_use]
    pub fn of(place: Place) -> Self {
        Self { place }
    }

    /// The daemon's folder.
    #[must_use]
    pub fn runtime(&self) -> PathBuf {
        self.path("live/home/run")
    }

    /// The daemon's socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.runtime().join("daemon.sock")
    }

    /// Sets what a program finds around it that may use the daemon.
    pub fn admit(&self, command: &mut Command) {
        self.place.surround(command);
        command.env_remove("SUBROSA_NO_DAEMON");
    }

    /// The program with these arguments and no proof of its own.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(program());
        self.admit(&mut command);
        command.args(arguments);
        command
    }

    /// Runs without a proof.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Done {
        Done::of(&mut self.command(arguments), b"")
    }

    /// Runs without a proof, with this on standard input.
    pub fn fed<A: AsRef<OsStr>>(&self, arguments: &[A], input: &[u8]) -> Done {
        Done::of(&mut self.command(arguments), input)
    }

    /// Opens the vault with what a file holds.
    pub fn unlock_with(&self, file: &str, arguments: &[&str]) -> Done {
        let mut all = vec!["unlock", "--json"];
        all.extend(arguments);
        let mut command = self.place.with_passphrase(file, &all);
        command.env_remove("SUBROSA_NO_DAEMON");
        Done::of(&mut command, b"")
    }

    /// Opens the vault; the process that holds it open.
    #[track_caller]
    pub fn unlock(&self) -> u32 {
        let done = self.unlock_with("passphrase", &[]).ok();
        let told: serde_json::Value = serde_json::from_slice(&done.out).expect("JSON");
        assert_eq!(told["unlocked"], true, "{done:?}");
        u32::try_from(told["pid"].as_u64().expect("a process")).expect("a small number")
    }

    /// The daemon, as the system knows it: who holds the lock of its folder.
    #[must_use]
    pub fn daemon(&self) -> Option<u32> {
        let lock = self.runtime().join("daemon.lock").metadata().ok()?;
        let inode = format!(":{} ", lock.ino());
        let locks = fs::read_to_string("/proc/locks").expect("/proc/locks can be read");
        locks
            .lines()
            .find(|line| line.contains("FLOCK") && line.contains(&inode))
            .and_then(|line| line.split_whitespace().nth(4)?.parse().ok())
    }

    /// Ends the daemon as nobody can see coming, and waits until it is gone.
    pub fn kill(&self) {
        if let Some(pid) = self.daemon() {
            send(pid, Signal::KILL);
            wait_until("the daemon gone", || self.daemon() != Some(pid));
        }
    }
}

/// Sends a signal to a process of this test's making.
pub fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // It may have ended by itself.
    let _ = kill_process(pid.expect("a process"), signal);
}

/// Whether a process runs: one that has ended and was not waited for does not.
#[must_use]
pub fn runs(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(") ")
            .next()
            .is_some_and(|rest| !rest.starts_with(['Z', 'X']))
    })
}

/// What runs below a process: number and name of each.
#[must_use]
pub fn family(pid: u32) -> Vec<(u32, String)> {
    let mut all = Vec::new();
    for item in fs::read_dir("/proc").expect("/proc can be read").flatten() {
        let found = item.file_name().to_str().and_then(|name| name.parse().ok());
        let line = fs::read_to_string(item.path().join("stat")).unwrap_or_default();
        let (Some(found), Some((head, rest))) = (found, line.rsplit_once(") ")) else {
            continue;
        };
        let name = head.split_once('(').map_or("", |(_, name)| name).to_owned();
        let mut fields = rest.split(' ');
        let is_over = fields.next() == Some("Z");
        let parent: u32 = fields
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        if !is_over {
            all.push((found, name, parent));
        }
    }
    let mut above = vec![pid];
    let mut below = Vec::new();
    while let Some(parent) = above.pop() {
        for (found, name, _) in all.iter().filter(|(_, _, of)| *of == parent) {
            above.push(*found);
            below.push((*found, name.clone()));
        }
    }
    below
}

/// The processes of that name below another one.
#[must_use]
pub fn below(pid: u32, name: &str) -> Vec<u32> {
    let all = family(pid).into_iter();
    all.filter_map(|(pid, found)| (found == name).then_some(pid))
        .collect()
}

/// A figure of `/proc/PID/status`, such as `VmRSS` in KiB or `Threads`.
#[must_use]
pub fn figure(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status
        .lines()
        .find(|line| line.split(':').next() == Some(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|text| text.parse().ok()).expect("a number")
}

/// How many descriptors a process has open.
#[must_use]
pub fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("it runs")
        .count()
}

impl Deref for Served {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // A start may still be under way in a command that the test has left behind.
        let _ = self
            .command(&["daemon", "stop"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(|mut child| {
                for _ in 0..400 {
                    if let Ok(Some(_)) = child.try_wait() {
                        return;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                let _ = child.kill();
                let _ = child.wait();
            });
        if let Some(pid) = self.daemon() {
            send(pid, Signal::KILL);
        }
    }
}
