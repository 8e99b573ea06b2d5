//! Secrets from files of other programs.
//!
//! Each form is a module with a parser of bytes. Those of other secret stores give items
//! ([`entry::Found`]), which become keys and fields in one place (`names`, `settle`); then all
//! forms meet in the same plan: conflicts, dry run, one transaction.

pub mod bitwarden;
pub mod csv;
pub mod dotenv;
pub mod entry;
pub mod json;
pub mod lastpass;
pub mod mcp;
pub mod names;
pub mod onepassword;
pub mod pass;
pub mod sops;
pub mod tree;
pub mod zip;

mod detect;
pub(crate) mod likely;
mod outside;
mod read;
mod settle;
#[cfg(test)]
mod testing;

use std::collections::BTreeSet;

use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_model::limits::VALUE_MAX;
use subrosa_model::{Change, ChangeKind, FieldName, KeyName, Tag, Timestamp, VarName};
use subrosa_runner::environment::never;
use subrosa_vault::{Field, NewValue, Patch};

pub use outside::World;
pub use read::Source;
pub use settle::outline;

use crate::{EngineError, Session};

/// Longest file that is imported, in bytes. All of it has to fit into locked memory.
pub const FILE_MAX: usize = 64 * 1024 * 1024;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportForm {
    /// `NAME=value` lines.
    Dotenv,
    /// One object: names to values, or names to objects of fields.
    Json,
    /// 1Password's archive or table.
    #[serde(rename = "1password")]
    OnePassword,
    /// Bitwarden's JSON.
    Bitwarden,
    /// LastPass's table.
    LastPass,
    /// A password store: a folder of files that `gpg` decrypts.
    Pass,
    /// A file that `sops` decrypts.
    Sops,
    /// A configuration of MCP servers.
    Mcp,
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
    /// The form of the file; `None` to find it out.
    pub form: Option<ImportForm>,
    /// The file's name, for messages.
    pub what: String,
    /// Goes in front of every key.
    pub prefix: String,
    /// What happens to secrets that are there already.
    pub conflict: Conflict,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// From a configuration, also what does not look like a secret.
    pub all: bool,
    /// What `gpg` and `sops` are started with.
    pub world: World,
}

/// What was imported, by key.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Imported {
    /// The form that the file had.
    pub form: Option<ImportForm>,
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
    /// Secrets whose key got a number, because another of the file has it.
    pub numbered: Vec<KeyName>,
    /// Secrets that have expired already, and are refused to every use.
    pub expired: Vec<KeyName>,
    /// Items that hold no secret, and were left out.
    pub empty: Vec<String>,
    /// Values of a configuration that do not look like secrets, and were left out.
    pub not_secret: Vec<String>,
    /// Values that name something elsewhere, and were left out.
    pub references: usize,
    /// Documents, attachments, passkeys and other files, which were left out.
    pub attachments: usize,
    /// Tags beyond those that a secret may have, which were left out.
    pub tags_left_out: usize,
}

/// One secret of a file.
pub(crate) struct Incoming {
    pub(crate) key: KeyName,
    pub(crate) fields: Vec<(FieldName, Sensitive)>,
    pub(crate) variable: Option<VarName>,
    /// What is known of the fields; those that are missing here are as by default.
    pub(crate) about: Vec<(FieldName, Field)>,
    pub(crate) tags: Option<Vec<Tag>>,
    pub(crate) url: Option<String>,
    pub(crate) expires: Option<Timestamp>,
}

impl Incoming {
    /// A secret of which nothing is known but its values.
    pub(crate) fn new(key: KeyName, fields: Vec<(FieldName, Sensitive)>) -> Self {
        Self {
            key,
            fields,
            variable: None,
            about: Vec::new(),
            tags: None,
            url: None,
            expires: None,
        }
    }

    /// Whether a field is a secret that output does not get masked.
    fn is_unmasked(&self) -> bool {
        let open = |field: &FieldName| {
            let mut about = self.about.iter();
            about.any(|(name, about)| name == field && !about.sensitive)
        };
        self.fields
            .iter()
            .any(|(field, value)| value.why_not_searched().is_some() && !open(field))
    }
}

impl Session {
    /// Imports secrets into the current scope: all in one transaction, or none.
    ///
    /// # Errors
    /// [`EngineError::Import`] with the line, [`EngineError::ImportItem`],
    /// [`EngineError::Conflicts`].
    pub fn import(
        &mut self,
        source: Source<'_>,
        options: &ImportOptions,
    ) -> Result<Imported, EngineError> {
        let mut report = Imported::default();
        let incoming = read::read(source, options, &mut report)?;
        self.take_in(incoming, (options.conflict, options.dry_run), &mut report)?;
        Ok(report)
    }

    /// Stores what was read: all in one transaction, or none.
    pub(crate) fn take_in(
        &mut self,
        incoming: Vec<Incoming>,
        (conflict, dry_run): (Conflict, bool),
        report: &mut Imported,
    ) -> Result<(), EngineError> {
        let now = self.now();
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
                match conflict {
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
            if secret.is_unmasked() {
                report.unmasked.push(secret.key.clone());
            }
            if secret.expires.is_some_and(|end| end <= now) {
                report.expired.push(secret.key.clone());
            }
            items.push((scope.clone(), secret.key.clone(), patch(secret)?));
        }
        if !conflicts.is_empty() {
            return Err(EngineError::Conflicts { names: conflicts });
        }
        if !dry_run && !items.is_empty() {
            let subjects = items
                .iter()
                .map(|(scope, key, _)| format!("{scope} {key}"))
                .collect();
            let change = Change {
                kind: ChangeKind::Import,
                subjects,
                detail: String::new(),
            };
            self.vault
                .set_many(&mut self.journal, &items, &change, now)?;
        }
        Ok(())
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
    let mut about = secret.about;
    let mut known = |field: &FieldName| {
        let at = about.iter().position(|(name, _)| name == field)?;
        Some(about.swap_remove(at).1)
    };
    let values = secret
        .fields
        .into_iter()
        .map(|(field, value)| NewValue {
            about: known(&field),
            field,
            value,
        })
        .collect();
    Ok(Patch {
        values,
        bindings,
        tags: secret.tags,
        url: secret.url,
        expires: secret.expires.map(Some),
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
        let (line, name) = (entry.line, entry.name.clone());
        let secret = from_line(entry, &options.what, &options.prefix)?;
        if !seen.insert(secret.key.clone()) {
            return Err(twice(&options.what, line, &name));
        }
        incoming.push(secret);
    }
    Ok(incoming)
}

/// The secret of one line of a dotenv file.
pub(crate) fn from_line(
    entry: dotenv::Entry,
    what: &str,
    prefix: &str,
) -> Result<Incoming, EngineError> {
    let error = |reason: String| EngineError::Import {
        what: what.to_owned(),
        line: entry.line,
        reason,
    };
    let key = KeyName::new(format!("{prefix}{}", entry.name)).map_err(|e| error(e.to_string()))?;
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
    let fields = vec![(FieldName::default_field(), Sensitive::input(entry.value))];
    Ok(Incoming {
        variable: Some(variable),
        ..Incoming::new(key, fields)
    })
}

/// A name that a file has two values for.
pub(crate) fn twice(what: &str, line: usize, name: &str) -> EngineError {
    EngineError::Import {
        what: what.to_owned(),
        line,
        reason: format!("{name} is there twice"),
    }
}
