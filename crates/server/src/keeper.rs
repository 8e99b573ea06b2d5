//! The vault while it is open, and when it is to be locked.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use subrosa_engine::{
    Effects, EngineError, Home, Session, Setting, TokenProof, Unlock, VaultError, lineage,
};
use subrosa_model::{Caller, Scope};

/// After which times a vault is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Without a request.
    pub idle: Duration,
    /// Whatever happens.
    pub absolute: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(3600),
            absolute: Duration::from_secs(12 * 3600),
        }
    }
}

/// A machine was suspended when its clocks went apart by more than this.
const SUSPENDED: Duration = Duration::from_secs(2);

/// An open vault.
struct Open {
    session: Session,
    slot: Option<String>,
    timeouts: Timeouts,
    /// By the clock that counts suspension.
    since: Duration,
    used: Duration,
}

/// Keeps the vault open as long as it may be.
pub(crate) struct Keeper {
    home: Home,
    effects: Effects,
    open: Mutex<Option<Open>>,
    /// Held while a passphrase is tried: one after the other, since each takes as much memory and
    /// time as it is meant to.
    trying: Mutex<()>,
    /// How far the clock that counts suspension was ahead of the other.
    ahead: Mutex<Duration>,
}

/// How it is.
pub(crate) struct Kept {
    pub(crate) slot: Option<String>,
    pub(crate) locks_in: (Duration, Duration),
}

impl Keeper {
    pub(crate) fn new(home: Home, effects: Effects) -> Self {
        Self {
            open: Mutex::new(None),
            trying: Mutex::new(()),
            ahead: Mutex::new(ahead(&effects)),
            home,
            effects,
        }
    }

    pub(crate) fn effects(&self) -> &Effects {
        &self.effects
    }

    fn setting(&self) -> Setting {
        Setting {
            home: self.home.clone(),
            effects: self.effects.clone(),
            scope: Scope {
                workspace: Scope::default_workspace(),
                group: None,
            },
            accept_root: false,
            inspect: false,
        }
    }

    /// Time since the machine started, suspension included: nobody can set it back.
    fn since_boot(&self) -> Duration {
        self.effects.clock.since_boot()
    }

    fn lock_state(&self) -> MutexGuard<'_, Option<Open>> {
        // A thread that panicked may have left the session half-way: it is not used again.
        self.open.lock().unwrap_or_else(|poisoned| {
            let mut open = PoisonError::into_inner(poisoned);
            *open = None;
            self.open.clear_poison();
            open
        })
    }

    /// Opens the vault; does nothing when it is open. Returns what there is to know about that.
    pub(crate) fn unlock(
        &self,
        unlock: &Unlock,
        timeouts: Timeouts,
    ) -> Result<Vec<String>, EngineError> {
        let _one = self.trying.lock().unwrap_or_else(PoisonError::into_inner);
        if self.with_open(|_| ()).is_some() {
            return Ok(Vec::new());
        }
        // Not under the lock: it takes as long as a passphrase takes, and others must be told
        // meanwhile that the vault is locked.
        let session = Session::open(self.setting(), unlock)?;
        let notices = session.notices().to_vec();
        let now = self.since_boot();
        let slot = session.slot().map(|slot| slot.label.clone());
        *self.lock_state() = Some(Open {
            session,
            slot,
            timeouts,
            since: now,
            used: now,
        });
        Ok(notices)
    }

    /// Whether a proof of presence opens the vault that is open; `None` when it is locked.
    pub(crate) fn check_proof(
        &self,
        caller: &Caller,
        unlock: &Unlock,
    ) -> Option<Result<(), EngineError>> {
        let _one = self.trying.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = self.with_open(|open| open.session.fingerprint())?;
        // Not under the lock of the vault: it takes as long as a passphrase takes.
        let setting = self.setting();
        Some(Session::check_proof(&setting, caller, unlock, fingerprint))
    }

    /// Forgets the keys.
    pub(crate) fn lock(&self) {
        let open = self.lock_state().take();
        if let Some(open) = open {
            // What was decided is durable; completions that are on their way are waited for.
            let _ = open.session.close();
        }
    }

    /// Does something with the open vault on behalf of a caller; `None` when it is locked.
    pub(crate) fn serve<T>(
        &self,
        (caller, token): (&Caller, Option<&TokenProof>),
        scope: &Scope,
        work: impl FnOnce(&mut Session) -> Result<T, EngineError>,
    ) -> Option<Result<T, EngineError>> {
        let served = self.with_open(|open| {
            open.used = self.since_boot();
            let (session, caller) = (&mut open.session, caller.clone());
            match token {
                None => session.act_for(caller, scope.clone())?,
                Some(token) => {
                    let lineage = lineage(caller.pid);
                    session.act_for_token(token, caller, &lineage, scope.clone())?;
                }
            }
            let done = work(&mut open.session);
            open.used = self.since_boot();
            done
        });
        if let Some(Err(EngineError::Vault(VaultError::Replaced))) = &served {
            // Our keys open nothing any more: the next one is asked for a proof.
            self.lock();
        }
        served
    }

    /// How it is; `None` when it is locked.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let now = self.since_boot();
        self.with_open(|open| {
            let left = |from: Duration, timeout: Duration| {
                from.saturating_add(timeout).saturating_sub(now)
            };
            Kept {
                slot: open.slot.clone(),
                locks_in: (
                    left(open.used, open.timeouts.idle),
                    left(open.since, open.timeouts.absolute),
                ),
            }
        })
    }

    /// Locks when it is time. To be called at least once a second.
    pub(crate) fn tick(&self) {
        // Whoever uses the vault now looks at the clock as well, and is not waited for.
        match self.open.try_lock() {
            Ok(state) => drop(self.in_time(state)),
            Err(TryLockError::Poisoned(_)) => drop(self.lock_state()),
            Err(TryLockError::WouldBlock) => {}
        }
    }

    fn with_open<T>(&self, f: impl FnOnce(&mut Open) -> T) -> Option<T> {
        self.in_time(self.lock_state()).as_mut().map(f)
    }

    /// The state, after what is over was locked.
    fn in_time<'a>(
        &'a self,
        mut state: MutexGuard<'a, Option<Open>>,
    ) -> MutexGuard<'a, Option<Open>> {
        let now = self.since_boot();
        if (self.was_suspended() || state.as_ref().is_some_and(|open| open.is_over(now)))
            && let Some(open) = state.take()
        {
            let _ = open.session.close();
        }
        state
    }

    /// Whether the machine slept since the last look. A vault does not stay open over that: the
    /// lid of a notebook is closed on it.
    fn was_suspended(&self) -> bool {
        let now = ahead(&self.effects);
        let mut before = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = now.saturating_sub(*before) > SUSPENDED;
        *before = now;
        slept
    }
}

impl Open {
    fn is_over(&self, now: Duration) -> bool {
        now >= self.used.saturating_add(self.timeouts.idle)
            || now >= self.since.saturating_add(self.timeouts.absolute)
    }
}

/// How far the clock that counts suspension is ahead of the one that does not.
fn ahead(effects: &Effects) -> Duration {
    let awake = clock_gettime(ClockId::Monotonic);
    let awake = Duration::new(
        u64::try_from(awake.tv_sec).unwrap_or(0),
        u32::try_from(awake.tv_nsec).unwrap_or(0),
    );
    effects.clock.since_boot().saturating_sub(awake)
}

#[cfg(test)]
mod tests;
