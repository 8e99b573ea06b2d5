//! Secrets: find, list, store, change, remove and bring back.

use subrosa_egress::Sensitive;
use subrosa_model::{Change, ChangeKind, FieldName, KeyName, Label, Scope, Timestamp};

use crate::contents::LoadedHead;
use crate::draft::Draft;
use crate::head::{Head, ValueRef, value_aad};
use crate::journal::Journal;
use crate::keys::{ValueKeys, value_key};
use crate::patch::{Mode, Patch, Stored, check, push_version, set_in};
use crate::{Vault, VaultError};

/// A secret where a look-up found it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The scope that holds it.
    pub scope: Scope,
    /// The workspace that holds it.
    pub workspace: subrosa_model::WorkspaceId,
    /// The secret.
    pub head: Head,
}

impl Located {
    /// The label of a field's value in a version.
    #[must_use]
    pub fn label(&self, field: &FieldName, value: ValueRef) -> Label {
        Label {
            workspace: self.workspace,
            secret: self.head.id,
            key: self.head.key.clone(),
            field: field.clone(),
            version: value.written,
            pin: self.head.pin.clone(),
        }
    }
}

impl Vault {
    /// The secret with this key in exactly this scope, removed ones included.
    ///
    /// # Errors
    /// [`VaultError::Tampered`].
    pub fn find(
        &mut self,
        journal: &mut dyn Journal,
        scope: &Scope,
        key: &KeyName,
    ) -> Result<Option<Located>, VaultError> {
        self.read(journal, |contents, snapshot| {
            contents.load_workspace_state(snapshot, &scope.workspace)?;
            let Some(workspace) = contents.workspaces.get(&scope.workspace) else {
                return Ok(None);
            };
            let id = workspace.keys.head_id(scope.group.as_ref(), key);
            let found = contents.load_head(snapshot, workspace, id)?;
            Ok(found.map(|loaded| Located {
                scope: scope.clone(),
                workspace: workspace.id,
                head: loaded.head,
            }))
        })
    }

    /// The secret with this key in the nearest scope: group, then workspace, then global. Removed
    /// secrets do not hide farther ones.
    ///
    /// # Errors
    /// [`VaultError::Missing`] when no scope has it.
    pub fn locate(
        &mut self,
        journal: &mut dyn Journal,
        scope: &Scope,
        key: &KeyName,
    ) -> Result<Located, VaultError> {
        let in_group = scope.group.is_some().then(|| scope.clone());
        let in_workspace = Scope {
            workspace: scope.workspace.clone(),
            group: None,
        };
        let global = (!scope.workspace.is_global()).then(Scope::global);
        for near in in_group.into_iter().chain([in_workspace]).chain(global) {
            if let Some(found) = self.find(journal, &near, key)?
                && found.head.removed.is_none()
            {
                return Ok(found);
            }
        }
        Err(VaultError::Missing {
            key: key.clone(),
            scope: scope.clone(),
        })
    }

