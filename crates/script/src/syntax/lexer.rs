//! Text to tokens.

use super::diagnostic::Diagnostic;
use super::interpolation::{self, Scan};
use super::source::{Span, slice};
use super::token::{Comment, Kind, Lexed, Token};
use super::words::MODIFIERS;

/// Errors beyond these are counted by nobody.
const MAX_TOLD: usize = 64;

/// Quotes that other languages use, and what closes them.
const FOREIGN_QUOTES: [(char, char); 6] = [
    ('"', '"'),
    ('`', '`'),
    ('“', '”'),
    ('”', '”'),
    ('‘', '’'),
    ('’', '’'),
];

pub(crate) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        at: 0,
        line_start: true,
        out: Lexed::default(),
    };
    lexer.hidden();
    if text.starts_with('\u{feff}') {
        lexer.at = '\u{feff}'.len_utf8();
    }
    while lexer.at < text.len() {
        lexer.step();
    }
    let end = Span::new(text.len(), text.len());
    lexer.push(Kind::Newline, end);
    lexer.push(Kind::End, end);
    let tokens = std::mem::take(&mut lexer.out.tokens);
    lexer.out.tokens = joined(text, tokens, &lexer.out.comments);
    lexer.out
}

/// Drops the line breaks that do not end a statement: before a modifier, and beside another. A line of
/// comment parts what is before it from a modifier behind: it may have been the statement that
/// the modifier belonged to.
fn joined(text: &str, tokens: Vec<Token>, comments: &[Comment]) -> Vec<Token> {
    let is_parted = |from: Span, to: Span| {
        let first = comments.partition_point(|comment| comment.span.start < from.start);
        comments
            .get(first)
            .is_some_and(|comment| comment.span.start < to.start)
    };
    let mut out: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut held: Option<Token> = None;
    for token in tokens {
        if token.kind == Kind::Newline {
            held = held.or(Some(token));
            continue;
        }
        let continues = token.kind == Kind::Word
            && MODIFIERS.contains(&slice(text, token.span))
            && !held.is_some_and(|newline| is_parted(newline.span, token.span));
        if let Some(newline) = held.take().filter(|_| !continues && !out.is_empty()) {
            out.push(newline);
        }
        out.push(token);
    }
    out
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Only blanks so far on this line.
    line_start: bool,
    out: Lexed,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, span: Span) {
        self.out.tokens.push(Token { kind, span });
    }

    /// Takes `length` bytes as one token.
    fn take(&mut self, kind: Kind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.at += length;
        self.push(kind, span);
    }

    /// Takes `length` bytes that are no token, and says why.
    fn refuse(&mut self, length: usize, diagnostic: impl FnOnce(Span) -> Diagnostic) {
        let span = Span::new(self.at, self.at + length);
        self.take(Kind::Bad, length);
        self.tell(diagnostic(span));
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        if self.out.diagnostics.len() < MAX_TOLD {
            self.out.diagnostics.push(diagnostic);
        }
    }

    /// Characters that show a reader another order than the one that is read.
    fn hidden(&mut self) {
        let found = self
            .text
            .char_indices()
            .find(|(_, c)| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        if let Some((at, c)) = found {
            let span = Span::new(at, at + c.len_utf8());
            self.tell(
                Diagnostic::error(
                    "hidden-character",
                    "a character here changes the order in which the line is shown",
                    span,
                )
                .label("not visible")
                .hint("delete it; a value that needs it can be read from a file"),
            );
        }
    }

    fn step(&mut self) {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            return;
        };
        match c {
            '\n' => {
                self.take(Kind::Newline, 1);
                self.line_start = true;
                return;
            }
            ' ' | '\t' => {
                self.at += 1;
                return;
            }
            '\r' if rest.starts_with("\r\n") => {
                self.at += 1;
                return;
            }
            '~' => self.comment(rest),
            '\'' => self.quoted(),
            '@' | ':' | '#' => self.sigil(rest, c),
            '0'..='9' => self.number(rest, 0),
            '-' if after(rest, 1).starts_with(|c: char| c.is_ascii_digit()) => self.number(rest, 1),
            'a'..='z' | 'A'..='Z' => self.take(Kind::Word, interpolation::name_len(rest)),
            '.' => self.take(Kind::Dot, 1),
            '+' => self.take(Kind::Plus, 1),
            '>' if rest.starts_with(">=") => self.take(Kind::GreaterEqual, 2),
            '<' if rest.starts_with("<=") => self.take(Kind::LessEqual, 2),
            '>' => self.take(Kind::Greater, 1),
            '<' => self.take(Kind::Less, 1),
            _ => self.unexpected(rest, c),
        }
        self.line_start = false;
    }

    fn comment(&mut self, rest: &str) {
        let line = rest.split('\n').next().unwrap_or_default();
        let alone = self.line_start;
        let text = line.strip_suffix('\r').unwrap_or(line);
        if alone && text.trim_end() == "~~~" {
            let at_start = self.at == 0
                || self.text.as_bytes().get(self.at - 1) == Some(&b'\n')
                || self.text.get(..self.at) == Some("\u{feff}");
            if at_start && text == "~~~" {
                self.block_comment(rest, text.len());
                return;
            }
            // Blanks at a line's edges come and go unseen; they must not decide what runs.
            let span = Span::new(self.at, self.at + text.len());
            self.tell(
                Diagnostic::error(
                    "blanks-beside-comment",
                    "`~~~` with blanks beside it does not open or close a block comment",
                    span,
                )
                .label("blanks before or after it")
                .hint("write `~~~` alone from the line's first column, or one `~` a line"),
            );
        }
        let span = Span::new(self.at, self.at + text.len());
        self.out.comments.push(Comment { span, block: false });
        self.at += line.len();
    }

    fn block_comment(&mut self, rest: &str, fence: usize) {
        let start = self.at;
        let mut length = 0;
        for (index, line) in rest.split_inclusive('\n').enumerate() {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            let bare = bare.strip_suffix('\r').unwrap_or(bare);
            if index > 0 && bare == "~~~" {
                let end = start + length + bare.len();
                self.out.comments.push(Comment {
                    span: Span::new(start, end),
                    block: true,
                });
                self.at = end;
                return;
            }
            length += line.len();
        }
        self.at = self.text.len();
        self.tell(
            Diagnostic::error(
                "unclosed-comment",
                "this block comment is not closed",
                Span::new(start, start + fence),
            )
            .label("opened here")
            .hint("close it by a line that is exactly `~~~`"),
        );
    }

    fn quoted(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\'' => {
                    self.take(Kind::Text, at + 1 - self.at);
                    return;
                }
                b'\\' if matches!(bytes.get(at + 1), Some(b'\'' | b'\\')) => at += 2,
                b'@' if bytes.get(at + 1) == Some(&b'{') => {
                    at = match interpolation::scan(self.text, at) {
                        Scan::Plain => at + 2,
                        Scan::Found { end, .. } | Scan::Malformed { end } => end,
                    };
                }
                _ => at += 1,
            }
        }
        let span = Span::new(self.at, self.text.len());
        self.out.unterminated = Some(span);
        self.take(Kind::Bad, self.text.len() - self.at);
    }

    fn sigil(&mut self, rest: &str, sigil: char) {
        let name = |after: &str| interpolation::name_len(after);
        match sigil {
            '@' if rest.starts_with("@{") => match interpolation::scan(self.text, self.at) {
                Scan::Found { end, .. } => self.take(Kind::Interpolation, end - self.at),
                Scan::Plain => self.refuse(2, bad_interpolation),
                Scan::Malformed { end } => self.refuse(end - self.at, bad_interpolation),
            },
            '@' if name(after(rest, 1)) > 0 => self.take(Kind::Variable, 1 + name(after(rest, 1))),
            '#' if name(after(rest, 1)) > 0 => self.take(Kind::Function, 1 + name(after(rest, 1))),
            ':' if rest.starts_with("::") && name(after(rest, 2)) > 0 => {
                let container = 2 + name(after(rest, 2));
                let Some(key) = after(rest, container).strip_prefix(':') else {
                    return self.take(Kind::Container, container);
                };
                let length = interpolation::key_len(key);
                let after = after(key, length);
                if length == 0 || after.starts_with(|c: char| c == ':' || is_name_part(c)) {
                    return self.refuse(container + 1 + length, bad_field);
                }
                self.take(Kind::Field, container + 1 + length);
            }
            _ => {
                let length = if rest.starts_with("::") { 2 } else { 1 };
                self.refuse(length, |span| {
                    Diagnostic::error("bad-name", "a name is missing here", span)
                        .label("no name after it")
                        .hint(
                            "a name is a letter, then letters, digits or `_`: `@value`, `::list`, \
                             `#task`",
                        )
                });
            }
        }
    }

    /// A number whose sign has `sign` bytes. Its dot is one only between digits.
    fn number(&mut self, rest: &str, sign: usize) {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = sign + digits(after(rest, sign));
        if let Some(fraction) = after(rest, length).strip_prefix('.') {
            match digits(fraction) {
                0 => {}
                more => length += 1 + more,
            }
        }
        let tail = after(rest, length)
            .bytes()
            .take_while(|byte| is_name_part(char::from(*byte)))
            .count();
        if tail == 0 {
            return self.take(Kind::Number, length);
        }
        self.refuse(length + tail, |span| {
            Diagnostic::error("bad-number", "this is neither a number nor a name", span)
                .label("letters after digits")
                .hint("write a blank after the number, or a text in single quotes")
        });
    }

    fn unexpected(&mut self, rest: &str, c: char) {
        if let Some((_, close)) = FOREIGN_QUOTES.iter().find(|(open, _)| *open == c) {
            let line = rest.split('\n').next().unwrap_or_default();
            let inside = line.get(c.len_utf8()..).unwrap_or_default();
            let length = match inside.find(*close) {
                Some(end) => c.len_utf8() + end + close.len_utf8(),
                None => line.len(),
            };
            return self.refuse(length, |span| {
                Diagnostic::error("wrong-quotes", "texts stand in single quotes", span)
                    .label("other quotes")
                    .hint("write `'…'`; a quote inside is `\\'`")
            });
        }
        let hint = match c {
            '=' => "compare with `is`, assign with `'value' into @name`",
            '!' => "compare with `is not`",
            '*' | '/' | '%' | '-' => "calculate with `math`: `math mul @a @b into @c`",
            '$' => "a variable is `@name`; an environment variable is read by `script`",
            '{' | '}' | '(' | ')' | '[' | ']' => "blocks are closed by `end` and need no brackets",
            ';' => "a statement ends with its line, or with a dot",
            _ => "texts stand in single quotes: `'…'`",
        };
        // One error for a run of them.
        let same = rest
            .chars()
            .take_while(|next| *next == c)
            .map(char::len_utf8)
            .sum();
        self.refuse(same, |span| {
            Diagnostic::error(
                "unexpected-character",
                "this character means nothing here",
                span,
            )
            .label("unexpected")
            .hint(hint)
        });
    }
}

/// `text` without its first `length` bytes.
fn after(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

fn is_name_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

pub(crate) fn bad_interpolation(span: Span) -> Diagnostic {
    Diagnostic::error("bad-interpolation", "this `@{…}` names nothing", span)
        .label("not understood")
        .hint(
            "write `@{name}`, `@{::container:key}` or `@{vault 'NAME'}`, without blanks at the \
             braces; for the bare characters, put `@` into a variable: `'@' into @at`, `'@{at}{…}'`",
        )
}

fn bad_field(span: Span) -> Diagnostic {
    Diagnostic::error("bad-field", "a field is a container and one key", span)
        .label("no key, or more than one")
        .hint(
            "write `::list:0` or `::map:key`; other keys are read by `map get ::map 'key' into @x`",
        )
}
