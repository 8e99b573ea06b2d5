//! Ways to open the vault: list, add, remove, and a new root key.
#![allow(
    clippy::disallowed_methods,
    reason = "a key file that opens nothing is removed"
)]

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use subrosa_crypto::{Argon2Params, SecretBuf, random};
use subrosa_model::{Digest, SlotId, Timestamp};
use subrosa_store::files::create_new;
use subrosa_store::pins::PinRecord;
use subrosa_vault::{NewSlot, SlotInfo, SlotKind, Unlock, VaultError};

use crate::proof::{
    AGE_SECRET, Source, TPM_SECRET, clear_keyring, decode_secret, draw_secret, encrypt_to,
    seal_in_tpm, store_in_keyring,
};
use crate::{EngineError, Session, pinning};

/// How long a passphrase takes to check.
const KDF_TARGET: Duration = Duration::from_millis(250);

/// A slot as `key ls` tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlotShown {
    /// Its id.
    pub id: SlotId,
    /// Its name.
    pub label: String,
    /// What opens it.
    pub kind: String,
    /// Whether opening it proves that a person is there.
    pub presence: bool,
    /// Whether this process was opened with it.
    pub current: bool,
    /// When it was added.
    pub created: Timestamp,
}

impl Session {
    /// The slots, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Vault`] with `Tampered` when one was slipped in or taken away.
    pub fn slots(&mut self) -> Result<Vec<SlotShown>, EngineError> {
        let current = self.vault.slot().map(|slot| slot.id);
        let slots = self.vault.slots(&mut self.journal)?;
        Ok(slots.iter().map(|slot| shown(slot, current)).collect())
    }

    /// Adds a passphrase.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Vault`].
    pub fn add_passphrase(
        &mut self,
        label: &str,
        passphrase: SecretBuf,
    ) -> Result<SlotShown, EngineError> {
        let params = Argon2Params::calibrate(KDF_TARGET);
        self.add(&NewSlot {
            unlock: Unlock::Passphrase(passphrase),
            label,
            params,
        })
    }

    /// Adds a key file, which is made at `path` and must not lie in the vault's folder.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; [`EngineError::File`] when there is something at `path`.
    pub fn add_key_file(&mut self, label: &str, path: &Path) -> Result<SlotShown, EngineError> {
        self.require_presence("adding a slot")?;
        let absolute =
            std::path::absolute(path).map_err(EngineError::io(path.display().to_string()))?;
        if self.setting.home.holds(&absolute) {
            return Err(EngineError::usage(
                "a key file in the vault's own folder opens every copy of it; choose a path elsewhere",
            ));
        }
        let raw: [u8; 32] = random(&*self.setting.effects.rng);
        let mut content = SecretBuf::copy_from(hex::encode(raw).as_bytes())?;
        content.extend(b"\n")?;
        create_new(&absolute, content.as_slice(), 0o600)?;
        let unlock = Unlock::KeyFile(content);
        let added = self.add(&NewSlot {
            unlock,
            label,
            params: Argon2Params::FLOOR,
        });
        if added.is_err() {
            // A file that opens nothing would only mislead.
            let _ = std::fs::remove_file(&absolute);
        }
        added
    }

    /// Adds a recovery code, and returns it to be shown once.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Vault`].
    pub fn add_recovery(&mut self, label: &str) -> Result<(SlotShown, SecretBuf), EngineError> {
        let code = NewSlot::recovery_code(&*self.setting.effects.rng)?;
        let unlock = Unlock::Recovery(SecretBuf::copy_from(code.as_slice())?);
        let added = self.add(&NewSlot {
            unlock,
            label,
            params: Argon2Params::FLOOR,
        })?;
        Ok((added, code))
    }

    /// Adds a secret for a variable of the environment, and returns its text, to be shown once.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Vault`].
    pub fn add_environment(&mut self, label: &str) -> Result<(SlotShown, SecretBuf), EngineError> {
        let text = draw_secret(&*self.setting.effects.rng)?;
        let source = Source {
            kind: SlotKind::Environment,
            what: "what was drawn",
        };
        let added = self.add(&NewSlot {
            unlock: Unlock::Environment(decode_secret(&text, source)?),
            label,
            params: Argon2Params::FLOOR,
        })?;
        Ok((added, text))
    }

    /// Adds the secret that a command printed, as [`crate::read_command`] gave it.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Vault`].
    pub fn add_command(
        &mut self,
        label: &str,
        secret: SecretBuf,
    ) -> Result<SlotShown, EngineError> {
        self.add(&NewSlot {
            unlock: Unlock::Command(secret),
            label,
            params: Argon2Params::FLOOR,
        })
    }

    /// Adds a secret that is encrypted to an age recipient or an SSH public key; whoever has the
    /// identity opens it.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Age`], [`EngineError::Vault`].
    pub fn add_age(&mut self, label: &str, recipient: &str) -> Result<SlotShown, EngineError> {
        let mut secret = SecretBuf::zeroed(AGE_SECRET)?;
        self.setting.effects.rng.fill(secret.as_mut_slice());
        let envelope = encrypt_to(recipient, &secret)?;
        self.add(&NewSlot {
            unlock: Unlock::Age { secret, envelope },
            label,
            params: Argon2Params::FLOOR,
        })
    }

