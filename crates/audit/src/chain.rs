//! The chain: pure, without a store. It prepares what a store then makes durable.

use std::sync::Arc;

use subrosa_crypto::Rng;
use subrosa_model::{Digest, Event, LogAppend, LogHead, LogRow, Timestamp};

use crate::anchor::Mark;
use crate::draft::Draft;
use crate::entry::PAYLOAD_MAX;
use crate::finding::{Fault, Finding};
use crate::head::{self, Position};
use crate::port::{LogView, PAGE};
use crate::ring::KeyRing;
use crate::row::Row;
use crate::{AuditError, row};

/// Rows from one checkpoint to the next, at most.
pub const CHECKPOINT_EVERY: u64 = 1000;

/// Where the log of one vault stands, and what continues it.
///
/// One process has one chain for a vault, shared under a mutex between the [`Writer`] and whoever
/// commits changes of the vault. Hold the lock from `prepare` until `commit`, and never wait for a
/// [`Ticket`] while holding it: the writer needs the lock to serve it.
///
/// ```
/// use std::sync::Arc;
/// use subrosa_audit::{Chain, KeyRing};
/// use subrosa_crypto::{Key, SystemRng};
/// use subrosa_model::{Timestamp, VaultId};
///
/// let vault = VaultId::from_bytes([7; 16]);
/// let ring = KeyRing::new(vault, vec![(1, Key::generate(&SystemRng)?)])?;
/// let mut chain = Chain::open(Arc::new(ring), None)?;
/// let prepared = chain.prepare_checkpoint(&SystemRng, Timestamp::EPOCH)?;
/// assert_eq!(prepared.append.rows.len(), 1);
/// // A store has made `prepared.append` durable here.
/// prepared.commit(&mut chain);
/// assert_eq!(chain.sequence(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Writer`]: crate::Writer
/// [`Ticket`]: crate::Ticket
#[derive(Debug)]
pub struct Chain {
    ring: Arc<KeyRing>,
    at: Position,
    /// The head as the store has it, byte for byte.
    head: Option<Vec<u8>>,
}

/// Rows that are ready for a store, and what the chain becomes when the store has them.
#[derive(Debug)]
#[must_use = "rows that no store made durable are no record"]
pub struct Prepared {
    /// What the store must append.
    pub append: LogAppend,
    /// What to do when it has.
    pub pending: Pending,
}

/// The state of a chain after an append that a store has still to confirm.
#[derive(Debug)]
#[must_use = "commit this when the store has the rows; until then the chain is behind the store"]
pub struct Pending {
    pub(crate) at: Position,
    pub(crate) head: Vec<u8>,
    pub(crate) ring: Option<Arc<KeyRing>>,
    pub(crate) sequences: Vec<u64>,
}

impl Prepared {
    /// Moves the chain on. Call it after the store has made `append` durable, and only then.
    pub fn commit(self, chain: &mut Chain) {
        self.pending.commit(chain);
    }

    /// The places of the events, in their order. Checkpoints may stand between them.
    #[must_use]
    pub fn sequences(&self) -> &[u64] {
        &self.pending.sequences
    }
}

impl Pending {
    /// Moves the chain on. Call it after the store has made the rows durable, and only then.
    pub fn commit(self, chain: &mut Chain) {
        // Commits that arrive in another order than the store had them must not set the chain back.
        if self.at.sequence < chain.at.sequence {
            return;
        }
        chain.at = self.at;
        chain.head = Some(self.head);
        if let Some(ring) = self.ring {
            chain.ring = ring;
        }
    }
}

/// An event, encoded.
#[derive(Debug, Clone)]
pub(crate) struct Payload {
    pub(crate) time: Timestamp,
    pub(crate) bytes: Vec<u8>,
}

impl Payload {
    pub(crate) fn encode(event: &Event) -> Result<Self, AuditError> {
        let bytes = serde_json::to_vec(event).map_err(|error| AuditError::Encode {
            reason: error.to_string(),
        })?;
        if bytes.len() > PAYLOAD_MAX {
            return Err(AuditError::TooLarge {
                size: bytes.len(),
                limit: PAYLOAD_MAX,
            });
        }
        Ok(Self {
            time: event.time,
            bytes,
        })
    }
}

impl Chain {
    /// Opens the chain at a stored head; `None` for a log that has no head yet.
    ///
    /// Only the head is verified here. [`check_head`](crate::check_head) compares it with an
    /// anchor, [`verify`](crate::verify) walks the rows.
    ///
    /// # Errors
    /// [`AuditError::Tampered`] when the head is not what this vault sealed last;
    /// [`AuditError::Rotated`] when it is of an epoch that the ring does not have yet.
    pub fn open(ring: Arc<KeyRing>, head: Option<LogHead>) -> Result<Self, AuditError> {
        let at = match &head {
            None => Position::origin(&ring),
            Some(head) => open_head(&ring, head)?,
        };
        Ok(Self {
            ring,
            at,
            head: head.map(|head| head.body),
        })
    }

