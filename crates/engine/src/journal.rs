//! The vault's journal over the audit chain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subrosa_audit::{AuditError, Chain, KeyRing, Prepared, Writer};
use subrosa_crypto::{Key, Rng};
use subrosa_model::{Caller, Change, Clock, Digest, Event, EventBody, LogAppend, LogHead, VaultId};
use subrosa_vault::{AuditEpochs, Journal, VaultError};

/// Subjects that one record names at most: each is under 600 bytes.
const SUBJECTS_A_RECORD: usize = 1000;

/// Turns changes of the vault into rows of the log, on the chain that the writer shares.
pub(crate) struct ChainJournal {
    chain: Arc<Mutex<Chain>>,
    writer: Option<Arc<Writer>>,
    rng: Arc<dyn Rng>,
    clock: Arc<dyn Clock>,
    caller: Caller,
    prepared: Option<Prepared>,
}

impl ChainJournal {
    pub(crate) fn new(
        chain: Arc<Mutex<Chain>>,
        writer: Option<Arc<Writer>>,
        (rng, clock): (Arc<dyn Rng>, Arc<dyn Clock>),
        caller: Caller,
    ) -> Self {
        Self {
            chain,
            writer,
            rng,
            clock,
            caller,
            prepared: None,
        }
    }

    /// Has the anchor follow from here on.
    pub(crate) fn attach(&mut self, writer: Arc<Writer>) {
        self.writer = Some(writer);
    }

    /// Records changes as those of another caller from here on.
    pub(crate) fn set_caller(&mut self, caller: Caller) {
        self.caller = caller;
    }

    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The chain, for the writer.
    pub(crate) fn shared(&self) -> Arc<Mutex<Chain>> {
        Arc::clone(&self.chain)
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(self.chain().ring())
    }

    /// The events of one change: a long list of subjects is told in several, since a record has a
    /// bound, and none of them is left out.
    fn events(&self, change: &Change) -> Vec<Event> {
        let now = self.clock.now();
        let event = |subjects: &[String]| {
            let change = Change {
                subjects: subjects.to_vec(),
                ..change.clone()
            };
            Event {
                time: now,
                caller: self.caller.clone(),
                body: EventBody::Change(change),
            }
        };
        if change.subjects.is_empty() {
            return vec![event(&[])];
        }
        change
            .subjects
            .chunks(SUBJECTS_A_RECORD)
            .map(event)
            .collect()
    }

    fn finish(&mut self, prepared: Prepared) -> LogAppend {
        let append = prepared.append.clone();
        self.prepared = Some(prepared);
        append
    }
}

/// Brings the chain to the head of a view.
fn catch_up(chain: &mut Chain, head: Option<&LogHead>) -> Result<(), VaultError> {
    let sequence = head.map_or(0, |head| head.sequence);
    if sequence < chain.sequence() {
        return Err(VaultError::Behind);
    }
    chain.reload(head.cloned()).map_err(|error| match error {
        AuditError::Rotated => VaultError::Replaced,
        error => VaultError::Tampered {
            what: error.to_string(),
        },
    })
}

fn journal(error: AuditError) -> VaultError {
    VaultError::Journal {
        reason: error.to_string(),
    }
}

impl Journal for ChainJournal {
    fn check(&mut self, head: Option<&LogHead>, state: Digest) -> Result<(), VaultError> {
        let mut chain = self.chain();
        catch_up(&mut chain, head)?;
        if chain.state() == state {
            Ok(())
        } else {
            Err(VaultError::Tampered {
                what: "the log vouches for another state".to_owned(),
            })
        }
    }

    fn prepare(
        &mut self,
        head: Option<&LogHead>,
        state: Digest,
        change: &Change,
    ) -> Result<LogAppend, VaultError> {
        let events = self.events(change);
        let prepared = {
            let mut chain = self.chain();
            catch_up(&mut chain, head)?;
            chain
                .prepare(&*self.rng, &events, Some(state))
                .map_err(journal)?
        };
        Ok(self.finish(prepared))
    }

    fn prepare_epoch(
        &mut self,
        head: Option<&LogHead>,
        state: Digest,
        change: &Change,
        epochs: &AuditEpochs,
    ) -> Result<LogAppend, VaultError> {
        let events = self.events(change);
        let now = self.clock.now();
        let prepared = {
            let mut chain = self.chain();
            catch_up(&mut chain, head)?;
            let ring = Arc::new(ring(chain.ring().vault(), epochs)?);
            chain
                .prepare_rotate(&*self.rng, ring, &events, Some(state), now)
                .map_err(journal)?
        };
        Ok(self.finish(prepared))
    }

    fn committed(&mut self, _append: &LogAppend) {
        if let Some(prepared) = self.prepared.take() {
            prepared.commit(&mut self.chain());
        }
        if let Some(writer) = &self.writer {
            // The anchor follows in its own time; a writer that is gone has no anchor either.
            let _stopped = writer.anchor();
        }
    }
}

/// The ring of the keys that the vault keeps for its log.
pub(crate) fn ring(vault: VaultId, epochs: &AuditEpochs) -> Result<KeyRing, VaultError> {
    let keys = epochs
        .iter()
        .map(|(epoch, key): (u32, &Key)| Ok((epoch, key.try_clone()?)))
        .collect::<Result<Vec<_>, VaultError>>()?;
    KeyRing::new(vault, keys).map_err(journal)
}
