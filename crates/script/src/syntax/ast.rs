//! The tree of a script.
//!
//! A [`Statement`] keeps its operands in one list, [`Phrase::operands`], and its [`Command`] names
//! them by [`OperandId`]: whoever runs it evaluates the list once and has the values both for the
//! command and for the line of the memo, which [`Phrase::shape`] lays out.

use std::fmt;

use super::names::{ContainerId, FunctionId, Names, VariableId};
use super::source::{Source, Span};

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
        use super::names::NameId as _;
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

/// What a statement does. Operands are of the statement's phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// `V into @x`, `set V into @x`; into a container only a container or a member.
    Assign {
        /// V
        value: OperandId,
        /// Never the vault.
        into: Target,
    },
    /// `V into vault 'N'`: a literal V is a secret.
    Store {
        /// V
        value: OperandId,
        /// N
        entry: Box<str>,
    },
    /// `vault 'N' into @x`
    Fetch {
        /// N
        entry: Box<str>,
        /// A variable or the vault.
        into: Target,
    },
    /// `system filter 'GLOB' into vault`
    Import {
        /// GLOB
        glob: OperandId,
    },
    /// `V append W into @x`
    Append {
        /// V
        left: OperandId,
        /// W
        right: OperandId,
        /// A variable or the vault.
        into: Target,
    },
    /// `V + W into @x`: a sum with `as integer`.
    Plus {
        /// V
        left: OperandId,
        /// W
        right: OperandId,
        /// A variable or the vault.
        into: Target,
    },
    /// `say V`
    Say {
        /// V
        value: OperandId,
    },
    /// `ask 'prompt' [with default V] [with mask] into @x`
    Ask {
        /// The prompt.
        prompt: OperandId,
        /// V
        default: Option<OperandId>,
        /// `with mask`
        mask: bool,
        /// A variable or the vault.
        into: Target,
    },
    /// `cabinet …`
    Cabinet(Cabinet),
    /// `script 'shell line' [into @o]`
    Script {
        /// The line for the shell.
        line: OperandId,
        /// A variable or the vault.
        into: Option<Target>,
    },
    /// `program run 'cmd args' [into @o]`
    Program {
        /// The program and its arguments.
        line: OperandId,
        /// A variable or the vault.
        into: Option<Target>,
    },
    /// `V into environment 'N'`
    Environment {
        /// V
        value: OperandId,
        /// N, which can be a variable.
        name: OperandId,
    },
    /// `call 'capability' [with V] [into @x]`
    Call {
        /// The capability.
        capability: OperandId,
        /// V
        with: Option<OperandId>,
        /// A variable or the vault.
        into: Option<Target>,
    },
    /// `text OP V [W] into @x`
    Text {
        /// OP
        op: TextOp,
        /// As many as `op` takes. Of `join` and `split` the second is the separator, also when it
        /// is written `with W`.
        args: Vec<OperandId>,
        /// A container only for `split`.
        into: Target,
    },
    /// `math OP V [W] into @x`
    Math {
        /// OP
        op: MathOp,
        /// As many as `op` takes.
        args: Vec<OperandId>,
        /// A variable or the vault.
        into: Target,
    },
    /// `bool OP V … into @x`
    Bool {
        /// OP
        op: BoolOp,
        /// At least one.
        args: Vec<OperandId>,
        /// A variable or the vault.
        into: Target,
    },
    /// `container into ::c … end`
    Container {
        /// The container.
        name: ContainerId,
        /// Entries only: [`Command::AddItem`], [`Command::AddMap`], [`Command::AddContainer`].
        body: Block,
    },
    /// `open container ::c … end`
    Open {
        /// The container.
        name: ContainerId,
        /// Entries, and [`Command::RemoveItem`].
        body: Block,
    },
    /// `add item V`
    AddItem {
        /// V
        value: OperandId,
    },
    /// `add map K V`
    AddMap {
        /// K
        key: OperandId,
        /// V
        value: OperandId,
    },
    /// `add container 'n' … end`
    AddContainer {
        /// n
        name: OperandId,
        /// Entries.
        body: Block,
    },
    /// `remove item V`
    RemoveItem {
        /// V
        value: OperandId,
    },
    /// `list OP ::xs [V] [with 'sep'] [into @x]`
    List {
        /// OP
        op: ListOp,
        /// A container; of `length` and `join` also a member or a variable.
        list: OperandId,
        /// What is added or removed.
        value: Option<OperandId>,
        /// Of `join`, positional or after `with`.
        separator: Option<OperandId>,
        /// Required for `length` and `join`.
        into: Option<Target>,
    },
    /// `map OP ::m [K] [V] [into @x]`
    Map {
        /// OP
        op: MapOp,
        /// A container; of `get` and `has` also a member or a variable.
        map: OperandId,
        /// K; of `merge`, the other map.
        key: Option<OperandId>,
        /// Of `set`, positional or after `with`.
        value: Option<OperandId>,
        /// Required for `get` and `has`.
        into: Option<Target>,
    },
    /// `if C … else if C … else … end`. The operands are in the arms; the statement's own phrase
    /// is empty.
    If {
        /// At least one.
        arms: Vec<Arm>,
        /// `else`
        otherwise: Option<Block>,
    },
    /// `repeat N … end`
    Repeat {
        /// N
        count: OperandId,
        /// What is repeated.
        body: Block,
    },
    /// `while C … end`
    While {
        /// C
        condition: Condition,
        /// What is repeated.
        body: Block,
    },
    /// `iterate ::c as @i … end`, `foreach from ::c into @i … end`
    Iterate {
        /// A container, a member or a variable.
        over: OperandId,
        /// The variable that takes each member.
        item: VariableId,
        /// What is repeated.
        body: Block,
    },
    /// `increase @i [by N]`, `decrease @i [by N]`
    Step {
        /// The variable.
        variable: VariableId,
        /// N; one without it.
        by: Option<OperandId>,
        /// `decrease`
        down: bool,
    },
    /// `function #f … end`: the body is in [`Script::functions`]; running the statement does
    /// nothing.
    Define(FunctionId),
    /// `#f V … [into @r]`
    Invoke {
        /// The function, defined or not.
        function: FunctionId,
        /// Its arguments.
        args: Vec<OperandId>,
        /// A variable or the vault.
        into: Option<Target>,
    },
    /// `parameter 1 into @a`
    Parameter {
        /// From 1.
        index: u16,
        /// A variable or the vault.
        into: Target,
    },
    /// `wait N seconds`
    Wait(Delay),
    /// `success [V]`
    Success {
        /// V
        value: Option<OperandId>,
    },
    /// `failure [V]`, `fail [V]`
    Failure {
        /// V
        value: Option<OperandId>,
    },
    /// A line of clauses alone … `end`: the statement's clauses apply to each plain command in it.
    Cluster {
        /// Any statements.
        body: Block,
    },
}

