//! Opening everything once, to know that it can be opened.

use std::ops::ControlFlow;

use subrosa_egress::Sensitive;
use subrosa_model::Label;

use crate::contents::open_head;
use crate::head::{HeadBody, HeadPlace, value_aad};
use crate::journal::Journal;
use crate::keys::{ValueKeys, value_key};
use crate::port::{Collection, Record};
use crate::state::WorkspaceState;
use crate::{Vault, VaultError};

impl Vault {
    /// Opens every value of every version and compares everything with the states. `progress` is
    /// told how many secrets are done.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] with what does not open or is missing.
    pub fn verify_all(
        &mut self,
        journal: &mut dyn Journal,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), VaultError> {
        let names: Vec<_> = self.workspaces().cloned().collect();
        let mut done = 0;
        self.read(journal, |contents, snapshot| {
            crate::vault::check_slots(contents, snapshot)?;
            for name in &names {
                contents.load_workspace_state(snapshot, name)?;
                let Some(workspace) = contents.workspaces.get(name) else {
                    continue;
                };
                let vault = contents.header.vault;
                let mut found = WorkspaceState::empty();
                let mut records: Vec<Record> = Vec::new();
                snapshot.scan(
                    Collection::Head,
                    Some(workspace.id.as_bytes()),
                    &mut |record| {
                        records.push(Record {
                            key: record.key,
                            revision: record.revision,
                            body: record.body.to_vec(),
                        });
                        ControlFlow::Continue(())
                    },
                )?;
                let mut plain = Vec::new();
                for record in &records {
                    let record = crate::contents::as_ref(record);
                    found.add(workspace.keys.set(), &record)?;
                    let head = open_head(vault, workspace, &record, &mut plain)?;
                    let place = HeadPlace {
                        vault,
                        workspace: workspace.id,
                        record: record.key.id,
                        revision: record.revision,
                    };
                    let body = HeadBody::split(record.body)?;
                    let keys =
                        ValueKeys::open(workspace.keys.values(), &place.keys_aad(), body.keys)?;
                    for (field, value) in head.versions.iter().flat_map(|version| &version.values) {
                        let missing = || VaultError::tampered("a value is missing");
                        let sealed = snapshot
                            .get(&value_key(head.id, value.id))?
                            .ok_or_else(missing)?;
                        let aad = value_aad(
                            vault,
                            workspace.id,
                            head.id,
                            field,
                            value.written,
                            head.pin.as_ref(),
                        );
                        let label = Label {
                            workspace: workspace.id,
                            secret: head.id,
                            key: head.key.clone(),
                            field: field.clone(),
                            version: value.written,
                            pin: head.pin.clone(),
                        };
                        let key = keys.get(&value.id).ok_or_else(missing)?;
                        Sensitive::open(key, &aad, &sealed.body, label)
                            .map(drop)
                            .map_err(VaultError::opening("a value"))?;
                    }
                    done += 1;
                    progress(done);
                }
                if workspace
                    .state
                    .as_ref()
                    .is_none_or(|(_, state)| *state != found)
                {
                    return Err(VaultError::tampered("the secrets of a workspace"));
                }
            }
            Ok(())
        })
    }
}
