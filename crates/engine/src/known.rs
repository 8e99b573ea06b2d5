//! What was ever handed out as a value, so that output is masked by it after a restart too.
//!
//! The names stand in a sealed document of the vault, written before a value moves for the first
//! time; the values are opened again whenever something is about to be masked.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use subrosa_model::{Change, ChangeKind, FieldName, GroupName, KeyName, Scope, WorkspaceName};
use subrosa_vault::{Document, Handed, VaultError};

use crate::select::Selected;
use crate::{EngineError, Session};

/// Most values that are remembered; the oldest give way.
const REMEMBERED: usize = 5000;
/// Attempts to write the document while others write it too.
const ATTEMPTS: usize = 8;

/// How far this session has read the document.
#[derive(Debug, Default)]
pub(crate) struct Recalled {
    revision: Option<u64>,
    entries: Vec<Handed>,
    /// How many of them were learned: those before.
    learned: usize,
    /// What the user should know about masking.
    warnings: Vec<String>,
}

impl Recalled {
    /// Something that the user should know about what comes next.
    pub(crate) fn warn(&mut self, text: String) {
        self.warnings.push(text);
    }
}

/// An entry, as it is written: workspace, group, key, field, version.
#[derive(Serialize, Deserialize)]
struct Line(WorkspaceName, Option<GroupName>, KeyName, FieldName, u32);

impl Session {
    /// Teaches the redactor every value that was handed out before, here or elsewhere.
    pub(crate) fn recall(&mut self) -> Result<(), EngineError> {
        self.read_known()?;
        let fresh: Vec<Handed> = self.recalled.entries[self.recalled.learned..].to_vec();
        if fresh.is_empty() {
            return Ok(());
        }
        let gate = &self.gate;
        let mut unlearned = 0;
        let learned = self
            .vault
            .open_handed(&mut self.journal, &fresh, &mut |value| {
                // What was purged since then is masked no more.
                if let Some(value) = value
                    && gate.learn([&value].into_iter()).is_err()
                {
                    unlearned += 1;
                }
                Ok(())
            });
        match learned {
            // Locked memory is used up: what follows would not fit either.
            Err(VaultError::Memory(_)) => unlearned += 1,
            done => done?,
        }
        self.recalled.learned = self.recalled.entries.len();
        if unlearned > 0 {
            self.recalled.warnings.push(
                "not every value that was handed out before fits into locked memory: output is not \
                 masked by all of them; allow more: ulimit -l"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// Records durably that these are about to be handed out.
    pub(crate) fn remember(&mut self, selected: &[Selected]) -> Result<(), EngineError> {
        let uses = selected.iter().map(|one| {
            let label = &one.wanted.label;
            Handed {
                workspace: one.wanted.scope.workspace.clone(),
                group: one.wanted.scope.group.clone(),
                key: label.key.clone(),
                field: label.field.clone(),
                written: label.version,
            }
        });
        self.add_known(uses.collect())
    }

    /// A secret gets another name: what is known of it goes by that one too.
    pub(crate) fn remember_moved(
        &mut self,
        (scope, from): (&Scope, &KeyName),
        (to_scope, to): (&Scope, &KeyName),
    ) -> Result<(), EngineError> {
        self.read_known()?;
        let of_it = |one: &&Handed| {
            one.workspace == scope.workspace && one.group == scope.group && one.key == *from
        };
        let moved = self.recalled.entries.iter().filter(of_it);
        let moved = moved
            .map(|one| Handed {
                workspace: to_scope.workspace.clone(),
                group: to_scope.group.clone(),
                key: to.clone(),
                ..one.clone()
            })
            .collect();
        self.add_known(moved)
    }

    /// What the user should know about masking, once.
    pub(crate) fn masking_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.recalled.warnings)
    }

    fn add_known(&mut self, wanted: Vec<Handed>) -> Result<(), EngineError> {
        for _ in 0..ATTEMPTS {
            self.read_known()?;
            let mut known: HashSet<&Handed> = self.recalled.entries.iter().collect();
            let fresh: Vec<&Handed> = wanted.iter().filter(|one| known.insert(one)).collect();
            if fresh.is_empty() {
                return Ok(());
            }
            let mut entries = self.recalled.entries.clone();
            entries.extend(fresh.into_iter().cloned());
            let over = entries.len().saturating_sub(REMEMBERED);
            entries.drain(..over);
            let change = Change {
                kind: ChangeKind::Known,
                subjects: wanted.iter().map(name).collect(),
                detail: match over {
                    0 => String::new(),
                    over => format!("{over} that were handed out first are forgotten"),
                },
            };
            let written = self.vault.put_document(
                &mut self.journal,
                Document::KNOWN,
                (self.recalled.revision, &encode(&entries)),
                &change,
            );
            match written {
                Err(VaultError::Stale { .. }) => {}
                done => {
                    done?;
                    if over > 0 {
                        self.recalled.warnings.push(format!(
                            "{over} values that were handed out long ago are no longer masked in output: \
                             {REMEMBERED} are remembered"
                        ));
                    }
                    self.recalled.revision = Some(self.recalled.revision.unwrap_or(0) + 1);
                    self.recalled.learned = self.recalled.learned.saturating_sub(over);
                    self.recalled.entries = entries;
                    return Ok(());
                }
            }
        }
        Err(VaultError::Stale {
            what: Document::KNOWN,
        }
        .into())
    }

    /// Reads the document when it is another than the one that was read.
    fn read_known(&mut self) -> Result<(), EngineError> {
        let Some(document) = self.vault.document(&mut self.journal, Document::KNOWN)? else {
            return Ok(());
        };
        if self.recalled.revision == Some(document.revision) {
            return Ok(());
        }
        let lines: Vec<Line> =
            serde_json::from_slice(&document.content).map_err(|_| VaultError::Tampered {
                what: Document::KNOWN.to_owned(),
            })?;
        self.recalled.entries = lines
            .into_iter()
            .map(|Line(workspace, group, key, field, written)| Handed {
                workspace,
                group,
                key,
                field,
                written,
            })
            .collect();
        self.recalled.revision = Some(document.revision);
        // Which of them are new here is not told: learning one again changes nothing.
        self.recalled.learned = 0;
        Ok(())
    }
}

fn encode(entries: &[Handed]) -> Vec<u8> {
    let lines: Vec<Line> = entries
        .iter()
        .map(|one| {
            Line(
                one.workspace.clone(),
                one.group.clone(),
                one.key.clone(),
                one.field.clone(),
                one.written,
            )
        })
        .collect();
    // Names and numbers: they can always be written.
    serde_json::to_vec(&lines).unwrap_or_default()
}

fn name(one: &Handed) -> String {
    let group = one
        .group
        .as_ref()
        .map(|group| format!(":{group}"))
        .unwrap_or_default();
    let Handed {
        workspace,
        key,
        field,
        written,
        ..
    } = one;
    format!("{workspace}{group} {key}#{field} version {written}")
}
