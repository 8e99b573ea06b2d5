//! An open vault: how it is made, opened, read and changed.

use std::fmt;
use std::sync::Arc;

use subrosa_crypto::{Key, Rng, SigningKey, random};
use subrosa_model::{Change, ChangeKind, Digest, Scope, Timestamp, VaultId, WorkspaceName};

use crate::VaultError;
use crate::contents::{Contents, Header};
use crate::documents::{AuditEpochs, put_audit_epochs, put_lineage};
use crate::draft::Draft;
use crate::journal::Journal;
use crate::keys::RootKeys;
use crate::port::{Snapshot, VaultStore};
use crate::slot::{Opened, Slot, SlotInfo};
use crate::slots::{NewSlot, read_slots};
use crate::state::VaultState;

/// How often a change is tried again when other processes write at the same time.
const ATTEMPTS: usize = 50;

/// A vault that is about to be made. Its audit keys exist already, so that the log can record the
/// very first change.
pub struct Genesis {
    header: Header,
    root: RootKeys,
    lineage: Key,
    epochs: AuditEpochs,
    rng: Arc<dyn Rng>,
}

impl Genesis {
    /// Draws all keys of a new vault.
    ///
    /// # Errors
    /// [`VaultError::Memory`] when there is no locked memory left.
    pub fn new(rng: Arc<dyn Rng>, now: Timestamp) -> Result<Self, VaultError> {
        let vault = VaultId::from_bytes(random(&*rng));
        Ok(Self {
            header: Header {
                vault,
                created: now,
            },
            root: RootKeys::generate(vault, &*rng)?,
            lineage: Key::generate(&*rng)?,
            epochs: AuditEpochs::first(&*rng)?,
            rng,
        })
    }

    /// The vault's id.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.header.vault
    }

    /// The root fingerprint, to be pinned outside the folder.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.root.fingerprint()
    }

    /// The keys of the log.
    #[must_use]
    pub fn audit_epochs(&self) -> &AuditEpochs {
        &self.epochs
    }

    /// Writes the vault into an empty store, in one transaction.
    ///
    /// # Errors
    /// [`VaultError::Store`] with `Conflict` when the store is not empty.
    pub fn create(
        self,
        store: &mut dyn VaultStore,
        journal: &mut dyn Journal,
        slots: &[NewSlot<'_>],
    ) -> Result<Created, VaultError> {
        let Self {
            header,
            root,
            lineage,
            epochs,
            rng,
        } = self;
        let now = header.created;
        let signer = SigningKey::from_seed(&lineage)?;
        let slots = slots
            .iter()
            .map(|new| {
                Slot::seal(
                    (&root, &signer),
                    &*rng,
                    &new.unlock,
                    (new.label, now),
                    new.params,
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut contents = Contents {
            header,
            root,
            state: VaultState::default(),
            state_revision: 0,
            state_digest: Digest::from_bytes([0; 32]),
            workspaces: std::collections::BTreeMap::new(),
            ids: crate::keys::SecretIds::default(),
        };
        let mut snapshot = store.snapshot()?;
        let mut draft = Draft::new(&mut contents, &mut *snapshot, &*rng);
        draft.put_listed(header.record(1), None);
        slots
            .iter()
            .for_each(|slot| draft.put_listed(slot.record(1), None));
        put_lineage(&mut draft, &lineage)?;
        put_audit_epochs(&mut draft, &epochs)?;
        for name in [WorkspaceName::global(), Scope::default_workspace()] {
            draft.ensure_workspace(&name, now)?;
        }
        let mut settled = draft.settle()?;
        let head = snapshot.log_head()?;
        drop(snapshot);
        let change = Change {
            kind: ChangeKind::Init,
            subjects: slots.iter().map(|slot| slot.info.label.clone()).collect(),
            detail: String::new(),
        };
        let append = journal.prepare(head.as_ref(), settled.digest, &change)?;
        settled.batch.log = Some(append.clone());
        store.commit(&settled.batch)?;
        settled.apply(&mut contents);
        journal.committed(&append);
        let slot = slots.into_iter().next().map(|slot| slot.info);
        Ok(Created {
            contents,
            rng,
            slot,
        })
    }
}

/// A vault that was just written.
#[must_use = "open it"]
pub struct Created {
    contents: Contents,
    rng: Arc<dyn Rng>,
    slot: Option<SlotInfo>,
}

impl Created {
    /// Goes on with the store into which it was written. It counts as opened by its first slot.
    #[must_use]
    pub fn open(self, store: Box<dyn VaultStore>) -> Vault {
        Vault {
            store,
            rng: self.rng,
            contents: self.contents,
            slot: self.slot,
        }
    }
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Created({})", self.contents.header.vault)
    }
}

impl fmt::Debug for Genesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Genesis({})", self.header.vault)
    }
}

