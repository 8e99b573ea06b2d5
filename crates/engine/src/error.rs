//! Why a use case failed: what, why, and what to type next. No text holds a value.

use std::path::PathBuf;

use subrosa_audit::{AuditError, Finding};
use subrosa_crypto::{MemoryError, ReadError};
use subrosa_egress::{Refusal, ReleaseError};
use subrosa_model::{KeyName, NameError, ReferenceError, StoreError, VarName};
use subrosa_policy::PolicyError;
use subrosa_runner::RunError;
use subrosa_store::FileError;
use subrosa_vault::{SlotKind, VaultError};

/// What may go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The folders cannot be found.
    #[error("{reason}")]
    Home {
        /// Why.
        reason: String,
    },
    /// `config.toml` is wrong.
    #[error("{}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// There is no vault.
    #[error("there is no vault in {}", path.display())]
    NoVault {
        /// The folder.
        path: PathBuf,
    },
    /// There is a vault already.
    #[error("there is already a vault in {}", path.display())]
    VaultExists {
        /// The folder.
        path: PathBuf,
    },
    /// The vault is not the one that is pinned for its folder.
    #[error("the vault in {} is not the one that was made there: its root key is another", path.display())]
    Forged {
        /// The folder.
        path: PathBuf,
    },
    /// An ambient slot would open a vault that was never pinned here.
    #[error("the vault in {} was never opened by you on this account, so {} may not open it", path.display(), with_article(*kind))]
    Unpinned {
        /// The folder.
        path: PathBuf,
        /// What would open it.
        kind: SlotKind,
    },
    /// Folder or log went back in time.
    #[error("the vault or its log was put back to an earlier state: {finding}")]
    RolledBack {
        /// What the anchor says.
        finding: Finding,
    },
    /// The proof does not open a backup.
    #[error("this proof does not open the backup {}: it opens with what opened the vault when it was written", path.display())]
    BackupKey {
        /// The backup.
        path: PathBuf,
    },
    /// The log has an anchor that says nothing.
    #[error("the log cannot be verified against its anchor: {reason}")]
    Anchor {
        /// What is wrong with it, and where it is.
        reason: String,
    },
    /// The operation needs a fresh proof of presence.
    #[error(
        "{what} needs a proof that you are there, and what opened the vault proves nothing about that"
    )]
    Presence {
        /// The operation.
        what: &'static str,
    },
    /// An agent's token is not accepted.
    #[error("{reason}")]
    Token {
        /// Why.
        reason: String,
    },
    /// What stands where the secret of a slot should, is none.
    #[error("{what} {reason}")]
    Secret {
        /// The kind of slot.
        kind: SlotKind,
        /// What was looked at.
        what: String,
        /// What is wrong with it, without any of it.
        reason: String,
    },
    /// What should be an age recipient or identity is none.
    #[error("{reason}")]
    Age {
        /// What is wrong with it, without any of it.
        reason: String,
    },
    /// A use was refused.
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    /// Something that a later part of the program brings.
    #[error("{what}: not built: part {part}")]
    NotBuilt {
        /// The feature.
        what: String,
        /// The part that brings it.
        part: u8,
    },
    /// No secret fits.
    #[error("no secret fits {pattern} in {scope}")]
    NothingFits {
        /// The pattern.
        pattern: String,
        /// Where it was looked for.
        scope: String,
    },
    /// A reference could mean two secrets.
    #[error("{reference} could be the secret {first} or the secret {second}")]
    Ambiguous {
        /// The reference.
        reference: String,
        /// One reading.
        first: String,
        /// The other.
        second: String,
    },
    /// A secret that stands for another leads back to itself.
    #[error("{key} stands for another secret that leads back to it, or to too many others")]
    ReferenceLoop {
        /// The key.
        key: String,
    },
    /// Two secrets want the same variable.
    #[error("{first} and {second} would both become the variable {variable}")]
    Collision {
        /// The variable.
        variable: VarName,
        /// One secret.
        first: String,
        /// The other.
        second: String,
    },
    /// What is to be imported cannot be read.
    #[error("{what}: line {line}: {reason}")]
    Import {
        /// The file.
        what: String,
        /// The line, from 1.
        line: usize,
        /// Why, without any content.
        reason: String,
    },
    /// What is to be imported cannot be taken, and no line of it says where.
    #[error("{what}: {reason}")]
    ImportItem {
        /// The file.
        what: String,
        /// Why, with the item's number where there is one, and without any content.
        reason: String,
        /// What to type next.
        remedy: Option<String>,
    },
    /// A file is not changed.
    #[error("{what} was not changed: {reason}")]
    EnvFile {
        /// The file.
        what: String,
        /// Why, without any content.
        reason: String,
    },
    /// A placeholder stands for nothing.
    #[error("{}{}", subject(variable.as_ref()), stands_for(gone.as_ref()))]
    Placeholder {
        /// The variable that has it, where one does.
        variable: Option<VarName>,
        /// The secret that it stood for; `None` for one that the vault did not make.
        gone: Option<KeyName>,
    },
    /// Secrets are there already.
    #[error("{} of these exist already: {}", names.len(), shorten(names))]
    Conflicts {
        /// Their keys.
        names: Vec<String>,
    },
    /// The arguments make no sense together.
    #[error("{reason}")]
    Usage {
        /// Why.
        reason: String,
    },
    /// The policy is wrong.
    #[error("the policy is wrong: {0}")]
    Policy(#[from] PolicyError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The log.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// Locked memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// Reading a value.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A reference.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// Input or output.
    #[error("{what}: {source}")]
    Io {
        /// What was done.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl EngineError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// The same, with the variable that it is about where it is about a placeholder.
    pub(crate) fn about_variable(self, name: &VarName) -> Self {
        match self {
            Self::Placeholder { gone, .. } => Self::Placeholder {
                variable: Some(name.clone()),
                gone,
            },
            other => other,
        }
    }

    /// Something that was asked for makes no sense.
    #[must_use]
    pub fn usage(reason: impl Into<String>) -> Self {
        Self::Usage {
            reason: reason.into(),
        }
    }
}

/// A kind of slot in the middle of a sentence.
pub(crate) fn with_article(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Passphrase => "a passphrase",
        SlotKind::Recovery => "a recovery code",
        SlotKind::KeyFile => "a key file",
        SlotKind::Environment => "an environment variable",
        SlotKind::Command => "a command",
        SlotKind::Age => "an age identity",
        SlotKind::Keyring => "the OS keyring",
        SlotKind::Tpm => "a TPM",
        _ => "a slot of a later program",
    }
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

fn subject(variable: Option<&VarName>) -> String {
    variable.map_or_else(|| "this".to_owned(), VarName::to_string)
}

fn stands_for(gone: Option<&KeyName>) -> String {
    match gone {
        None => " is a placeholder that this vault did not make".to_owned(),
        Some(key) => format!(" is a placeholder for {key}, which is not there any more"),
    }
}

fn shorten(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names
        .iter()
        .take(SHOWN)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text.push_str(" …");
    }
    text
}
