//! The words that rooms share: names, references, callers, destinations, events.
//!
//! Plain data only. Nothing in this crate reads a clock, a file or the network, and nothing in it
//! can hold the value of a secret: a [`Label`] says *which* entry a value derives from, never what
//! the value is.
//!
//! ```
//! use subrosa_model::{Reference, Scheme};
//! let reference: Reference = "subrosa://work/db/password#user?version=3".parse()?;
//! assert_eq!(reference.scheme(), Scheme::Subrosa);
//! # Ok::<(), subrosa_model::ReferenceError>(())
//! ```
#![forbid(unsafe_code)]

pub mod limits;

mod caller;
mod clock;
mod connector;
mod destination;
mod digest;
mod event;
mod id;
mod log;
mod name;
mod reference;
mod request;
mod secret;
mod store;
mod time;

pub use caller::{Caller, CallerKind};
pub use clock::Clock;
pub use connector::{Connector, HostPort, NetStream};
pub use destination::{Destination, SinkKind};
pub use digest::Digest;
pub use event::{Change, ChangeKind, Completion, DecisionEvent, Event, EventBody, Outcome, Unlock};
pub use id::{RequestId, SecretId, SessionId, SlotId, TokenId, VaultId, WorkspaceId};
pub use log::{LogAppend, LogHead, LogRow};
pub use name::{
    AgentName, CapabilityName, FieldName, GroupName, KeyName, NameError, ProviderId, Tag, VarName,
    WorkspaceName,
};
pub use reference::{Candidate, Reference, ReferenceError, Scheme};
pub use request::{Action, CommandLine, Inject, ProcessLimits, UseRequest, Verdict};
pub use secret::{Label, Pin, Scope, SecretUse};
pub use store::StoreError;
pub use time::{Timestamp, TimestampError};

#[cfg(test)]
mod tests;
