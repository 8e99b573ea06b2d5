//! What may follow the operands, in any order, and the end of a statement.

use std::ops::Range;

use super::super::ast::{Delay, Lens, OperandId, OperandKind, Os, Place, Signatures, Target, Unit};
use super::super::diagnostic::Diagnostic;
use super::super::source::Span;
use super::super::token::Kind;
use super::super::words::{MODIFIERS, closest};
use super::{Parsed, Parser, Rank, Told};

/// Whether a command has a result to put somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Into {
    #[default]
    Never,
    Maybe,
    Always,
}

/// What a command takes besides `with risk` and signatures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Takes {
    pub(super) into: Into,
    /// `into ::c`
    pub(super) container: bool,
    /// `into environment 'N'`
    pub(super) environment: bool,
    /// `with V`, `with content V`
    pub(super) content: bool,
    /// `with default V`, `with mask`
    pub(super) answer: bool,
    /// `as integer`
    pub(super) lens: bool,
}

#[derive(Default)]
pub(super) struct Modifiers {
    pub(super) risk: Option<Span>,
    pub(super) lens: Option<Lens>,
    pub(super) content: Option<OperandId>,
    pub(super) default: Option<OperandId>,
    pub(super) mask: bool,
    pub(super) into: Option<Target>,
    pub(super) environment: Option<OperandId>,
    pub(super) signatures: Signatures,
    /// Each that was read, and where.
    seen: Vec<(&'static str, Span)>,
}

impl Parser<'_> {
    /// Reads modifiers to the end of the statement, and the end.
    pub(super) fn modifiers(&mut self, takes: Takes) -> Parsed<Modifiers> {
        let mut read = Modifiers::default();
        let segments = self.segments()?;
        let end = self.at;
        // In the canonical order, so that operands and names have the same numbers in whatever
        // order they are written.
        for (rank, segment) in segments {
            self.at = segment.start;
            let name = self.modifier(takes, &mut read)?;
            if self.at < segment.end {
                return self.unexpected();
            }
            let span = self.span_from(segment.start);
            if let Some((_, first)) = read.seen.iter().find(|(other, _)| *other == name) {
                let first = *first;
                return self.fail(
                    Diagnostic::error(
                        "repeated-modifier",
                        format!("`{name}` stands twice in this statement"),
                        span,
                    )
                    .label("again")
                    .note(first, "first here")
                    .hint("keep one"),
                );
            }
            read.seen.push((name, span));
            self.part(rank, segment.start);
        }
        self.at = end;
        self.draft.parts.sort_by_key(|(_, range)| range.start);
        self.draft.spots.sort_by_key(|(range, _)| range.start);
        if takes.into == Into::Always && read.into.is_none() && read.environment.is_none() {
            return self.no_target();
        }
        self.terminator()?;
        Ok(read)
    }

    /// The runs of tokens that begin with a modifier's word, up to the end of the statement, in
    /// the canonical order.
    fn segments(&mut self) -> Parsed<Vec<(Rank, Range<usize>)>> {
        let mut segments: Vec<(Rank, Range<usize>)> = Vec::new();
        let mut on: Option<Span> = None;
        loop {
            let token = self.token();
            if matches!(token.kind, Kind::Dot | Kind::Newline | Kind::End) {
                break;
            }
            let Some(word) = self.word().filter(|word| MODIFIERS.contains(word)) else {
                match segments.last_mut() {
                    Some((_, segment)) => segment.end = self.at + 1,
                    None => break,
                }
                self.at += 1;
                continue;
            };
            if let Some(on) = on {
                return self.fail(
                    Diagnostic::error("on-not-last", "`on` is a statement's last word", token.span)
                        .label("comes after it")
                        .note(on, "`on` stands here")
                        .hint("move `on …` to the end of the statement"),
                );
            }
            let next = self
                .tokens
                .get(self.at + 1)
                .map_or("", |next| self.slice(next.span));
            let rank = match (word, next) {
                ("with", "risk") => Rank::Risk,
                ("with", "mask") => Rank::Mask,
                ("as", _) => Rank::As,
                ("into", _) => Rank::Into,
                ("trace", _) => Rank::Trace,
                ("elapsed", _) => Rank::Elapsed,
                ("silent", _) => Rank::Silent,
                ("timeout", _) => Rank::Timeout,
                ("on", _) => Rank::On,
                _ => Rank::With,
            };
            if rank == Rank::On {
                on = Some(token.span);
            }
            segments.push((rank, self.at..self.at + 1));
            self.at += 1;
        }
        segments.sort_by_key(|(rank, _)| *rank);
        Ok(segments)
    }

