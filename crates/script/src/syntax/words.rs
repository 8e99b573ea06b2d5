//! The words of the language.

/// Words that continue the statement of the line before.
pub(crate) const MODIFIERS: [&str; 9] = [
    "with", "without", "into", "on", "as", "trace", "elapsed", "silent", "timeout",
];

/// Words that a statement can begin with.
pub(crate) const COMMANDS: [&str; 35] = [
    "add",
    "ask",
    "bool",
    "cabinet",
    "call",
    "container",
    "decrease",
    "else",
    "end",
    "fail",
    "failure",
    "foreach",
    "function",
    "if",
    "increase",
    "iterate",
    "list",
    "map",
    "math",
    "open",
    "parameter",
    "program",
    "remove",
    "repeat",
    "safe",
    "say",
    "script",
    "sensitive",
    "set",
    "success",
    "system",
    "text",
    "vault",
    "wait",
    "while",
];

/// Words that open a block which `end` closes.
pub(crate) const BLOCKS: [&str; 10] = [
    "container",
    "foreach",
    "function",
    "if",
    "iterate",
    "open",
    "repeat",
    "safe",
    "sensitive",
    "while",
];

/// Modules of other dialects that do not exist here: a sink that is not governed.
pub(crate) const UNKNOWN_MODULES: [&str; 4] = ["clipboard", "http", "notification", "queue"];

const OTHERS: [&str; 20] = [
    "append",
    "by",
    "contains",
    "content",
    "default",
    "environment",
    "file",
    "filter",
    "from",
    "integer",
    "is",
    "item",
    "mask",
    "not",
    "risk",
    "run",
    "seconds",
    "to",
    "minutes",
    "hours",
];

/// Whether a word is of the language, and so tells nothing of a secret.
pub(crate) fn is_keyword(word: &str) -> bool {
    [&MODIFIERS[..], &COMMANDS, &OTHERS]
        .iter()
        .any(|list| list.contains(&word))
}

/// The closest of `known` to `word`, if it is close enough to be meant.
pub(crate) fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().filter_map(|candidate| {
        let steps = distance(word, candidate)?;
        (steps <= 1 + candidate.len() / 5).then_some((steps, *candidate))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// Whether a word may have been meant for `vault`.
pub(crate) fn is_like_vault(word: &str) -> bool {
    distance(word, "vault").is_some_and(|steps| steps <= 2)
        || word
            .as_bytes()
            .windows(5)
            .any(|part| part.eq_ignore_ascii_case(b"vault"))
}

/// Whether a word may have been meant for `into`.
pub(crate) fn is_like_into(word: &str) -> bool {
    distance(word, "into").is_some_and(|steps| steps <= 1)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`, whatever
/// their case; `None` for what is too long to be a slip.
fn distance(a: &str, b: &str) -> Option<usize> {
    if a.len() > 24 {
        return None;
    }
    let a: Vec<u8> = a.bytes().map(|byte| byte.to_ascii_lowercase()).collect();
    let b: Vec<u8> = b.bytes().collect();
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut steps = (at(&last, j) + usize::from(x != y))
                .min(at(&last, j + 1) + 1)
                .min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                steps = steps.min(at(&before_last, j - 1) + 1);
            }
            row.push(steps);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied()
}

#[cfg(test)]
mod tests {
    use super::{closest, distance, is_keyword, is_like_vault};

    #[test]
    fn near_words_are_suggested_and_others_are_not() {
        assert_eq!(distance("vault", "vault"), Some(0));
        assert_eq!(distance("vualt", "vault"), Some(1));
        assert_eq!(closest("sya", &["say", "ask"]), Some("say"));
        assert_eq!(closest("notification", &["say", "ask"]), None);
        assert_eq!(closest(&"x".repeat(1000), &["say"]), None);
        assert!(is_like_vault("VAULT") && is_like_vault("vlt") && !is_like_vault("say"));
        assert!(is_keyword("while") && !is_keyword("hunter2"));
    }
}
