//! Use cases: two steps in order.
//!
//! A [`Session`] is an open vault with its gate. Every use case is a method of it; what a user
//! types and sees is the command line's. [`Home`] says where things are, [`Effects`] what the
//! machine gives.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros))]

pub mod import;
pub mod meeting;
pub mod placeholder;
pub mod providers;
pub mod scripts;

mod agents;
mod anchoring;
mod backups;
mod config;
mod doctor;
mod envfile;
mod error;
mod handover;
mod home;
mod journal;
mod known;
mod logs;
mod masking;
mod pinning;
mod placeholders;
mod policies;
mod presence;
mod proof;
mod remedy;
mod run;
mod secrets;
mod select;
mod session;
mod slots;
mod started;
mod status;
mod system;

pub use agents::{Leader, Lineage, NewToken, TokenProof, TokenShown};
pub use backups::{RestoreOptions, Restored};
pub use config::{Config, DaemonConfig};
pub use doctor::{Check, Health, doctor};
pub use error::EngineError;
pub use handover::ClientSink;
pub use home::{Home, private_folder};
pub use masking::{Looked, MaskOptions, Masking, Purpose, unopened};
pub use policies::{Applied, PolicyInForce};
pub use proof::{
    SECRET_TEXT_MAX, Source, decode_secret, pin_to, read_age, read_command, read_key_file,
    read_keyring, read_tpm,
};
pub use run::RunOptions;
pub use secrets::{Kept, ListFilter, Listed, Past, Shown, ShownField};
pub use select::{REFERENCE, Selected};
pub use session::{InitOptions, Session, Setting};
pub use slots::SlotShown;
pub use started::{RunOutcome, StartedRun};
pub use status::{Status, status};
pub use system::{Effects, SystemClock, lineage};

/// Words of the rooms below that a caller of a use case needs.
pub use subrosa_audit::{AuditError, Body, Entry, EventKind, Filter, Finding, Format, Report};
pub use subrosa_policy::{
    Change as PolicyChange, DiffLine, Explanation, Policy, PolicyError, REACH_LISTS, Reach,
    TestResult, closest,
};
pub use subrosa_runner::environment::{inherited, never};
pub use subrosa_runner::{
    Attendance, Console, Ending, Inherited, Limit, Outlet, RemoteSpawner, RunError, RunReport,
    close_on_execute,
};
pub use subrosa_store::FileError;
pub use subrosa_vault::{Field, Head, Mode, NewValue, Patch, SlotKind, Stored, Unlock, VaultError};
