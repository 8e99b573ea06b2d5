//! Randomness as an argument.

/// A source of cryptographically secure random bytes.
///
/// Production code passes [`SystemRng`]; tests pass a fixed sequence.
pub trait Rng: Send + Sync {
    /// Fills `out` with cryptographically secure bytes.
    ///
    /// # Panics
    /// When the source cannot deliver. A nonce or a key without randomness is
    /// worse than a stopped process, and no caller could carry on.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's generator (`getrandom(2)` on Linux).
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, out: &mut [u8]) {
        getrandom::fill(out)
            .expect("invariant: the operating system's random source works after boot");
    }
}

/// Returns `N` random bytes, for nonces, salts and ids.
///
/// A key is made by [`Key::generate`](crate::Key::generate) instead, which
/// never leaves locked memory.
///
/// ```
/// use subrosa_crypto::{SystemRng, random};
/// let salt: [u8; 16] = random(&SystemRng);
/// assert_ne!(salt, random(&SystemRng));
/// ```
pub fn random<const N: usize>(rng: &dyn Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill(&mut out);
    out
}
