//! The one gate through which any use of a secret value passes.
//!
//! A value is a [`Sensitive`]. Its only way out is a [`Sink`], and the only way to a sink is
//!
//! 1. [`Gate::authorize`]: the policy decides, and the decision record is durable;
//! 2. [`Pending::wait`]: a [`Permit`] for one kind of sink and one destination, or a [`Refusal`];
//! 3. [`Gate::release`]: consumes the permit, teaches the redactor, lends the values for one call;
//! 4. [`Released::complete`]: the completion record.
//!
//! To look for values in a text is a use as well, and no way out: [`Gate::search`] takes a permit of
//! its own kind, and gives a filter that says where values stand and never what they are.
//!
//! No decision, no record, no value. The order is held by the types: a permit has no public
//! constructor, is not `Clone`, and is moved into `release`.
//!
//! What this crate never does: show a value, compare one in a way that tells its bytes, hand one to
//! a closure, or run code that is not listed (transforms are a closed set).
#![forbid(unsafe_code)]

pub mod danger;
pub mod kind;
mod labels;

mod digest;
mod error;
mod gate;
mod generate;
mod known;
mod permit;
mod search;
mod secrets;
mod sensitive;
mod sink;
mod strength;
mod transform;

pub use error::{Refusal, RefusalKind, ReleaseError, SinkError};
pub use gate::{Approval, Facts, Gate, Pending, Presence};
pub use generate::Recipe;
pub use kind::Kind;
pub use labels::Labels;
pub use permit::{Permit, Released};
pub use search::Search;
pub use secrets::{Secrets, SecretsError};
pub use sensitive::{Input, Sensitive};
pub use sink::{Lent, Sink};
pub use transform::feather;
pub use transform::{Document, DocumentForm, Escapes, Filling, Gap, Transform};

#[cfg(test)]
mod tests;
