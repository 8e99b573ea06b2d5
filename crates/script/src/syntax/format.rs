//! One canonical layout.
//!
//! Four blanks a block, one statement a line, no dots, modifiers in one order, at most one empty
//! line. Texts and block comments stay as they are, byte for byte. A comment inside of a
//! statement moves to a line before it.

use super::diagnostic::Errors;
use super::parser::{Layout, Line, read};
use super::source::{Source, slice};
use super::token::{Comment, Token};

/// Lays a script out; twice gives the same as once.
///
/// # Errors
/// Those of [`parse`](super::parse): a text that does not parse has no layout.
pub fn format(source: Source) -> Result<String, Box<Errors>> {
    let (script, layout) = read(source)?;
    let text = script.source.text();
    let mut printer = Printer {
        text,
        layout: &layout,
        out: String::with_capacity(text.len() + text.len() / 8),
        last_end: 0,
        comment: 0,
    };
    for (index, line) in layout.lines.iter().enumerate() {
        printer.line(line, layout.lines.get(index + 1));
    }
    printer.comments_before(text.len(), 0);
    Ok(printer.out)
}

struct Printer<'a> {
    text: &'a str,
    layout: &'a Layout,
    out: String,
    /// Where in the source the last thing that was printed ends.
    last_end: usize,
    /// The first comment that is not printed yet.
    comment: usize,
}

impl Printer<'_> {
    fn line(&mut self, line: &Line, next: Option<&Line>) {
        let Some((first, last)) = self.extent(line) else {
            return;
        };
        let depth = line.depth + usize::from(line.closes);
        self.comments_before(first.span.first(), depth);
        self.gap(first.span.first());
        // Comments inside of the statement.
        while let Some(comment) = self.next_comment(last.span.first()) {
            self.own_line(comment, line.depth);
        }
        self.indent(line.depth);
        let mut parts: Vec<_> = line.parts.iter().collect();
        parts.sort_by_key(|(rank, _)| *rank);
        let mut start = true;
        for (_, range) in parts {
            for token in self
                .layout
                .lexed
                .tokens
                .get(range.clone())
                .unwrap_or_default()
            {
                if !start {
                    self.out.push(' ');
                }
                start = false;
                self.out.push_str(slice(self.text, token.span));
            }
        }
        self.last_end = last.span.last();
        // A comment that ends the line, unless more code follows on the same line.
        let limit = next
            .and_then(|next| self.extent(next))
            .map(|(first, _)| first.span.first());
        if let Some(comment) = self.peek_comment(limit.unwrap_or(self.text.len())) {
            let between = self
                .text
                .get(self.last_end..comment.span.first())
                .unwrap_or_default();
            if !comment.block && !between.contains('\n') {
                self.comment += 1;
                self.out.push_str("  ");
                self.out.push_str(slice(self.text, comment.span).trim_end());
                self.last_end = comment.span.last();
            }
        }
        self.out.push('\n');
    }

    /// The first and the last token of a line, in the order of the source.
    fn extent(&self, line: &Line) -> Option<(Token, Token)> {
        let first = line.parts.first()?.1.start;
        let last = line.parts.last()?.1.end.checked_sub(1)?;
        let tokens = &self.layout.lexed.tokens;
        Some((*tokens.get(first)?, *tokens.get(last)?))
    }

    fn peek_comment(&self, before: usize) -> Option<Comment> {
        let comment = self.layout.lexed.comments.get(self.comment).copied();
        comment.filter(|comment| comment.span.first() < before)
    }

    fn next_comment(&mut self, before: usize) -> Option<Comment> {
        let comment = self.peek_comment(before)?;
        self.comment += 1;
        Some(comment)
    }

    fn comments_before(&mut self, offset: usize, depth: usize) {
        while let Some(comment) = self.next_comment(offset) {
            self.gap(comment.span.first());
            self.own_line(comment, depth);
        }
    }

    fn own_line(&mut self, comment: Comment, depth: usize) {
        let text = slice(self.text, comment.span);
        if comment.block {
            self.out.push_str(text);
        } else {
            self.indent(depth);
            match text.trim_end() {
                // Alone on its line, it would open a block comment.
                "~~~" => self.out.push_str("~ ~~"),
                text => self.out.push_str(text),
            }
        }
        self.out.push('\n');
        self.last_end = self.last_end.max(comment.span.last());
    }

    /// One empty line where the source has some.
    fn gap(&mut self, next: usize) {
        let between = self.text.get(self.last_end..next).unwrap_or_default();
        let breaks = between.bytes().filter(|byte| *byte == b'\n').count();
        if breaks > 1 && !self.out.is_empty() {
            self.out.push('\n');
        }
        self.last_end = next;
    }

    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.out.push_str("    ");
        }
    }
}
