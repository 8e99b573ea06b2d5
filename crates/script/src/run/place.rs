//! Where values stand: variables, containers, entries.

use std::rc::Rc;

use super::container::Container;
use super::eval::taint_of;
use super::stop::{Failure, Stop};
use super::value::{Taint, Value};
use super::{Machine, Present, flow};
use crate::syntax::ast::{Command, OperandId, Place};
use crate::syntax::{ContainerId, VariableId};
use crate::world::Site;

impl<'s> Machine<'s, '_> {
    /// The value of a variable, in the call or else of the script.
    pub(super) fn variable(&self, id: VariableId) -> Option<&Value> {
        let own = self
            .frames
            .last()
            .and_then(|frame| frame.variables.get(id.index())?.as_ref());
        own.or_else(|| self.frames.first()?.variables.get(id.index())?.as_ref())
    }

    pub(super) fn container(&self, id: ContainerId) -> Option<&Rc<Container>> {
        let own = self
            .frames
            .last()
            .and_then(|frame| frame.containers.get(id.index())?.as_ref());
        own.or_else(|| self.frames.first()?.containers.get(id.index())?.as_ref())
    }

    pub(super) fn set_variable(&mut self, id: VariableId, value: Value) -> Result<(), Failure> {
        let value = value.tainted(self.within.as_ref())?;
        if let Some(slot) = self
            .frames
            .last_mut()
            .and_then(|frame| frame.variables.get_mut(id.index()))
        {
            *slot = Some(value);
        }
        Ok(())
    }

    pub(super) fn set_container(&mut self, id: ContainerId, mut container: Rc<Container>) {
        if let Some(taint) = &self.within {
            Rc::make_mut(&mut container).add_taint(taint);
        }
        if let Some(slot) = self
            .frames
            .last_mut()
            .and_then(|frame| frame.containers.get_mut(id.index()))
        {
            *slot = Some(container);
        }
    }

    /// What stands in a place derives from `taint` as well; where nothing does, an empty text does
    /// now, so that whether there is something tells nothing.
    pub(super) fn taint_place(
        &mut self,
        site: Site,
        place: &Place,
        taint: &Taint,
    ) -> Result<(), Failure> {
        match place {
            Place::Variable(id) => {
                let value = self
                    .variable(*id)
                    .cloned()
                    .unwrap_or_else(|| Value::public(""));
                self.set_variable(*id, value.tainted(Some(taint))?)
            }
            Place::Container(id) => {
                let mut container = self.container(*id).cloned().unwrap_or_default();
                Rc::make_mut(&mut container).add_taint(taint);
                self.set_container(*id, container);
                Ok(())
            }
            Place::Vault(entry) => {
                if !self.world.has(entry) {
                    let empty = Value::public("").tainted(Some(taint))?;
                    self.world.keep(site, entry, empty.given())?;
                }
                Ok(())
            }
        }
    }

    /// What would have been in the places that a statement under `safe` left as they were may have
    /// been a secret.
    pub(super) fn left_unset(
        &mut self,
        present: &mut Present<'s>,
        failure: &Failure,
    ) -> Result<(), Stop> {
        let operands = taint_of(&present.operands);
        let Some(taint) = Taint::of(operands.iter().chain(failure.taint.as_deref())) else {
            return Ok(());
        };
        present.is_sensitive = true;
        let taint = taint.vague();
        for place in flow::places(present.statement) {
            self.taint_place(present.site, &place, &taint)?;
            if matches!(place, Place::Variable(_)) {
                let empty = Value::public("").tainted(Some(&taint));
                present.came_to = Some(empty.map_err(Failure::from)?);
            }
        }
        Ok(())
    }
}

impl Present<'_> {
    /// Whether nothing that is a secret decides whether the statement fails.
    pub(super) fn fails_in_public(&self) -> bool {
        let takes_in = matches!(
            self.statement.command,
            Command::Fetch { .. } | Command::Ask { .. }
        );
        takes_in && taint_of(&self.operands).is_none()
    }

    /// What goes into the vault is shown to nobody from here on.
    pub(super) fn hide_kept(&mut self) {
        let command = &self.statement.command;
        let is_kept =
            flow::target(command).is_some_and(|target| matches!(target.place, Place::Vault(_)));
        let hidden: Option<OperandId> = match command {
            Command::Store { value, .. } => Some(*value),
            Command::Ask { default, .. } if is_kept => *default,
            Command::Assign { .. }
            | Command::Append { .. }
            | Command::Plus { .. }
            | Command::Text { .. }
            | Command::Math { .. }
            | Command::Bool { .. }
            | Command::List { .. }
            | Command::Map { .. }
            | Command::Invoke { .. }
                if is_kept =>
            {
                for operand in &mut self.operands {
                    operand.is_hidden = true;
                }
                None
            }
            _ => None,
        };
        if let Some(operand) = hidden.and_then(|id| self.operands.get_mut(id.index())) {
            operand.is_hidden = true;
        }
    }
}
