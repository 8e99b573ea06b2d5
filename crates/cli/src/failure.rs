//! Why a command failed: a stable code for programs, a message and a remedy for people.

mod code;
mod known;

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use serde::Serialize;
use subrosa_engine::{EngineError, PolicyError};

pub(crate) use known::KNOWN;

use crate::text::plain_lines;

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    /// A stable word for the kind of failure.
    pub(crate) code: Cow<'static, str>,
    /// What failed and why.
    pub(crate) message: String,
    /// What to type next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// The exit status.
    #[serde(skip)]
    pub(crate) status: u8,
}

/// The exit status of a command that whoever reads its output no longer wants.
const GONE: u8 = 141;

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: Cow::Borrowed(code),
            message: message.into(),
            remedy: None,
            status: 1,
        }
    }

    /// Arguments that make no sense together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            status: 2,
            ..Self::new("usage", message)
        }
    }

    /// A person said no.
    pub(crate) fn cancelled() -> Self {
        Self {
            status: 130,
            ..Self::new("cancelled", "cancelled; nothing was changed")
        }
    }

    #[must_use]
    pub(crate) fn remedy(mut self, text: impl Into<String>) -> Self {
        self.remedy = Some(text.into());
        self
    }

    /// With what its code says to type next, where it says nothing better itself.
    #[must_use]
    pub(crate) fn guided(mut self) -> Self {
        if self.remedy.as_deref().is_none_or(str::is_empty) {
            self.remedy = known::known(&self.code).map(|known| known.remedy.to_owned());
        }
        self
    }

    /// As it is printed: with what to type next, and nothing in it that drives a terminal. What it
    /// names may have been chosen by anyone: paths, and what other programs and files say.
    #[must_use]
    pub(crate) fn shown(&self) -> Self {
        let shown = self.clone().guided();
        Self {
            message: plain_lines(&shown.message),
            remedy: shown.remedy.as_deref().map(plain_lines),
            ..shown
        }
    }

    #[must_use]
    pub(crate) fn status(mut self, status: u8) -> Self {
        self.status = status;
        self
    }

    /// A failure of input or output, with what was being done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |error| match error.kind() {
            io::ErrorKind::BrokenPipe => Self::gone(),
            _ => Self::new("io", format!("{what}: {error}")),
        }
    }

    /// The reader of our output went away: not worth a word.
    pub(crate) fn gone() -> Self {
        Self {
            status: GONE,
            ..Self::new("output_closed", "")
        }
    }

    /// Whether there is nothing to say.
    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        if is_broken_pipe(&error) {
            return Self::gone();
        }
        if let EngineError::Policy(policy) = &error {
            return policy.into_failure();
        }
        let remedy = error.remedy();
        Self {
            remedy,
            ..Self::new(code::of(&error), error.to_string())
        }
    }
}

/// Whether the reader of our output went away, wherever that was noticed.
fn is_broken_pipe(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let shared = error.downcast_ref::<Arc<io::Error>>().map(Arc::as_ref);
        if let Some(error) = error.downcast_ref::<io::Error>().or(shared) {
            return error.kind() == io::ErrorKind::BrokenPipe;
        }
        cause = error.source();
    }
    false
}

/// What a policy that cannot be read becomes.
trait IntoFailure {
    fn into_failure(self) -> Failure;
}

impl IntoFailure for &PolicyError {
    fn into_failure(self) -> Failure {
        Failure {
            remedy: self.hint().map(str::to_owned),
            ..Failure::new("policy_wrong", format!("the policy is wrong: {self}"))
        }
    }
}

impl Failure {
    /// A policy that is wrong, with the file that it is in.
    #[must_use]
    pub(crate) fn in_policy(mut self, file: &std::path::Path) -> Self {
        let name = match file.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => file.display().to_string(),
        };
        if let ("policy_wrong", Some(what)) = (
            &*self.code,
            self.message.strip_prefix("the policy is wrong: "),
        ) {
            self.message = format!("the policy is wrong: {name}: {what}");
        }
        self
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        (&error).into_failure()
    }
}

impl From<subrosa_crypto::MemoryError> for Failure {
    fn from(error: subrosa_crypto::MemoryError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<subrosa_crypto::ReadError> for Failure {
    fn from(error: subrosa_crypto::ReadError) -> Self {
        EngineError::from(error).into()
    }
}

impl From<subrosa_model::NameError> for Failure {
    fn from(error: subrosa_model::NameError) -> Self {
        EngineError::from(error).into()
    }
}
