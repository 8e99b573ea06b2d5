//! A hash-chained, signed log and its verifier.
//!
//! The log says who used which secret for what, what was decided, how it ended, and how the vault
//! changed. It holds names, never values. A use may begin only when its decision is durable here.
//!
//! - [`Chain`] is the pure core: it prepares rows, and moves on when a store has them.
//! - [`Writer`] is the one thread of a process that writes; callers wait on a [`Ticket`].
//! - [`verify`] walks everything and says what is wrong; [`Reader`] and [`Exporter`] show it.
//! - [`Anchor`] remembers outside the vault's folder how far the log was.
//!
//! # Invariants
//!
//! * Every row is sealed, and bound to vault, place, epoch and kind. Every row carries a MAC over
//!   the row before it, and the sealed head carries the last one. So a row that is edited, moved,
//!   deleted or added shows, and so does a head that does not fit.
//! * Checkpoints are signed, so that a party without the keys can hold us to them.
//! * Rows and head change in one transaction, and only on top of the head that was expected: many
//!   processes append to one chain.
//! * What could not be written is never passed over in silence: awaited records fail their ticket,
//!   others wait, and those that cannot wait are counted in the log.
//! * Putting back an earlier copy of folder *and* anchor together cannot be detected without a TPM
//!   or a remote anchor, and every report says so.
//!
//! The crate reads no clock and no file and opens no connection; time and randomness arrive as
//! arguments, rows go through [`LogStore`].
//!
//! The format is in `spec/audit.md`.
#![forbid(unsafe_code)]

mod anchor;
mod chain;
mod draft;
mod entry;
mod error;
mod export;
mod finding;
mod head;
mod hex;
mod port;
mod prelog;
mod reader;
mod ring;
mod row;
mod ticket;
mod verify;
mod writer;

pub use anchor::{Anchor, AnchorError, MARK_LEN, Mark, Strength, check_head};
pub use chain::{CHECKPOINT_EVERY, Chain, Pending, Prepared};
pub use entry::{Body, Checkpoint, Entry, Loss, PAYLOAD_MAX, PruneMarker, RowKind};
pub use error::AuditError;
pub use export::{Exporter, Format, SCHEMA};
pub use finding::{Fault, Finding};
pub use hex::Hex;
pub use port::{LogStore, LogView};
pub use prelog::{ATTEMPT_LEN_MAX, ATTEMPTS_MAX, Attempt, merge_attempts};
pub use reader::{EventKind, Filter, Reader, first_since};
pub use ring::KeyRing;
pub use ticket::Ticket;
pub use verify::{FINDINGS_MAX, Known, Report, verify};
pub use writer::{ANCHOR_DELAY, BACKLOG_MAX, GROUP_MAX, QUEUE_MAX, Status, Writer};
