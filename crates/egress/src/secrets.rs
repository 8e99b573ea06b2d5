//! Where rooms above the gate get values from.

use subrosa_model::{FieldName, KeyName, Label, Scope, SecretUse};

use crate::Sensitive;

/// Why a value could not be fetched or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretsError {
    /// No such secret, field or version.
    #[error("there is no {name}")]
    Missing {
        /// What was asked for.
        name: String,
    },
    /// It is there and cannot be had now.
    #[error("{name} cannot be opened: {reason}")]
    Unavailable {
        /// What was asked for.
        name: String,
        /// Why, without any value.
        reason: String,
    },
}

/// Values by name. The broker and scripts hold one; the engine implements it over the vault.
pub trait Secrets: Send + Sync {
    /// What a decision needs to know, for a field that exists; opens nothing.
    ///
    /// # Errors
    /// [`SecretsError`].
    fn describe(
        &self,
        scope: &Scope,
        key: &KeyName,
        field: &FieldName,
    ) -> Result<SecretUse, SecretsError>;

    /// The value behind `wanted`, which `describe` returned. It stays sensitive.
    ///
    /// # Errors
    /// [`SecretsError`].
    fn fetch(&self, wanted: &SecretUse) -> Result<Sensitive, SecretsError>;

    /// Stores a value, as a new version when the secret exists.
    ///
    /// # Errors
    /// [`SecretsError`].
    fn keep(
        &self,
        scope: &Scope,
        key: &KeyName,
        field: &FieldName,
        value: &Sensitive,
    ) -> Result<Label, SecretsError>;
}
