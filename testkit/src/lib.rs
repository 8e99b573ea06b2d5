//! Fakes, generators and servers for tests. Only ever a dev-dependency.
#![forbid(unsafe_code)]

mod log;
mod records;

pub use log::{LogContents, MemoryLog};
pub use records::{MemoryStore, RecordContents};
