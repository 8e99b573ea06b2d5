//! Keys and sealed records.
//!
//! # Key states
//!
//! A [`Key`] is 32 bytes. When it is made, everything that depends on it alone
//! is computed once and kept beside it, in the same locked memory:
//!
//! ```text
//! PRK     = HKDF-SHA-256-Extract(salt = "subrosa/key/v1", ikm = key)
//! derived = HKDF-SHA-256-Expand(PRK, LP("subrosa/derive/v1") || LP(purpose), 32)
//! mac key = HKDF-SHA-256-Expand(PRK, LP("subrosa/mac/v1"), 32)
//! prf key = HKDF-SHA-256-Expand(PRK, LP("subrosa/prf/v1"), 32)
//! ```
//!
//! `LP(x)` is the length of `x` as a 32-bit little-endian number, then `x`:
//! one field of [`Aad`].
//!
//! # Sealed records
//!
//! ```text
//! offset  bytes  field
//!      0     24  nonce, random
//!     24     32  commitment
//!     56      n  ciphertext, as long as the plaintext
//! 56 + n     16  Poly1305 tag
//!
//! OKM = HKDF-SHA-256-Expand(PRK, LP("subrosa/seal/v1") || LP(nonce), 64)
//! cipher key = OKM[0..32], commitment = OKM[32..64]
//! ciphertext || tag =
//!     XChaCha20-Poly1305(cipher key, nonce, aad = encoding of the Aad, plaintext)
//! ```
//!
//! To open: a record under 72 bytes is truncated. The commitment is compared
//! first, in constant time; a mismatch means another key (or a changed nonce or
//! commitment). Then the tag is verified; a mismatch means a changed ciphertext
//! or other associated data. Nothing is decrypted before the tag verifies.
//!
//! The cipher by itself commits to nothing: a ciphertext can be made that opens
//! under two keys. The commitment is a collision-resistant function of key and
//! nonce, so that a record opens under one key only. A fresh cipher key for
//! each record also keeps the number of records under one key unbounded in
//! practice.
//!
//! # What is locked and what is not
//!
//! Locked: the key bytes, the HMAC midstates of PRK and mac key, the prf key,
//! and what [`Key::open`] returns. Not locked: while a call runs, the stack holds
//! the record's cipher key, its cipher state and copies of HMAC midstates; the
//! cipher key and these states are wiped when the call ends, while registers and
//! spilled copies of them are not. [`Key::open_public`] returns ordinary memory.
//!
//! Source: RFC 5869; draft-irtf-cfrg-xchacha-03; RFC 8439.

#[cfg(test)]
mod tests;

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::memory::{Locked, MemoryError, SecretBuf, ct_eq};
use crate::{Aad, Rng, random};

/// Bytes of a key.
const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
const COMMITMENT_LEN: usize = 32;
const TAG_LEN: usize = 16;
/// Where the ciphertext starts in a record.
const BODY: usize = NONCE_LEN + COMMITMENT_LEN;

/// Bytes by which a sealed record is longer than its plaintext.
pub const SEAL_OVERHEAD: usize = NONCE_LEN + COMMITMENT_LEN + TAG_LEN;

/// A symmetric key in locked memory, wiped when dropped.
///
/// ```
/// use subrosa_crypto::{Aad, Key, SystemRng};
/// let root = Key::generate(&SystemRng)?;
/// let names = root.derive("vault/names")?;
/// let aad = Aad::new("vault/name/v1");
/// assert_ne!(root.mac(&aad), names.mac(&aad));
/// assert_eq!(format!("{root:?}"), "Key(***)");
/// # Ok::<(), subrosa_crypto::MemoryError>(())
/// ```
///
/// ```compile_fail,E0599
/// let key = subrosa_crypto::Key::generate(&subrosa_crypto::SystemRng).unwrap();
/// let copy = key.clone();
/// ```
pub struct Key {
    state: Locked<State>,
}

struct State {
    bytes: [u8; KEY_LEN],
    expand: Hkdf<Sha256>,
    mac: Hmac<Sha256>,
    prf: [u8; KEY_LEN],
}

