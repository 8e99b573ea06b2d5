//! The effects of the machine that the engine runs on.
#![allow(clippy::disallowed_methods, reason = "the one clock of the program")]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use subrosa_crypto::{Rng, SystemRng, random};
use subrosa_model::{Caller, CallerKind, Clock, SessionId, Timestamp};
use subrosa_runner::{Spawner, SystemSpawner};

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
            session: SessionId::from_bytes(random(&*self.rng)),
        }
    }
}

impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Effects")
    }
}
