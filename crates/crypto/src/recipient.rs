//! Wrapping a key to a public key (X25519), so that a new key can be wrapped to a recipient who is
//! not there.
//!
//! A wrapped key is the ephemeral public key (32 bytes) and a sealed record. The record's key is
//! `high_entropy_key(shared || ephemeral || recipient, salt = first 16 bytes of the ephemeral key,
//! "recipient")`. Anyone can wrap to a public key: who needs to know that a wrapped key is genuine
//! must sign it.
//!
//! Source: RFC 7748 §5 and §6.1.

use std::fmt;

use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

use crate::{Aad, KdfError, Key, MemoryError, OpenError, Rng, SecretBuf, ct_eq, high_entropy_key};

/// A public key that keys are wrapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipient(pub [u8; 32]);

/// The private key of a [`Recipient`], in locked memory.
pub struct Identity {
    scalar: Key,
    recipient: Recipient,
}

impl Identity {
    /// The identity whose private key is `seed`.
    ///
    /// # Errors
    /// [`MemoryError`] when there is no locked memory left.
    pub fn from_seed(seed: &Key) -> Result<Self, MemoryError> {
        let scalar = seed.try_clone()?;
        // The curve arithmetic works on copies on the stack, which this wipes as far as it can.
        let private = Zeroizing::new(*scalar.danger_expose());
        let recipient = Recipient(x25519(*private, X25519_BASEPOINT_BYTES));
        Ok(Self { scalar, recipient })
    }

    /// The public key.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        self.recipient
    }

    /// Opens a key that was wrapped to this identity's recipient.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] when it was wrapped to another, [`OpenError::Tampered`] when it or
    /// `aad` is not what was wrapped, [`OpenError::Truncated`] when it is too short.
    pub fn unwrap_key(&self, aad: &Aad, wrapped: &[u8]) -> Result<Key, OpenError> {
        let (ephemeral, sealed) = wrapped
            .split_first_chunk::<32>()
            .ok_or(OpenError::Truncated)?;
        let private = Zeroizing::new(*self.scalar.danger_expose());
        let key = shared_key(&private, ephemeral, *ephemeral, self.recipient)?;
        key.unwrap_key(aad, sealed)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity(***, {:?})", self.recipient)
    }
}

impl Recipient {
    /// Wraps `key`, so that only this recipient's identity opens it.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] when this is not a usable public key, [`OpenError::Memory`] when
    /// there is no locked memory left.
    pub fn wrap(&self, rng: &dyn Rng, aad: &Aad, key: &Key) -> Result<Vec<u8>, OpenError> {
        let mut private = Zeroizing::new([0; 32]);
        rng.fill(&mut *private);
        let ephemeral = x25519(*private, X25519_BASEPOINT_BYTES);
        let sealing = shared_key(&private, &self.0, ephemeral, *self)?;
        let mut wrapped = ephemeral.to_vec();
        wrapped.extend_from_slice(&sealing.wrap(rng, aad, key));
        Ok(wrapped)
    }
}

fn shared_key(
    private: &Zeroizing<[u8; 32]>,
    public: &[u8; 32],
    ephemeral: [u8; 32],
    recipient: Recipient,
) -> Result<Key, OpenError> {
    let shared = Zeroizing::new(x25519(**private, *public));
    // A point of small order gives zeros for every private key.
    if ct_eq(&*shared, &[0; 32]) {
        return Err(OpenError::WrongKey);
    }
    let mut input = SecretBuf::copy_from(&*shared)?;
    input.extend(&ephemeral)?;
    input.extend(&recipient.0)?;
    let salt = ephemeral.first_chunk::<16>().expect("16 of 32 bytes");
    high_entropy_key(input.as_slice(), salt, "recipient").map_err(|error| match error {
        KdfError::Memory(error) => OpenError::Memory(error),
        _ => OpenError::WrongKey,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRng;

    #[test]
    fn agrees_with_the_published_vectors() {
        // RFC 7748 §5.2: one iteration from the base point.
        let hex = |text: &str| -> [u8; 32] {
            let bytes: Vec<u8> = (0..32)
                .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            bytes.try_into().unwrap()
        };
        let base = X25519_BASEPOINT_BYTES;
        let once = hex("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
        assert_eq!(x25519(base, base), once);
        let identity = Identity::from_seed(&Key::from_bytes(&base).unwrap()).unwrap();
        assert_eq!(identity.recipient().0, once);
    }

    #[test]
    fn only_the_recipient_unwraps_and_only_in_place() {
        let rng = SystemRng;
        let identity = Identity::from_seed(&Key::generate(&rng).unwrap()).unwrap();
        let other = Identity::from_seed(&Key::generate(&rng).unwrap()).unwrap();
        let key = Key::generate(&rng).unwrap();
        let aad = Aad::new("test").u32(1);
        let wrapped = identity.recipient().wrap(&rng, &aad, &key).unwrap();
        assert_eq!(
            identity.unwrap_key(&aad, &wrapped).unwrap().danger_expose(),
            key.danger_expose()
        );
        assert!(matches!(
            other.unwrap_key(&aad, &wrapped),
            Err(OpenError::WrongKey)
        ));
        assert!(matches!(
            identity.unwrap_key(&Aad::new("test").u32(2), &wrapped),
            Err(OpenError::Tampered)
        ));
        for index in 0..wrapped.len() {
            let mut flipped = wrapped.clone();
            flipped[index] ^= 1;
            assert!(identity.unwrap_key(&aad, &flipped).is_err(), "byte {index}");
            assert!(
                identity.unwrap_key(&aad, &wrapped[..index]).is_err(),
                "cut at {index}"
            );
        }
    }

    #[test]
    fn a_point_of_small_order_is_refused() {
        let key = Key::generate(&SystemRng).unwrap();
        let result = Recipient([0; 32]).wrap(&SystemRng, &Aad::new("test"), &key);
        assert!(matches!(result, Err(OpenError::WrongKey)));
    }
}
