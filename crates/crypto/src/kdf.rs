//! Keys out of passphrases, key files and recovery codes.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroize;

use crate::key::expand_into;
use crate::memory::{MemoryError, SecretBuf};
use crate::{Aad, Key};

/// Cost of turning a passphrase into a key. Stored beside the salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Argon2Params {
    /// Work memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes. They are computed one after another.
    pub lanes: u32,
}

impl Argon2Params {
    /// The least that is accepted: 64 MiB, 3 passes, 1 lane.
    ///
    /// Parameters are read from storage, so less could be an attacker's way to
    /// a cheap guess.
    pub const FLOOR: Argon2Params = Argon2Params {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    /// The most that is accepted: 2 GiB, 64 passes, 16 lanes.
    ///
    /// More could be an attacker's way to stop the machine.
    pub const CEILING: Argon2Params = Argon2Params {
        memory_kib: 2 * 1024 * 1024,
        passes: 64,
        lanes: 16,
    };

    /// Returns the parameters when they are between [`Self::FLOOR`] and
    /// [`Self::CEILING`].
    ///
    /// # Errors
    /// [`KdfError::Weak`] below, [`KdfError::Excessive`] above.
    pub fn validate(self) -> Result<Self, KdfError> {
        let (floor, ceiling) = (Self::FLOOR, Self::CEILING);
        if self.memory_kib < floor.memory_kib
            || self.passes < floor.passes
            || self.lanes < floor.lanes
        {
            return Err(KdfError::Weak);
        }
        if self.memory_kib > ceiling.memory_kib
            || self.passes > ceiling.passes
            || self.lanes > ceiling.lanes
        {
            return Err(KdfError::Excessive);
        }
        Ok(self)
    }

    /// Measures this machine and returns parameters that take about `target`
    /// here, never below [`Self::FLOOR`].
    ///
    /// Runs the floor once (some tens of milliseconds), then scales: memory
    /// first, up to [`CALIBRATED_MEMORY_KIB`] so that the vault still opens on
    /// a smaller machine, then passes.
    #[expect(
        clippy::disallowed_methods,
        reason = "a stopwatch around one computation; a given clock would not measure this machine"
    )]
    pub fn calibrate(target: Duration) -> Self {
        let started = Instant::now();
        let measured = passphrase_key(b"calibration", &[0; 16], Self::FLOOR);
        match measured {
            Ok(_) => Self::scaled(started.elapsed(), target),
            // No memory for more than the floor; unlocking will say so.
            Err(_) => Self::FLOOR,
        }
    }

    /// Scales the floor, which took `floor_took`, to `target`.
    fn scaled(floor_took: Duration, target: Duration) -> Self {
        let floor = Self::FLOOR;
        let ratio = target.as_secs_f64() / floor_took.as_secs_f64().max(1e-6);
        // Float-to-integer `as` saturates, so an absurd ratio stays in range.
        let memory_kib = (f64::from(floor.memory_kib) * ratio) as u32;
        // Whole MiB: nobody reads 71283 KiB with pleasure.
        let memory_kib = (memory_kib / 1024 * 1024).clamp(floor.memory_kib, CALIBRATED_MEMORY_KIB);
        let left = ratio * f64::from(floor.memory_kib) / f64::from(memory_kib);
        let passes = (f64::from(floor.passes) * left) as u32;
        Argon2Params {
            memory_kib,
            passes: passes.clamp(floor.passes, Self::CEILING.passes),
            lanes: floor.lanes,
        }
    }
}

/// The most memory that [`Argon2Params::calibrate`] chooses, in KiB: 256 MiB.
pub const CALIBRATED_MEMORY_KIB: u32 = 256 * 1024;

/// Least length of input to [`high_entropy_key`] in bytes.
pub const HIGH_ENTROPY_MIN: usize = 16;

