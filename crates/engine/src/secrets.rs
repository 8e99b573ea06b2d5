//! Secrets: list, look at, store, change, move, remove and bring back.

use serde::Serialize;
use subrosa_egress::{Recipe, Sensitive};
use subrosa_model::limits::VALUE_MAX;
use subrosa_model::{
    FieldName, KeyName, Label, Scope, SecretUse, Timestamp, VarName, WorkspaceName,
};
use subrosa_vault::{
    Brief, Field, Head, Located, Mode, NewValue, Patch, Stored, VaultError, Version,
};

use subrosa_policy::Reach;

use crate::select::REFERENCE;
use crate::{EngineError, Session};

/// A secret in a listing. Never a value, and never a length of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The scope that holds it.
    pub workspace: WorkspaceName,
    /// The group inside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The key.
    pub key: KeyName,
    /// Its fields that have a value.
    pub fields: Vec<FieldName>,
    /// The current version.
    pub version: u32,
    /// Its tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The provider that it is pinned to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// When anything of it last changed.
    pub modified: Timestamp,
    /// After this it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<Timestamp>,
}

/// A field as `show` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownField {
    /// The field.
    pub name: FieldName,
    /// Whether its value is a secret.
    pub sensitive: bool,
    /// Whether output is masked when it holds the value.
    pub masked: bool,
    /// The version in which the value was written.
    pub written: u32,
    /// The variable that stands for it in a command.
    pub variable: VarName,
    /// A word for what it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Help for whoever fills it in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Other names that it answers to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<FieldName>,
}

/// A secret as `show` tells it: everything but values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// What a listing says.
    #[serde(flatten)]
    pub listed: Listed,
    /// When it was created.
    pub created: Timestamp,
    /// A note.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Where it is from or used.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Its fields.
    pub about: Vec<ShownField>,
    /// How many versions are kept.
    pub versions: usize,
}

/// A version as `history` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Past {
    /// The version.
    pub version: u32,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it is the one that is used.
    pub current: bool,
    /// Fields whose value was written in it.
    pub written: Vec<FieldName>,
    /// All fields that have a value in it.
    pub fields: Vec<FieldName>,
}

/// What storing did, as `set` and `generate` tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Whether the secret is new.
    pub created: bool,
    /// Whether the workspace is new.
    pub workspace_created: bool,
    /// The secret afterwards.
    pub shown: Shown,
}

/// Which secrets to list.
#[derive(Debug, Clone, Default)]
pub struct ListFilter {
    /// Only keys that fit one of these patterns; none is all.
    pub patterns: Vec<String>,
    /// Only secrets with this tag.
    pub tag: Option<String>,
    /// Every workspace, not only the current scope and global.
    pub all: bool,
    /// Removed ones instead.
    pub removed: bool,
}

impl Session {
    /// Lists secrets, ascending by workspace, group and key.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for a bad pattern, [`EngineError::Vault`].
    pub fn list(&mut self, filter: &ListFilter) -> Result<Vec<Listed>, EngineError> {
        let globs = filter
            .patterns
            .iter()
            .map(|text| crate::select::glob(text))
            .collect::<Result<Vec<_>, _>>()?;
        let scope = self.scope().clone();
        let names: Vec<WorkspaceName> = if filter.all {
            self.vault.workspaces().cloned().collect()
        } else {
            let own = [WorkspaceName::global(), scope.workspace.clone()];
            let mut names: Vec<_> = own.into_iter().collect();
            names.dedup();
            names
        };
        let reach = self.reach.clone();
        let mut found = Vec::new();
        for name in names {
            let pick = |head: Brief| {
                let in_scope = filter.all || head.group.is_none() || head.group == scope.group;
                let fits =
                    globs.is_empty() || globs.iter().any(|glob| glob.matches(head.key.as_str()));
                let tagged = filter
                    .tag
                    .as_ref()
                    .is_none_or(|tag| head.tags.iter().any(|t| t.as_str() == tag));
                let within = reach.iter().flatten().all(|reach| {
                    let scope = Scope {
                        workspace: name.clone(),
                        group: head.group.clone(),
                    };
                    reach.holds(&scope, &head.key)
                });
                let live = head.removed.is_some() == filter.removed;
                let wanted = in_scope && fits && tagged && live && within;
                wanted.then(|| listed(&name, head))
            };
            let picked = self.vault.list_as(&mut self.journal, &name, &pick, |one| {
                (one.group.as_deref(), &one.key)
            })?;
            if found.is_empty() {
                found = picked;
            } else {
                found.extend(picked);
            }
        }
        Ok(found)
    }

