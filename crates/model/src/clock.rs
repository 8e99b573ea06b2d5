//! Time as an argument.

use std::time::Duration;

use crate::Timestamp;

/// Where the time comes from; the program hands in the system's, tests their own.
pub trait Clock: Send + Sync {
    /// Wall-clock time, UTC. It may jump either way.
    fn now(&self) -> Timestamp;

    /// Time since boot, suspend included; it never goes back. Idle limits are measured by it.
    fn since_boot(&self) -> Duration;
}
