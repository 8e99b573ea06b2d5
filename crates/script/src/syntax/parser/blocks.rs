//! Blocks: a header on a line of its own, statements, `end`.

use super::super::ast::{Arm, Block, Clauses, Command, Comparison, Condition, Function, Statement};
use super::super::diagnostic::Diagnostic;
use super::super::source::Span;
use super::super::token::Kind;
use super::super::words::MODIFIERS;
use super::{Holds, Line, MAX_DEPTH, Open, Parsed, Parser, Rank, Told};

impl<'a> Parser<'a> {
    /// The line ends here, or a dot stands where it should.
    pub(super) fn is_header_end(&self) -> bool {
        matches!(self.kind(), Kind::Newline | Kind::End | Kind::Dot) || self.word() == Some("with")
    }

    /// Reads a header; after an error the block is still read, for its `end`.
    fn header<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let start = self.at;
        let parsed = read(self).and_then(|parsed| {
            if self.at > start {
                self.part(Rank::Head, start);
            }
            self.header_end().map(|()| parsed)
        });
        if parsed.is_err() {
            self.recover();
        }
        parsed
    }

    /// The end of a header or of `end`: its line ends.
    fn header_end(&mut self) -> Parsed<()> {
        let token = self.token();
        let next = self.tokens.get(self.at + 1);
        match token.kind {
            Kind::Newline | Kind::End => Ok(()),
            Kind::Dot => self.fail(
                Diagnostic::error(
                    "dot-after-header",
                    "blocks and `end` carry no dot",
                    token.span,
                )
                .label("surplus")
                .hint("delete the dot, and begin a new line"),
            ),
            Kind::Word
                if self.word() == Some("with")
                    && next.is_some_and(|next| self.slice(next.span) == "risk") =>
            {
                let span = next.map_or(token.span, |next| token.span.to(next.span));
                self.fail(
                    Diagnostic::error("risk-on-block", "a block grants no risk", span)
                        .label("not here")
                        .hint("write `with risk` at each statement that sends a value out"),
                )
            }
            Kind::Word if self.word().is_some_and(|word| MODIFIERS.contains(&word)) => {
                let quoted = self.quote(token.span);
                self.fail(
                    Diagnostic::error(
                        "modifier-on-block",
                        format!("a block's header does not take {quoted}"),
                        token.span,
                    )
                    .label("not here")
                    .hint("write it at the statements of the block"),
                )
            }
            _ => self.unexpected(),
        }
    }

    /// The statements of a block and its `end`.
    pub(super) fn body(&mut self, word: &'static str, header: Span, holds: Holds) -> Block {
        let Some(block) = self.part_of_body(word, header, holds) else {
            return Block::default();
        };
        self.end_of_body();
        block
    }

    /// Opens a block and reads up to `end` or `else`; `None` if it is too deep.
    fn part_of_body(&mut self, word: &'static str, header: Span, holds: Holds) -> Option<Block> {
        if self.open.len() >= MAX_DEPTH {
            self.stopped = true;
            self.tell(
                Diagnostic::error(
                    "too-deep",
                    format!("at most {MAX_DEPTH} blocks stand in each other"),
                    header,
                )
                .label("one too many")
                .hint("move the inner blocks into a function"),
            );
            return None;
        }
        self.open.push(Open { word, header });
        Some(self.statements_until_end(holds))
    }

    /// Closes the block that was opened last.
    fn end_of_body(&mut self) {
        // `else` in a block that has none: told once, and its statements are read as the block's.
        while !self.stopped && self.word() == Some("else") {
            let span = self.token().span;
            if !self.guessed {
                self.tell(
                    Diagnostic::error("else-without-if", "this `else` belongs to no `if`", span)
                        .label("the block here has no `else`")
                        .hint("look for an `end` too many or too few before it"),
                );
            }
            self.recover();
            let _ = self.statements_until_end(Holds::Anything);
        }
        let Some(open) = self.open.pop() else {
            return;
        };
        if self.stopped {
            return;
        }
        let token = self.token();
        if !self.take_word("end") {
            if !self.guessed {
                self.missing_end(&open);
            }
            return;
        }
        if self.askew.is_none() && self.indent(token.span) < self.indent(open.header) {
            self.askew = Some((token.span, open.header, open.word));
        }
        self.lines.push(Line {
            depth: self.open.len(),
            closes: true,
            parts: vec![(Rank::Head, self.at - 1..self.at)],
        });
        if self.header_end().is_err() {
            self.recover();
        }
    }

    fn missing_end(&mut self, open: &Open) {
        // One `end` that is missing leaves every block around it open.
        self.guessed = true;
        let word = open.word;
        let mut error = Diagnostic::error(
            "missing-end",
            format!("this `{word}` block is not closed"),
            open.header,
        )
        .label("begins here")
        .hint("close it with `end`");
        if let Some((end, _, inner)) = self.askew {
            error = error.note(end, format!("closes a `{inner}` further right"));
        }
        self.tell(error);
    }

    /// How far from the line's start something stands.
    fn indent(&self, span: Span) -> usize {
        let before = self.text.get(..span.first()).unwrap_or_default();
        before.len() - before.trim_end_matches([' ', '\t']).len()
    }

    /// A line of clauses alone.
    pub(super) fn cluster(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.span_from(self.draft.start);
        let header = self.header(|_| Ok(()));
        let (_, phrase) = self.phrase(self.open.len());
        let body = self.body("clause", start, Holds::Statements);
        header?;
        Ok(self.block(clauses, (start, phrase), Command::Cluster { body }))
    }

    /// A block with one body.
    fn simple<T>(
        &mut self,
        word: &'static str,
        clauses: Clauses,
        holds: Holds,
        read: impl FnOnce(&mut Self) -> Parsed<T>,
        command: impl FnOnce(T, Block) -> Command,
    ) -> Parsed<Statement> {
        let start = self.draft.start;
        let header = self.header(read);
        let span = self.span_from(start);
        let phrase = self.phrase(self.open.len());
        let body = self.body(word, span, holds);
        Ok(self.block(clauses, phrase, command(header?, body)))
    }

    pub(super) fn while_(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let read = |parser: &mut Self| {
            parser.at += 1;
            parser.condition()
        };
        self.simple(
            "while",
            clauses,
            Holds::Statements,
            read,
            |condition, body| Command::While { condition, body },
        )
    }

    pub(super) fn repeat(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let read = |parser: &mut Self| {
            parser.at += 1;
            parser.operand("how many times")
        };
        self.simple("repeat", clauses, Holds::Statements, read, |count, body| {
            Command::Repeat { count, body }
        })
    }

    /// `iterate ::c as @i`
    pub(super) fn iterate(&mut self, clauses: Clauses) -> Parsed<Statement> {
        const EXAMPLE: &str = "iterate ::list as @item";
        let read = |parser: &mut Self| {
            parser.at += 1;
            let over = parser.whole(false, EXAMPLE)?;
            parser.keyword("as", EXAMPLE)?;
            Ok((over, parser.variable(EXAMPLE)?))
        };
        self.simple(
            "iterate",
            clauses,
            Holds::Statements,
            read,
            |(over, item), body| Command::Iterate { over, item, body },
        )
    }

    /// `foreach from ::c into @i`
    pub(super) fn foreach(&mut self, clauses: Clauses) -> Parsed<Statement> {
        const EXAMPLE: &str = "foreach from ::list into @item";
        let read = |parser: &mut Self| {
            parser.at += 1;
            parser.keyword("from", EXAMPLE)?;
            let over = parser.whole(false, EXAMPLE)?;
            parser.keyword("into", EXAMPLE)?;
            Ok((over, parser.variable(EXAMPLE)?))
        };
        self.simple(
            "foreach",
            clauses,
            Holds::Statements,
            read,
            |(over, item), body| Command::Iterate { over, item, body },
        )
    }

    /// `if C … else if C … else … end`
    pub(super) fn if_(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let first = self.draft.start;
        let mut arms = Vec::new();
        let mut otherwise = None;
        let mut failed = false;
        let mut whole = None;
        loop {
            let header = self.header(|parser| {
                parser.take_word("else");
                parser.at += 1;
                parser.condition()
            });
            let opening = *whole.get_or_insert_with(|| self.span_from(first));
            let depth = match arms.is_empty() && !failed {
                true => self.open.len(),
                false => self.open.len().saturating_sub(1),
            };
            let (span, phrase) = self.phrase(depth);
            if depth < self.open.len() {
                self.mark_closing();
            }
            let body = if depth == self.open.len() {
                match self.part_of_body("if", opening, Holds::Statements) {
                    Some(body) => body,
                    None => return Err(Told),
                }
            } else {
                self.statements_until_end(Holds::Statements)
            };
            match header {
                Ok(condition) => arms.push(Arm {
                    span,
                    phrase,
                    condition,
                    body,
                }),
                Err(Told) => failed = true,
            }
            if self.stopped || self.word() != Some("else") {
                break;
            }
            self.begin();
            let next = self
                .tokens
                .get(self.at + 1)
                .map_or("", |next| self.slice(next.span));
            if next == "if" {
                continue;
            }
            failed |= self
                .header(|parser| {
                    parser.at += 1;
                    Ok(())
                })
                .is_err();
            let _ = self.phrase(self.open.len().saturating_sub(1));
            self.mark_closing();
            otherwise = Some(self.statements_until_end(Holds::Statements));
            break;
        }
        self.end_of_body();
        if failed || arms.is_empty() {
            return Err(Told);
        }
        let phrase = Default::default();
        let opening = whole.unwrap_or_default();
        Ok(self.block(clauses, (opening, phrase), Command::If { arms, otherwise }))
    }

    fn mark_closing(&mut self) {
        if let Some(line) = self.lines.last_mut() {
            line.closes = true;
        }
    }

    /// `A`, or `A` compared with `B`.
    fn condition(&mut self) -> Parsed<Condition> {
        let left = self.operand("a condition")?;
        let Some(comparison) = Comparison::from_word(self.slice(self.token().span)) else {
            return Ok(Condition {
                left,
                compared: None,
            });
        };
        self.at += 1;
        let comparison = match comparison {
            Comparison::Is if self.take_word("not") => Comparison::IsNot,
            other => other,
        };
        let right = self.operand("what it is compared with")?;
        Ok(Condition {
            left,
            compared: Some((comparison, right)),
        })
    }

    /// `container into ::c`
    pub(super) fn container_block(&mut self, clauses: Clauses) -> Parsed<Statement> {
        const EXAMPLE: &str = "container into ::list";
        let read = |parser: &mut Self| {
            parser.at += 1;
            parser.keyword("into", EXAMPLE)?;
            parser.container(EXAMPLE)
        };
        self.simple("container", clauses, Holds::Entries, read, |name, body| {
            Command::Container { name, body }
        })
    }

    /// `open container ::c`
    pub(super) fn open_block(&mut self, clauses: Clauses) -> Parsed<Statement> {
        const EXAMPLE: &str = "open container ::list";
        let read = |parser: &mut Self| {
            parser.at += 1;
            parser.keyword("container", EXAMPLE)?;
            parser.container(EXAMPLE)
        };
        self.simple(
            "open container",
            clauses,
            Holds::Changes,
            read,
            |name, body| Command::Open { name, body },
        )
    }

    /// `add item V`, `add map K V`, `add container 'n' … end`, `remove item V`
    pub(super) fn member(&mut self, clauses: Clauses, holds: Holds) -> Parsed<Statement> {
        let start = self.at;
        let token = self.token();
        let adds = self.word() == Some("add");
        if holds == Holds::Statements {
            let word = self.slice(token.span);
            return self.fail(
                Diagnostic::error(
                    "entry-outside-container",
                    format!("`{word}` stands in a container's block"),
                    token.span,
                )
                .label("in no container")
                .hint(
                    "write `open container ::list`, the entries and `end`, or `list add ::list V`",
                ),
            );
        }
        if !adds && holds == Holds::Entries {
            return self.fail(
                Diagnostic::error(
                    "remove-from-new",
                    "a new container has nothing to remove",
                    token.span,
                )
                .label("not here")
                .hint("write `open container ::list`, `remove item V` and `end`"),
            );
        }
        let next = self
            .tokens
            .get(self.at + 1)
            .map_or("", |next| self.slice(next.span));
        if adds && next == "container" {
            let read = |parser: &mut Self| {
                parser.at += 2;
                parser.operand("its name")
            };
            return self.simple("add container", clauses, holds, read, |name, body| {
                Command::AddContainer { name, body }
            });
        }
        self.at += 1;
        let command = if !adds {
            self.keyword("item", "remove item V")?;
            let value = self.operand("the item")?;
            Command::RemoveItem { value }
        } else if self.one_of(&["container", "item", "map"], "unknown-entry", "an entry")? == "map"
        {
            let key = self.operand("the key")?;
            let value = self.operand("the value")?;
            Command::AddMap { key, value }
        } else {
            let value = self.operand("the item")?;
            Command::AddItem { value }
        };
        self.part(Rank::Head, start);
        let modifiers = self.modifiers(Default::default())?;
        self.plain(clauses, modifiers, command)
    }

    /// `function #f`
    pub(super) fn function(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let word = self.token().span;
        let nested = !self.open.is_empty();
        let first = self.draft.start;
        let header = self.header(|parser| {
            parser.at += 1;
            let token = parser.token();
            if !parser.take(Kind::Function) {
                if token.kind == Kind::Bad {
                    return Err(Told);
                }
                return parser.fail(
                    Diagnostic::error(
                        "missing-function",
                        "a function's name is expected",
                        token.span,
                    )
                    .label("not a name")
                    .hint("write `function #name`"),
                );
            }
            let name = parser.slice(token.span).trim_start_matches('#');
            Ok(parser.function_id(name))
        });
        let span = self.span_from(first);
        let (span, phrase) = match self.phrase(self.open.len()) {
            (whole, phrase) if header.is_ok() => (whole, phrase),
            (_, phrase) => (span, phrase),
        };
        let outer = std::mem::replace(&mut self.in_function, true);
        let body = self.body("function", span, Holds::Statements);
        self.in_function = outer;
        let name = header?;
        if nested {
            return self.fail(
                Diagnostic::error("nested-function", "a function stands in no block", word)
                    .label("inside of a block")
                    .hint("move it out of the block; it can be called before it is defined"),
            );
        }
        if let Some(clause) = clauses.safe.or(clauses.sensitive) {
            return self.fail(
                Diagnostic::error(
                    "clause-on-function",
                    "a definition takes no clauses",
                    clause,
                )
                .label("not here")
                .hint("write them at the statements of the function or at its call"),
            );
        }
        if let Some(Some(defined)) = self.functions.get(name.index()) {
            let first = defined.span;
            return self.fail(
                Diagnostic::error(
                    "duplicate-function",
                    format!("`#{}` is defined twice", self.function_names.text(name)),
                    span,
                )
                .label("again")
                .note(first, "first here")
                .hint("give one of them another name"),
            );
        }
        if let Some(slot) = self.functions.get_mut(name.index()) {
            *slot = Some(Function { span, name, body });
        }
        Ok(self.block(clauses, (span, phrase), Command::Define(name)))
    }
}