    /// Opens the value of a field in a version; it stays sensitive.
    ///
    /// # Errors
    /// [`VaultError::NoField`], [`VaultError::NoVersion`], [`VaultError::Tampered`].
    pub fn open_value(
        &mut self,
        journal: &mut dyn Journal,
        located: &Located,
        field: &FieldName,
        version: Option<u32>,
    ) -> Result<Sensitive, VaultError> {
        let head = &located.head;
        let version = match version {
            None => head.current(),
            Some(number) => head.version(number).ok_or_else(|| VaultError::NoVersion {
                key: head.key.clone(),
                version: number,
            })?,
        };
        let no_field = || VaultError::NoField {
            key: head.key.clone(),
            field: field.clone(),
        };
        let value = *version.values.get(field).ok_or_else(no_field)?;
        let label = located.label(field, value);
        self.read(journal, |contents, snapshot| {
            contents.load_workspace_state(snapshot, &located.scope.workspace)?;
            let workspace = contents
                .workspaces
                .get(&located.scope.workspace)
                .ok_or_else(|| VaultError::tampered("a workspace is missing"))?;
            let id = workspace.keys.head_id(head.group.as_ref(), &head.key);
            let missing = || VaultError::Missing {
                key: head.key.clone(),
                scope: located.scope.clone(),
            };
            let loaded = contents
                .load_head(snapshot, workspace, id)?
                .ok_or_else(missing)?;
            if loaded.head.id != head.id {
                return Err(missing());
            }
            let vault = contents.header.vault;
            let body = crate::head::HeadBody::split(&loaded.record.body)?;
            let place = loaded.place(vault, workspace);
            let keys = ValueKeys::open(workspace.keys.values(), &place.keys_aad(), body.keys)?;
            let key = keys.get(&value.id).ok_or_else(no_field)?;
            let record = snapshot
                .get(&value_key(head.id, value.id))?
                .ok_or_else(|| VaultError::tampered("a value is missing"))?;
            let aad = value_aad(
                vault,
                workspace.id,
                head.id,
                field,
                value.written,
                head.pin.as_ref(),
            );
            Sensitive::open(key, &aad, &record.body, label).map_err(VaultError::opening("a value"))
        })
    }

    /// Stores a change to one secret, as a new version when a value changes.
    ///
    /// # Errors
    /// [`VaultError::Limit`], [`VaultError::PinFixed`], and [`VaultError::Exists`] or
    /// [`VaultError::Missing`] by `mode`.
    pub fn set(
        &mut self,
        journal: &mut dyn Journal,
        (scope, key): (&Scope, &KeyName),
        patch: &Patch,
        mode: Mode,
        now: Timestamp,
    ) -> Result<Stored, VaultError> {
        check(patch)?;
        self.write(journal, |draft| {
            let stored = set_in(draft, (scope, key), patch, mode, now)?;
            let kind = if patch.values.is_empty() && patch.remove_fields.is_empty() {
                ChangeKind::Edit
            } else {
                ChangeKind::Set
            };
            let detail = format!("version {}", stored.head.current().number);
            let fields: Vec<_> = patch.values.iter().map(|new| new.field.as_str()).collect();
            let subject = match fields.as_slice() {
                [] | ["value"] => format!("{scope} {key}"),
                fields => format!("{scope} {key}#{}", fields.join(",")),
            };
            Ok((
                stored,
                Change {
                    kind,
                    subjects: vec![subject],
                    detail,
                },
            ))
        })
    }

    /// Stores many secrets in one transaction: all or none.
    ///
    /// # Errors
    /// As [`Vault::set`].
    pub fn set_many(
        &mut self,
        journal: &mut dyn Journal,
        items: &[(Scope, KeyName, Patch)],
        change: &Change,
        now: Timestamp,
    ) -> Result<(), VaultError> {
        items.iter().try_for_each(|(_, _, patch)| check(patch))?;
        self.write(journal, |draft| {
            for (scope, key, patch) in items {
                set_in(draft, (scope, key), patch, Mode::Upsert, now)?;
            }
            Ok(((), change.clone()))
        })
    }

    /// Moves a secret to another key or scope. Its pin, versions and history go with it.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Exists`].
    pub fn rename(
        &mut self,
        journal: &mut dyn Journal,
        from: (&Scope, &KeyName),
        to: (&Scope, &KeyName),
        now: Timestamp,
    ) -> Result<Head, VaultError> {
        self.write(journal, |draft| {
            let head = crate::moving::rename_in(draft, from, to, now)?;
            let change = Change {
                kind: ChangeKind::Move,
                subjects: vec![
                    format!("{} {}", from.0, from.1),
                    format!("{} {}", to.0, to.1),
                ],
                detail: String::new(),
            };
            Ok((head, change))
        })
    }

