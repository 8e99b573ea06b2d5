//! Made-up secrets, and the forms of each that the baselines search for.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::chance::Chance;

/// Forms of each secret that the baselines get.
pub const FORMS: usize = 20;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";

/// Secrets of eight kinds in turn: vendors' tokens, keys, passwords.
///
/// A shorter list is the beginning of a longer one.
#[must_use]
pub fn secrets(count: usize) -> Vec<String> {
    let mut chance = Chance::of("secrets");
    (0..count)
        .map(|number| {
            loop {
                let secret = secret(&mut chance, number);
                // The folded view looks for what has letters and digits, as nearly all have.
                if secret.contains(|c: char| c.is_ascii_digit()) {
                    return secret;
                }
            }
        })
        .collect()
}

fn secret(chance: &mut Chance, number: usize) -> String {
    let alnum = format!("{LOWER}{}{DIGITS}", LOWER.to_uppercase());
    match number % 8 {
        0 => format!("ghp_{}", chance.letters(&alnum, 36)),
        1 => chance.letters(&format!("{alnum}+/"), 40),
        2 => chance.letters(&alnum, 32),
        3 => chance.letters(&format!("{alnum}!#$%&*+-=?@^_\"'<>"), 20),
        4 => format!("sk_live_{}", chance.letters(&alnum, 24)),
        5 => chance.letters(HEX, 64),
        6 => format!("glpat-{}", chance.letters(&alnum, 20)),
        _ => format!(
            "xoxb-{}-{}",
            chance.letters(DIGITS, 12),
            chance.letters(&alnum, 24)
        ),
    }
}

/// Secrets that repeat themselves: ten periods of eight distinct characters, each at ten lengths.
#[must_use]
pub fn periodic(count: usize) -> Vec<String> {
    let periods = periods();
    let made = |number: usize| {
        let period = &periods[number % periods.len()];
        period.repeat(3 + number / periods.len())
    };
    (0..count).map(made).collect()
}

/// The periods of [`periodic`], letters and digits in turn: the folded view searches for them too.
#[must_use]
pub fn periods() -> Vec<String> {
    let pair = |number: usize, i: usize| {
        let letter = &LOWER[2 * number + i..][..1];
        format!("{letter}{}", &DIGITS[number % 6 + i..][..1])
    };
    (0..10)
        .map(|number| (0..4).map(|i| pair(number, i)).collect())
        .collect()
}

/// Byte strings to search for, and which secret each is of.
#[derive(Debug, Clone, Default)]
pub struct Needles {
    /// What is searched for.
    pub needles: Vec<Vec<u8>>,
    /// For each needle the number of its secret.
    pub owners: Vec<usize>,
}

impl Needles {
    /// Up to [`FORMS`] different forms of each secret.
    #[must_use]
    pub fn of(secrets: &[String]) -> Self {
        let mut all = Self::default();
        for (owner, secret) in secrets.iter().enumerate() {
            for form in forms(secret) {
                all.needles.push(form);
                all.owners.push(owner);
            }
        }
        all
    }
}

