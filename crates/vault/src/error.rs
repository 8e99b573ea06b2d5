//! Why a vault did not do what was asked. No text holds a value.

use subrosa_crypto::{KdfError, MemoryError, OpenError};
use subrosa_model::{FieldName, KeyName, Scope, StoreError};

/// What may go wrong in a vault, by blame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No slot opens with what was given.
    #[error("this {what} does not open the vault")]
    WrongKey {
        /// The kind of proof that was tried.
        what: &'static str,
    },
    /// There is no slot of the kind that was tried.
    #[error("the vault has no {what} slot")]
    NoSlot {
        /// The kind of slot.
        what: &'static str,
    },
    /// There is no such slot.
    #[error("there is no slot {name}")]
    SlotMissing {
        /// What was asked for.
        name: String,
    },
    /// There is a slot of that name already.
    #[error("there is already a slot {name}; choose another label")]
    SlotExists {
        /// Its label.
        name: String,
    },
    /// A document was written by somebody else meanwhile.
    #[error("the {what} was changed meanwhile; look at it again")]
    Stale {
        /// The document.
        what: &'static str,
    },
    /// The last slot that proves presence would go.
    #[error("{name} is the last slot that proves that you are there; add another first")]
    LastSlot {
        /// The slot.
        name: String,
    },
    /// A bound of the model would be passed.
    #[error("{what}: at most {limit}")]
    Limit {
        /// What there would be too much of.
        what: String,
        /// The bound.
        limit: usize,
    },
    /// There is no such secret.
    #[error("there is no secret {key} in {scope}")]
    Missing {
        /// Its key.
        key: KeyName,
        /// Where it was looked for.
        scope: Scope,
    },
    /// There is such a secret already.
    #[error("there is already a secret {key} in {scope}")]
    Exists {
        /// Its key.
        key: KeyName,
        /// Where.
        scope: Scope,
    },
    /// The secret has no such field.
    #[error("{key} has no field {field}")]
    NoField {
        /// The secret.
        key: KeyName,
        /// The field.
        field: FieldName,
    },
    /// The secret has no such version.
    #[error("{key} has no version {version}")]
    NoVersion {
        /// The secret.
        key: KeyName,
        /// The version.
        version: u32,
    },
    /// A pin is an argument of creation.
    #[error("{key} exists, and a pin is given when a secret is created; store it under a new key")]
    PinFixed {
        /// The secret.
        key: KeyName,
    },
    /// The vault was written by a later program.
    #[error("the vault has format {found}; this program reads up to {known}. Use a newer subrosa")]
    Future {
        /// The format that was found.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// Something that a later program wrote, which this one would lose.
    #[error("the vault holds {what}; use a newer subrosa for this")]
    Unknown {
        /// What it is.
        what: &'static str,
    },
    /// A view was taken before the log's last record; take a new one.
    #[error("the view of the vault is older than its log")]
    Behind,
    /// Another process replaced the root key while this one had the vault open.
    #[error("the keys of the vault were replaced by another process; open it again")]
    Replaced,
    /// A record is not what was sealed, or not where it was put.
    #[error("the vault was changed from outside or is damaged: {what}")]
    Tampered {
        /// Which record, by kind.
        what: String,
    },
    /// The backup file is not one, or is damaged.
    #[error("the backup cannot be used: {reason}")]
    Backup {
        /// Why.
        reason: String,
    },
    /// The log refused to go along.
    #[error("the audit log cannot be written: {reason}")]
    Journal {
        /// Why.
        reason: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Locked memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Key derivation.
    #[error(transparent)]
    Kdf(#[from] KdfError),
}

impl VaultError {
    /// A record of ours that does not open although the key is right.
    pub(crate) fn tampered(what: impl Into<String>) -> Self {
        Self::Tampered { what: what.into() }
    }

    /// Maps what opening gave, for a record that must open.
    pub(crate) fn opening(what: &str) -> impl Fn(OpenError) -> Self {
        move |error| match error {
            OpenError::Memory(error) => Self::Memory(error),
            _ => Self::tampered(what),
        }
    }
}
