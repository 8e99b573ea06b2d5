//! The lines that tell what a script did.

use std::io::Write;

/// The levels of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// A statement ran.
    Info,
    /// It failed or was refused, under `safe`.
    Warning,
    /// The same without.
    Error,
    /// The result of a function or script.
    Failure,
    /// The same.
    Success,
    /// What a statement came to.
    Trace,
    /// How long it took.
    Elapsed,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Info => "[INFO]",
            Self::Warning => "[WARN]",
            Self::Error => "[ERRO]",
            Self::Failure => "[FAIL]",
            Self::Success => "[SUCC]",
            Self::Trace => "[TRCE]",
            Self::Elapsed => "[ELAP]",
        }
    }
}

/// What stands between the level and the statement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    pub(crate) safe: bool,
    pub(crate) sensitive: bool,
    pub(crate) risk: bool,
}

/// A line, with its end. Line breaks in a text would make other lines of it, and control characters
/// other text.
pub(crate) fn line(level: Level, tags: Tags, statement: &str) -> String {
    let mut out = String::with_capacity(statement.len() + 28);
    out.push_str(level.word());
    for (is_set, tag) in [
        (tags.safe, "[SAFE]"),
        (tags.sensitive, "[SENS]"),
        (tags.risk, "[RISK]"),
    ] {
        if is_set {
            out.push_str(tag);
        }
    }
    out.push(' ');
    for character in statement.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push('\t'),
            other if other.is_control() => out.extend(other.escape_default()),
            other => out.push(other),
        }
    }
    out.push('\n');
    out
}

/// Where the lines go.
pub(crate) struct Memo<'a> {
    pub(crate) file: &'a mut dyn Write,
    /// The first failure to write one.
    pub(crate) error: Option<std::io::Error>,
}

impl Memo<'_> {
    pub(crate) fn write(&mut self, line: &str) {
        if self.error.is_none()
            && let Err(error) = self.file.write_all(line.as_bytes())
        {
            self.error = Some(error);
        }
    }
}
