//! Tokens to a tree: recursive descent that goes on after an error at the next line.

mod blocks;
mod commands;
mod modifiers;
mod operands;
mod report;
mod statement;
mod tools;

use std::ops::Range;

use super::ast::{Block, Function, Operand, OperandId, Phrase, Piece, Script};
use super::diagnostic::{Diagnostic, Errors};
use super::lexer;
use super::names::{ContainerId, FunctionId, Names, VariableId};
use super::source::{Source, Span, Unreadable, slice};
use super::token::{Kind, Lexed, Token};

/// How many blocks may stand in each other.
pub const MAX_DEPTH: usize = 64;
/// How many statements a script may have.
pub const MAX_STATEMENTS: usize = 50_000;
/// How many operands a statement may have.
pub const MAX_OPERANDS: usize = 64;
/// How many parts, literal or interpolated, a text may have.
pub const MAX_PARTS: usize = 1000;
/// How many errors are told at once.
pub const MAX_ERRORS: usize = 20;

/// Reads a script.
///
/// Time is linear in the text; depth and counts are bounded by the constants of this module.
///
/// # Errors
/// Every error of syntax that could be told apart, [`MAX_ERRORS`] at most, in the order of the
/// text and one a line.
///
/// Source: the Feather page of the design, Lexical and Statements.
pub fn parse(source: Source) -> Result<Script, Box<Errors>> {
    read(source).map(|(script, _)| script)
}

/// A script, and how its tokens make lines.
pub(crate) fn read(source: Source) -> Result<(Script, Layout), Box<Errors>> {
    let refusal = match source.unreadable() {
        Some(Unreadable::TooLarge) => Some(
            Diagnostic::error("too-large", "a script has at most 1 MiB", Span::new(0, 0))
                .label("this one has more")
                .hint("keep data in files and read them with `cabinet read 'path' into @x`"),
        ),
        Some(Unreadable::Encoding) => {
            let end = source.text().len();
            Some(
                Diagnostic::error("not-utf8", "a script is UTF-8", Span::new(end, end))
                    .label("other bytes from here on")
                    .hint("convert it: `iconv -t UTF-8`"),
            )
        }
        None => None,
    };
    if let Some(refusal) = refusal {
        return Err(Box::new(Errors {
            source,
            diagnostics: vec![refusal],
        }));
    }
    let lexed = lexer::lex(source.text());
    let mut parser = Parser::new(source.text(), &lexed);
    let body = parser.script();
    let errors = std::mem::take(&mut parser.errors);
    let Parser {
        functions,
        variables,
        containers,
        function_names,
        lines,
        ..
    } = parser;
    if !errors.is_empty() || !lexed.diagnostics.is_empty() || lexed.unterminated.is_some() {
        return Err(report::errors(source, lexed, errors));
    }
    let script = Script {
        source,
        body,
        functions,
        variables,
        containers,
        function_names,
    };
    Ok((script, Layout { lexed, lines }))
}

/// How the tokens of a script make lines.
pub(crate) struct Layout {
    pub(crate) lexed: Lexed,
    pub(crate) lines: Vec<Line>,
}

/// A statement, a block's header, an `else` or an `end`.
pub(crate) struct Line {
    pub(crate) depth: usize,
    /// Nothing inside the block comes after it: `else`, `end`.
    pub(crate) closes: bool,
    /// Runs of tokens with their place in the canonical order.
    pub(crate) parts: Vec<(Rank, Range<usize>)>,
}

/// The canonical order of a statement's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Clauses,
    Head,
    With,
    Mask,
    As,
    Into,
    Risk,
    Trace,
    Elapsed,
    Silent,
    Timeout,
    On,
}

impl Rank {
    /// Whether the memo shows it.
    fn is_shown(self) -> bool {
        (Self::Head..=Self::Into).contains(&self)
    }
}

/// The error is told; go on at the next line.
struct Told;
type Parsed<T> = Result<T, Told>;

/// What the statement that is read consists of so far.
#[derive(Default)]
struct Draft {
    start: usize,
    operands: Vec<Operand>,
    spots: Vec<(Range<usize>, OperandId)>,
    parts: Vec<(Rank, Range<usize>)>,
}

/// A block whose `end` is not read yet.
struct Open {
    word: &'static str,
    header: Span,
}

