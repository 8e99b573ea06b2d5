//! Which secrets a command line means: patterns, `key#field` words and references.

use std::collections::BTreeMap;

use subrosa_egress::danger;
use subrosa_model::{
    FieldName, KeyName, Reference, Scheme, Scope, SecretUse, VarName, WorkspaceName,
};
use subrosa_policy::Glob;
use subrosa_vault::{Located, VaultError};

use crate::secrets::secret_use;
use crate::{EngineError, Session, placeholder};

/// The kind of a field whose value is a reference to another secret.
pub const REFERENCE: &str = "reference";
/// How many references may lead to each other.
const REFERENCES_MAX: usize = 8;

/// A secret that was selected, with the variable that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The variable.
    pub variable: VarName,
    /// The secret, as a decision sees it.
    pub wanted: SecretUse,
    pub(crate) located: Located,
    pub(crate) version: Option<u32>,
}

impl Selected {
    /// Key and field, as messages show them.
    #[must_use]
    pub fn name(&self) -> String {
        let label = &self.wanted.label;
        if label.field.is_default() {
            label.key.to_string()
        } else {
            format!("{}#{}", label.key, label.field)
        }
    }
}

/// Compiles a pattern over keys.
pub(crate) fn glob(text: &str) -> Result<Glob, EngineError> {
    Glob::new(text)
        .map_err(|reason| EngineError::usage(format!("{text:?} is no pattern: {reason}")))
}

impl Session {
    /// The secrets that a pattern selects: a key, `key#field`, a glob over keys, or a reference.
    ///
    /// # Errors
    /// [`EngineError::NothingFits`] when there is none.
    pub fn select(&mut self, pattern: &str) -> Result<Vec<Selected>, EngineError> {
        if pattern.contains("://") {
            return Ok(vec![self.select_reference(&pattern.parse()?)?]);
        }
        if placeholder::is_ours(pattern.as_bytes()) {
            let one = self.behind(pattern)?.0;
            return Ok(vec![self.follow(one)?]);
        }
        let (keys, field) = match pattern.split_once('#') {
            Some((keys, field)) => (keys, Some(FieldName::new(field)?)),
            None => (pattern, None),
        };
        let located = if keys.contains('*') {
            self.matching(&glob(keys)?)?
        } else {
            vec![self.locate(&KeyName::new(keys)?)?]
        };
        let mut selected = Vec::new();
        for located in located {
            for one in fields_of(&located, field.as_ref())? {
                let name = one.name();
                match self.follow(one) {
                    // One that leads nowhere must not keep all others from being used.
                    Err(
                        EngineError::Vault(VaultError::Missing { .. })
                        | EngineError::NothingFits { .. }
                        | EngineError::ReferenceLoop { .. },
                    ) if keys.contains('*') => self.recalled.warn(format!(
                        "{name} stands for a secret that is not there, and was left out"
                    )),
                    followed => selected.push(followed?),
                }
            }
        }
        if selected.is_empty() {
            let scope = self.scope().to_string();
            return Err(EngineError::NothingFits {
                pattern: pattern.to_owned(),
                scope,
            });
        }
        Ok(selected)
    }

