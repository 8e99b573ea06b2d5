//! Fakes, generators and servers for tests. Only ever a dev-dependency.
#![forbid(unsafe_code)]

mod log;
mod mark;
mod postgres;
mod records;
mod rng;

pub use log::{LogContents, MemoryLog};
pub use mark::mark;
pub use postgres::{PostgresServer, postgres};
pub use records::{MemoryStore, RecordContents};
pub use rng::SeededRng;
