//! What the audit log tells. Names, never values.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Action, Caller, Digest, RequestId, SecretUse, SinkKind, Timestamp, Verdict};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the wall clock of the process that wrote it.
    pub time: Timestamp,
    /// Who.
    pub caller: Caller,
    /// What.
    #[serde(flatten)]
    pub body: EventBody,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
#[non_exhaustive]
pub enum EventBody {
    /// A use was decided. Durable before anything moves.
    Decision(DecisionEvent),
    /// A use that was allowed has ended.
    Completion(Completion),
    /// The vault changed.
    Change(Change),
    /// Somebody tried to open the vault.
    Unlock(Unlock),
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionEvent {
    /// The request that was decided.
    pub request: RequestId,
    /// The answer.
    pub verdict: Verdict,
    /// The rule that made it, by its name in the policy.
    pub rule: String,
    /// What was asked for.
    pub action: Action,
    /// The secrets, by name.
    pub secrets: Vec<SecretUse>,
    /// The kind of way out.
    pub sink: SinkKind,
    /// The way out, without arguments.
    pub destination: String,
    /// Keyed digest of the whole request, arguments included.
    pub digest: Digest,
}

/// How a use ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The request that ended.
    pub request: RequestId,
    /// How.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How often something was masked in what came back.
    pub redactions: u64,
}

/// The end of a use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
#[non_exhaustive]
pub enum Outcome {
    /// The value was handed over and nothing else is to be said.
    Delivered,
    /// A process ended by itself.
    Exited {
        /// Its exit status.
        status: i32,
    },
    /// A process was ended by a signal.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// A bound was reached.
    Limited {
        /// Which one: `timeout`, `output`, `memory`, `processes`.
        limit: String,
    },
    /// The sink refused or failed; nothing is known to have moved.
    Failed {
        /// Why, without any value.
        reason: String,
    },
}

/// What changed in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The kind of change.
    pub kind: ChangeKind,
    /// What it touched: `scope key#field`, a slot's label, a document's name.
    pub subjects: Vec<String>,
    /// More in words, or nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// The vault was made.
    Init,
    /// A secret was created or patched.
    Set,
    /// Metadata of a secret was changed.
    Edit,
    /// A secret was renamed or moved.
    Move,
    /// A secret was removed.
    Remove,
    /// An earlier version was made current.
    Rollback,
    /// A workspace was made.
    Workspace,
    /// A slot was added.
    SlotAdd,
    /// A slot was removed.
    SlotRemove,
    /// The root key was replaced.
    Rotate,
    /// Policy was replaced.
    Policy,
    /// A backup was written.
    Backup,
    /// A backup was read in.
    Restore,
    /// Secrets were imported.
    Import,
    /// Values were exported.
    Export,
    /// Old records of the log were removed.
    Prune,
    /// The log as it is was anchored anew, without an anchor that speaks for it.
    Anchor,
    /// An agent was given a token, or its tokens were taken away.
    Agent,
    /// Values are about to be handed out for the first time: output is masked by them from here on.
    Known,
    /// Placeholders were made, which stand for values in files.
    Placeholder,
}

impl ChangeKind {
    /// The word that records use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Set => "set",
            Self::Edit => "edit",
            Self::Move => "move",
            Self::Remove => "remove",
            Self::Rollback => "rollback",
            Self::Workspace => "workspace",
            Self::SlotAdd => "slot_add",
            Self::SlotRemove => "slot_remove",
            Self::Rotate => "rotate",
            Self::Policy => "policy",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::Import => "import",
            Self::Export => "export",
            Self::Prune => "prune",
            Self::Anchor => "anchor",
            Self::Agent => "agent",
            Self::Known => "known",
            Self::Placeholder => "placeholder",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An attempt to open the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlock {
    /// The slot's label, or its kind where no slot opened.
    pub slot: String,
    /// Whether it opened.
    pub opened: bool,
    /// Whether this was noted before the key was known and merged later, so that anybody who can
    /// write the folder could have made it up.
    pub unauthenticated: bool,
}