    /// The keys.
    #[must_use]
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// The last row; 0 for none.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.at.sequence
    }

    /// The first row that is kept.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.at.first
    }

    /// The link of the last row.
    #[must_use]
    pub fn link(&self) -> Digest {
        self.at.link
    }

    /// What the vault's records are bound by, as the vault last gave it.
    #[must_use]
    pub fn state(&self) -> Digest {
        self.at.state
    }

    /// What an anchor should know now; `None` for an empty log.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        (self.at.sequence > 0).then(|| Mark::new(&self.ring, self.at.sequence, self.at.link))
    }

    /// Prepares rows for events. `state` replaces what the vault's records are bound by; `None`
    /// leaves it.
    ///
    /// # Errors
    /// [`AuditError::TooLarge`], [`AuditError::Encode`].
    pub fn prepare(
        &self,
        rng: &dyn Rng,
        events: &[Event],
        state: Option<Digest>,
    ) -> Result<Prepared, AuditError> {
        let mut draft = self.draft(rng, state);
        for event in events {
            draft.event(&Payload::encode(event)?)?;
        }
        Ok(self.finish(draft, None))
    }

    /// As [`Chain::prepare`], for events that are encoded already and a count of lost ones.
    pub(crate) fn prepare_encoded<'e>(
        &self,
        rng: &dyn Rng,
        events: impl Iterator<Item = &'e Payload>,
        lost: Option<(Timestamp, u64)>,
    ) -> Result<Prepared, AuditError> {
        let mut draft = self.draft(rng, None);
        if let Some((time, count)) = lost {
            draft.loss(time, count)?;
        }
        for event in events {
            draft.event(event)?;
        }
        Ok(self.finish(draft, None))
    }

    /// Prepares a checkpoint.
    ///
    /// # Errors
    /// As [`Chain::prepare`].
    pub fn prepare_checkpoint(
        &self,
        rng: &dyn Rng,
        time: Timestamp,
    ) -> Result<Prepared, AuditError> {
        let mut draft = self.draft(rng, None);
        draft.checkpoint(time, None)?;
        Ok(self.finish(draft, None))
    }

    /// Prepares the change to a ring with one more epoch: the events and a closing checkpoint that
    /// names the new public key under the old epoch, an opening checkpoint and the head under the
    /// new one. Belongs in the transaction that stores the new ring.
    ///
    /// # Errors
    /// [`AuditError::Ring`] when the new ring does not continue the old one; otherwise as
    /// [`Chain::prepare`].
    pub fn prepare_rotate(
        &self,
        rng: &dyn Rng,
        ring: Arc<KeyRing>,
        events: &[Event],
        state: Option<Digest>,
        time: Timestamp,
    ) -> Result<Prepared, AuditError> {
        if !ring.continues(&self.ring) {
            return Err(AuditError::Ring {
                reason: "the new ring does not add an epoch to the old one",
            });
        }
        let mut draft = self.draft(rng, state);
        for event in events {
            draft.event(&Payload::encode(event)?)?;
        }
        draft.checkpoint(time, Some(ring.current().public))?;
        draft.turn_to(&ring);
        draft.checkpoint(time, None)?;
        let next = Arc::clone(&ring);
        Ok(self.finish(draft, Some(next)))
    }

    /// Prepares the removal of all rows below `keep_from`: the events, a signed marker of what is
    /// removed, and a checkpoint. The store carries it out with
    /// [`LogStore::prune`](crate::LogStore::prune). What is removed is not verified here; do that
    /// first.
    ///
    /// # Errors
    /// [`AuditError::PruneRange`] when there is nothing to remove or nothing would be kept;
    /// [`AuditError::Tampered`] when the rows at the cut do not verify; [`AuditError::Store`].
    pub fn prepare_prune<V: LogView + ?Sized>(
        &self,
        rng: &dyn Rng,
        keep_from: u64,
        view: &mut V,
        events: &[Event],
        time: Timestamp,
    ) -> Result<Prepared, AuditError> {
        let events = events
            .iter()
            .map(Payload::encode)
            .collect::<Result<Vec<_>, _>>()?;
        self.prepare_prune_encoded(rng, keep_from, view, &events, time)
    }

    pub(crate) fn prepare_prune_encoded<V: LogView + ?Sized>(
        &self,
        rng: &dyn Rng,
        keep_from: u64,
        view: &mut V,
        events: &[Payload],
        time: Timestamp,
    ) -> Result<Prepared, AuditError> {
        if keep_from <= self.at.first || keep_from > self.at.sequence {
            return Err(AuditError::PruneRange {
                first: self.at.first,
                last: self.at.sequence,
                keep_from,
            });
        }
        let base = self.authentic_link_before(keep_from, view)?;
        let mut draft = self.draft(rng, None);
        for event in events {
            draft.event(event)?;
        }
        draft.prune(time, keep_from, base)?;
        draft.checkpoint(time, None)?;
        Ok(self.finish(draft, None))
    }

    /// Reads the link of the row before `keep_from`. It is authentic when the row at `keep_from`
    /// carries a link made over it: only the holder of the keys can have made that.
    fn authentic_link_before<V: LogView + ?Sized>(
        &self,
        keep_from: u64,
        view: &mut V,
    ) -> Result<Digest, AuditError> {
        let rows = view.page(keep_from - 1, 2)?;
        let [before, after] = rows.as_slice() else {
            return Err(Finding::at(keep_from, Fault::Unlinked).into());
        };
        if before.sequence != keep_from - 1 || after.sequence != keep_from {
            return Err(Finding::at(keep_from, Fault::Unlinked).into());
        }
        let unlinked = || Finding::at(keep_from, Fault::Unlinked);
        let base = row::stored_link(before).ok_or_else(unlinked)?;
        self.check_follows(after, &base)?;
        Ok(base)
    }

    /// Takes up a head that another process wrote, without looking at the rows between. Use
    /// [`Chain::follow`] where the rows can be read.
    ///
    /// # Errors
    /// [`AuditError::Tampered`] when the head is not genuine, is older than what this chain knows,
    /// or differs at the same place; [`AuditError::Rotated`].
    pub fn reload(&mut self, head: Option<LogHead>) -> Result<(), AuditError> {
        let (at, head) = self.later(head)?;
        self.at = at;
        self.head = head;
        Ok(())
    }

    /// Takes up what other processes appended, and verifies that it continues this chain.
    ///
    /// # Errors
    /// As [`Chain::reload`], and [`AuditError::Tampered`] when the rows between do not lead from
    /// here to there; [`AuditError::Store`].
    pub fn follow<V: LogView + ?Sized>(&mut self, view: &mut V) -> Result<(), AuditError> {
        let (at, head) = self.later(view.head()?)?;
        // Rows that are pruned already are vouched for by the sealed head alone.
        let mut link = self.at.link;
        let mut next = self.at.sequence + 1;
        if at.first > next {
            (link, next) = (at.base, at.first);
        }
        while next <= at.sequence {
            let rows = view.page(next, PAGE)?;
            let asked = next;
            for row in rows.iter().take_while(|row| row.sequence <= at.sequence) {
                if row.sequence != next {
                    let (from, to) = (next, row.sequence.saturating_sub(1));
                    return Err(Finding::at(row.sequence, Fault::Deleted { from, to }).into());
                }
                link = self.check_follows(row, &link)?;
                next += 1;
            }
            if next == asked {
                let (last, head) = (next - 1, at.sequence);
                return Err(Finding::whole(Fault::Truncated { last, head }).into());
            }
        }
        if link != at.link {
            return Err(Finding::at(at.sequence, Fault::HeadMismatch).into());
        }
        self.at = at;
        self.head = head;
        Ok(())
    }

    /// Opens a head that must be this one or a later one.
    fn later(&self, head: Option<LogHead>) -> Result<(Position, Option<Vec<u8>>), AuditError> {
        let known = self.at.sequence;
        let Some(head) = head else {
            return match self.head {
                None => Ok((self.at, None)),
                Some(_) => Err(Finding::whole(Fault::Rewound { head: 0, known }).into()),
            };
        };
        if head.sequence == known && self.head.as_ref() == Some(&head.body) {
            // The very bytes that were opened or sealed here.
            return Ok((self.at, Some(head.body)));
        }
        let at = open_head(&self.ring, &head)?;
        if at.sequence < known {
            let head = at.sequence;
            return Err(Finding::whole(Fault::Rewound { head, known }).into());
        }
        if at.sequence == known && at.link != self.at.link {
            return Err(Finding::at(known, Fault::Forked).into());
        }
        Ok((at, Some(head.body)))
    }

    /// Verifies one row after `previous` and answers its link.
    fn check_follows(&self, stored: &LogRow, previous: &Digest) -> Result<Digest, AuditError> {
        let at = |fault| AuditError::from(Finding::at(stored.sequence, fault));
        let row = Row::split(stored).map_err(at)?;
        let epoch = self
            .ring
            .find(row.epoch)
            .ok_or_else(|| at(Fault::UnknownEpoch { epoch: row.epoch }))?;
        if row.follows(&self.ring, epoch, previous) {
            Ok(row.link)
        } else {
            Err(at(Fault::Unlinked))
        }
    }

    fn draft<'a>(&'a self, rng: &'a dyn Rng, state: Option<Digest>) -> Draft<'a> {
        let mut at = self.at;
        at.state = state.unwrap_or(at.state);
        Draft::new(&self.ring, rng, at)
    }

    fn finish(&self, draft: Draft<'_>, ring: Option<Arc<KeyRing>>) -> Prepared {
        let (rows, head, at, sequences) = draft.finish();
        Prepared {
            pending: Pending {
                at,
                head: head.body.clone(),
                ring,
                sequences,
            },
            append: LogAppend {
                expected: self.head.clone(),
                rows,
                head,
            },
        }
    }
}

fn open_head(ring: &KeyRing, stored: &LogHead) -> Result<Position, AuditError> {
    head::open(ring, stored).map_err(|fault| match fault {
        // Rotation stores ring and head together, so this ring is the older of the two.
        Fault::UnknownEpoch { epoch } if epoch > ring.epoch() => AuditError::Rotated,
        fault => Finding::whole(fault).into(),
    })
}
