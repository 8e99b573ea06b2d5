//! The tree of a script.
//!
//! A [`Statement`] keeps its operands in one list, [`Phrase::operands`], and its [`Command`] names
//! them by [`OperandId`]: whoever runs it evaluates the list once and has the values both for the
//! command and for the line of the memo, which [`Phrase::shape`] lays out.

mod command;
mod ops;

use std::fmt;

use super::names::{ContainerId, FunctionId, Names, VariableId};
use super::source::{Source, Span};

pub use command::{Arm, Cabinet, Command, Condition};
pub use ops::{BoolOp, Comparison, ListOp, MapOp, MathOp, TextOp};

/// A script that parses.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its text.
    pub source: Source,
    /// Its statements.
    pub body: Block,
    /// By [`FunctionId`]: `None` for a function that is called and not defined.
    pub functions: Vec<Option<Function>>,
    /// The names of variables.
    pub variables: Names<VariableId>,
    /// The names of containers.
    pub containers: Names<ContainerId>,
    /// The names of functions.
    pub function_names: Names<FunctionId>,
}

impl PartialEq for Script {
    /// Whether both say the same, wherever it stands in their texts.
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
            && self.functions == other.functions
            && self.variables == other.variables
            && self.containers == other.containers
            && self.function_names == other.function_names
    }
}

impl Script {
    /// The function of that name, if it is defined.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.functions.get(id.index())?.as_ref()
    }
}

/// `function #f … end`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The header.
    pub span: Span,
    /// Its name.
    pub name: FunctionId,
    /// Its statements.
    pub body: Block,
}

/// Statements up to an `end`, or to the end of the script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// In order.
    pub statements: Vec<Statement>,
}

/// One statement, or the header of a block with the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// From the first clause to the last modifier; of a block, its header.
    pub span: Span,
    /// `safe` and `sensitive` as written here; those of a cluster are not repeated.
    pub clauses: Clauses,
    /// Where `with risk` stands.
    pub risk: Option<Span>,
    /// `as integer`
    pub lens: Option<Lens>,
    /// `trace`, `elapsed`, `silent`, `timeout`, `on`
    pub signatures: Signatures,
    /// Operands and the look of the statement.
    pub phrase: Phrase,
    /// What it does.
    pub command: Command,
}

/// `safe` and `sensitive`, where they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clauses {
    /// A failure is a warning.
    pub safe: Option<Span>,
    /// A sensitive value may be used.
    pub sensitive: Option<Span>,
}

/// How a result is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lens {
    /// `as integer`
    Integer,
}

/// What is asked about the run of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signatures {
    /// `trace`
    pub trace: Option<Span>,
    /// `elapsed`
    pub elapsed: Option<Span>,
    /// `silent`
    pub silent: Option<Span>,
    /// `timeout N seconds`: an operand of the phrase that is not in its shape.
    pub timeout: Option<Delay>,
    /// `on linux`
    pub on: Option<Os>,
}

/// A number and its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// How many.
    pub amount: OperandId,
    /// Of what.
    pub unit: Unit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `seconds`
    Seconds,
    /// `minutes`
    Minutes,
    /// `hours`
    Hours,
}

impl Unit {
    /// How many seconds it has.
    #[must_use]
    pub fn seconds(self) -> u64 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3600,
        }
    }
}

/// The system that a statement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Os {
    /// `linux`
    Linux,
    /// `mac`
    Mac,
    /// `windows`
    Windows,
}

/// The operands of a statement or of one condition, and how it is shown.
///
/// Two are equal when their operands are: the order in which modifiers are written says nothing.
#[derive(Debug, Clone, Eq, Default)]
pub struct Phrase {
    /// Those of the head in the order of the text, then those of modifiers in the canonical order.
    /// [`OperandId`] is a place in this list.
    pub operands: Vec<Operand>,
    /// The statement without clauses, `with risk` and signatures, in the order of the text.
    pub shape: Vec<Piece>,
}

impl PartialEq for Phrase {
    fn eq(&self, other: &Self) -> bool {
        self.operands == other.operands
    }
}

impl Phrase {
    /// An operand of this phrase.
    #[must_use]
    pub fn operand(&self, id: OperandId) -> Option<&Operand> {
        self.operands.get(id.index())
    }

    /// The shape as one line, with `show` for each operand; pieces are parted by blanks.
    pub fn line(&self, mut show: impl FnMut(OperandId) -> String) -> String {
        let mut out = String::new();
        for piece in &self.shape {
            if !out.is_empty() {
                out.push(' ');
            }
            match piece {
                Piece::Words(words) => out.push_str(words),
                Piece::Operand(id) => out.push_str(&show(*id)),
            }
        }
        out
    }
}

/// A part of a statement as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Command words and targets as written, with single blanks.
    Words(Box<str>),
    /// An operand, to be shown evaluated.
    Operand(OperandId),
}

/// The place of an operand in its phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperandId(pub(crate) u16);

impl OperandId {
    /// The place, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A value as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: OperandKind,
}

/// What an operand is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperandKind {
    /// `'…'`
    Text(Template),
    /// `5`, `-2.5`: digits as written.
    Number(Literal),
    /// `true`, `false`
    Bool(bool),
    /// `@x`, `@{x}`
    Variable(VariableId),
    /// `::c:key`, `@{::c:key}`
    Field(Field),
    /// `::c`
    Container(ContainerId),
    /// `@{vault 'N'}`
    Vault(Box<str>),
}

/// A text of the script. It may be a secret: `Debug` tells its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Literal(pub(crate) Box<str>);

impl Literal {
    /// The text, escapes resolved.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Literal(********)")
    }
}

/// A text with interpolations. An empty text has no parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    /// In order; what is inserted is not scanned again.
    pub parts: Vec<Part>,
}

impl Template {
    /// The text, if nothing is interpolated.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text.as_str()),
            _ => None,
        }
    }
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Itself.
    Literal(Literal),
    /// `@{name}`
    Variable(VariableId),
    /// `@{::container:key}`
    Field(Field),
    /// `@{vault 'N'}`
    Vault(Box<str>),
}

/// A member of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The container.
    pub container: ContainerId,
    /// A name, or digits: an index from 0 in a list.
    pub key: Box<str>,
}

/// Where a result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What stands after `into`.
    pub span: Span,
    /// The place.
    pub place: Place,
}

/// A place that keeps a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `into @x`
    Variable(VariableId),
    /// `into vault 'N'`
    Vault(Box<str>),
    /// `into ::c`, where the result can be a container.
    Container(ContainerId),
}