    /// The one secret that a reference means.
    ///
    /// # Errors
    /// [`EngineError::Ambiguous`] when its first part could be a workspace or belong to the key;
    /// [`EngineError::NotBuilt`] for another store.
    pub fn select_reference(&mut self, reference: &Reference) -> Result<Selected, EngineError> {
        if reference.scheme() != Scheme::Subrosa {
            let what = format!("references to {}", reference.scheme());
            return Err(EngineError::NotBuilt { what, part: 8 });
        }
        let own = self.scope().clone();
        let mut found: Vec<Located> = Vec::new();
        let mut missing = None;
        for candidate in reference.candidates() {
            let scope = match &candidate.workspace {
                Some(workspace) => Scope {
                    workspace: workspace.clone(),
                    group: None,
                },
                None => own.clone(),
            };
            // A workspace that is named is meant, not what a look-up would fall back on.
            let located = match candidate.workspace {
                None => self.locate_from(&scope, &candidate.key).map(Some),
                Some(_) => self
                    .vault
                    .find(&mut self.journal, &scope, &candidate.key)
                    .map(|found| found.filter(|located| located.head.removed.is_none()))
                    .map_err(EngineError::from),
            };
            match located {
                Ok(located) => {
                    let within = |one: &Located| self.reaches(&one.scope, &one.head.key);
                    found.extend(located.filter(within));
                }
                Err(error @ EngineError::Vault(VaultError::Missing { .. })) => {
                    missing = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        found.dedup_by(|a, b| a.head.id == b.head.id);
        match found.as_slice() {
            [] => Err(match missing {
                Some(error) => error,
                None => EngineError::NothingFits {
                    pattern: reference.to_string(),
                    scope: own.to_string(),
                },
            }),
            [located] => {
                let field = reference
                    .field()
                    .cloned()
                    .unwrap_or_else(FieldName::default_field);
                let one = selected(located, &field, reference.version_number())?;
                self.follow(one)
            }
            [first, second, ..] => Err(EngineError::Ambiguous {
                reference: reference.to_string(),
                first: format!("{} in {}", first.head.key, first.scope),
                second: format!("{} in {}", second.head.key, second.scope),
            }),
        }
    }

    /// The secret that one stands for, under its own variable; itself where it stands for none. The
    /// decision is then about that secret, its name, pin and expiry: standing for it allows nothing.
    fn follow(&mut self, one: Selected) -> Result<Selected, EngineError> {
        let about = one.located.head.fields.get(&one.wanted.label.field);
        if about.is_none_or(|about| about.kind != REFERENCE) {
            return Ok(one);
        }
        let field = one.wanted.label.field.clone();
        let value = self
            .vault
            .open_value(&mut self.journal, &one.located, &field, one.version)?;
        let Some(reference) = danger::reference(&value) else {
            // An earlier version, from when it was a value of its own.
            return Ok(one);
        };
        if one
            .wanted
            .expires
            .is_some_and(|expires| expires <= self.now())
        {
            // The gate refuses it by its own name.
            return Ok(one);
        }
        let too_far = || EngineError::ReferenceLoop { key: one.name() };
        if self.following >= REFERENCES_MAX {
            return Err(too_far());
        }
        self.following += 1;
        let target = self.select_reference(&reference);
        self.following -= 1;
        match target {
            Ok(target) => Ok(Selected {
                variable: one.variable,
                ..target
            }),
            // What is beyond a token has no name.
            Err(
                EngineError::Vault(VaultError::Missing { .. }) | EngineError::NothingFits { .. },
            ) if self.reach.is_some() => Err(VaultError::Missing {
                key: one.located.head.key,
                scope: self.scope().clone(),
            }
            .into()),
            Err(error) => Err(error),
        }
    }

    /// Live secrets whose key fits, the nearest scope winning for each key.
    fn matching(&mut self, glob: &Glob) -> Result<Vec<Located>, EngineError> {
        let scope = self.scope().clone();
        let mut near: BTreeMap<KeyName, Located> = BTreeMap::new();
        let mut names = vec![WorkspaceName::global(), scope.workspace.clone()];
        names.dedup();
        for name in names {
            let heads = self.vault.list(&mut self.journal, &name)?;
            let Some(workspace) = self.vault.workspace_id(&name) else {
                continue;
            };
            // From far to near: a later entry of the same key replaces the earlier one.
            let (grouped, plain): (Vec<_>, Vec<_>) = heads
                .into_iter()
                .filter(|head| head.removed.is_none() && glob.matches(head.key.as_str()))
                .partition(|head| head.group.is_some());
            let own_group = grouped.into_iter().filter(|head| head.group == scope.group);
            for head in plain.into_iter().chain(own_group) {
                let scope = Scope {
                    workspace: name.clone(),
                    group: head.group.clone(),
                };
                near.insert(
                    head.key.clone(),
                    Located {
                        scope,
                        workspace,
                        head,
                    },
                );
            }
        }
        let within = |one: &Located| self.reaches(&one.scope, &one.head.key);
        Ok(near.into_values().filter(within).collect())
    }
}

fn fields_of(located: &Located, field: Option<&FieldName>) -> Result<Vec<Selected>, EngineError> {
    match field {
        Some(field) => Ok(vec![selected(located, field, None)?]),
        None => {
            let fields = located.head.current().values.keys();
            fields.map(|field| selected(located, field, None)).collect()
        }
    }
}

pub(crate) fn selected(
    located: &Located,
    field: &FieldName,
    version: Option<u32>,
) -> Result<Selected, EngineError> {
    let wanted = secret_use(located, field, version)?;
    let variable = located.head.variable(&wanted.label.field);
    Ok(Selected {
        variable,
        wanted,
        located: located.clone(),
        version,
    })
}
