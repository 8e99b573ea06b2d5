//! Conditions, loops and calls.

use super::eval::taint_of;
use super::flow::Look;
use super::memo::{Level, Tags};
use super::stop::{Failure, Stop};
use super::value::{Taint, Value, compute};
use super::{Evaluated, Following, Frame, Item, MAX_CALLS, MAX_STEPS, Machine, Present};
use crate::syntax::ast::{Arm, Block, Condition, OperandId, Phrase, Target};
use crate::syntax::{FunctionId, Span, VariableId};
use crate::world::Site;
use subrosa_egress::feather::Operation;

impl<'s> Machine<'s, '_> {
    pub(super) fn choose(
        &mut self,
        present: &mut Present<'s>,
        arms: &'s [Arm],
        otherwise: Option<&'s Block>,
    ) -> Result<(), Stop> {
        for (at, arm) in arms.iter().enumerate() {
            present.phrase = &arm.phrase;
            let decided = self.look_at(present, &arm.phrase, arm.condition)?;
            let Some(taint) = taint_of(&present.operands) else {
                match decided? {
                    true => return self.block(&arm.body, false),
                    false => continue,
                }
            };
            self.admit(present, &taint)?;
            let mut look = Look::at(self.script);
            for block in arms[at..].iter().map(|arm| &arm.body).chain(otherwise) {
                look.block(block);
            }
            return self.secretly(present.header(), &taint, look, |machine| match decided? {
                true => machine.block(&arm.body, false),
                false => machine.choose_secretly(&arms[at + 1..], otherwise),
            });
        }
        match otherwise {
            Some(block) => self.block(block, false),
            None => Ok(()),
        }
    }

    /// The operands of a condition, which are those of the statement from here on, and what it comes
    /// to. Where that cannot be had because of a secret, this is for whoever looked at what it
    /// derives from first.
    fn look_at(
        &mut self,
        present: &mut Present<'s>,
        phrase: &'s Phrase,
        condition: Condition,
    ) -> Result<Result<bool, Failure>, Failure> {
        let (operands, failed) = self.evaluate_each(phrase);
        present.operands = operands;
        match failed {
            Some(failure) if !failure.is_secret => Err(failure),
            Some(failure) => Ok(Err(failure)),
            None => Ok(decide(condition, &present.operands)),
        }
    }

    /// The arms behind one that was decided by a secret.
    fn choose_secretly(
        &mut self,
        arms: &'s [Arm],
        otherwise: Option<&'s Block>,
    ) -> Result<(), Stop> {
        for arm in arms {
            let operands = self.evaluate_all(&arm.phrase)?;
            if decide(arm.condition, &operands)? {
                return self.block(&arm.body, false);
            }
        }
        match otherwise {
            Some(block) => self.block(block, false),
            None => Ok(()),
        }
    }

    pub(super) fn repeat(
        &mut self,
        present: &mut Present<'s>,
        count: OperandId,
        body: &'s Block,
    ) -> Result<(), Stop> {
        let value = present.text(count)?;
        let counted = match present.failed.take() {
            Some(failure) => Err(failure),
            None => value
                .count()
                .ok_or_else(|| Failure::new("not-a-count", "a count is a whole number from zero")),
        };
        let turns = |machine: &mut Self| {
            for _ in 0..counted? {
                machine.block(body, true)?;
                machine.one_step()?;
            }
            Ok(())
        };
        let Some(taint) = value.taint() else {
            return turns(self);
        };
        self.admit(present, &taint)?;
        let mut look = Look::at(self.script);
        look.block(body);
        self.secretly(present.header(), &taint, look, turns)
    }

    /// A statement is a step, and so is a turn of a loop, also of one without statements.
    pub(super) fn one_step(&mut self) -> Result<(), Failure> {
        self.steps += 1;
        let failure = match (self.steps > MAX_STEPS, self.world.is_over()) {
            (true, _) => {
                let message = format!("it has run {MAX_STEPS} statements, and no script runs more");
                Failure::new("too-long", message)
            }
            (false, true) => Failure::new("over", "it had to end here"),
            (false, false) => return Ok(()),
        };
        Err(failure.secret_if(self.within.is_some()))
    }

    pub(super) fn turn(
        &mut self,
        present: &mut Present<'s>,
        condition: Condition,
        body: &'s Block,
    ) -> Result<(), Stop> {
        let phrase = &present.statement.phrase;
        let mut decided = match present.failed.take() {
            Some(failure) => Err(failure),
            None => decide(condition, &present.operands),
        };
        loop {
            if let Some(taint) = taint_of(&present.operands) {
                self.admit(present, &taint)?;
                let mut look = Look::at(self.script);
                look.block(body);
                return self.secretly(present.header(), &taint, look, |machine| {
                    while decided? {
                        machine.block(body, true)?;
                        machine.one_step()?;
                        let operands = machine.evaluate_all(phrase)?;
                        decided = decide(condition, &operands);
                    }
                    Ok(())
                });
            }
            if !decided? {
                return Ok(());
            }
            self.block(body, true)?;
            self.one_step()?;
            decided = self.look_at(present, phrase, condition)?;
        }
    }

    pub(super) fn iterate(
        &mut self,
        present: &mut Present<'s>,
        over: OperandId,
        item: VariableId,
        body: &'s Block,
    ) -> Result<(), Stop> {
        let over = present.item(over)?;
        let taint = over.taint();
        let members = match (present.failed.take(), over) {
            (Some(failure), _) => Err(failure),
            (None, Item::Container(container)) => Ok(container),
            (None, Item::Text(_)) => Err(Failure::new("not-a-container", "a text has no members")),
        };
        let turns = |machine: &mut Self| {
            let container = members?;
            for member in container.members() {
                let value = member.clone().tainted(container.taint.as_ref());
                let value = value
                    .and_then(|member| member.text())
                    .map_err(Failure::from)?;
                machine.set_variable(item, value)?;
                machine.block(body, true)?;
                machine.one_step()?;
            }
            Ok(())
        };
        let Some(taint) = taint else {
            return turns(self);
        };
        self.admit(present, &taint)?;
        let mut look = Look::at(self.script);
        // Also where there is no member.
        look.member(item);
        look.block(body);
        self.secretly(present.header(), &taint, look, turns)
    }

    pub(super) fn step(
        &mut self,
        present: &mut Present<'s>,
        variable: VariableId,
        by: Option<OperandId>,
        down: bool,
    ) -> Result<(), Failure> {
        let by = match by {
            Some(by) => present.text(by)?,
            None => Value::public("1"),
        };
        let before = self.known_variable(variable)?.clone();
        let operation = match down {
            true => Operation::Sub,
            false => Operation::Add,
        };
        let taints: Vec<Taint> = [&before, &by]
            .iter()
            .filter_map(|one| one.taint())
            .collect();
        let taint = Taint::of(&taints);
        present.is_sensitive |= taint.is_some();
        // Under `safe` it goes on in any case, and looks the same in each.
        let vague = (taint.clone().map(Taint::vague)).filter(|_| present.clauses.safe.is_some());
        let value = match compute(operation, &[&before, &by], None) {
            Ok(value) => value.tainted(vague.as_ref())?,
            Err(fault) => {
                self.set_variable(variable, before.tainted(vague.as_ref())?)?;
                return Err(Failure::from(fault).secret_if(taint.is_some()));
            }
        };
        present.came_to = Some(value.clone());
        self.set_variable(variable, value)
    }

    pub(super) fn parameter(&self, index: u16) -> Result<Item, Failure> {
        let arguments = self.frames.last().map(|frame| &frame.arguments);
        let at = usize::from(index).checked_sub(1);
        let found = at.and_then(|at| arguments.and_then(|all| all.get(at)));
        found.cloned().ok_or_else(|| {
            let message = format!("it was called without parameter {index}");
            Failure::new("missing-parameter", message)
                .hint("pass one more value, or write `safe parameter`")
        })
    }

    pub(super) fn invoke(
        &mut self,
        present: &mut Present<'s>,
        id: FunctionId,
        args: &[OperandId],
        into: Option<&Target>,
    ) -> Result<(), Stop> {
        let name = self.script.function_names.text(id);
        let Some(function) = self.script.function(id) else {
            let failure = Failure::new("unknown-function", format!("there is no function #{name}"));
            let is_defined = |id| self.script.function(id).is_some();
            let hint = match self.script.function_names.near(id, is_defined) {
                Some(meant) => format!("did you mean `#{meant}`?"),
                None => format!("define it: function #{name} … end"),
            };
            return Err(failure.hint(hint).into());
        };
        if self.frames.len() > MAX_CALLS {
            let message = format!("more than {MAX_CALLS} calls within each other");
            return Err(Failure::new("too-deep", message).into());
        }
        let arguments: Vec<Item> = args
            .iter()
            .map(|id| present.item(*id))
            .collect::<Result<_, _>>()?;
        let taints: Vec<Taint> = arguments.iter().filter_map(Item::taint).collect();
        let given = Taint::of(&taints);
        self.frames.push(Frame::new(self.script, arguments));
        self.following.push(Vec::<Following<'s>>::new());
        let cluster = std::mem::take(&mut self.cluster);
        let (within, header) = (self.within.clone(), self.header);
        let ran = self.block(&function.body, false);
        // What came to be decided by a secret inside stays inside.
        let left = std::mem::replace(&mut self.within, within);
        self.cluster = cluster;
        self.following.pop();
        self.frames.pop();
        // Whichever way it ended.
        present.is_sensitive |= left.is_some();
        let taint = Taint::of(given.iter().chain(&left));
        match ran {
            Err(Stop::Done {
                is_success: true,
                value,
                ..
            }) => {
                self.header = header;
                let Some(into) = into else {
                    return Ok(());
                };
                // What it was given is in it, whatever the function made of that.
                let value = value.unwrap_or_else(|| Value::public(""));
                let value = value.tainted(taint.as_ref()).map_err(Failure::from)?;
                Ok(self.assign(present, into, value)?)
            }
            Err(Stop::Done {
                value, is_secret, ..
            }) => {
                if !is_secret {
                    self.header = header;
                }
                let why = match &value {
                    Some(value) => format!("#{name} ended with failure: {}", value.shown()),
                    None => format!("#{name} ended with failure"),
                };
                Err(Failure::new("function-failed", why)
                    .secret_if(is_secret)
                    .beside(taint)
                    .into())
            }
            Err(failed) => Err(failed),
            Ok(()) => {
                // That no way through it ends with success is known to whoever reads it.
                let is_secret = left.is_some();
                if !is_secret {
                    self.header = header;
                    let ended = format!("#{name} ended without success");
                    self.tell(Level::Failure, Tags::default(), &ended, false);
                }
                let message = format!("#{name} came to its end without success");
                Err(Failure::new("no-success", message)
                    .hint("end it with success, or with failure and why")
                    .secret_if(is_secret)
                    .beside(taint)
                    .into())
            }
        }
    }
}

impl Present<'_> {
    /// Whoever decides on a block.
    pub(super) fn header(&self) -> (Span, Site) {
        (self.statement.span, self.site)
    }
}

/// What a condition comes to: one bit, of a secret where anything in it is one.
fn decide(condition: Condition, operands: &[Evaluated]) -> Result<bool, Failure> {
    let value = super::tools::condition(condition, operands)?;
    value.decide().ok_or_else(|| {
        let message = "a condition is 'true' or 'false', and this is neither";
        Failure::new("not-a-truth", message).hint("compare it: if @x is 'yes'")
    })
}
