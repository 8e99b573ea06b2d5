//! A daemon of the throw-away installation, which ends with whoever has it.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::stage::{Call, Stage};
use crate::failure::Failure;

/// Waits for a word and tells the daemon to stop, also when no word comes since this process is
/// gone. A start may still be under way then.
const WARDEN: &str =
    "trap '' INT QUIT TERM HUP; read -r _ || sleep 1; exec \"$0\" daemon stop </dev/null";
/// How long anything may take that should take no time, also on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// An installation of its own whose calls go through its daemon.
pub(super) struct Served<'a> {
    pub(super) stage: &'a Stage,
    pub(super) home: PathBuf,
    /// What calls are started by, if not by themselves.
    under: Vec<String>,
    warden: Child,
    process: Option<u32>,
}

impl<'a> Served<'a> {
    /// A copy of the installation. No daemon runs yet.
    pub(super) fn locked(stage: &'a Stage, name: &str) -> Result<Self, Failure> {
        let home = stage.copy(name)?;
        let warden = stage.warden(&home, WARDEN)?;
        Ok(Self {
            stage,
            home,
            under: Vec::new(),
            warden,
            process: None,
        })
    }

    /// As [`Served::locked`], and the daemon runs and holds the vault open.
    pub(super) fn open(stage: &'a Stage, name: &str) -> Result<Self, Failure> {
        let mut served = Self::locked(stage, name)?;
        served.start()?;
        Ok(served)
    }

    /// As [`Served::open`], where the daemon is started by another program.
    pub(super) fn open_under(
        stage: &'a Stage,
        name: &str,
        under: &[String],
    ) -> Result<Self, Failure> {
        let mut served = Self::locked(stage, name)?;
        served.under = under.to_vec();
        served.start()?;
        Ok(served)
    }

    /// Starts the daemon and opens the vault.
    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let ran = self.unlock().run()?;
        let told: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
        let process = told["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        if !ran.ok() || told["unlocked"] != true || process.is_none() {
            let why = format!("no daemon could be started: {}", ran.err().trim());
            return Err(Failure::new("demo", why));
        }
        self.process = process;
        Ok(())
    }

    /// The call that starts the daemon and opens the vault.
    pub(super) fn unlock(&self) -> Call<'_> {
        let call = self.stage.call(&["--json", "unlock"]).at(&self.home);
        call.through_daemon().under(&self.under)
    }

    /// A call without a proof, which goes through the daemon.
    pub(super) fn call<'b>(&'b self, words: &[&'b str]) -> Call<'b> {
        let call = self.stage.call(words).at(&self.home);
        call.without_proof().through_daemon()
    }

    /// A call with a proof, which opens the vault beside the daemon.
    pub(super) fn proven<'b>(&'b self, words: &[&'b str]) -> Call<'b> {
        self.stage.call(words).at(&self.home)
    }

    /// Puts a policy in force.
    pub(super) fn apply(&self, policy: &str) -> Result<(), Failure> {
        let call = self.proven(&["apply", "-f", "-"]).input(policy);
        let ran = call.run()?;
        if ran.ok() {
            return Ok(());
        }
        let why = format!("a policy was not applied: {}", ran.err().trim());
        Err(Failure::new("demo", why))
    }

    /// The process of the daemon.
    pub(super) fn process(&self) -> Result<u32, Failure> {
        self.process
            .ok_or_else(|| Failure::new("demo", "no daemon runs"))
    }

    /// Whether the daemon serves, and is the one that was started.
    pub(super) fn serves(&self) -> Result<bool, Failure> {
        let began = Instant::now();
        let ran = self.call(&["--json", "ls"]).run()?;
        Ok(ran.ok()
            && ran.out().contains("shop/STRIPE_KEY")
            && began.elapsed() < PATIENCE
            && self.process.is_some_and(is_daemon))
    }

    /// The folder of the socket.
    pub(super) fn folder(&self) -> PathBuf {
        self.home.join("run")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder().join("daemon.sock")
    }

    /// A connection on which nothing has been said.
    pub(super) fn raw(&self) -> Result<UnixStream, Failure> {
        let failed = || Failure::io("the daemon's socket");
        let folder = fs::File::open(self.folder()).map_err(failed())?;
        let socket = UnixStream::connect(near(&folder)).map_err(failed())?;
        let timeout = Some(PATIENCE);
        socket.set_read_timeout(timeout).map_err(failed())?;
        socket.set_write_timeout(timeout).map_err(failed())?;
        Ok(socket)
    }
}

/// The socket in an open folder: its path itself may be longer than a socket's name may be.
pub(super) fn near(folder: &fs::File) -> PathBuf {
    use std::os::fd::AsRawFd;
    let folder = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string());
    folder.join("daemon.sock")
}

/// Whether this process is one of our daemons, and not another with its number.
fn is_daemon(process: u32) -> bool {
    fs::read(format!("/proc/{process}/cmdline"))
        .is_ok_and(|line| line.ends_with(b"\0daemon\0run\0"))
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        if let Some(mut word) = self.warden.stdin.take() {
            let _ = word.write_all(b"end\n");
        }
        let began = Instant::now();
        while began.elapsed() < PATIENCE && matches!(self.warden.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.warden.kill();
        let _ = self.warden.wait();
        // One that does not stop when it is told to is not left behind either.
        if let Some(process) = self.process
            && is_daemon(process)
            && let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(process, Signal::KILL);
        }
    }
}
