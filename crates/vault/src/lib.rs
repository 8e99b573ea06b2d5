//! Envelope encryption, versions, workspaces and groups, sealed documents.
//!
//! A [`Vault`] is opened with a slot, reads from a [`port::VaultStore`] and changes it in
//! transactions that carry their audit record ([`Journal`]). It never holds the plaintext of a
//! value: those are `Sensitive` from the moment they are opened.
//!
//! Invariants: only ciphertext and keyed hashes cross the store's port; every ciphertext is bound
//! to its place by associated data; every read is checked against a state that the audit log
//! vouches for.
//!
//! The format is `spec/vault.md`.
#![forbid(unsafe_code)]

pub mod port;

mod backup;
mod codec;
mod contents;
mod documents;
mod draft;
mod error;
mod head;
mod index;
mod journal;
mod keys;
mod known;
mod listing;
mod moving;
mod patch;
mod recovery;
mod rotate;
mod secrets;
mod slot;
mod slots;
mod state;
mod unlock;
mod vault;
mod verify;
mod workspace;

/// Records as they stand behind their seals, for who checks the decoders.
pub mod plaintext {
    use crate::head::{Brief, Head};
    use crate::state::{VaultState, WorkspaceState};

    /// A head; `None` when the bytes are none.
    #[must_use]
    pub fn head(bytes: &[u8]) -> Option<Head> {
        Head::decode(bytes).ok()
    }

    /// What a list reads of a head; `None` when the bytes are none.
    #[must_use]
    pub fn brief(bytes: &[u8]) -> Option<Brief> {
        Brief::decode(bytes).ok()
    }

    /// The bytes of a head.
    #[must_use]
    pub fn of_head(head: &Head) -> Vec<u8> {
        head.encode()
    }

    /// Whether the bytes are the state of a vault, and of a workspace.
    #[must_use]
    pub fn states(bytes: &[u8]) -> (bool, bool) {
        (
            VaultState::decode(bytes).is_ok(),
            WorkspaceState::decode(bytes).is_ok(),
        )
    }
}

pub use backup::{Trailer, read_backup, scan_backup};
pub use documents::{AuditEpochs, Document};
pub use error::VaultError;
pub use head::{Brief, Field, Head, ValueRef, Version};
pub use journal::Journal;
pub use known::Handed;
pub use patch::{Mode, NewValue, Patch, Stored};
pub use secrets::Located;
pub use slot::{ENVELOPE_MAX, LABEL_MAX, SlotInfo};
pub use slots::NewSlot;
pub use unlock::{SlotKind, Unlock};
pub use vault::{Created, Genesis, Unverified, Vault};

/// The format of the vault that this program reads and writes.
pub const FORMAT: u32 = 1;
