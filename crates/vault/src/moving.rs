//! Moving a secret to another key, group or workspace.

use subrosa_egress::Sensitive;
use subrosa_model::{FieldName, KeyName, Label, Scope, Timestamp};

use crate::VaultError;
use crate::contents::LoadedHead;
use crate::draft::Draft;
use crate::head::{Head, ValueRef, value_aad};
use crate::keys::{ValueKeys, value_key};
use crate::patch::seal_value;
use crate::secrets::{load, load_live};

/// Moves within a draft. Values stay as they are within a workspace; into another one they are
/// sealed anew, since its key is another.
pub(crate) fn rename_in(
    draft: &mut Draft<'_>,
    (from_scope, from): (&Scope, &KeyName),
    (to_scope, to): (&Scope, &KeyName),
    now: Timestamp,
) -> Result<Head, VaultError> {
    let loaded = load_live(draft, from_scope, from)?;
    // A removed secret there could still be brought back: it is not overwritten.
    if load(draft, to_scope, to)?.is_some() {
        return Err(VaultError::Exists {
            key: to.clone(),
            scope: to_scope.clone(),
        });
    }
    draft.ensure_workspace(&to_scope.workspace, now)?;
    let keys = draft.open_value_keys(&from_scope.workspace, &loaded)?;
    let mut head = loaded.head.clone();
    head.key = to.clone();
    head.group = to_scope.group.clone();
    head.modified = now;
    let keys = if from_scope.workspace == to_scope.workspace {
        keys
    } else {
        reseal(draft, (from_scope, to_scope), &loaded, &head, &keys)?
    };
    draft.remove_head(&from_scope.workspace, &loaded)?;
    draft.put_head(&to_scope.workspace, None, &head, &keys)?;
    Ok(head)
}

fn reseal(
    draft: &mut Draft<'_>,
    (from, to): (&Scope, &Scope),
    loaded: &LoadedHead,
    head: &Head,
    keys: &ValueKeys,
) -> Result<ValueKeys, VaultError> {
    let mut resealed = ValueKeys::new();
    let mut values: Vec<(FieldName, ValueRef)> = loaded
        .head
        .versions
        .iter()
        .flat_map(|version| {
            version
                .values
                .iter()
                .map(|(field, value)| (field.clone(), *value))
        })
        .collect();
    values.sort_by_key(|(_, value)| value.id);
    values.dedup_by_key(|(_, value)| value.id);
    for (field, value) in values {
        let content = open(draft, from, loaded, (&field, value), keys)?;
        let body = seal_value(draft, to, head, (&field, value), &content, &mut resealed)?;
        draft.put_value(head.id, value.id, body);
    }
    Ok(resealed)
}

/// Opens a value that a loaded head refers to.
pub(crate) fn open(
    draft: &mut Draft<'_>,
    scope: &Scope,
    loaded: &LoadedHead,
    (field, value): (&FieldName, ValueRef),
    keys: &ValueKeys,
) -> Result<Sensitive, VaultError> {
    let missing = || VaultError::tampered("a value is missing");
    let record = draft
        .snapshot
        .get(&value_key(loaded.head.id, value.id))?
        .ok_or_else(missing)?;
    let workspace = draft.workspace(&scope.workspace).ok_or_else(missing)?;
    let head = &loaded.head;
    let vault = draft.contents.header.vault;
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
    Sensitive::open(key, &aad, &record.body, label).map_err(VaultError::opening("a value"))
}
