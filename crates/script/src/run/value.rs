//! Values of a script: public text, or a secret with what it derives from.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use subrosa_egress::feather::{Fault, Operation};
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

/// A text that leaves with `sensitive … with risk` alone. Also what a condition on it hands to all that
/// is assigned behind it: see [`Secret::taint`].
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) value: Arc<Sensitive>,
    /// The lines that made it one, ascending.
    pub(crate) lines: Rc<[u32]>,
}

impl Secret {
    pub(crate) fn new(value: Sensitive, line: u32) -> Self {
        Self {
            value: Arc::new(value),
            lines: Rc::new([line]),
        }
    }

    pub(crate) fn labels(&self) -> &Labels {
        self.value.labels()
    }

    /// An empty text that derives from the same entries.
    pub(crate) fn taint(&self) -> Result<Self, Fault> {
        let inputs = [
            Input::Sensitive(&self.value),
            Input::Public(b"0"),
            Input::Public(b"0"),
        ];
        Ok(Self {
            value: Arc::new(Sensitive::derive_from(&Operation::Slice, &inputs)?),
            lines: Rc::clone(&self.lines),
        })
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

    /// The same, deriving from `taint` as well.
    pub(crate) fn tainted(self, taint: Option<&Secret>) -> Result<Self, Fault> {
        match (taint, &self) {
            (None, _) => Ok(self),
            (Some(taint), Self::Secret(secret))
                if taint.labels().is_subset(secret.labels()) && taint.lines == secret.lines =>
            {
                Ok(self)
            }
            (Some(taint), _) => {
                compute(Operation::Concat, &[&self, &Self::Secret(taint.clone())], None)
            }
        }
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
        let texts: Vec<&[u8]> = inputs.iter().map(|input| input.shown().as_bytes()).collect();
        let text = operation.evaluate(&texts)?;
        return Ok(Value::Public(String::from_utf8_lossy(&text).into()));
    }
    let given: Vec<Input<'_>> = inputs.iter().map(|input| input.input()).collect();
    let value = Sensitive::derive_from(&operation, &given)?;
    Ok(Value::Secret(Secret {
        value: Arc::new(value),
        lines: lines(inputs, line),
    }))
}

/// The parts of a text; secrets if it or the separator is one.
pub(crate) fn split(text: &Value, separator: &Value, line: u32) -> Result<Vec<Value>, Fault> {
    use subrosa_egress::feather::Split;
    if let (Value::Public(text), Value::Public(separator)) = (text, separator) {
        let parts = Split.evaluate(text.as_bytes(), separator.as_bytes())?;
        let public = |part: Vec<u8>| Value::Public(String::from_utf8_lossy(&part).into());
        return Ok(parts.into_iter().map(public).collect());
    }
    let lines = lines(&[text, separator], Some(line));
    let parts = Sensitive::derive_all(&Split, &[text.input(), separator.input()])?;
    let secret = |part| {
        Value::Secret(Secret {
            value: Arc::new(part),
            lines: Rc::clone(&lines),
        })
    };
    Ok(parts.into_iter().map(secret).collect())
}

fn lines(inputs: &[&Value], line: Option<u32>) -> Rc<[u32]> {
    let mut all: BTreeSet<u32> = inputs
        .iter()
        .filter_map(|input| input.secret())
        .flat_map(|secret| secret.lines.iter().copied())
        .collect();
    all.extend(line);
    all.into_iter().take(LINES).collect()
}

/// What several taints make together.
pub(crate) fn join(one: Option<Secret>, other: Option<&Secret>) -> Result<Option<Secret>, Fault> {
    match (one, other) {
        (None, None) => Ok(None),
        (Some(one), None) => Ok(Some(one)),
        (None, Some(other)) => other.taint().map(Some),
        (Some(one), Some(other)) => {
            let other = Value::Secret(other.taint()?);
            match Value::Secret(one).tainted(other.secret())? {
                Value::Secret(both) => Ok(Some(both)),
                Value::Public(_) => Ok(None),
            }
        }
    }
}
