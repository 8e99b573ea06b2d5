//! One connection, from its first words to its end.

use subrosa_engine::TokenProof;
use subrosa_model::{Caller, KeyName, Scope};
use subrosa_wire::{Reply, Request};

/// What comes of a call.
pub(crate) struct Done {
    pub(crate) reply: Reply,
    pub(crate) then: Then,
}

/// What is done once the reply is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Wait for the next request.
    Stay,
    /// Close the connection.
    Leave,
    /// End the daemon.
    Stop,
}

impl From<Reply> for Done {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            then: Then::Stay,
        }
    }
}

/// A connection: who is at the other end, and what it was told.
pub(crate) struct Visit {
    pub(crate) caller: Caller,
    pub(crate) token: Option<TokenProof>,
    pub(crate) challenge: Option<Challenge>,
    /// Makes the digests of this connection good for no other.
    pub(crate) nonce: [u8; 32],
}

impl Visit {
    pub(crate) fn by(caller: Caller, nonce: [u8; 32]) -> Self {
        Self {
            nonce,
            caller,
            token: None,
            challenge: None,
        }
    }

    pub(crate) fn who(&self) -> (&Caller, Option<&TokenProof>) {
        (&self.caller, self.token.as_ref())
    }
}

/// A request that was answered with a demand for a proof. It is forgotten with the next request,
/// whatever that is.
pub(crate) struct Challenge {
    pub(crate) digest: [u8; 32],
    pub(crate) nonce: [u8; 32],
}

/// What an agent may ask: to look, and to use.
pub(crate) fn is_for_agents(request: &Request) -> bool {
    use Request::{History, List, Run, Show, State};
    matches!(request, State | List(_) | Show(_) | History(_) | Run(_))
}

/// The secrets that a request touches, in which scope each.
pub(crate) fn touched<'a>(scope: &'a Scope, request: &'a Request) -> Vec<(&'a Scope, &'a KeyName)> {
    match request {
        Request::Purge(key) => vec![(scope, key)],
        Request::Rename {
            from,
            scope: target,
            to,
        } => vec![(scope, from), (target, to)],
        _ => Vec::new(),
    }
}

/// What a request is, for records: its first word, none of what it is about.
pub(crate) fn name_of(request: &Request) -> String {
    let text = format!("{request:?}");
    let word = text.split(|c: char| !c.is_ascii_alphanumeric()).next();
    word.unwrap_or_default().to_ascii_lowercase()
}
