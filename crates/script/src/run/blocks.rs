//! Conditions, loops and calls.

use super::stop::{Failure, Stop};
use super::value::{Taint, Value, compute};
use super::{Evaluated, Following, Frame, Item, MAX_CALLS, Machine, Present};
use crate::syntax::ast::{Arm, Block, Condition, OperandId, Place, Target};
use crate::syntax::{FunctionId, VariableId};
use subrosa_egress::feather::Operation;

impl<'s> Machine<'s, '_> {
    /// Decides a condition; what decided it, where that is a secret.
    pub(super) fn decide(
        &mut self,
        present: &Present<'s>,
        condition: Condition,
        operands: &[Evaluated],
    ) -> Result<(bool, Option<Taint>), Failure> {
        let value = super::tools::condition(condition, operands)?;
        let taint = value.taint();
        if let Some(taint) = &taint {
            self.admit(present, taint)?;
        }
        let is_secret = taint.is_some();
        match value.decide() {
            Some(decision) => Ok((decision, taint)),
            None => {
                let message = "a condition is 'true' or 'false', and this is neither";
                Err(Failure::new("not-a-truth", message)
                    .hint("compare it: if @x is 'yes'")
                    .secret_if(is_secret))
            }
        }
    }

    pub(super) fn choose(
        &mut self,
        present: &mut Present<'s>,
        arms: &'s [Arm],
        otherwise: Option<&'s Block>,
    ) -> Result<(), Stop> {
        for (at, arm) in arms.iter().enumerate() {
            present.phrase = &arm.phrase;
            present.operands = self.evaluate_all(&arm.phrase)?;
            let operands = std::mem::take(&mut present.operands);
            let decided = self.decide(present, arm.condition, &operands);
            present.operands = operands;
            let (is_taken, taint) = decided?;
            let Some(taint) = taint else {
                match is_taken {
                    true => return self.block(&arm.body, false),
                    false => continue,
                }
            };
            let blocks: Vec<&Block> = arms[at..]
                .iter()
                .map(|arm| &arm.body)
                .chain(otherwise)
                .collect();
            return self.secretly(present, &taint, &blocks, |machine| {
                if is_taken {
                    return machine.block(&arm.body, false);
                }
                machine.choose_secretly(&arms[at + 1..], otherwise)
            });
        }
        match otherwise {
            Some(block) => self.block(block, false),
            None => Ok(()),
        }
    }

    /// The arms behind one that was decided by a secret.
    pub(super) fn choose_secretly(
        &mut self,
        arms: &'s [Arm],
        otherwise: Option<&'s Block>,
    ) -> Result<(), Stop> {
        for arm in arms {
            let operands = self.evaluate_all(&arm.phrase)?;
            let value = super::tools::condition(arm.condition, &operands)?;
            match value.decide() {
                Some(true) => return self.block(&arm.body, false),
                Some(false) => {}
                None => {
                    let message = "a condition is 'true' or 'false', and this is neither";
                    return Err(Failure::new("not-a-truth", message).secret_if(true).into());
                }
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
        let taint = value.taint();
        if let Some(taint) = &taint {
            self.admit(present, taint)?;
        }
        let Some(count) = value.count() else {
            let failure = Failure::new("not-a-count", "a count is a whole number from zero");
            return Err(failure.secret_if(taint.is_some()).into());
        };
        let turns = |machine: &mut Self| {
            for _ in 0..count {
                machine.block(body, true)?;
                machine.one_turn()?;
            }
            Ok(())
        };
        match taint {
            Some(taint) => self.secretly(present, &taint, &[body], turns),
            None => turns(self),
        }
    }

    /// A turn of a loop is a step, also of one without statements.
    pub(super) fn one_turn(&mut self) -> Result<(), Failure> {
        self.steps += 1;
        match self.steps > super::MAX_STEPS {
            true => Err(Failure::new(
                "too-long",
                format!(
                    "it has run {} statements, and no script runs more",
                    super::MAX_STEPS
                ),
            )),
            false => Ok(()),
        }
    }

    pub(super) fn turn(
        &mut self,
        present: &mut Present<'s>,
        condition: Condition,
        body: &'s Block,
    ) -> Result<(), Stop> {
        loop {
            let (goes_on, taint) = self.decide(present, condition, &present.operands)?;
            if let Some(taint) = taint {
                return self.secretly(present, &taint, &[body], |machine| {
                    let mut goes_on = goes_on;
                    while goes_on {
                        machine.block(body, true)?;
                        machine.one_turn()?;
                        let operands = machine.evaluate_all(&present.statement.phrase)?;
                        let value = super::tools::condition(condition, &operands)?;
                        goes_on = value.decide().ok_or_else(|| {
                            let message = "a condition is 'true' or 'false', and this is neither";
                            Failure::new("not-a-truth", message).secret_if(true)
                        })?;
                    }
                    Ok(())
                });
            }
            if !goes_on {
                return Ok(());
            }
            self.block(body, true)?;
            self.one_turn()?;
            present.operands = self.evaluate_all(&present.statement.phrase)?;
        }
    }

    pub(super) fn iterate(
        &mut self,
        present: &mut Present<'s>,
        over: OperandId,
        item: VariableId,
        body: &'s Block,
    ) -> Result<(), Stop> {
        let container = match present.item(over)? {
            Item::Container(container) => container,
            Item::Text(value) => {
                let failure = Failure::new("not-a-container", "a text has no members");
                return Err(failure.secret_if(value.secret().is_some()).into());
            }
        };
        let taint = container.taint.clone();
        if let Some(taint) = &taint {
            self.admit(present, taint)?;
        }
        let turns = |machine: &mut Self| {
            for member in container.members() {
                let value = member.clone().tainted(container.taint.as_ref());
                let value = value
                    .and_then(|member| member.text())
                    .map_err(Failure::from)?;
                machine.set_variable(item, value)?;
                machine.block(body, true)?;
                machine.one_turn()?;
            }
            Ok(())
        };
        match &taint {
            Some(taint) => {
                self.secretly(present, taint, &[body], turns)?;
                // Whether there was a member at all.
                self.taint_place(present.site, &Place::Variable(item), taint)?;
                Ok(())
            }
            None => turns(self),
        }
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
            let hint = match self.script.function_names.near(id) {
                Some(meant) => format!("did you mean `#{meant}`?"),
                None => format!("define it: function #{name} … end"),
            };
            return Err(failure.hint(hint).into());
        };
        if self.frames.len() > MAX_CALLS {
            let message = format!("more than {MAX_CALLS} calls within each other");
            return Err(Failure::new("too-deep", message).into());
        }
        let arguments = args
            .iter()
            .map(|id| present.item(*id))
            .collect::<Result<_, _>>()?;
        self.frames.push(Frame::new(self.script, arguments));
        self.following.push(Vec::<Following<'s>>::new());
        let cluster = std::mem::take(&mut self.cluster);
        let (within, header) = (self.within.clone(), self.header);
        let ran = self.block(&function.body, false);
        // What came to be decided by a secret inside stays inside.
        let left = std::mem::replace(&mut self.within, within.clone());
        self.cluster = cluster;
        self.following.pop();
        self.frames.pop();
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
                let value = value.unwrap_or_else(|| Value::public(""));
                let value = value.tainted(left.as_ref()).map_err(Failure::from)?;
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
                    .into())
            }
            Err(failed) => Err(failed),
            Ok(()) => {
                // That no way through it ends with success is known to whoever reads it.
                let is_secret = left.is_some();
                if !is_secret {
                    self.header = header;
                }
                let message = format!("#{name} came to its end without success");
                Err(Failure::new("no-success", message)
                    .hint("end it with success, or with failure and why")
                    .secret_if(is_secret)
                    .into())
            }
        }
    }
}
