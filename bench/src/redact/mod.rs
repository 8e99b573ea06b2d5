//! `cargo xtask bench redact`: masking beside other ways to search for the same needles.
//!
//! Everything is a process of its own, pinned to one core, and measured as the system accounts for
//! it when it has ended: its start and its reading are in every figure. Subjects run in turn, and
//! ratios to `cat` are taken round by round.

pub mod baseline;
pub mod chance;
pub mod corpus;
pub mod hostile;
pub mod hyperscan;
pub mod latency;
pub mod measure;
pub mod options;
pub mod ordinary;
pub mod plants;
pub mod recall;
pub mod report;
pub mod secrets;
pub mod speed;
pub mod subjects;
pub mod texts;

/// What a step gives.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