    /// Adds a secret that the keyring of the desktop keeps.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Secret`] when the keyring keeps nothing,
    /// [`EngineError::Vault`].
    pub fn add_keyring(
        &mut self,
        label: &str,
        variables: &[(OsString, OsString)],
    ) -> Result<SlotShown, EngineError> {
        // Before the keyring has anything to keep.
        self.require_presence("adding a slot")?;
        let text = draw_secret(&*self.setting.effects.rng)?;
        let source = Source {
            kind: SlotKind::Keyring,
            what: "the secret",
        };
        let secret = decode_secret(&text, source)?;
        let name: [u8; 16] = random(&*self.setting.effects.rng);
        let item = (self.vault.id(), &name[..]);
        store_in_keyring(item, &text, variables)?;
        let added = self.add(&NewSlot {
            unlock: Unlock::Keyring {
                secret,
                envelope: name.to_vec(),
            },
            label,
            params: Argon2Params::FLOOR,
        });
        if added.is_err() {
            // It would open nothing.
            let _ = clear_keyring(item, variables);
        }
        added
    }

    /// Adds a secret that the TPM of this machine gives out for a PIN.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Secret`] when the TPM seals nothing,
    /// [`EngineError::Vault`].
    pub fn add_tpm(
        &mut self,
        label: &str,
        pin: &SecretBuf,
        variables: &[(OsString, OsString)],
    ) -> Result<SlotShown, EngineError> {
        self.require_presence("adding a slot")?;
        let mut secret = SecretBuf::zeroed(TPM_SECRET)?;
        let effects = &self.setting.effects;
        effects.rng.fill(secret.as_mut_slice());
        let envelope = seal_in_tpm(&self.setting.home, effects, (pin, &secret), variables)?;
        self.add(&NewSlot {
            unlock: Unlock::Tpm { secret, envelope },
            label,
            params: Argon2Params::FLOOR,
        })
    }

    fn add(&mut self, new: &NewSlot<'_>) -> Result<SlotShown, EngineError> {
        self.require_presence("adding a slot")?;
        let now = self.now();
        let slot = self.vault.add_slot(&mut self.journal, new, now)?;
        Ok(shown(&slot, None))
    }

    /// Removes a slot by its label or id, with a new root key.
    ///
    /// # Errors
    /// [`EngineError::Presence`]; [`EngineError::Vault`] with `SlotMissing` or `LastSlot`.
    pub fn remove_slot(&mut self, name: &str) -> Result<(), EngineError> {
        self.require_presence("removing a slot")?;
        let slots = self.vault.slots(&mut self.journal)?;
        let found = slots
            .iter()
            .find(|slot| slot.label == name || slot.id.to_string() == name);
        let id = found
            .ok_or_else(|| VaultError::SlotMissing {
                name: name.to_owned(),
            })?
            .id;
        self.replace_root(&[id])
    }

    /// Replaces the root key and all keys under it.
    ///
    /// # Errors
    /// [`EngineError::Presence`], [`EngineError::Vault`]; killed at any point, the vault opens
    /// with the old or the new key.
    pub fn rotate(&mut self) -> Result<(), EngineError> {
        self.require_presence("replacing the root key")?;
        self.replace_root(&[])
    }

    fn replace_root(&mut self, removed: &[SlotId]) -> Result<(), EngineError> {
        let home = self.setting.home.clone();
        let (vault, current) = (self.vault.id(), self.vault.fingerprint());
        // Completion records of this process must not come between plan and commit.
        self.gate.flush()?;
        // From here to the end no other process changes root and pin.
        let held = pinning::hold(&home);
        let known = pinning::known(&home);
        let ours = |pin: &PinRecord| pin.current == current || pin.next == Some(current);
        if known.is_some_and(|pin| pin.vault == vault && !ours(&pin)) {
            return Err(VaultError::Replaced.into());
        }
        let mut announce = |next: Digest| {
            let pin = PinRecord {
                vault,
                current,
                next: Some(next),
            };
            match pinning::write(&home, &pin) {
                Ok(()) => Ok(()),
                // Without a place for pins there is none to go stale.
                Err(EngineError::Home { .. }) => Ok(()),
                Err(error) => Err(VaultError::Journal {
                    reason: error.to_string(),
                }),
            }
        };
        let rotated = self.vault.rotate(&mut self.journal, removed, &mut announce);
        let pin = match &rotated {
            Ok(()) => Some(PinRecord {
                vault,
                current: self.vault.fingerprint(),
                next: None,
            }),
            // What was announced did not come.
            Err(_) => known,
        };
        let written = pin.map_or(Ok(()), |pin| pinning::write(&home, &pin));
        drop(held);
        rotated?;
        match written {
            Ok(()) | Err(EngineError::Home { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn shown(slot: &SlotInfo, current: Option<SlotId>) -> SlotShown {
    SlotShown {
        id: slot.id,
        label: slot.label.clone(),
        kind: slot
            .kind
            .map_or("of a later program", |kind| kind.name())
            .to_owned(),
        presence: slot.kind.is_some_and(|kind| kind.proves_presence()),
        current: current == Some(slot.id),
        created: slot.created,
    }
}
