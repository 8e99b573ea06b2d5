//! What leaves a script: console, files, processes, environment, requests.

use std::collections::BTreeSet;
use std::rc::Rc;

use subrosa_egress::Labels;
use subrosa_egress::feather::Operation;

use super::container::Container;
use super::stop::Failure;
use super::value::{MASK, Taint, Value, compute};
use super::{Item, Machine, Present};
use crate::syntax::ast::{Cabinet, Command, OperandId, OperandKind, Part, Place, Target};
use crate::syntax::{Note, Span};
use crate::world::{Given, Order, Output, Writing};

pub(crate) const LET_OUT: &str = "to let it out, write: sensitive … with risk";

/// The longest file that is read, in bytes.
const READ: usize = 16 << 20;

impl<'s> Machine<'s, '_> {
    /// Refuses what would leave by this statement and may not, by what it derives from alone: nothing
    /// is done yet, and what a secret is has made nothing fail.
    pub(super) fn ways_out(&self, present: &Present<'s>) -> Result<(), Failure> {
        match &present.statement.command {
            Command::Say { value } | Command::Ask { prompt: value, .. } => {
                self.on_console(present, *value)
            }
            Command::Script { line, .. } | Command::Program { line, .. } => {
                self.let_out(present, &[*line], "a process")
            }
            Command::Environment { value, name } => {
                self.let_out(present, &[*value, *name], "the environment")
            }
            Command::Call {
                capability, with, ..
            } => {
                let all: Vec<OperandId> = std::iter::once(*capability).chain(*with).collect();
                self.let_out(present, &all, "a brokered request")
            }
            Command::Import { glob } => {
                self.never(present, *glob, "which variables are imported would show")
            }
            Command::Cabinet(cabinet) => match cabinet {
                Cabinet::Write { path, content } | Cabinet::Append { path, content } => {
                    self.let_out(present, &[*path, *content], "a file")
                }
                Cabinet::Read { path, .. }
                | Cabinet::Create { path }
                | Cabinet::Delete { path } => self.let_out(present, &[*path], "the path of a file"),
                Cabinet::Move { from, to } | Cabinet::Copy { from, to } => {
                    self.let_out(present, &[*from, *to], "the path of a file")
                }
                Cabinet::List { path, .. } => {
                    let message = "the folder that is listed would be told by a secret";
                    self.never(present, *path, message)
                }
            },
            _ => Ok(()),
        }
    }

    /// Refuses what is secret, whatever the statement says.
    fn never(&self, present: &Present<'s>, what: OperandId, why: &str) -> Result<(), Failure> {
        match present.item(what)?.taint() {
            Some(taint) => Err(self.refused(why.to_owned(), &taint)),
            None => Ok(()),
        }
    }

    /// Refuses what is secret among `what` without `sensitive … with risk`.
    fn let_out(
        &self,
        present: &Present<'s>,
        what: &[OperandId],
        sink: &str,
    ) -> Result<(), Failure> {
        let mut taints = Vec::new();
        for id in what {
            taints.extend(present.item(*id)?.taint());
        }
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
    pub(super) fn refused(&self, message: String, taint: &Taint) -> Failure {
        let mut failure = Failure::new("egress-refused", message).refusal();
        if taint.is_vague {
            let why = "from which entry is not said, since that depends on a secret";
            failure.message = format!("{} ({why})", failure.message).into();
            return failure.hint(format!(
                "{LET_OUT}; `script check` lists where it may come from"
            ));
        }
        // By name: the order of labels is that of their ids, which are of chance.
        let names: BTreeSet<String> = (taint.labels.iter())
            .map(|label| match label.field.is_default() {
                true => format!("'{}'", label.key),
                false => format!("'{}#{}'", label.key, label.field),
            })
            .collect();
        if !names.is_empty() {
            let names: Vec<String> = names.into_iter().collect();
            failure.message =
                format!("{} (from vault {})", failure.message, names.join(", ")).into();
        }
        failure.notes = (taint.lines.iter())
            .map(|line| Note {
                span: self.script.source.line_span(*line as usize),
                text: "tainted here".to_owned(),
            })
            .collect();
        failure.hint(LET_OUT)
    }

    /// A condition on a secret without `sensitive`.
    pub(super) fn admit(&self, present: &Present<'s>, taint: &Taint) -> Result<(), Failure> {
        if present.clauses.sensitive.is_some() {
            return Ok(());
        }
        let message = "what a secret decides needs `sensitive` before it".to_owned();
        let mut failure = self.refused(message, taint);
        failure.hint =
            "write `sensitive` before it; everything assigned inside becomes a secret".into();
        Err(failure)
    }

    /// A sink in a block on a secret.
    pub(super) fn refused_within(&self, header: Span, taint: &Taint, sink: Span) -> Failure {
        let message =
            "whether this statement runs is decided by a secret, and it would show".to_owned();
        let mut failure = self.refused(message, taint).at(sink);
        failure.owner = Some(header);
        failure.notes.push(Note {
            span: header,
            text: "decided here".to_owned(),
        });
        failure.hint("move it out of the block, or write: sensitive … with risk")
    }

    pub(super) fn say(
        &mut self,
        present: &mut Present<'s>,
        value: OperandId,
    ) -> Result<(), Failure> {
        let shown = self.shown_on_console(present, value)?;
        let text = compute(Operation::Concat, &[&shown, &Value::public("\n")], None)?;
        Ok(self.world.write(present.site, text.given())?)
    }

    /// Refuses a secret that the console would show.
    fn on_console(&self, present: &Present<'s>, value: OperandId) -> Result<(), Failure> {
        match present.is_masked() {
            true => Ok(()),
            false => self.let_out(present, &[value], "the console"),
        }
    }

    /// What the console shows of a value.
    fn shown_on_console(&self, present: &Present<'s>, id: OperandId) -> Result<Value, Failure> {
        if present.item(id)?.taint().is_some() && present.is_masked() {
            return Ok(Value::public(MASK));
        }
        self.on_console(present, id)?;
        present.text(id)
    }

    pub(super) fn ask(
        &mut self,
        present: &mut Present<'s>,
        prompt: OperandId,
        default: Option<OperandId>,
        mask: bool,
        into: &Target,
    ) -> Result<(), Failure> {
        let prompt = self.shown_on_console(present, prompt)?;
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
        let taint = default.as_ref().and_then(Value::taint);
        let value = match (value, default) {
            (Some(value), Some(default)) if is_empty(&value) => {
                // That nothing was typed shows in nothing but the value.
                default.tainted(value.taint().as_ref())?
            }
            (Some(value), _) => value,
            // What is taken for what is typed is as secret as that would be.
            (None, Some(default)) if is_secret => {
                let asked = Taint {
                    labels: Labels::new(),
                    lines: Rc::new([present.site.line]),
                    is_vague: false,
                };
                default.tainted(Some(&asked))?
            }
            (None, Some(default)) => default,
            (None, None) => {
                return Err(Failure::new("no-input", "there is nothing more to read")
                    .hint("say what to take then: ask '…' with default '…' into @x"));
            }
        };
        // Also where it was not needed.
        self.assign(present, into, value.tainted(taint.as_ref())?)
    }

    pub(super) fn import(
        &mut self,
        present: &mut Present<'s>,
        glob: OperandId,
    ) -> Result<(), Failure> {
        let glob = present.text(glob)?;
        let Value::Public(glob) = glob else {
            return Err(no_secret());
        };
        if self.world.import(&glob)? == 0 {
            present.warning = Some(format!("no variable matches {glob:?}"));
        }
        Ok(())
    }

    pub(super) fn cabinet(
        &mut self,
        present: &mut Present<'s>,
        cabinet: &'s Cabinet,
    ) -> Result<(), Failure> {
        let site = present.site;
        match cabinet {
            Cabinet::Write { path, content } | Cabinet::Append { path, content } => {
                let (path, content) = (present.text(*path)?, present.text(*content)?);
                let writing = match cabinet {
                    Cabinet::Append { .. } => Writing::Append,
                    _ => Writing::Replace,
                };
                self.world
                    .write_file(site, path.given(), content.given(), writing)?;
            }
            Cabinet::Read { path, into } => {
                let path = present.text(*path)?;
                let text = self.world.read_file(site, path.given(), READ);
                let text =
                    text.map_err(|error| Failure::from(error).secret_if(path.secret().is_some()))?;
                let value = Value::typed(text, site.line).tainted(path.taint().as_ref())?;
                self.assign(present, into, value)?;
            }
            Cabinet::Create { path } => {
                let path = present.text(*path)?;
                self.world.create(site, path.given())?;
            }
            Cabinet::Delete { path } => {
                let path = present.text(*path)?;
                self.world.delete(site, path.given())?;
            }
            Cabinet::Move { from, to } | Cabinet::Copy { from, to } => {
                let (from, to) = (present.text(*from)?, present.text(*to)?);
                match cabinet {
                    Cabinet::Copy { .. } => self.world.copy(site, from.given(), to.given())?,
                    _ => self.world.rename(site, from.given(), to.given())?,
                }
            }
            Cabinet::List { path, into } => {
                let path = present.text(*path)?;
                let Value::Public(path) = &path else {
                    return Err(no_secret());
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
    pub(super) fn words(
        &mut self,
        present: &Present<'s>,
        id: OperandId,
    ) -> Result<Vec<Value>, Failure> {
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

    pub(super) fn process(
        &mut self,
        present: &mut Present<'s>,
        words: &[Value],
        is_shell: bool,
        into: Option<&Target>,
    ) -> Result<(), Failure> {
        let timeout = self.time_left();
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
        match (self.deadline, ended.status) {
            (Some(deadline), _) if ended.is_late => Err(Failure::late(deadline)),
            (_, 0) => Ok(()),
            (_, status) => {
                let message = format!("it ended with status {status}");
                Err(Failure::new("process-failed", message))
            }
        }
    }

    pub(super) fn environment(
        &mut self,
        present: &mut Present<'s>,
        value: OperandId,
        name: OperandId,
    ) -> Result<(), Failure> {
        let (value, name) = (present.text(value)?, present.text(name)?);
        let Value::Public(name) = &name else {
            let message = "the name of a variable cannot be a secret";
            return Err(Failure::new("secret-name", message));
        };
        Ok(self.world.set(present.site, name, value.given())?)
    }

    pub(super) fn call(
        &mut self,
        present: &mut Present<'s>,
        capability: OperandId,
        with: Option<OperandId>,
        into: Option<&Target>,
    ) -> Result<(), Failure> {
        let capability = present.text(capability)?;
        let with = with.map(|id| present.text(id)).transpose()?;
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
}

impl Present<'_> {
    /// Whether asterisks stand for a secret on the console.
    fn is_masked(&self) -> bool {
        self.clauses.sensitive.is_some() && self.statement.risk.is_none()
    }
}

/// A secret where [`Machine::ways_out`] lets none come to.
fn no_secret() -> Failure {
    Failure::new("egress-refused", "a secret cannot be used here").refusal()
}
