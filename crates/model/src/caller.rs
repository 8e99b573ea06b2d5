//! Who asks.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AgentName, SessionId, TokenId};

/// What kind of caller asks. Declared whole; a kind that no part of the program produces yet is
/// refused by policy like any other unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "name")]
#[non_exhaustive]
pub enum CallerKind {
    /// A person or a program that opened the vault in its own process.
    Operator,
    /// A process of the same user without a token.
    Local,
    /// A registered agent with a token.
    Agent(AgentName),
    /// An application that uses the library.
    Application,
    /// A Feather script; the digest of its text is in the request.
    Script,
    /// The web console.
    Console,
    /// The daemon itself: refreshes and rotations that nobody waits for.
    Daemon,
}

impl CallerKind {
    /// The agent's name, when the caller is one.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentName> {
        match self {
            Self::Agent(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for CallerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Local => f.write_str("local"),
            Self::Agent(name) => write!(f, "agent {name}"),
            Self::Application => f.write_str("application"),
            Self::Script => f.write_str("script"),
            Self::Console => f.write_str("console"),
            Self::Daemon => f.write_str("daemon"),
        }
    }
}

/// Who asks, as the operating system and the token say; never as the request says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The kind of caller.
    #[serde(flatten)]
    pub kind: CallerKind,
    /// Its user id.
    pub uid: u32,
    /// Its process id.
    pub pid: u32,
    /// Its executable, where the system tells.
    pub executable: Option<String>,
    /// The token that it showed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// The run of the program that serves it.
    pub session: SessionId,
}