    /// Removes a secret so that [`Vault::rollback`] can bring it back.
    ///
    /// # Errors
    /// [`VaultError::Missing`].
    pub fn remove(
        &mut self,
        journal: &mut dyn Journal,
        (scope, key): (&Scope, &KeyName),
        now: Timestamp,
    ) -> Result<(), VaultError> {
        self.write(journal, |draft| {
            let loaded = load_live(draft, scope, key)?;
            let keys = draft.open_value_keys(&scope.workspace, &loaded)?;
            let head = Head {
                removed: Some(now),
                modified: now,
                ..loaded.head.clone()
            };
            draft.put_head(&scope.workspace, Some(&loaded), &head, &keys)?;
            let subjects = vec![format!("{scope} {key}")];
            Ok((
                (),
                Change {
                    kind: ChangeKind::Remove,
                    subjects,
                    detail: String::new(),
                },
            ))
        })
    }

    /// Removes a secret and its values for good. Needs presence, which the engine proves.
    ///
    /// # Errors
    /// [`VaultError::Missing`].
    pub fn purge(
        &mut self,
        journal: &mut dyn Journal,
        (scope, key): (&Scope, &KeyName),
    ) -> Result<(), VaultError> {
        self.write(journal, |draft| {
            let loaded = load(draft, scope, key)?.ok_or_else(|| VaultError::Missing {
                key: key.clone(),
                scope: scope.clone(),
            })?;
            draft.remove_head(&scope.workspace, &loaded)?;
            draft.forget_indexed(&scope.workspace, &loaded)?;
            draft.remove_values(loaded.head.id);
            let subjects = vec![format!("{scope} {key}")];
            Ok((
                (),
                Change {
                    kind: ChangeKind::Remove,
                    subjects,
                    detail: "for good".to_owned(),
                },
            ))
        })
    }

    /// Makes an earlier version current, as a new version; brings a removed secret back. Without a
    /// number: the one before the current, or, for a removed secret, the current itself.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::NoVersion`].
    pub fn rollback(
        &mut self,
        journal: &mut dyn Journal,
        (scope, key): (&Scope, &KeyName),
        version: Option<u32>,
        now: Timestamp,
    ) -> Result<Head, VaultError> {
        self.write(journal, |draft| {
            let loaded = load(draft, scope, key)?.ok_or_else(|| VaultError::Missing {
                key: key.clone(),
                scope: scope.clone(),
            })?;
            let mut keys = draft.open_value_keys(&scope.workspace, &loaded)?;
            let mut head = loaded.head.clone();
            let current = head.current().number;
            let back = if head.removed.is_some() {
                current
            } else {
                current.saturating_sub(1)
            };
            let number = version.unwrap_or(back);
            let values = head
                .version(number)
                .ok_or_else(|| VaultError::NoVersion {
                    key: key.clone(),
                    version: number,
                })?
                .values
                .clone();
            if number != current {
                push_version(draft, &mut head, &mut keys, values, now);
            }
            head.removed = None;
            head.modified = now;
            draft.put_head(&scope.workspace, Some(&loaded), &head, &keys)?;
            let subjects = vec![format!("{scope} {key}")];
            let detail = format!("to version {number}, as version {}", head.current().number);
            Ok((
                head,
                Change {
                    kind: ChangeKind::Rollback,
                    subjects,
                    detail,
                },
            ))
        })
    }
}

/// The head at a key, removed or not.
pub(crate) fn load(
    draft: &mut Draft<'_>,
    scope: &Scope,
    key: &KeyName,
) -> Result<Option<LoadedHead>, VaultError> {
    let Some(workspace) = draft.workspace(&scope.workspace) else {
        return Ok(None);
    };
    let id = workspace.keys.head_id(scope.group.as_ref(), key);
    draft.load_head(&scope.workspace, id)
}

/// The head at a key that is not removed.
pub(crate) fn load_live(
    draft: &mut Draft<'_>,
    scope: &Scope,
    key: &KeyName,
) -> Result<LoadedHead, VaultError> {
    load(draft, scope, key)?
        .filter(|loaded| loaded.head.removed.is_none())
        .ok_or_else(|| VaultError::Missing {
            key: key.clone(),
            scope: scope.clone(),
        })
}
