//! Commands that are no blocks, but for the tools.

use super::super::ast::{Cabinet, Clauses, Command, Place, Statement};
use super::super::diagnostic::Diagnostic;
use super::super::token::Kind;
use super::super::words::closest;
use super::modifiers::{Into, Modifiers, Takes, listed};
use super::{Parsed, Parser, Rank, Told};

/// A result that may or must go somewhere.
const RESULT: Takes = Takes {
    into: Into::Always,
    container: false,
    environment: false,
    content: false,
    answer: false,
    lens: false,
};

impl Parser<'_> {
    /// `V into …`, `V append W into …`, `V + W into …`
    pub(super) fn value(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        let left = self.operand("a value")?;
        let appends = self.take_word("append");
        if !appends && !self.take(Kind::Plus) {
            return self.assign(clauses, start, left);
        }
        let right = self.operand("the second value")?;
        self.part(Rank::Head, start);
        let takes = Takes {
            lens: !appends,
            ..RESULT
        };
        let mut modifiers = self.modifiers(takes)?;
        let into = self.required(&mut modifiers)?;
        let command = match appends {
            true => Command::Append { left, right, into },
            false => Command::Plus { left, right, into },
        };
        self.plain(clauses, modifiers, command)
    }

    /// `set V into …`
    pub(super) fn set(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let value = self.operand("a value")?;
        self.assign(clauses, start, value)
    }

    fn assign(
        &mut self,
        clauses: Clauses,
        start: usize,
        value: super::OperandId,
    ) -> Parsed<Statement> {
        self.part(Rank::Head, start);
        let takes = Takes {
            container: true,
            environment: true,
            lens: true,
            ..RESULT
        };
        let mut modifiers = self.modifiers(takes)?;
        let command = match modifiers.environment.take() {
            Some(name) => Command::Environment { value, name },
            None => {
                let into = self.required(&mut modifiers)?;
                match into.place {
                    Place::Vault(entry) => Command::Store { value, entry },
                    _ => Command::Assign { value, into },
                }
            }
        };
        self.plain(clauses, modifiers, command)
    }

    /// The target, which [`Self::modifiers`] has found to be there.
    pub(super) fn required(
        &mut self,
        modifiers: &mut Modifiers,
    ) -> Parsed<super::super::ast::Target> {
        modifiers.into.take().ok_or(Told)
    }

    /// `vault 'N' into @x`
    pub(super) fn fetch(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let entry = self.entry()?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(RESULT)?;
        let into = self.required(&mut modifiers)?;
        self.plain(clauses, modifiers, Command::Fetch { entry, into })
    }

    /// `system filter 'GLOB' into vault`
    pub(super) fn import(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        self.keyword("filter", "system filter 'GLOB' into vault")?;
        let glob = self.operand("a pattern of names")?;
        self.part(Rank::Head, start);
        let into = self.at;
        self.keyword("into", "system filter 'GLOB' into vault")?;
        self.keyword("vault", "system filter 'GLOB' into vault")?;
        if self.kind() == Kind::Text {
            let span = self.token().span;
            return self.fail(
                Diagnostic::error(
                    "bad-target",
                    "imported variables keep their names in the vault",
                    span,
                )
                .label("a name for many")
                .hint("write `system filter 'GLOB' into vault`"),
            );
        }
        self.part(Rank::Into, into);
        let modifiers = self.modifiers(Takes::default())?;
        self.plain(clauses, modifiers, Command::Import { glob })
    }

    /// The word that must be next.
    pub(super) fn keyword(&mut self, word: &str, example: &str) -> Parsed<()> {
        if self.take_word(word) {
            return Ok(());
        }
        let token = self.token();
        if token.kind == Kind::Bad {
            return Err(Told);
        }
        self.fail(
            Diagnostic::error("missing-word", format!("`{word}` is expected"), token.span)
                .label("expected here")
                .hint(format!("write `{example}`")),
        )
    }

    /// `say V`
    pub(super) fn say(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let value = self.operand("what is said")?;
        self.part(Rank::Head, start);
        let modifiers = self.modifiers(Takes::default())?;
        self.plain(clauses, modifiers, Command::Say { value })
    }

    /// `ask 'prompt' [with default V] [with mask] into @x`
    pub(super) fn ask(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let prompt = self.operand("the prompt")?;
        self.part(Rank::Head, start);
        let takes = Takes {
            answer: true,
            ..RESULT
        };
        let mut modifiers = self.modifiers(takes)?;
        let into = self.required(&mut modifiers)?;
        let command = Command::Ask {
            prompt,
            default: modifiers.default,
            mask: modifiers.mask,
            into,
        };
        self.plain(clauses, modifiers, command)
    }

    /// `cabinet [file] OP [file] …`
    pub(super) fn cabinet(&mut self, clauses: Clauses) -> Parsed<Statement> {
        const OPS: [&str; 8] = [
            "append", "copy", "create", "delete", "list", "move", "read", "write",
        ];
        let start = self.at;
        self.at += 1;
        let before = self.take_word("file");
        let op = self.one_of(&OPS, "unknown-file-command", "a command on files")?;
        if !before {
            self.take_word("file");
        }
        let path = self.operand("a path")?;
        let to = match op {
            "move" | "copy" => {
                self.take_word("to");
                Some(self.operand("the path that it goes to")?)
            }
            _ => None,
        };
        self.part(Rank::Head, start);
        let takes = match op {
            "write" | "append" => Takes {
                content: true,
                ..Takes::default()
            },
            "read" => RESULT,
            "list" => Takes {
                container: true,
                ..RESULT
            },
            _ => Takes::default(),
        };
        let mut modifiers = self.modifiers(takes)?;
        let command = match (op, to) {
            ("write" | "append", _) => {
                let Some(content) = modifiers.content else {
                    return self.no_content();
                };
                match op {
                    "write" => Cabinet::Write { path, content },
                    _ => Cabinet::Append { path, content },
                }
            }
            ("read", _) => {
                let into = self.required(&mut modifiers)?;
                Cabinet::Read { path, into }
            }
            ("list", _) => {
                let into = self.required(&mut modifiers)?;
                Cabinet::List { path, into }
            }
            ("move", Some(to)) => Cabinet::Move { from: path, to },
            ("copy", Some(to)) => Cabinet::Copy { from: path, to },
            ("create", _) => Cabinet::Create { path },
            _ => Cabinet::Delete { path },
        };
        self.plain(clauses, modifiers, Command::Cabinet(command))
    }

    fn no_content<T>(&mut self) -> Parsed<T> {
        let span = self.span_from(self.draft.start);
        self.fail(
            Diagnostic::error("missing-operand", "what is written is missing", span)
                .label("no content")
                .hint("write `cabinet write 'path' with V`, and `with risk` beside it if need be"),
        )
    }

    /// The word that must be next, one of `words`.
    pub(super) fn one_of(
        &mut self,
        words: &[&'static str],
        code: &'static str,
        what: &str,
    ) -> Parsed<&'static str> {
        let token = self.token();
        let word = self.word();
        if let Some(found) = words.iter().find(|known| Some(**known) == word) {
            self.at += 1;
            return Ok(found);
        }
        if token.kind == Kind::Bad {
            return Err(Told);
        }
        let meant = word.and_then(|word| closest(word, words));
        let hint = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("write {}", listed(words, "")),
        };
        let message = match word {
            Some(_) => format!("{} is not {what}", self.quote(token.span)),
            None => format!("{what} is expected"),
        };
        self.fail(
            Diagnostic::error(code, message, token.span)
                .label("unknown")
                .hint(hint),
        )
    }

    /// `script 'shell line' [into @o]`
    pub(super) fn script_line(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let line = self.operand("the shell line")?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            into: Into::Maybe,
            ..RESULT
        })?;
        let into = modifiers.into.take();
        self.plain(clauses, modifiers, Command::Script { line, into })
    }

    /// `program run 'cmd args' [into @o]`
    pub(super) fn program(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        self.keyword("run", "program run 'command arguments'")?;
        let line = self.operand("the program and its arguments")?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            into: Into::Maybe,
            ..RESULT
        })?;
        let into = modifiers.into.take();
        self.plain(clauses, modifiers, Command::Program { line, into })
    }

    /// `call 'capability' [with V] [into @x]`
    pub(super) fn call(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let capability = self.operand("the capability")?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            into: Into::Maybe,
            content: true,
            ..RESULT
        })?;
        let into = modifiers.into.take();
        let with = modifiers.content;
        let command = Command::Call {
            capability,
            with,
            into,
        };
        self.plain(clauses, modifiers, command)
    }

    /// `increase @i [by N]`
    pub(super) fn step(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        let down = self.word() == Some("decrease");
        self.at += 1;
        let variable = self.variable("increase @count by 1")?;
        let by = match self.take_word("by") {
            true => Some(self.operand("by how much")?),
            false => None,
        };
        self.part(Rank::Head, start);
        let modifiers = self.modifiers(Takes::default())?;
        let command = Command::Step { variable, by, down };
        self.plain(clauses, modifiers, command)
    }

    /// `parameter 1 into @a`
    pub(super) fn parameter(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        let header = self.token().span;
        self.at += 1;
        let token = self.token();
        let digits = self.slice(token.span).trim_matches('\'');
        let index = match token.kind {
            Kind::Bad => return Err(Told),
            Kind::Number | Kind::Text => digits.parse().ok().filter(|index| *index > 0),
            _ => None,
        };
        let Some(index) = index.filter(|_| !digits.starts_with('+')) else {
            return self.fail(
                Diagnostic::error(
                    "bad-parameter",
                    "a parameter is named by its number, from 1",
                    token.span,
                )
                .label("not such a number")
                .hint("write `parameter 1 into @name`"),
            );
        };
        self.at += 1;
        if !self.in_function {
            return self.fail(
                Diagnostic::error(
                    "parameter-outside-function",
                    "only a function has parameters",
                    header,
                )
                .label("in no function")
                .hint("move it between `function #name` and its `end`"),
            );
        }
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(RESULT)?;
        let into = self.required(&mut modifiers)?;
        self.plain(clauses, modifiers, Command::Parameter { index, into })
    }

    /// `wait N seconds`
    pub(super) fn wait(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let delay = self.delay("wait")?;
        self.part(Rank::Head, start);
        let modifiers = self.modifiers(Takes::default())?;
        self.plain(clauses, modifiers, Command::Wait(delay))
    }

    /// `success [V]`, `failure [V]`, `fail [V]`
    pub(super) fn result(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        let good = self.word() == Some("success");
        self.at += 1;
        let value = match self.is_operand() {
            true => Some(self.operand("a value")?),
            false => None,
        };
        self.part(Rank::Head, start);
        let modifiers = self.modifiers(Takes::default())?;
        let command = match good {
            true => Command::Success { value },
            false => Command::Failure { value },
        };
        self.plain(clauses, modifiers, command)
    }

    /// `#f V … [into @r]`
    pub(super) fn invoke(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        let name = self.slice(self.token().span).trim_start_matches('#');
        let function = self.function_id(name);
        self.at += 1;
        let args = self.operands()?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            into: Into::Maybe,
            ..RESULT
        })?;
        if let Some(risk) = modifiers.risk {
            return self.fail(
                Diagnostic::error("risk-on-call", "a function call grants no risk", risk)
                    .label("not here")
                    .hint("write `with risk` at the statement inside of the function that sends the value out"),
            );
        }
        let into = modifiers.into.take();
        let command = Command::Invoke {
            function,
            args,
            into,
        };
        self.plain(clauses, modifiers, command)
    }

    /// Every operand that follows.
    pub(super) fn operands(&mut self) -> Parsed<Vec<super::OperandId>> {
        let mut all = Vec::new();
        while self.is_operand() {
            all.push(self.operand("a value")?);
        }
        Ok(all)
    }
}
