//! What statements do.

use super::super::names::{ContainerId, FunctionId, VariableId};
use super::super::source::Span;
use super::{
    Block, BoolOp, Comparison, Delay, ListOp, MapOp, MathOp, OperandId, Phrase, Target, TextOp,
};

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
    /// `function #f … end`: the body is in [`Script::functions`](super::Script::functions); running the statement does
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
