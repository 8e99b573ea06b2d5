//! The sealed head: where the chain stands.
//!
//! ```text
//! offset  bytes  field
//!      0      1  format, 1
//!      1      4  epoch, little-endian
//!      5    184  sealed: link 32, state 32, first 8, base 32, checkpoint 8
//! ```

use subrosa_crypto::{Aad, Rng};
use subrosa_model::{Digest, LogHead};

use crate::finding::Fault;
use crate::ring::{Epoch, KeyRing};
use crate::row::FORMAT;

/// Where the sealed part begins.
const SEALED: usize = 5;
/// Bytes of the opened head.
const OPENED: usize = 32 + 32 + 8 + 32 + 8;

/// Where a chain stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The last row; 0 for none.
    pub(crate) sequence: u64,
    /// Its link.
    pub(crate) link: Digest,
    /// What the vault's records are bound by; opaque here.
    pub(crate) state: Digest,
    /// The first row that is kept.
    pub(crate) first: u64,
    /// The link before it.
    pub(crate) base: Digest,
    /// The last checkpoint; 0 for none.
    pub(crate) checkpoint: u64,
}

impl Position {
    /// Where an empty log stands.
    pub(crate) fn origin(ring: &KeyRing) -> Self {
        Self {
            sequence: 0,
            link: ring.origin(),
            state: Digest::from_bytes([0; 32]),
            first: 1,
            base: ring.origin(),
            checkpoint: 0,
        }
    }
}

/// Seals a head under an epoch.
pub(crate) fn seal(ring: &KeyRing, epoch: &Epoch, rng: &dyn Rng, at: &Position) -> LogHead {
    let mut opened = Vec::with_capacity(OPENED);
    opened.extend_from_slice(at.link.as_bytes());
    opened.extend_from_slice(at.state.as_bytes());
    opened.extend_from_slice(&at.first.to_le_bytes());
    opened.extend_from_slice(at.base.as_bytes());
    opened.extend_from_slice(&at.checkpoint.to_le_bytes());
    let sealed = epoch
        .head
        .seal(rng, &fields(ring, epoch, at.sequence), &opened);
    let mut body = Vec::with_capacity(SEALED + sealed.len());
    body.push(FORMAT);
    body.extend_from_slice(&epoch.number.to_le_bytes());
    body.extend_from_slice(&sealed);
    LogHead {
        sequence: at.sequence,
        body,
    }
}

/// Opens a head. A head that was sealed before the current epoch is refused: rotation seals a new
/// one in the transaction that adds the epoch.
pub(crate) fn open(ring: &KeyRing, head: &LogHead) -> Result<Position, Fault> {
    let body = head.body.as_slice();
    let format = *body.first().ok_or(Fault::HeadDamaged)?;
    if format != FORMAT {
        return Err(Fault::FutureFormat { found: format });
    }
    let number = body
        .get(1..SEALED)
        .and_then(|bytes| bytes.try_into().ok())
        .map(u32::from_le_bytes)
        .ok_or(Fault::HeadDamaged)?;
    let epoch = ring
        .find(number)
        .ok_or(Fault::UnknownEpoch { epoch: number })?;
    let mut opened = Vec::with_capacity(OPENED);
    epoch
        .head
        .open_public(
            &fields(ring, epoch, head.sequence),
            &body[SEALED..],
            &mut opened,
        )
        .map_err(|_| Fault::HeadDamaged)?;
    if number != ring.epoch() {
        return Err(Fault::HeadOutdated { epoch: number });
    }
    decode(head.sequence, &opened).ok_or(Fault::HeadDamaged)
}

fn decode(sequence: u64, opened: &[u8]) -> Option<Position> {
    let (link, rest) = opened.split_first_chunk::<32>()?;
    let (state, rest) = rest.split_first_chunk::<32>()?;
    let (first, rest) = rest.split_first_chunk::<8>()?;
    let (base, rest) = rest.split_first_chunk::<32>()?;
    let (checkpoint, rest) = rest.split_first_chunk::<8>()?;
    let at = Position {
        sequence,
        link: Digest::from_bytes(*link),
        state: Digest::from_bytes(*state),
        first: u64::from_le_bytes(*first),
        base: Digest::from_bytes(*base),
        checkpoint: u64::from_le_bytes(*checkpoint),
    };
    let sane = at.first >= 1
        && at.first <= sequence.saturating_add(1)
        && at.checkpoint <= sequence
        && rest.is_empty();
    sane.then_some(at)
}

fn fields(ring: &KeyRing, epoch: &Epoch, sequence: u64) -> Aad {
    Aad::new("subrosa/audit/head/v1")
        .bytes(ring.vault().as_bytes())
        .u64(sequence)
        .u32(epoch.number)
}
