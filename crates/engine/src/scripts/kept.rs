//! The user's own vault, as a script's: its entries, its policy, its log.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_egress::{Gate, Labels, Presence, Sensitive};
use subrosa_model::{CallerKind, FieldName, KeyName, Label, SecretUse, UseRequest};
use subrosa_script::world::WorldError;
use subrosa_vault::{Mode, NewValue, Patch, VaultError};

use super::{Store, Surroundings, World, failed};
use crate::select::{Selected, selected};
use crate::{EngineError, Session};

/// The world of a script that uses the user's vault. What its clauses permit, the vault's policy
/// has to permit too: a rule for `script`. What it stores stays.
///
/// # Errors
/// [`EngineError`] where what was handed out before cannot be learned.
pub fn on_vault(mut session: Session, surroundings: Surroundings) -> Result<World, EngineError> {
    session.recall()?;
    let mut caller = session.caller.clone();
    caller.kind = CallerKind::Script;
    let effects = session.setting.effects.clone();
    let store = Kept {
        session,
        fetched: BTreeMap::new(),
        unlearned: BTreeSet::new(),
    };
    Ok(World::over(Box::new(store), effects, caller, surroundings))
}

struct Kept {
    session: Session,
    /// What a label of a value stands for.
    fetched: BTreeMap<String, Selected>,
    /// The entries that a secret decided to store.
    unlearned: BTreeSet<String>,
}

/// What tells one label from all others.
fn key_of(label: &Label) -> String {
    format!("{:?} {} {}", label.secret, label.field, label.version)
}

fn named(name: &str) -> impl Fn(EngineError) -> WorldError + '_ {
    move |error| failed(format!("vault {name:?}"), error)
}

/// Key and field of an entry, as a script names it: `api/key`, `db/main#password`.
fn parts(name: &str) -> Result<(KeyName, FieldName), EngineError> {
    Ok(match name.split_once('#') {
        Some((key, field)) => (KeyName::new(key)?, FieldName::new(field)?),
        None => (KeyName::new(name)?, FieldName::default_field()),
    })
}

impl Kept {
    /// The one value that a name means; nothing where there is none.
    fn find(&mut self, name: &str) -> Result<Option<Selected>, EngineError> {
        // A pattern, a list of fields: a script names one value.
        if !name.contains("://") {
            parts(name)?;
        }
        let mut found = match self.session.select(name) {
            Ok(found) => found,
            Err(
                EngineError::NothingFits { .. }
                | EngineError::Vault(VaultError::Missing { .. } | VaultError::NoField { .. }),
            ) => return Ok(None),
            Err(error) => return Err(error),
        };
        if found.len() > 1 {
            found.retain(|one| one.wanted.label.field.is_default());
        }
        match found.pop() {
            Some(one) => Ok(Some(one)),
            None => Err(EngineError::usage(format!(
                "it has several fields; name one: {name}#FIELD"
            ))),
        }
    }
}

impl Store for Kept {
    fn gate(&self) -> &Gate {
        &self.session.gate
    }

    fn fetch(&mut self, name: &str) -> Result<Option<Sensitive>, WorldError> {
        let Some(one) = self.find(name).map_err(named(name))? else {
            return Ok(None);
        };
        let opened = self.session.open_all(std::slice::from_ref(&one));
        let value = opened.map_err(named(name))?.pop();
        // Children print none of what the script has had.
        if !self.unlearned.contains(name) {
            let learned = self.session.gate.learn(value.iter());
            learned.map_err(|error| failed(format!("vault {name:?}"), error))?;
        }
        self.fetched.insert(key_of(&one.wanted.label), one);
        Ok(value)
    }

    fn has(&mut self, name: &str) -> bool {
        matches!(self.find(name), Ok(Some(_)))
    }

    fn keep(&mut self, name: &str, value: &Sensitive, learned: bool) -> Result<(), WorldError> {
        match learned {
            true => self.unlearned.remove(name),
            false => self.unlearned.insert(name.to_owned()),
        };
        let (key, field) = parts(name).map_err(named(name))?;
        let patch = Patch {
            values: vec![NewValue {
                field,
                // Its labels are those of the entry from here on.
                value: value.tainted(&Labels::new()),
                about: None,
            }],
            ..Patch::default()
        };
        let kept = self.session.set(&key, &patch, Mode::Upsert);
        kept.map(drop).map_err(named(name))
    }

    fn uses(&mut self, value: &Sensitive) -> Result<Vec<SecretUse>, WorldError> {
        let mut uses = Vec::new();
        for label in value.labels() {
            let Some(one) = self.fetched.get(&key_of(label)) else {
                return Err(failed(label.key.to_string(), "it came from another vault"));
            };
            // As it stands now: it may have got another name, pin or expiry since.
            let scope = one.located.scope.clone();
            let fresh = self.session.locate_from(&scope, &one.wanted.label.key);
            let now = match fresh {
                Ok(located) if located.head.id == label.secret => {
                    selected(&located, &label.field, one.version)
                        .map(|one| one.wanted)
                        .ok()
                        .filter(|wanted| wanted.label == *label)
                }
                _ => None,
            };
            uses.push(now.unwrap_or_else(|| one.wanted.clone()));
        }
        Ok(uses)
    }

    fn presence(&self, request: &UseRequest) -> Option<Presence> {
        let session = &self.session;
        session
            .is_present()
            .then(|| Presence::proven_for(session.gate.digest(request, None)))
    }

    fn remember(&mut self, value: &Sensitive) -> Result<(), WorldError> {
        let handed: Vec<Selected> = value
            .labels()
            .iter()
            .filter_map(|label| self.fetched.get(&key_of(label)).cloned())
            .collect();
        let remembered = self.session.remember(&handed);
        remembered.map_err(|error| failed("what was handed out", error))
    }

    fn close(self: Box<Self>) -> Result<(), EngineError> {
        self.session.close()
    }
}
