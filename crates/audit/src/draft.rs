//! Rows in the making.

use serde::Serialize;
use subrosa_crypto::{Rng, VerifyingKey};
use subrosa_model::{Digest, LogHead, LogRow, Timestamp};

use crate::chain::{CHECKPOINT_EVERY, Payload};
use crate::entry::{Checkpoint, Loss, PruneMarker, RowKind};
use crate::head::{self, Position};
use crate::hex::Hex;
use crate::ring::KeyRing;
use crate::{AuditError, row};

/// Collects rows on top of a position.
pub(crate) struct Draft<'a> {
    ring: &'a KeyRing,
    rng: &'a dyn Rng,
    at: Position,
    rows: Vec<LogRow>,
    events: Vec<u64>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(ring: &'a KeyRing, rng: &'a dyn Rng, at: Position) -> Self {
        Self {
            ring,
            rng,
            at,
            rows: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Everything after this is written under the current epoch of `ring`.
    pub(crate) fn turn_to<'b>(&mut self, ring: &'b KeyRing)
    where
        'b: 'a,
    {
        self.ring = ring;
    }

    pub(crate) fn event(&mut self, payload: &Payload) -> Result<(), AuditError> {
        self.checkpoint_if_due(payload.time)?;
        self.push(RowKind::Event, &payload.bytes);
        self.events.push(self.at.sequence);
        Ok(())
    }

    pub(crate) fn loss(&mut self, time: Timestamp, count: u64) -> Result<(), AuditError> {
        self.checkpoint_if_due(time)?;
        let payload = encode(&Loss { time, count })?;
        self.push(RowKind::Loss, &payload);
        Ok(())
    }

    /// Marks everything below `keep_from` as removed.
    pub(crate) fn prune(
        &mut self,
        time: Timestamp,
        keep_from: u64,
        base: Digest,
    ) -> Result<(), AuditError> {
        self.checkpoint_if_due(time)?;
        let epoch = self.ring.current();
        let mut marker = PruneMarker {
            time,
            first_removed: self.at.first,
            last_removed: keep_from - 1,
            count: keep_from - self.at.first,
            base,
            key: Hex(epoch.public.0),
            signature: Hex([0; 64]),
        };
        let fields = marker.signed_fields(self.ring.vault(), self.at.sequence + 1, epoch.number);
        marker.signature = Hex(epoch.sign.sign(&fields));
        self.push(RowKind::Prune, &encode(&marker)?);
        self.at.first = keep_from;
        self.at.base = base;
        Ok(())
    }

    /// Vouches for everything before; `next` is the public key of the epoch that follows.
    pub(crate) fn checkpoint(
        &mut self,
        time: Timestamp,
        next: Option<VerifyingKey>,
    ) -> Result<(), AuditError> {
        let epoch = self.ring.current();
        let mut checkpoint = Checkpoint {
            time,
            previous: self.at.link,
            count: self.at.sequence,
            key: Hex(epoch.public.0),
            next: next.map(|key| Hex(key.0)),
            signature: Hex([0; 64]),
        };
        let fields =
            checkpoint.signed_fields(self.ring.vault(), self.at.sequence + 1, epoch.number);
        checkpoint.signature = Hex(epoch.sign.sign(&fields));
        self.push(RowKind::Checkpoint, &encode(&checkpoint)?);
        self.at.checkpoint = self.at.sequence;
        Ok(())
    }

    /// Rows, sealed head, where the chain then stands, and the places of the events.
    pub(crate) fn finish(self) -> (Vec<LogRow>, LogHead, Position, Vec<u64>) {
        let head = head::seal(self.ring, self.ring.current(), self.rng, &self.at);
        (self.rows, head, self.at, self.events)
    }

    fn checkpoint_if_due(&mut self, time: Timestamp) -> Result<(), AuditError> {
        if self.at.sequence + 1 - self.at.checkpoint >= CHECKPOINT_EVERY {
            self.checkpoint(time, None)?;
        }
        Ok(())
    }

    fn push(&mut self, kind: RowKind, payload: &[u8]) {
        let sequence = self.at.sequence + 1;
        let epoch = self.ring.current();
        let (row, link) = row::build(
            self.ring,
            epoch,
            self.rng,
            sequence,
            &self.at.link,
            kind,
            payload,
        );
        self.rows.push(row);
        self.at.sequence = sequence;
        self.at.link = link;
    }
}

fn encode<T: Serialize>(payload: &T) -> Result<Vec<u8>, AuditError> {
    serde_json::to_vec(payload).map_err(|error| AuditError::Encode {
        reason: error.to_string(),
    })
}
