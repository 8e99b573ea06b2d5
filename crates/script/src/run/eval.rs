//! What operands come to.

use std::rc::Rc;

use subrosa_egress::feather::Operation;

use super::container::Container;
use super::stop::Failure;
use super::value::{MASK, Secret, Taint, Value, compute};
use super::{Item, Machine};
use crate::syntax::ast::{Field, Operand, OperandKind, Part, Phrase, Template};
use crate::syntax::{ContainerId, Source, VariableId};

/// An operand with what it came to.
pub(super) struct Evaluated {
    pub(super) item: Item,
    /// It is shown to nobody, whatever it is.
    pub(super) is_hidden: bool,
    /// It came to nothing, whatever the secrets are, and is shown as it is written.
    pub(super) is_missing: bool,
}

impl Evaluated {
    pub(super) fn is_secret(&self) -> bool {
        self.is_hidden || self.item.taint().is_some()
    }

    pub(super) fn taint(&self) -> Option<Taint> {
        self.item.taint()
    }

    /// As memo and trace show it.
    pub(super) fn shown(&self) -> String {
        if self.is_secret() {
            return MASK.to_owned();
        }
        match self.item.text() {
            Ok(text) => text.shown().to_owned(),
            Err(_) => "…".to_owned(),
        }
    }
}

/// An operand that has no value, as it is written; not what the script stores somewhere.
pub(super) fn unevaluated(operand: &Operand, source: &Source) -> String {
    match source.is_masked(operand.span) {
        true => MASK.to_owned(),
        false => source.slice(operand.span).to_owned(),
    }
}

/// Whether an operand might have had no value, had a secret been another.
pub(super) fn may_lack(phrase: &Phrase, operands: &[Evaluated]) -> bool {
    let is_read = |operand: &Operand| match &operand.kind {
        OperandKind::Field(_) => true,
        OperandKind::Text(template) => template.literal().is_none(),
        _ => false,
    };
    let mut all = phrase.operands.iter().zip(operands);
    all.any(|(operand, evaluated)| is_read(operand) && evaluated.taint().is_some())
}

/// What all operands together derive from.
pub(super) fn taint_of(operands: &[Evaluated]) -> Option<Taint> {
    let taints: Vec<Taint> = operands.iter().filter_map(Evaluated::taint).collect();
    Taint::of(&taints)
}

