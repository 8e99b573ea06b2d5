//! The text of a script and places in it.

use super::excerpt;
use super::lexer;
use super::masks;

/// The most bytes that a script may have.
pub const MAX_SCRIPT: usize = 1024 * 1024;

/// How many characters a masked literal counts as: its length is a secret too.
const MASK_WIDTH: usize = 8;

/// A half-open range of bytes in a [`Source`].
///
/// Spans do not take part in comparisons: two trees are equal when they say the same, wherever
/// they stand. Compare `start` and `end` where the place matters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Span {
    /// The span from `start` up to `end`, both in bytes.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let bound = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: bound(start),
            end: bound(end.max(start)),
        }
    }

    /// From the start of this span to the end of `last`.
    #[must_use]
    pub fn to(self, last: Self) -> Self {
        Self {
            start: self.start,
            end: last.end.max(self.start),
        }
    }

    pub(crate) fn first(self) -> usize {
        self.start as usize
    }

    pub(crate) fn last(self) -> usize {
        self.end as usize
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// What keeps a text from being read at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Over [`MAX_SCRIPT`].
    TooLarge,
    /// No UTF-8 from here on.
    Encoding,
}

/// A script's text and the name that its readers know it by.
///
/// Knows which parts no excerpt may show: the literals that the script stores in the vault.
#[derive(Clone)]
pub struct Source {
    name: Box<str>,
    text: Box<str>,
    lines: Vec<u32>,
    masks: Vec<Span>,
    unreadable: Option<Unreadable>,
}

impl std::fmt::Debug for Source {
    /// The name only: the text may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Source {
    /// A text; `name` is shown in errors, usually the path as the user wrote it.
    ///
    /// A text over [`MAX_SCRIPT`] is dropped, and parsing says so.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        if text.len() > MAX_SCRIPT {
            return Self::build(name, "", Some(Unreadable::TooLarge));
        }
        Self::build(name, text, None)
    }

    /// The content of a file; parsing tells when it is no UTF-8.
    #[must_use]
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Self {
        if bytes.len() > MAX_SCRIPT {
            return Self::build(name, "", Some(Unreadable::TooLarge));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::build(name, text, None),
            Err(error) => {
                let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let text = std::str::from_utf8(valid).unwrap_or_default();
                Self::build(name, text, Some(Unreadable::Encoding))
            }
        }
    }

    fn build(name: &str, text: &str, unreadable: Option<Unreadable>) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(starts);
        Self {
            name: name.into(),
            text: text.into(),
            lines: lines.map(|at| Span::new(at, at).start).collect(),
            masks: masks::literals(text, &lexer::lex(text)),
            unreadable,
        }
    }

    /// The name that its readers know it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text. It may hold secrets: nothing of it goes into an output but through
    /// [`Diagnostic::render`](super::Diagnostic::render).
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span; empty where the span is none of this text.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        slice(&self.text, span)
    }

    /// The line of an offset as a reader may see it: literals that the script stores in the vault are
    /// eight asterisks, control characters are escaped, and what is too long is cut.
    #[must_use]
    pub fn shown(&self, offset: u32) -> String {
        excerpt::line(self, offset).trim().to_owned()
    }

    /// The line of an offset, from 1.
    #[must_use]
    pub fn line(&self, offset: u32) -> usize {
        self.lines.partition_point(|start| *start <= offset).max(1)
    }

    /// The column of an offset, from 1, in characters; a tab is one, and a literal that is masked
    /// in excerpts is eight, so that no column tells its length.
    #[must_use]
    pub fn column(&self, offset: u32) -> usize {
        let line = self.line_span(self.line(offset));
        let (mut at, mut column) = (line.start, 1);
        let first = self.masks.partition_point(|mask| mask.end <= line.start);
        for mask in self.masks.get(first..).unwrap_or_default() {
            if mask.start >= offset {
                break;
            }
            column += self.characters(at, mask.start);
            if mask.end > offset {
                return column;
            }
            column += MASK_WIDTH;
            at = mask.end;
        }
        column + self.characters(at, offset)
    }

    fn characters(&self, from: u32, to: u32) -> usize {
        let span = Span::new(from as usize, to as usize);
        self.slice(span).chars().count()
    }

    /// A line without its end, by its number from 1.
    pub(crate) fn line_span(&self, line: usize) -> Span {
        let start = self.lines.get(line.saturating_sub(1)).copied();
        let start = start.map_or(self.text.len(), |start| start as usize);
        let next = self
            .lines
            .get(line)
            .map_or(self.text.len(), |next| *next as usize);
        let line = self.text.get(start..next).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        Span::new(start, start + line.len())
    }

    /// The masked part that an offset is in.
    pub(crate) fn mask_at(&self, offset: usize) -> Option<Span> {
        let next = self.masks.partition_point(|mask| mask.last() <= offset);
        self.masks
            .get(next)
            .copied()
            .filter(|mask| mask.first() <= offset)
    }

    /// Whether any of a span is masked.
    pub(crate) fn is_masked(&self, span: Span) -> bool {
        let first = self.masks.partition_point(|mask| mask.end <= span.start);
        self.masks.get(first).is_some_and(|mask| mask.meets(span))
    }

    pub(crate) fn mask(&mut self, more: Vec<Span>) {
        let mut all = std::mem::take(&mut self.masks);
        all.extend(more);
        self.masks = masks::merged(&self.text, all);
    }

    pub(crate) fn unreadable(&self) -> Option<Unreadable> {
        self.unreadable
    }
}

/// The text of a span; empty where the span is none of this text.
pub(crate) fn slice(text: &str, span: Span) -> &str {
    text.get(span.first()..span.last()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Source, Span};

    #[test]
    fn places_count_characters_and_lines() {
        let source = Source::new("t.sky", "say 1\r\n\tsay '漢字' x\n");
        assert_eq!((source.line(0), source.column(0)), (1, 1));
        assert_eq!((source.line(8), source.column(8)), (2, 2));
        let x = source
            .text()
            .find('x')
            .map_or(0, |at| Span::new(at, at + 1).start);
        assert_eq!((source.line(x), source.column(x)), (2, 11));
        assert_eq!(source.slice(source.line_span(1)), "say 1");
        assert_eq!((source.line(u32::MAX), source.column(u32::MAX)), (3, 1));
        assert_eq!(source.slice(Span::new(900, 901)), "");
    }

    #[test]
    fn a_stored_literal_counts_as_eight_characters() {
        for secret in ["", "a", "a longer one", "漢"] {
            let source = Source::new("t.sky", &format!("'{secret}' into vault 'N'. say 1"));
            let say = source
                .text()
                .find("say")
                .map_or(0, |at| Span::new(at, at).start);
            assert_eq!(source.column(say), 26, "{secret}");
        }
    }
}
