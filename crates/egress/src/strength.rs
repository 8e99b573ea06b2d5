//! How hard a value is to guess, judged from above: what looks like words, dates or runs counts for
//! little, so that a value is rather taken for weak than for strong.

use std::collections::HashSet;

/// Below this an agent that can ask whether output was masked finds a value by trying.
pub(crate) const GUESSABLE: f64 = 40.0;

/// Letters of a word: English text has one to two bits a letter, names and passwords more.
const WORD_LETTER: f64 = 2.0;
/// What follows from the character before, as in `1234`, `aaaa`, `zyx`.
const FOLLOWS: f64 = 0.5;

/// An estimate in bits.
pub(crate) fn bits(value: &[u8]) -> f64 {
    let mut bits = 0.0;
    let mut rest = value;
    while let Some(&first) = rest.first() {
        let class = Class::of(first);
        let length = rest.iter().take_while(|b| Class::of(**b) == class).count();
        let (run, after) = rest.split_at(length);
        bits += class.bits(run);
        rest = after;
    }
    // However it is made: no more than its distinct characters tell apart.
    let distinct: HashSet<u8> = value.iter().copied().collect();
    let by_characters = f64::from(u32::try_from(distinct.len()).unwrap_or(256)).log2();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let most = by_characters * value.len() as f64;
    bits.min(most)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    Other,
}

impl Class {
    fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Self::Letters,
            b'0'..=b'9' => Self::Digits,
            _ => Self::Other,
        }
    }

    fn bits(self, run: &[u8]) -> f64 {
        let each = match self {
            Self::Letters if is_word(run) => WORD_LETTER,
            Self::Letters => 4.7,
            Self::Digits => 3.3,
            Self::Other => 4.0,
        };
        let follows = |pair: &[u8]| pair[0].abs_diff(pair[1]) <= 1;
        let first = if run.is_empty() { 0.0 } else { each };
        run.windows(2)
            .map(|pair| {
                if follows(pair) {
                    FOLLOWS.min(each)
                } else {
                    each
                }
            })
            .sum::<f64>()
            + first
    }
}

/// Whether letters could be words: of one case or with a capital in front, vowels among them as
/// people speak.
fn is_word(run: &[u8]) -> bool {
    if run.len() < 3 {
        return false;
    }
    let tail = &run[1..];
    let one_case = run.iter().all(u8::is_ascii_uppercase)
        || tail.iter().all(u8::is_ascii_lowercase)
        // As in CamelCase: each capital begins a word of its own.
        || run.windows(2).all(|pair| !(pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase()));
    let vowel = |byte: &&u8| b"aeiouyAEIOUY".contains(byte);
    let vowels = run.iter().filter(vowel).count();
    one_case && vowels * 5 >= run.len()
}

#[cfg(test)]
mod tests {
    use super::{GUESSABLE, bits};

    #[test]
    fn words_dates_and_runs_are_guessed() {
        for value in [
            "hunter2",
            "Summer2026!",
            "correcthorse",
            "password123456",
            "123456789012345678",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "2026-11-22",
            "admin",
            "changeme",
            "Passw0rd!",
            "qwerty",
            "4111111111111111",
            "abababababababababababab",
        ] {
            assert!(
                bits(value.as_bytes()) < GUESSABLE,
                "{value}: {}",
                bits(value.as_bytes())
            );
        }
    }

    #[test]
    fn what_was_drawn_at_random_is_not() {
        for value in [
            "sk-proj-4Tq9ZrW1xVb7",
            "f3a9c01d7be2468590ab",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "kJ8dLw0qPz3vXn5t",
            "correct horse battery staple orbit",
            "AKIA4T7QX2ZJH6WD9KVM",
        ] {
            assert!(
                bits(value.as_bytes()) >= GUESSABLE,
                "{value}: {}",
                bits(value.as_bytes())
            );
        }
        assert!(bits(b"\x00\xff\x13\x9a\x77\x42\x81\xd0\x5e\x6f\xa1\x0c") >= GUESSABLE);
    }
}
