//! What is held of an open vault in memory, and how it is kept true to the store.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use subrosa_crypto::{OpenError, commitment};
use subrosa_model::{Digest, Timestamp, VaultId, WorkspaceName};

use crate::codec::{Decoder, Encoder, Malformed};
use crate::head::{Head, HeadBody, HeadPlace};
use crate::journal::Journal;
use crate::keys::{RootKeys, SecretIds, head_key, header_key, state_key, workspace_state_key};
use crate::port::{Collection, Record, RecordKey, RecordRef, Snapshot};
use crate::state::{VaultState, WorkspaceState, bucket_around, record_digest};
use crate::workspace::Workspace;
use crate::{FORMAT, VaultError};

const MAGIC: &[u8; 8] = b"subrosa\0";

/// The one record that is not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) vault: VaultId,
    pub(crate) created: Timestamp,
}

impl Header {
    pub(crate) fn record(self, revision: u64) -> Record {
        let body = Encoder::new()
            .fixed(MAGIC)
            .u32(FORMAT)
            .fixed(self.vault.as_bytes())
            .time(self.created)
            .finish();
        Record {
            key: header_key(),
            revision,
            body,
        }
    }

    pub(crate) fn read(snapshot: &mut dyn Snapshot) -> Result<Self, VaultError> {
        let damaged = |_: Malformed| VaultError::tampered("the header");
        let record = snapshot
            .get(&header_key())?
            .ok_or(Malformed)
            .map_err(damaged)?;
        let mut d = Decoder::new(&record.body);
        if d.fixed::<8>().map_err(damaged)? != *MAGIC {
            return Err(damaged(Malformed));
        }
        let found = d.u32().map_err(damaged)?;
        if found != FORMAT {
            return Err(VaultError::Future {
                found,
                known: FORMAT,
            });
        }
        let vault = VaultId::from_bytes(d.fixed().map_err(damaged)?);
        let created = d.time().map_err(damaged)?;
        d.end().map_err(damaged)?;
        Ok(Self { vault, created })
    }
}

/// A head as it was read, with what is needed to replace it.
pub(crate) struct LoadedHead {
    pub(crate) record: Record,
    pub(crate) head: Head,
}

impl LoadedHead {
    pub(crate) fn place(&self, vault: VaultId, workspace: &Workspace) -> HeadPlace {
        HeadPlace {
            vault,
            workspace: workspace.id,
            record: self.record.key.id,
            revision: self.record.revision,
        }
    }
}

/// Keys and states of an open vault.
pub(crate) struct Contents {
    pub(crate) header: Header,
    pub(crate) root: RootKeys,
    pub(crate) state: VaultState,
    pub(crate) state_revision: u64,
    pub(crate) state_digest: Digest,
    pub(crate) workspaces: BTreeMap<WorkspaceName, Workspace>,
    pub(crate) ids: SecretIds,
}

