//! The one place that speaks age: the secret of a slot, encrypted to a recipient, and opened with
//! the identity.
//!
//! The library keeps what it works on in ordinary memory, which it wipes for the most part.

use std::path::Path;

use subrosa_crypto::SecretBuf;
use subrosa_store::files::read_private;
use subrosa_vault::{ENVELOPE_MAX, SlotKind, Unlock, Vault, VaultError};

use crate::session::open_store;
use crate::{EngineError, Home};

/// Longest identity file, in bytes.
const IDENTITY_MAX: usize = 64 * 1024;

/// Bytes of the secret of such a slot.
pub(crate) const AGE_SECRET: usize = 32;

/// Encrypts a slot's secret to an age recipient or an SSH public key.
///
/// # Errors
/// [`EngineError::Age`] for what is no recipient; it is not repeated, since it may be an identity.
pub(crate) fn encrypt(recipient: &str, secret: &SecretBuf) -> Result<Vec<u8>, EngineError> {
    let envelope = with_age::encrypt(recipient.trim(), secret)?;
    if envelope.len() > ENVELOPE_MAX {
        return Err(wrong("the recipient's key is too long"));
    }
    Ok(envelope)
}

/// The secret of the first age slot that an identity file opens.
///
/// # Errors
/// [`EngineError::File`] when others may read the file, [`EngineError::Usage`] when it lies in the
/// vault's folder, [`EngineError::Age`] for what is no identity or has a passphrase,
/// [`EngineError::Vault`] with `NoSlot` or `WrongKey` when it opens none.
pub fn read_age(home: &Home, path: &Path) -> Result<Unlock, EngineError> {
    let absolute =
        std::path::absolute(path).map_err(EngineError::io(path.display().to_string()))?;
    if home.holds(&absolute) {
        return Err(EngineError::usage(
            "an identity in the vault's own folder opens every copy of it; move it elsewhere",
        ));
    }
    let text = SecretBuf::take(read_private(path, IDENTITY_MAX, true)?)?;
    let (_, slots) = Vault::peek(&mut open_store(home, &home.vault())?)?;
    let envelopes: Vec<Vec<u8>> = slots
        .into_iter()
        .filter(|slot| slot.kind == Some(SlotKind::Age))
        .map(|slot| slot.envelope)
        .collect();
    let what = SlotKind::Age.name();
    if envelopes.is_empty() {
        return Err(VaultError::NoSlot { what }.into());
    }
    // What the slots say is vouched for by nobody yet: whoever knows the recipient can write an
    // envelope. So the secret opens nothing but a vault whose root key is pinned.
    for envelope in envelopes {
        if let Some(secret) = with_age::decrypt(&text, &envelope)? {
            return Ok(Unlock::Age { secret, envelope });
        }
    }
    Err(VaultError::WrongKey { what }.into())
}

fn wrong(reason: impl Into<String>) -> EngineError {
    EngineError::Age {
        reason: reason.into(),
    }
}

#[cfg(feature = "age")]
mod with_age {
    use std::io::Write;

    use age::ssh::ParseRecipientKeyError as Unfit;
    use age::{Decryptor, Encryptor, Identity, IdentityFile, Recipient};
    use subrosa_crypto::SecretBuf;

    use super::{AGE_SECRET, EngineError, wrong};

    pub(super) fn encrypt(text: &str, secret: &SecretBuf) -> Result<Vec<u8>, EngineError> {
        let recipient = recipient(text)?;
        let failed = || wrong("the secret could not be encrypted to the recipient");
        let recipients = std::iter::once(recipient.as_ref());
        let encryptor = Encryptor::with_recipients(recipients).map_err(|_| failed())?;
        let mut envelope = Vec::new();
        let mut writer = encryptor.wrap_output(&mut envelope).map_err(|_| failed())?;
        writer
            .write_all(secret.as_slice())
            .and_then(|()| writer.finish().map(drop))
            .map_err(|_| failed())?;
        Ok(envelope)
    }

    fn recipient(text: &str) -> Result<Box<dyn Recipient>, EngineError> {
        if let Ok(recipient) = text.parse::<age::x25519::Recipient>() {
            return Ok(Box::new(recipient));
        }
        match text.parse::<age::ssh::Recipient>() {
            Ok(recipient) => Ok(Box::new(recipient)),
            Err(Unfit::RsaModulusTooSmall) => {
                Err(wrong("the RSA key is weak: it has fewer than 2048 bits"))
            }
            Err(Unfit::RsaModulusTooLarge) => Err(wrong("the RSA key is too long")),
            Err(Unfit::Unsupported(_) | Unfit::Ignore) => Err(wrong(
                "SSH keys of this kind cannot decrypt: take ssh-ed25519 or ssh-rsa",
            )),
            Err(_) if text.starts_with("AGE-SECRET-KEY-") || text.starts_with("-----BEGIN") => Err(
                wrong("that is an identity, which is secret: name its recipient instead"),
            ),
            Err(_) => Err(wrong(
                "that is neither an age recipient (age1…) nor an SSH public key",
            )),
        }
    }

    pub(super) fn decrypt(
        identities: &SecretBuf,
        envelope: &[u8],
    ) -> Result<Option<SecretBuf>, EngineError> {
        let identities = parsed(identities.as_slice())?;
        let identities = identities
            .iter()
            .map(|identity| &**identity as &dyn Identity);
        let Ok(mut reader) = Decryptor::new(envelope).and_then(|open| open.decrypt(identities))
        else {
            return Ok(None);
        };
        // Who wrote the envelope is not known, so it may hold anything, of any length.
        match SecretBuf::read_to_end(&mut reader, AGE_SECRET) {
            Ok(secret) if secret.len() == AGE_SECRET => Ok(Some(secret)),
            Err(subrosa_crypto::ReadError::Memory(error)) => Err(error.into()),
            _ => Ok(None),
        }
    }

    fn parsed(text: &[u8]) -> Result<Vec<Box<dyn Identity>>, EngineError> {
        let locked =
            || wrong("the identity has a passphrase of its own, which nobody is asked for here");
        if text.starts_with(b"age-encryption.org/")
            || text.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----")
        {
            return Err(locked());
        }
        if text.starts_with(b"-----BEGIN ") {
            return match age::ssh::Identity::from_buffer(text, None) {
                Ok(identity @ age::ssh::Identity::Unencrypted(_)) => Ok(vec![Box::new(identity)]),
                Ok(age::ssh::Identity::Encrypted(_)) => Err(locked()),
                Ok(age::ssh::Identity::Unsupported(_)) => Err(wrong(
                    "SSH keys of this kind cannot decrypt: take ssh-ed25519 or ssh-rsa",
                )),
                Err(_) => Err(wrong("the identity file is no SSH private key")),
            };
        }
        let none = || wrong("the identity file holds no age identity");
        let file = IdentityFile::from_buffer(text).map_err(|_| none())?;
        let found = file.into_identities().map_err(|_| none())?;
        if found.is_empty() {
            return Err(none());
        }
        Ok(found
            .into_iter()
            .map(|identity| identity as Box<dyn Identity>)
            .collect())
    }
}

#[cfg(not(feature = "age"))]
mod with_age {
    use subrosa_crypto::SecretBuf;

    use super::{EngineError, wrong};

    pub(super) fn encrypt(_: &str, _: &SecretBuf) -> Result<Vec<u8>, EngineError> {
        Err(wrong("this program was built without age"))
    }

    pub(super) fn decrypt(_: &SecretBuf, _: &[u8]) -> Result<Option<SecretBuf>, EngineError> {
        Err(wrong("this program was built without age"))
    }
}
