//! What the lexer makes of a text.

use super::diagnostic::Diagnostic;
use super::source::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A letter, then letters, digits or `_`.
    Word,
    /// Digits, with a sign before and a fraction after.
    Number,
    /// A text with its quotes.
    Text,
    /// `@x`
    Variable,
    /// `::c`
    Container,
    /// `::c:key`
    Field,
    /// `#f`
    Function,
    /// `@{…}` outside a text.
    Interpolation,
    Plus,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    /// The end of a statement.
    Dot,
    /// The end of a line that ends a statement; several are one.
    Newline,
    /// Something that is told already.
    Bad,
    /// The end of the script.
    End,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
}

/// A comment, without the end of its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comment {
    pub(crate) span: Span,
    /// `~~~` to `~~~`.
    pub(crate) block: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Lexed {
    /// Ends with one [`Kind::End`].
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Where the text begins that has no end.
    pub(crate) unterminated: Option<Span>,
}

impl Lexed {
    /// Runs of tokens that one line break after another does not part: a statement, or what would
    /// be one if a dot were not in the way. As ranges of `tokens`, without the line breaks.
    pub(crate) fn regions(&self) -> Vec<std::ops::Range<usize>> {
        let mut regions = Vec::new();
        let mut start = 0;
        for (at, token) in self.tokens.iter().enumerate() {
            if matches!(token.kind, Kind::Newline | Kind::End) {
                if start < at {
                    regions.push(start..at);
                }
                start = at + 1;
            }
        }
        regions
    }
}
