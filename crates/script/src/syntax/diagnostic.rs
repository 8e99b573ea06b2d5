//! What is wrong, where, and what to type next.

use std::fmt::Write as _;

use super::excerpt;
use super::source::{Source, Span};

/// Whether a diagnostic keeps a script from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// A place that explains a diagnostic, such as where a value became sensitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The place.
    pub span: Span,
    /// What is there, in a few words.
    pub text: String,
}

/// One thing that is wrong with a script.
///
/// Its texts quote words of the script, never literals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it keeps the script from running.
    pub severity: Severity,
    /// A stable name in kebab case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands beside the caret; may be empty.
    pub label: String,
    /// Other places.
    pub notes: Vec<Note>,
    /// What to type next.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without label, notes and hint.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: String::new(),
            notes: Vec::new(),
            hint: None,
        }
    }

    /// A warning without label, notes and hint.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message, span)
        }
    }

    /// Where and what, in one line.
    #[must_use]
    pub fn line(&self, source: &Source) -> String {
        let at = self.span.start;
        format!(
            "{}:{}:{}: {}",
            excerpt::visible(source.name()),
            source.line(at),
            source.column(at),
            excerpt::visible(&self.message)
        )
    }

    /// Sets what stands beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets what to type next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a place that explains it.
    #[must_use]
    pub fn note(mut self, span: Span, text: impl Into<String>) -> Self {
        self.notes.push(Note {
            span,
            text: text.into(),
        });
        self
    }

    /// The diagnostic as lines for a reader, the last one ended.
    ///
    /// Literals that the script stores in the vault are eight asterisks, and control characters
    /// are escaped.
    #[must_use]
    pub fn render(&self, source: &Source) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{severity}[{}]: {}",
            self.code,
            excerpt::visible(&self.message)
        );
        let last = self.notes.iter().map(|note| note.span).chain([self.span]);
        let line = last.map(|span| source.line(span.start)).max().unwrap_or(1);
        let width = line.to_string().len();
        excerpt::write(&mut out, source, self.span, '^', &self.label, width);
        for note in &self.notes {
            excerpt::write(&mut out, source, note.span, '-', &note.text, width);
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "help: {}", excerpt::visible(hint));
        }
        out
    }
}

/// Why a text is no script: at least one error, in the order of the text.
#[derive(Debug, Clone)]
pub struct Errors {
    /// The text, for rendering.
    pub source: Source,
    /// The errors.
    pub diagnostics: Vec<Diagnostic>,
}

impl Errors {
    /// Every error for a reader, with an empty line between them.
    #[must_use]
    pub fn render(&self) -> String {
        let rendered = self.diagnostics.iter().map(|one| one.render(&self.source));
        rendered.collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Errors {
    /// The first error in one line: name, line, column, message.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.diagnostics.first() {
            Some(first) => f.write_str(&first.line(&self.source)),
            None => f.write_str("no script"),
        }
    }
}

impl std::error::Error for Errors {}
