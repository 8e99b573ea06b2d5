//! Fakes, generators and servers for tests. Only ever a dev-dependency.
#![forbid(unsafe_code)]

mod log;

pub use log::{LogContents, MemoryLog};
