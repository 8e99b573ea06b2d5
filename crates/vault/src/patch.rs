//! Changes to secrets: what a patch names, and how it becomes a new version.

use std::collections::BTreeMap;

use subrosa_crypto::{Key, random};
use subrosa_egress::Sensitive;
use subrosa_model::limits::{FIELDS_MAX, NOTE_MAX, TAGS_MAX, VALUE_MAX, VERSIONS_KEPT};
use subrosa_model::{FieldName, KeyName, Pin, Scope, SecretId, Tag, Timestamp, VarName};

use crate::VaultError;
use crate::draft::Draft;
use crate::head::{Field, Head, ValueRef, Version, value_aad};
use crate::keys::ValueKeys;
use crate::secrets::load;

/// A new value for a field.
#[derive(Debug)]
pub struct NewValue {
    /// The field.
    pub field: FieldName,
    /// Its value.
    pub value: Sensitive,
    /// What is known of the field; `None` keeps what was known, or says nothing of a new one.
    pub about: Option<Field>,
}

/// A change to a secret. What it does not name stays.
#[derive(Debug, Default)]
pub struct Patch {
    /// Values to store.
    pub values: Vec<NewValue>,
    /// Fields to drop in the new version.
    pub remove_fields: Vec<FieldName>,
    /// Replaces the tags.
    pub tags: Option<Vec<Tag>>,
    /// Replaces the note; empty clears it.
    pub note: Option<String>,
    /// Replaces the URL; empty clears it.
    pub url: Option<String>,
    /// Replaces or clears the expiry.
    pub expires: Option<Option<Timestamp>>,
    /// Replaces or clears bindings of fields to variables.
    pub bindings: Vec<(FieldName, Option<VarName>)>,
    /// The pin, an argument of creation.
    pub pin: Option<Pin>,
}

/// Whether a secret must be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Create it or change it.
    Upsert,
    /// Only create it.
    Create,
    /// Only change it.
    Update,
}

/// What storing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Whether the secret is new.
    pub created: bool,
    /// Whether the workspace is new.
    pub workspace_created: bool,
    /// The secret afterwards.
    pub head: Head,
}

pub(crate) fn check(patch: &Patch) -> Result<(), VaultError> {
    let limit = |what: String, limit| Err(VaultError::Limit { what, limit });
    if let Some(new) = patch.values.iter().find(|new| new.value.exceeds(VALUE_MAX)) {
        return limit(format!("bytes of a value ({})", new.field), VALUE_MAX);
    }
    if patch
        .tags
        .as_ref()
        .is_some_and(|tags| tags.len() > TAGS_MAX)
    {
        return limit("tags".to_owned(), TAGS_MAX);
    }
    for text in [&patch.note, &patch.url].into_iter().flatten() {
        if text.len() > NOTE_MAX {
            return limit("bytes of a note or URL".to_owned(), NOTE_MAX);
        }
    }
    Ok(())
}

pub(crate) fn set_in(
    draft: &mut Draft<'_>,
    (scope, key): (&Scope, &KeyName),
    patch: &Patch,
    mode: Mode,
    now: Timestamp,
) -> Result<Stored, VaultError> {
    let old = load(draft, scope, key)?;
    let live = old.as_ref().is_some_and(|old| old.head.removed.is_none());
    match mode {
        Mode::Create if live => {
            return Err(VaultError::Exists {
                key: key.clone(),
                scope: scope.clone(),
            });
        }
        Mode::Update if !live => {
            return Err(VaultError::Missing {
                key: key.clone(),
                scope: scope.clone(),
            });
        }
        _ => {}
    }
    let workspace_created = draft.ensure_workspace(&scope.workspace, now)?;
    let mut keys = match &old {
        Some(old) => draft.open_value_keys(&scope.workspace, old)?,
        None => ValueKeys::new(),
    };
    let mut head = match &old {
        Some(old) => old.head.clone(),
        None => new_head(
            draft.contents.ids.next(draft.rng),
            scope,
            key,
            patch.pin.clone(),
            now,
        ),
    };
    if old.is_some() && patch.pin.is_some() && patch.pin != head.pin {
        return Err(VaultError::PinFixed { key: key.clone() });
    }
    patch_values(draft, scope, &mut head, &mut keys, patch, now)?;
    patch_metadata(&mut head, patch);
    head.removed = None;
    head.modified = now;
    draft.put_head(&scope.workspace, old.as_ref(), &head, &keys)?;
    Ok(Stored {
        created: !live,
        workspace_created,
        head,
    })
}

fn new_head(id: SecretId, scope: &Scope, key: &KeyName, pin: Option<Pin>, now: Timestamp) -> Head {
    Head {
        id,
        group: scope.group.clone(),
        key: key.clone(),
        pin,
        created: now,
        modified: now,
        expires: None,
        removed: None,
        tags: Vec::new(),
        note: String::new(),
        url: String::new(),
        fields: BTreeMap::new(),
        bindings: BTreeMap::new(),
        versions: Vec::new(),
    }
}

