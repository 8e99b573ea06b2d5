//! Slots of a vault: list, add, remove; and the new root key that removal brings.

use std::ops::ControlFlow;

use subrosa_crypto::{Argon2Params, SecretBuf};
use subrosa_model::limits::SLOTS_MAX;
use subrosa_model::{Change, ChangeKind, SlotId, Timestamp};

use crate::contents::Contents;
use crate::journal::Journal;
use crate::port::{Collection, Snapshot};
use crate::slot::{LABEL_MAX, Slot, SlotInfo};
use crate::vault::check_slots;
use crate::{Unlock, Vault, VaultError, documents, recovery};

/// A slot that is about to be made.
#[derive(Debug)]
pub struct NewSlot<'a> {
    /// What will open it.
    pub unlock: Unlock,
    /// Its name, at most [`LABEL_MAX`] bytes.
    pub label: &'a str,
    /// The cost of a passphrase.
    pub params: Argon2Params,
}

impl NewSlot<'_> {
    /// Draws a recovery code; the text is shown once and kept by the user.
    ///
    /// # Errors
    /// [`VaultError::Memory`] when there is no locked memory left.
    pub fn recovery_code(rng: &dyn subrosa_crypto::Rng) -> Result<SecretBuf, VaultError> {
        Ok(recovery::generate(rng)?)
    }
}

impl Vault {
    /// The slots, in the order of their age.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] when one was slipped in or taken away.
    pub fn slots(&mut self, journal: &mut dyn Journal) -> Result<Vec<SlotInfo>, VaultError> {
        self.read(journal, |contents, snapshot| {
            let mut slots: Vec<_> = check_slots(contents, snapshot)?
                .into_iter()
                .map(|(_, slot)| slot.info)
                .collect();
            slots.sort_by_key(|slot| slot.created);
            Ok(slots)
        })
    }

    /// Adds a slot. Needs presence, which the engine proves.
    ///
    /// # Errors
    /// [`VaultError::Limit`] beyond the number of slots or the length of a label.
    pub fn add_slot(
        &mut self,
        journal: &mut dyn Journal,
        new: &NewSlot<'_>,
        now: Timestamp,
    ) -> Result<SlotInfo, VaultError> {
        if new.label.is_empty()
            || new.label.len() > LABEL_MAX
            || new.label.chars().any(char::is_control)
        {
            return Err(VaultError::Limit {
                what: "bytes of a label, without control characters".to_owned(),
                limit: LABEL_MAX,
            });
        }
        self.write(journal, |draft| {
            let slots = check_slots(draft.contents, draft.snapshot)?;
            if slots.len() >= SLOTS_MAX {
                return Err(VaultError::Limit {
                    what: "slots".to_owned(),
                    limit: SLOTS_MAX,
                });
            }
            if slots.iter().any(|(_, slot)| slot.info.label == new.label) {
                return Err(VaultError::SlotExists {
                    name: new.label.to_owned(),
                });
            }
            let signer = documents::lineage(draft.contents, draft.snapshot)?;
            let slot = Slot::seal(
                (&draft.contents.root, &signer),
                draft.rng,
                &new.unlock,
                (new.label, now),
                new.params,
            )?;
            draft.put_listed(slot.record(1), None);
            let change = Change {
                kind: ChangeKind::SlotAdd,
                subjects: vec![new.label.to_owned()],
                detail: new.unlock.kind().name().to_owned(),
            };
            Ok((slot.info, change))
        })
    }
}

/// Slots with the revisions of their records.
pub(crate) type RevisedSlots = Vec<(u64, Slot)>;

/// Reads all slots with their revisions. Their content is not vouched for yet.
pub(crate) fn read_slots(snapshot: &mut dyn Snapshot) -> Result<Vec<(u64, Slot)>, VaultError> {
    let mut slots = Vec::new();
    let mut sound = true;
    snapshot.scan(Collection::Slot, None, &mut |record| {
        match Slot::decode(record.key.id, record.body) {
            Ok(slot) if slots.len() < SLOTS_MAX => slots.push((record.revision, slot)),
            _ => sound = false,
        }
        if sound {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    if sound {
        Ok(slots)
    } else {
        Err(VaultError::tampered("a slot"))
    }
}

/// The slots that stay and those that go; refuses to remove the last that a person opens every
/// day, when told to.
pub(crate) fn without(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
    (removed, keep_a_person): (&[SlotId], bool),
) -> Result<(RevisedSlots, RevisedSlots), VaultError> {
    let slots = check_slots(contents, snapshot)?;
    let (gone, kept): (Vec<_>, Vec<_>) = slots
        .into_iter()
        .partition(|(_, slot)| removed.contains(&slot.info.id));
    if let Some(id) = removed
        .iter()
        .find(|id| !gone.iter().any(|(_, slot)| slot.info.id == **id))
    {
        return Err(VaultError::SlotMissing {
            name: id.to_string(),
        });
    }
    // The recovery code is for the day when everything else is lost, and that is when a TPM breaks or
    // is cleared.
    let everyday = |slot: &Slot| slot.info.kind == Some(crate::SlotKind::Passphrase);
    if keep_a_person
        && let Some((_, slot)) = gone.iter().find(|(_, slot)| everyday(slot))
        && !kept.iter().any(|(_, slot)| everyday(slot))
    {
        return Err(VaultError::LastSlot {
            name: slot.info.label.clone(),
        });
    }
    Ok((kept, gone))
}