impl<'s> Machine<'s, '_> {
    /// The operands, where all of them have a value.
    pub(super) fn evaluate_all(&mut self, phrase: &'s Phrase) -> Result<Vec<Evaluated>, Failure> {
        match self.evaluate_each(phrase) {
            (all, None) => Ok(all),
            (_, Some(failure)) => Err(failure),
        }
    }

    /// The same. One that has no value stands as an empty text, a secret where one had a part in it;
    /// so what the statement derives from is known whether it can be had or not. Of the failures, one
    /// that every secret brings comes first.
    pub(super) fn evaluate_each(
        &mut self,
        phrase: &'s Phrase,
    ) -> (Vec<Evaluated>, Option<Failure>) {
        let mut all = Vec::with_capacity(phrase.operands.len());
        let mut first: Option<Failure> = None;
        for operand in &phrase.operands {
            let line = self.line_of(operand.span);
            let (item, is_missing) = match self.evaluate(operand, line) {
                Ok(item) => (item, false),
                Err(failure) => {
                    let failure = failure.at(operand.span);
                    let is_missing = !failure.is_secret;
                    let empty = Value::public("").tainted(failure.taint.as_deref());
                    first = Some(failure.behind(first));
                    match empty {
                        Ok(empty) => (Item::Text(empty), is_missing),
                        Err(fault) => {
                            first = Some(Failure::from(fault).behind(first));
                            (Item::Text(Value::public("")), true)
                        }
                    }
                }
            };
            all.push(Evaluated {
                item,
                is_hidden: false,
                is_missing,
            });
        }
        (all, first)
    }

    fn evaluate(&mut self, operand: &'s Operand, line: u32) -> Result<Item, Failure> {
        Ok(match &operand.kind {
            OperandKind::Text(template) => Item::Text(self.template(template, line)?),
            OperandKind::Number(text) => Item::Text(Value::public(text.as_str())),
            OperandKind::Bool(true) => Item::Text(Value::public("true")),
            OperandKind::Bool(false) => Item::Text(Value::public("false")),
            OperandKind::Variable(id) => Item::Text(self.known_variable(*id)?.clone()),
            OperandKind::Field(field) => self.field(field)?,
            OperandKind::Container(id) => Item::Container(Rc::clone(self.known_container(*id)?)),
            OperandKind::Vault(name) => Item::Text(self.entry(name, line)?),
        })
    }

    fn template(&mut self, template: &'s Template, line: u32) -> Result<Value, Failure> {
        if let Some(text) = template.literal() {
            return Ok(Value::public(text));
        }
        let mut parts = Vec::with_capacity(template.parts.len());
        let mut failed: Option<Failure> = None;
        for part in &template.parts {
            match self.part(part, line) {
                Ok(part) => parts.push(part),
                Err(failure) => failed = Some(failure.behind(failed)),
            }
        }
        let taints: Vec<Taint> = parts.iter().filter_map(Value::taint).collect();
        if let Some(failure) = failed {
            let failure = failure.beside(Taint::of(&taints));
            // As it would be where all of them had a value.
            return Err(Failure {
                taint: failure.taint.map(|taint| Box::new(taint.at(line))),
                ..failure
            });
        }
        let inputs: Vec<&Value> = parts.iter().collect();
        compute(Operation::Concat, &inputs, Some(line))
            .map_err(|fault| Failure::from(fault).by(Taint::of(&taints)))
    }

    pub(super) fn part(&mut self, part: &'s Part, line: u32) -> Result<Value, Failure> {
        Ok(match part {
            Part::Literal(text) => Value::public(text.as_str()),
            Part::Variable(id) => self.known_variable(*id)?.clone(),
            Part::Field(field) => {
                let member = self.field(field)?;
                let taint = member.taint();
                let text = member.text();
                text.map_err(|failure| failure.by(taint))?
            }
            Part::Vault(name) => self.entry(name, line)?,
        })
    }

    fn field(&mut self, field: &Field) -> Result<Item, Failure> {
        let container = self.known_container(field.container)?;
        let taint = container.taint.clone();
        let key = Value::public(&field.key);
        let found = container.get(&key);
        match found.map_err(|fault| Failure::from(fault).by(taint.clone()))? {
            Some(member) => Ok(member.into()),
            None => {
                let name = self.script.containers.text(field.container);
                let message = format!("::{name} has no member {:?}", &*field.key);
                Err(Failure::new("missing-member", message).by(taint))
            }
        }
    }

    /// The value of a vault entry.
    pub(super) fn entry(&mut self, name: &str, line: u32) -> Result<Value, Failure> {
        let value = self.world.fetch(name)?;
        let value = Value::Secret(Secret {
            value,
            lines: Rc::new([line]),
            is_vague: false,
        });
        Ok(value.tainted(self.within.as_ref())?)
    }

    pub(super) fn known_variable(&self, id: VariableId) -> Result<&Value, Failure> {
        self.variable(id).ok_or_else(|| {
            let name = self.script.variables.text(id);
            let message = format!("there is no variable @{name}");
            let is_set = |id| self.variable(id).is_some();
            let near = self.script.variables.near(id, is_set);
            Failure::new("unknown-variable", message).hint(match near {
                Some(meant) => format!("did you mean `@{meant}`?"),
                None => format!("assign it first: 'value' into @{name}"),
            })
        })
    }

    pub(super) fn known_container(&self, id: ContainerId) -> Result<&Rc<Container>, Failure> {
        self.container(id).ok_or_else(|| {
            let name = self.script.containers.text(id);
            let message = format!("there is no container ::{name}");
            let is_made = |id| self.container(id).is_some();
            let near = self.script.containers.near(id, is_made);
            Failure::new("unknown-container", message).hint(match near {
                Some(meant) => format!("did you mean `::{meant}`?"),
                None => format!("make it first: container into ::{name} … end"),
            })
        })
    }
}
