//! What commands do.

use std::rc::Rc;
use std::time::Duration;

use subrosa_egress::feather::Operation;

use super::container::Container;
use super::stop::{Failure, Stop};
use super::value::{Value, compute};
use super::{Item, Machine, Present};
use crate::syntax::ContainerId;
use crate::syntax::ast::{Block, Clauses, Command, Delay, OperandId, Place, Target};

impl<'s> Machine<'s, '_> {
    pub(super) fn command(&mut self, present: &mut Present<'s>) -> Result<(), Stop> {
        let line = present.site.line;
        match &present.statement.command {
            Command::Assign { value, into } => {
                let item = present.item(*value)?;
                self.assign_item(present, into, item)?;
            }
            Command::Store { value, entry } => {
                let value = present.text(*value)?.tainted(self.within.as_ref());
                self.world
                    .keep(present.site, entry, value.map_err(Failure::from)?.given())
                    .map_err(Failure::from)?;
            }
            Command::Fetch { entry, into } => {
                present.is_sensitive = true;
                let value = self.entry(entry, line)?;
                self.assign(present, into, value)?;
            }
            Command::Import { glob } => self.import(present, *glob)?,
            Command::Append { left, right, into } => {
                let value = present.compute(Operation::Concat, &[*left, *right])?;
                self.assign(present, into, value)?;
            }
            Command::Plus { left, right, into } => {
                let operation = match present.statement.lens {
                    Some(_) => Operation::IntegerSum,
                    None => Operation::Concat,
                };
                let value = present.compute(operation, &[*left, *right])?;
                self.assign(present, into, value)?;
            }
            Command::Say { value } => self.say(present, *value)?,
            Command::Ask {
                prompt,
                default,
                mask,
                into,
            } => self.ask(present, *prompt, *default, *mask, into)?,
            Command::Cabinet(cabinet) => self.cabinet(present, cabinet)?,
            Command::Script { line, into } => {
                let text = present.text(*line)?;
                self.process(present, &[text], true, into.as_ref())?;
            }
            Command::Program { line, into } => {
                let words = self.words(present, *line)?;
                self.process(present, &words, false, into.as_ref())?;
            }
            Command::Environment { value, name } => self.environment(present, *value, *name)?,
            Command::Call {
                capability,
                with,
                into,
            } => self.call(present, *capability, *with, into.as_ref())?,
            Command::Text { op, args, into } => self.text_tool(present, *op, args, into)?,
            Command::Math { op, args, into } => {
                let value = present.compute(super::tools::math(*op), args)?;
                self.assign(present, into, value)?;
            }
            Command::Bool { op, args, into } => {
                let value = present.compute(super::tools::truth(*op), args)?;
                self.assign(present, into, value)?;
            }
            Command::Container { name, body } => {
                let made = self.fill(present, Container::default(), body)?;
                self.put(present, *name, Rc::new(made));
            }
            Command::Open { name, body } => {
                let open = (**self.known_container(*name)?).clone();
                let changed = self.fill(present, open, body)?;
                self.put(present, *name, Rc::new(changed));
            }
            // Outside of a container the parser lets none of them through.
            Command::AddItem { .. }
            | Command::AddMap { .. }
            | Command::AddContainer { .. }
            | Command::RemoveItem { .. } => {
                let message = "there is no container here to change";
                return Err(Failure::new("no-container", message).into());
            }
            Command::List {
                op,
                list,
                value,
                separator,
                into,
            } => self.list_tool(present, *op, (*list, *value, *separator), into.as_ref())?,
            Command::Map {
                op,
                map,
                key,
                value,
                into,
            } => self.map_tool(present, *op, (*map, *key, *value), into.as_ref())?,
            Command::If { arms, otherwise } => {
                return self.choose(present, arms, otherwise.as_ref());
            }
            Command::Repeat { count, body } => return self.repeat(present, *count, body),
            Command::While { condition, body } => return self.turn(present, *condition, body),
            Command::Iterate { over, item, body } => {
                return self.iterate(present, *over, *item, body);
            }
            Command::Step { variable, by, down } => self.step(present, *variable, *by, *down)?,
            Command::Define(_) => {}
            Command::Invoke {
                function,
                args,
                into,
            } => return self.invoke(present, *function, args, into.as_ref()),
            Command::Parameter { index, into } => {
                let item = self.parameter(*index)?;
                self.assign_item(present, into, item)?;
            }
            Command::Wait(delay) => {
                let time = self.delay(present, *delay)?;
                self.wait(time)?;
            }
            Command::Success { value } => return Err(self.done(present, true, *value)?),
            Command::Failure { value } => return Err(self.done(present, false, *value)?),
            Command::Cluster { body } => return self.cluster(present.statement.clauses, body),
        }
        Ok(())
    }

    /// Waits, no longer than the statements around may take.
    fn wait(&mut self, time: Duration) -> Result<(), Failure> {
        let left = self.time_left();
        self.world.wait(left.map_or(time, |left| left.min(time)));
        match self.deadline {
            Some(deadline) if left.is_some_and(|left| left < time) => Err(Failure::late(deadline)),
            _ => Ok(()),
        }
    }

    /// `success` and `failure`.
    pub(super) fn done(
        &mut self,
        present: &mut Present<'s>,
        is_success: bool,
        value: Option<OperandId>,
    ) -> Result<Stop, Failure> {
        let value = value.map(|id| present.text(id)).transpose()?;
        Ok(Stop::Done {
            is_success,
            value,
            is_secret: self.within.is_some(),
        })
    }

    pub(super) fn cluster(&mut self, clauses: Clauses, body: &'s Block) -> Result<(), Stop> {
        let before = self.cluster;
        self.cluster = Clauses {
            safe: clauses.safe.or(before.safe),
            sensitive: clauses.sensitive.or(before.sensitive),
        };
        let ran = self.block(body, false);
        self.cluster = before;
        ran
    }

    /// Puts a container where it goes.
    pub(super) fn put(
        &mut self,
        present: &mut Present<'s>,
        id: ContainerId,
        mut container: Rc<Container>,
    ) {
        if let Some(taint) = &container.taint {
            present.is_sensitive = true;
            if present.clauses.safe.is_some() {
                // As in `assign_item`.
                let taint = taint.clone().vague();
                Rc::make_mut(&mut container).add_taint(&taint);
            }
        }
        self.set_container(id, container);
    }

    /// Puts a result where it goes.
    pub(super) fn assign(
        &mut self,
        present: &mut Present<'s>,
        into: &Target,
        value: Value,
    ) -> Result<(), Failure> {
        self.assign_item(present, into, Item::Text(value))
    }

    pub(super) fn assign_item(
        &mut self,
        present: &mut Present<'s>,
        into: &Target,
        item: Item,
    ) -> Result<(), Failure> {
        present.is_sensitive |= item.taint().is_some();
        // Under `safe` the target is set also where the statement fails, and then by its operands.
        let is_either = present.clauses.safe.is_some() && !present.fails_in_public();
        let item = match (is_either, item.taint()) {
            (true, Some(taint)) => item.tainted(&taint.vague())?,
            _ => item,
        };
        match (&into.place, item) {
            (Place::Variable(id), item) => {
                let value = item.text()?;
                present.came_to = Some(value.clone());
                self.set_variable(*id, value)
            }
            (Place::Vault(entry), item) => {
                let value = item.text()?.tainted(self.within.as_ref())?;
                present.is_sensitive = true;
                Ok(self.world.keep(present.site, entry, value.given())?)
            }
            (Place::Container(id), Item::Container(container)) => {
                self.set_container(*id, container);
                Ok(())
            }
            (Place::Container(_), Item::Text(text)) => {
                let message = "a text is no container";
                Err(Failure::new("not-a-container", message)
                    .hint("use list add or map set")
                    .by(text.taint()))
            }
        }
    }

    pub(super) fn delay(
        &mut self,
        present: &Present<'s>,
        delay: Delay,
    ) -> Result<Duration, Failure> {
        let amount = present.text(delay.amount)?;
        let taint = amount.taint();
        if let Some(taint) = &taint {
            self.admit(present, taint)?;
        }
        let failed = |fault| Failure::from(fault).by(taint.clone());
        let thousand = Value::public("1000");
        let milli = compute(Operation::Mul, &[&amount, &thousand], None).map_err(failed)?;
        let whole = compute(Operation::Floor, &[&milli], None).map_err(failed)?;
        let Some(milli) = whole.count() else {
            let message = "a time is a number from zero";
            return Err(Failure::new("not-a-time", message).by(taint));
        };
        Ok(Duration::from_millis(
            milli.saturating_mul(delay.unit.seconds()),
        ))
    }
}
