//! What opens a slot, and the key that comes of it.
//!
//! Source: spec/vault.md, "Slots".

use subrosa_crypto::{Argon2Params, Key, SecretBuf, high_entropy_key, passphrase_key};

use crate::VaultError;
use crate::slot::ENVELOPE_MAX;

/// What opens a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SlotKind {
    /// A passphrase that a person knows.
    Passphrase,
    /// The code that was shown once when the vault was made.
    Recovery,
    /// A file of 32 random bytes.
    KeyFile,
    /// A secret in a variable of the environment.
    Environment,
    /// A secret that a command prints.
    Command,
    /// A secret that is encrypted to an age recipient or an SSH key.
    Age,
    /// A secret that the keyring of the desktop keeps.
    Keyring,
    /// A secret that a TPM gives out for a PIN.
    Tpm,
}

impl SlotKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Passphrase,
        Self::Recovery,
        Self::KeyFile,
        Self::Environment,
        Self::Command,
        Self::Age,
        Self::Keyring,
        Self::Tpm,
    ];

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Passphrase => 1,
            Self::Recovery => 2,
            Self::KeyFile => 3,
            Self::Environment => 4,
            Self::Command => 5,
            Self::Age => 6,
            Self::Keyring => 7,
            Self::Tpm => 8,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The name that users read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Recovery => "recovery code",
            Self::KeyFile => "key file",
            Self::Environment => "environment variable",
            Self::Command => "command",
            Self::Age => "age identity",
            Self::Keyring => "OS keyring",
            Self::Tpm => "TPM",
        }
    }

    /// How many bytes the envelope of such a slot may have, at least and at most.
    pub(crate) const fn envelope_lengths(self) -> (usize, usize) {
        match self {
            Self::Age => (0, ENVELOPE_MAX),
            Self::Keyring => (16, 16),
            Self::Tpm => (4, ENVELOPE_MAX),
            _ => (0, 0),
        }
    }

    /// Whether opening it proves that a person is there. What any code of the user could read
    /// proves nothing.
    #[must_use]
    pub const fn proves_presence(self) -> bool {
        matches!(self, Self::Passphrase | Self::Recovery | Self::Tpm)
    }

    /// Whether opening it says that the vault is the user's own: only what the user knows, and what
    /// opens nothing that somebody else made, does. Anybody may write an envelope.
    #[must_use]
    pub const fn vouches(self) -> bool {
        matches!(self, Self::Passphrase | Self::Recovery)
    }
}

/// What is offered to open a vault.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unlock {
    /// A passphrase.
    Passphrase(SecretBuf),
    /// A recovery code, as it was shown; case, spaces and dashes do not matter.
    Recovery(SecretBuf),
    /// The content of a key file.
    KeyFile(SecretBuf),
    /// The bytes that a variable stood for.
    Environment(SecretBuf),
    /// The bytes that the output of a command stood for.
    Command(SecretBuf),
    /// The secret that an age identity opened.
    Age {
        /// What was in the envelope.
        secret: SecretBuf,
        /// The secret as the slot holds it, encrypted.
        envelope: Vec<u8>,
    },
    /// The secret that a keyring kept.
    Keyring {
        /// What it kept.
        secret: SecretBuf,
        /// The name under which it keeps it, 16 bytes.
        envelope: Vec<u8>,
    },
    /// The secret that a TPM gave out for a PIN.
    Tpm {
        /// What was sealed.
        secret: SecretBuf,
        /// The sealed object, public and private part.
        envelope: Vec<u8>,
    },
}

impl Unlock {
    /// The kind of slot that this opens.
    #[must_use]
    pub const fn kind(&self) -> SlotKind {
        match self {
            Self::Passphrase(_) => SlotKind::Passphrase,
            Self::Recovery(_) => SlotKind::Recovery,
            Self::KeyFile(_) => SlotKind::KeyFile,
            Self::Environment(_) => SlotKind::Environment,
            Self::Command(_) => SlotKind::Command,
            Self::Age { .. } => SlotKind::Age,
            Self::Keyring { .. } => SlotKind::Keyring,
            Self::Tpm { .. } => SlotKind::Tpm,
        }
    }

    /// What the slot holds that leads to the secret; nothing for most kinds.
    pub(crate) fn envelope(&self) -> &[u8] {
        match self {
            Self::Age { envelope, .. }
            | Self::Keyring { envelope, .. }
            | Self::Tpm { envelope, .. } => envelope,
            _ => &[],
        }
    }

    pub(crate) fn key(&self, salt: &[u8; 16], params: Argon2Params) -> Result<Key, VaultError> {
        // Each kind has a purpose of its own: what opens a slot of one kind opens none of another.
        let (secret, purpose) = match self {
            Self::Passphrase(passphrase) => {
                return Ok(passphrase_key(passphrase.as_slice(), salt, params)?);
            }
            Self::Recovery(code) => (&crate::recovery::parse(code)?, "slot/recovery"),
            Self::KeyFile(content) => (content, "slot/key-file"),
            Self::Environment(secret) => (secret, "slot/environment"),
            Self::Command(secret) => (secret, "slot/command"),
            Self::Age { secret, .. } => (secret, "slot/age"),
            Self::Keyring { secret, .. } => (secret, "slot/keyring"),
            Self::Tpm { secret, .. } => (secret, "slot/tpm"),
        };
        Ok(high_entropy_key(secret.as_slice(), salt, purpose)?)
    }
}
