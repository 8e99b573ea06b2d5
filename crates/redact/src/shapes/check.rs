//! What a match must still be: random enough, and no placeholder.

/// Words that stand in examples and templates, lower case.
const PLACEHOLDERS: [&[u8]; 14] = [
    b"example",
    b"placeholder",
    b"changeme",
    b"change_me",
    b"change-me",
    b"redacted",
    b"xxxxx",
    b"*****",
    b".....",
    b"your_",
    b"your-",
    b"yourkey",
    b"insert_",
    b"replace_",
];

/// What begins a reference to a value that stands elsewhere.
const REFERENCES: [&[u8]; 9] = [
    b"${",
    b"$(",
    b"$[",
    b"{{",
    b"<%",
    b"<",
    b"%(",
    b"#{",
    b"[redacted",
];

/// The longest run of one character, or of characters that follow each other
/// (`abcdefgh`, `12345678`), that a random value may have.
const LONGEST_RUN: usize = 7;

/// Whether `secret` stands for a value instead of being one.
pub(super) fn is_placeholder(secret: &[u8]) -> bool {
    let lower = secret.to_ascii_lowercase();
    let has = |word: &&[u8]| memchr::memmem::find(&lower, word).is_some();
    PLACEHOLDERS.iter().any(has)
        || REFERENCES.iter().any(|begin| lower.starts_with(begin))
        || has_run(&lower)
        || repeats(&lower)
}

fn has_run(text: &[u8]) -> bool {
    let steps: Vec<i16> = text
        .windows(2)
        .map(|pair| i16::from(pair[1]) - i16::from(pair[0]))
        .collect();
    steps
        .chunk_by(|a, b| a == b)
        .any(|run| matches!(run[0], -1..=1) && run.len() >= LONGEST_RUN)
}

/// Whether the last 24 or more characters repeat a piece of at most eight.
fn repeats(text: &[u8]) -> bool {
    const SEEN: usize = 24;
    let Some(tail) = text.len().checked_sub(SEEN).map(|from| &text[from..]) else {
        return false;
    };
    (1..=8).any(|period| (period..SEEN).all(|at| tail[at] == tail[at - period]))
}

/// Shannon entropy of `text` in bits a byte.
pub(super) fn entropy(text: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in text {
        counts[usize::from(*byte)] += 1;
    }
    let total = text.len() as f64;
    let bits = |count: &u32| {
        let share = f64::from(*count) / total;
        -share * share.log2()
    };
    counts.iter().filter(|count| **count > 0).map(bits).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        for text in [
            "AKIAIOSFODNN7EXAMPLE",
            "sk-XXXXXXXXXXXX",
            "your_api_key_here",
            "<key>",
            "${TOKEN}",
            "{{ token }}",
            "aaaaaaaaaa",
            "ghp_0123456789abcdef",
            "hgfedcba",
            "key-abcabcabcabcabcabcabcabc",
            "**********",
        ] {
            assert!(is_placeholder(text.as_bytes()), "{text}");
        }
        for text in ["hunter2!", "q7Zt0mLq17Vb", "aaab", "123-456-78"] {
            assert!(!is_placeholder(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn entropy_counts_bits() {
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abab"), 1.0);
        assert_eq!(entropy(b"abcd"), 2.0);
        assert_eq!(entropy(b""), 0.0);
    }
}
