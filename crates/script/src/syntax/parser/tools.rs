//! `text`, `math`, `bool`, `list`, `map`.

use super::super::ast::{
    BoolOp, Clauses, Command, ListOp, MapOp, MathOp, OperandId, OperandKind, Statement, TextOp,
};
use super::super::diagnostic::Diagnostic;
use super::modifiers::{Into, Takes};
use super::{Parsed, Parser, Rank};

const RESULT: Takes = Takes {
    into: Into::Always,
    container: false,
    environment: false,
    content: false,
    answer: false,
    lens: false,
};

/// The fewest and the most operands of a tool, and how it is written.
type Arity = (usize, usize, &'static str);

fn text_arity(op: TextOp) -> Arity {
    match op {
        TextOp::Length => (1, 1, "text length V into @x"),
        TextOp::Lower => (1, 1, "text lower V into @x"),
        TextOp::Upper => (1, 1, "text upper V into @x"),
        TextOp::Trim => (1, 1, "text trim V into @x"),
        TextOp::Concat => (1, 32, "text concat V W into @x"),
        TextOp::Join => (1, 2, "text join ::list 'separator' into @x"),
        TextOp::Split => (1, 2, "text split V 'separator' into ::list"),
        TextOp::Replace => (3, 3, "text replace V 'old' 'new' into @x"),
        TextOp::Contains => (2, 2, "text contains V 'part' into @x"),
        TextOp::StartsWith => (2, 2, "text startswith V 'part' into @x"),
        TextOp::EndsWith => (2, 2, "text endswith V 'part' into @x"),
        TextOp::Slice => (2, 3, "text slice V 0 4 into @x"),
        TextOp::Compare => (2, 2, "text compare V W into @x"),
    }
}

fn math_arity(op: MathOp) -> Arity {
    match op {
        MathOp::Add => (2, 32, "math add V W into @x"),
        MathOp::Mul => (2, 32, "math mul V W into @x"),
        MathOp::Min => (1, 32, "math min V W into @x"),
        MathOp::Max => (1, 32, "math max V W into @x"),
        MathOp::Sub => (2, 2, "math sub V W into @x"),
        MathOp::Div => (2, 2, "math div V W into @x"),
        MathOp::Mod => (2, 2, "math mod V W into @x"),
        MathOp::Pow => (2, 2, "math pow V W into @x"),
        MathOp::Compare => (2, 2, "math compare V W into @x"),
        MathOp::Abs => (1, 1, "math abs V into @x"),
        MathOp::Floor => (1, 1, "math floor V into @x"),
        MathOp::Ceil => (1, 1, "math ceil V into @x"),
        MathOp::Round => (1, 2, "math round V into @x"),
    }
}

impl Parser<'_> {
    pub(super) fn text_tool(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let word = self.one_of(TextOp::WORDS, "unknown-tool", "a text tool")?;
        let op = TextOp::from_word(word).unwrap_or(TextOp::Length);
        let mut args = self.arguments(text_arity(op))?;
        self.part(Rank::Head, start);
        let separated = matches!(op, TextOp::Join | TextOp::Split);
        let mut modifiers = self.modifiers(Takes {
            container: op == TextOp::Split,
            content: separated && args.len() == 1,
            ..RESULT
        })?;
        args.extend(modifiers.content);
        if op == TextOp::Split && args.len() < 2 {
            return self.too_few(text_arity(op));
        }
        let into = self.required(&mut modifiers)?;
        self.plain(clauses, modifiers, Command::Text { op, args, into })
    }

    pub(super) fn math_tool(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let word = self.one_of(MathOp::WORDS, "unknown-tool", "a calculation")?;
        let op = MathOp::from_word(word).unwrap_or(MathOp::Add);
        let args = self.arguments(math_arity(op))?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            lens: true,
            ..RESULT
        })?;
        let into = self.required(&mut modifiers)?;
        self.plain(clauses, modifiers, Command::Math { op, args, into })
    }

    pub(super) fn bool_tool(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let word = self.one_of(BoolOp::WORDS, "unknown-tool", "a tool for true and false")?;
        let op = BoolOp::from_word(word).unwrap_or(BoolOp::All);
        let args = self.arguments((1, 32, "bool all @a @b into @x"))?;
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(RESULT)?;
        let into = self.required(&mut modifiers)?;
        self.plain(clauses, modifiers, Command::Bool { op, args, into })
    }

    pub(super) fn list_tool(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let word = self.one_of(ListOp::WORDS, "unknown-tool", "a list tool")?;
        let op = ListOp::from_word(word).unwrap_or(ListOp::Length);
        let changes = matches!(op, ListOp::Add | ListOp::Remove);
        let list = self.whole(changes, "list add ::list V")?;
        let value = match changes {
            true => Some(self.operand("the item")?),
            false => None,
        };
        let mut separator = None;
        if op == ListOp::Join && self.is_operand() {
            separator = Some(self.operand("the separator")?);
        }
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            into: if changes { Into::Maybe } else { Into::Always },
            container: changes,
            content: op == ListOp::Join && separator.is_none(),
            ..RESULT
        })?;
        let into = modifiers.into.take();
        let separator = separator.or(modifiers.content);
        let command = Command::List {
            op,
            list,
            value,
            separator,
            into,
        };
        self.plain(clauses, modifiers, command)
    }

    pub(super) fn map_tool(&mut self, clauses: Clauses) -> Parsed<Statement> {
        let start = self.at;
        self.at += 1;
        let word = self.one_of(MapOp::WORDS, "unknown-tool", "a map tool")?;
        let op = MapOp::from_word(word).unwrap_or(MapOp::Has);
        let changes = matches!(op, MapOp::Set | MapOp::Merge);
        let map = self.whole(changes, "map set ::map 'key' with V")?;
        let key = match op {
            MapOp::Merge => self.whole(false, "map merge ::map ::other")?,
            _ => self.operand("the key")?,
        };
        let mut value = None;
        if op == MapOp::Set && self.is_operand() {
            value = Some(self.operand("the value")?);
        }
        self.part(Rank::Head, start);
        let mut modifiers = self.modifiers(Takes {
            into: if changes { Into::Maybe } else { Into::Always },
            container: changes || op == MapOp::Get,
            content: op == MapOp::Set && value.is_none(),
            ..RESULT
        })?;
        let value = value.or(modifiers.content);
        if op == MapOp::Set && value.is_none() {
            return self.too_few((3, 3, "map set ::map 'key' with V"));
        }
        let into = modifiers.into.take();
        let command = Command::Map {
            op,
            map,
            key: Some(key),
            value,
            into,
        };
        self.plain(clauses, modifiers, command)
    }

    /// As many operands as a tool takes.
    fn arguments(&mut self, arity: Arity) -> Parsed<Vec<OperandId>> {
        let (least, most, example) = arity;
        let mut args = Vec::new();
        while args.len() < most && self.is_operand() {
            args.push(self.operand("a value")?);
        }
        if args.len() < least {
            // Tells of a word that should have been quoted, where there is one.
            self.operand("a value")?;
            return self.too_few(arity);
        }
        if self.is_operand() {
            let span = self.token().span;
            return self.fail(
                Diagnostic::error("too-many-operands", "this is one operand too many", span)
                    .label("not taken")
                    .hint(format!("write `{example}`")),
            );
        }
        Ok(args)
    }

    fn too_few<T>(&mut self, (_, _, example): Arity) -> Parsed<T> {
        let span = self.span_from(self.draft.start);
        self.fail(
            Diagnostic::error("missing-operand", "an operand is missing", span)
                .label("too few operands")
                .hint(format!("write `{example}`")),
        )
    }

    /// An operand that is a container, or may turn out to be one when it is only read.
    pub(super) fn whole(&mut self, changes: bool, example: &str) -> Parsed<OperandId> {
        let token = self.token();
        let id = self.operand("a container")?;
        let kind = self
            .draft
            .operands
            .get(id.index())
            .map(|operand| &operand.kind);
        match kind {
            Some(OperandKind::Container(_)) => {
                // Shown by its name: all of its members would be no line of a memo.
                self.draft.spots.pop();
                Ok(id)
            }
            Some(OperandKind::Field(_) | OperandKind::Variable(_)) if !changes => Ok(id),
            _ => self.fail(
                Diagnostic::error("missing-container", "a container is expected", token.span)
                    .label("not a container")
                    .hint(format!("write `{example}`")),
            ),
        }
    }
}
