//! The key hierarchy: slot → root → workspace → value; one subkey for each job.
//!
//! Source: spec/vault.md, "Keys".

use subrosa_crypto::{Aad, Key, MemoryError, OpenError, Recipient, Rng, SecretBuf, random};
use subrosa_model::{Digest, GroupName, KeyName, SecretId, VaultId, WorkspaceId};

use crate::VaultError;
use crate::port::{Collection, RecordKey};

/// The root key and what is derived from it.
pub(crate) struct RootKeys {
    vault: VaultId,
    root: Key,
    workspaces: Key,
    documents: Key,
    state: Key,
    backup: Key,
}

impl RootKeys {
    pub(crate) fn generate(vault: VaultId, rng: &dyn Rng) -> Result<Self, MemoryError> {
        Self::new(vault, Key::generate(rng)?)
    }

    pub(crate) fn new(vault: VaultId, root: Key) -> Result<Self, MemoryError> {
        Ok(Self {
            vault,
            workspaces: root.derive("workspaces")?,
            documents: root.derive("documents")?,
            state: root.derive("state")?,
            backup: root.derive("backup")?,
            root,
        })
    }

    pub(crate) fn vault(&self) -> VaultId {
        self.vault
    }

    /// Wraps the root key to a slot.
    pub(crate) fn wrap(
        &self,
        rng: &dyn Rng,
        slot: &Recipient,
        aad: &Aad,
    ) -> Result<Vec<u8>, OpenError> {
        slot.wrap(rng, aad, &self.root)
    }

    /// What is pinned outside the folder: tells this root key from every other.
    pub(crate) fn fingerprint(&self) -> Digest {
        Digest::from_bytes(
            self.root
                .mac(&Aad::new("subrosa/fingerprint/v1").bytes(self.vault.as_bytes())),
        )
    }

    pub(crate) fn workspaces(&self) -> &Key {
        &self.workspaces
    }

    pub(crate) fn documents(&self) -> &Key {
        &self.documents
    }

    pub(crate) fn state(&self) -> &Key {
        &self.state
    }

    pub(crate) fn backup(&self) -> &Key {
        &self.backup
    }
}

/// A workspace's key and what is derived from it.
pub(crate) struct WorkspaceKeys {
    workspace: Key,
    meta: Key,
    values: Key,
    lookup: Key,
    set: Key,
    state: Key,
}

impl WorkspaceKeys {
    pub(crate) fn generate(rng: &dyn Rng) -> Result<Self, MemoryError> {
        Self::new(Key::generate(rng)?)
    }

    pub(crate) fn new(workspace: Key) -> Result<Self, MemoryError> {
        Ok(Self {
            meta: workspace.derive("meta")?,
            values: workspace.derive("values")?,
            lookup: workspace.derive("lookup")?,
            set: workspace.derive("set")?,
            state: workspace.derive("state")?,
            workspace,
        })
    }

    pub(crate) fn wrap(&self, rng: &dyn Rng, root: &RootKeys, aad: &Aad) -> Vec<u8> {
        root.workspaces().wrap(rng, aad, &self.workspace)
    }

    pub(crate) fn meta(&self) -> &Key {
        &self.meta
    }

    pub(crate) fn values(&self) -> &Key {
        &self.values
    }

    pub(crate) fn set(&self) -> &Key {
        &self.set
    }

    pub(crate) fn state(&self) -> &Key {
        &self.state
    }

    /// The id of the record of a secret with this name.
    pub(crate) fn head_id(&self, group: Option<&GroupName>, key: &KeyName) -> [u8; 16] {
        let aad = Aad::new("subrosa/head-id/v1")
            .optional(group.map(|group| group.as_str().as_bytes()))
            .text(key.as_str());
        let mac = self.lookup.mac(&aad);
        let mut id = [0; 16];
        id.copy_from_slice(&mac[..16]);
        id
    }
}

/// Makes ids of secrets that stand side by side when one process makes them, since a store that
/// gets its rows in order writes fewer pages. They begin with what was drawn once, and tell nothing
/// but which secrets one opening of the vault made, and in which order.
#[derive(Default)]
pub(crate) struct SecretIds {
    start: Option<[u8; 6]>,
    made: u32,
}

