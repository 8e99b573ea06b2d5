//! A change in the making: records to write, what they rest on, and the states afterwards.

use std::collections::BTreeMap;

use subrosa_crypto::Rng;
use subrosa_model::limits::WORKSPACES_MAX;
use subrosa_model::{Digest, SecretId, Timestamp, WorkspaceId, WorkspaceName};

use crate::VaultError;
use crate::contents::{Contents, LoadedHead, as_ref};
use crate::head::{Head, HeadPlace};
use crate::keys::{ValueKeys, head_key, index_key, state_key, value_key};
use crate::port::{Batch, Collection, Expect, Record, RecordKey, Snapshot, Write};
use crate::state::{VaultState, WorkspaceState, bucket_around};
use crate::workspace::Workspace;

/// Collects a change on top of one view. Nothing is seen outside before it is committed and
/// [`Settled::apply`] is called.
pub(crate) struct Draft<'a> {
    pub(crate) contents: &'a mut Contents,
    pub(crate) snapshot: &'a mut dyn Snapshot,
    pub(crate) rng: &'a dyn Rng,
    expect: Vec<Expect>,
    writes: Vec<Write>,
    state: VaultState,
    created: BTreeMap<WorkspaceName, Workspace>,
    states: BTreeMap<WorkspaceName, WorkspaceState>,
}

