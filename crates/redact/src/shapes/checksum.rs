//! Checks that providers document for their credentials.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

use super::catalogue::Checksum;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

impl Checksum {
    /// Whether `secret` passes.
    pub(super) fn holds(self, secret: &[u8]) -> bool {
        match self {
            Checksum::Crc32Base62 => crc32_base62(secret),
            Checksum::Crc32Hex => crc32_hex(secret),
            Checksum::Crc32Base64 => crc32_base64(secret),
            Checksum::Bech32 => bech32(secret),
            Checksum::Macaroon => macaroon(secret).is_some(),
            Checksum::Jwt => jwt_header(secret),
            Checksum::ServiceRole => jwt_header(secret) && service_role(secret),
            Checksum::Base64Json => base64_json(secret),
            Checksum::Base64Number => base64_number(secret),
        }
    }
}

/// Source: the announcement of the new format of GitHub's tokens: 30 random
/// characters, then six for their CRC-32 in base62, filled with zeros.
fn crc32_base62(secret: &[u8]) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(prefix) = memchr::memchr(b'_', secret) else {
        return false;
    };
    let Some((random, check)) = secret[prefix + 1..].split_last_chunk::<6>() else {
        return false;
    };
    let mut crc = crc32fast::hash(random);
    check.iter().rev().all(|digit| {
        let right = DIGITS[(crc % 62) as usize] == *digit;
        crc /= 62;
        right
    })
}

/// Source: Grafana's generator of service account tokens: the CRC-32 of
/// `glsa_` and the secret, as four bytes, the lowest first, in hex.
fn crc32_hex(secret: &[u8]) -> bool {
    let Some((text, check)) = secret.split_last_chunk::<8>() else {
        return false;
    };
    let Some(text) = text.strip_suffix(b"_") else {
        return false;
    };
    let bytes = crc32fast::hash(text).to_le_bytes();
    format!("{:08x}", u32::from_be_bytes(bytes)).as_bytes() == check
}

/// Source: Confluent's page on API keys: the six characters are the checksum
/// of the 54 between them and the prefix.
fn crc32_base64(secret: &[u8]) -> bool {
    let Some((text, check)) = secret.split_last_chunk::<6>() else {
        return false;
    };
    let Some((_, body)) = text.split_last_chunk::<54>() else {
        return false;
    };
    decode(check).is_some_and(|bytes| bytes == crc32fast::hash(body).to_le_bytes())
}

/// Source: BIP 173, with the constant 1; age and Nostr use it beyond 90 characters.
fn bech32(secret: &[u8]) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATORS: [u32; 5] = [
        0x3b6a_57b2,
        0x2650_8e6d,
        0x1ea1_19fa,
        0x3d42_33dd,
        0x2a14_62b3,
    ];
    let lower = secret.to_ascii_lowercase();
    let Some(split) = memchr::memrchr(b'1', &lower) else {
        return false;
    };
    let (prefix, data) = (&lower[..split], &lower[split + 1..]);
    let step = |state: u32, value: u32| {
        let top = state >> 25;
        let next = ((state & 0x01ff_ffff) << 5) ^ value;
        let mixed = |next: u32, (bit, generator): (usize, &u32)| {
            next ^ (generator & ((top >> bit) & 1).wrapping_neg())
        };
        GENERATORS.iter().enumerate().fold(next, mixed)
    };
    let high = prefix.iter().map(|byte| u32::from(byte >> 5));
    let low = prefix.iter().map(|byte| u32::from(byte & 31));
    let head = high.chain([0]).chain(low).fold(1, step);
    let mut values = data.iter().map(|byte| {
        let at = ALPHABET.iter().position(|letter| letter == byte);
        at.and_then(|at| u32::try_from(at).ok())
    });
    let sum = values.try_fold(head, |state, value| Some(step(state, value?)));
    sum == Some(1)
}