impl State {
    fn new(bytes: &[u8; KEY_LEN]) -> State {
        let (mut prk, expand) = Hkdf::<Sha256>::extract(Some(b"subrosa/key/v1"), bytes);
        prk.as_mut_slice().zeroize();
        let mut subkey = Zeroizing::new([0; KEY_LEN]);
        expand_into(&expand, &Aad::new("subrosa/mac/v1"), &mut *subkey);
        let mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&*subkey)
            .expect("invariant: HMAC takes a key of any length");
        expand_into(&expand, &Aad::new("subrosa/prf/v1"), &mut *subkey);
        State {
            bytes: *bytes,
            expand,
            mac,
            prf: *subkey,
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // The HMAC states wipe themselves. The slot is wiped as a whole after
        // this; here it also covers a state that never reached its slot.
        self.bytes.zeroize();
        self.prf.zeroize();
    }
}

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock more memory.
    pub fn generate(rng: &dyn Rng) -> Result<Key, MemoryError> {
        let mut bytes = SecretBuf::zeroed(KEY_LEN)?;
        rng.fill(bytes.as_mut_slice());
        Key::from_secret(&bytes)
    }

    /// A key of exactly 32 bytes. The caller's copy is the caller's to wipe.
    ///
    /// # Errors
    /// [`KeyError::Length`] for any other length, [`KeyError::Memory`] when the
    /// system does not lock more memory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Key, KeyError> {
        let bytes: &[u8; KEY_LEN] = bytes
            .try_into()
            .map_err(|_| KeyError::Length { got: bytes.len() })?;
        Ok(Key::from_array(bytes)?)
    }

    fn from_array(bytes: &[u8; KEY_LEN]) -> Result<Key, MemoryError> {
        let state = Locked::build(|| State::new(bytes))?;
        Ok(Key { state })
    }

    /// A key out of a buffer that is known to hold 32 bytes.
    pub(crate) fn from_secret(bytes: &SecretBuf) -> Result<Key, MemoryError> {
        let bytes = bytes
            .as_slice()
            .try_into()
            .expect("invariant: the caller made a buffer of 32 bytes");
        Key::from_array(bytes)
    }

    /// A second handle on the same key, in locked memory of its own.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock more memory.
    pub fn try_clone(&self) -> Result<Key, MemoryError> {
        Key::from_array(&self.state.get().bytes)
    }

    /// The key's own bytes. A reviewer must stop here: only code that wraps a
    /// key for another holder, such as a key slot, has a use for them. To wrap
    /// one key under another use [`Key::wrap`].
    pub fn danger_expose(&self) -> &[u8; 32] {
        &self.state.get().bytes
    }

    /// A key for one purpose, from which this one cannot be computed.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock more memory.
    ///
    /// Source: RFC 5869 §2.3.
    pub fn derive(&self, purpose: &str) -> Result<Key, MemoryError> {
        let mut bytes = SecretBuf::zeroed(KEY_LEN)?;
        let info = Aad::new("subrosa/derive/v1").text(purpose);
        expand_into(&self.state.get().expand, &info, bytes.as_mut_slice());
        Key::from_secret(&bytes)
    }

    /// Authenticates a list of fields: HMAC-SHA-256 under a subkey.
    ///
    /// Compare with [`ct_eq`].
    pub fn mac(&self, aad: &Aad) -> [u8; 32] {
        let mut mac = self.state.get().mac.clone();
        mac.update(aad.encoded());
        mac.finalize().into_bytes().into()
    }

    /// A keyed hash of `data` under a subkey, for lookups and sets: BLAKE3 in
    /// keyed mode, faster than [`Key::mac`] and over bytes as they are.
    pub fn prf(&self, data: &[u8]) -> [u8; 32] {
        blake3::keyed_hash(&self.state.get().prf, data).into()
    }

    /// Seals `plaintext` under a fresh nonce; the format is in the module
    /// documentation.
    ///
    /// `aad` is authenticated, not encrypted and not stored: the same fields
    /// must be given to open. The result is [`SEAL_OVERHEAD`] bytes longer than
    /// the plaintext.
    ///
    /// # Panics
    /// When the plaintext is over 256 GiB, the cipher's limit.
    pub fn seal(&self, rng: &dyn Rng, aad: &Aad, plaintext: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random(rng);
        let record = self.record_keys(&nonce);

        let mut sealed = Vec::with_capacity(plaintext.len() + SEAL_OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(record.commitment());
        sealed.resize(BODY + plaintext.len(), 0);
        // From one buffer into the other: a copy encrypted in place would put
        // the plaintext into ordinary memory for a while.
        let body = InOutBuf::new(plaintext, &mut sealed[BODY..])
            .expect("invariant: the body was sized for the plaintext");
        let tag = record
            .cipher()
            .encrypt_inout_detached(&XNonce::from(nonce), aad.encoded(), body)
            .expect("invariant: a plaintext is shorter than 256 GiB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens a sealed record into locked memory.
    ///
    /// # Errors
    /// [`OpenError::WrongKey`] when it was sealed under another key,
    /// [`OpenError::Tampered`] when it or the associated data differ from what
    /// was sealed, [`OpenError::Truncated`], [`OpenError::Memory`].
    pub fn open(&self, aad: &Aad, sealed: &[u8]) -> Result<SecretBuf, OpenError> {
        let parts = Parts::split(sealed)?;
        let mut plaintext = SecretBuf::zeroed(parts.body.len())?;
        self.open_into(aad, &parts, plaintext.as_mut_slice())?;
        Ok(plaintext)
    }

    /// Opens a sealed record that is not sensitive (a name, a tag) into ordinary
    /// memory, replacing what `out` held. Faster than [`Key::open`], and `out`
    /// can be used again for the next record. `out` is empty after an error.
    ///
    /// # Errors
    /// As [`Key::open`], without [`OpenError::Memory`].
    pub fn open_public(
        &self,
        aad: &Aad,
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), OpenError> {
        out.clear();
        let parts = Parts::split(sealed)?;
        out.resize(parts.body.len(), 0);
        self.open_into(aad, &parts, out)
            .inspect_err(|_| out.clear())
    }

    /// Seals another key under this one.
    pub fn wrap(&self, rng: &dyn Rng, aad: &Aad, key: &Key) -> Vec<u8> {
        self.seal(rng, aad, key.danger_expose())
    }

    /// Opens a key that [`Key::wrap`] sealed.
    ///
    /// # Errors
    /// As [`Key::open`], and [`OpenError::NotAKey`] when the record holds
    /// something else.
    pub fn unwrap_key(&self, aad: &Aad, sealed: &[u8]) -> Result<Key, OpenError> {
        let bytes = self.open(aad, sealed)?;
        if bytes.len() != KEY_LEN {
            return Err(OpenError::NotAKey);
        }
        Ok(Key::from_secret(&bytes)?)
    }

    fn open_into(&self, aad: &Aad, parts: &Parts<'_>, out: &mut [u8]) -> Result<(), OpenError> {
        let record = self.record_keys(parts.nonce);
        // Before anything else: only the commitment says that the key is right.
        if !ct_eq(record.commitment(), parts.commitment) {
            return Err(OpenError::WrongKey);
        }
        let body =
            InOutBuf::new(parts.body, out).expect("invariant: the output was sized for the body");
        record
            .cipher()
            .decrypt_inout_detached(
                &XNonce::from(*parts.nonce),
                aad.encoded(),
                body,
                &Tag::from(*parts.tag),
            )
            .map_err(|_| OpenError::Tampered)
    }

    fn record_keys(&self, nonce: &[u8; NONCE_LEN]) -> RecordKeys {
        let mut okm = Zeroizing::new([0; KEY_LEN + COMMITMENT_LEN]);
        self.state
            .get()
            .expand
            .expand_multi_info(&[&SEAL_INFO, nonce], &mut *okm)
            .expect("invariant: 64 bytes are within HKDF's limit");
        RecordKeys(okm)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(***)")
    }
}

/// `LP("subrosa/seal/v1")` and the length prefix of the nonce that follows,
/// written out because building an [`Aad`] for each record would allocate.
const SEAL_INFO: [u8; 23] = *b"\x0f\0\0\0subrosa/seal/v1\x18\0\0\0";

/// Cipher key and commitment of one record.
struct RecordKeys(Zeroizing<[u8; KEY_LEN + COMMITMENT_LEN]>);

impl RecordKeys {
    fn commitment(&self) -> &[u8] {
        &self.0[KEY_LEN..]
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new_from_slice(&self.0[..KEY_LEN])
            .expect("invariant: the cipher key is 32 bytes")
    }
}

/// A sealed record taken apart, nothing verified yet.
struct Parts<'a> {
    nonce: &'a [u8; NONCE_LEN],
    commitment: &'a [u8; COMMITMENT_LEN],
    body: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    fn split(sealed: &'a [u8]) -> Result<Parts<'a>, OpenError> {
        let (nonce, rest) = sealed.split_first_chunk().ok_or(OpenError::Truncated)?;
        let (commitment, rest) = rest.split_first_chunk().ok_or(OpenError::Truncated)?;
        let (body, tag) = rest.split_last_chunk().ok_or(OpenError::Truncated)?;
        Ok(Parts {
            nonce,
            commitment,
            body,
            tag,
        })
    }
}

/// The commitment stored in a sealed record, or `None` when the record is too
/// short to be one. It identifies the pair of key and nonce, and proves nothing
/// before the record was opened.
pub fn commitment(sealed: &[u8]) -> Option<[u8; 32]> {
    Parts::split(sealed).ok().map(|parts| *parts.commitment)
}

/// HKDF-Expand with a list of fields as its `info`.
pub(crate) fn expand_into(expand: &Hkdf<Sha256>, info: &Aad, out: &mut [u8]) {
    expand
        .expand(info.encoded(), out)
        .expect("invariant: subkeys are within HKDF's limit of 8160 bytes");
}

/// Bytes are not a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 32 bytes.
    #[error("a key is 32 bytes, this is {got}; pass a key made by this program")]
    Length {
        /// Bytes that were given.
        got: usize,
    },
    /// There was no locked memory for it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// A sealed record did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Shorter than any sealed record.
    #[error("the sealed record is cut short; restore it from a backup")]
    Truncated,
    /// The commitment does not belong to this key.
    #[error("the sealed record belongs to another key; open it with the key it was sealed under")]
    WrongKey,
    /// The key is right, but the ciphertext or the associated data changed.
    #[error("the sealed record, or what it is bound to, was changed; restore it from a backup")]
    Tampered,
    /// The record is intact, but holds something other than a key.
    #[error("the sealed record holds no key; it was stored in the wrong place")]
    NotAKey,
    /// There was no locked memory for the plaintext.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}
