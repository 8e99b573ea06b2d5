//! Values that look like real ones and open nothing.

use subrosa_crypto::{SystemRng, random};

/// A made-up value: a prefix that services use, and random letters and digits.
pub(super) fn value(prefix: &str, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let mut text = prefix.to_owned();
    while text.len() < prefix.len() + length {
        let drawn: [u8; 16] = random(&SystemRng);
        let wanted = prefix.len() + length - text.len();
        text.extend(
            drawn
                .iter()
                .take(wanted)
                .map(|byte| char::from(ALPHABET[usize::from(byte % 32)])),
        );
    }
    text
}

/// Whether `text` shows `value` or a run of twelve bytes of it.
pub(super) fn shows(text: &[u8], value: &str) -> bool {
    const RUN: usize = 12;
    let value = value.as_bytes();
    let run = RUN.min(value.len());
    value.windows(run).any(|part| contains(text, part))
}

/// Whether `text` holds `part`.
pub(super) fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_differ_and_have_their_length() {
        let (one, other) = (value("sk_live_", 40), value("sk_live_", 40));
        assert_eq!(one.len(), 48);
        assert_ne!(one, other);
    }

    #[test]
    fn a_run_of_a_value_is_found() {
        let value = "sk_live_0123456789abcdef";
        assert!(shows(b"x sk_live_0123456789abcdef y", value));
        assert!(shows(b"...0123456789ab...", value));
        assert!(!shows(b"sk_live_012", value));
        assert!(!shows(b"[REDACTED:shop/STRIPE_KEY]", value));
    }
}
