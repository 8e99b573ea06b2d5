//! Unkeyed digests.

use sha2::{Digest, Sha256};

use crate::Aad;

/// SHA-256 over the encoding of a list of fields.
///
/// For fingerprints and hash chains. The input is not hidden by it: a lookup
/// hash of a name is [`Key::prf`](crate::Key::prf).
///
/// ```
/// use subrosa_crypto::{Aad, sha256};
/// let a = sha256(&Aad::new("fingerprint").text("ab").text("c"));
/// let b = sha256(&Aad::new("fingerprint").text("a").text("bc"));
/// assert_ne!(a, b);
/// ```
///
/// Source: FIPS 180-4.
pub fn sha256(parts: &Aad) -> [u8; 32] {
    Sha256::digest(parts.encoded()).into()
}

/// SHA-256 of everything that `reader` gives, in bounded memory.
///
/// For naming a file by its content.
///
/// # Errors
/// What reading gave.
///
/// Source: FIPS 180-4.
pub fn sha256_reader(reader: &mut dyn std::io::Read) -> std::io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut buffer = [0; 64 * 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
