//! Goes through statements as a run does, every way at once.

use super::Check;
use super::state::{Frame, Slot, State, either};
use super::taint::Taint;
use crate::run::flow::{Look, is_plain};
use crate::syntax::ast::{
    Block, Clauses, Command, Operand, OperandId, OperandKind, Os, Part, Phrase, Place, Statement,
};
use crate::syntax::{ContainerId, VariableId};

/// A way through one context.
pub(super) struct Walk<'c, 's> {
    pub(super) check: &'c mut Check<'s>,
    pub(super) context: usize,
    /// `None` where nothing comes to.
    pub(super) state: Option<State>,
    /// The statements that follow in the blocks around.
    pub(super) following: Vec<&'s [Statement]>,
    cluster: Clauses,
}

/// The statement that is looked at.
pub(super) struct Present<'s> {
    pub(super) statement: &'s Statement,
    pub(super) is_safe: bool,
    pub(super) is_sensitive: bool,
    /// What each operand may derive from.
    pub(super) operands: Vec<Taint>,
}

impl Present<'_> {
    pub(super) fn taint(&self, id: OperandId) -> Taint {
        let found = self.operands.get(id.index());
        found.cloned().unwrap_or_default()
    }

    pub(super) fn taints(&self, ids: &[OperandId]) -> Taint {
        let found = ids.iter().filter_map(|id| self.operands.get(id.index()));
        Taint::all(found)
    }

    pub(super) fn is_risk(&self) -> bool {
        self.statement.risk.is_some()
    }
}

impl<'c, 's> Walk<'c, 's> {
    pub(super) fn new(check: &'c mut Check<'s>, context: usize, state: State) -> Self {
        Self {
            check,
            context,
            state: Some(state),
            following: Vec::new(),
            cluster: Clauses::default(),
        }
    }

    pub(super) fn block(&mut self, block: &'s Block, is_loop: bool) {
        for (at, statement) in block.statements.iter().enumerate() {
            if self.state.is_none() {
                return;
            }
            let follows = match is_loop {
                true => Some(&block.statements[..]),
                false => block.statements.get(at + 1..),
            };
            self.following.push(follows.unwrap_or_default());
            self.statement(statement);
            self.following.pop();
        }
    }

    fn statement(&mut self, statement: &'s Statement) {
        let mut clauses = statement.clauses;
        if is_plain(&statement.command) {
            clauses.safe = clauses.safe.or(self.cluster.safe);
            clauses.sensitive = clauses.sensitive.or(self.cluster.sensitive);
        }
        let mut present = Present {
            statement,
            is_safe: clauses.safe.is_some(),
            is_sensitive: clauses.sensitive.is_some(),
            operands: Vec::new(),
        };
        // Elsewhere it runs, and here it does not: what it would refuse is told, and nothing else.
        let is_elsewhere = statement.signatures.on.is_some_and(|os| os != Os::Linux);
        let is_block = !is_plain(&statement.command);
        let before = match is_elsewhere || (is_block && present.is_safe) {
            true => self.state.clone(),
            false => None,
        };
        present.operands = self.operands(&statement.phrase);
        self.timed(&mut present, clauses);
        if is_elsewhere {
            self.state = before;
        } else if !matches!(statement.command, Command::Cluster { .. }) {
            // A header that failed under `safe` was as if it were not there.
            self.state = either(self.state.take(), before);
        }
    }

    /// Of a secret, the time that a statement may take is a condition.
    fn timed(&mut self, present: &mut Present<'s>, clauses: Clauses) {
        let Some(delay) = present.statement.signatures.timeout else {
            return self.command(present);
        };
        self.delay(present, delay);
        let taint = present.taint(delay.amount);
        match taint.is_secret() && present.is_sensitive {
            true => {
                let mut look = Look::at(self.check.script);
                look.alone(present.statement, clauses);
                let header = present.statement.span;
                self.secretly(header, &taint, look, |walk| walk.command(present));
            }
            false => self.command(present),
        }
    }

    pub(super) fn clustered(&mut self, clauses: Clauses, body: &'s Block) {
        let before = self.cluster;
        self.cluster = Clauses {
            safe: clauses.safe.or(before.safe),
            sensitive: clauses.sensitive.or(before.sensitive),
        };
        self.block(body, false);
        self.cluster = before;
    }

    pub(super) fn is_function(&self) -> bool {
        let context = self.check.contexts.get(self.context);
        context.is_some_and(|context| context.function.is_some())
    }

    fn globals(&self) -> Option<&Frame> {
        let context = self.check.contexts.get(self.context)?;
        context.function.map(|_| &context.globals)
    }

    /// The variables of the script itself, for a call.
    pub(super) fn script_frame(&self) -> Frame {
        let own = || self.state.as_ref().map(|state| &state.frame);
        self.globals().or_else(own).cloned().unwrap_or_default()
    }

