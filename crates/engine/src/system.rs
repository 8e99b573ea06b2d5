//! The effects of the machine that the engine runs on.
#![allow(clippy::disallowed_methods, reason = "the one clock of the program")]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use subrosa_crypto::{Rng, SystemRng, random};
use subrosa_model::{Caller, CallerKind, Clock, SessionId, Timestamp};
use subrosa_runner::{Spawner, SystemSpawner};

use crate::agents::{Leader, Lineage};

/// The clocks of the system.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Timestamp::from_micros(micros(since)),
            Err(before) => Timestamp::from_micros(-micros(before.duration())),
        }
    }

    fn since_boot(&self) -> Duration {
        let now = clock_gettime(ClockId::Boottime);
        Duration::new(
            u64::try_from(now.tv_sec).unwrap_or(0),
            u32::try_from(now.tv_nsec).unwrap_or(0),
        )
    }
}

/// What every use case needs of the machine.
#[derive(Clone)]
pub struct Effects {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Where the processes of commands come from.
    pub spawner: Arc<dyn Spawner>,
}

impl Effects {
    /// The system's own.
    #[must_use]
    pub fn system() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
            spawner: Arc::new(SystemSpawner),
        }
    }

    /// The caller that this process is, as an operator who opens the vault in its own process.
    #[must_use]
    pub fn operator(&self) -> Caller {
        let executable = std::env::current_exe().ok();
        Caller {
            kind: CallerKind::Operator,
            uid: rustix::process::geteuid().as_raw(),
            pid: std::process::id(),
            executable: executable.map(|path| path.display().to_string()),
            token: None,
            session: SessionId::from_bytes(random(&*self.rng)),
        }
    }
}

/// Where a process stands among the others.
#[must_use]
pub fn lineage(pid: u32) -> Lineage {
    const MOST: usize = 64;
    let Ok(boot) = std::fs::read_to_string("/proc/sys/kernel/random/boot_id") else {
        return Lineage::default();
    };
    let leader = |pid: u32, started: u64| Leader {
        boot: boot.trim().to_owned(),
        pid,
        started,
    };
    let Some(own) = stat(pid) else {
        return Lineage::default();
    };
    // The leader may be gone, or in a namespace that is not seen from here: the number of the session
    // says nothing then of who is in it, but who descends from the eldest that is left is known.
    let first = stat(own.session).filter(|first| own.session != 0 && first.session == own.session);
    let mut first = first.map(|first| leader(own.session, first.started));
    let (session, is_led) = (own.session, first.is_some());
    let (mut pid, mut process) = (pid, own);
    let mut line = Vec::new();
    while line.len() < MOST {
        let this = leader(pid, process.started);
        // Of itself it would say nothing of anybody else.
        if !is_led && !line.is_empty() && process.session == session {
            first = Some(this.clone());
        }
        line.push(this);
        // The first process adopts whoever has lost its parent, and says nothing of them.
        if process.parent <= 1 {
            break;
        }
        pid = process.parent;
        match stat(pid) {
            Some(parent) => process = parent,
            None => break,
        }
    }
    Lineage {
        leader: first,
        line,
    }
}

struct Stat {
    parent: u32,
    session: u32,
    started: u64,
}

/// Fields 4, 6 and 22 of `/proc/PID/stat` (proc(5)); the second may hold anything but ends with the
/// last bracket.
fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Effects")
    }
}
