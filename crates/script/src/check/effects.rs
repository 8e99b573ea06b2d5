//! What commands do, and what leaves by them.

use super::flow::Turns;
use super::points::{Sink, Why};
use super::taint::{Taint, UNKNOWN};
use super::walk::{Present, Walk};
use crate::run::flow::is_sink;
use crate::syntax::ast::{
    Cabinet, Command, Delay, ListOp, MapOp, OperandId, OperandKind, Place, Target,
};

impl<'s> Walk<'_, 's> {
    pub(super) fn command(&mut self, present: &mut Present<'s>) {
        let all = Taint::all(&present.operands);
        match &present.statement.command {
            Command::Assign { into, .. }
            | Command::Append { into, .. }
            | Command::Plus { into, .. }
            | Command::Text { into, .. }
            | Command::Math { into, .. }
            | Command::Bool { into, .. } => self.set(present, &into.place, &all),
            Command::Store { value, entry } => {
                let taint = present.taint(*value).and(&self.within());
                self.check.keep(entry, &taint);
            }
            Command::Fetch { entry, into } => {
                self.check.reads.fetched(entry, present.statement.span);
                let taint = self.check.entry(entry);
                self.set(present, &into.place, &taint);
            }
            Command::Import { glob } => {
                self.never(present, Sink::Import, &present.taint(*glob));
                let glob = present.statement.phrase.operand(*glob);
                self.check.reads.imported(glob.map(|glob| &glob.kind));
            }
            Command::Say { value } => self.console(present, *value),
            Command::Ask {
                prompt,
                default,
                into,
                ..
            } => {
                self.console(present, *prompt);
                let mut taint = default.map(|id| present.taint(id)).unwrap_or_default();
                if present.is_sensitive || matches!(into.place, Place::Vault(_)) {
                    taint.join(&Taint::nameless());
                }
                self.set(present, &into.place, &taint);
            }
            Command::Cabinet(cabinet) => self.cabinet(present, cabinet),
            Command::Script { line, into } | Command::Program { line, into } => {
                self.process(present, *line, into.as_ref());
            }
            Command::Environment { value, name } => {
                let (value, name) = (present.taint(*value), present.taint(*name));
                self.let_out(present, Sink::EnvironmentValue, &value);
                self.let_out(present, Sink::EnvironmentName, &name);
                if name.is_secret() {
                    self.check
                        .reads
                        .secret_name(present.statement.span, "a variable");
                }
                self.hand_on(&value);
            }
            Command::Call {
                capability,
                with,
                into,
            } => {
                let name = present.taint(*capability);
                if name.is_secret() {
                    self.check
                        .reads
                        .secret_name(present.statement.span, "a capability");
                }
                let with = with.map(|id| present.taint(id)).unwrap_or_default();
                self.let_out(present, Sink::Call, &name.and(&with));
                if let Some(into) = into {
                    // The capability may say that its answer is a secret.
                    let answer = Taint::of(self.check.labels.id(UNKNOWN)).and(&with);
                    self.set(present, &into.place, &answer);
                }
            }
            Command::Container { name, body } => {
                let taint = self.entries(body);
                self.set(present, &Place::Container(*name), &taint);
            }
            Command::Open { name, body } => {
                let place = Place::Container(*name);
                let before = self.read(&place);
                self.check
                    .reads
                    .container(*name, present.statement.span, before.is_set);
                let taint = self.entries(body).and(&before.taint);
                self.set(present, &place, &taint);
            }
            Command::AddItem { .. }
            | Command::AddMap { .. }
            | Command::AddContainer { .. }
            | Command::RemoveItem { .. } => {}
            Command::List { op, list, into, .. } => {
                let is_changed = matches!(op, ListOp::Add | ListOp::Remove);
                self.tool(present, is_changed.then_some(*list), into.as_ref(), &all);
            }
            Command::Map { op, map, into, .. } => {
                let is_changed = matches!(op, MapOp::Set | MapOp::Merge);
                self.tool(present, is_changed.then_some(*map), into.as_ref(), &all);
            }
            Command::If { arms, otherwise } => self.choose(present, arms, otherwise.as_ref()),
            Command::Repeat { count, body } => {
                self.repeated(present, Turns::Count(*count), body);
            }
            Command::While { body, .. } => self.repeated(present, Turns::While, body),
            Command::Iterate { over, item, body } => {
                self.repeated(present, Turns::Members(*over, *item), body);
            }
            Command::Step { variable, .. } => {
                let place = Place::Variable(*variable);
                let before = self.read(&place);
                self.check
                    .reads
                    .variable(*variable, present.statement.span, before.is_set);
                let taint = all.and(&before.taint);
                // Where it fails, what was there derives from both.
                present.operands.push(before.taint);
                self.set(present, &place, &taint);
            }
            Command::Define(_) => {}
            Command::Invoke {
                function,
                args,
                into,
            } => {
                self.invoke(present, *function, args, into.as_ref());
            }
            Command::Parameter { index, into } => {
                let context = self.check.contexts.get(self.context);
                let at = usize::from(*index).checked_sub(1);
                let found = at.and_then(|at| context?.arguments.get(at));
                let taint = found.cloned().unwrap_or_default();
                self.set(present, &into.place, &taint);
            }
            Command::Wait(delay) => self.delay(present, *delay),
            Command::Success { value } => self.done(present, true, *value),
            Command::Failure { value } => self.done(present, false, *value),
            Command::Cluster { body } => self.clustered(present.statement.clauses, body),
        }
    }

    /// A tool for containers: the changed one goes where it says, or where it came from.
    fn tool(
        &mut self,
        present: &Present<'s>,
        changed: Option<OperandId>,
        into: Option<&'s Target>,
        taint: &Taint,
    ) {
        let is_vault = |into: &&Target| matches!(into.place, Place::Vault(_));
        let back = changed.and_then(|id| present.statement.phrase.operand(id));
        match (into, back.map(|operand| &operand.kind)) {
            (Some(into), None) => self.set(present, &into.place, taint),
            (Some(into), Some(_)) if !is_vault(&into) => self.set(present, &into.place, taint),
            (_, Some(OperandKind::Container(id))) => {
                self.set(present, &Place::Container(*id), taint);
            }
            _ => {}
        }
    }

    fn console(&mut self, present: &Present<'s>, value: OperandId) {
        let taint = present.taint(value);
        // It shows asterisks with `sensitive` alone.
        match present.is_sensitive && !present.is_risk() {
            true => self.leaves(present, Sink::Console, &taint),
            false => self.let_out(present, Sink::Console, &taint),
        }
    }

    fn cabinet(&mut self, present: &Present<'s>, cabinet: &'s Cabinet) {
        match cabinet {
            Cabinet::Write { path, content } | Cabinet::Append { path, content } => {
                self.let_out(present, Sink::FilePath, &present.taint(*path));
                self.let_out(present, Sink::FileContent, &present.taint(*content));
            }
            Cabinet::Read { path, into } => {
                let taint = present.taint(*path);
                self.let_out(present, Sink::FilePath, &taint);
                self.set(present, &into.place, &taint);
            }
            Cabinet::Create { path } | Cabinet::Delete { path } => {
                self.let_out(present, Sink::FilePath, &present.taint(*path));
            }
            Cabinet::Move { from, to } | Cabinet::Copy { from, to } => {
                self.let_out(present, Sink::FilePath, &present.taints(&[*from, *to]));
            }
            Cabinet::List { path, into } => {
                self.never(present, Sink::FilePath, &present.taint(*path));
                self.set(present, &into.place, &Taint::default());
            }
        }
    }

    fn process(&mut self, present: &Present<'s>, line: OperandId, into: Option<&'s Target>) {
        let words = present.taint(line);
        self.let_out(present, Sink::Process, &words);
        let handed_on = self.state.as_ref().map(|state| state.environment.clone());
        let taint = words.and(&handed_on.unwrap_or_default());
        // What variables hand on leaves here as well, as it was permitted where they were set.
        self.leaves(present, Sink::Process, &taint);
        if let Some(into) = into {
            let is_let_out = present.is_sensitive && present.is_risk();
            let printed = match is_let_out {
                true => taint.and(&Taint::nameless()),
                false => taint,
            };
            self.set(present, &into.place, &printed);
        }
    }

    pub(super) fn delay(&mut self, present: &Present<'s>, delay: Delay) {
        let taint = present.taint(delay.amount);
        if taint.is_secret() && !present.is_sensitive {
            self.refuse(present, Sink::Delay, &taint, Why::Undeclared);
        }
    }

    /// Something leaves, and may do so only with `sensitive … with risk` where it is a secret.
    fn let_out(&mut self, present: &Present<'s>, sink: Sink, taint: &Taint) {
        self.leaves(present, sink, taint);
        if taint.is_secret() && !(present.is_sensitive && present.is_risk()) {
            self.refuse(present, sink, taint, Why::Clauses);
        }
    }

    /// Something that may not be a secret, whatever the statement says.
    fn never(&mut self, present: &Present<'s>, sink: Sink, taint: &Taint) {
        self.leaves(present, sink, taint);
        if taint.is_secret() {
            self.refuse(present, sink, taint, Why::Never);
        }
    }

    fn leaves(&mut self, present: &Present<'s>, sink: Sink, taint: &Taint) {
        let within = self.within();
        let key = (present.statement.span.start, sink);
        self.check.points.leaves(key, taint, &within);
    }

    /// Notes that a run may refuse the statement here.
    pub(super) fn refuse(&mut self, present: &Present<'s>, sink: Sink, taint: &Taint, why: Why) {
        self.leaves(present, sink, taint);
        let points = &mut self.check.points;
        points.refuse(present.statement, sink, why);
        // In a block on a secret a run names the block's header instead. What shows that it ran is
        // refused before the block is entered, unless its clauses permit it.
        let is_scanned =
            is_sink(&present.statement.command) && !(present.is_sensitive && present.is_risk());
        if let Some(state) = &self.state
            && !is_scanned
        {
            for header in &state.within.headers {
                points.refuse_inside(*header, taint);
            }
        }
    }
}
