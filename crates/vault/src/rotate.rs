//! A new root key, with everything under it that an old one could have told.
//!
//! All workspace keys, the key of the log and every head are replaced: whoever kept the old root
//! key and an old copy of the file opens what that copy held, and nothing that was stored since.
//! The values themselves stay where they are, each under its own key, which the new heads hold.
//!
//! Source: spec/vault.md, "Rotation".

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use subrosa_model::{Change, ChangeKind, Digest, SlotId, StoreError};

use crate::contents::{Contents, LoadedHead, as_ref, open_head};
use crate::documents::{self, AuditEpochs};
use crate::draft::Draft;
use crate::journal::Journal;
use crate::keys::{RootKeys, WorkspaceKeys, document_key};
use crate::port::{Collection, Record, Snapshot};
use crate::slots::without;
use crate::state::WorkspaceState;
use crate::vault::on_view;
use crate::workspace::Workspace;
use crate::{Vault, VaultError};

/// How often everything is planned anew when other processes write at the same time.
const ATTEMPTS: usize = 8;

impl Vault {
    /// Replaces the root key, and removes the slots that are named. Needs presence, which the
    /// engine proves.
    ///
    /// `announce` is told the new root fingerprint before anything is written, so that it can be
    /// pinned as the one that may follow.
    ///
    /// # Errors
    /// [`VaultError::SlotMissing`], [`VaultError::LastSlot`]; nothing changed then.
    pub fn rotate(
        &mut self,
        journal: &mut dyn Journal,
        removed: &[SlotId],
        announce: &mut dyn FnMut(Digest) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.replace_root(journal, (removed, true), announce)
    }

    /// Replaces the root key and leaves the slot that opened the vault as the only one, whichever
    /// kind it is: what was revoked after a backup must not come back with it.
    ///
    /// # Errors
    /// As [`Vault::rotate`], without [`VaultError::LastSlot`].
    pub fn rotate_to(
        &mut self,
        journal: &mut dyn Journal,
        kept: SlotId,
        announce: &mut dyn FnMut(Digest) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let slots = self.slots(journal)?;
        let removed: Vec<_> = slots
            .iter()
            .map(|slot| slot.id)
            .filter(|id| *id != kept)
            .collect();
        self.replace_root(journal, (&removed, false), announce)
    }

