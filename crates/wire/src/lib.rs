//! The daemon's protocol: frames over a Unix socket, with descriptors beside them.
//!
//! ```text
//! client ── Hello ─▶ daemon          magic, protocol, program
//! client ◀─ Hello ── daemon
//! client ── Call  ─▶ daemon          scope, request, perhaps a secret, perhaps descriptors
//! client ◀─ Reply ── daemon          an answer, or why not
//! ```
//!
//! What holds:
//!
//! - A value travels in one direction only, to the daemon, and in a part of the frame of its own,
//!   which is read into locked memory and never decoded. No message has a place for a value in the
//!   other direction.
//! - What arrives is bounded before it is allocated, in bytes, descriptors and time.
//! - Nothing in a message says who the caller is: the system says that.
//! - Peers of different protocols say so to each other, and nothing else.
//!
//! This room holds no key, opens no vault and decides nothing.
#![forbid(unsafe_code)]

mod client;
mod error;
mod frame;
mod hello;
pub mod looking;
mod message;

pub use client::{Client, connect};
pub use error::WireError;
pub use frame::{Bounds, Frame, receive, send};
pub use hello::{Hello, PROTOCOL, greet, welcome};
pub use message::{
    Answer, Back, Call, Change, Failure, FieldAbout, Filter, Listed, Mask, Masked, Mode, Past,
    Proof, Recipe, Reply, Request, Run, RunEnding, RunReport, Shown, ShownField, State, Stored,
    Token, decode, encode,
};

/// What a client sends at most: a request, and a value.
pub const FROM_CLIENT: Bounds = Bounds {
    body: 256 * 1024,
    secret: subrosa_model::limits::VALUE_MAX,
    descriptors: 4,
};

/// What a daemon sends at most: a list of 200,000 secrets with long names.
pub const FROM_DAEMON: Bounds = Bounds {
    body: 128 * 1024 * 1024,
    secret: 0,
    descriptors: 0,
};
