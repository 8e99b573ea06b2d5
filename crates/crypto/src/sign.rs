//! Ed25519 signatures over lists of fields.

#[cfg(test)]
mod tests;

use ed25519_dalek::{Signature, Signer};

use crate::memory::{Locked, MemoryError};
use crate::{Aad, Key};

/// A signing key whose seed lives in locked memory.
///
/// Signing expands the seed on the stack for the time of the call and wipes the
/// expansion.
///
/// ```
/// use subrosa_crypto::{Aad, Key, SigningKey, SystemRng};
/// let seed = Key::generate(&SystemRng)?.derive("audit/checkpoint/sign")?;
/// let key = SigningKey::from_seed(&seed)?;
/// let checkpoint = Aad::new("audit/checkpoint/v1").u64(41);
/// let signature = key.sign(&checkpoint);
/// assert!(key.public().verify(&checkpoint, &signature));
/// assert!(!key.public().verify(&Aad::new("audit/checkpoint/v1").u64(42), &signature));
/// # Ok::<(), subrosa_crypto::MemoryError>(())
/// ```
///
/// Source: RFC 8032 §5.1.
pub struct SigningKey {
    inner: Locked<ed25519_dalek::SigningKey>,
}

impl SigningKey {
    /// The key pair whose seed is the 32 bytes of `seed`.
    ///
    /// A key has one job: pass one that was derived for signing.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock more memory.
    pub fn from_seed(seed: &Key) -> Result<SigningKey, MemoryError> {
        let inner = Locked::build(|| ed25519_dalek::SigningKey::from_bytes(seed.danger_expose()))?;
        Ok(SigningKey { inner })
    }

    /// Signs a list of fields.
    pub fn sign(&self, message: &Aad) -> [u8; 64] {
        self.sign_bytes(message.encoded())
    }

    /// Signs bytes as they are; kept inside, so that all messages of this
    /// program are lists of fields.
    fn sign_bytes(&self, message: &[u8]) -> [u8; 64] {
        self.inner.get().sign(message).to_bytes()
    }

    /// The public half.
    pub fn public(&self) -> VerifyingKey {
        VerifyingKey(self.inner.get().verifying_key().to_bytes())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// The public half of a [`SigningKey`], as it is stored: 32 bytes that may or
/// may not be a valid point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifyingKey(pub [u8; 32]);

impl VerifyingKey {
    /// Whether `signature` over `message` was made by this key.
    ///
    /// Strict: refuses keys and signature points of small order, and scalars
    /// that are not reduced, so a signature has one form only. A key that is no
    /// valid point verifies nothing.
    #[must_use]
    pub fn verify(&self, message: &Aad, signature: &[u8; 64]) -> bool {
        self.verify_bytes(message.encoded(), signature)
    }

    fn verify_bytes(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        ed25519_dalek::VerifyingKey::from_bytes(&self.0).is_ok_and(|key| {
            key.verify_strict(message, &Signature::from_bytes(signature))
                .is_ok()
        })
    }
}
