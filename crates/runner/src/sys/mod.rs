//! What touches the kernel in ways that the compiler cannot check. The only unsafe code of the crate.
//!
//! Everything here that runs between `fork` and `execve` allocates nothing and takes no lock:
//! other threads of the forking process may have held the allocator's.
#![allow(unsafe_code)]

mod execute;
mod fork;
mod limits;
mod region;

pub(crate) use execute::{ExecPlan, execute};
pub use fork::close_on_execute;
pub(crate) use fork::{InFork, close_all_but, fork, signal_descriptor};
pub(crate) use limits::limits_of;
pub(crate) use region::{RegionView, SharedRegion, wipe};

#[cfg(test)]
mod tests;