    /// Reads one modifier; gives its name.
    fn modifier(&mut self, takes: Takes, read: &mut Modifiers) -> Parsed<&'static str> {
        let span = self.token().span;
        let word = self.slice(span);
        self.at += 1;
        match word {
            "with" => return self.with(span, takes, read),
            "into" => self.into(span, takes, read)?,
            "as" => self.lens(span, takes, read)?,
            "trace" => read.signatures.trace = Some(span),
            "elapsed" => read.signatures.elapsed = Some(span),
            "silent" => read.signatures.silent = Some(span),
            "timeout" => read.signatures.timeout = Some(self.delay("timeout")?),
            "on" => read.signatures.on = Some(self.os()?),
            _ => {
                return self.fail(
                    Diagnostic::error("unknown-modifier", "nothing takes `without`", span)
                        .label("no meaning here")
                        .hint("delete it: what is not written with `with` is not there"),
                );
            }
        }
        Ok(MODIFIERS
            .iter()
            .find(|known| **known == word)
            .copied()
            .unwrap_or("with"))
    }

    fn with(&mut self, span: Span, takes: Takes, read: &mut Modifiers) -> Parsed<&'static str> {
        let token = self.token();
        match self.word() {
            Some("risk") => {
                self.at += 1;
                read.risk = Some(span.to(token.span));
                return Ok("with risk");
            }
            Some("default") if takes.answer => {
                self.at += 1;
                read.default = Some(self.operand("the default")?);
                return Ok("with default");
            }
            Some("mask") if takes.answer => {
                self.at += 1;
                read.mask = true;
                return Ok("with mask");
            }
            Some("content") if takes.content => {
                self.at += 1;
            }
            Some(word) if !self.is_operand() => {
                let known: &[&str] = match (takes.content, takes.answer) {
                    (true, _) => &["content", "risk"],
                    (_, true) => &["default", "mask", "risk"],
                    _ => &["risk"],
                };
                let hint = match closest(word, known) {
                    Some(meant) => format!("did you mean `with {meant}`?"),
                    None => format!("here stands {}", listed(known, "with ")),
                };
                let quoted = self.quote(token.span);
                return self.fail(
                    Diagnostic::error(
                        "unknown-modifier",
                        format!("{quoted} is nothing that this statement takes"),
                        token.span,
                    )
                    .label("not after `with` here")
                    .hint(hint),
                );
            }
            _ => {}
        }
        let value = self.operand("what follows `with`")?;
        if takes.content {
            read.content = Some(value);
            return Ok("with");
        }
        if self.is_risk_in_quotes(value) {
            return self.fail(
                Diagnostic::error("quoted-risk", "`'risk'` in quotes is a text", token.span)
                    .label("permits nothing")
                    .hint("permission is the two bare words `with risk`"),
            );
        }
        let hint = if takes.answer {
            "write `with default V` or `with mask`"
        } else {
            "the only `with` here is `with risk`"
        };
        self.fail(
            Diagnostic::error(
                "unknown-modifier",
                "this statement takes no value with `with`",
                token.span,
            )
            .label("not after `with` here")
            .hint(hint),
        )
    }

    fn is_risk_in_quotes(&self, id: OperandId) -> bool {
        let operand = self.draft.operands.get(id.index());
        operand.is_some_and(|operand| match &operand.kind {
            OperandKind::Text(text) => text.literal() == Some("risk"),
            _ => false,
        })
    }

    fn into(&mut self, span: Span, takes: Takes, read: &mut Modifiers) -> Parsed<()> {
        if takes.into == Into::Never {
            return self.fail(
                Diagnostic::error("no-result", "this statement has no result", span)
                    .label("nothing to put anywhere")
                    .hint("delete `into …`"),
            );
        }
        let token = self.token();
        if self.word() == Some("environment") {
            if !takes.environment {
                return self.fail(
                    Diagnostic::error(
                        "bad-target",
                        "only a value goes into the environment",
                        token.span,
                    )
                    .label("a result")
                    .hint("first `… into @x`, then `@x into environment 'NAME'`"),
                );
            }
            self.at += 1;
            read.environment = Some(self.operand("the name of the variable")?);
            return Ok(());
        }
        let target = self.target(takes.container)?;
        if takes.environment && matches!(target.place, Place::Container(_)) && !self.is_copyable() {
            return self.fail(
                Diagnostic::error(
                    "bad-target",
                    "a text does not go into a container",
                    target.span,
                )
                .label("a container")
                .hint("add it: `list add ::list V`, or `map set ::map 'key' with V`"),
            );
        }
        read.into = Some(target);
        Ok(())
    }

    /// Whether the first operand can be a whole container.
    fn is_copyable(&self) -> bool {
        self.draft.operands.first().is_some_and(|operand| {
            matches!(
                operand.kind,
                OperandKind::Container(_) | OperandKind::Field(_)
            )
        })
    }

    fn lens(&mut self, span: Span, takes: Takes, read: &mut Modifiers) -> Parsed<()> {
        let token = self.token();
        if !takes.lens {
            return self.fail(
                Diagnostic::error("unknown-lens", "this statement takes no `as`", span)
                    .label("no meaning here")
                    .hint("`as integer` belongs to `V + W`, `math` and `V into @x`"),
            );
        }
        if self.take_word("integer") {
            read.lens = Some(Lens::Integer);
            return Ok(());
        }
        if token.kind == Kind::Bad {
            return Err(Told);
        }
        self.fail(
            Diagnostic::error("unknown-lens", "the only lens is `as integer`", token.span)
                .label("not a lens")
                .hint("write `as integer`"),
        )
    }

    /// A number and its unit, after `word`.
    pub(super) fn delay(&mut self, word: &str) -> Parsed<Delay> {
        let amount = self.operand("a number")?;
        let token = self.token();
        let unit = match self.word() {
            Some("seconds" | "second") => Unit::Seconds,
            Some("minutes" | "minute") => Unit::Minutes,
            Some("hours" | "hour") => Unit::Hours,
            _ if token.kind == Kind::Bad => return Err(Told),
            _ => {
                return self.fail(
                    Diagnostic::error("missing-unit", "a unit of time is expected", token.span)
                        .label("seconds, minutes or hours")
                        .hint(format!("write `{word} 5 seconds`")),
                );
            }
        };
        self.at += 1;
        Ok(Delay { amount, unit })
    }

    fn os(&mut self) -> Parsed<Os> {
        let token = self.token();
        let os = match self.word() {
            Some("linux") => Os::Linux,
            Some("mac") => Os::Mac,
            Some("windows") => Os::Windows,
            _ if token.kind == Kind::Bad => return Err(Told),
            _ => {
                return self.fail(
                    Diagnostic::error("unknown-system", "a system is expected", token.span)
                        .label("not a system")
                        .hint("write `on linux`, `on mac` or `on windows`"),
                );
            }
        };
        self.at += 1;
        Ok(os)
    }

    fn no_target<T>(&mut self) -> Parsed<T> {
        let token = self.token();
        if token.kind == Kind::Bad {
            return Err(Told);
        }
        if !matches!(token.kind, Kind::Dot | Kind::Newline | Kind::End) {
            return self.unexpected();
        }
        let span = self.span_from(self.draft.start);
        self.fail(
            Diagnostic::error("missing-into", "this result goes nowhere", span)
                .label("has a result")
                .hint("end it with `into @name` or `into vault 'NAME'`"),
        )
    }

    /// The end of a statement: a dot or the end of its line.
    fn terminator(&mut self) -> Parsed<()> {
        match self.kind() {
            Kind::Dot => {
                self.at += 1;
                Ok(())
            }
            Kind::Newline | Kind::End => Ok(()),
            _ => self.unexpected(),
        }
    }

    /// What is next does not belong to the statement.
    pub(super) fn unexpected<T>(&mut self) -> Parsed<T> {
        let token = self.token();
        let hint = match (token.kind, self.word()) {
            (Kind::Bad, _) => return Err(Told),
            (_, Some("and" | "or")) => {
                "write `bool all @a @b into @c` or `bool any @a @b into @c`, then `if @c`"
                    .to_owned()
            }
            (_, Some("then" | "do" | "times")) => {
                "delete it: the block begins on the next line".to_owned()
            }
            (_, Some(word)) => match closest(word, &MODIFIERS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "begin a new line, or put texts in single quotes".to_owned(),
            },
            (Kind::Plus, _) => {
                "a sum is a statement of its own: `V + W into @x`, then use `@x`".to_owned()
            }
            _ => "begin a new line, or end the statement with a dot".to_owned(),
        };
        let message = match token.kind {
            Kind::Word => format!("{} does not belong here", self.quote(token.span)),
            _ => "this does not belong here".to_owned(),
        };
        self.fail(
            Diagnostic::error("unexpected", message, token.span)
                .label("the statement is complete before it")
                .hint(hint),
        )
    }
}

/// "`a`, `b` or `c`"
pub(super) fn listed(words: &[&str], before: &str) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("`{before}{word}`"))
        .collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
