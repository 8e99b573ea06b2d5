//! Digests of the value, as programs print them. Sources: FIPS 180-4, RFC 1321.

use md5::Md5;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::bases;
use super::escapes::Bytes;

/// Hexadecimal and base64 of SHA-256 and MD5: of the value, and of the value and a line break, as
/// `echo` gives it to them.
pub(super) fn hashes(value: &[u8]) -> Vec<Bytes> {
    let mut all = Vec::new();
    for end in [&b""[..], b"\n"] {
        let sha256 = Sha256::new().chain_update(value).chain_update(end);
        let md5 = Md5::new().chain_update(value).chain_update(end);
        let digests: [Bytes; 2] = [
            Zeroizing::new(sha256.finalize().to_vec()),
            Zeroizing::new(md5.finalize().to_vec()),
        ];
        for digest in digests {
            all.extend(bases::hex(&digest));
            // What stands before it in encoded data is not known: as it is encoded alone. The last
            // character has bits of the digest alone.
            all.extend(bases::base64_alone(&digest));
        }
    }
    all
}
