//! How hard a value is to guess, judged from above: what looks like words, dates, runs or walks over
//! a keyboard counts for little, so that a value is rather taken for weak than for strong.

use std::collections::HashSet;

/// Below this an agent that can ask whether output was masked finds a value by trying.
const GUESSABLE: f64 = 40.0;

/// Letters of a word: English text has one to two bits a letter, names and passwords more.
const WORD_LETTER: f64 = 2.0;
/// Any other letter, of one case.
const RANDOM_LETTER: f64 = 4.7;
/// What follows from what stands before, as in `1234`, `aaaa`, `zyx`, `qwerty`, `abcabc`.
const FOLLOWS: f64 = 0.5;

/// Bytes that are judged at once: what follows from what stands before is looked for in all of it.
const JUDGED: usize = 1024;

/// Whether a value is found by trying. A long one is if each piece of it is.
pub(crate) fn is_guessable(value: &[u8]) -> bool {
    let mut pieces = password(value).chunks(JUDGED);
    pieces.all(|piece| bits(piece) < GUESSABLE)
}

/// Whether a value, or one of the texts or lines that it is made of, is found by nobody who tries:
/// what holds such a part is as hard to find as that.
pub(crate) fn has_strong_part(value: &[u8]) -> bool {
    let parts = || value.split(|byte| b"\"'\r\n".contains(byte));
    !is_guessable(value) || parts().any(|part| !is_guessable(part))
}

/// Of a URL with a password in it, that; everything else of it is known or easily thought of.
fn password(value: &[u8]) -> &[u8] {
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|part| part == what);
    let Some(scheme) = find(value, b"://") else {
        return value;
    };
    let rest = &value[scheme + 3..];
    let Some(at) = rest.iter().rposition(|byte| *byte == b'@') else {
        return value;
    };
    match rest[..at].iter().position(|byte| *byte == b':') {
        Some(colon) => &rest[colon + 1..at],
        None => &rest[..at],
    }
}

/// An estimate in bits.
fn bits(value: &[u8]) -> f64 {
    let folded: Vec<u8> = value.iter().map(|byte| fold(*byte)).collect();
    let mut bits = 0.0;
    let mut start = 0;
    while start < value.len() {
        let class = Class::of(value[start], folded[start]);
        let same = |at: &usize| Class::of(value[*at], folded[*at]) == class;
        let length = (start..value.len()).take_while(same).count();
        let run = start..start + length;
        let each = class.each(&value[run.clone()], &folded[run.clone()]);
        for at in run {
            bits += if at > 0 && follows(&folded, at) && !by_chance(&folded, at, each) {
                FOLLOWS.min(each)
            } else {
                each
            };
        }
        start += length;
    }
    // However it is made: no more than its distinct characters tell apart.
    let distinct: HashSet<u8> = value.iter().copied().collect();
    let by_characters = f64::from(u32::try_from(distinct.len()).unwrap_or(256)).log2();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let most = by_characters * value.len() as f64;
    bits.min(most)
}

/// The letter that a character stands for where letters are made to look like something else.
fn fold(byte: u8) -> u8 {
    match byte {
        b'@' | b'4' => b'a',
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'$' | b'5' => b's',
        b'7' => b't',
        byte => byte.to_ascii_lowercase(),
    }
}

/// Whether a character is what one expects after those before it.
fn follows(folded: &[u8], at: usize) -> bool {
    is_step(folded, at) || is_repeated(folded, at)
}

/// One step in the alphabet or over the keyboard.
fn is_step(folded: &[u8], at: usize) -> bool {
    let (before, this) = (folded[at - 1], folded[at]);
    let walks = |row: &&[u8]| {
        row.windows(2)
            .any(|two| two == [before, this] || two == [this, before])
    };
    before.abs_diff(this) <= 1 || KEYBOARD.iter().any(walks)
}

/// Whether three characters stood there before.
fn is_repeated(folded: &[u8], at: usize) -> bool {
    at >= 3
        && folded[..at]
            .windows(3)
            .any(|three| three == &folded[at - 2..=at])
}

/// Whether two letters that are in no word stand beside each other as chance has it: one in ten pairs
/// of letters is a step, and two in a row are taken for a walk.
fn by_chance(folded: &[u8], at: usize, each: f64) -> bool {
    let walked_before = at >= 2 && is_step(folded, at - 1);
    let walks_on = at + 1 < folded.len() && is_step(folded, at + 1);
    each == RANDOM_LETTER && !walked_before && !walks_on && !is_repeated(folded, at)
}

