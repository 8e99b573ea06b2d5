//! Values of a script: public text, or a secret with what it derives from.

use std::rc::Rc;
use std::sync::Arc;

use subrosa_egress::feather::{Fault, FaultKind, Operation, Split};
use subrosa_egress::{Input, Labels, Sensitive, danger};

use crate::world::{Given, Typed};

/// What a secret is shown as, whatever it is.
pub(crate) const MASK: &str = "********";
/// So many lines are remembered of what made a value a secret.
const LINES: usize = 8;

/// A text of a script.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Public(Rc<str>),
    Secret(Secret),
}

/// A text that leaves with `sensitive … with risk` alone.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) value: Arc<Sensitive>,
    /// The lines that made it one, ascending.
    pub(crate) lines: Rc<[u32]>,
    /// Which of its labels and lines there are may depend on a secret: they are told to nobody.
    pub(crate) is_vague: bool,
}

/// What a condition on a secret hands to all that is assigned behind it.
#[derive(Debug, Clone)]
pub(crate) struct Taint {
    pub(crate) labels: Labels,
    pub(crate) lines: Rc<[u32]>,
    pub(crate) is_vague: bool,
}

impl Secret {
    pub(crate) fn new(value: Sensitive, line: u32) -> Self {
        Self {
            value: Arc::new(value),
            lines: Rc::new([line]),
            is_vague: false,
        }
    }

    pub(crate) fn taint(&self) -> Taint {
        Taint {
            labels: self.value.labels().clone(),
            lines: Rc::clone(&self.lines),
            is_vague: self.is_vague,
        }
    }
}

impl Secret {
    /// Whether a taint brings it nothing that it has not.
    fn has(&self, taint: &Taint) -> bool {
        self.is_vague >= taint.is_vague
            && taint.labels.is_subset(self.value.labels())
            && taint.lines.iter().all(|line| self.lines.contains(line))
    }
}

impl Taint {
    /// What both make together.
    pub(crate) fn and(self, other: &Self) -> Self {
        let has_lines = other.lines.iter().all(|line| self.lines.contains(line));
        let is_vague = self.is_vague || other.is_vague;
        if has_lines && other.labels.is_subset(&self.labels) {
            return Self { is_vague, ..self };
        }
        Self {
            labels: self.labels.with(&other.labels),
            lines: few(self.lines.iter().chain(&*other.lines).copied()),
            is_vague,
        }
    }

    /// The same, by a line as well.
    pub(crate) fn at(self, line: u32) -> Self {
        Self {
            lines: few(self.lines.iter().copied().chain([line])),
            ..self
        }
    }

    /// The same, of whatever it decides.
    pub(crate) fn vague(self) -> Self {
        Self {
            is_vague: true,
            ..self
        }
    }

    /// What all of them make together; `None` where there is none.
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut all = all.into_iter();
        let first = all.next()?.clone();
        Some(all.fold(first, Self::and))
    }
}

impl Value {
    pub(crate) fn public(text: &str) -> Self {
        Self::Public(text.into())
    }