    /// Everything about a secret but its values.
    ///
    /// # Errors
    /// [`EngineError::Vault`] with `Missing`.
    pub fn show(&mut self, key: &KeyName) -> Result<Shown, EngineError> {
        let located = self.locate(key)?;
        let mut shown = shown(&located.scope.workspace, &located.head);
        if let Some(reach) = &self.reach {
            let within = |field: &FieldName| {
                let holds = |one: &Reach| one.holds_field(&located.scope, key, field);
                reach.iter().all(holds)
            };
            shown.about.retain(|about| within(&about.name));
            shown.listed.fields.retain(within);
            // What a secret stands for may be beyond the token.
            let standing = shown
                .about
                .iter_mut()
                .filter(|about| about.kind == REFERENCE);
            standing.for_each(|about| about.hint.clear());
        }
        Ok(shown)
    }

    /// The versions of a secret, newest first.
    ///
    /// # Errors
    /// [`EngineError::Vault`] with `Missing`.
    pub fn history(&mut self, key: &KeyName) -> Result<Vec<Past>, EngineError> {
        let located = self.locate(key)?;
        let current = located.head.current().number;
        Ok(located
            .head
            .versions
            .iter()
            .rev()
            .map(|version| past(version, current))
            .collect())
    }

    /// Stores a change in the current scope.
    ///
    /// # Errors
    /// [`EngineError::Vault`].
    pub fn set(&mut self, key: &KeyName, patch: &Patch, mode: Mode) -> Result<Stored, EngineError> {
        let now = self.now();
        let scope = self.scope().clone();
        Ok(self
            .vault
            .set(&mut self.journal, (&scope, key), patch, mode, now)?)
    }

    /// As [`Session::set`]; returns the secret as [`Session::show`] does.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn keep(&mut self, key: &KeyName, patch: &Patch, mode: Mode) -> Result<Kept, EngineError> {
        let stored = self.set(key, patch, mode)?;
        Ok(Kept {
            created: stored.created,
            workspace_created: stored.workspace_created,
            shown: shown(&self.scope().workspace, &stored.head),
        })
    }

    /// Draws a random value and stores it as the field of a secret.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for more than [`VALUE_MAX`] bytes; as [`Session::set`].
    pub fn generate(
        &mut self,
        (key, field): (&KeyName, &FieldName),
        recipe: Recipe,
        length: usize,
    ) -> Result<Kept, EngineError> {
        if length > VALUE_MAX {
            return Err(EngineError::usage("the value would be too long"));
        }
        let value = Sensitive::generate(&*self.setting.effects.rng, recipe, length)?;
        // What stood for another secret is one of its own from here on.
        let scope = self.scope().clone();
        let there = self.vault.find(&mut self.journal, &scope, key)?;
        let about = there
            .and_then(|located| located.head.fields.get(field).cloned())
            .filter(|about| about.kind == REFERENCE)
            .map(|about| Field {
                aliases: about.aliases,
                ..Field::default()
            });
        let patch = Patch {
            values: vec![NewValue {
                field: field.clone(),
                value,
                about,
            }],
            ..Patch::default()
        };
        self.keep(key, &patch, Mode::Upsert)
    }

    /// Moves a secret within the current scope, or to another.
    ///
    /// Rules go by names: a new name that a rule allows more is as good as loosening the policy.
    ///
    /// # Errors
    /// [`EngineError::Vault`] with `Missing` or `Exists`; [`EngineError::Presence`].
    pub fn rename(&mut self, from: &KeyName, to: (&Scope, &KeyName)) -> Result<Head, EngineError> {
        let now = self.now();
        let scope = self.scope().clone();
        if let Some(located) = self.vault.find(&mut self.journal, &scope, from)? {
            let fields: Vec<FieldName> = located.head.current().values.keys().cloned().collect();
            for field in fields {
                let before = secret_use(&located, &field, None)?;
                let mut after = before.clone();
                (after.scope, after.label.key) = (to.0.clone(), to.1.clone());
                if self.gate.policy().loosened_by_move(&before, &after) {
                    self.require_presence("moving a secret to where the policy allows more")?;
                }
            }
        }
        self.remember_moved((&scope, from), to)?;
        Ok(self
            .vault
            .rename(&mut self.journal, (&scope, from), to, now)?)
    }

    /// Removes a secret; it can be brought back.
    ///
    /// # Errors
    /// [`EngineError::Vault`] with `Missing`.
    pub fn remove(&mut self, key: &KeyName) -> Result<(), EngineError> {
        let now = self.now();
        let scope = self.scope().clone();
        Ok(self.vault.remove(&mut self.journal, (&scope, key), now)?)
    }

    /// Removes a secret for good.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; [`EngineError::Vault`] with `Missing`.
    pub fn purge(&mut self, key: &KeyName) -> Result<(), EngineError> {
        self.require_presence("removing a secret for good")?;
        let scope = self.scope().clone();
        Ok(self.vault.purge(&mut self.journal, (&scope, key))?)
    }

    /// Makes an earlier version current, or brings a removed secret back.
    ///
    /// # Errors
    /// [`EngineError::Vault`] with `Missing` or `NoVersion`.
    pub fn rollback(&mut self, key: &KeyName, version: Option<u32>) -> Result<Shown, EngineError> {
        let now = self.now();
        let scope = self.scope().clone();
        let head = self
            .vault
            .rollback(&mut self.journal, (&scope, key), version, now)?;
        Ok(shown(&scope.workspace, &head))
    }

    /// The secret with this key in the nearest scope.
    pub(crate) fn locate(&mut self, key: &KeyName) -> Result<Located, EngineError> {
        let scope = self.scope().clone();
        self.locate_from(&scope, key)
    }

    /// As [`Session::locate`], from another scope. What is beyond a token is as though it were not
    /// there.
    pub(crate) fn locate_from(
        &mut self,
        scope: &Scope,
        key: &KeyName,
    ) -> Result<Located, EngineError> {
        let located = self.vault.locate(&mut self.journal, scope, key)?;
        if self.reaches(&located.scope, key) {
            return Ok(located);
        }
        self.note_refusal(&format!("{key} in {} is beyond the token", located.scope));
        Err(VaultError::Missing {
            key: key.clone(),
            scope: scope.clone(),
        }
        .into())
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.setting.effects.clock.now()
    }
}