/// A command on files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the fields are what the line above each variant shows
pub enum Cabinet {
    /// `write PATH with CONTENT`
    Write { path: OperandId, content: OperandId },
    /// `append PATH with CONTENT`
    Append { path: OperandId, content: OperandId },
    /// `read PATH into TARGET`
    Read { path: OperandId, into: Target },
    /// `create PATH`
    Create { path: OperandId },
    /// `delete PATH`
    Delete { path: OperandId },
    /// `move FROM TO`
    Move { from: OperandId, to: OperandId },
    /// `copy FROM TO`
    Copy { from: OperandId, to: OperandId },
    /// `list PATH into TARGET`, which can be a container.
    List { path: OperandId, into: Target },
}

/// `if` or `else if` with what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// The condition's header.
    pub span: Span,
    /// The operands of this condition.
    pub phrase: Phrase,
    /// The condition.
    pub condition: Condition,
    /// What runs when it holds.
    pub body: Block,
}

/// `A`, or `A` compared with `B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// A
    pub left: OperandId,
    /// How, and B; without it, whether A is true.
    pub compared: Option<(Comparison, OperandId)>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            /// How each is written.
            pub const WORDS: &[&str] = &[$($word),*];

            /// How it is written.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// How two values are compared.
    Comparison {
        Is = "is",
        IsNot = "is not",
        Greater = ">",
        Less = "<",
        GreaterOrEqual = ">=",
        LessOrEqual = "<=",
        Contains = "contains",
    }
}

words! {
    /// A text tool.
    TextOp {
        Length = "length",
        Lower = "lower",
        Upper = "upper",
        Trim = "trim",
        Concat = "concat",
        Join = "join",
        Split = "split",
        Replace = "replace",
        Contains = "contains",
        StartsWith = "startswith",
        EndsWith = "endswith",
        Slice = "slice",
        Compare = "compare",
    }
}

words! {
    /// A calculation.
    MathOp {
        Add = "add",
        Sub = "sub",
        Mul = "mul",
        Div = "div",
        Mod = "mod",
        Abs = "abs",
        Round = "round",
        Floor = "floor",
        Ceil = "ceil",
        Min = "min",
        Max = "max",
        Pow = "pow",
        Compare = "compare",
    }
}

words! {
    /// A tool for true and false.
    BoolOp {
        All = "all",
        Any = "any",
    }
}

words! {
    /// A tool for lists.
    ListOp {
        Add = "add",
        Remove = "remove",
        Length = "length",
        Join = "join",
    }
}

words! {
    /// A tool for maps.
    MapOp {
        Set = "set",
        Get = "get",
        Has = "has",
        Merge = "merge",
    }
}