impl SecretIds {
    pub(crate) fn next(&mut self, rng: &dyn Rng) -> SecretId {
        let start = *self.start.get_or_insert_with(|| random(rng));
        self.made = self.made.wrapping_add(1);
        let mut id: [u8; 16] = random(rng);
        id[..6].copy_from_slice(&start);
        id[6..10].copy_from_slice(&self.made.to_be_bytes());
        SecretId::from_bytes(id)
    }
}

const NO_PARENT: [u8; 16] = [0; 16];

pub(crate) fn header_key() -> RecordKey {
    RecordKey {
        collection: Collection::Header,
        parent: NO_PARENT,
        id: [0; 16],
    }
}

pub(crate) fn state_key() -> RecordKey {
    RecordKey {
        collection: Collection::State,
        parent: NO_PARENT,
        id: [0; 16],
    }
}

pub(crate) fn workspace_state_key(workspace: WorkspaceId) -> RecordKey {
    RecordKey {
        collection: Collection::State,
        parent: *workspace.as_bytes(),
        id: [0; 16],
    }
}

pub(crate) fn slot_key(slot: subrosa_model::SlotId) -> RecordKey {
    RecordKey {
        collection: Collection::Slot,
        parent: NO_PARENT,
        id: *slot.as_bytes(),
    }
}

pub(crate) fn workspace_key(workspace: WorkspaceId) -> RecordKey {
    RecordKey {
        collection: Collection::Workspace,
        parent: NO_PARENT,
        id: *workspace.as_bytes(),
    }
}

pub(crate) fn document_key(name: &str) -> RecordKey {
    let digest = subrosa_crypto::sha256(&Aad::new("subrosa/document-id/v1").text(name));
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    RecordKey {
        collection: Collection::Document,
        parent: NO_PARENT,
        id,
    }
}

pub(crate) fn head_key(workspace: WorkspaceId, id: [u8; 16]) -> RecordKey {
    RecordKey {
        collection: Collection::Head,
        parent: *workspace.as_bytes(),
        id,
    }
}

pub(crate) fn value_key(secret: SecretId, id: [u8; 16]) -> RecordKey {
    RecordKey {
        collection: Collection::Value,
        parent: *secret.as_bytes(),
        id,
    }
}

pub(crate) fn index_key(workspace: WorkspaceId, first: u8) -> RecordKey {
    let mut id = [0; 16];
    id[0] = first;
    RecordKey {
        collection: Collection::Index,
        parent: *workspace.as_bytes(),
        id,
    }
}

/// The keys of a secret's values, as they are sealed in its head: `(value id, key)`.
pub(crate) struct ValueKeys(Vec<([u8; 16], Key)>);

const ENTRY: usize = 16 + 32;

impl ValueKeys {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn get(&self, value: &[u8; 16]) -> Option<&Key> {
        self.0
            .iter()
            .find(|(id, _)| id == value)
            .map(|(_, key)| key)
    }

    pub(crate) fn insert(&mut self, value: [u8; 16], key: Key) {
        self.0.push((value, key));
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&[u8; 16]) -> bool) {
        self.0.retain(|(id, _)| keep(id));
    }

    /// Seals the list; entries are of fixed width, so their count is the length.
    pub(crate) fn seal(&self, key: &Key, rng: &dyn Rng, aad: &Aad) -> Result<Vec<u8>, MemoryError> {
        let mut plain = SecretBuf::with_capacity(self.0.len() * ENTRY)?;
        for (id, key) in &self.0 {
            plain.extend(id)?;
            plain.extend(key.danger_expose())?;
        }
        Ok(key.seal(rng, aad, plain.as_slice()))
    }

    pub(crate) fn open(key: &Key, aad: &Aad, sealed: &[u8]) -> Result<Self, VaultError> {
        let plain = key
            .open(aad, sealed)
            .map_err(VaultError::opening("the keys of a secret"))?;
        let entries = plain.as_slice().chunks(ENTRY).map(|entry| {
            let malformed = || VaultError::tampered("the keys of a secret");
            let (id, key) = entry.split_at_checked(16).ok_or_else(malformed)?;
            let id = id.try_into().map_err(|_| malformed())?;
            Ok((id, Key::from_bytes(key).map_err(|_| malformed())?))
        });
        entries.collect::<Result<_, VaultError>>().map(Self)
    }
}
