//! A hash-chained, signed log and its verifier.
#![forbid(unsafe_code)]

mod port;

pub use port::LogStore;