    pub(crate) fn typed(typed: Typed, line: u32) -> Self {
        match typed {
            Typed::Public(text) => Self::Public(text.into()),
            Typed::Secret(value) => Self::Secret(Secret::new(value, line)),
        }
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Public(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }

    fn is_vague(&self) -> bool {
        self.secret().is_some_and(|secret| secret.is_vague)
    }

    /// As memo, errors and trace show it.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Public(text) => text,
            Self::Secret(_) => MASK,
        }
    }

    pub(crate) fn given(&self) -> Given<'_> {
        match self {
            Self::Public(text) => Given::Public(text),
            Self::Secret(secret) => Given::Secret(&secret.value),
        }
    }

    fn input(&self) -> Input<'_> {
        match self {
            Self::Public(text) => Input::Public(text.as_bytes()),
            Self::Secret(secret) => Input::Sensitive(&secret.value),
        }
    }

    pub(crate) fn taint(&self) -> Option<Taint> {
        self.secret().map(Secret::taint)
    }

    /// The same, deriving from `taint` as well.
    pub(crate) fn tainted(self, taint: Option<&Taint>) -> Result<Self, Fault> {
        let Some(taint) = taint else {
            return Ok(self);
        };
        let (value, lines) = match &self {
            Self::Public(text) => {
                let value = Sensitive::public(text.as_bytes(), taint.labels.clone());
                let none = |_| Fault {
                    what: "a secret",
                    kind: FaultKind::Memory,
                };
                (value.map_err(none)?, Rc::clone(&taint.lines))
            }
            // In a long computation on one secret this is the rule.
            Self::Secret(secret) if secret.has(taint) => return Ok(self),
            Self::Secret(secret) => (
                secret.value.tainted(&taint.labels),
                few(secret.lines.iter().chain(&*taint.lines).copied()),
            ),
        };
        let is_vague = taint.is_vague || self.is_vague();
        Ok(Self::Secret(Secret {
            value: Arc::new(value),
            lines,
            is_vague,
        }))
    }

    /// What it says as a truth: one bit of a secret, where a header said `sensitive`.
    pub(crate) fn decide(&self) -> Option<bool> {
        match self {
            Self::Public(text) => subrosa_egress::feather::truth(text.as_bytes()),
            Self::Secret(secret) => danger::branch(&secret.value),
        }
    }

    /// What it says as a count, where a header said `sensitive` or it is public.
    pub(crate) fn count(&self) -> Option<u64> {
        match self {
            Self::Public(text) => subrosa_egress::feather::count(text.as_bytes()),
            Self::Secret(secret) => danger::count(&secret.value),
        }
    }
}

/// The result of an operation: a secret if any of its inputs is one. `line` is where, if that tells
/// more than the inputs do.
pub(crate) fn compute(
    operation: Operation,
    inputs: &[&Value],
    line: Option<u32>,
) -> Result<Value, Fault> {
    if inputs.iter().all(|input| input.secret().is_none()) {
        let texts: Vec<&[u8]> = inputs
            .iter()
            .map(|input| input.shown().as_bytes())
            .collect();
        let text = operation.evaluate(&texts)?;
        return Ok(Value::Public(String::from_utf8_lossy(&text).into()));
    }
    let given: Vec<Input<'_>> = inputs.iter().map(|input| input.input()).collect();
    let value = Sensitive::derive_from(&operation, &given, &Labels::new())?;
    Ok(Value::Secret(Secret {
        value: Arc::new(value),
        lines: lines(inputs, line),
        is_vague: inputs.iter().any(|input| input.is_vague()),
    }))
}

/// The parts of a text; secrets if it or the separator is one.
pub(crate) fn split(text: &Value, separator: &Value, line: u32) -> Result<Vec<Value>, Fault> {
    if let (Value::Public(text), Value::Public(separator)) = (text, separator) {
        let parts = Split.evaluate(text.as_bytes(), separator.as_bytes())?;
        let public = |part: Vec<u8>| Value::Public(String::from_utf8_lossy(&part).into());
        return Ok(parts.into_iter().map(public).collect());
    }
    let lines = lines(&[text, separator], Some(line));
    let is_vague = text.is_vague() || separator.is_vague();
    let parts = danger::derive_all(&Split, &[text.input(), separator.input()], &Labels::new())?;
    let secret = |part| {
        Value::Secret(Secret {
            value: Arc::new(part),
            lines: Rc::clone(&lines),
            is_vague,
        })
    };
    Ok(parts.into_iter().map(secret).collect())
}

fn lines(inputs: &[&Value], line: Option<u32>) -> Rc<[u32]> {
    let mut secrets = inputs.iter().filter_map(|input| input.secret());
    if let (Some(one), None) = (secrets.next(), secrets.next())
        && line.is_none_or(|line| one.lines.contains(&line))
    {
        return Rc::clone(&one.lines);
    }
    let secrets = inputs.iter().filter_map(|input| input.secret());
    few(secrets
        .flat_map(|secret| secret.lines.iter().copied())
        .chain(line))
}

/// The first of them, ascending, each once.
fn few(lines: impl Iterator<Item = u32>) -> Rc<[u32]> {
    let mut all: Vec<u32> = lines.collect();
    all.sort_unstable();
    all.dedup();
    all.truncate(LINES);
    all.into()
}
