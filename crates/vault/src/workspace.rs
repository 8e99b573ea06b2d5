//! Workspaces: each has its own key, so that one cannot be read with the key of another.
//!
//! Source: spec/vault.md, "Workspaces".

use subrosa_crypto::{Aad, Rng, random};
use subrosa_model::{Timestamp, VaultId, WorkspaceId, WorkspaceName};

use crate::VaultError;
use crate::codec::{Decoder, Encoder, Malformed};
use crate::keys::{RootKeys, WorkspaceKeys, workspace_key};
use crate::port::{Record, RecordRef};
use crate::state::WorkspaceState;

/// A workspace with its keys and what is known of its records.
pub(crate) struct Workspace {
    pub(crate) id: WorkspaceId,
    pub(crate) name: WorkspaceName,
    pub(crate) created: Timestamp,
    pub(crate) revision: u64,
    pub(crate) keys: WorkspaceKeys,
    /// The revision and content of its state, once it was needed.
    pub(crate) state: Option<(u64, WorkspaceState)>,
}

impl Workspace {
    pub(crate) fn generate(
        rng: &dyn Rng,
        name: WorkspaceName,
        created: Timestamp,
    ) -> Result<Self, VaultError> {
        Ok(Self {
            id: WorkspaceId::from_bytes(random(rng)),
            name,
            created,
            revision: 0,
            keys: WorkspaceKeys::generate(rng)?,
            state: Some((0, WorkspaceState::empty())),
        })
    }

    /// The record of this workspace, as its next revision.
    pub(crate) fn record(&self, root: &RootKeys, rng: &dyn Rng) -> Record {
        let revision = self.revision + 1;
        let place = (root.vault(), self.id, revision);
        let plain = Encoder::new()
            .text(self.name.as_str())
            .time(self.created)
            .finish();
        let meta = root
            .workspaces()
            .seal(rng, &aad("subrosa/workspace/v1", place), &plain);
        let key = self
            .keys
            .wrap(rng, root, &aad("subrosa/workspace-key/v1", place));
        Record {
            key: workspace_key(self.id),
            revision,
            body: Encoder::new().bytes(&meta).bytes(&key).finish(),
        }
    }

    pub(crate) fn open(root: &RootKeys, record: &RecordRef<'_>) -> Result<Self, VaultError> {
        let damaged = |_: Malformed| VaultError::tampered("a workspace");
        let id = WorkspaceId::from_bytes(record.key.id);
        let place = (root.vault(), id, record.revision);
        let mut d = Decoder::new(record.body);
        let meta = d.bytes().map_err(damaged)?;
        let wrapped = d.bytes().map_err(damaged)?;
        d.end().map_err(damaged)?;
        let key = root
            .workspaces()
            .unwrap_key(&aad("subrosa/workspace-key/v1", place), wrapped)
            .map_err(VaultError::opening("a workspace"))?;
        let mut plain = Vec::new();
        root.workspaces()
            .open_public(&aad("subrosa/workspace/v1", place), meta, &mut plain)
            .map_err(VaultError::opening("a workspace"))?;
        let mut d = Decoder::new(&plain);
        let (name, created) = (d.name().map_err(damaged)?, d.time().map_err(damaged)?);
        d.end().map_err(damaged)?;
        Ok(Self {
            id,
            name,
            created,
            revision: record.revision,
            keys: WorkspaceKeys::new(key)?,
            state: None,
        })
    }
}

fn aad(domain: &str, (vault, workspace, revision): (VaultId, WorkspaceId, u64)) -> Aad {
    Aad::new(domain)
        .bytes(vault.as_bytes())
        .bytes(workspace.as_bytes())
        .u64(revision)
}
