//! The recovery code: 160 random bits that a person can copy from paper.
//!
//! 32 characters of the alphabet `0-9A-Z` without `I L O U`, in groups of four, then four more
//! that check them (the first 20 bits of a SHA-256 digest), so that a slip of the pen is told
//! from a wrong code.
//!
//! Source: spec/vault.md, "Recovery code".

use subrosa_crypto::{Aad, MemoryError, Rng, SecretBuf, sha256};

use crate::VaultError;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BYTES: usize = 20;
const CHECK: usize = 4;

/// A new code: the text to show once.
pub(crate) fn generate(rng: &dyn Rng) -> Result<SecretBuf, MemoryError> {
    let mut raw = SecretBuf::copy_from(&[0; BYTES])?;
    rng.fill(raw.as_mut_slice());
    let mut text = SecretBuf::with_capacity(64)?;
    let symbols = digits(raw.as_slice()).chain(check(raw.as_slice()));
    for (index, symbol) in symbols.enumerate() {
        if index > 0 && index % 4 == 0 {
            text.extend(b"-")?;
        }
        text.extend(&[ALPHABET[usize::from(symbol)]])?;
    }
    Ok(text)
}

/// The bytes behind a code as somebody typed it.
pub(crate) fn parse(text: &SecretBuf) -> Result<SecretBuf, VaultError> {
    let wrong = || VaultError::WrongKey {
        what: "recovery code",
    };
    let mut symbols = SecretBuf::with_capacity(64)?;
    for byte in text
        .as_slice()
        .iter()
        .filter(|b| !matches!(b, b'-' | b' ' | b'\n' | b'\r' | b'\t'))
    {
        symbols.extend(&[symbol(*byte).ok_or_else(wrong)?])?;
    }
    let (code, given) = symbols
        .as_slice()
        .split_at_checked(BYTES * 8 / 5)
        .ok_or_else(wrong)?;
    let mut raw = SecretBuf::with_capacity(BYTES)?;
    for group in code.chunks_exact(8) {
        let bits = group
            .iter()
            .fold(0u64, |bits, symbol| bits << 5 | u64::from(*symbol));
        raw.extend(&bits.to_be_bytes()[3..])?;
    }
    if given.iter().copied().eq(check(raw.as_slice())) {
        Ok(raw)
    } else {
        Err(wrong())
    }
}

/// Letters that are easily taken for digits are read as those.
fn symbol(byte: u8) -> Option<u8> {
    let byte = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|letter| *letter == byte)
        .and_then(|index| u8::try_from(index).ok())
}

fn digits(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.chunks_exact(5).flat_map(|chunk| {
        let bits = chunk
            .iter()
            .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).map(move |index| (bits >> (35 - 5 * index) & 31) as u8)
    })
}

fn check(raw: &[u8]) -> impl Iterator<Item = u8> {
    let digest = sha256(&Aad::new("subrosa/recovery-check/v1").bytes(raw));
    let bits = u32::from_be_bytes([0, digest[0], digest[1], digest[2]]) >> 4;
    (0..CHECK).map(move |index| (bits >> (15 - 5 * index) & 31) as u8)
}
