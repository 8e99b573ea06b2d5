//! Conditions, loops and calls, every way at once.

use super::points::{Sink, Why};
use super::state::either;
use super::taint::Taint;
use super::walk::{Present, Walk};
use crate::run::flow::Look;
use crate::syntax::ast::{Arm, Block, Command, OperandId, Place, Target};
use crate::syntax::{FunctionId, Span, VariableId};

/// What the turns of a loop depend on.
#[derive(Clone, Copy)]
pub(super) enum Turns {
    /// A number, read once.
    Count(OperandId),
    /// The members of a container, each in this place.
    Members(OperandId, VariableId),
    /// A condition that is read before each turn.
    While,
}

impl<'s> Walk<'_, 's> {
    pub(super) fn choose(
        &mut self,
        present: &Present<'s>,
        arms: &'s [Arm],
        otherwise: Option<&'s Block>,
    ) {
        let mut taints: Vec<Taint> = Vec::new();
        for arm in arms {
            let operands = self.operands(&arm.phrase);
            taints.push(Taint::all(&operands));
        }
        let first = taints.iter().position(Taint::is_secret);
        let (public, secret) = arms
            .split_at_checked(first.unwrap_or(arms.len()))
            .unwrap_or_default();
        let mut out = None;
        let before = self.state.clone();
        for arm in public {
            self.state = before.clone();
            self.block(&arm.body, false);
            out = either(out, self.state.take());
        }
        self.state = before;
        let taint = Taint::all(taints.iter().skip(public.len()));
        match first {
            Some(_) if present.is_sensitive => {
                let blocks = secret.iter().map(|arm| &arm.body).chain(otherwise);
                let look = self.look(blocks);
                self.secretly(present.statement.span, &taint, look, |walk| {
                    walk.branches(secret, otherwise)
                });
            }
            _ => {
                if taint.is_secret() {
                    self.refuse(present, Sink::Condition, &taint, Why::Undeclared);
                }
                self.branches(secret, otherwise);
            }
        }
        self.state = either(self.state.take(), out);
    }

    /// Any of the arms, or none.
    fn branches(&mut self, arms: &'s [Arm], otherwise: Option<&'s Block>) {
        let before = self.state.clone();
        if let Some(block) = otherwise {
            self.block(block, false);
        }
        for arm in arms {
            let ended = std::mem::replace(&mut self.state, before.clone());
            self.block(&arm.body, false);
            self.state = either(self.state.take(), ended);
        }
    }

    pub(super) fn repeated(&mut self, present: &Present<'s>, turns: Turns, body: &'s Block) {
        let given = match turns {
            Turns::Count(id) | Turns::Members(id, _) => present.taint(id),
            Turns::While => Taint::default(),
        };
        let Some(state) = self.state.take() else {
            return;
        };
        let header = present.statement.span.start;
        let state = self.check.turn(self.context, header, state);
        self.state = Some(state.clone());
        let taint = match turns {
            Turns::While => {
                let operands = self.operands(&present.statement.phrase);
                Taint::all(&operands)
            }
            _ => given,
        };
        let is_secretly = taint.is_secret() && present.is_sensitive;
        if taint.is_secret() && !is_secretly {
            let sink = match turns {
                Turns::Count(_) => Sink::Count,
                _ => Sink::Condition,
            };
            self.refuse(present, sink, &taint, Why::Undeclared);
        }
        let turn = |walk: &mut Self| {
            if let Turns::Members(_, item) = turns {
                walk.set_new(&Place::Variable(item), taint.clone());
            }
            walk.block(body, true);
        };
        match is_secretly {
            true => {
                let look = self.look([body]);
                self.secretly(present.statement.span, &taint, look, turn);
            }
            false => turn(self),
        }
        if let Some(round) = self.state.take() {
            self.check.turn(self.context, header, round);
        }
        self.state = Some(state);
        if is_secretly {
            // Also where there was no turn at all.
            let look = self.look([body]);
            self.secretly(present.statement.span, &taint, look, |_| {});
            if let Turns::Members(_, item) = turns {
                self.taint_place(&Place::Variable(item), &taint);
            }
        }
    }

    /// What these blocks may do.
    fn look<'b>(&self, blocks: impl IntoIterator<Item = &'b Block>) -> Look<'s> {
        let mut look = Look::at(self.check.script);
        for block in blocks {
            look.block(block);
        }
        look
    }

    /// What a condition on a secret decides on, as in a run: a way out in there would show which way
    /// was taken, and what is assigned there is a secret afterwards.
    pub(super) fn secretly(
        &mut self,
        header: Span,
        taint: &Taint,
        look: Look<'s>,
        run: impl FnOnce(&mut Self),
    ) {
        let script = self.check.script;
        let mut seen = look.seen();
        let ends_function = seen.ends && self.is_function();
        if ends_function {
            let mut look = Look::at(script);
            for statements in &self.following {
                look.statements(statements);
            }
            let rest = look.seen();
            seen.sinks.extend(rest.sinks);
            seen.assigned.variables.extend(rest.assigned.variables);
            seen.assigned.containers.extend(rest.assigned.containers);
            seen.assigned.entries.extend(rest.assigned.entries);
        }
        let Some(state) = &mut self.state else {
            return;
        };
        let before = state.within.clone();
        state.within.taint.join(taint);
        if !before.taint.is_secret() {
            state.within.headers.clear();
        }
        state.within.headers.insert(header.start);
        let decided = state.within.taint.clone();
        for sink in seen.sinks {
            self.check.points.within(sink, &decided, header);
        }
        run(self);
        let Some(state) = &mut self.state else {
            return;
        };
        let taint = state.within.taint.clone();
        if !ends_function {
            state.within = before;
        }
        for id in seen.assigned.variables {
            self.taint_place(&Place::Variable(id), &taint);
        }
        for id in seen.assigned.containers {
            self.taint_place(&Place::Container(id), &taint);
        }
        for entry in seen.assigned.entries {
            self.check.keep(&entry, &taint);
        }
    }

    pub(super) fn invoke(
        &mut self,
        present: &Present<'s>,
        function: FunctionId,
        args: &[OperandId],
        into: Option<&'s Target>,
    ) {
        let Some(state) = &self.state else {
            return;
        };
        let is_defined = self.check.script.function(function).is_some();
        let given = present.taints(args);
        let (result, set, ended) = match is_defined {
            true => {
                let arguments = args.iter().map(|id| present.taint(*id)).collect();
                let globals = self.script_frame();
                self.check.call(function, arguments, state, &globals)
            }
            false => {
                self.check
                    .reads
                    .unknown_function(function, present.statement.span);
                Default::default()
            }
        };
        self.hand_on(&set);
        match (&result, into) {
            (None, _) if !present.is_safe => self.state = None,
            (_, Some(into)) => {
                // What it was given is in what it gives back, whatever it does with it.
                let mut taint = result.unwrap_or_default().and(&given);
                if present.is_safe {
                    taint.join(&ended);
                }
                self.set(present, &into.place, &taint);
            }
            _ => {}
        }
    }

    /// Later processes are given what derives from this.
    pub(super) fn hand_on(&mut self, taint: &Taint) {
        if let Some(state) = &mut self.state {
            state.environment.join(taint);
        }
        if let Some(context) = self.check.contexts.get_mut(self.context) {
            self.check.is_news |= context.set.join(taint);
        }
    }

    /// The function may end here.
    pub(super) fn ended(&mut self) {
        let within = self.within();
        if let Some(context) = self.check.contexts.get_mut(self.context) {
            self.check.is_news |= context.ended.join(&within);
        }
    }

    /// `success` and `failure`.
    pub(super) fn done(
        &mut self,
        present: &Present<'s>,
        is_success: bool,
        value: Option<OperandId>,
    ) {
        let value = value.map(|id| present.taint(id)).unwrap_or_default();
        let value = value.and(&self.within());
        self.ended();
        if is_success && let Some(context) = self.check.contexts.get_mut(self.context) {
            self.check.is_news |= match &mut context.result {
                Some(result) => result.join(&value),
                None => {
                    context.result = Some(value);
                    true
                }
            };
        }
        // One that fails itself, under `safe`, goes on.
        if !present.is_safe {
            self.state = None;
        }
    }

    /// Entries of a container.
    pub(super) fn entries(&mut self, body: &'s Block) -> Taint {
        let mut taint = Taint::default();
        for statement in &body.statements {
            taint = Taint::all(&self.operands(&statement.phrase)).and(&taint);
            if let Command::AddContainer { body, .. } = &statement.command {
                taint.join(&self.entries(body));
            }
        }
        taint
    }
}
