//! What rows hold, once they are opened.

use serde::{Deserialize, Serialize};
use subrosa_crypto::{Aad, VerifyingKey};
use subrosa_model::{Digest, Event, Timestamp, VaultId};

use crate::finding::Fault;
use crate::hex::Hex;

/// Most bytes of an encoded event or other payload.
pub const PAYLOAD_MAX: usize = 1024 * 1024;

/// The kinds of rows. The numbers are the format's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum RowKind {
    /// An event.
    Event = 1,
    /// A signature over everything before.
    Checkpoint = 2,
    /// Says which rows were removed.
    Prune = 3,
    /// Says how many completion records could not be written.
    Loss = 4,
}

impl RowKind {
    /// The format's number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// From the format's number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Event),
            2 => Some(Self::Checkpoint),
            3 => Some(Self::Prune),
            4 => Some(Self::Loss),
            _ => None,
        }
    }
}

/// One row, opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place, from 1.
    pub sequence: u64,
    /// The epoch of the keys that wrote it.
    pub epoch: u32,
    /// Its link, which stands for it and everything before it.
    pub link: Digest,
    /// What it says.
    pub body: Body,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
#[non_exhaustive]
pub enum Body {
    /// Something happened.
    Event(Event),
    /// Everything before is vouched for.
    Checkpoint(Checkpoint),
    /// Rows were removed.
    Prune(PruneMarker),
    /// Completion records could not be written.
    Loss(Loss),
    /// The row cannot be read; the rows around it can.
    Unreadable(Fault),
}

impl Body {
    /// Decodes an opened payload.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] for what is not a payload of that kind.
    pub fn decode(kind: RowKind, payload: &[u8]) -> Result<Self, Fault> {
        fn json<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, Fault> {
            serde_json::from_slice(payload).map_err(|_| Fault::Unreadable)
        }
        match kind {
            RowKind::Event => json(payload).map(Self::Event),
            RowKind::Checkpoint => json(payload).map(Self::Checkpoint),
            RowKind::Prune => json(payload).map(Self::Prune),
            RowKind::Loss => json(payload).map(Self::Loss),
        }
    }

    /// When it was written, by the clock of the process that wrote it.
    #[must_use]
    pub fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Event(event) => Some(event.time),
            Self::Checkpoint(checkpoint) => Some(checkpoint.time),
            Self::Prune(marker) => Some(marker.time),
            Self::Loss(loss) => Some(loss.time),
            Self::Unreadable(_) => None,
        }
    }
}

/// A signature over everything before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// When.
    pub time: Timestamp,
    /// The link of the row before; the log's origin for none.
    pub previous: Digest,
    /// Rows that were ever written before this one.
    pub count: u64,
    /// The public key that the signature is of.
    pub key: Hex<32>,
    /// The public key of the next epoch, in the last row of an epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Hex<32>>,
    /// Ed25519.
    pub signature: Hex<64>,
}

impl Checkpoint {
    /// Whether `key` signed this checkpoint of a vault at that place and epoch. Needs no secret
    /// key: an outside party checks an export with it.
    #[must_use]
    pub fn verify(&self, vault: VaultId, sequence: u64, epoch: u32, key: &VerifyingKey) -> bool {
        self.key.0 == key.0
            && key.verify(
                &self.signed_fields(vault, sequence, epoch),
                &self.signature.0,
            )
    }

    pub(crate) fn signed_fields(&self, vault: VaultId, sequence: u64, epoch: u32) -> Aad {
        Aad::new("subrosa/audit/checkpoint/v1")
            .bytes(vault.as_bytes())
            .u64(sequence)
            .bytes(self.previous.as_bytes())
            .u64(self.count)
            .bytes(&self.time.as_micros().to_le_bytes())
            .u32(epoch)
            .bytes(&self.key.0)
            .optional(self.next.as_ref().map(|key| key.0.as_slice()))
    }
}

/// Says which rows were removed, so that the rest still verifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneMarker {
    /// When.
    pub time: Timestamp,
    /// The first row that was removed.
    pub first_removed: u64,
    /// The last row that was removed.
    pub last_removed: u64,
    /// How many rows were removed.
    pub count: u64,
    /// The link of the last row that was removed: the first row that is kept follows it.
    pub base: Digest,
    /// The public key that the signature is of.
    pub key: Hex<32>,
    /// Ed25519.
    pub signature: Hex<64>,
}

impl PruneMarker {
    /// Whether `key` signed this marker of a vault at that place and epoch.
    #[must_use]
    pub fn verify(&self, vault: VaultId, sequence: u64, epoch: u32, key: &VerifyingKey) -> bool {
        self.key.0 == key.0
            && key.verify(
                &self.signed_fields(vault, sequence, epoch),
                &self.signature.0,
            )
    }

    pub(crate) fn signed_fields(&self, vault: VaultId, sequence: u64, epoch: u32) -> Aad {
        Aad::new("subrosa/audit/prune/v1")
            .bytes(vault.as_bytes())
            .u64(sequence)
            .u64(self.first_removed)
            .u64(self.last_removed)
            .u64(self.count)
            .bytes(self.base.as_bytes())
            .bytes(&self.time.as_micros().to_le_bytes())
            .u32(epoch)
            .bytes(&self.key.0)
    }
}

/// Says how many completion records could not be written since the log was last written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When this was written.
    pub time: Timestamp,
    /// How many.
    pub count: u64,
}
