//! Which placeholder stands for which field of which secret, kept in a sealed document.

use serde::{Deserialize, Serialize};
use subrosa_egress::Escapes;
use subrosa_model::{
    Change, ChangeKind, FieldName, GroupName, KeyName, Scope, SecretId, WorkspaceName,
};
use subrosa_vault::{Document, Located, Vault, VaultError};

use crate::journal::ChainJournal;
use crate::placeholder::Shape;
use crate::select::{Selected, selected};
use crate::{EngineError, Session};

/// Attempts to write the document while others write it too.
const ATTEMPTS: usize = 8;

/// An entry, as it is written. Where the secret was says where to look first: it may have moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    placeholder: String,
    secret: SecretId,
    field: FieldName,
    workspace: WorkspaceName,
    group: Option<GroupName>,
    key: KeyName,
    escapes: Option<u8>,
}

/// All of a vault, and how often they were written.
#[derive(Default)]
pub(crate) struct Placeholders {
    revision: Option<u64>,
    lines: Vec<Line>,
}

/// A field that a placeholder is to stand for.
pub(crate) struct Wanted {
    pub(crate) located: Located,
    pub(crate) field: FieldName,
    pub(crate) shape: Shape,
    /// How its value is written between double quotes, where it is.
    pub(crate) escapes: Option<Escapes>,
}

impl Session {
    /// The placeholders of these fields, made where there are none yet; `None` for one whose value
    /// was written otherwise when its placeholder took its place before.
    ///
    /// # Errors
    /// [`EngineError::Vault`].
    pub(crate) fn placeholders(
        &mut self,
        wanted: &[Wanted],
    ) -> Result<Vec<Option<String>>, EngineError> {
        for _ in 0..ATTEMPTS {
            let Placeholders {
                revision,
                mut lines,
            } = self.read_placeholders()?;
            let mut changed = Vec::new();
            let mut found = Vec::with_capacity(wanted.len());
            for one in wanted {
                let secret = one.located.head.id;
                let bits = one.escapes.map(Escapes::bits);
                let of_it = |line: &Line| line.secret == secret && line.field == one.field;
                if let Some(at) = lines.iter().position(of_it) {
                    let line = &mut lines[at];
                    match (line.escapes, bits) {
                        (Some(known), Some(bits)) if known != bits => found.push(None),
                        (None, Some(_)) => {
                            line.escapes = bits;
                            changed.push(line.subject());
                            found.push(Some(line.placeholder.clone()));
                        }
                        _ => found.push(Some(line.placeholder.clone())),
                    }
                    continue;
                }
                let line = Line {
                    placeholder: self.draw(&one.shape, &lines),
                    secret,
                    field: one.field.clone(),
                    workspace: one.located.scope.workspace.clone(),
                    group: one.located.scope.group.clone(),
                    key: one.located.head.key.clone(),
                    escapes: bits,
                };
                found.push(Some(line.placeholder.clone()));
                changed.push(line.subject());
                lines.push(line);
            }
            if changed.is_empty() {
                return Ok(found);
            }
            if self.write_placeholders(revision, &lines, changed)? {
                return Ok(found);
            }
        }
        Err(stale())
    }

    /// What a placeholder stands for, and how its value was written between double quotes.
    ///
    /// # Errors
    /// [`EngineError::Placeholder`] when this vault did not make it, or what it stood for is gone.
    pub(crate) fn behind(&mut self, text: &str) -> Result<(Selected, Escapes), EngineError> {
        let lines = self.read_placeholders()?.lines;
        let unknown = || EngineError::Placeholder {
            variable: None,
            gone: None,
        };
        let line = lines.into_iter().find(|line| line.placeholder == text);
        let line = line.ok_or_else(unknown)?;
        let escapes = line.escapes.map_or(Escapes::ALL, Escapes::from_bits);
        match self.standing(&line)? {
            // Whoever may not know of a secret is not told its name by what stands for it.
            Some(located) if !self.reaches(&located.scope, &located.head.key) => Err(unknown()),
            Some(located) => Ok((selected(&located, &line.field, None)?, escapes)),
            None if !self.reaches(&line.scope(), &line.key) => Err(unknown()),
            None => Err(EngineError::Placeholder {
                variable: None,
                gone: Some(line.key),
            }),
        }
    }

