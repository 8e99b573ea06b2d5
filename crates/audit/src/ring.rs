//! The keys of the log, one set for each epoch.

use std::fmt;

use subrosa_crypto::{Aad, Key, SigningKey, VerifyingKey, sha256};
use subrosa_model::{Digest, VaultId};

use crate::AuditError;

/// The keys of one vault's log. Each epoch is made from one random key; rotation adds an epoch, and
/// what was written under an earlier one stays verifiable.
pub struct KeyRing {
    vault: VaultId,
    /// Ascending by number, never empty.
    epochs: Vec<Epoch>,
}

/// The keys of one epoch, one job each.
pub(crate) struct Epoch {
    pub(crate) number: u32,
    pub(crate) seal: Key,
    pub(crate) mac: Key,
    pub(crate) head: Key,
    pub(crate) anchor: Key,
    pub(crate) sign: SigningKey,
    pub(crate) public: VerifyingKey,
    digest: Key,
}

impl Epoch {
    fn new(number: u32, key: &Key) -> Result<Self, AuditError> {
        let sign = SigningKey::from_seed(&key.derive("audit/sign")?)?;
        Ok(Self {
            number,
            seal: key.derive("audit/seal")?,
            mac: key.derive("audit/mac")?,
            head: key.derive("audit/head")?,
            anchor: key.derive("audit/anchor")?,
            public: sign.public(),
            sign,
            digest: key.derive("audit/digest")?,
        })
    }
}

impl KeyRing {
    /// The ring of a vault: epochs by number, the last is the current one. The given keys are not
    /// kept; what is derived from them is.
    ///
    /// # Errors
    /// [`AuditError::Ring`] unless there is at least one epoch and the numbers ascend;
    /// [`AuditError::Memory`].
    pub fn new(vault: VaultId, epochs: Vec<(u32, Key)>) -> Result<Self, AuditError> {
        if epochs.is_empty() {
            return Err(AuditError::Ring {
                reason: "there are none",
            });
        }
        if epochs.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(AuditError::Ring {
                reason: "their epochs do not ascend",
            });
        }
        let epochs = epochs
            .iter()
            .map(|(number, key)| Epoch::new(*number, key))
            .collect::<Result<_, _>>()?;
        Ok(Self { vault, epochs })
    }

    /// The vault that the keys are of.
    #[must_use]
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The number of the current epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.current().number
    }

    /// The keys that checkpoints are signed with, by epoch. Whoever has them can check the
    /// checkpoints of an export ([`Checkpoint::verify`](crate::Checkpoint::verify)) and nothing
    /// else.
    #[must_use]
    pub fn public_keys(&self) -> Vec<(u32, VerifyingKey)> {
        self.epochs
            .iter()
            .map(|epoch| (epoch.number, epoch.public))
            .collect()
    }

    /// A keyed digest for records, under the current epoch: of arguments, for example, which may
    /// hold anything and must not be guessable from the log.
    #[must_use]
    pub fn digest(&self, fields: &Aad) -> Digest {
        Digest::from_bytes(self.current().digest.mac(fields))
    }

    pub(crate) fn current(&self) -> &Epoch {
        self.epochs
            .last()
            .expect("invariant: a ring has at least one epoch")
    }

    pub(crate) fn find(&self, number: u32) -> Option<&Epoch> {
        // Nearly always the current one.
        self.epochs
            .iter()
            .rev()
            .find(|epoch| epoch.number == number)
    }

    /// Whether this ring is `earlier` with at least one epoch added.
    pub(crate) fn continues(&self, earlier: &Self) -> bool {
        self.vault == earlier.vault
            && self.epoch() > earlier.epoch()
            && earlier.epochs.iter().all(|old| {
                self.find(old.number)
                    .is_some_and(|new| new.public == old.public)
            })
    }

    /// What stands for the link before the first row.
    pub(crate) fn origin(&self) -> Digest {
        let fields = Aad::new("subrosa/audit/origin/v1").bytes(self.vault.as_bytes());
        Digest::from_bytes(sha256(&fields))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("vault", &self.vault)
            .field("epoch", &self.epoch())
            .finish_non_exhaustive()
    }
}
