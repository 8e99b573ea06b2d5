//! What became of an attack.

use std::fmt;

/// What became of an attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It failed, and what was seen.
    Held(String),
    /// It succeeded, or could not be told from one that does.
    Fell(String),
    /// This machine cannot show it, and why.
    Skipped(String),
    /// The defence comes with a later part.
    NotBuilt(u8),
}

impl Verdict {
    pub(super) fn held(why: impl Into<String>) -> Self {
        Self::Held(why.into())
    }

    pub(super) fn fell(why: impl Into<String>) -> Self {
        Self::Fell(why.into())
    }

    /// The stable word.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::Fell(_) => "not held",
            Self::Skipped(_) => "skipped",
            Self::NotBuilt(_) => "not built",
        }
    }

    /// What was seen.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Held(why) | Self::Fell(why) | Self::Skipped(why) => why.clone(),
            Self::NotBuilt(part) => format!("part {part}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(why) => write!(f, "held: {why}"),
            Self::Fell(why) => write!(f, "NOT HELD: {why}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::NotBuilt(part) => write!(f, "not built: part {part}"),
        }
    }
}
