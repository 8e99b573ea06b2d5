//! The kernel's own refusal to lock. Alone in its process, because it lowers
//! the limit and gives up a capability.
#![cfg(target_os = "linux")]

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use subrosa_crypto::{Key, MemoryError, ReadError, SecretBuf, SystemRng};

const LIMIT: u64 = 128 * 1024;

#[test]
fn over_the_kernels_limit_nothing_falls_back_to_ordinary_memory() {
    let maximum = getrlimit(Resource::Memlock).maximum;
    assert!(maximum.is_none_or(|maximum| maximum >= LIMIT));
    let current = Some(LIMIT);
    setrlimit(Resource::Memlock, Rlimit { current, maximum }).unwrap();
    // The superuser may lock without limit, unless this is given up.
    let mut held = capabilities(None).unwrap();
    held.effective.remove(CapabilitySet::IPC_LOCK);
    set_capabilities(None, held).unwrap();

    let error = SecretBuf::with_capacity(1 << 20).unwrap_err();
    assert!(
        matches!(error, MemoryError::Locked { needed, limit }
            if needed == 1 << 20 && limit == LIMIT),
        "{error:?}"
    );
    assert!(error.to_string().contains("ulimit -l"), "{error}");

    let outcome = SecretBuf::read_to_end(&mut std::io::repeat(b'x'), 1 << 20);
    assert!(matches!(
        outcome,
        Err(ReadError::Memory(MemoryError::Locked { .. }))
    ));

    // Keys are made until the limit, never beyond it.
    let mut keys = Vec::new();
    let error = loop {
        match Key::generate(&SystemRng) {
            Ok(key) => keys.push(key),
            Err(error) => break error,
        }
        assert!(
            (keys.len() as u64) < LIMIT / 32,
            "more than could be locked"
        );
    };
    assert!(matches!(error, MemoryError::Locked { .. }), "{error:?}");
    assert!(keys.len() as u64 > LIMIT / 1024, "{} keys", keys.len());

    // What was held goes on working, and room comes back.
    let copy = SecretBuf::copy_from(keys[0].danger_expose());
    assert!(copy.is_err() || copy.is_ok_and(|copy| copy.len() == 32));
    drop(keys);
    assert!(Key::generate(&SystemRng).is_ok());
    assert!(SecretBuf::with_capacity(32 * 1024).is_ok());
}
