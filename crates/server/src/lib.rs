//! The daemon: one process that holds a vault open for all programs of its user.
//!
//! ```text
//! accept ─▶ Peer (who the system says it is) ─▶ hello ─▶ call ─▶ Keeper (the open vault) ─▶ reply
//! ```
//!
//! What holds:
//!
//! - The socket is in a folder of its user alone, and whoever connects is asked of the system.
//! - Keys are in memory only while the vault is open; it is locked when nobody used it for long,
//!   after a time in any case, and when the machine was suspended.
//! - No reply has a place for a value. A command's output goes to the client's descriptors,
//!   redacted; the command ends when the client does.
//! - Text that is looked through for values comes and goes on a socket of the client's; the values
//!   stay here, and no agent is served so.
//! - Connections, messages and waiting are bounded.
#![forbid(unsafe_code)]

mod answer;
pub mod convert;
mod daemon;
mod error;
mod keeper;
mod looking;
mod peer;
mod place;
mod visit;

pub use daemon::{Options, serve};
pub use error::ServerError;
pub use keeper::Timeouts;
pub use place::Place;
