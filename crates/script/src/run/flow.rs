//! What blocks may do, seen before one of them is chosen.

use std::collections::BTreeSet;

use crate::syntax::ast::{
    Block, Cabinet, Clauses, Command, ListOp, MapOp, OperandId, OperandKind, Place, Script,
    Statement, Target,
};
use crate::syntax::{ContainerId, FunctionId, Span, VariableId};

/// What a block may assign that is there when it has ended.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    pub(crate) variables: BTreeSet<VariableId>,
    pub(crate) containers: BTreeSet<ContainerId>,
    pub(crate) entries: BTreeSet<Box<str>>,
}

/// What a look through blocks finds.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) assigned: Assigned,
    /// The statements that let something out without `sensitive … with risk`.
    pub(crate) sinks: Vec<Showing>,
    /// Whether it may end the function or script.
    pub(crate) ends: bool,
}

/// A statement that would show that it ran.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Showing {
    pub(crate) span: Span,
    pub(crate) is_sensitive: bool,
    pub(crate) is_risk: bool,
}

/// Looks through blocks and the functions that they call.
pub(crate) struct Look<'s> {
    script: &'s Script,
    called: BTreeSet<FunctionId>,
    seen: Seen,
    /// Whether what is assigned is that of a function, and gone when it ends.
    is_within: bool,
    /// Whether a cluster around says `sensitive`.
    is_sensitive: bool,
}

impl<'s> Look<'s> {
    pub(crate) fn at(script: &'s Script) -> Self {
        Self {
            script,
            called: BTreeSet::new(),
            seen: Seen::default(),
            is_within: false,
            is_sensitive: false,
        }
    }

    pub(crate) fn seen(self) -> Seen {
        self.seen
    }

    pub(crate) fn block(&mut self, block: &Block) {
        self.statements(&block.statements);
    }