/// Walks the caveats of a macaroon: version 2, a location, an identifier, a
/// section end, caveats, and a signature of 32 bytes at the end.
///
/// Source: the format of libmacaroons, version 2; PyPI's help on API tokens.
fn macaroon(secret: &[u8]) -> Option<()> {
    let text = &secret[memchr::memchr(b'-', secret)? + 1..];
    let bytes = decode(text)?;
    let mut rest = bytes.strip_prefix(&[2])?;
    loop {
        let (kind, after) = rest.split_first()?;
        rest = after;
        match kind {
            0 => {}
            1 | 2 | 4 | 6 => {
                let (low, after) = rest.split_first()?;
                let (length, after) = match low {
                    0..=127 => (usize::from(*low), after),
                    _ => {
                        let (high, after) = after.split_first()?;
                        (usize::from(low & 127) | usize::from(*high) << 7, after)
                    }
                };
                rest = after.get(length..)?;
                if *kind == 6 {
                    return (length == 32 && rest.is_empty()).then_some(());
                }
            }
            _ => return None,
        }
    }
}

/// Source: RFC 7515 §4.1.1: the header must name its algorithm.
fn jwt_header(secret: &[u8]) -> bool {
    let header = secret.split(|byte| *byte == b'.').next();
    header
        .and_then(decode)
        .is_some_and(|json| is_object(&json) && memmem::find(&json, b"\"alg\"").is_some())
}

/// Source: Supabase's page on API keys: the role is a claim.
fn service_role(secret: &[u8]) -> bool {
    let claims = secret.split(|byte| *byte == b'.').nth(1);
    let claims = claims.and_then(decode);
    claims.is_some_and(|json| memmem::find(&json, b"\"service_role\"").is_some())
}

/// The first run of base64 that begins an object, to the next `_` or `.`, is JSON.
fn base64_json(secret: &[u8]) -> bool {
    let Some(from) = memmem::find(secret, b"ey") else {
        return false;
    };
    let text = &secret[from..];
    let end = text.iter().position(|byte| matches!(byte, b'_' | b'.'));
    decode(&text[..end.unwrap_or(text.len())]).is_some_and(|json| is_object(&json))
}

/// Source: Discord's reference: the first part of a bot's token is its id in base64.
fn base64_number(secret: &[u8]) -> bool {
    let first = secret.split(|byte| *byte == b'.').next();
    first
        .and_then(decode)
        .is_some_and(|id| id.len() >= 15 && id.iter().all(u8::is_ascii_digit))
}

fn is_object(json: &[u8]) -> bool {
    let json = json.trim_ascii();
    std::str::from_utf8(json).is_ok() && json.starts_with(b"{\"") && json.ends_with(b"}")
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let url = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url { &URL_SAFE } else { &STANDARD };
    GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_vectors_hold() {
        // GitHub's example of its format; the key of the age specification's
        // kind; BIP 173's own vectors of valid strings.
        for (check, text) in [
            (
                Checksum::Crc32Base62,
                "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",
            ),
            (Checksum::Bech32, "A12UEL5L"),
            (
                Checksum::Bech32,
                "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
            ),
            (Checksum::Jwt, "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
        ] {
            assert!(check.holds(text.as_bytes()), "{text}");
            let mut changed = text.as_bytes().to_vec();
            changed[10.min(text.len() - 2)] ^= 1;
            assert!(!check.holds(&changed), "{text} with a bit changed");
        }
    }

    #[test]
    fn short_and_strange_input_fails_quietly() {
        for check in [
            Checksum::Crc32Base62,
            Checksum::Crc32Hex,
            Checksum::Crc32Base64,
            Checksum::Bech32,
            Checksum::Macaroon,
            Checksum::Jwt,
            Checksum::ServiceRole,
            Checksum::Base64Json,
            Checksum::Base64Number,
        ] {
            for text in [
                &b""[..],
                b"_",
                b"1",
                b"-",
                b".",
                b"ey",
                b"-Ag",
                b"\xff\x00",
                b"-AgH_",
            ] {
                assert!(!check.holds(text), "{check:?}");
            }
        }
    }
}