fn patch_values(
    draft: &mut Draft<'_>,
    scope: &Scope,
    head: &mut Head,
    keys: &mut ValueKeys,
    patch: &Patch,
    now: Timestamp,
) -> Result<(), VaultError> {
    let touches = !patch.values.is_empty() || !patch.remove_fields.is_empty();
    if !touches && !head.versions.is_empty() {
        return Ok(());
    }
    let number = head.versions.last().map_or(1, |version| version.number + 1);
    let mut values = head
        .versions
        .last()
        .map(|version| version.values.clone())
        .unwrap_or_default();
    for field in &patch.remove_fields {
        if values.remove(field).is_none() {
            return Err(VaultError::NoField {
                key: head.key.clone(),
                field: field.clone(),
            });
        }
    }
    for new in &patch.values {
        let value = ValueRef {
            id: random(draft.rng),
            written: number,
        };
        let body = seal_value(draft, scope, head, (&new.field, value), &new.value, keys)?;
        draft.put_value(head.id, value.id, body);
        values.insert(new.field.clone(), value);
        let mut about = match (&new.about, head.fields.get(&new.field)) {
            (Some(about), _) => about.clone(),
            (None, Some(known)) => known.clone(),
            (None, None) => Field::default(),
        };
        let searchable = new.value.why_not_searched().is_none();
        about.searched = searchable || about.forced;
        head.fields.insert(new.field.clone(), about);
    }
    if values.len() > FIELDS_MAX || head.fields.len() > FIELDS_MAX {
        return Err(VaultError::Limit {
            what: "fields".to_owned(),
            limit: FIELDS_MAX,
        });
    }
    push_version(draft, head, keys, values, now);
    Ok(())
}

/// Seals a value under a key of its own, which goes into `keys`.
pub(crate) fn seal_value(
    draft: &Draft<'_>,
    scope: &Scope,
    head: &Head,
    (field, value): (&FieldName, ValueRef),
    content: &Sensitive,
    keys: &mut ValueKeys,
) -> Result<Vec<u8>, VaultError> {
    let workspace = draft
        .workspace(&scope.workspace)
        .ok_or_else(|| VaultError::tampered("a workspace is missing"))?;
    let vault = draft.contents.header.vault;
    let aad = value_aad(
        vault,
        workspace.id,
        head.id,
        field,
        value.written,
        head.pin.as_ref(),
    );
    let key = Key::generate(draft.rng)?;
    let body = content.seal(&key, draft.rng, &aad);
    keys.insert(value.id, key);
    Ok(body)
}

/// Appends a version, and drops what is beyond the number that is kept: the oldest versions, and
/// values that no kept version refers to.
pub(crate) fn push_version(
    draft: &mut Draft<'_>,
    head: &mut Head,
    keys: &mut ValueKeys,
    values: BTreeMap<FieldName, ValueRef>,
    now: Timestamp,
) {
    let number = head.versions.last().map_or(1, |version| version.number + 1);
    head.versions.push(Version {
        number,
        created: now,
        values,
    });
    while head.versions.len() > VERSIONS_KEPT {
        let dropped = head.versions.remove(0);
        let kept = |id: &[u8; 16]| {
            head.versions
                .iter()
                .any(|version| version.values.values().any(|value| value.id == *id))
        };
        for value in dropped.values.values().filter(|value| !kept(&value.id)) {
            draft.remove_value(head.id, value.id);
        }
        let gone: Vec<_> = dropped
            .values
            .values()
            .map(|value| value.id)
            .filter(|id| !kept(id))
            .collect();
        keys.retain(|id| !gone.contains(id));
    }
    let current = head
        .versions
        .last()
        .map(|version| version.values.keys().cloned().collect::<Vec<_>>());
    let in_any = |field: &FieldName| {
        head.versions
            .iter()
            .any(|version| version.values.contains_key(field))
    };
    let fields: Vec<_> = head
        .fields
        .keys()
        .filter(|field| !in_any(field))
        .cloned()
        .collect();
    fields
        .iter()
        .for_each(|field| drop(head.fields.remove(field)));
    head.bindings.retain(|field, _| {
        current
            .as_ref()
            .is_some_and(|fields| fields.contains(field))
    });
}

fn patch_metadata(head: &mut Head, patch: &Patch) {
    if let Some(tags) = &patch.tags {
        head.tags = tags.clone();
        head.tags.sort();
        head.tags.dedup();
    }
    if let Some(note) = &patch.note {
        head.note = normalised(note);
    }
    if let Some(url) = &patch.url {
        head.url = normalised(url);
    }
    if let Some(expires) = patch.expires {
        head.expires = expires;
    }
    for (field, variable) in &patch.bindings {
        match variable {
            Some(variable) => drop(head.bindings.insert(field.clone(), variable.clone())),
            None => drop(head.bindings.remove(field)),
        }
    }
}

fn normalised(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfc().collect()
}