/// A finished change: what to commit, and what to remember once it is durable.
pub(crate) struct Settled {
    pub(crate) batch: Batch,
    pub(crate) digest: Digest,
    state: VaultState,
    revision: u64,
    created: BTreeMap<WorkspaceName, Workspace>,
    states: BTreeMap<WorkspaceName, (u64, WorkspaceState)>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        contents: &'a mut Contents,
        snapshot: &'a mut dyn Snapshot,
        rng: &'a dyn Rng,
    ) -> Self {
        let state = contents.state.clone();
        Self {
            contents,
            snapshot,
            rng,
            expect: Vec::new(),
            writes: Vec::new(),
            state,
            created: BTreeMap::new(),
            states: BTreeMap::new(),
        }
    }

    /// Makes a workspace unless it exists; returns whether it was made.
    pub(crate) fn ensure_workspace(
        &mut self,
        name: &WorkspaceName,
        now: Timestamp,
    ) -> Result<bool, VaultError> {
        if self.contents.workspaces.contains_key(name) || self.created.contains_key(name) {
            return Ok(false);
        }
        if self.contents.workspaces.len() + self.created.len() >= WORKSPACES_MAX {
            return Err(VaultError::Limit {
                what: "workspaces".to_owned(),
                limit: WORKSPACES_MAX,
            });
        }
        let workspace = Workspace::generate(self.rng, name.clone(), now)?;
        let record = workspace.record(&self.contents.root, self.rng);
        self.put_listed(record, None);
        self.states.insert(name.clone(), WorkspaceState::empty());
        self.created.insert(name.clone(), workspace);
        Ok(true)
    }

    pub(crate) fn workspace(&self, name: &WorkspaceName) -> Option<&Workspace> {
        self.contents
            .workspaces
            .get(name)
            .or_else(|| self.created.get(name))
    }

    fn existing(&self, name: &WorkspaceName) -> Result<&Workspace, VaultError> {
        self.workspace(name)
            .ok_or_else(|| VaultError::tampered("a workspace is missing"))
    }

    /// The head with this record id in a workspace; checked against the workspace's state.
    ///
    /// It does not see what this draft itself has put: an operation touches a head once.
    pub(crate) fn load_head(
        &mut self,
        name: &WorkspaceName,
        id: [u8; 16],
    ) -> Result<Option<LoadedHead>, VaultError> {
        if self.created.contains_key(name) {
            return Ok(None);
        }
        self.contents.load_workspace_state(self.snapshot, name)?;
        match self.contents.workspaces.get(name) {
            Some(workspace) => self.contents.load_head(self.snapshot, workspace, id),
            None => Ok(None),
        }
    }

    pub(crate) fn open_value_keys(
        &self,
        name: &WorkspaceName,
        loaded: &LoadedHead,
    ) -> Result<ValueKeys, VaultError> {
        let workspace = self.existing(name)?;
        let place = loaded.place(self.contents.header.vault, workspace);
        let body = crate::head::HeadBody::split(&loaded.record.body)?;
        ValueKeys::open(workspace.keys.values(), &place.keys_aad(), body.keys)
    }

    /// Writes a head, in place of `old` when there is one at the same name.
    pub(crate) fn put_head(
        &mut self,
        name: &WorkspaceName,
        old: Option<&LoadedHead>,
        head: &Head,
        keys: &ValueKeys,
    ) -> Result<(), VaultError> {
        let vault = self.contents.header.vault;
        let rng = self.rng;
        let workspace = self.existing(name)?;
        let id = workspace.keys.head_id(head.group.as_ref(), &head.key);
        let old = old.filter(|old| old.record.key.id == id);
        let revision = old.map_or(1, |old| old.record.revision + 1);
        let place = HeadPlace {
            vault,
            workspace: workspace.id,
            record: id,
            revision,
        };
        let sealed = keys.seal(workspace.keys.values(), rng, &place.keys_aad())?;
        let body = head.seal(&place, workspace.keys.meta(), rng, &sealed);
        let record = Record {
            key: head_key(workspace.id, id),
            revision,
            body,
        };
        self.count(name, old.map(|old| &old.record), Some(&record))?;
        self.expect.push(Expect {
            key: record.key,
            revision: old.map(|old| old.record.revision),
        });
        self.writes.push(Write::Put(record));
        Ok(())
    }

    /// Takes a head away; its values stay.
    pub(crate) fn remove_head(
        &mut self,
        name: &WorkspaceName,
        old: &LoadedHead,
    ) -> Result<(), VaultError> {
        self.count(name, Some(&old.record), None)?;
        self.expect.push(Expect {
            key: old.record.key,
            revision: Some(old.record.revision),
        });
        self.writes.push(Write::Remove(old.record.key));
        Ok(())
    }

    /// Takes what the index tells of a secret away with it; the rest of its bucket is indexed anew.
    pub(crate) fn forget_indexed(
        &mut self,
        name: &WorkspaceName,
        old: &LoadedHead,
    ) -> Result<(), VaultError> {
        let first = *bucket_around(old.record.key.id[0]).start();
        let key = index_key(self.existing(name)?.id, first);
        if self.snapshot.get(&key)?.is_some() {
            self.writes.push(Write::Remove(key));
        }
        Ok(())
    }

    /// Takes the index of a workspace away.
    pub(crate) fn forget_index(&mut self, workspace: WorkspaceId) {
        self.writes.push(Write::RemoveAll {
            collection: Collection::Index,
            parent: *workspace.as_bytes(),
        });
    }

    pub(crate) fn put_value(&mut self, secret: SecretId, id: [u8; 16], body: Vec<u8>) {
        self.writes.push(Write::Put(Record {
            key: value_key(secret, id),
            revision: 1,
            body,
        }));
    }

    pub(crate) fn remove_value(&mut self, secret: SecretId, id: [u8; 16]) {
        self.writes.push(Write::Remove(value_key(secret, id)));
    }

    pub(crate) fn remove_values(&mut self, secret: SecretId) {
        self.writes.push(Write::RemoveAll {
            collection: Collection::Value,
            parent: *secret.as_bytes(),
        });
    }

    /// Writes a small record and lists it in the state.
    pub(crate) fn put_listed(&mut self, record: Record, old: Option<u64>) {
        self.state.insert(&record);
        self.expect.push(Expect {
            key: record.key,
            revision: old,
        });
        self.writes.push(Write::Put(record));
    }

    /// Removes a small record from the store and from the state.
    pub(crate) fn remove_listed(&mut self, key: RecordKey, old: u64) {
        self.state.remove(&key);
        self.expect.push(Expect {
            key,
            revision: Some(old),
        });
        self.writes.push(Write::Remove(key));
    }

    /// Has the state of a workspace sealed anew although nothing in it was counted.
    pub(crate) fn touch(&mut self, name: &WorkspaceName) -> Result<(), VaultError> {
        self.count(name, None, None)
    }

    /// Takes away a record that was sealed under keys which this draft replaces; the states under
    /// the new keys never counted it.
    pub(crate) fn replace_record(&mut self, record: &Record) {
        self.expect.push(Expect {
            key: record.key,
            revision: Some(record.revision),
        });
        self.writes.push(Write::Remove(record.key));
    }

    fn count(
        &mut self,
        name: &WorkspaceName,
        old: Option<&Record>,
        new: Option<&Record>,
    ) -> Result<(), VaultError> {
        if !self.states.contains_key(name) {
            self.contents.load_workspace_state(self.snapshot, name)?;
            let state = self
                .existing(name)?
                .state
                .as_ref()
                .map(|(_, state)| state.clone());
            let state = state.ok_or_else(|| VaultError::tampered("no state was loaded"))?;
            self.states.insert(name.clone(), state);
        }
        let workspace = self
            .contents
            .workspaces
            .get(name)
            .or_else(|| self.created.get(name))
            .ok_or_else(|| VaultError::tampered("a workspace is missing"))?;
        let Some(state) = self.states.get_mut(name) else {
            return Ok(());
        };
        if let Some(old) = old {
            state.subtract(workspace.keys.set(), &as_ref(old))?;
        }
        if let Some(new) = new {
            state.add(workspace.keys.set(), &as_ref(new))?;
        }
        Ok(())
    }

    /// Seals the states that changed.
    pub(crate) fn settle(mut self) -> Result<Settled, VaultError> {
        let vault = self.contents.header.vault;
        let mut states = BTreeMap::new();
        for (name, state) in std::mem::take(&mut self.states) {
            let workspace = self.existing(&name)?;
            let old = workspace
                .state
                .as_ref()
                .map_or(0, |(revision, _)| *revision);
            let place = (vault, workspace.id);
            let record = state.seal(place, workspace.keys.state(), self.rng, old + 1);
            self.put_listed(record, (old > 0).then_some(old));
            states.insert(name, (old + 1, state));
        }
        let revision = self.contents.state_revision + 1;
        let (record, digest) =
            self.state
                .seal(vault, self.contents.root.state(), self.rng, revision);
        let old = (self.contents.state_revision > 0).then_some(self.contents.state_revision);
        self.expect.push(Expect {
            key: state_key(),
            revision: old,
        });
        self.writes.push(Write::Put(record));
        Ok(Settled {
            batch: Batch {
                expect: self.expect,
                writes: self.writes,
                log: None,
                yields: false,
            },
            digest,
            state: self.state,
            revision,
            created: self.created,
            states,
        })
    }
}

impl Settled {
    /// Takes the change over, once it is durable.
    pub(crate) fn apply(self, contents: &mut Contents) {
        contents.state = self.state;
        contents.state_revision = self.revision;
        contents.state_digest = self.digest;
        for (name, mut workspace) in self.created {
            workspace.revision = 1;
            contents.workspaces.insert(name, workspace);
        }
        for (name, state) in self.states {
            if let Some(workspace) = contents.workspaces.get_mut(&name) {
                workspace.state = Some(state);
            }
        }
    }
}
