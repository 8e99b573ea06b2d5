//! A use case that failed, here or in the daemon, with what the commands ask about it.

use subrosa_egress::RefusalKind;
use subrosa_engine::{EngineError, RunError, VaultError};
use subrosa_wire as wire;

use crate::failure::Failure;

/// Why a use case failed.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) failure: Failure,
    /// The key or pattern that was not found.
    pub(crate) missing: Option<Box<str>>,
    /// The variable that no command gets.
    pub(crate) variable: Option<Box<str>>,
    /// Whether the policy refused, and a rule would allow it.
    pub(crate) by_policy: bool,
    /// The exit status where this was a run.
    pub(crate) run_status: u8,
}

/// The exit status of a run when it is we who refuse or fail.
pub(crate) const OURS: u8 = 125;

impl Trouble {
    pub(crate) fn new(failure: Failure) -> Self {
        Self {
            failure,
            missing: None,
            variable: None,
            by_policy: false,
            run_status: OURS,
        }
    }

    /// A stable word for the kind of failure.
    pub(crate) fn code(&self) -> &str {
        &self.failure.code
    }
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        let missing = match &error {
            EngineError::Vault(VaultError::Missing { key, .. }) => Some(key.as_str().into()),
            EngineError::NothingFits { pattern, .. } => Some(pattern.as_str().into()),
            _ => None,
        };
        let variable = match &error {
            EngineError::Run(RunError::Variable { name, .. }) => Some(name.as_str().into()),
            _ => None,
        };
        let by_policy = matches!(&error, EngineError::Refused(refusal)
            if refusal.kind == RefusalKind::Policy && refusal.remedy.contains("rules:"));
        let run_status = match &error {
            EngineError::Run(error) => error.exit_status(),
            _ => OURS,
        };
        Self {
            failure: error.into(),
            missing,
            variable,
            by_policy,
            run_status,
        }
    }
}

impl From<Box<wire::Failure>> for Trouble {
    fn from(told: Box<wire::Failure>) -> Self {
        let failure = Failure {
            code: told.code.into(),
            message: told.message,
            remedy: told.remedy,
            status: 1,
        };
        Self {
            failure,
            missing: told.missing.map(Into::into),
            variable: told.variable.map(Into::into),
            by_policy: told.by_policy,
            run_status: told.status,
        }
    }
}

impl From<wire::WireError> for Trouble {
    fn from(error: wire::WireError) -> Self {
        Self::new(error.into())
    }
}

impl From<wire::WireError> for Failure {
    fn from(error: wire::WireError) -> Self {
        let remedy = match &error {
            wire::WireError::Version { .. } => {
                "Another version started it. Restart it: subrosa daemon stop, then subrosa unlock"
            }
            wire::WireError::Nobody { .. } => "Start it: subrosa unlock",
            wire::WireError::Foreign { .. } => {
                "Somebody else made this socket. Do not type a passphrase here before it is gone."
            }
            wire::WireError::Closed => {
                "The daemon ended. What it acknowledged is stored; start it again: subrosa unlock"
            }
            wire::WireError::Elsewhere => "Use subrosa --no-daemon here",
            wire::WireError::Late => "See how it is: subrosa status",
            _ => "Use subrosa --no-daemon, or restart the daemon: subrosa daemon stop",
        };
        Self::new("daemon", error.to_string()).remedy(remedy)
    }
}

/// What the daemon tells of a use case that failed.
pub(crate) fn describe(error: EngineError) -> Box<wire::Failure> {
    let trouble = Trouble::from(error);
    Box::new(wire::Failure {
        code: trouble.failure.code.into_owned(),
        message: trouble.failure.message,
        remedy: trouble.failure.remedy,
        status: trouble.run_status,
        missing: trouble.missing.map(String::from),
        variable: trouble.variable.map(String::from),
        by_policy: trouble.by_policy,
    })
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        trouble.failure
    }
}
