//! Text, list and map tools, conditions and command lines.

use std::rc::Rc;

use subrosa_egress::feather::Operation;

use super::container::{Container, Member};
use super::eval::Evaluated;
use super::stop::Failure;
use super::value::{Taint, Value, compute, split};
use super::{Item, Machine, Present};
use crate::syntax::ast::{
    BoolOp, Comparison, Condition, ListOp, MapOp, MathOp, OperandId, OperandKind, Place, Target,
    TextOp,
};

impl Present<'_> {
    /// What an operand came to.
    pub(super) fn item(&self, id: OperandId) -> Result<Item, Failure> {
        let found = self.operands.get(id.index());
        found
            .map(|evaluated| evaluated.item.clone())
            .ok_or_else(|| Failure::new("no-operand", "an operand is missing"))
    }

    /// The same as text.
    pub(super) fn text(&self, id: OperandId) -> Result<Value, Failure> {
        let item = self.item(id)?;
        item.text()
    }

    pub(super) fn compute(
        &self,
        operation: Operation,
        args: &[OperandId],
    ) -> Result<Value, Failure> {
        let values: Vec<Value> = args
            .iter()
            .map(|id| self.text(*id))
            .collect::<Result<_, _>>()?;
        self.compute_of(operation, &values)
    }

    fn compute_of(&self, operation: Operation, values: &[Value]) -> Result<Value, Failure> {
        let inputs: Vec<&Value> = values.iter().collect();
        let is_secret = values.iter().any(|value| value.secret().is_some());
        compute(operation, &inputs, Some(self.site.line))
            .map_err(|fault| Failure::from(fault).secret_if(is_secret))
    }
}

pub(super) fn math(op: MathOp) -> Operation {
    match op {
        MathOp::Add => Operation::Add,
        MathOp::Sub => Operation::Sub,
        MathOp::Mul => Operation::Mul,
        MathOp::Div => Operation::Div,
        MathOp::Mod => Operation::Mod,
        MathOp::Abs => Operation::Abs,
        MathOp::Round => Operation::Round,
        MathOp::Floor => Operation::Floor,
        MathOp::Ceil => Operation::Ceil,
        MathOp::Min => Operation::Min,
        MathOp::Max => Operation::Max,
        MathOp::Pow => Operation::Pow,
        MathOp::Compare => Operation::CompareNumbers,
    }
}

pub(super) fn truth(op: BoolOp) -> Operation {
    match op {
        BoolOp::All => Operation::All,
        BoolOp::Any => Operation::Any,
    }
}

/// What a condition comes to: `true` or `false`, a secret if anything in it is one.
pub(super) fn condition(condition: Condition, operands: &[Evaluated]) -> Result<Value, Failure> {
    let item = |id: OperandId| {
        let found = operands.get(id.index());
        found
            .map(|evaluated| &evaluated.item)
            .ok_or_else(|| Failure::new("no-operand", "an operand is missing"))
    };
    let left = item(condition.left)?;
    let Some((comparison, right)) = condition.compared else {
        return left.text();
    };
    let right = item(right)?.text()?;
    if let (Comparison::Contains, Item::Container(container)) = (comparison, left) {
        let contains = container.contains(&right);
        return contains.map_err(|fault| Failure::from(fault).by(container.taint.clone()));
    }
    let left = left.text()?;
    let operation = match comparison {
        Comparison::Is => Operation::Is,
        Comparison::IsNot => Operation::IsNot,
        Comparison::Greater => Operation::Greater,
        Comparison::Less => Operation::Less,
        Comparison::GreaterOrEqual => Operation::AtLeast,
        Comparison::LessOrEqual => Operation::AtMost,
        Comparison::Contains => Operation::Contains,
    };
    let is_secret = left.secret().is_some() || right.secret().is_some();
    compute(operation, &[&left, &right], None)
        .map_err(|fault| Failure::from(fault).secret_if(is_secret))
}