    pub(crate) fn statements(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    /// One statement that runs with these clauses, whatever clusters are around it.
    pub(crate) fn alone(&mut self, statement: &Statement, clauses: Clauses) {
        let before = self.is_sensitive;
        self.is_sensitive = clauses.sensitive.is_some();
        self.statement(statement);
        self.is_sensitive = before;
    }

    fn statement(&mut self, statement: &Statement) {
        let is_sensitive = self.is_sensitive || statement.clauses.sensitive.is_some();
        let is_risk = statement.risk.is_some();
        if is_sink(&statement.command) && !(is_sensitive && is_risk) {
            self.seen.sinks.push(Showing {
                span: statement.span,
                is_sensitive,
                is_risk,
            });
        }
        for place in places(statement) {
            self.assign(&place);
        }
        match &statement.command {
            Command::Container { body, .. } | Command::Open { body, .. } => self.block(body),
            Command::If { arms, otherwise } => {
                for block in arms.iter().map(|arm| &arm.body).chain(otherwise) {
                    self.block(block);
                }
            }
            Command::Repeat { body, .. } | Command::While { body, .. } => self.block(body),
            Command::Iterate { item, body, .. } => {
                self.member(*item);
                self.block(body);
            }
            Command::Cluster { body } => {
                let before = self.is_sensitive;
                self.is_sensitive = is_sensitive;
                self.block(body);
                self.is_sensitive = before;
            }
            Command::Invoke { function, .. } => self.function(*function),
            Command::Success { .. } | Command::Failure { .. } => {
                self.seen.ends |= !self.is_within;
            }
            _ => {}
        }
    }

    fn function(&mut self, id: FunctionId) {
        let Some(function) = self.script.function(id) else {
            return;
        };
        if !self.called.insert(id) {
            return;
        }
        let before = (self.is_within, self.is_sensitive);
        (self.is_within, self.is_sensitive) = (true, false);
        self.block(&function.body);
        (self.is_within, self.is_sensitive) = before;
    }

    /// The variable of a loop.
    pub(crate) fn member(&mut self, item: VariableId) {
        self.assign(&Place::Variable(item));
    }

    fn assign(&mut self, place: &Place) {
        let assigned = &mut self.seen.assigned;
        match place {
            Place::Vault(entry) => {
                assigned.entries.insert(entry.clone());
            }
            // Those of a function are its own.
            _ if self.is_within => {}
            Place::Variable(variable) => {
                assigned.variables.insert(*variable);
            }
            Place::Container(container) => {
                assigned.containers.insert(*container);
            }
        }
    }
}

/// Where `with risk` stands first, also in functions.
#[must_use]
pub fn first_risk(script: &Script) -> Option<Span> {
    let bodies = script
        .functions
        .iter()
        .flatten()
        .map(|function| &function.body);
    std::iter::once(&script.body)
        .chain(bodies)
        .filter_map(risk)
        .min_by_key(|span| span.start)
}

/// The first of a block, in blocks within it as well.
fn risk(block: &Block) -> Option<Span> {
    block.statements.iter().find_map(|statement| {
        statement.risk.or_else(|| match &statement.command {
            Command::Container { body, .. }
            | Command::Open { body, .. }
            | Command::AddContainer { body, .. }
            | Command::Repeat { body, .. }
            | Command::While { body, .. }
            | Command::Iterate { body, .. }
            | Command::Cluster { body } => risk(body),
            Command::If { arms, otherwise } => {
                let blocks = arms.iter().map(|arm| &arm.body);
                blocks.chain(otherwise).find_map(risk)
            }
            _ => None,
        })
    })
}

/// Whether a command shows that it ran.
pub(crate) fn is_sink(command: &Command) -> bool {
    match command {
        Command::Say { .. }
        | Command::Ask { .. }
        | Command::Script { .. }
        | Command::Program { .. }
        | Command::Environment { .. }
        | Command::Call { .. }
        | Command::Import { .. } => true,
        Command::Cabinet(cabinet) => {
            !matches!(cabinet, Cabinet::Read { .. } | Cabinet::List { .. })
        }
        _ => false,
    }
}

/// Where the result of a command goes.
pub(crate) fn target(command: &Command) -> Option<&Target> {
    match command {
        Command::Assign { into, .. }
        | Command::Fetch { into, .. }
        | Command::Append { into, .. }
        | Command::Plus { into, .. }
        | Command::Ask { into, .. }
        | Command::Text { into, .. }
        | Command::Math { into, .. }
        | Command::Bool { into, .. }
        | Command::Parameter { into, .. }
        | Command::Cabinet(Cabinet::Read { into, .. } | Cabinet::List { into, .. }) => Some(into),
        Command::Script { into, .. }
        | Command::Program { into, .. }
        | Command::Call { into, .. }
        | Command::List { into, .. }
        | Command::Map { into, .. }
        | Command::Invoke { into, .. } => into.as_ref(),
        _ => None,
    }
}

/// The places that a statement itself may set.
pub(crate) fn places(statement: &Statement) -> Vec<Place> {
    let command = &statement.command;
    let mut places: Vec<Place> = (target(command).map(|target| target.place.clone()))
        .into_iter()
        .collect();
    // A changed container that goes elsewhere is left as it is.
    let is_elsewhere = (places.iter()).any(|place| !matches!(place, Place::Vault(_)));
    let container = |id: OperandId| {
        if is_elsewhere {
            return None;
        }
        let operand = statement.phrase.operand(id)?;
        match operand.kind {
            OperandKind::Container(container) => Some(Place::Container(container)),
            _ => None,
        }
    };
    places.extend(match command {
        Command::Store { entry, .. } => Some(Place::Vault(entry.clone())),
        Command::Container { name, .. } | Command::Open { name, .. } => {
            Some(Place::Container(*name))
        }
        Command::List {
            op: ListOp::Add | ListOp::Remove,
            list,
            ..
        } => container(*list),
        Command::Map {
            op: MapOp::Set | MapOp::Merge,
            map,
            ..
        } => container(*map),
        Command::Step { variable, .. } => Some(Place::Variable(*variable)),
        _ => None,
    });
    places
}

/// Whether clauses of a cluster apply to it.
pub(crate) fn is_plain(command: &Command) -> bool {
    !matches!(
        command,
        Command::If { .. }
            | Command::Repeat { .. }
            | Command::While { .. }
            | Command::Iterate { .. }
            | Command::Container { .. }
            | Command::Open { .. }
            | Command::Define(_)
            | Command::Cluster { .. }
    )
}
