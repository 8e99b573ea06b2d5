//! What commands do.

use std::rc::Rc;
use std::time::Duration;

use subrosa_egress::feather::Operation;

use super::container::Container;
use super::stop::{Failure, Stop};
use super::value::{MASK, Taint, Value, compute};
use super::{Evaluated, Following, Frame, Item, MAX_CALLS, Machine, Present};
use crate::syntax::ast::{
    Arm, Block, Cabinet, Clauses, Command, Condition, Delay, OperandId, OperandKind, Part, Place,
    Target,
};
use crate::syntax::{FunctionId, Note, Span, VariableId};
use crate::world::{Given, Order, Output, Writing};

/// The longest file that is read, in bytes.
const READ: usize = 16 << 20;

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
                    .keep(entry, value.map_err(Failure::from)?.given())
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
                let made = self.fill(Container::default(), body)?;
                self.set_container(*name, Rc::new(made));
            }
            Command::Open { name, body } => {
                let open = (**self.known_container(*name)?).clone();
                let changed = self.fill(open, body)?;
                self.set_container(*name, Rc::new(changed));
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
                self.flush_and_wait(time);
            }
            Command::Success { value } => return Err(self.done(present, true, *value)?),
            Command::Failure { value } => return Err(self.done(present, false, *value)?),
            Command::Cluster { body } => return self.cluster(present.statement.clauses, body),
        }
        Ok(())
    }

    fn flush_and_wait(&mut self, time: Duration) {
        self.world.wait(time);
    }

    /// `success` and `failure`.
    fn done(
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

    fn cluster(&mut self, clauses: Clauses, body: &'s Block) -> Result<(), Stop> {
        let before = self.cluster;
        self.cluster = Clauses {
            safe: clauses.safe.or(before.safe),
            sensitive: clauses.sensitive.or(before.sensitive),
        };
        let ran = self.block(body, false);
        self.cluster = before;
        ran
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
        match (&into.place, item) {
            (Place::Variable(id), item) => {
                let value = item.text()?;
                present.came_to = Some(value.clone());
                self.set_variable(*id, value)
            }
            (Place::Vault(entry), item) => {
                let value = item.text()?.tainted(self.within.as_ref())?;
                present.is_sensitive = true;
                Ok(self.world.keep(entry, value.given())?)
            }
            (Place::Container(id), Item::Container(container)) => {
                self.set_container(*id, container);
                Ok(())
            }
            (Place::Container(_), Item::Text(_)) => {
                let message = "a text is no container";
                Err(Failure::new("not-a-container", message).hint("use list add or map set"))
            }
        }
    }

    /// Refuses what is secret among `what` without `sensitive … with risk`.
    pub(super) fn let_out(
        &self,
        present: &Present<'s>,
        what: &[&Value],
        sink: &str,
    ) -> Result<(), Failure> {
        let taints: Vec<Taint> = what.iter().filter_map(|value| value.taint()).collect();
        let Some(taint) = Taint::of(&taints) else {
            return Ok(());
        };
        let is_sensitive = present.clauses.sensitive.is_some();
        let is_risk = present.statement.risk.is_some();
        if is_sensitive && is_risk {
            return Ok(());
        }
        let missing = match (is_sensitive, is_risk) {
            (false, false) => "`sensitive` and `with risk` are",
            (false, true) => "`sensitive` is",
            (true, _) => "`with risk` is",
        };
        let message = format!("a secret would go to {sink}, and {missing} missing");
        Err(self.refused(message, &taint))
    }

    /// A refusal with what tainted the value.
    fn refused(&self, message: String, taint: &Taint) -> Failure {
        let names: Vec<String> = (taint.labels.iter())
            .map(|label| format!("'{}'", label.key))
            .collect();
        let mut failure = Failure::new("egress-refused", message).refusal();
        if !names.is_empty() {
            failure.message = format!("{} (from vault {})", failure.message, names.join(", "));
        }
        failure.notes = (taint.lines.iter())
            .map(|line| Note {
                span: self.script.source.line_span(*line as usize),
                text: "tainted here".to_owned(),
            })
            .collect();
        failure.hint("to let it out, write: sensitive … with risk")
    }

    /// A condition on a secret without `sensitive`.
    fn admit(&self, present: &Present<'s>, taint: &Taint) -> Result<(), Failure> {
        if present.clauses.sensitive.is_some() {
            return Ok(());
        }
        let message = "what a secret decides needs `sensitive` before it".to_owned();
        let mut failure = self.refused(message, taint);
        failure.hint =
            "write `sensitive` before it; everything assigned inside becomes a secret".to_owned();
        Err(failure)
    }

    /// A sink in a block on a secret.
    pub(super) fn refused_within(
        &self,
        present: &Present<'s>,
        taint: &Taint,
        sink: Span,
    ) -> Failure {
        let message =
            "whether this statement runs is decided by a secret, and it would show".to_owned();
        let mut failure = self.refused(message, taint).at(sink);
        failure.owner = Some(present.statement.span);
        failure.notes.push(Note {
            span: present.statement.span,
            text: "decided here".to_owned(),
        });
        failure.hint("move it out of the block, or write: sensitive … with risk")
    }

    fn say(&mut self, present: &mut Present<'s>, value: OperandId) -> Result<(), Failure> {
        let value = present.text(value)?;
        let shown = self.on_console(present, value)?;
        let text = compute(Operation::Concat, &[&shown, &Value::public("\n")], None)?;
        Ok(self.world.write(present.site, text.given())?)
    }

    /// What the console shows of a value.
    fn on_console(&self, present: &Present<'s>, value: Value) -> Result<Value, Failure> {
        let is_masked = present.clauses.sensitive.is_some() && present.statement.risk.is_none();
        if value.secret().is_some() && is_masked {
            return Ok(Value::public(MASK));
        }
        self.let_out(present, &[&value], "the console")?;
        Ok(value)
    }

    fn ask(
        &mut self,
        present: &mut Present<'s>,
        prompt: OperandId,
        default: Option<OperandId>,
        mask: bool,
        into: &Target,
    ) -> Result<(), Failure> {
        let prompt = present.text(prompt)?;
        let prompt = self.on_console(present, prompt)?;
        self.world.write(present.site, prompt.given())?;
        let is_secret =
            present.clauses.sensitive.is_some() || matches!(into.place, Place::Vault(_));
        let typed = self.world.read(mask || is_secret, is_secret)?;
        let value = typed.map(|typed| Value::typed(typed, present.site.line));
        let is_empty = |value: &Value| {
            let length = compute(Operation::Is, &[value, &Value::public("")], None);
            length.ok().and_then(|same| same.decide()).unwrap_or(false)
        };
        let default = default.map(|id| present.text(id)).transpose()?;
        let value = match (value, default) {
            (Some(value), Some(default)) if is_empty(&value) => {
                // That nothing was typed shows in nothing but the value.
                default.tainted(value.taint().as_ref())?
            }
            (Some(value), _) => value,
            (None, Some(default)) => default,
            (None, None) => {
                return Err(Failure::new("no-input", "there is nothing more to read")
                    .hint("say what to take then: ask '…' with default '…' into @x"));
            }
        };
        self.assign(present, into, value)
    }

    fn import(&mut self, present: &mut Present<'s>, glob: OperandId) -> Result<(), Failure> {
        let glob = present.text(glob)?;
        let Value::Public(glob) = glob else {
            let taint = glob.taint();
            let message = "which variables are imported would show".to_owned();
            return Err(match taint {
                Some(taint) => self.refused(message, &taint),
                None => Failure::new("egress-refused", message).refusal(),
            });
        };
        if self.world.import(&glob)? == 0 && self.within.is_none() {
            let text = format!("no variable matches {glob:?}");
            self.tell(super::Level::Warning, present.tags(), &text, false);
        }
        Ok(())
    }

    fn cabinet(&mut self, present: &mut Present<'s>, cabinet: &'s Cabinet) -> Result<(), Failure> {
        let site = present.site;
        match cabinet {
            Cabinet::Write { path, content } | Cabinet::Append { path, content } => {
                let (path, content) = (present.text(*path)?, present.text(*content)?);
                self.let_out(present, &[&path, &content], "a file")?;
                let writing = match cabinet {
                    Cabinet::Append { .. } => Writing::Append,
                    _ => Writing::Replace,
                };
                self.world
                    .write_file(site, path.given(), content.given(), writing)?;
            }
            Cabinet::Read { path, into } => {
                let path = present.text(*path)?;
                self.let_out(present, &[&path], "the path of a file")?;
                let text = self.world.read_file(site, path.given(), READ);
                let text =
                    text.map_err(|error| Failure::from(error).secret_if(path.secret().is_some()))?;
                let value = Value::typed(text, site.line).tainted(path.taint().as_ref())?;
                self.assign(present, into, value)?;
            }
            Cabinet::Create { path } => {
                let path = present.text(*path)?;
                self.let_out(present, &[&path], "the path of a file")?;
                self.world.create(site, path.given())?;
            }
            Cabinet::Delete { path } => {
                let path = present.text(*path)?;
                self.let_out(present, &[&path], "the path of a file")?;
                self.world.delete(site, path.given())?;
            }
            Cabinet::Move { from, to } | Cabinet::Copy { from, to } => {
                let (from, to) = (present.text(*from)?, present.text(*to)?);
                self.let_out(present, &[&from, &to], "the path of a file")?;
                match cabinet {
                    Cabinet::Copy { .. } => self.world.copy(site, from.given(), to.given())?,
                    _ => self.world.rename(site, from.given(), to.given())?,
                }
            }
            Cabinet::List { path, into } => {
                let path = present.text(*path)?;
                let Value::Public(path) = &path else {
                    let message = "the folder that is listed would be told by a secret".to_owned();
                    let taint = path.taint();
                    return Err(match taint {
                        Some(taint) => self.refused(message, &taint),
                        None => Failure::new("egress-refused", message).refusal(),
                    });
                };
                let mut names = Container::default();
                for name in self.world.list(path)? {
                    let member = super::Member::Text(Value::public(&name));
                    names.add(member)?;
                }
                self.assign_item(present, into, Item::Container(Rc::new(names)))?;
            }
        }
        Ok(())
    }

    /// The words of a command line. Blanks part them where the script says so, and not in what is
    /// inserted; double quotes keep blanks.
    fn words(&mut self, present: &Present<'s>, id: OperandId) -> Result<Vec<Value>, Failure> {
        let operand = present.statement.phrase.operand(id);
        let template = match operand.map(|operand| &operand.kind) {
            Some(OperandKind::Text(template)) => template,
            _ => {
                let text = present.text(id)?;
                return super::tools::words_of(&[text]);
            }
        };
        let mut pieces = Vec::new();
        for part in &template.parts {
            pieces.push((
                matches!(part, Part::Literal(_)),
                self.part(part, present.site.line)?,
            ));
        }
        super::tools::words(&pieces)
    }

    fn process(
        &mut self,
        present: &mut Present<'s>,
        words: &[Value],
        is_shell: bool,
        into: Option<&Target>,
    ) -> Result<(), Failure> {
        let all: Vec<&Value> = words.iter().collect();
        self.let_out(present, &all, "a process")?;
        let timeout = match present.statement.signatures.timeout {
            Some(delay) => Some(self.delay(present, delay)?),
            None => None,
        };
        let is_let_out = present.clauses.sensitive.is_some() && present.statement.risk.is_some();
        let taints: Vec<Taint> = words.iter().filter_map(Value::taint).collect();
        let taint = Taint::of(&taints);
        let is_given = taint.is_some() || self.world.hands_on_secrets();
        let output = match (into, is_given || is_let_out) {
            (None, _) if is_let_out => Output::AsItIs,
            (None, _) => Output::Masked,
            (Some(_), true) => Output::Kept,
            (Some(_), false) => Output::Captured,
        };
        let given: Vec<Given<'_>> = words.iter().map(Value::given).collect();
        let order = match (is_shell, given.first()) {
            (true, Some(line)) => Order::Shell(*line),
            _ => Order::Program(&given),
        };
        let ended = self.world.run(present.site, order, output, timeout)?;
        if let (Some(into), Some(text)) = (into, ended.output) {
            let value = Value::typed(text, present.site.line).tainted(taint.as_ref())?;
            self.assign(present, into, value)?;
        }
        match (ended.is_late, ended.status) {
            (true, _) => Err(Failure::new("timeout", "it ran longer than it may")),
            (false, 0) => Ok(()),
            (false, status) => {
                let message = format!("it ended with status {status}");
                Err(Failure::new("process-failed", message))
            }
        }
    }

    fn environment(
        &mut self,
        present: &mut Present<'s>,
        value: OperandId,
        name: OperandId,
    ) -> Result<(), Failure> {
        let (value, name) = (present.text(value)?, present.text(name)?);
        self.let_out(present, &[&value, &name], "the environment")?;
        let Value::Public(name) = &name else {
            let message = "the name of a variable cannot be a secret";
            return Err(Failure::new("secret-name", message));
        };
        Ok(self.world.set(present.site, name, value.given())?)
    }

    fn call(
        &mut self,
        present: &mut Present<'s>,
        capability: OperandId,
        with: Option<OperandId>,
        into: Option<&Target>,
    ) -> Result<(), Failure> {
        let capability = present.text(capability)?;
        let with = with.map(|id| present.text(id)).transpose()?;
        let all: Vec<&Value> = std::iter::once(&capability).chain(&with).collect();
        self.let_out(present, &all, "a brokered request")?;
        let Value::Public(name) = &capability else {
            let message = "the name of a capability cannot be a secret";
            return Err(Failure::new("secret-name", message));
        };
        let answer = self
            .world
            .call(present.site, name, with.as_ref().map(Value::given))?;
        if let Some(into) = into {
            let taint = with.as_ref().and_then(Value::taint);
            let value = Value::typed(answer, present.site.line).tainted(taint.as_ref())?;
            self.assign(present, into, value)?;
        }
        Ok(())
    }

    pub(super) fn delay(
        &mut self,
        present: &Present<'s>,
        delay: Delay,
    ) -> Result<Duration, Failure> {
        let amount = present.text(delay.amount)?;
        if let Some(taint) = amount.taint() {
            self.admit(present, &taint)?;
        }
        let milli = compute(Operation::Mul, &[&amount, &Value::public("1000")], None)?;
        let whole = compute(Operation::Floor, &[&milli], None)?;
        let is_secret = amount.secret().is_some();
        let Some(milli) = whole.count() else {
            let message = "a time is a number from zero";
            return Err(Failure::new("not-a-time", message).secret_if(is_secret));
        };
        Ok(Duration::from_millis(
            milli.saturating_mul(delay.unit.seconds()),
        ))
    }

    /// Decides a condition; what decided it, where that is a secret.
    fn decide(
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

    fn choose(
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
    fn choose_secretly(
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

    fn repeat(
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
    fn one_turn(&mut self) -> Result<(), Failure> {
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

    fn turn(
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

    fn iterate(
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
                self.taint_place(&Place::Variable(item), taint)?;
                Ok(())
            }
            None => turns(self),
        }
    }

    fn step(
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
        let is_secret = before.secret().is_some() || by.secret().is_some();
        let value = compute(operation, &[&before, &by], None)
            .map_err(|fault| Failure::from(fault).secret_if(is_secret))?;
        present.is_sensitive |= is_secret;
        present.came_to = Some(value.clone());
        self.set_variable(variable, value)
    }

    fn parameter(&self, index: u16) -> Result<Item, Failure> {
        let arguments = self.frames.last().map(|frame| &frame.arguments);
        let at = usize::from(index).checked_sub(1);
        let found = at.and_then(|at| arguments.and_then(|all| all.get(at)));
        found.cloned().ok_or_else(|| {
            let message = format!("it was called without parameter {index}");
            Failure::new("missing-parameter", message)
                .hint("pass one more value, or write `safe parameter`")
        })
    }

    fn invoke(
        &mut self,
        present: &mut Present<'s>,
        id: FunctionId,
        args: &[OperandId],
        into: Option<&Target>,
    ) -> Result<(), Stop> {
        let name = self.script.function_names.text(id);
        let Some(function) = self.script.function(id) else {
            let failure = Failure::new("unknown-function", format!("there is no function #{name}"));
            return Err(failure
                .hint(format!("define it: function #{name} … end"))
                .into());
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