/// What a block may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Statements,
    /// `add …`
    Entries,
    /// `add …`, `remove …`
    Changes,
    /// Its header is not understood: anything.
    Anything,
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    errors: Vec<Diagnostic>,
    draft: Draft,
    open: Vec<Open>,
    statements: usize,
    in_function: bool,
    /// A block was guessed from a misspelt word: what is said about `end` would be a guess too.
    guessed: bool,
    /// A bound is passed: read nothing more.
    stopped: bool,
    /// The first `end` that stands further left than the header which it closes, and that header.
    askew: Option<(Span, Span, &'static str)>,
    functions: Vec<Option<Function>>,
    variables: Names<VariableId>,
    containers: Names<ContainerId>,
    function_names: Names<FunctionId>,
    lines: Vec<Line>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, lexed: &'a Lexed) -> Self {
        Self {
            text,
            tokens: &lexed.tokens,
            at: 0,
            errors: Vec::new(),
            draft: Draft::default(),
            open: Vec::new(),
            statements: 0,
            in_function: false,
            guessed: false,
            stopped: false,
            askew: None,
            functions: Vec::new(),
            variables: Names::default(),
            containers: Names::default(),
            function_names: Names::default(),
            lines: Vec::new(),
        }
    }

    fn script(&mut self) -> Block {
        let mut body = Block::default();
        loop {
            let more = self.statements_until_end(Holds::Statements);
            body.statements.extend(more.statements);
            if self.stopped || self.kind() == Kind::End {
                return body;
            }
            // `end` or `else` without a block.
            let span = self.token().span;
            if !self.guessed && self.errors.is_empty() {
                let word = self.slice(span);
                self.tell(
                    Diagnostic::error(
                        "end-without-block",
                        format!("this `{word}` belongs to no block"),
                        span,
                    )
                    .label("nothing is open here")
                    .hint(format!(
                        "delete it, or look for an `{word}` too many before it"
                    )),
                );
            } else {
                self.guessed = true;
            }
            self.recover();
        }
    }

    fn token(&self) -> Token {
        let end = Token {
            kind: Kind::End,
            span: Span::new(self.text.len(), self.text.len()),
        };
        self.tokens.get(self.at).copied().unwrap_or(end)
    }

    fn kind(&self) -> Kind {
        self.token().kind
    }

    fn slice(&self, span: Span) -> &'a str {
        slice(self.text, span)
    }

    /// The word that is next, if it is a word.
    fn word(&self) -> Option<&'a str> {
        let token = self.token();
        (token.kind == Kind::Word).then(|| self.slice(token.span))
    }

    /// Takes a word if it is next.
    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word() == Some(word);
        self.at += usize::from(found);
        found
    }

    fn take(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        self.at += usize::from(found);
        found
    }

    /// The span of the tokens from `start` to the one that was taken last.
    fn span_from(&self, start: usize) -> Span {
        let first = self
            .tokens
            .get(start)
            .map_or(self.token().span, |token| token.span);
        let last = self.at.checked_sub(1).filter(|last| *last >= start);
        let last = last.and_then(|last| self.tokens.get(last));
        last.map_or(first, |last| first.to(last.span))
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        // More than are shown, because some are dropped in favour of others.
        if self.errors.len() < MAX_ERRORS * 8 {
            self.errors.push(diagnostic);
        } else {
            self.stopped = true;
        }
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Parsed<T> {
        self.tell(diagnostic);
        Err(Told)
    }

    /// A word of the script for a message, shortened.
    fn quote(&self, span: Span) -> String {
        let text = self.slice(span);
        let mut shown: String = text.chars().take(40).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        format!("`{shown}`")
    }

    /// Skips to the end of the line, dots and all.
    fn recover(&mut self) {
        while !matches!(self.kind(), Kind::Newline | Kind::End) {
            self.at += 1;
        }
    }

    fn begin(&mut self) {
        self.draft = Draft {
            start: self.at,
            ..Draft::default()
        };
    }

    /// Notes that the tokens from `start` on are one part of the statement.
    fn part(&mut self, rank: Rank, start: usize) {
        self.draft.parts.push((rank, start..self.at));
    }

    /// The phrase of what was read since [`Self::begin`], which becomes a line of the layout.
    fn phrase(&mut self, depth: usize) -> (Span, Phrase) {
        let draft = std::mem::take(&mut self.draft);
        let span = self.span_of(&draft);
        let shape = self.shape(&draft);
        self.lines.push(Line {
            depth,
            closes: false,
            parts: draft.parts,
        });
        let operands = draft.operands;
        (span, Phrase { operands, shape })
    }

    fn span_of(&self, draft: &Draft) -> Span {
        let end = draft
            .parts
            .last()
            .map_or(draft.start, |(_, range)| range.end);
        let token = |at: usize| {
            self.tokens
                .get(at)
                .map_or(Span::default(), |token| token.span)
        };
        token(draft.start).to(token(end.saturating_sub(1).max(draft.start)))
    }

    fn shape(&self, draft: &Draft) -> Vec<Piece> {
        let mut shape = Vec::new();
        let mut words = String::new();
        let mut spots = draft.spots.iter().peekable();
        for (_, range) in draft.parts.iter().filter(|(rank, _)| rank.is_shown()) {
            let mut at = range.start;
            while at < range.end {
                while spots.next_if(|(spot, _)| spot.end <= at).is_some() {}
                if let Some((spot, id)) = spots.next_if(|(spot, _)| spot.start == at) {
                    if !words.is_empty() {
                        shape.push(Piece::Words(std::mem::take(&mut words).into()));
                    }
                    shape.push(Piece::Operand(*id));
                    at = spot.end;
                    continue;
                }
                if !words.is_empty() {
                    words.push(' ');
                }
                words.push_str(
                    self.tokens
                        .get(at)
                        .map_or("", |token| self.slice(token.span)),
                );
                at += 1;
            }
        }
        if !words.is_empty() {
            shape.push(Piece::Words(words.into()));
        }
        shape
    }

    fn function_id(&mut self, name: &str) -> FunctionId {
        let id = self.function_names.intern(name);
        if self.functions.len() <= id.index() {
            self.functions.resize(id.index() + 1, None);
        }
        id
    }
}
