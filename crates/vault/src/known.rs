//! Values that were handed out once, opened again so that output is masked by them.

use subrosa_egress::Sensitive;
use subrosa_model::{FieldName, GroupName, KeyName, Label, WorkspaceName};

use crate::contents::{Contents, as_ref, open_head};
use crate::head::{HeadBody, HeadPlace, value_aad};
use crate::journal::Journal;
use crate::keys::{ValueKeys, head_key, value_key};
use crate::port::Snapshot;
use crate::{Vault, VaultError};

/// A value of a field, by the names under which it was handed out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handed {
    /// The workspace that holds it.
    pub workspace: WorkspaceName,
    /// The group inside it.
    pub group: Option<GroupName>,
    /// The key.
    pub key: KeyName,
    /// The field.
    pub field: FieldName,
    /// The version in which the value was written.
    pub written: u32,
}

impl Vault {
    /// Opens values that were handed out; `None` for one that is not kept any more.
    ///
    /// Heads are not compared with the state of their workspace, which would read all of it: what
    /// opens is genuine, and nothing but masking depends on what is missing.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] when one is not what was sealed; [`VaultError::Memory`] when it
    /// does not fit into locked memory.
    pub fn open_handed(
        &mut self,
        journal: &mut dyn Journal,
        handed: &[Handed],
        take: &mut dyn FnMut(Option<Sensitive>) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.read(journal, |contents, snapshot| {
            handed
                .iter()
                .try_for_each(|one| take(open(contents, snapshot, one)?))
        })
    }
}

fn open(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
    handed: &Handed,
) -> Result<Option<Sensitive>, VaultError> {
    let Some(workspace) = contents.workspaces.get(&handed.workspace) else {
        return Ok(None);
    };
    let vault = contents.header.vault;
    let id = workspace.keys.head_id(handed.group.as_ref(), &handed.key);
    let Some(record) = snapshot.get(&head_key(workspace.id, id))? else {
        return Ok(None);
    };
    let head = open_head(vault, workspace, &as_ref(&record), &mut Vec::new())?;
    let of_field = |version: &crate::Version| version.values.get(&handed.field).copied();
    let written = head
        .versions
        .iter()
        .filter_map(of_field)
        .find(|value| value.written == handed.written);
    let Some(value) = written else {
        return Ok(None);
    };
    let place = HeadPlace {
        vault,
        workspace: workspace.id,
        record: id,
        revision: record.revision,
    };
    let body = HeadBody::split(&record.body)?;
    let keys = ValueKeys::open(workspace.keys.values(), &place.keys_aad(), body.keys)?;
    let (Some(key), Some(sealed)) = (
        keys.get(&value.id),
        snapshot.get(&value_key(head.id, value.id))?,
    ) else {
        return Ok(None);
    };
    let pin = head.pin.as_ref();
    let aad = value_aad(
        vault,
        workspace.id,
        head.id,
        &handed.field,
        value.written,
        pin,
    );
    let label = Label {
        workspace: workspace.id,
        secret: head.id,
        key: head.key.clone(),
        field: handed.field.clone(),
        version: value.written,
        pin: head.pin.clone(),
    };
    Sensitive::open(key, &aad, &sealed.body, label)
        .map(Some)
        .map_err(VaultError::opening("a value"))
}