/// A vault whose root key was found, and which the audit log has not vouched for yet.
#[must_use = "have the log vouch for it"]
pub struct Unverified {
    vault: Vault,
    epochs: AuditEpochs,
}

impl Unverified {
    /// The keys of the log.
    #[must_use]
    pub fn audit_epochs(&self) -> &AuditEpochs {
        &self.epochs
    }

    /// The vault's id.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.vault.id()
    }

    /// The root fingerprint, to be compared with the pinned one.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.vault.fingerprint()
    }

    /// The slot that was opened.
    #[must_use]
    pub fn slot(&self) -> Option<&SlotInfo> {
        self.vault.slot.as_ref()
    }

    pub(crate) fn root(&self) -> &RootKeys {
        &self.vault.contents.root
    }

    /// Has the log vouch for the vault's state.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] when it does not.
    pub fn verify(mut self, journal: &mut dyn Journal) -> Result<Vault, VaultError> {
        self.vault.read(journal, |_, _| Ok(()))?;
        Ok(self.vault)
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({})", self.vault.id())
    }
}

/// An open vault.
pub struct Vault {
    pub(crate) store: Box<dyn VaultStore>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) contents: Contents,
    pub(crate) slot: Option<SlotInfo>,
}

impl Vault {
    /// The kinds of slots that a store's vault has, before anything is opened.
    ///
    /// # Errors
    /// [`VaultError::Future`] and [`VaultError::Tampered`] when it cannot be read.
    pub fn peek(store: &mut dyn VaultStore) -> Result<(VaultId, Vec<SlotInfo>), VaultError> {
        let mut snapshot = store.snapshot()?;
        let header = Header::read(&mut *snapshot)?;
        let slots = read_slots(&mut *snapshot)?;
        Ok((
            header.vault,
            slots.into_iter().map(|(_, slot)| slot.info).collect(),
        ))
    }

    /// Opens a vault with any slot that `unlock` fits.
    ///
    /// # Errors
    /// [`VaultError::NoSlot`] when there is no slot of that kind, [`VaultError::WrongKey`] when
    /// none opens.
    pub fn open(
        mut store: Box<dyn VaultStore>,
        rng: Arc<dyn Rng>,
        unlock: &crate::Unlock,
    ) -> Result<Unverified, VaultError> {
        let mut snapshot = store.snapshot()?;
        let header = Header::read(&mut *snapshot)?;
        let (opened, slot) = open_slot(&mut *snapshot, header.vault, unlock)?;
        let contents = Contents::load(header, opened.root, &mut *snapshot)?;
        check_slots(&contents, &mut *snapshot)?;
        let epochs = AuditEpochs::read(&contents, &mut *snapshot)?;
        crate::documents::check_lineage(&contents, &mut *snapshot, opened.lineage)?;
        drop(snapshot);
        Ok(Unverified {
            vault: Self {
                store,
                rng,
                contents,
                slot: Some(slot),
            },
            epochs,
        })
    }

    /// The vault's id.
    #[must_use]
    pub fn id(&self) -> VaultId {
        self.contents.header.vault
    }

