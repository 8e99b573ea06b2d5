//! Fakes, generators and servers for tests. Only ever a dev-dependency.
#![forbid(unsafe_code)]

mod label;
mod log;
mod mark;
mod postgres;
mod records;
mod rng;

pub use label::label;
pub use log::{LogContents, MemoryLog};
pub use mark::mark;
pub use postgres::{PostgresServer, postgres};
pub use records::{MemoryStore, RecordContents};
pub use rng::SeededRng;

/// The log's core, for tests of rooms that may not depend on it.
pub mod audit {
    pub use subrosa_audit::{AuditError, Chain, KeyRing, Prepared};
}