fn forms(secret: &str) -> Vec<Vec<u8>> {
    let text = secret.as_bytes();
    let mut all: Vec<Vec<u8>> = vec![text.to_vec()];
    all.extend((0..3).map(|before| base64(text, before, false)));
    all.extend((0..3).map(|before| base64(text, before, true)));
    all.push(each(text, |byte| format!("{byte:02x}")));
    all.push(each(text, |byte| format!("{byte:02X}")));
    all.push(each(text, |byte| percent(byte, true)));
    all.push(each(text, |byte| percent(byte, false)));
    all.push(json(secret));
    all.push(text.iter().rev().copied().collect());
    all.push(secret.to_uppercase().into_bytes());
    all.push(secret.to_lowercase().into_bytes());
    all.push(text.iter().map(|byte| rot13(*byte)).collect());
    all.push(secret.encode_utf16().flat_map(u16::to_le_bytes).collect());
    all.push(secret.encode_utf16().flat_map(u16::to_be_bytes).collect());
    all.push(each(text, |byte| format!("\\x{byte:02x}")));
    all.push(base64(&base64(text, 0, false), 0, false));
    all.push(each(&base64(text, 0, false), |byte| format!("{byte:02x}")));
    all.push(each(text, |byte| format!("{byte:02x}:")));
    all.push(each(text, |byte| format!("\\u{byte:04x}")));
    all.push(each(text, |byte| format!("&#{byte};")));
    all.push(each(text, |byte| format!("%{byte:02X}")));
    all.push(each(text, |byte| format!("\\{byte:03o}")));
    all.push(
        secret
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect(),
    );
    all.push(each(text, |byte| format!("{byte:02x} ")));
    let mut distinct: Vec<Vec<u8>> = Vec::new();
    for mut form in all {
        // What stands between two bytes does not stand behind the last.
        if form.ends_with(b":") || form.ends_with(b" ") {
            form.pop();
        }
        if !distinct.contains(&form) {
            distinct.push(form);
        }
    }
    distinct.truncate(FORMS);
    distinct
}

fn each(text: &[u8], of: impl Fn(u8) -> String) -> Vec<u8> {
    text.iter()
        .flat_map(|byte| of(*byte).into_bytes())
        .collect()
}

/// The characters that the text alone determines, when `before` bytes stand before it.
fn base64(text: &[u8], before: usize, is_url: bool) -> Vec<u8> {
    let mut padded = vec![0; before];
    padded.extend(text);
    let encoded = match is_url {
        true => URL_SAFE_NO_PAD.encode(&padded),
        false => STANDARD_NO_PAD.encode(&padded),
    };
    let first = (before * 8).div_ceil(6);
    let end = padded.len() * 8 / 6;
    encoded.as_bytes()[first..end].to_vec()
}

fn percent(byte: u8, is_upper: bool) -> String {
    match byte {
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte if is_upper => format!("%{byte:02X}"),
        byte => format!("%{byte:02x}"),
    }
}

fn json(text: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}

fn rot13(byte: u8) -> u8 {
    let turned = |base: u8| base + (byte - base + 13) % 26;
    match byte {
        b'a'..=b'z' => turned(b'a'),
        b'A'..=b'Z' => turned(b'A'),
        other => other,
    }
}

/// The value with something inside it: only the folded view finds these.
#[must_use]
pub fn torn(secret: &str, way: usize) -> Vec<u8> {
    let mut out = String::new();
    for (number, character) in secret.chars().enumerate() {
        match (way % 3, number) {
            (_, 0) => {}
            (0, _) if number % 4 == 0 => out.push(' '),
            (1, _) if number % 7 == 0 => out.push_str("\u{1b}[1m"),
            (2, _) => out.push('\u{200b}'),
            _ => {}
        }
        // Writing to a string cannot fail.
        let _ = out.write_char(character);
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_has_its_forms_and_all_differ() {
        let secrets = secrets(100);
        let all = Needles::of(&secrets);
        assert_eq!(all.needles.len(), 100 * FORMS);
        let mut sorted = all.needles.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), all.needles.len());
        assert_eq!(secrets[..10], super::secrets(10)[..]);
    }

    #[test]
    fn base64_needles_stand_in_what_an_encoder_writes() {
        for before in 0..3 {
            let mut text = vec![b'u'; before];
            text.extend(b"s3cr3t-t0ken+/");
            text.extend(b"\n");
            let encoded = STANDARD_NO_PAD.encode(&text).into_bytes();
            let needle = base64(b"s3cr3t-t0ken+/", before, false);
            assert!(encoded.windows(needle.len()).any(|part| part == needle));
        }
    }

    #[test]
    fn periodic_secrets_are_distinctive_enough_to_be_searched_for() {
        for secret in periodic(100) {
            assert_eq!(subrosa_redact::why_not_searched(secret.as_bytes()), None);
        }
        assert_eq!(periods().concat().len(), 80);
    }
}