    pub(super) fn within(&self) -> Taint {
        let state = self.state.as_ref();
        state
            .map(|state| state.within.taint.clone())
            .unwrap_or_default()
    }

    // What operands may derive from.

    pub(super) fn operands(&mut self, phrase: &'s Phrase) -> Vec<Taint> {
        let operands = phrase.operands.iter();
        operands.map(|operand| self.operand(operand)).collect()
    }

    fn operand(&mut self, operand: &'s Operand) -> Taint {
        match &operand.kind {
            OperandKind::Text(template) => {
                let mut taint = Taint::default();
                for part in &template.parts {
                    let part = match part {
                        Part::Literal(_) => continue,
                        Part::Variable(id) => self.variable(*id, operand),
                        Part::Field(field) => self.container(field.container, operand),
                        Part::Vault(name) => self.entry(name, operand),
                    };
                    taint.join(&part);
                }
                taint
            }
            OperandKind::Number(_) | OperandKind::Bool(_) => Taint::default(),
            OperandKind::Variable(id) => self.variable(*id, operand),
            OperandKind::Field(field) => self.container(field.container, operand),
            OperandKind::Container(id) => self.container(*id, operand),
            OperandKind::Vault(name) => self.entry(name, operand),
        }
    }

    fn entry(&mut self, name: &'s str, operand: &Operand) -> Taint {
        self.check.reads.fetched(name, operand.span);
        self.check.entry(name).and(&self.within())
    }

    fn variable(&mut self, id: VariableId, operand: &Operand) -> Taint {
        let slot = self.slot(|frame| frame.variables.get(id.index()));
        self.check.reads.variable(id, operand.span, slot.is_set);
        slot.taint
    }

    fn container(&mut self, id: ContainerId, operand: &Operand) -> Taint {
        let slot = self.slot(|frame| frame.containers.get(id.index()));
        self.check.reads.container(id, operand.span, slot.is_set);
        slot.taint
    }

    /// What is read in a place: what stands in the call, or else in the script.
    fn slot(&self, of: impl Fn(&Frame) -> Option<&Slot>) -> Slot {
        let own = self.state.as_ref().and_then(|state| of(&state.frame));
        let Some(mut slot) = own.cloned() else {
            return Slot::unset();
        };
        if slot.is_unset
            && let Some(outer) = self.globals().and_then(of)
        {
            slot.is_unset = outer.is_unset;
            slot.is_set |= outer.is_set;
            slot.taint.join(&outer.taint);
        }
        slot
    }

    pub(super) fn read(&self, place: &Place) -> Slot {
        match place {
            Place::Variable(id) => self.slot(|frame| frame.variables.get(id.index())),
            Place::Container(id) => self.slot(|frame| frame.containers.get(id.index())),
            Place::Vault(_) => Slot::unset(),
        }
    }

    // What is assigned.

    /// Puts a result in a place. Under `safe` what was there may stay, and derives then from the
    /// operands as well.
    pub(super) fn set(&mut self, present: &Present<'s>, place: &Place, taint: &Taint) {
        let within = self.within();
        let taint = taint.clone().and(&within);
        if let Place::Vault(name) = place {
            let operands = match present.is_safe {
                true => Taint::all(&present.operands),
                false => Taint::default(),
            };
            return self.check.keep(name, &taint.and(&operands));
        }
        let mut slot = Slot::set(taint);
        if present.is_safe {
            let operands = Taint::all(&present.operands);
            let stays = self.read(place);
            if operands.is_secret() {
                slot.taint = slot.taint.and(&operands).and(&within).and(&stays.taint);
            }
            if let Some(own) = self.own(place) {
                slot.join(own);
            }
        }
        if let Some(own) = self.own(place) {
            *own = slot;
        }
    }

    /// Puts a value in a place, whatever stood there.
    pub(super) fn set_new(&mut self, place: &Place, taint: Taint) {
        let slot = Slot::set(taint.and(&self.within()));
        if let Some(own) = self.own(place) {
            *own = slot;
        }
    }

    /// What stands in a place derives from this as well, and something stands there now.
    pub(super) fn taint_place(&mut self, place: &Place, taint: &Taint) {
        match place {
            Place::Vault(name) => self.check.keep(name, taint),
            _ => {
                let taint = self.read(place).taint.and(taint).and(&self.within());
                if let Some(own) = self.own(place) {
                    *own = Slot::set(taint);
                }
            }
        }
    }

    fn own(&mut self, place: &Place) -> Option<&mut Slot> {
        let frame = &mut self.state.as_mut()?.frame;
        match place {
            Place::Variable(id) => frame.variables.get_mut(id.index()),
            Place::Container(id) => frame.containers.get_mut(id.index()),
            Place::Vault(_) => None,
        }
    }
}
