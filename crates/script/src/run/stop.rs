//! How statements end that do not just go on.

use std::time::Duration;

use crate::syntax::{Diagnostic, Note, Source, Span};
use crate::world::WorldError;
use subrosa_egress::feather::{Fault, FaultKind};

use super::container::{BYTES, MEMBERS, NESTED, Unfit};
use super::value::{Taint, Value};

/// Why a statement did not go on to the next.
#[derive(Debug)]
pub(crate) enum Stop {
    /// `success`, `failure`: the end of a function or of the script. `is_secret` where whether it came
    /// to that is one.
    Done {
        is_success: bool,
        value: Option<Value>,
        is_secret: bool,
    },
    /// It failed or was refused.
    Failed(Box<Failure>),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

/// A statement that failed or was refused. None of its texts holds a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: Box<str>,
    pub(crate) hint: Box<str>,
    pub(crate) span: Option<Span>,
    /// The statement that failed.
    pub(crate) owner: Option<Span>,
    pub(crate) notes: Vec<Note>,
    /// Whether egress was refused.
    pub(crate) is_refusal: bool,
    /// Whether it depends on what a secret is.
    pub(crate) is_secret: bool,
    /// What derives from secrets of what it looked at, whether they made it fail or not.
    pub(crate) taint: Option<Box<Taint>>,
    /// The time that was over, where it took longer than it may.
    pub(crate) deadline: Option<Box<Duration>>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<Box<str>>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: Box::default(),
            span: None,
            owner: None,
            notes: Vec::new(),
            is_refusal: false,
            is_secret: false,
            taint: None,
            deadline: None,
        }
    }

    /// It ran longer than it may.
    pub(crate) fn late(deadline: Duration) -> Self {
        Self {
            deadline: Some(Box::new(deadline)),
            ..Self::new("timeout", "it ran longer than it may")
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = hint.into();
        self
    }

    pub(crate) fn at(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    pub(crate) fn refusal(mut self) -> Self {
        self.is_refusal = true;
        self
    }

    /// It depends on this, if there is anything.
    pub(crate) fn by(mut self, taint: Option<Taint>) -> Self {
        self.is_secret |= taint.is_some();
        self.beside(taint)
    }

    /// This was looked at as well. It would have failed whatever that is.
    pub(crate) fn beside(mut self, taint: Option<Taint>) -> Self {
        let before = self.taint.take().map(|taint| *taint);
        self.taint = Taint::of(before.iter().chain(&taint)).map(Box::new);
        self
    }

    /// Which of two is told where `other` came before: one that every secret brings, if there is one.
    pub(crate) fn behind(self, other: Option<Self>) -> Self {
        match other {
            Some(other) if self.is_secret || !other.is_secret => other,
            _ => self,
        }
    }

    /// What the author reads; of a block on a secret no more than that something in it failed.
    pub(crate) fn told(self, header: Option<Span>, source: &Source) -> Diagnostic {
        // Which statement of the block it was would tell which way was taken.
        if let Some(header) = header {
            return Diagnostic::error("failed-within", "a statement in this block failed", header)
                .hint("which one, and why, is not said: it depends on a secret");
        }
        let span = self.span.unwrap_or(Span { start: 0, end: 0 });
        let mut told = Diagnostic::error(self.code, self.message, span);
        // The line that failed is shown already.
        let line = source.line(span.start);
        told.notes = self.notes;
        told.notes
            .retain(|note| source.line(note.span.start) != line);
        if !self.hint.is_empty() {
            told = told.hint(self.hint);
        }
        told
    }

    /// It depends on a secret, if this is so.
    pub(crate) fn secret_if(mut self, is_secret: bool) -> Self {
        self.is_secret |= is_secret;
        self
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let hint = match fault.kind {
            FaultKind::Number => {
                "numbers are digits, with `-` in front and `.` within; trim others"
            }
            FaultKind::Truth => "compare it first: `is`, `>`, `contains`",
            _ => "",
        };
        Self::new("fault", fault.to_string()).hint(hint)
    }
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Fault(fault) => fault.into(),
            Unfit::Full(taint) => Self::new(
                "container-full",
                format!("a container has at most {MEMBERS} members"),
            )
            .by(taint),
            Unfit::TooLong(taint) => Self::new(
                "container-full",
                format!("a container has at most {BYTES} bytes of text"),
            )
            .by(taint),
            Unfit::TooDeep(taint) => Self::new(
                "too-deep",
                format!("more than {NESTED} containers within each other"),
            )
            .by(taint),
            Unfit::NoList => Self::new("not-a-list", "this is a map, and a list is needed")
                .hint("give the member a key: add map 'key' 'value'"),
            Unfit::NoMap => Self::new("not-a-map", "this is a list, and a map is needed")
                .hint("add the member without a key: add item 'value'"),
        }
    }
}

impl From<WorldError> for Failure {
    fn from(error: WorldError) -> Self {
        let message = error.to_string();
        match error {
            WorldError::Missing { name } => Self::new("missing-entry", message)
                .hint(format!("store it first: 'value' into vault '{name}'")),
            WorldError::Refused { remedy, .. } => {
                Self::new("refused", message).hint(remedy).refusal()
            }
            WorldError::Failed { .. } => Self::new("failed", message),
            WorldError::NotBuilt { .. } => Self::new("not-built", message),
        }
    }
}
