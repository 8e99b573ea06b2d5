//! Secrets from files of other programs.

pub mod dotenv;
pub mod json;

use std::collections::BTreeSet;
use std::io::Read;

use subrosa_crypto::{ReadError, SecretBuf};
use subrosa_egress::Sensitive;
use subrosa_model::limits::VALUE_MAX;
use subrosa_model::{Change, ChangeKind, FieldName, KeyName, VarName};
use subrosa_runner::environment::never;
use subrosa_vault::{NewValue, Patch};

use crate::{EngineError, Session};

/// Longest file that is imported, in bytes. All of it has to fit into locked memory.
pub const FILE_MAX: usize = 64 * 1024 * 1024;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportForm {
    /// `NAME=value` lines.
    Dotenv,
    /// One object: names to values, or names to objects of fields.
    Json,
}

/// What happens to a secret that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// Nothing is imported, and the error names them.
    #[default]
    Fail,
    /// It stays as it is.
    Skip,
    /// The imported value becomes a new version.
    Replace,
}

/// How to import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The form of the file.
    pub form: ImportForm,
    /// The file's name, for messages.
    pub what: String,
    /// Goes in front of every key.
    pub prefix: String,
    /// What happens to secrets that are there already.
    pub conflict: Conflict,
    /// Only tell what would happen.
    pub dry_run: bool,
}

/// What was imported, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Imported {
    /// Secrets that are new.
    pub created: Vec<KeyName>,
    /// Secrets that got a new version.
    pub replaced: Vec<KeyName>,
    /// Secrets that were there and stayed as they were.
    pub skipped: Vec<KeyName>,
    /// Secrets that were there with the very same value.
    pub unchanged: Vec<KeyName>,
    /// Secrets whose value is too short or too common to be masked in output.
    pub unmasked: Vec<KeyName>,
    /// Lines that were references to secrets, and were left out.
    pub references: usize,
}

/// One secret of a file.
pub(crate) struct Incoming {
    pub(crate) key: KeyName,
    pub(crate) fields: Vec<(FieldName, Sensitive)>,
    pub(crate) variable: Option<VarName>,
}

impl Session {
    /// Imports secrets into the current scope: all in one transaction, or none.
    ///
    /// # Errors
    /// [`EngineError::Import`] with the line, [`EngineError::Conflicts`].
    pub fn import(
        &mut self,
        reader: &mut dyn Read,
        options: &ImportOptions,
    ) -> Result<Imported, EngineError> {
        let content = SecretBuf::read_to_end(reader, FILE_MAX).map_err(|error| match error {
            ReadError::Io(error) => {
                EngineError::io(format!("{} cannot be read", options.what))(error)
            }
            error => error.into(),
        })?;
        let mut report = Imported::default();
        let incoming = match options.form {
            ImportForm::Dotenv => from_dotenv(options, &content, &mut report)?,
            ImportForm::Json => json::parse(&options.what, &options.prefix, &content)?,
        };
        let scope = self.scope().clone();
        let mut items = Vec::new();
        let mut conflicts = Vec::new();
        for secret in incoming {
            let there = self.vault.find(&mut self.journal, &scope, &secret.key)?;
            let there = there.filter(|located| located.head.removed.is_none());
            if let Some(located) = &there {
                if self.is_same(located, &secret)? {
                    report.unchanged.push(secret.key);
                    continue;
                }
                match options.conflict {
                    Conflict::Fail => conflicts.push(secret.key.to_string()),
                    Conflict::Skip => {
                        report.skipped.push(secret.key);
                        continue;
                    }
                    Conflict::Replace => report.replaced.push(secret.key.clone()),
                }
            } else {
                report.created.push(secret.key.clone());
            }
            if secret
                .fields
                .iter()
                .any(|(_, value)| value.why_not_searched().is_some())
            {
                report.unmasked.push(secret.key.clone());
            }
            items.push((scope.clone(), secret.key.clone(), patch(secret)?));
        }
        if !conflicts.is_empty() {
            return Err(EngineError::Conflicts { names: conflicts });
        }
        if !options.dry_run && !items.is_empty() {
            let subjects = items
                .iter()
                .map(|(scope, key, _)| format!("{scope} {key}"))
                .collect();
            let change = Change {
                kind: ChangeKind::Import,
                subjects,
                detail: String::new(),
            };
            let now = self.now();
            self.vault
                .set_many(&mut self.journal, &items, &change, now)?;
        }
        Ok(report)
    }

    /// Whether a secret has exactly the incoming values.
    fn is_same(
        &mut self,
        located: &subrosa_vault::Located,
        secret: &Incoming,
    ) -> Result<bool, EngineError> {
        let values = &located.head.current().values;
        if values.len() != secret.fields.len() {
            return Ok(false);
        }
        for (field, value) in &secret.fields {
            if !values.contains_key(field) {
                return Ok(false);
            }
            let stored = self
                .vault
                .open_value(&mut self.journal, located, field, None)?;
            if !subrosa_egress::danger::same(&stored, value) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn patch(secret: Incoming) -> Result<Patch, EngineError> {
    let field = FieldName::default_field();
    let bindings = secret
        .variable
        .filter(|variable| *variable != secret.key.default_variable(&field))
        .map(|variable| (field, Some(variable)))
        .into_iter()
        .collect();
    let values = secret
        .fields
        .into_iter()
        .map(|(field, value)| NewValue {
            field,
            value,
            about: None,
        })
        .collect();
    Ok(Patch {
        values,
        bindings,
        ..Patch::default()
    })
}

fn from_dotenv(
    options: &ImportOptions,
    content: &SecretBuf,
    report: &mut Imported,
) -> Result<Vec<Incoming>, EngineError> {
    let mut incoming: Vec<Incoming> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in dotenv::parse(&options.what, content)? {
        // A reference is not a value: the secret that it names is stored already.
        if entry.reference().is_some() {
            report.references += 1;
            continue;
        }
        let error = |reason: String| EngineError::Import {
            what: options.what.clone(),
            line: entry.line,
            reason,
        };
        let key = KeyName::new(format!("{}{}", options.prefix, entry.name))
            .map_err(|e| error(e.to_string()))?;
        if entry.value.len() > VALUE_MAX {
            return Err(error(format!("a value has at most {VALUE_MAX} bytes")));
        }
        let variable = VarName::new(entry.name.clone()).map_err(|e| error(e.to_string()))?;
        if let Some(why) = never(&entry.name) {
            return Err(error(format!(
                "no command may get the variable {}: {why}, or take the line out",
                entry.name
            )));
        }
        if !seen.insert(key.clone()) {
            return Err(error(format!("{} is there twice", entry.name)));
        }
        let fields = vec![(FieldName::default_field(), Sensitive::input(entry.value))];
        incoming.push(Incoming {
            key,
            fields,
            variable: Some(variable),
        });
    }
    Ok(incoming)
}
