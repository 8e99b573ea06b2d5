//! The anchor: what is known about the log outside the vault's folder.
//!
//! A mark is 93 bytes of known layout and an 8-byte checksum:
//!
//! ```text
//! offset  bytes  field
//!      0      1  format, 1
//!      1      4  epoch, little-endian
//!      5     16  vault
//!     21      8  sequence, little-endian
//!     29     32  link of the row at sequence
//!     61     32  MAC under the epoch's anchor key
//!     93      8  first bytes of SHA-256 over the bytes before
//! ```
//!
//! The checksum tells a torn write from a whole one without any key; the MAC tells a forgery.

use serde::Serialize;
use subrosa_crypto::{Aad, ct_eq, sha256};
use subrosa_model::{Digest, VaultId};

use crate::chain::Chain;
use crate::error::AuditError;
use crate::finding::{Fault, Finding};
use crate::port::LogView;
use crate::ring::KeyRing;
use crate::row::{self, FORMAT};

/// Bytes that the MAC covers.
const MACED: usize = 61;
/// Bytes that the checksum covers.
const SUMMED: usize = MACED + 32;

/// Bytes of an encoded [`Mark`].
pub const MARK_LEN: usize = SUMMED + 8;

/// A row that is known to have been written. Authentic only once a key ring has checked it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    epoch: u32,
    vault: VaultId,
    sequence: u64,
    link: Digest,
    mac: [u8; 32],
}

impl Mark {
    pub(crate) fn new(ring: &KeyRing, sequence: u64, link: Digest) -> Self {
        let mut mark = Self {
            epoch: ring.epoch(),
            vault: ring.vault(),
            sequence,
            link,
            mac: [0; 32],
        };
        mark.mac = ring.current().anchor.mac(&mark.fields());
        mark
    }

    /// The vault.
    #[must_use]
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The row.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Its link.
    #[must_use]
    pub fn link(&self) -> Digest {
        self.link
    }

    /// The encoding, always of the same length.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; MARK_LEN] {
        let mut out = [0; MARK_LEN];
        out[0] = FORMAT;
        out[1..5].copy_from_slice(&self.epoch.to_le_bytes());
        out[5..21].copy_from_slice(self.vault.as_bytes());
        out[21..29].copy_from_slice(&self.sequence.to_le_bytes());
        out[29..MACED].copy_from_slice(self.link.as_bytes());
        out[MACED..SUMMED].copy_from_slice(&self.mac);
        let sum = checksum(&out[..SUMMED]);
        out[SUMMED..].copy_from_slice(&sum);
        out
    }

    /// Decodes a mark; `None` for what was never wholly written as one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; MARK_LEN] = bytes.try_into().ok()?;
        if bytes[0] != FORMAT || checksum(&bytes[..SUMMED]) != bytes[SUMMED..] {
            return None;
        }
        Some(Self {
            epoch: u32::from_le_bytes(bytes[1..5].try_into().ok()?),
            vault: VaultId::from_bytes(bytes[5..21].try_into().ok()?),
            sequence: u64::from_le_bytes(bytes[21..29].try_into().ok()?),
            link: Digest::from_bytes(bytes[29..MACED].try_into().ok()?),
            mac: bytes[MACED..SUMMED].try_into().ok()?,
        })
    }

    /// Whether a ring wrote this mark, and for its vault.
    pub(crate) fn check(&self, ring: &KeyRing) -> Result<(), Fault> {
        if self.vault != ring.vault() {
            return Err(Fault::WrongVault);
        }
        let epoch = ring.find(self.epoch).ok_or(Fault::AnchorAltered)?;
        let due = epoch.anchor.mac(&self.fields());
        if ct_eq(&due, &self.mac) {
            Ok(())
        } else {
            Err(Fault::AnchorAltered)
        }
    }

    fn fields(&self) -> Aad {
        Aad::new("subrosa/audit/mark/v1")
            .bytes(self.vault.as_bytes())
            .u64(self.sequence)
            .u32(self.epoch)
            .bytes(self.link.as_bytes())
    }
}

fn checksum(bytes: &[u8]) -> [u8; 8] {
    let sum = sha256(&Aad::new("subrosa/audit/mark/sum/v1").bytes(bytes));
    let mut out = [0; 8];
    out.copy_from_slice(&sum[..8]);
    out
}

/// How much an anchor proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Strength {
    /// There is none.
    #[default]
    None,
    /// A file of the same user, outside the vault's folder.
    LocalFile,
    /// Another machine.
    Remote,
    /// A TPM's monotonic memory.
    Tpm,
}

impl Strength {
    /// The word that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::LocalFile => "local file",
            Self::Remote => "remote",
            Self::Tpm => "tpm",
        }
    }

    /// What verification cannot tell at this strength.
    #[must_use]
    pub const fn undetected(self) -> &'static str {
        match self {
            Self::None => {
                "there is no anchor: putting back an earlier copy of the whole vault folder is not \
                 detected"
            }
            Self::LocalFile => {
                "putting back earlier copies of the vault folder and of the anchor's file together \
                 is not detected; that takes a TPM or a remote anchor"
            }
            Self::Remote => {
                "putting back the vault folder is not detected when the remote's copy is put back \
                 too, or for records since the remote was last reached"
            }
            Self::Tpm => {
                "records since the TPM was last written can be cut off without being noticed"
            }
        }
    }
}

/// A place outside the vault's folder that remembers how far the log was.
///
/// A mark that is older than the log is fine, so a write need not be forced to disk; a mark that is
/// half written must not destroy the one before.
pub trait Anchor: Send {
    /// The latest mark; `None` when none was ever written.
    ///
    /// # Errors
    /// [`AnchorError`].
    fn read(&mut self) -> Result<Option<Mark>, AnchorError>;

    /// Remembers a mark. When it is interrupted, [`Anchor::read`] still answers an earlier one.
    ///
    /// # Errors
    /// [`AnchorError`].
    fn write(&mut self, mark: &Mark) -> Result<(), AnchorError>;

    /// How much it proves.
    fn strength(&self) -> Strength;
}

/// Why an anchor could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// It holds something that is no mark.
    #[error("the anchor at {place} holds no mark of an audit log; move it away to start a new one")]
    Damaged {
        /// Where it is.
        place: String,
    },
    /// The system refused.
    #[error("the anchor at {place} failed: {reason}")]
    Failed {
        /// Where it is.
        place: String,
        /// What the system said.
        reason: String,
        /// The cause.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// Compares a chain's head with what an anchor remembers; `None` when they agree.
///
/// # Errors
/// [`AuditError::Store`] when the row that the anchor names cannot be read.
pub fn check_head<V: LogView + ?Sized>(
    chain: &Chain,
    mark: &Mark,
    view: &mut V,
) -> Result<Option<Finding>, AuditError> {
    if let Err(fault) = mark.check(chain.ring()) {
        return Ok(Some(Finding::whole(fault)));
    }
    let (head, known) = (chain.sequence(), mark.sequence);
    if head < known {
        return Ok(Some(Finding::whole(Fault::Rewound { head, known })));
    }
    let here = if head == known {
        Some(chain.link())
    } else if known < chain.first() {
        // Pruned since: the head, which is newer, stands for it.
        return Ok(None);
    } else {
        view.page(known, 1)?
            .first()
            .filter(|row| row.sequence == known)
            .and_then(row::stored_link)
    };
    Ok((here != Some(mark.link)).then(|| Finding::at(known, Fault::Forked)))
}