/// What a decision needs to know of a field in a version.
pub(crate) fn secret_use(
    located: &Located,
    field: &FieldName,
    version: Option<u32>,
) -> Result<SecretUse, EngineError> {
    let head = &located.head;
    let no_field = || subrosa_vault::VaultError::NoField {
        key: head.key.clone(),
        field: field.clone(),
    };
    let (field, about) = head.resolve_field(field).ok_or_else(no_field)?;
    let in_version = match version {
        None => head.current(),
        Some(number) => {
            head.version(number)
                .ok_or_else(|| subrosa_vault::VaultError::NoVersion {
                    key: head.key.clone(),
                    version: number,
                })?
        }
    };
    let value = *in_version.values.get(field).ok_or_else(no_field)?;
    let label: Label = located.label(field, value);
    Ok(SecretUse {
        label,
        scope: located.scope.clone(),
        expires: head.expires,
        searched: about.searched,
    })
}

fn shown(workspace: &WorkspaceName, head: &Head) -> Shown {
    let about = head.current().values.iter().filter_map(|(name, value)| {
        let field = head.fields.get(name)?;
        Some(ShownField {
            name: name.clone(),
            sensitive: field.sensitive,
            masked: field.searched,
            written: value.written,
            variable: head.variable(name),
            kind: field.kind.clone(),
            hint: field.hint.clone(),
            aliases: field.aliases.clone(),
        })
    });
    Shown {
        listed: listed(workspace, head.brief()),
        created: head.created,
        note: head.note.clone(),
        url: head.url.clone(),
        about: about.collect(),
        versions: head.versions.len(),
    }
}

fn listed(workspace: &WorkspaceName, head: Brief) -> Listed {
    Listed {
        workspace: workspace.clone(),
        group: head.group.map(String::from),
        key: head.key,
        fields: head.fields,
        version: head.version,
        tags: head.tags.into_iter().map(String::from).collect(),
        pin: head.provider.map(String::from),
        modified: head.modified,
        expires: head.expires,
        removed: head.removed,
    }
}

fn past(version: &Version, current: u32) -> Past {
    Past {
        version: version.number,
        created: version.created,
        current: version.number == current,
        written: version
            .values
            .iter()
            .filter(|(_, value)| value.written == version.number)
            .map(|(field, _)| field.clone())
            .collect(),
        fields: version.values.keys().cloned().collect(),
    }
}