impl Contents {
    /// Reads all that every operation needs, from one view.
    pub(crate) fn load(
        header: Header,
        root: RootKeys,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Self, VaultError> {
        let (state, record) = read_state(&root, snapshot)?;
        let mut contents = Self {
            header,
            root,
            state,
            state_revision: record.revision,
            state_digest: record_digest(&record.key, record.revision, &record.body),
            workspaces: BTreeMap::new(),
            ids: SecretIds::default(),
        };
        contents.listed(snapshot, &header_key())?;
        contents.reload_workspaces(snapshot)?;
        Ok(contents)
    }

    /// Takes in what others changed, and has the log vouch for what is there now.
    pub(crate) fn refresh(
        &mut self,
        snapshot: &mut dyn Snapshot,
        journal: &mut dyn Journal,
    ) -> Result<(), VaultError> {
        let record = snapshot
            .get(&state_key())?
            .ok_or_else(|| VaultError::tampered("the state"))?;
        let digest = record_digest(&record.key, record.revision, &record.body);
        journal.check(snapshot.log_head()?.as_ref(), digest)?;
        if digest == self.state_digest {
            return Ok(());
        }
        if record.revision <= self.state_revision {
            return Err(VaultError::tampered("the state goes back in time"));
        }
        self.state = open_state(&self.root, &record)?;
        self.state_revision = record.revision;
        self.state_digest = digest;
        self.reload_workspaces(snapshot)
    }

    fn reload_workspaces(&mut self, snapshot: &mut dyn Snapshot) -> Result<(), VaultError> {
        let mut found = BTreeMap::new();
        let mut failure = None;
        let (state, root) = (&self.state, &self.root);
        snapshot.scan(Collection::Workspace, None, &mut |record| {
            if !state.vouches_for(&record) {
                failure = Some(VaultError::tampered("a workspace"));
                return ControlFlow::Break(());
            }
            match Workspace::open(root, &record) {
                Ok(workspace) => {
                    found.insert(workspace.name.clone(), workspace);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        if found.len() != self.state.count(Collection::Workspace) {
            return Err(VaultError::tampered("a workspace is missing"));
        }
        self.workspaces = found;
        Ok(())
    }

    /// A small record that the state vouches for; `None` when neither has it.
    pub(crate) fn listed(
        &self,
        snapshot: &mut dyn Snapshot,
        key: &RecordKey,
    ) -> Result<Option<Record>, VaultError> {
        let record = snapshot.get(key)?;
        let agrees = match &record {
            Some(record) => self.state.vouches_for(&as_ref(record)),
            None => !self.state.lists(key),
        };
        if agrees {
            Ok(record)
        } else {
            Err(VaultError::tampered(format!("{:?}", key.collection)))
        }
    }

    /// Loads the state of a workspace unless it is there already.
    pub(crate) fn load_workspace_state(
        &mut self,
        snapshot: &mut dyn Snapshot,
        name: &WorkspaceName,
    ) -> Result<(), VaultError> {
        let Some(workspace) = self.workspaces.get(name) else {
            return Ok(());
        };
        if workspace.state.is_some() {
            return Ok(());
        }
        let key = workspace_state_key(workspace.id);
        let record = self
            .listed(snapshot, &key)?
            .ok_or_else(|| VaultError::tampered("the state of a workspace"))?;
        let place = (self.header.vault, workspace.id);
        let state = WorkspaceState::open(place, workspace.keys.state(), &record)
            .map_err(VaultError::opening("the state of a workspace"))?;
        if let Some(workspace) = self.workspaces.get_mut(name) {
            workspace.state = Some((record.revision, state));
        }
        Ok(())
    }

    /// The head with this record id. Its whole bucket is read and compared with the state, so
    /// that a head that was removed, replayed or added from outside is noticed, absence included.
    ///
    /// The state of the workspace must be loaded.
    pub(crate) fn load_head(
        &self,
        snapshot: &mut dyn Snapshot,
        workspace: &Workspace,
        id: [u8; 16],
    ) -> Result<Option<LoadedHead>, VaultError> {
        let (_, state) = workspace
            .state
            .as_ref()
            .ok_or_else(|| VaultError::tampered("no state was loaded"))?;
        let mut found = WorkspaceState::empty();
        let mut wanted = None;
        let mut failure = None;
        let parent = workspace.id.as_bytes();
        let bucket = bucket_around(id[0]);
        snapshot.scan_bucket(Collection::Head, parent, bucket, &mut |record| {
            if let Err(error) = found.add(workspace.keys.set(), &record) {
                failure = Some(error);
                return ControlFlow::Break(());
            }
            if record.key.id == id {
                wanted = Some(Record {
                    key: record.key,
                    revision: record.revision,
                    body: record.body.to_vec(),
                });
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
        if !state.bucket_agrees(&found, id[0]) {
            return Err(VaultError::tampered("the secrets of a workspace"));
        }
        let Some(record) = wanted else {
            return Ok(None);
        };
        let head = open_head(
            self.header.vault,
            workspace,
            &as_ref(&record),
            &mut Vec::new(),
        )?;
        debug_assert_eq!(record.key, head_key(workspace.id, id));
        Ok(Some(LoadedHead { record, head }))
    }
}

/// Opens a head from its record.
pub(crate) fn open_head(
    vault: VaultId,
    workspace: &Workspace,
    record: &RecordRef<'_>,
    plain: &mut Vec<u8>,
) -> Result<Head, VaultError> {
    open_head_as(vault, workspace, record, plain, Head::decode)
}

/// Opens a head's record as what `decode` makes of it.
pub(crate) fn open_head_as<T>(
    vault: VaultId,
    workspace: &Workspace,
    record: &RecordRef<'_>,
    plain: &mut Vec<u8>,
    decode: impl FnOnce(&[u8]) -> Result<T, Malformed>,
) -> Result<T, VaultError> {
    let place = HeadPlace {
        vault,
        workspace: workspace.id,
        record: record.key.id,
        revision: record.revision,
    };
    HeadBody::split(record.body)?.open(&place, workspace.keys.meta(), plain, decode)
}

pub(crate) fn as_ref(record: &Record) -> RecordRef<'_> {
    RecordRef {
        key: record.key,
        revision: record.revision,
        body: &record.body,
    }
}

fn read_state(
    root: &RootKeys,
    snapshot: &mut dyn Snapshot,
) -> Result<(VaultState, Record), VaultError> {
    let record = snapshot
        .get(&state_key())?
        .ok_or_else(|| VaultError::tampered("the state"))?;
    Ok((open_state(root, &record)?, record))
}

fn open_state(root: &RootKeys, record: &Record) -> Result<VaultState, VaultError> {
    match VaultState::open(root.vault(), root.state(), record) {
        Ok(state) => Ok(state),
        // Sealed under another root key: somebody rotated, or put a record of another vault here.
        Err(OpenError::WrongKey) if commitment(&record.body).is_some() => Err(VaultError::Replaced),
        Err(error) => Err(VaultError::opening("the state")(error)),
    }
}
