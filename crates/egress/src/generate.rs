//! New random values.

use subrosa_crypto::{MemoryError, Rng, SecretBuf};

use crate::Sensitive;

/// What a generated value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipe {
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits and punctuation that needs no quoting in URLs or shells.
    Symbols,
    /// Lower-case hexadecimal digits.
    Hex,
    /// Any bytes.
    Bytes,
}

impl Recipe {
    fn alphabet(self) -> &'static [u8] {
        match self {
            Self::Alphanumeric => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::Symbols => {
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+,@:"
            }
            Self::Hex => b"0123456789abcdef",
            Self::Bytes => b"",
        }
    }
}

impl Sensitive {
    /// A random value of `length` characters (bytes for [`Recipe::Bytes`]), each drawn uniformly.
    ///
    /// # Errors
    /// [`MemoryError`] when it does not fit into locked memory.
    pub fn generate(rng: &dyn Rng, recipe: Recipe, length: usize) -> Result<Self, MemoryError> {
        let mut value = SecretBuf::with_capacity(length)?;
        let alphabet = recipe.alphabet();
        // A byte at or above the largest multiple of the alphabet is drawn again: no bias.
        let bound = 256 - 256usize.checked_rem(alphabet.len()).unwrap_or(0);
        let mut pool = SecretBuf::copy_from(&[0; 64])?;
        while value.len() < length {
            rng.fill(pool.as_mut_slice());
            let wanted = length - value.len();
            let drawn = pool
                .as_slice()
                .iter()
                .filter(|byte| usize::from(**byte) < bound)
                .take(wanted);
            for byte in drawn {
                let symbol = alphabet
                    .get(usize::from(*byte) % alphabet.len().max(1))
                    .unwrap_or(byte);
                value.extend(std::slice::from_ref(symbol))?;
            }
        }
        Ok(Self::input(value))
    }
}