    /// The secret, where it was or wherever it moved to.
    fn standing(&mut self, line: &Line) -> Result<Option<Located>, EngineError> {
        let scope = line.scope();
        let there = self.vault.find(&mut self.journal, &scope, &line.key)?;
        let is_it = |located: &Located| located.head.id == line.secret;
        if let Some(located) = there.filter(is_it) {
            return Ok(Some(located).filter(|located| located.head.removed.is_none()));
        }
        let names: Vec<WorkspaceName> = self.vault.workspaces().cloned().collect();
        for name in names {
            let heads = self.vault.list(&mut self.journal, &name)?;
            let Some(head) = heads.into_iter().find(|head| head.id == line.secret) else {
                continue;
            };
            let scope = Scope {
                workspace: name,
                group: head.group.clone(),
            };
            let found = self.vault.find(&mut self.journal, &scope, &head.key)?;
            return Ok(found
                .filter(is_it)
                .filter(|located| located.head.removed.is_none()));
        }
        Ok(None)
    }

    /// One that nothing has yet: short ones may fall together.
    fn draw(&self, shape: &Shape, lines: &[Line]) -> String {
        loop {
            let text = shape.draw(&*self.setting.effects.rng);
            if !lines.iter().any(|line| line.placeholder == text) {
                return text;
            }
        }
    }

    /// Takes up the placeholders of secrets that came from another vault: `carried` says which they
    /// were there, and where they are here.
    pub(crate) fn carry_placeholders(
        &mut self,
        theirs: Placeholders,
        carried: &[(SecretId, Scope, KeyName)],
    ) -> Result<(), EngineError> {
        for _ in 0..ATTEMPTS {
            let Placeholders {
                revision,
                mut lines,
            } = self.read_placeholders()?;
            let mut subjects = Vec::new();
            for line in &theirs.lines {
                let from = carried.iter().find(|(secret, ..)| *secret == line.secret);
                let Some((_, scope, key)) = from else {
                    continue;
                };
                if lines.iter().any(|own| own.placeholder == line.placeholder) {
                    continue;
                }
                let Some(here) = self.vault.find(&mut self.journal, scope, key)? else {
                    continue;
                };
                let line = Line {
                    secret: here.head.id,
                    workspace: scope.workspace.clone(),
                    group: scope.group.clone(),
                    key: key.clone(),
                    ..line.clone()
                };
                subjects.push(line.subject());
                lines.push(line);
            }
            if subjects.is_empty() || self.write_placeholders(revision, &lines, subjects)? {
                return Ok(());
            }
        }
        Err(stale())
    }

    /// Writes them; `false` when somebody else did meanwhile.
    fn write_placeholders(
        &mut self,
        revision: Option<u64>,
        lines: &[Line],
        subjects: Vec<String>,
    ) -> Result<bool, EngineError> {
        let change = Change {
            kind: ChangeKind::Placeholder,
            subjects,
            detail: String::new(),
        };
        // Names and numbers: they can always be written.
        let content = serde_json::to_vec(&lines).unwrap_or_default();
        let written = self.vault.put_document(
            &mut self.journal,
            Document::PLACEHOLDERS,
            (revision, &content),
            &change,
        );
        match written {
            Err(VaultError::Stale { .. }) => Ok(false),
            done => Ok(done.map(|()| true)?),
        }
    }

    fn read_placeholders(&mut self) -> Result<Placeholders, EngineError> {
        read(&mut self.vault, &mut self.journal)
    }
}

/// The placeholders of a vault.
pub(crate) fn read(
    vault: &mut Vault,
    journal: &mut ChainJournal,
) -> Result<Placeholders, EngineError> {
    let Some(document) = vault.document(journal, Document::PLACEHOLDERS)? else {
        return Ok(Placeholders::default());
    };
    let lines = serde_json::from_slice(&document.content).map_err(|_| VaultError::Tampered {
        what: Document::PLACEHOLDERS.to_owned(),
    })?;
    Ok(Placeholders {
        revision: Some(document.revision),
        lines,
    })
}

fn stale() -> EngineError {
    VaultError::Stale {
        what: Document::PLACEHOLDERS,
    }
    .into()
}

impl Line {
    fn scope(&self) -> Scope {
        Scope {
            workspace: self.workspace.clone(),
            group: self.group.clone(),
        }
    }

    fn subject(&self) -> String {
        let group = self.group.as_ref().map(|group| format!(":{group}"));
        let group = group.unwrap_or_default();
        format!("{}{group} {}#{}", self.workspace, self.key, self.field)
    }
}
