//! Which secret: labels, pins and scopes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Digest, FieldName, GroupName, KeyName, ProviderId, SecretId, Timestamp, WorkspaceId,
    WorkspaceName,
};

/// The only hosts that a secret may ever reach: a provider, and the digest of its hosts at the
/// time the secret was created, so that a registry that widens the provider does not widen the pin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pin {
    /// The provider.
    pub provider: ProviderId,
    /// Digest of the provider's hosts when the secret was pinned.
    pub hosts: Digest,
}

/// Where a look-up begins: a group, then its workspace, then the global workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The workspace.
    pub workspace: WorkspaceName,
    /// The group inside it.
    pub group: Option<GroupName>,
}

impl Scope {
    /// The workspace of whoever names none.
    ///
    /// # Panics
    /// Never: the name is a constant that is one.
    #[must_use]
    pub fn default_workspace() -> WorkspaceName {
        WorkspaceName::new("default").expect("a constant name")
    }

    /// The scope in which every look-up ends.
    #[must_use]
    pub fn global() -> Self {
        Self {
            workspace: WorkspaceName::global(),
            group: None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{}:{group}", self.workspace),
            None => write!(f, "{}", self.workspace),
        }
    }
}

/// One entry and version that a value derives from. A value carries a set of these wherever it goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label {
    /// The workspace that holds the secret.
    pub workspace: WorkspaceId,
    /// The secret.
    pub secret: SecretId,
    /// Its key when the value was opened.
    pub key: KeyName,
    /// The field.
    pub field: FieldName,
    /// The version in which the field's value was written.
    pub version: u32,
    /// The pin that is bound into the ciphertext.
    pub pin: Option<Pin>,
}

/// One secret in a request, with what a decision needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// What the value derives from.
    #[serde(flatten)]
    pub label: Label,
    /// The scope that holds it.
    pub scope: Scope,
    /// After this the secret is refused everywhere.
    pub expires: Option<Timestamp>,
    /// Whether the redactor searches for it; `false` for values below its limits.
    pub searched: bool,
}
