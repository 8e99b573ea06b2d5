//! Why a text is not a policy.

use std::fmt;

/// A place in the text: line and column from 1, 0 where unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str("policy"),
            line => write!(f, "line {line}, column {}", self.column),
        }
    }
}

/// Why a text is not a policy. All of it is the author's to mend; the place, the message and the
/// hint are kept apart so that a front end can lay them out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The text is no YAML that we read.
    #[error("{}: {message}", Place { line: *line, column: *column })]
    Syntax {
        /// Line from 1; 0 where unknown.
        line: u64,
        /// Column from 1; 0 where unknown.
        column: u64,
        /// What is wrong.
        message: String,
        /// What to do about it; may be empty.
        hint: String,
    },
    /// The text is YAML and says something that a policy cannot say.
    #[error("{}: {message}", Place { line: *line, column: *column })]
    Content {
        /// Line from 1; 0 where unknown.
        line: u64,
        /// Column from 1; 0 where unknown.
        column: u64,
        /// What is wrong.
        message: String,
        /// What to do about it; may be empty.
        hint: String,
    },
    /// The text or something in it goes over a bound.
    #[error("{}: {message}", Place { line: *line, column: *column })]
    TooLarge {
        /// Line from 1; 0 where the whole text is meant.
        line: u64,
        /// Column from 1; 0 where the whole text is meant.
        column: u64,
        /// Which bound.
        message: String,
        /// What to do about it; may be empty.
        hint: String,
    },
}

impl PolicyError {
    pub(crate) fn content(at: Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Content {
            line: at.line,
            column: at.column,
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(crate) fn too_large(at: Place, message: impl Into<String>) -> Self {
        Self::TooLarge {
            line: at.line,
            column: at.column,
            message: message.into(),
            hint: "split the policy, or write patterns instead of lists".to_owned(),
        }
    }

    fn parts(&self) -> (u64, u64, &str, &str) {
        match self {
            Self::Syntax {
                line,
                column,
                message,
                hint,
            }
            | Self::Content {
                line,
                column,
                message,
                hint,
            }
            | Self::TooLarge {
                line,
                column,
                message,
                hint,
            } => (*line, *column, message, hint),
        }
    }

    /// The line, from 1; `None` where the whole text is meant.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        Some(self.parts().0).filter(|line| *line > 0)
    }

    /// The column in characters, from 1; `None` where the whole text is meant.
    #[must_use]
    pub fn column(&self) -> Option<u64> {
        Some(self.parts().1).filter(|column| *column > 0)
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        self.parts().2
    }

    /// What to write instead, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        Some(self.parts().3).filter(|hint| !hint.is_empty())
    }
}

/// The closest of `known` to `word`, if it is close enough to be meant.
///
/// ```
/// assert_eq!(subrosa_policy::closest("comand", &["args", "command"]), Some("command"));
/// ```
#[must_use]
pub fn closest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // A longer word than any that is known, by far, is no slip of a key.
    if word.len() > 64 {
        return None;
    }
    known
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(steps, candidate)| *steps <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let width = b.len() + 1;
    let mut before_last: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, y) in b.iter().enumerate() {
            let mut steps = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                steps = steps.min(before_last[j - 1] + 1);
            }
            row[j + 1] = steps;
        }
        before_last = last;
        last = row;
    }
    last[width - 1]
}

#[cfg(test)]
mod tests {
    use super::{closest, distance};

    #[test]
    fn distances_count_swaps_once() {
        assert_eq!(distance("command", "command"), 0);
        assert_eq!(distance("comand", "command"), 1);
        assert_eq!(distance("cmomand", "command"), 1);
        assert_eq!(distance("", "allow"), 5);
        assert_eq!(distance("Allow", "allow"), 0);
    }

    #[test]
    fn only_near_words_are_suggested() {
        let known = ["allow", "deny", "command", "args"];
        assert_eq!(closest("comand", &known), Some("command"));
        assert_eq!(closest("alow", &known), Some("allow"));
        assert_eq!(closest("timeout", &known), None);
        assert_eq!(closest(&"x".repeat(1000), &known), None);
    }
}