/// Turns a passphrase into a key with Argon2id, version 1.3.
///
/// Costs the time and memory in `params`. The work memory is ordinary memory
/// (it is larger than what may be locked) and is wiped before this returns.
///
/// # Errors
/// [`KdfError::Weak`] or [`KdfError::Excessive`] for parameters outside the
/// limits, [`KdfError::Empty`] for an empty passphrase,
/// [`KdfError::OutOfMemory`] when there is no work memory.
///
/// Source: RFC 9106 §3.
pub fn passphrase_key(
    passphrase: &[u8],
    salt: &[u8; 16],
    params: Argon2Params,
) -> Result<Key, KdfError> {
    let params = params.validate()?;
    if passphrase.is_empty() {
        return Err(KdfError::Empty);
    }
    let out_of_memory = KdfError::OutOfMemory {
        mib: params.memory_kib / 1024,
    };
    // Within the limits checked above the library accepts every combination.
    let cost = Params::new(params.memory_kib, params.passes, params.lanes, Some(32))
        .map_err(|_| KdfError::Excessive)?;

    let mut work = WorkMemory::new(cost.block_count()).ok_or(out_of_memory)?;
    let mut bytes = SecretBuf::zeroed(32)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost)
        .hash_password_into_with_memory(passphrase, salt, bytes.as_mut_slice(), &mut *work.blocks)
        // Only lengths can still be wrong: a passphrase of 4 GiB.
        .map_err(|_| KdfError::TooLong)?;
    Ok(Key::from_secret(&bytes)?)
}

/// Turns input that already has full entropy (a key file, a recovery code) into
/// a key for `purpose`. Instant, and therefore wrong for anything a person
/// chose.
///
/// `PRK = HKDF-SHA-256-Extract(salt, ikm)`, key = `HKDF-SHA-256-Expand(PRK,
/// LP("subrosa/high-entropy/v1") || LP(purpose), 32)`.
///
/// # Errors
/// [`KdfError::TooShort`] under [`HIGH_ENTROPY_MIN`] bytes.
///
/// Source: RFC 5869.
pub fn high_entropy_key(ikm: &[u8], salt: &[u8; 16], purpose: &str) -> Result<Key, KdfError> {
    if ikm.len() < HIGH_ENTROPY_MIN {
        return Err(KdfError::TooShort { got: ikm.len() });
    }
    let (mut prk, expand) = Hkdf::<Sha256>::extract(Some(salt), ikm);
    prk.as_mut_slice().zeroize();
    let mut bytes = SecretBuf::zeroed(32)?;
    let info = Aad::new("subrosa/high-entropy/v1").text(purpose);
    expand_into(&expand, &info, bytes.as_mut_slice());
    Ok(Key::from_secret(&bytes)?)
}

/// Argon2's work memory, wiped on every way out.
struct WorkMemory {
    blocks: Vec<Block>,
}

impl WorkMemory {
    fn new(count: usize) -> Option<WorkMemory> {
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).ok()?;
        blocks.resize(count, Block::new());
        Some(WorkMemory { blocks })
    }
}

impl Drop for WorkMemory {
    fn drop(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
    }
}

/// No key could be derived.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KdfError {
    /// Cheaper than the floor.
    #[error(
        "the stored passphrase cost is below 64 MiB, 3 passes and 1 lane, so it was not written \
         by this program; restore the vault from a backup"
    )]
    Weak,
    /// Dearer than the ceiling.
    #[error(
        "the stored passphrase cost is above 2 GiB, 64 passes or 16 lanes, so it was not written \
         by this program; restore the vault from a backup"
    )]
    Excessive,
    /// No passphrase at all.
    #[error("the passphrase is empty; type one")]
    Empty,
    /// A passphrase that Argon2 cannot take.
    #[error("the passphrase is too long; type a shorter one")]
    TooLong,
    /// Key file or recovery code too short to have enough entropy.
    #[error("a key file or recovery code has at least 16 bytes, this has {got}; use a longer one")]
    TooShort {
        /// Bytes that were given.
        got: usize,
    },
    /// No work memory for Argon2.
    #[error(
        "the passphrase needs {mib} MiB of free memory to check; close something and try again"
    )]
    OutOfMemory {
        /// Work memory in MiB.
        mib: u32,
    },
    /// There was no locked memory for the key.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}
