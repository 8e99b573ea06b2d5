//! Where a statement begins: clauses, then the word that tells what it is.

use super::super::ast::{Block, Clauses, Command, Phrase, Signatures, Statement};
use super::super::diagnostic::Diagnostic;
use super::super::source::Span;
use super::super::token::Kind;
use super::super::words::{BLOCKS, COMMANDS, MODIFIERS, UNKNOWN_MODULES, closest};
use super::modifiers::Modifiers;
use super::{Holds, MAX_STATEMENTS, Parsed, Parser, Rank, Told};

impl Parser<'_> {
    /// Statements up to `end`, `else` or the end of the script.
    pub(super) fn statements_until_end(&mut self, holds: Holds) -> Block {
        let mut block = Block::default();
        loop {
            while self.take(Kind::Newline) {}
            if self.stopped || self.kind() == Kind::End {
                return block;
            }
            if matches!(self.word(), Some("end" | "else")) {
                return block;
            }
            self.statements += 1;
            if self.statements > MAX_STATEMENTS {
                let span = self.token().span;
                self.stopped = true;
                self.tell(
                    Diagnostic::error(
                        "too-many-statements",
                        format!("a script has at most {MAX_STATEMENTS} statements"),
                        span,
                    )
                    .label("one too many")
                    .hint("repeat with `iterate` over a container, or split the script"),
                );
                return block;
            }
            match self.statement(holds) {
                Ok(statement) => block.statements.push(statement),
                Err(Told) => self.recover(),
            }
        }
    }

    fn statement(&mut self, holds: Holds) -> Parsed<Statement> {
        self.begin();
        let start = self.at;
        let clauses = self.clauses()?;
        if self.at > start {
            self.part(Rank::Clauses, start);
            if self.is_header_end() {
                return self.cluster(clauses);
            }
        }
        let token = self.token();
        match token.kind {
            Kind::Word if !self.is_operand() => self.worded(clauses, holds),
            Kind::Function => self.invoke(clauses),
            Kind::Bad => Err(Told),
            Kind::Dot => self.fail(
                Diagnostic::error("stray-dot", "this dot ends nothing", token.span)
                    .label("no statement before it")
                    .hint("delete it; blocks and `end` carry no dot"),
            ),
            _ if self.is_operand() => {
                self.no_entry(holds)?;
                self.value(clauses)
            }
            _ => self.fail(
                Diagnostic::error("unexpected", "no statement begins like this", token.span)
                    .label("not a command and not a value")
                    .hint("begin with a command such as `say`, or with a value: `'text' into @x`"),
            ),
        }
    }

    fn worded(&mut self, clauses: Clauses, holds: Holds) -> Parsed<Statement> {
        let token = self.token();
        let word = self.slice(token.span);
        if MODIFIERS.contains(&word) {
            return self.astray();
        }
        if !matches!(word, "add" | "remove") && COMMANDS.contains(&word) {
            self.no_entry(holds)?;
        }
        match word {
            "if" => self.if_(clauses),
            "while" => self.while_(clauses),
            "repeat" => self.repeat(clauses),
            "iterate" => self.iterate(clauses),
            "foreach" => self.foreach(clauses),
            "function" => self.function(clauses),
            "container" => self.container_block(clauses),
            "open" => self.open_block(clauses),
            "add" | "remove" => self.member(clauses, holds),
            "set" => self.set(clauses),
            "vault" => self.fetch(clauses),
            "system" => self.import(clauses),
            "say" => self.say(clauses),
            "ask" => self.ask(clauses),
            "cabinet" => self.cabinet(clauses),
            "script" => self.script_line(clauses),
            "program" => self.program(clauses),
            "call" => self.call(clauses),
            "text" => self.text_tool(clauses),
            "math" => self.math_tool(clauses),
            "bool" => self.bool_tool(clauses),
            "list" => self.list_tool(clauses),
            "map" => self.map_tool(clauses),
            "increase" | "decrease" => self.step(clauses),
            "parameter" => self.parameter(clauses),
            "wait" => self.wait(clauses),
            "success" | "failure" | "fail" => self.result(clauses),
            "safe" | "sensitive" | "else" | "end" => self.fail(
                Diagnostic::error(
                    "clause-on-end",
                    format!("`{word}` takes no clauses"),
                    token.span,
                )
                .label("carries none")
                .hint("clauses stand before a command or before a block's header"),
            ),
            _ => self.unknown(word, token.span),
        }
    }

    /// `safe`, then `sensitive`.
    fn clauses(&mut self) -> Parsed<Clauses> {
        let mut clauses = Clauses::default();
        while let Some(word) = self.word() {
            let span = self.token().span;
            let (first, name) = match word {
                "safe" => (clauses.safe, "safe"),
                "sensitive" => (clauses.sensitive, "sensitive"),
                _ => break,
            };
            if let Some(first) = first {
                return self.fail(
                    Diagnostic::error(
                        "repeated-clause",
                        format!("`{name}` stands twice before this statement"),
                        span,
                    )
                    .label("again")
                    .note(first, "first here")
                    .hint("keep one"),
                );
            }
            if name == "safe" && clauses.sensitive.is_some() {
                return self.fail(
                    Diagnostic::error("clause-order", "`safe` comes before `sensitive`", span)
                        .label("too late")
                        .hint("write `safe sensitive …`"),
                );
            }
            match name {
                "safe" => clauses.safe = Some(span),
                _ => clauses.sensitive = Some(span),
            }
            self.at += 1;
        }
        Ok(clauses)
    }

    /// A modifier where a statement should begin.
    fn astray<T>(&mut self) -> Parsed<T> {
        let token = self.token();
        let word = self.slice(token.span);
        let before = self
            .at
            .checked_sub(1)
            .and_then(|before| self.tokens.get(before));
        let next = self
            .tokens
            .get(self.at + 1)
            .map_or("", |next| self.slice(next.span));
        let risk = word == "with" && next == "risk";
        let span = match self.tokens.get(self.at + 1) {
            Some(next) if risk => token.span.to(next.span),
            _ => token.span,
        };
        let error = match before.map(|before| before.kind) {
            Some(Kind::Dot) if risk => {
                Diagnostic::error("risk-after-dot", "`with risk` stands after a dot", span)
                    .label("belongs to no statement")
                    .hint("if the statement before may reveal its value, delete the dot; else delete `with risk`")
            }
            Some(Kind::Dot) => Diagnostic::error(
                "modifier-after-dot",
                format!("`{word}` stands after a dot"),
                span,
            )
            .label("the dot has ended the statement")
            .hint("delete the dot before it"),
            _ => Diagnostic::error(
                "modifier-first",
                format!("`{word}` begins no statement"),
                span,
            )
            .label("belongs to no statement")
            .hint("write it after the operands of a command; a line of comment ends a statement"),
        };
        self.fail(error)
    }

    /// In a container's block, only entries stand.
    fn no_entry(&mut self, holds: Holds) -> Parsed<()> {
        if matches!(holds, Holds::Statements | Holds::Anything) {
            return Ok(());
        }
        let token = self.token();
        self.fail(
            Diagnostic::error(
                "not-an-entry",
                "a container's block holds its entries only",
                token.span,
            )
            .label("not an entry")
            .hint("write `add item V` or `add map K V`, and `end` before other statements"),
        )
    }

    fn unknown<T>(&mut self, word: &str, span: Span) -> Parsed<T> {
        let quoted = self.quote(span);
        let near = match word {
            "elif" | "elseif" => Some("else if"),
            "print" | "echo" => Some("say"),
            _ if UNKNOWN_MODULES.contains(&word) => None,
            _ => closest(word, &COMMANDS),
        };
        let Some(meant) = near else {
            return self.fail(
                Diagnostic::error(
                    "unknown-module",
                    format!("there is no module {quoted}"),
                    span,
                )
                .label("not a module and not a command")
                .hint(
                    "a sink that is not governed does not exist; requests go through `call \
                     'capability'`, programs through `program run`",
                ),
            );
        };
        self.tell(
            Diagnostic::error(
                "unknown-command",
                format!("there is no command {quoted}"),
                span,
            )
            .label("not a command")
            .hint(format!("did you mean `{meant}`?")),
        );
        self.at += 1;
        let clause = matches!(meant, "safe" | "sensitive");
        if BLOCKS.contains(&meant) && (!clause || self.is_header_end()) {
            self.recover();
            self.guessed = true;
            let _ = self.body("block", span, Holds::Anything);
        }
        Err(Told)
    }

    /// A command that is no block, from what was read.
    pub(super) fn plain(
        &mut self,
        clauses: Clauses,
        modifiers: Modifiers,
        command: Command,
    ) -> Parsed<Statement> {
        let (span, phrase) = self.phrase(self.open.len());
        Ok(Statement {
            span,
            clauses,
            risk: modifiers.risk,
            lens: modifiers.lens,
            signatures: modifiers.signatures,
            phrase,
            command,
        })
    }

    /// A block with its header.
    pub(super) fn block(
        &mut self,
        clauses: Clauses,
        (span, phrase): (Span, Phrase),
        command: Command,
    ) -> Statement {
        Statement {
            span,
            clauses,
            risk: None,
            lens: None,
            signatures: Signatures::default(),
            phrase,
            command,
        }
    }
}
