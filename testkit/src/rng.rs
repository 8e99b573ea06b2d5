//! Randomness that is the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

use subrosa_crypto::{Aad, Rng, sha256};

/// A stream of bytes that its seed determines. For vectors and fakes, never for keys.
#[derive(Debug)]
pub struct SeededRng {
    seed: u64,
    drawn: AtomicU64,
}

impl SeededRng {
    /// A stream.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }
}

impl Rng for SeededRng {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(32) {
            let number = self.drawn.fetch_add(1, Ordering::Relaxed);
            let block = sha256(&Aad::new("subrosa/seeded/v1").u64(self.seed).u64(number));
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}
