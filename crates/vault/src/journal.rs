//! The vault's port to the audit log: a change and its record commit together.

use subrosa_model::{Change, Digest, LogAppend, LogHead};

use crate::{AuditEpochs, VaultError};

/// Who turns changes into records of the log. The engine implements it over the audit chain.
pub trait Journal {
    /// Checks that the head of the log, read together with the vault's state, vouches for it.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] when it vouches for another state; [`VaultError::Behind`] when it
    /// goes back behind what was seen before.
    fn check(&mut self, head: Option<&LogHead>, state: Digest) -> Result<(), VaultError>;

    /// The rows that record `change` on top of `head` and vouch for `state`.
    ///
    /// # Errors
    /// [`VaultError::Journal`].
    fn prepare(
        &mut self,
        head: Option<&LogHead>,
        state: Digest,
        change: &Change,
    ) -> Result<LogAppend, VaultError>;

    /// The same, and from there on under the last of `epochs`, which is new.
    ///
    /// # Errors
    /// [`VaultError::Journal`].
    fn prepare_epoch(
        &mut self,
        head: Option<&LogHead>,
        state: Digest,
        change: &Change,
        epochs: &AuditEpochs,
    ) -> Result<LogAppend, VaultError>;

    /// What was prepared last is durable.
    fn committed(&mut self, append: &LogAppend);
}
