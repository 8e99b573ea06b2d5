//! Child processes that are given secrets, and whose output shows none of them.
//!
//! ```text
//! SearchPath::resolve ─▶ Command ─▶ EnvironmentSink │ StdinSink │ FileSink   (prepared)
//!                                        │ Gate::release: accept(values)
//!                                        ▼
//!                                     Running ─▶ pump ─▶ RunReport
//! ```
//!
//! What holds:
//!
//! - What is executed is the file that was resolved and checked, through its open descriptor.
//! - The child's environment is built from nothing: no variable that changes what programs load or
//!   execute is ever in it.
//! - A value is written once into memory that is shared with the guardian alone, and wiped when the
//!   program is executed; or into a pipe, or into a file in memory.
//! - Everything that the child writes passes the redactor, byte for byte and in order. It has no
//!   way to the caller's terminal: its session has none, or a pseudo-terminal of its own.
//! - Where this process holds keys, another one forks (see [`RemoteSpawner`]): its memory and that
//!   of the guardians has nothing of ours.
//! - No process of it outlives the run or its time. A guardian process, one a run, adopts orphans
//!   and ends the tree, also when this process is killed; should the guardian be killed or stopped,
//!   this process adopts and ends what it left.
//!
//! What it never does: decide whether a command may run, open a vault, or write a value to a disk.
//!
//! Known to remain: a process of the same user may read a child's environment while it runs, and
//! may kill the guardian, which ends the command; without a control group, whoever kills it and this
//! process at the same time leaves what moved itself out of the tree; and a program that looks for the user's terminal by
//! the name of its device may write to it. All three are for a sandbox to close.
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("subrosa-runner supports Linux only as yet");

pub mod environment;
pub mod limits;

mod attend;
mod charge;
mod command;
mod console;
mod duty;
mod error;
mod feed;
mod files;
mod folder;
mod group;
mod guardian;
mod image;
mod inherited;
mod keyboard;
mod leftovers;
mod nursery;
mod orphans;
mod packet;
mod pump;
mod reading;
mod remote;
mod report;
mod resolve;
mod scripts;
mod signals;
mod sinks;
mod spawn;
mod stage;
mod steering;
mod stream;
mod sys;
mod terminal;
mod tree;
mod wire;

pub use attend::Attendance;
pub use command::Command;
pub use console::{Console, Outlet};
pub use environment::Environment;
pub use error::RunError;
pub use files::Files;
pub use image::Values;
pub use inherited::Inherited;
pub use limits::Limits;
pub use reading::Reading;
pub use remote::RemoteSpawner;
pub use report::{Ending, Limit, RunReport};
pub use resolve::{Identity, Resolved, SearchPath};
pub use scripts::{ConsoleSink, FileChange, PathSink, ProcessSink, ReadSink, WriteSink};
pub use sinks::{EnvironmentSink, FileSink, StdinSink};
pub use spawn::{Guard, Order, Spawner, SystemSpawner};
pub use stage::{Running, run_without_secrets};
pub use sys::close_on_execute;
pub use terminal::Hidden;
pub use wire::{Notice, Request, Step};

#[cfg(test)]
mod tests;