    fn replace_root(
        &mut self,
        journal: &mut dyn Journal,
        removed: (&[SlotId], bool),
        announce: &mut dyn FnMut(Digest) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        for _ in 0..ATTEMPTS {
            let fresh = RootKeys::generate(self.contents.header.vault, &*self.rng)?;
            let fingerprint = fresh.fingerprint();
            let rng = &*self.rng;
            let planned = on_view(
                &mut *self.store,
                &mut self.contents,
                journal,
                |contents, view| Ok((plan(contents, view, rng, fresh, removed)?, view.log_head()?)),
            );
            let (
                Plan {
                    mut settled,
                    mut next,
                    epochs,
                    change,
                },
                head,
            ) = planned?;
            announce(fingerprint)?;
            let prepared = journal.prepare_epoch(head.as_ref(), settled.digest, &change, &epochs);
            let append = match prepared {
                Err(VaultError::Behind) => continue,
                prepared => prepared?,
            };
            settled.batch.log = Some(append.clone());
            match self.store.commit(&settled.batch) {
                Ok(()) => {
                    settled.apply(&mut next);
                    self.contents = next;
                    journal.committed(&append);
                    return Ok(());
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }
}

struct Plan {
    settled: crate::draft::Settled,
    next: Contents,
    epochs: AuditEpochs,
    change: Change,
}

fn plan(
    contents: &mut Contents,
    snapshot: &mut dyn Snapshot,
    rng: &dyn subrosa_crypto::Rng,
    fresh: RootKeys,
    (removed, keep_a_person): (&[SlotId], bool),
) -> Result<Plan, VaultError> {
    let (kept, gone) = without(contents, snapshot, (removed, keep_a_person))?;
    let signer = documents::lineage(contents, snapshot)?;
    let mut epochs = AuditEpochs::read(contents, snapshot)?;
    epochs.push_next(rng)?;

    // A second view of the vault, under the new keys, from which the draft is made.
    let names: Vec<_> = contents.workspaces.keys().cloned().collect();
    for name in &names {
        contents.load_workspace_state(snapshot, name)?;
    }
    let mut next = Contents {
        header: contents.header,
        root: fresh,
        state: contents.state.clone(),
        state_revision: contents.state_revision,
        state_digest: contents.state_digest,
        workspaces: BTreeMap::new(),
        ids: crate::keys::SecretIds::default(),
    };
    for (name, old) in &contents.workspaces {
        let state = old
            .state
            .as_ref()
            .map(|(revision, _)| (*revision, WorkspaceState::empty()));
        let workspace = Workspace {
            id: old.id,
            name: name.clone(),
            created: old.created,
            revision: old.revision,
            keys: WorkspaceKeys::generate(rng)?,
            state,
        };
        next.workspaces.insert(name.clone(), workspace);
    }

    let heads = read_heads(contents, snapshot)?;
    let documents = read_documents(contents, snapshot, &epochs)?;
    let mut draft = Draft::new(&mut next, snapshot, rng);
    for (revision, slot) in &gone {
        draft.remove_listed(slot.record(*revision).key, *revision);
    }
    for (revision, mut slot) in kept {
        slot.rewrap(&draft.contents.root, &signer, rng)?;
        draft.put_listed(slot.record(revision + 1), Some(revision));
    }
    for (name, revision, plain) in documents {
        let record = documents::seal(
            &draft.contents.root,
            rng,
            name,
            revision + 1,
            plain.as_slice(),
        );
        draft.put_listed(record, Some(revision));
    }
    for name in &names {
        let workspace = draft
            .workspace(name)
            .ok_or_else(|| VaultError::tampered("a workspace is missing"))?;
        let (id, revision, record) = (
            workspace.id,
            workspace.revision,
            workspace.record(&draft.contents.root, rng),
        );
        draft.forget_index(id);
        draft.put_listed(record, Some(revision));
        draft.touch(name)?;
    }
    for (name, loaded, keys) in heads {
        draft.replace_record(&loaded.record);
        draft.put_head(&name, None, &loaded.head, &keys)?;
    }
    let settled = draft.settle()?;
    for workspace in next.workspaces.values_mut() {
        workspace.revision += 1;
    }
    let kind = if gone.is_empty() {
        ChangeKind::Rotate
    } else {
        ChangeKind::SlotRemove
    };
    let subjects = gone.into_iter().map(|(_, slot)| slot.info.label).collect();
    Ok(Plan {
        settled,
        next,
        epochs,
        change: Change {
            kind,
            subjects,
            detail: String::new(),
        },
    })
}

type OpenedHead = (
    subrosa_model::WorkspaceName,
    LoadedHead,
    crate::keys::ValueKeys,
);

/// Every head of the vault with the keys of its values, checked against the states.
fn read_heads(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
) -> Result<Vec<OpenedHead>, VaultError> {
    let vault = contents.header.vault;
    let mut heads = Vec::new();
    for (name, workspace) in &contents.workspaces {
        let mut found = WorkspaceState::empty();
        let mut failure = None;
        let mut plain = Vec::new();
        snapshot.scan(
            Collection::Head,
            Some(workspace.id.as_bytes()),
            &mut |record| {
                let record = Record {
                    key: record.key,
                    revision: record.revision,
                    body: record.body.to_vec(),
                };
                let opened = found
                    .add(workspace.keys.set(), &as_ref(&record))
                    .and_then(|()| {
                        let head = open_head(vault, workspace, &as_ref(&record), &mut plain)?;
                        let loaded = LoadedHead { record, head };
                        let place = loaded.place(vault, workspace);
                        let body = crate::head::HeadBody::split(&loaded.record.body)?;
                        let keys = crate::keys::ValueKeys::open(
                            workspace.keys.values(),
                            &place.keys_aad(),
                            body.keys,
                        )?;
                        Ok((name.clone(), loaded, keys))
                    });
                match opened {
                    Ok(head) => {
                        heads.push(head);
                        ControlFlow::Continue(())
                    }
                    Err(error) => {
                        failure = Some(error);
                        ControlFlow::Break(())
                    }
                }
            },
        )?;
        if let Some(error) = failure {
            return Err(error);
        }
        if workspace
            .state
            .as_ref()
            .is_none_or(|(_, state)| *state != found)
        {
            return Err(VaultError::tampered("the secrets of a workspace"));
        }
    }
    Ok(heads)
}

type OpenedDocument = (&'static str, u64, subrosa_crypto::SecretBuf);

fn read_documents(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
    epochs: &AuditEpochs,
) -> Result<Vec<OpenedDocument>, VaultError> {
    let mut documents = Vec::new();
    for name in documents::ALL {
        if !contents.state.lists(&document_key(name)) {
            continue;
        }
        let (revision, plain) = documents::open_private(contents, snapshot, name)?;
        let plain = if name == documents::audit_keys_name() {
            epochs.encode()?
        } else {
            plain
        };
        documents.push((name, revision, plain));
    }
    // A document of a later program would be left under the old root key.
    if documents.len() != contents.state.count(Collection::Document) {
        return Err(VaultError::Unknown {
            what: "a document that this program does not know",
        });
    }
    Ok(documents)
}