impl<'s> Machine<'s, '_> {
    pub(super) fn text_tool(
        &mut self,
        present: &mut Present<'s>,
        op: TextOp,
        args: &[OperandId],
        into: &Target,
    ) -> Result<(), Failure> {
        let operation = match op {
            TextOp::Length => Operation::Length,
            TextOp::Lower => Operation::Lower,
            TextOp::Upper => Operation::Upper,
            TextOp::Trim => Operation::Trim,
            TextOp::Concat => Operation::Concat,
            TextOp::Replace => Operation::Replace,
            TextOp::Contains => Operation::Contains,
            TextOp::StartsWith => Operation::StartsWith,
            TextOp::EndsWith => Operation::EndsWith,
            TextOp::Slice => Operation::Slice,
            TextOp::Compare => Operation::Compare,
            TextOp::Join => return self.join_tool(present, args, into),
            TextOp::Split => return self.split_tool(present, args, into),
        };
        let value = present.compute(operation, args)?;
        self.assign(present, into, value)
    }

    /// `text join`: a container's members with the separator between them; a text by itself.
    fn join_tool(
        &mut self,
        present: &mut Present<'s>,
        args: &[OperandId],
        into: &Target,
    ) -> Result<(), Failure> {
        let [first, rest @ ..] = args else {
            return Err(Failure::new("no-operand", "an operand is missing"));
        };
        let separator = match rest {
            [] => Value::public(""),
            [separator, ..] => present.text(*separator)?,
        };
        let value = match present.item(*first)? {
            Item::Container(container) => joined(&container, &separator)?,
            Item::Text(text) => present.compute_of(Operation::Join, &[separator, text])?,
        };
        self.assign(present, into, value)
    }

    fn split_tool(
        &mut self,
        present: &mut Present<'s>,
        args: &[OperandId],
        into: &Target,
    ) -> Result<(), Failure> {
        let [text, rest @ ..] = args else {
            return Err(Failure::new("no-operand", "an operand is missing"));
        };
        let text = present.text(*text)?;
        let separator = match rest {
            [] => Value::public(" "),
            [separator, ..] => present.text(*separator)?,
        };
        let is_secret = text.secret().is_some() || separator.secret().is_some();
        let parts = split(&text, &separator, present.site.line)
            .map_err(|fault| Failure::from(fault).secret_if(is_secret))?;
        let mut list = Container::default();
        for part in parts {
            list.add(Member::Text(part))?;
        }
        // How many there are is a secret, also where there is none.
        for value in [&text, &separator] {
            if let Some(taint) = value.taint() {
                list.add_taint(&taint.at(present.site.line));
            }
        }
        self.assign_item(present, into, Item::Container(Rc::new(list)))
    }

    pub(super) fn list_tool(
        &mut self,
        present: &mut Present<'s>,
        op: ListOp,
        (list, value, separator): (OperandId, Option<OperandId>, Option<OperandId>),
        into: Option<&Target>,
    ) -> Result<(), Failure> {
        let mut container = container_of(present.item(list)?)?;
        match op {
            ListOp::Length => {
                let value = container.length()?;
                self.assign_if(present, into, value)
            }
            ListOp::Join => {
                let separator = match separator.or(value) {
                    Some(id) => present.text(id)?,
                    None => Value::public(", "),
                };
                let value = joined(&container, &separator)?;
                self.assign_if(present, into, value)
            }
            ListOp::Add | ListOp::Remove => {
                let value = match value {
                    Some(id) => present.item(id)?,
                    None => return Err(Failure::new("no-operand", "an operand is missing")),
                };
                let changed = Rc::make_mut(&mut container);
                match op {
                    ListOp::Add => {
                        let taint = changed.taint.clone();
                        let added = changed.add(value.into());
                        added.map_err(|unfit| Failure::from(unfit).by(taint))?;
                    }
                    _ => {
                        let value = value.text()?;
                        let is_secret = changed.taint.is_some() || value.secret().is_some();
                        if !changed.remove(&value)? && !is_secret {
                            return Err(Failure::new("missing-member", "it has no such member"));
                        }
                    }
                }
                self.put_back(present, list, into, container)
            }
        }
    }

    pub(super) fn map_tool(
        &mut self,
        present: &mut Present<'s>,
        op: MapOp,
        (map, key, value): (OperandId, Option<OperandId>, Option<OperandId>),
        into: Option<&Target>,
    ) -> Result<(), Failure> {
        let mut container = container_of(present.item(map)?)?;
        let Some(key) = key else {
            return Err(Failure::new("no-operand", "an operand is missing"));
        };
        match op {
            MapOp::Set => {
                let key = present.text(key)?;
                let value = match value {
                    Some(id) => present.item(id)?,
                    None => return Err(Failure::new("no-operand", "an operand is missing")),
                };
                let taint = container.taint.clone();
                let set = Rc::make_mut(&mut container).set(key, value.into());
                set.map_err(|unfit| Failure::from(unfit).by(taint))?;
                self.put_back(present, map, into, container)
            }
            MapOp::Merge => {
                let other = container_of(present.item(key)?)?;
                let taint = Taint::of(container.taint.iter().chain(&other.taint));
                let merged = Rc::make_mut(&mut container).merge(&other);
                merged.map_err(|unfit| Failure::from(unfit).by(taint))?;
                self.put_back(present, map, into, container)
            }
            MapOp::Has => {
                let key = present.text(key)?;
                let has = container.find(&key)?.is_some();
                let value = Value::public(if has { "true" } else { "false" })
                    .tainted(container.taint.as_ref())?
                    .tainted(key.taint().as_ref())?;
                self.assign_if(present, into, value)
            }
            MapOp::Get => {
                let key = present.text(key)?;
                let is_secret = container.taint.is_some() || key.secret().is_some();
                let Some(member) = container.get(&key)? else {
                    let message = match key {
                        Value::Public(key) => format!("it has no member {key:?}"),
                        Value::Secret(_) => "it has no such member".to_owned(),
                    };
                    return Err(Failure::new("missing-member", message).secret_if(is_secret));
                };
                match into {
                    Some(into) => self.assign_item(present, into, member.into()),
                    None => Ok(()),
                }
            }
        }
    }

    fn assign_if(
        &mut self,
        present: &mut Present<'s>,
        into: Option<&Target>,
        value: Value,
    ) -> Result<(), Failure> {
        match into {
            Some(into) => self.assign(present, into, value),
            None => Ok(()),
        }
    }

    /// A changed container goes where it says, or where it came from.
    fn put_back(
        &mut self,
        present: &mut Present<'s>,
        operand: OperandId,
        into: Option<&Target>,
        container: Rc<Container>,
    ) -> Result<(), Failure> {
        present.is_sensitive |= container.taint.is_some();
        let kind = present.statement.phrase.operand(operand);
        match (into, kind.map(|operand| &operand.kind)) {
            (Some(into), _) if !matches!(into.place, Place::Vault(_)) => {
                self.assign_item(present, into, Item::Container(container))
            }
            (_, Some(OperandKind::Container(id))) => {
                self.put(present, *id, container);
                Ok(())
            }
            _ => Err(Failure::new(
                "not-a-container",
                "name the container: ::name",
            )),
        }
    }
}

