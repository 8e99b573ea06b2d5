//! The secret of a slot as text: at least 32 bytes, in hexadecimal digits or base64.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodeEstimate as _, DecodePaddingMode};
use subrosa_crypto::{Rng, SecretBuf};
use subrosa_vault::SlotKind;

use crate::EngineError;

/// Least length of a secret, in bytes. It is stretched by nothing, so it must not be guessable.
const SECRET_MIN: usize = 32;

/// Longest text of a secret, in bytes.
pub const SECRET_TEXT_MAX: usize = 4096;

/// Where a secret was found, for what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The kind of slot that it is for.
    pub kind: SlotKind,
    /// What holds it, as the beginning of a sentence.
    pub what: &'a str,
}

impl Source<'_> {
    pub(crate) fn wrong(self, reason: impl Into<String>) -> EngineError {
        EngineError::Secret {
            kind: self.kind,
            what: self.what.to_owned(),
            reason: reason.into(),
        }
    }
}

/// The bytes that a text stands for.
///
/// An even number of hexadecimal digits is read as those, anything else as base64 of either
/// alphabet, padded or not. One newline at the end is dropped.
///
/// # Errors
/// [`EngineError::Secret`], which says nothing of the content.
pub fn decode_secret(text: &SecretBuf, source: Source<'_>) -> Result<SecretBuf, EngineError> {
    let text = text.as_slice();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if text.is_empty() {
        return Err(source.wrong("is empty"));
    }
    if text.len() > SECRET_TEXT_MAX {
        return Err(source.wrong(format!("has more than {SECRET_TEXT_MAX} bytes")));
    }
    let secret = match hex(text)? {
        Some(secret) => secret,
        None => {
            base64(text)?.ok_or_else(|| source.wrong("is neither hexadecimal digits nor base64"))?
        }
    };
    if secret.len() < SECRET_MIN {
        return Err(source.wrong(format!(
            "stands for {} bytes, and a secret has at least {SECRET_MIN}",
            secret.len()
        )));
    }
    Ok(secret)
}

/// A new secret of 32 bytes, as 64 hexadecimal digits.
pub(crate) fn draw_secret(rng: &dyn Rng) -> Result<SecretBuf, EngineError> {
    let mut raw = SecretBuf::zeroed(SECRET_MIN)?;
    rng.fill(raw.as_mut_slice());
    let mut text = SecretBuf::zeroed(SECRET_MIN * 2)?;
    // The lengths fit, so there is nothing that could fail.
    let _ = hex::encode_to_slice(raw.as_slice(), text.as_mut_slice());
    Ok(text)
}

fn hex(text: &[u8]) -> Result<Option<SecretBuf>, EngineError> {
    if !text.len().is_multiple_of(2) || !text.iter().all(u8::is_ascii_hexdigit) {
        return Ok(None);
    }
    let mut bytes = SecretBuf::zeroed(text.len() / 2)?;
    let decoded = hex::decode_to_slice(text, bytes.as_mut_slice());
    Ok(decoded.ok().map(|()| bytes))
}

fn base64(text: &[u8]) -> Result<Option<SecretBuf>, EngineError> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    for alphabet in [&STANDARD, &URL_SAFE] {
        let engine = GeneralPurpose::new(alphabet, config);
        let room = engine
            .internal_decoded_len_estimate(text.len())
            .decoded_len_estimate();
        let mut bytes = SecretBuf::zeroed(room)?;
        if let Ok(length) = engine.decode_slice(text, bytes.as_mut_slice()) {
            bytes.truncate(length);
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHERE: Source<'_> = Source {
        kind: SlotKind::Environment,
        what: "the variable SUBROSA_KEY",
    };

    fn decoded(text: &[u8]) -> Result<Vec<u8>, String> {
        decode_secret(&SecretBuf::copy_from(text).unwrap(), WHERE)
            .map(|secret| secret.as_slice().to_vec())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_way_to_write_it_is_read() {
        let bytes: Vec<u8> = (200..=255).collect();
        let hex = hex::encode(&bytes);
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            format!("{hex}\n"),
            format!("{hex}\r\n"),
            base64::prelude::BASE64_STANDARD.encode(&bytes),
            base64::prelude::BASE64_STANDARD_NO_PAD.encode(&bytes),
            base64::prelude::BASE64_URL_SAFE.encode(&bytes),
            base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(&bytes) + "\n",
        ] {
            assert_eq!(decoded(text.as_bytes()).unwrap(), bytes, "{text}");
        }
        // All of it counts: nothing is cut at a length or a NUL.
        let long = vec![b'a'; SECRET_TEXT_MAX];
        assert_eq!(decoded(&long).unwrap().len(), SECRET_TEXT_MAX / 2);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        let canary = b"c4n4ry-7f3k9q2m-it-is-no-base64!";
        let twice = [b"ab".repeat(32), b"\n".to_vec(), b"ab".repeat(32)].concat();
        let nul = [b"ab".repeat(32), vec![0]].concat();
        for (text, why) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (&b"ab".repeat(31), "31 bytes, and a secret has at least 32"),
            (b"aGVsbG8=", "5 bytes, and"),
            (&b"a".repeat(SECRET_TEXT_MAX + 1), "more than 4096 bytes"),
            (canary, "neither hexadecimal digits nor base64"),
            (&twice, "neither"),
            (&nul, "neither"),
            (b"\xff\xfe".repeat(40).as_slice(), "neither"),
        ] {
            let error = decoded(text).unwrap_err();
            assert!(error.contains(why), "{why}: {error}");
            assert!(
                !error.contains("c4n4ry") && !error.contains("abab"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_new_one_can_be_read() {
        let text = draw_secret(&subrosa_crypto::SystemRng).unwrap();
        assert_eq!(text.len(), 64);
        assert_eq!(decoded(text.as_slice()).unwrap().len(), 32);
        let other = draw_secret(&subrosa_crypto::SystemRng).unwrap();
        assert!(!subrosa_crypto::ct_eq(text.as_slice(), other.as_slice()));
    }
}