/// Rows and columns of a keyboard, folded as values are.
const KEYBOARD: [&[u8]; 14] = [
    b"i2eas6t89o",
    b"qwertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
    b"iqaz",
    b"2wsx",
    b"eedc",
    b"arfv",
    b"stgb",
    b"6yhn",
    b"tujm",
    b"8ik",
    b"9ol",
    b"op",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letters,
    Digits,
    Other,
}

impl Class {
    /// By the character as it is: what only looks like a letter is one beside letters, in words.
    fn of(byte: u8, folded: u8) -> Self {
        match (byte, folded) {
            (b'a'..=b'z' | b'A'..=b'Z' | b'@' | b'$', _) => Self::Letters,
            (b'0'..=b'9', _) => Self::Digits,
            _ => Self::Other,
        }
    }

    fn each(self, run: &[u8], folded: &[u8]) -> f64 {
        match self {
            Self::Letters if is_word(run, folded) => WORD_LETTER,
            Self::Letters => RANDOM_LETTER,
            Self::Digits => 3.3,
            // What stands between words and numbers says little.
            Self::Other if run.iter().all(|byte| b" -_./:+,".contains(byte)) => 1.0,
            Self::Other => 4.0,
        }
    }
}

/// Whether letters could be words: of one case or with capitals in front, vowels among them as
/// people speak.
fn is_word(run: &[u8], folded: &[u8]) -> bool {
    if run.len() < 3 {
        return false;
    }
    let capitals = |pair: &[u8]| pair[0].is_ascii_uppercase() && pair[1].is_ascii_uppercase();
    let one_case = run.iter().all(u8::is_ascii_uppercase) || !run.windows(2).any(capitals);
    let vowels = folded
        .iter()
        .filter(|byte| b"aeiouy".contains(byte))
        .count();
    one_case && vowels * 5 >= run.len()
}

#[cfg(test)]
mod tests {
    use super::{GUESSABLE, bits, has_strong_part, is_guessable, password};

    #[test]
    fn one_strong_part_makes_the_whole_strong_and_weak_ones_do_not() {
        let strong = r#"{"url":"postgres://app:app@db.local/x","token":"kJ8dLw0qPz3vXn5t"}"#;
        assert!(is_guessable(strong.as_bytes()) && has_strong_part(strong.as_bytes()));
        for weak in [
            "hunter2",
            "postgres://app:app@db.local/x",
            r#"{"url":"postgres://app:app@db.local/x"}"#,
        ] {
            assert!(!has_strong_part(weak.as_bytes()), "{weak}");
        }
    }

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
            "postgres://postgres:postgres@localhost:5432/postgres",
            "redis://:password@localhost:6379/0",
            "https://admin:admin@example.com",
            "P@ssw0rd!P@ssw0rd!",
            "1qaz2wsx3edc4rfv",
            "Password1!Password2!",
            "Qwerty123!@#Qwerty",
            "+49 170 1234567 +49",
            "q1w2e3r4t5y6",
            "1q2w3e4r5t6y7u8i",
            "aabbccddeeffgg",
            "zaq12wsxcde34rfv",
            "mysqlpwd123",
            "prdpsswrd123",
            "postgres://app:dbpwd2024!@db.local/x",
        ] {
            assert!(
                is_guessable(value.as_bytes()),
                "{value}: {}",
                bits(value.as_bytes())
            );
        }
    }

    /// In no time, whatever its length: what is judged may be as long as values are.
    #[test]
    fn a_long_value_is_judged_by_its_pieces() {
        let mut value = vec![b'a'; 1 << 20];
        assert!(is_guessable(&value));
        let text = b"f3a9c01d7be2468590ab";
        value[700_000..][..text.len()].copy_from_slice(text);
        assert!(!is_guessable(&value));
    }

    #[test]
    fn what_was_drawn_at_random_is_not() {
        for value in [
            "sk-proj-4Tq9ZrW1xVb7",
            "f3a9c01d7be2468590ab",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "kJ8dLw0qPz3vXn5t",
            "correct horse battery staple orbit",
            "postgres://app:kJ8dLw0qPz3vXn5t@db.internal:5432/app",
            "AKIA4T7QX2ZJH6WD9KVM",
            // With neighbours that chance has put there.
            "postgres://app:Hn5bVq8wXz3rT2@db.local/x",
            "postgres://app:Jn6cWr9xYa4sU3@db.local/x",
        ] {
            assert!(
                !is_guessable(value.as_bytes()),
                "{value}: {}",
                bits(password(value.as_bytes()))
            );
        }
        assert!(bits(b"\x00\xff\x13\x9a\x77\x42\x81\xd0\x5e\x6f\xa1\x0c") >= GUESSABLE);
    }
}
