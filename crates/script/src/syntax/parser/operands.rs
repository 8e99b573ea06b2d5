//! Operands, names of entries and targets.

use super::super::ast::{
    Field, Literal, Operand, OperandId, OperandKind, Part, Place, Target, Template,
};
use super::super::diagnostic::Diagnostic;
use super::super::interpolation::{self, Reference, Scan, is_entry};
use super::super::lexer::bad_interpolation;
use super::super::source::Span;
use super::super::token::Kind;
use super::super::words::MODIFIERS;
use super::{MAX_OPERANDS, MAX_PARTS, Parsed, Parser, Told};

impl Parser<'_> {
    pub(super) fn is_operand(&self) -> bool {
        match self.kind() {
            Kind::Text
            | Kind::Number
            | Kind::Variable
            | Kind::Field
            | Kind::Container
            | Kind::Interpolation => true,
            Kind::Word => matches!(self.word(), Some("true" | "false")),
            _ => false,
        }
    }

    /// The operand that must be next; `what` names it in the error: "a value".
    pub(super) fn operand(&mut self, what: &str) -> Parsed<OperandId> {
        let token = self.token();
        let slice = self.slice(token.span);
        let kind = match token.kind {
            Kind::Text => OperandKind::Text(self.template(token.span)?),
            Kind::Number => OperandKind::Number(Literal(slice.into())),
            Kind::Variable => OperandKind::Variable(self.variable_id(slice)),
            Kind::Container => OperandKind::Container(self.container_id(slice)),
            Kind::Field => {
                let (container, key) = slice
                    .trim_start_matches(':')
                    .split_once(':')
                    .unwrap_or_default();
                OperandKind::Field(self.field(container, key))
            }
            Kind::Interpolation => match interpolation::scan(slice, 0) {
                Scan::Found {
                    what: Reference::Variable(name),
                    ..
                } => OperandKind::Variable(self.variables.intern(name)),
                Scan::Found {
                    what: Reference::Field(container, key),
                    ..
                } => OperandKind::Field(self.field(container, key)),
                Scan::Found {
                    what: Reference::Vault(entry),
                    ..
                } => OperandKind::Vault(entry.into()),
                Scan::Plain | Scan::Malformed { .. } => {
                    return self.fail(bad_interpolation(token.span));
                }
            },
            Kind::Word if matches!(slice, "true" | "false") => OperandKind::Bool(slice == "true"),
            _ => return self.no_operand(what),
        };
        let id = u16::try_from(self.draft.operands.len()).unwrap_or(u16::MAX);
        if usize::from(id) >= MAX_OPERANDS {
            return self.fail(
                Diagnostic::error(
                    "too-many-operands",
                    format!("a statement has at most {MAX_OPERANDS} operands"),
                    token.span,
                )
                .label("one too many")
                .hint("put the values into a container, and use that"),
            );
        }
        let id = OperandId(id);
        self.draft.spots.push((self.at..self.at + 1, id));
        self.draft.operands.push(Operand {
            span: token.span,
            kind,
        });
        self.at += 1;
        Ok(id)
    }

    fn no_operand<T>(&mut self, what: &str) -> Parsed<T> {
        let token = self.token();
        let error = match token.kind {
            Kind::Bad => return Err(Told),
            Kind::Word => {
                let word = self.slice(token.span);
                if MODIFIERS.contains(&word) {
                    Diagnostic::error("missing-operand", format!("{what} is missing"), token.span)
                        .label("expected before this")
                        .hint("write it in single quotes, or name a variable: `@name`")
                } else if word == "vault" {
                    Diagnostic::error(
                        "vault-as-operand",
                        "a vault entry among operands stands in braces",
                        token.span,
                    )
                    .label("not an operand")
                    .hint("write `@{vault 'NAME'}`")
                } else {
                    let quoted = self.quote(token.span);
                    Diagnostic::error(
                        "unquoted-text",
                        format!("{quoted} is no operand: {what} is expected"),
                        token.span,
                    )
                    .label("a bare word")
                    .hint("write texts in single quotes, variables as `@name`")
                }
            }
            Kind::Dot | Kind::Newline | Kind::End => {
                Diagnostic::error("missing-operand", format!("{what} is missing"), token.span)
                    .label("expected here")
                    .hint("write it in single quotes, or name a variable: `@name`")
            }
            _ => Diagnostic::error("missing-operand", format!("{what} is expected"), token.span)
                .label("not an operand")
                .hint("write it in single quotes, or name a variable: `@name`"),
        };
        self.fail(error)
    }

    fn variable_id(&mut self, slice: &str) -> super::VariableId {
        self.variables.intern(slice.trim_start_matches('@'))
    }

    fn container_id(&mut self, slice: &str) -> super::ContainerId {
        self.containers.intern(slice.trim_start_matches(':'))
    }

    fn field(&mut self, container: &str, key: &str) -> Field {
        Field {
            container: self.containers.intern(container),
            key: key.into(),
        }
    }

    /// The text of a quoted token, its interpolations resolved to names.
    fn template(&mut self, span: Span) -> Parsed<Template> {
        let quoted = self.slice(span);
        let text = quoted.get(1..quoted.len() - 1).unwrap_or_default();
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(next) = text.get(at..).and_then(|rest| rest.find(['\\', '@'])) {
            literal.push_str(text.get(at..at + next).unwrap_or_default());
            at += next;
            let rest = text.get(at..).unwrap_or_default();
            if rest.starts_with("\\'") || rest.starts_with("\\\\") {
                literal.push_str(rest.get(1..2).unwrap_or_default());
                at += 2;
                continue;
            }
            let found = if rest.starts_with("@{") {
                interpolation::scan(text, at)
            } else {
                Scan::Plain
            };
            match found {
                Scan::Plain => {
                    literal.push_str(rest.get(..1).unwrap_or_default());
                    at += 1;
                }
                Scan::Malformed { end } => {
                    let start = span.first() + 1;
                    let brace = rest.bytes().take(80).position(|byte| byte == b'}');
                    let end = brace.map_or(end, |brace| at + brace + 1);
                    return self.fail(bad_interpolation(Span::new(start + at, start + end)));
                }
                Scan::Found { what, end } => {
                    flush(&mut literal, &mut parts);
                    parts.push(match what {
                        Reference::Variable(name) => Part::Variable(self.variables.intern(name)),
                        Reference::Field(container, key) => Part::Field(self.field(container, key)),
                        Reference::Vault(entry) => Part::Vault(entry.into()),
                    });
                    at = end;
                }
            }
            if parts.len() > MAX_PARTS {
                return self.fail(
                    Diagnostic::error(
                        "too-many-parts",
                        format!("a text has at most {MAX_PARTS} parts"),
                        Span::new(span.first(), span.first() + 1),
                    )
                    .label("too many interpolations")
                    .hint("build it in steps: `@a append @b into @c`"),
                );
            }
        }
        literal.push_str(text.get(at..).unwrap_or_default());
        flush(&mut literal, &mut parts);
        Ok(Template { parts })
    }

    /// The quoted name of a vault entry.
    pub(super) fn entry(&mut self) -> Parsed<Box<str>> {
        let token = self.token();
        if token.kind == Kind::Bad {
            return Err(Told);
        }
        if token.kind == Kind::Text {
            let quoted = self.slice(token.span);
            let name = quoted.get(1..quoted.len() - 1).unwrap_or_default();
            if is_entry(name) && !name.contains('\\') {
                self.at += 1;
                return Ok(name.into());
            }
        }
        self.fail(
            Diagnostic::error(
                "bad-entry-name",
                "the name of a vault entry is written out in single quotes",
                token.span,
            )
            .label("not such a name")
            .hint("write `vault 'NAME'`, without interpolation, backslashes and line breaks"),
        )
    }

    /// The variable that must be next.
    pub(super) fn variable(&mut self, example: &str) -> Parsed<super::VariableId> {
        let token = self.token();
        match token.kind {
            Kind::Variable => {
                self.at += 1;
                Ok(self.variable_id(self.slice(token.span)))
            }
            Kind::Bad => Err(Told),
            _ => self.fail(
                Diagnostic::error("missing-variable", "a variable is expected", token.span)
                    .label("not a variable")
                    .hint(format!("write `{example}`")),
            ),
        }
    }

    /// The container that must be next.
    pub(super) fn container(&mut self, example: &str) -> Parsed<super::ContainerId> {
        let token = self.token();
        match token.kind {
            Kind::Container => {
                self.at += 1;
                Ok(self.container_id(self.slice(token.span)))
            }
            Kind::Bad => Err(Told),
            _ => self.fail(
                Diagnostic::error("missing-container", "a container is expected", token.span)
                    .label("not a container")
                    .hint(format!("write `{example}`")),
            ),
        }
    }

    /// What stands after `into`, except for sinks that are commands of their own.
    pub(super) fn target(&mut self, containers: bool) -> Parsed<Target> {
        let token = self.token();
        let start = self.at;
        let slice = self.slice(token.span);
        let place = match token.kind {
            Kind::Variable => {
                self.at += 1;
                Place::Variable(self.variable_id(slice))
            }
            Kind::Container if containers => {
                self.at += 1;
                Place::Container(self.container_id(slice))
            }
            Kind::Word if slice == "vault" => {
                self.at += 1;
                Place::Vault(self.entry()?)
            }
            Kind::Bad => return Err(Told),
            Kind::Container | Kind::Field => {
                return self.fail(
                    Diagnostic::error(
                        "bad-target",
                        "this result is a text and goes into a variable or the vault",
                        token.span,
                    )
                    .label("not a target")
                    .hint(
                        "write `into @name`; a member is set by `map set ::map 'key' with @name`",
                    ),
                );
            }
            _ => {
                return self.fail(
                    Diagnostic::error(
                        "bad-target",
                        "a target is expected after `into`",
                        token.span,
                    )
                    .label("not a target")
                    .hint("write `into @name` or `into vault 'NAME'`"),
                );
            }
        };
        Ok(Target {
            span: self.span_from(start),
            place,
        })
    }
}

fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(Literal(std::mem::take(literal).into())));
    }
}
