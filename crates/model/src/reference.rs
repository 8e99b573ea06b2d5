//! References to secrets: one grammar for every scheme.
//!
//! `scheme://path[#field][?version=N]`. For `subrosa` the path is `[workspace/]key`; whether the
//! first part is a workspace or belongs to the key is not in the text, so a reference offers
//! [`Reference::candidates`], and whoever resolves it refuses when more than one of them exists.
//! A leading slash (`subrosa:///api/key`) says that there is no workspace in it.

use std::fmt;
use std::str::FromStr;

use crate::limits::REFERENCE_MAX;
use crate::{FieldName, KeyName, NameError, WorkspaceName};

/// The stores that a reference can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// This vault.
    Subrosa,
    /// An environment variable.
    Env,
    /// A file, or an entry of one.
    File,
    /// A Vault-API server.
    Vault,
    /// AWS Systems Manager Parameter Store.
    Ssm,
    /// AWS Secrets Manager.
    Asm,
    /// GCP Secret Manager.
    Gcp,
    /// Azure Key Vault.
    Azure,
    /// 1Password Connect.
    Op,
    /// The keyring of the operating system.
    Keyring,
    /// A command that prints the value.
    Exec,
}

impl Scheme {
    /// Every scheme.
    pub const ALL: [Self; 11] = [
        Self::Subrosa,
        Self::Env,
        Self::File,
        Self::Vault,
        Self::Ssm,
        Self::Asm,
        Self::Gcp,
        Self::Azure,
        Self::Op,
        Self::Keyring,
        Self::Exec,
    ];

    /// The text before `://`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subrosa => "subrosa",
            Self::Env => "env",
            Self::File => "file",
            Self::Vault => "vault",
            Self::Ssm => "ssm",
            Self::Asm => "asm",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Op => "op",
            Self::Keyring => "keyring",
            Self::Exec => "exec",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// No `scheme://` in front.
    #[error("a reference begins with its store, as in subrosa://api/key")]
    NoScheme,
    /// A scheme that does not exist.
    #[error("there is no store {scheme:?}; known are {}", known())]
    UnknownScheme {
        /// What stood before `://`, shortened.
        scheme: String,
    },
    /// Longer than [`REFERENCE_MAX`].
    #[error("a reference has at most {REFERENCE_MAX} bytes")]
    TooLong,
    /// The path is empty or has a part that could lead elsewhere.
    #[error("the path of a reference may not {why}")]
    Path {
        /// What it does.
        why: &'static str,
    },
    /// The key, workspace or field is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The version is not a number from 1, or for other stores not a plain word.
    #[error("the version of a reference is written ?version=N, with N from 1")]
    Version,
    /// Something other than `?version=` after the path.
    #[error("a reference ends with #field and ?version=N in that order, and with nothing else")]
    Trailing,
}

fn known() -> String {
    Scheme::ALL.map(Scheme::name).join(", ")
}

/// One reading of a `subrosa` path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The workspace that is named, if one is.
    pub workspace: Option<WorkspaceName>,
    /// The key.
    pub key: KeyName,
}

/// A parsed reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    scheme: Scheme,
    path: String,
    field: Option<FieldName>,
    version: Option<String>,
}

impl Reference {
    /// The store.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The path as it was written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The field, when one is named.
    #[must_use]
    pub fn field(&self) -> Option<&FieldName> {
        self.field.as_ref()
    }

    /// The version, when one is named. For `subrosa` a number from 1.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The version as a number, for `subrosa`.
    #[must_use]
    pub fn version_number(&self) -> Option<u32> {
        self.version.as_deref().and_then(|v| v.parse().ok())
    }

    /// The readings of a `subrosa` path: the whole of it as a key, and its first part as a
    /// workspace. Empty for every other scheme.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        if self.scheme != Scheme::Subrosa {
            return Vec::new();
        }
        if let Some(key) = self.path.strip_prefix('/') {
            return KeyName::new(key)
                .map(|key| Candidate {
                    workspace: None,
                    key,
                })
                .into_iter()
                .collect();
        }
        let whole = KeyName::new(self.path.as_str()).ok().map(|key| Candidate {
            workspace: None,
            key,
        });
        let split = self.path.split_once('/').and_then(|(workspace, key)| {
            let workspace = Some(WorkspaceName::new(workspace).ok()?);
            Some(Candidate {
                workspace,
                key: KeyName::new(key).ok()?,
            })
        });
        whole.into_iter().chain(split).collect()
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.len() > REFERENCE_MAX {
            return Err(ReferenceError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(ReferenceError::NoScheme)?;
        let scheme = Scheme::ALL
            .into_iter()
            .find(|known| known.name() == scheme)
            .ok_or_else(|| ReferenceError::UnknownScheme {
                scheme: scheme.chars().take(32).collect(),
            })?;
        let (rest, version) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(parse_version(scheme, query)?)),
            None => (rest, None),
        };
        let (path, field) = match rest.split_once('#') {
            Some((path, field)) => (path, Some(FieldName::new(field)?)),
            None => (rest, None),
        };
        check_path(scheme, path)?;
        Ok(Self {
            scheme,
            path: path.to_owned(),
            field,
            version,
        })
    }
}

fn parse_version(scheme: Scheme, query: &str) -> Result<String, ReferenceError> {
    let version = query
        .strip_prefix("version=")
        .ok_or(ReferenceError::Trailing)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let good = match scheme {
        // One spelling a number, so that equal references are equal texts.
        Scheme::Subrosa => {
            !version.starts_with('0')
                && version.bytes().all(|b| b.is_ascii_digit())
                && version.parse::<u32>().is_ok_and(|n| n > 0)
        }
        _ => !version.is_empty() && version.len() <= 64 && version.chars().all(plain),
    };
    if good {
        Ok(version.to_owned())
    } else {
        Err(ReferenceError::Version)
    }
}

fn check_path(scheme: Scheme, path: &str) -> Result<(), ReferenceError> {
    let why = |why| Err(ReferenceError::Path { why });
    if path.trim_matches('/').is_empty() {
        return why("be empty");
    }
    if path.chars().any(char::is_control) {
        return why("hold control characters");
    }
    if path.split('/').any(|part| part == "..") {
        return why("climb with `..`");
    }
    if scheme == Scheme::Subrosa {
        KeyName::new(path.strip_prefix('/').unwrap_or(path))?;
    }
    Ok(())
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.path)?;
        if let Some(field) = &self.field {
            write!(f, "#{field}")?;
        }
        if let Some(version) = &self.version {
            write!(f, "?version={version}")?;
        }
        Ok(())
    }
}
