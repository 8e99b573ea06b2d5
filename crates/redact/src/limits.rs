//! Which values and lines are distinctive enough to be searched for.

use std::cmp::Ordering;

use crate::known::Added;

/// The fewest bytes of a needle.
pub(crate) const MIN_BYTES: usize = 8;
/// The fewest distinct bytes of a needle.
pub(crate) const MIN_DISTINCT: usize = 6;
/// The fewest characters of a needle of the folded view, and the fewest distinct ones.
const MIN_FOLDED: usize = 12;
const MIN_FOLDED_DISTINCT: usize = 8;
/// The fewest bytes of a value that is searched because it was forced.
pub const MIN_FORCED_BYTES: usize = 4;
/// The fewest bytes of a line that is searched for its own sake.
const MIN_LINE_BYTES: usize = 16;

/// One lower-case word a line, sorted; lines that begin with `#` are comments.
const COMMON_WORDS: &str = include_str!("words.txt");

/// Why a value is not searched for, or `None` if it is.
pub(crate) fn why_not(value: &[u8]) -> Option<Added> {
    if value.len() < MIN_BYTES {
        Some(Added::TooShort)
    } else if distinct(value) < MIN_DISTINCT {
        Some(Added::TooUniform)
    } else if is_common_word(value) {
        Some(Added::CommonWord)
    } else {
        None
    }
}

/// Whether a needle has enough bytes, and enough distinct ones.
pub(crate) fn is_distinctive(needle: &[u8]) -> bool {
    needle.len() >= MIN_BYTES && distinct(needle) >= MIN_DISTINCT
}

/// Whether a needle of the folded view has enough characters, enough distinct ones, and both letters
/// and digits.
pub(crate) fn is_distinctive_folded(needle: &[u8]) -> bool {
    needle.len() >= MIN_FOLDED
        && distinct(needle) >= MIN_FOLDED_DISTINCT
        && needle.iter().any(u8::is_ascii_digit)
        && needle.iter().any(u8::is_ascii_alphabetic)
}

pub(crate) fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[*byte as usize] = true);
    seen.iter().filter(|seen| **seen).count()
}

/// Looks the value up in the sorted list by halving the text of the list.
fn is_common_word(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let list = COMMON_WORDS.as_bytes();
    let end_of_line = |at: usize| {
        let line = list[at..].iter().position(|byte| *byte == b'\n');
        line.map_or(list.len(), |len| at + len)
    };
    let (mut from, mut to) = (0, list.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let before = list[from..middle].iter().rposition(|byte| *byte == b'\n');
        let start = before.map_or(from, |at| from + at + 1);
        let end = end_of_line(start);
        let line = list[start..end].iter().copied();
        match line.cmp(value.iter().map(u8::to_ascii_lowercase)) {
            // Comments come first, and before every word by their first byte.
            Ordering::Equal => return !value.starts_with(b"#"),
            Ordering::Less => from = end + 1,
            Ordering::Greater => to = start,
        }
    }
    false
}

/// The value without the one line break at its end.
pub(crate) fn without_final_break(value: &[u8]) -> &[u8] {
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value)
}

/// The lines of a multi-line value that are needles of their own.
pub(crate) fn lines(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let core = without_final_break(value);
    let multi_line = core.contains(&b'\n');
    core.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(move |line| multi_line && is_telling_line(line))
}

/// Whether a line of a value, or a field of a document, is a needle of its own.
pub(crate) fn is_telling_line(line: &[u8]) -> bool {
    line.len() >= MIN_LINE_BYTES
        && line.iter().any(u8::is_ascii_digit)
        && !line.iter().any(u8::is_ascii_whitespace)
        && !is_pem_boundary(line)
        && why_not(line).is_none()
}

/// `-----BEGIN …-----` and `-----END …-----`, and what looks like them.
fn is_pem_boundary(line: &[u8]) -> bool {
    line.starts_with(b"-----") && line.ends_with(b"-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common_words() -> impl Iterator<Item = &'static str> {
        COMMON_WORDS.lines().filter(|line| !line.starts_with('#'))
    }

    #[test]
    fn every_common_word_has_an_effect() {
        let words: Vec<&str> = common_words().collect();
        assert!(words.len() >= 300, "{}", words.len());
        assert!(words.is_sorted(), "keep the list sorted");
        for pair in words.windows(2) {
            assert_ne!(pair[0], pair[1]);
        }
        for word in words {
            assert!(is_distinctive(word.as_bytes()), "{word}: never searched");
            assert_eq!(word, word.to_ascii_lowercase().trim());
            assert_eq!(why_not(word.as_bytes()), Some(Added::CommonWord));
        }
    }

    #[test]
    fn limits_are_inclusive() {
        assert_eq!(why_not(b"zbcdefg"), Some(Added::TooShort));
        assert_eq!(why_not(b"zbcdefgh"), None);
        assert_eq!(why_not(b"abcdeabcde"), Some(Added::TooUniform));
        assert_eq!(why_not(b"abcdefabcd"), None);
        assert_eq!(why_not(b"Password1\n"), Some(Added::CommonWord));
        assert_eq!(why_not(b"Password1-7fQ"), None);
        for absent in [
            "#abcdefgh",
            "!abcdefgh",
            "~~~zzzabcdefg",
            "passwore",
            "productio",
        ] {
            assert_eq!(why_not(absent.as_bytes()), None, "{absent}");
        }
        for comment in COMMON_WORDS
            .lines()
            .take_while(|line| line.starts_with('#'))
        {
            assert_eq!(why_not(comment.as_bytes()), None, "{comment}");
        }
    }

    #[test]
    fn only_telling_lines_count() {
        let lines = |value: &'static str| -> Vec<&str> {
            lines(value.as_bytes())
                .map(|line| std::str::from_utf8(line).expect("ASCII"))
                .collect()
        };
        assert_eq!(
            lines(concat!(
                "-----BEGIN-KEY-0123456-----\r\n",
                "MIIEvQIBADANBgkq1\r\n",
                "short1\n",
                "no-digit-in-this-line\n",
                "a line 1 with spaces in\n",
                "1111111111111111111\n",
                "exactly16bytes!!\n",
            )),
            ["MIIEvQIBADANBgkq1", "exactly16bytes!!"]
        );
        assert!(lines("MIIEvQIBADANBgkq1").is_empty());
        assert!(lines("MIIEvQIBADANBgkq1\n").is_empty());
    }
}
