//! When a vault is kept open and when not, by clocks that do what clocks do.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use subrosa_crypto::{Argon2Params, SecretBuf};
use subrosa_engine::{
    Effects, Home, InitOptions, ListFilter, Session, Setting, SystemClock, Unlock,
};
use subrosa_model::{Clock, Scope, Timestamp};

use super::{Keeper, Timeouts};

/// The system's clocks, each put forward or back by so much.
#[derive(Default)]
struct Shifted {
    /// Microseconds.
    wall: AtomicI64,
    /// Milliseconds.
    boot: AtomicU64,
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        let micros = SystemClock.now().as_micros();
        Timestamp::from_micros(micros + self.wall.load(Ordering::Relaxed))
    }

    fn since_boot(&self) -> Duration {
        SystemClock.since_boot() + Duration::from_millis(self.boot.load(Ordering::Relaxed))
    }
}

struct Stand {
    _folder: tempfile::TempDir,
    clock: Arc<Shifted>,
    keeper: Keeper,
}

const PASSPHRASE: &[u8] = b"correct horse battery";

fn secret() -> SecretBuf {
    SecretBuf::copy_from(PASSPHRASE).expect("locked memory")
}

fn scope() -> Scope {
    Scope {
        workspace: Scope::default_workspace(),
        group: None,
    }
}

/// A vault, and a keeper of it that is closed.
fn stand() -> Stand {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_owned();
    let variable = |name: &str| match name {
        "SUBROSA_HOME" => Some(root.join("home").into_os_string()),
        "XDG_STATE_HOME" => Some(root.join("state").into_os_string()),
        _ => None,
    };
    let home = Home::find(variable, Some(root.clone())).expect("a home");
    let clock = Arc::new(Shifted::default());
    let effects = Effects {
        clock: clock.clone(),
        ..Effects::system()
    };
    let setting = Setting {
        home: home.clone(),
        effects: effects.clone(),
        scope: scope(),
        accept_root: false,
        inspect: false,
    };
    let options = InitOptions {
        passphrase: secret(),
        recovery: false,
        params: Some(Argon2Params::FLOOR),
    };
    let (session, _) = Session::init(setting, options).expect("made");
    session.close().expect("closed");
    Stand {
        _folder: folder,
        clock,
        keeper: Keeper::new(home, effects),
    }
}

fn open(stand: &Stand, timeouts: Timeouts) {
    let unlock = Unlock::Passphrase(secret());
    stand.keeper.unlock(&unlock, timeouts).expect("opens");
    assert!(stand.keeper.kept().is_some());
}

fn list(stand: &Stand) -> Option<usize> {
    let caller = stand.keeper.effects().operator();
    let served = stand.keeper.serve((&caller, None), &scope(), |session| {
        session.list(&ListFilter::default())
    });
    served.map(|listed| listed.expect("listed").len())
}

#[test]
fn a_machine_that_slept_finds_it_locked() {
    let stand = stand();
    open(&stand, Timeouts::default());
    assert_eq!(list(&stand), Some(0));
    // The clock that counts sleep went on without the other.
    stand.clock.boot.store(10_000, Ordering::Relaxed);
    assert_eq!(list(&stand), None);
    assert!(stand.keeper.kept().is_none());
    // Opened again, it stays open: the sleep is over.
    open(&stand, Timeouts::default());
    assert_eq!(list(&stand), Some(0));
}

#[test]
fn a_tick_is_enough_to_lock_it_after_a_sleep() {
    let stand = stand();
    open(&stand, Timeouts::default());
    stand.clock.boot.store(10_000, Ordering::Relaxed);
    stand.keeper.tick();
    // Another look does not take the sleep for a new one.
    assert!(stand.keeper.kept().is_none());
}

#[test]
fn the_wall_clock_may_go_either_way() {
    const YEAR: i64 = 365 * 86_400 * 1_000_000;
    let stand = stand();
    open(&stand, Timeouts::default());
    for shift in [-YEAR, YEAR, -10 * YEAR, 0] {
        stand.clock.wall.store(shift, Ordering::Relaxed);
        stand.keeper.tick();
        assert_eq!(list(&stand), Some(0), "{shift}");
    }
    let kept = stand.keeper.kept().expect("open");
    assert!(
        kept.locks_in.0 > Duration::from_secs(3000),
        "{:?}",
        kept.locks_in
    );
}

#[test]
fn a_time_that_is_over_is_over() {
    let stand = stand();
    let timeouts = Timeouts {
        idle: Duration::ZERO,
        ..Timeouts::default()
    };
    let unlock = Unlock::Passphrase(secret());
    stand.keeper.unlock(&unlock, timeouts).expect("opens");
    assert_eq!(list(&stand), None);
    let timeouts = Timeouts {
        absolute: Duration::ZERO,
        ..Timeouts::default()
    };
    stand.keeper.unlock(&unlock, timeouts).expect("opens");
    assert_eq!(list(&stand), None);
}
