//! Entries of a container.

use super::container::{Container, Member, NESTED};
use super::eval::{Evaluated, may_lack, taint_of};
use super::stop::Failure;
use super::value::Taint;
use super::{Item, Machine, Present};
use crate::syntax::ast::{Block, Command, OperandId, Statement};
use std::rc::Rc;

/// What a secret made fail on the way, and what all entries derive from.
#[derive(Default)]
struct Beside {
    failed: Option<Failure>,
    taint: Option<Taint>,
}

impl Beside {
    fn note(&mut self, taint: Option<Taint>) {
        self.taint = Taint::of(self.taint.iter().chain(&taint));
    }
}

impl<'s> Machine<'s, '_> {
    /// Adds what a block says to a container. An entry that a secret made fail ends nothing: those
    /// behind it are looked at all the same.
    pub(super) fn fill(
        &mut self,
        present: &mut Present<'s>,
        mut container: Container,
        body: &'s Block,
    ) -> Result<Container, Failure> {
        let mut beside = Beside::default();
        let filled = self.fill_within(&mut container, body, 0, &mut beside);
        present.is_sensitive |= beside.taint.is_some() || container.taint.is_some();
        let taint = beside.taint;
        match (filled, beside.failed) {
            (Err(failure), _) | (Ok(()), Some(failure)) => Err(failure.beside(taint)),
            (Ok(()), None) => Ok(container),
        }
    }

    fn fill_within(
        &mut self,
        container: &mut Container,
        body: &'s Block,
        depth: usize,
        beside: &mut Beside,
    ) -> Result<(), Failure> {
        if depth == NESTED {
            let message = format!("more than {NESTED} containers within each other");
            return Err(Failure::new("too-deep", message));
        }
        for statement in &body.statements {
            let (operands, failed) = self.evaluate_each(&statement.phrase);
            let taint = taint_of(&operands);
            beside.note(taint.clone());
            let taint = Taint::of(container.taint.iter().chain(&taint));
            let entered = match failed {
                Some(failure) => Err(failure),
                None => self
                    .enter(container, statement, &operands, depth, beside)
                    .map_err(|failure| {
                        let may_lack = may_lack(&statement.phrase, &operands);
                        failure.at(statement.span).secret_if(may_lack)
                    }),
            };
            match entered {
                Ok(()) => {}
                Err(failure) if failure.is_secret => {
                    if let Some(taint) = taint {
                        container.add_taint(&taint);
                    }
                    beside.failed = Some(failure.behind(beside.failed.take()));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    fn enter(
        &mut self,
        container: &mut Container,
        statement: &'s Statement,
        operands: &[Evaluated],
        depth: usize,
        beside: &mut Beside,
    ) -> Result<(), Failure> {
        let item = |id: OperandId| {
            let found = operands.get(id.index());
            found
                .map(|evaluated| evaluated.item.clone())
                .ok_or_else(|| Failure::new("no-operand", "an operand is missing"))
        };
        let text = |id: OperandId| {
            let item: Item = item(id)?;
            item.text()
        };
        // Whether it is a list or a map, and how many there are, derives from what is in it.
        let before = container.taint.clone();
        let entered = match &statement.command {
            Command::AddItem { value } => container.add(item(*value)?.into()),
            Command::AddMap { key, value } => container.set(text(*key)?, item(*value)?.into()),
            Command::AddContainer { name, body } => {
                let mut inner = Container::default();
                self.fill_within(&mut inner, body, depth + 1, beside)?;
                container.set(text(*name)?, Member::Container(Rc::new(inner)))
            }
            Command::RemoveItem { value } => {
                let value = text(*value)?;
                let taint = Taint::of(before.iter().chain(&value.taint()));
                let removed = container.remove(&value);
                let removed = removed.map_err(|fault| Failure::from(fault).by(taint.clone()))?;
                if !removed && taint.is_none() {
                    return Err(Failure::new("missing-member", "it has no such member"));
                }
                Ok(())
            }
            _ => Ok(()),
        };
        entered.map_err(|unfit| Failure::from(unfit).by(before))
    }
}