fn container_of(item: Item) -> Result<Rc<Container>, Failure> {
    match item {
        Item::Container(container) => Ok(container),
        Item::Text(text) => {
            let failure = Failure::new("not-a-container", "a text has no members");
            Err(failure.by(text.taint()))
        }
    }
}

/// The members with a separator between them; how long that is, is a secret where they are.
fn joined(container: &Container, separator: &Value) -> Result<Value, Failure> {
    let taint = container.taint.clone();
    let taint = Taint::of(taint.iter().chain(&separator.taint()));
    let joined = container.join(separator);
    joined.map_err(|fault| Failure::from(fault).by(taint))
}

/// The words of a whole text, parted by blanks. Of a secret, how many there are leaves with them.
pub(super) fn words_of(text: &[Value]) -> Result<Vec<Value>, Failure> {
    let mut words = Vec::new();
    for value in text {
        match value {
            Value::Public(_) => words.extend(self::words(&[(true, value.clone())])?),
            Value::Secret(_) => words.extend(split(value, &Value::public(" "), 0)?),
        }
    }
    match words.is_empty() {
        true => Err(Failure::new("no-program", "there is no program to run")),
        false => Ok(words),
    }
}

/// The words of a command line. What is written parts them by blanks, with `"…"` around what belongs
/// together and `\` before what stands for itself; what is inserted is no part of that.
pub(super) fn words(pieces: &[(bool, Value)]) -> Result<Vec<Value>, Failure> {
    let mut words: Vec<Vec<Value>> = Vec::new();
    let mut word: Option<Vec<Value>> = None;
    let mut is_quoted = false;
    for (is_written, value) in pieces {
        let text = match (is_written, value) {
            (true, Value::Public(text)) => text,
            _ => {
                word.get_or_insert_with(Vec::new).push(value.clone());
                continue;
            }
        };
        let mut piece = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' => {
                    is_quoted = !is_quoted;
                    word.get_or_insert_with(Vec::new);
                }
                '\\' => {
                    word.get_or_insert_with(Vec::new);
                    piece.extend(characters.next());
                }
                blank if blank.is_whitespace() && !is_quoted => {
                    if !piece.is_empty() {
                        let text = Value::public(&std::mem::take(&mut piece));
                        word.get_or_insert_with(Vec::new).push(text);
                    }
                    words.extend(word.take());
                }
                other => piece.push(other),
            }
        }
        if !piece.is_empty() {
            word.get_or_insert_with(Vec::new)
                .push(Value::public(&piece));
        }
    }
    if is_quoted {
        return Err(Failure::new("open-quote", "a double quote has no end")
            .hint("write \\\" for one that stands for itself"));
    }
    words.extend(word);
    if words.is_empty() {
        return Err(Failure::new("no-program", "there is no program to run"));
    }
    let word = |parts: Vec<Value>| {
        let parts: Vec<&Value> = parts.iter().collect();
        Ok(compute(Operation::Concat, &parts, None)?)
    };
    words.into_iter().map(word).collect()
}
