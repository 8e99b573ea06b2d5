//! Alone in its process, because hardening cannot be undone.
#![cfg(target_os = "linux")]

use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

#[test]
fn a_hardened_process_leaves_no_core() {
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::Dumpable);
    subrosa_crypto::harden_process().unwrap();
    assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
    let core = getrlimit(Resource::Core);
    assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
    // Twice is as good as once: the limit may be lowered to where it is.
    subrosa_crypto::harden_process().unwrap();
}
