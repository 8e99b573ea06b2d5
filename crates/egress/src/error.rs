//! Why something was refused. No text here ever holds a value.

use std::fmt;

use subrosa_audit::AuditError;
use subrosa_crypto::MemoryError;
use subrosa_model::{RequestId, Verdict};

/// What a refusal rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalKind {
    /// A rule, or the lack of one.
    Policy,
    /// It would have to be approved first.
    Approval,
    /// A fresh proof of presence is missing.
    Presence,
    /// The decision could not be recorded, so nothing may move.
    Audit,
    /// The request contradicts itself.
    Request,
}

/// A use that was refused: who, what, why, and how an operator would allow it.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What it rests on.
    pub kind: RefusalKind,
    /// The request.
    pub request: RequestId,
    /// Who asked for what.
    pub what: String,
    /// The rule that decided.
    pub rule: String,
    /// Why.
    pub reason: String,
    /// What an operator would type.
    pub remedy: String,
}

impl Refusal {
    /// The verdict that the decision record carries.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.kind {
            RefusalKind::Approval => Verdict::Ask,
            _ => Verdict::Deny,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: refused by {}: {}",
            self.what, self.rule, self.reason
        )
    }
}

impl std::error::Error for Refusal {}

/// Why a sink did not take the values.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
#[non_exhaustive]
pub struct SinkError {
    /// Why, without any value.
    pub reason: String,
    /// The cause, when it is one of the system's.
    #[source]
    pub source: Option<std::io::Error>,
}

impl SinkError {
    /// A failure in words.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            source: None,
        }
    }

    /// A failure of the system.
    #[must_use]
    pub fn io(what: &str, source: std::io::Error) -> Self {
        Self {
            reason: format!("{what}: {source}"),
            source: Some(source),
        }
    }
}

/// Why a permitted release did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// A value derives from an entry that the permit does not cover.
    #[error("the permit does not cover every entry that the values derive from")]
    Labels,
    /// The sink leads elsewhere than the permit says.
    #[error("the permit is for another destination")]
    Destination,
    /// An agent would be handed a value that it could find by trying what is masked.
    #[error(
        "a value is too easily guessed to be handed to an agent, which could find it by trying what \
         is masked; store a random one: subrosa generate KEY"
    )]
    Guessable,
    /// Locked memory is used up.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The sink refused or failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The audit log failed.
    #[error(transparent)]
    Audit(#[from] AuditError),
}
