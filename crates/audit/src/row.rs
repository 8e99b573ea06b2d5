//! One row: header, link, sealed payload.
//!
//! ```text
//! offset  bytes  field
//!      0      1  format, 1
//!      1      1  kind
//!      2      4  epoch, little-endian
//!      6     32  link
//!     38      n  sealed payload
//! ```

use subrosa_crypto::{Aad, OpenError, Rng, ct_eq};
use subrosa_model::{Digest, LogRow};

use crate::entry::{Body, Entry, RowKind};
use crate::finding::Fault;
use crate::ring::{Epoch, KeyRing};

/// The format that this program writes.
pub(crate) const FORMAT: u8 = 1;
/// Where the link begins.
const LINK: usize = 6;
/// Where the sealed payload begins.
const SEALED: usize = LINK + 32;

/// A row taken apart, nothing verified yet.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) sequence: u64,
    pub(crate) kind: RowKind,
    pub(crate) epoch: u32,
    pub(crate) link: Digest,
    sealed: &'a [u8],
}

impl<'a> Row<'a> {
    /// Takes a stored row apart.
    pub(crate) fn split(row: &'a LogRow) -> Result<Self, Fault> {
        let body = row.body.as_slice();
        let format = *body.first().ok_or(Fault::Edited)?;
        if format != FORMAT {
            return Err(Fault::FutureFormat { found: format });
        }
        let kind = *body.get(1).ok_or(Fault::Edited)?;
        let epoch = body
            .get(2..LINK)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(Fault::Edited)?;
        Ok(Self {
            sequence: row.sequence,
            kind: RowKind::from_number(kind).ok_or(Fault::Edited)?,
            epoch: u32::from_le_bytes(epoch),
            link: stored_link(row).ok_or(Fault::Edited)?,
            sealed: body.get(SEALED..).ok_or(Fault::Edited)?,
        })
    }

    /// The link that this row must carry after `previous`.
    pub(crate) fn link_after(&self, ring: &KeyRing, epoch: &Epoch, previous: &Digest) -> Digest {
        link(ring, epoch, self.sequence, self.kind, previous, self.sealed)
    }

    /// Whether this row follows `previous`.
    pub(crate) fn follows(&self, ring: &KeyRing, epoch: &Epoch, previous: &Digest) -> bool {
        let due = self.link_after(ring, epoch, previous);
        ct_eq(due.as_bytes(), self.link.as_bytes())
    }

    /// Opens the payload into `out` as if the row stood at `sequence`.
    pub(crate) fn open_at(
        &self,
        ring: &KeyRing,
        epoch: &Epoch,
        sequence: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let fields = sealing_fields(ring, epoch, sequence, self.kind);
        epoch
            .seal
            .open_public(&fields, self.sealed, out)
            .map_err(|error| match error {
                OpenError::WrongKey => Fault::Foreign,
                _ => Fault::Edited,
            })
    }

    /// Opens and decodes the row. The content is genuine and of this place; that it follows the
    /// row before, only a walk can tell.
    pub(crate) fn entry(&self, ring: &KeyRing, scratch: &mut Vec<u8>) -> Result<Entry, Fault> {
        let epoch = ring
            .find(self.epoch)
            .ok_or(Fault::UnknownEpoch { epoch: self.epoch })?;
        self.open_at(ring, epoch, self.sequence, scratch)?;
        Ok(Entry {
            sequence: self.sequence,
            epoch: self.epoch,
            link: self.link,
            body: Body::decode(self.kind, scratch)?,
        })
    }
}

/// Makes a row that follows `previous`, and its link.
pub(crate) fn build(
    ring: &KeyRing,
    epoch: &Epoch,
    rng: &dyn Rng,
    sequence: u64,
    previous: &Digest,
    kind: RowKind,
    payload: &[u8],
) -> (LogRow, Digest) {
    let sealed = epoch
        .seal
        .seal(rng, &sealing_fields(ring, epoch, sequence, kind), payload);
    let link = link(ring, epoch, sequence, kind, previous, &sealed);
    let mut body = Vec::with_capacity(SEALED + sealed.len());
    body.push(FORMAT);
    body.push(kind.number());
    body.extend_from_slice(&epoch.number.to_le_bytes());
    body.extend_from_slice(link.as_bytes());
    body.extend_from_slice(&sealed);
    (LogRow { sequence, body }, link)
}

/// The link that is stored in a row, verified or not; `None` when the row is too short for one.
pub(crate) fn stored_link(row: &LogRow) -> Option<Digest> {
    let bytes = row.body.get(LINK..SEALED)?;
    Some(Digest::from_bytes(bytes.try_into().ok()?))
}

fn sealing_fields(ring: &KeyRing, epoch: &Epoch, sequence: u64, kind: RowKind) -> Aad {
    Aad::new("subrosa/audit/row/v1")
        .bytes(ring.vault().as_bytes())
        .u64(sequence)
        .u32(epoch.number)
        .bytes(&[kind.number()])
}

fn link(
    ring: &KeyRing,
    epoch: &Epoch,
    sequence: u64,
    kind: RowKind,
    previous: &Digest,
    sealed: &[u8],
) -> Digest {
    let fields = Aad::new("subrosa/audit/link/v1")
        .bytes(ring.vault().as_bytes())
        .u64(sequence)
        .u32(epoch.number)
        .bytes(&[kind.number()])
        .bytes(previous.as_bytes())
        .bytes(sealed);
    Digest::from_bytes(epoch.mac.mac(&fields))
}
