//! A request to use secrets, as policy sees it.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Caller, CapabilityName, Destination, Digest, RequestId, SecretUse, SinkKind, Timestamp,
};

/// What a rule allows: one kind a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// A command that uses secrets.
    Run,
    /// A brokered request.
    Http,
    /// A Feather script on the user's vault.
    Script,
    /// A value out, to the person who asks.
    Read,
    /// A value handed to a local process that is not a child of ours.
    Client,
    /// A signature.
    Sign,
    /// Values that text is looked through for, to mask them in it or to say where they stand.
    Mask,
}

impl Action {
    /// The word that rules and records use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Http => "http",
            Self::Script => "script",
            Self::Read => "read",
            Self::Client => "client",
            Self::Sign => "sign",
            Self::Mask => "mask",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a value reaches a child process.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Inject {
    /// A placeholder that the broker swaps on the wire; the child never holds the value.
    #[default]
    Placeholder,
    /// A variable of its environment.
    Env,
    /// A file that only it can read, named by a variable.
    File,
    /// Its standard input.
    Stdin,
}

impl Inject {
    /// The word that rules and options use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Placeholder => "placeholder",
            Self::Env => "env",
            Self::File => "file",
            Self::Stdin => "stdin",
        }
    }
}

impl fmt::Display for Inject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Inject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Placeholder, Self::Env, Self::File, Self::Stdin]
            .into_iter()
            .find(|inject| inject.name() == text)
            .ok_or_else(|| format!("{text:?} is none of placeholder, env, file, stdin"))
    }
}

/// Bounds on a child process; `None` is the built-in bound of the runner, not "no bound".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct ProcessLimits {
    /// Wall-clock time.
    pub timeout: Option<Duration>,
    /// Bytes of output, both streams together.
    pub output: Option<u64>,
    /// Bytes of address space of each process.
    pub memory: Option<u64>,
    /// Processes at a time.
    pub processes: Option<u32>,
}

/// The command of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The first word as it was typed.
    pub requested: OsString,
    /// The file that it resolved to, symbolic links followed.
    pub executable: PathBuf,
    /// The argument vector, the requested name first.
    pub arguments: Vec<OsString>,
    /// SHA-256 of the executable's content, where a rule pins it; a rule that pins one does not
    /// match without it.
    pub digest: Option<Digest>,
}

/// A request to use secrets. Built by the engine from what the system says, never from what the
/// caller claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRequest {
    /// Carried by both records of this use.
    pub id: RequestId,
    /// Who asks.
    pub caller: Caller,
    /// What it wants to do.
    pub action: Action,
    /// With which secrets; a use of several is allowed only if each is.
    pub secrets: Vec<SecretUse>,
    /// Through which kind of sink.
    pub sink: SinkKind,
    /// Where to.
    pub destination: Destination,
    /// Where in a script, as `FILE:LINE`: for the record, no rule looks at it.
    pub place: Option<String>,
    /// The command, for [`Action::Run`].
    pub command: Option<CommandLine>,
    /// The capability, for [`Action::Http`].
    pub capability: Option<CapabilityName>,
    /// When.
    pub time: Timestamp,
}

/// What a decision says. The default is no.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No.
    #[default]
    Deny,
    /// Only when an operator approves this very request.
    Ask,
    /// Yes.
    Allow,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deny => "deny",
            Self::Ask => "ask",
            Self::Allow => "allow",
        })
    }
}
