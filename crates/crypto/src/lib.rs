//! Cryptography of the vault: authenticated encryption, key derivation,
//! signatures, and the locked memory that keys and values live in.
//!
//! This crate stands on the ground floor: it knows no vault, no file and no
//! network. Other crates ask it for *jobs* ("seal this under that key with this
//! associated data") and never for primitives, so a nonce, a cipher or a hash
//! is chosen in one place only.
//!
//! # Invariants
//!
//! * Key bytes and decrypted values live in memory that is locked (never
//!   swapped), left out of core dumps, wiped in forked children and wiped when
//!   dropped. If the system refuses to lock, the operation fails
//!   ([`MemoryError::Locked`]); nothing falls back to ordinary memory. The only
//!   exception is asked for by name: [`Key::open_public`], for names and tags.
//! * A key has one job. Sealing, authentication and lookup hashes use separate
//!   subkeys, and [`Key::derive`] gives a key for each further purpose.
//! * Whatever is authenticated goes through [`Aad`], whose encoding is
//!   injective. Nothing is ever concatenated.
//! * No type here prints its contents, and no error carries any.
//! * Randomness arrives as an argument ([`Rng`]).
//!
//! `unsafe` is confined to the [`memory`] module.
//!
//! ```
//! use subrosa_crypto::{Aad, Key, OpenError, SystemRng};
//!
//! let rng = SystemRng;
//! let key = Key::generate(&rng)?;
//! let aad = Aad::new("example/record").text("github/token").u64(1);
//!
//! let sealed = key.seal(&rng, &aad, b"ghp_example");
//! assert_eq!(key.open(&aad, &sealed)?.as_slice(), b"ghp_example");
//!
//! let moved = Aad::new("example/record").text("gitlab/token").u64(1);
//! assert!(matches!(key.open(&moved, &sealed), Err(OpenError::Tampered)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aad;
mod digest;
mod kdf;
mod key;
#[allow(
    unsafe_code,
    reason = "locked memory is obtained from the kernel by raw address"
)]
pub mod memory;
mod process;
mod recipient;
mod rng;
mod sign;

pub use aad::Aad;
pub use digest::{sha256, sha256_reader};
pub use kdf::{
    Argon2Params, CALIBRATED_MEMORY_KIB, HIGH_ENTROPY_MIN, KdfError, high_entropy_key,
    passphrase_key,
};
pub use key::{Key, KeyError, OpenError, SEAL_OVERHEAD, commitment};
pub use memory::{MemoryError, ReadError, SecretBuf, ct_eq};
pub use process::harden_process;
pub use recipient::{Identity, Recipient};
pub use rng::{Rng, SystemRng, random};
pub use sign::{SigningKey, VerifyingKey};