    /// When it was made.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.contents.header.created
    }

    /// The root fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.contents.root.fingerprint()
    }

    /// The digest that the log must vouch for.
    #[must_use]
    pub fn state_digest(&self) -> Digest {
        self.contents.state_digest
    }

    /// The slot that opened it.
    #[must_use]
    pub fn slot(&self) -> Option<&SlotInfo> {
        self.slot.as_ref()
    }

    /// The names of its workspaces, ascending.
    pub fn workspaces(&self) -> impl Iterator<Item = &WorkspaceName> {
        self.contents.workspaces.keys()
    }

    /// The id of a workspace.
    #[must_use]
    pub fn workspace_id(&self, name: &WorkspaceName) -> Option<subrosa_model::WorkspaceId> {
        self.contents
            .workspaces
            .get(name)
            .map(|workspace| workspace.id)
    }

    /// Runs `f` on one consistent view that the log vouches for.
    pub(crate) fn read<T>(
        &mut self,
        journal: &mut dyn Journal,
        f: impl FnOnce(&mut Contents, &mut dyn Snapshot) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        on_view(&mut *self.store, &mut self.contents, journal, f)
    }

    /// Plans a change on a view that the log vouches for and commits it with its record; plans
    /// anew when somebody else was faster.
    pub(crate) fn write<T>(
        &mut self,
        journal: &mut dyn Journal,
        mut plan: impl FnMut(&mut Draft<'_>) -> Result<(T, Change), VaultError>,
    ) -> Result<T, VaultError> {
        for _ in 0..ATTEMPTS {
            let rng = &*self.rng;
            let planned = on_view(
                &mut *self.store,
                &mut self.contents,
                journal,
                |contents, view| {
                    let mut draft = Draft::new(contents, view, rng);
                    let (value, change) = plan(&mut draft)?;
                    let settled = draft.settle()?;
                    Ok((value, change, settled, view.log_head()?))
                },
            );
            let (value, change, mut settled, head) = planned?;
            let append = match journal.prepare(head.as_ref(), settled.digest, &change) {
                Err(VaultError::Behind) => continue,
                prepared => prepared?,
            };
            settled.batch.log = Some(append.clone());
            match self.store.commit(&settled.batch) {
                Ok(()) => {
                    settled.apply(&mut self.contents);
                    journal.committed(&append);
                    return Ok(value);
                }
                Err(subrosa_model::StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(subrosa_model::StoreError::Busy.into())
    }

    /// Records something that changes no secret, such as a backup.
    ///
    /// # Errors
    /// [`VaultError::Journal`], [`VaultError::Store`].
    pub fn note(&mut self, journal: &mut dyn Journal, change: &Change) -> Result<(), VaultError> {
        self.write(journal, |_| Ok(((), change.clone())))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.id())
    }
}

/// Runs `f` on a view that the log vouches for. The log may have gone on in the very moment in
/// which the view was taken, then another is taken; a view that stays behind is a rewind.
pub(crate) fn on_view<T>(
    store: &mut dyn VaultStore,
    contents: &mut Contents,
    journal: &mut dyn Journal,
    f: impl FnOnce(&mut Contents, &mut dyn Snapshot) -> Result<T, VaultError>,
) -> Result<T, VaultError> {
    for _ in 0..ATTEMPTS {
        let mut snapshot = store.snapshot()?;
        match contents.refresh(&mut *snapshot, journal) {
            Err(VaultError::Behind) => {}
            refreshed => {
                refreshed?;
                return f(contents, &mut *snapshot);
            }
        }
    }
    Err(VaultError::tampered("the log goes back in time"))
}

fn open_slot(
    snapshot: &mut dyn Snapshot,
    vault: VaultId,
    unlock: &crate::Unlock,
) -> Result<(Opened, SlotInfo), VaultError> {
    let what = unlock.kind().name();
    let slots = read_slots(snapshot)?;
    let mut fitting = slots
        .iter()
        .filter(|(_, slot)| slot.info.kind == Some(unlock.kind()))
        .peekable();
    if fitting.peek().is_none() {
        return Err(VaultError::NoSlot { what });
    }
    for (_, slot) in fitting {
        if let Some(opened) = slot.open(vault, unlock)? {
            return Ok((opened, slot.info.clone()));
        }
    }
    Err(VaultError::WrongKey { what })
}

/// Every slot must be listed and every listed one there: a slot that was slipped in would be a
/// way back in after the next rotation.
pub(crate) fn check_slots(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
) -> Result<Vec<(u64, Slot)>, VaultError> {
    let slots = read_slots(snapshot)?;
    for (revision, slot) in &slots {
        let record = slot.record(*revision);
        if !contents
            .state
            .vouches_for(&crate::contents::as_ref(&record))
        {
            return Err(VaultError::tampered("a slot"));
        }
    }
    if slots.len() != contents.state.count(crate::port::Collection::Slot) {
        return Err(VaultError::tampered("a slot is missing"));
    }
    Ok(slots)
}
