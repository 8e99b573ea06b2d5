//! What is asked and what is answered. Plain data: no value has a place in it.
//!
//! Encoded with postcard, which is not self-describing: both sides have the same protocol number,
//! so they have the same types.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use subrosa_model::{
    AgentName, FieldName, Inject, KeyName, Pin, ProcessLimits, Scope, Tag, TokenId, VarName,
    WorkspaceName,
};

use crate::WireError;

/// The bytes of a message.
///
/// # Errors
/// [`WireError::Garbled`] when it cannot be written, which no message of this room is.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    postcard::to_allocvec(message).map_err(|_| WireError::Garbled {
        what: "a message of ours",
    })
}

/// A message from its bytes, all of them.
///
/// # Errors
/// [`WireError::Garbled`].
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        _ => Err(WireError::Garbled { what: "a message" }),
    }
}

/// A request, with where its look-ups begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Where look-ups begin.
    pub scope: Scope,
    /// What is asked.
    pub request: Request,
}

/// What a client may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Request {
    /// How the daemon is.
    State,
    /// Open the vault. The secret of the frame is the proof.
    Unlock {
        /// What it is.
        proof: Proof,
        /// Lock after so long without a request.
        idle: Option<Duration>,
        /// Lock after so long whatever happens.
        absolute: Option<Duration>,
    },
    /// From here on, ask as the agent whose token the secret of the frame is. A token that is not
    /// accepted ends the connection.
    Identify,
    /// Forget the keys.
    Lock,
    /// Forget the keys and end.
    Stop,
    /// Secrets that fit.
    List(Filter),
    /// Everything about a secret but its values.
    Show(KeyName),
    /// Its versions, newest first.
    History(KeyName),
    /// Store a change; the secret of the frame is the new value, if there is one.
    Set {
        /// The secret.
        key: KeyName,
        /// What changes.
        change: Box<Change>,
        /// Whether it must be new, or there.
        mode: Mode,
    },
    /// Store a random value, which nobody has seen.
    Generate {
        /// The secret.
        key: KeyName,
        /// The field.
        field: FieldName,
        /// What it is made of.
        recipe: Recipe,
        /// How many characters, or bytes.
        length: u32,
    },
    /// Another name, or another scope.
    Rename {
        /// The name now.
        from: KeyName,
        /// The scope afterwards.
        scope: Scope,
        /// The name afterwards.
        to: KeyName,
    },
    /// Remove a secret; it can be brought back.
    Remove(KeyName),
    /// Remove a secret for good. Needs presence.
    Purge(KeyName),
    /// The tokens of agents.
    Tokens,
    /// Take away a token by its id, or all of an agent by its name.
    RevokeTokens(String),
    /// What was answered with [`Answer::Presence`], with the proof that was asked for as the secret
    /// of the frame.
    Proven {
        /// The digest that was answered.
        digest: [u8; 32],
        /// What the proof is.
        proof: Proof,
        /// The same request once more.
        request: Box<Request>,
    },
    /// Make an earlier version current.
    Rollback {
        /// The secret.
        key: KeyName,
        /// The version; the one before the current without.
        version: Option<u32>,
    },
    /// Run a command. The descriptors are standard input, output and error, as far as the client
    /// has them, and then a socket of packets of four bytes: a signal for the command's group, in
    /// the one direction; the signal that stopped it, in the other.
    Run(Box<Run>),
    /// Look through text for values. The one descriptor is a stream socket that the text comes on,
    /// and that what is made of it goes back on. The answer comes when the client has ended its side.
    Mask(Mask),
}

/// What text is looked through for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mask {
    /// Secrets, beside all that was ever handed out.
    pub selectors: Vec<String>,
    /// Whether values with something inside them are found.
    pub fold: bool,
    /// What comes back.
    pub back: Back,
}

/// What comes back of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Back {
    /// The text as one stream, with every value masked.
    Text {
        /// Whether what has the shape of a credential is masked as well.
        shapes: bool,
    },
    /// For each text of several where values stand: see [`crate::looking`].
    Places,
}

/// Which secrets to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only keys that fit one of these patterns; none is all.
    pub patterns: Vec<String>,
    /// Only secrets with this tag.
    pub tag: Option<String>,
    /// Every workspace, not only the current scope and global.
    pub all: bool,
    /// Removed ones instead.
    pub removed: bool,
}

/// Whether a secret must be new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Create it or change it.
    Upsert,
    /// Only create it.
    Create,
    /// Only change it.
    Update,
}

/// What opens a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// A passphrase.
    Passphrase,
    /// A recovery code.
    Recovery,
    /// The content of a key file.
    KeyFile,
    /// What stood in a variable of the client's environment, decoded.
    Environment,
    /// What a command of the client's printed, decoded.
    Command,
    /// What an age or SSH identity of the client's opened.
    Age,
    /// What a keyring of the client's kept.
    Keyring,
    /// What a TPM of the client's gave out for a PIN.
    Tpm,
}

/// What a random value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recipe {
    /// Letters and digits.
    Alphanumeric,
    /// Letters, digits and marks that need no quoting in URLs and shells.
    Symbols,
    /// Lower-case hexadecimal digits.
    Hex,
    /// Any bytes.
    Bytes,
}

/// What `set` and `edit` change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The field whose value is the secret of the frame, and what is known of it.
    pub value: Option<(FieldName, Option<FieldAbout>)>,
    /// Fields to drop.
    pub remove_fields: Vec<FieldName>,
    /// Replaces the tags.
    pub tags: Option<Vec<Tag>>,
    /// Replaces the note.
    pub note: Option<String>,
    /// Replaces the URL.
    pub url: Option<String>,
    /// Replaces or clears the expiry, in microseconds since 1970.
    pub expires: Option<Option<i64>>,
    /// Replaces or clears bindings.
    pub bindings: Vec<(FieldName, Option<VarName>)>,
    /// The pin, an argument of creation.
    pub pin: Option<Pin>,
}

/// What is known of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldAbout {
    /// A word for what it is.
    pub kind: String,
    /// Whether its value is a secret.
    pub sensitive: bool,
    /// Help for whoever fills it in.
    pub hint: String,
    /// Other names.
    pub aliases: Vec<FieldName>,
    /// Whether a value that would mask ordinary text is given to commands all the same.
    pub forced: bool,
}

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The command and its arguments, as bytes.
    pub command: Vec<Vec<u8>>,
    /// Secrets to use.
    pub patterns: Vec<String>,
    /// Variables that are bound to a secret by name.
    pub binds: Vec<(VarName, String)>,
    /// How values arrive.
    pub inject: Option<Inject>,
    /// Variables to pass on beside the usual ones.
    pub pass: Vec<VarName>,
    /// Bounds.
    pub limits: ProcessLimits,
    /// The client's variables, as far as a command may inherit them.
    pub variables: Vec<(Vec<u8>, Vec<u8>)>,
    /// The folder in which it runs.
    pub directory: Vec<u8>,
    /// The client's umask.
    pub mask: u32,
    /// Which of standard input, output and error come as descriptors, in that order.
    pub streams: [bool; 3],
}

/// An answer, or why there is none.
pub type Reply = Result<Answer, Box<Failure>>;

/// Why a request was not carried out, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word for the kind of failure.
    pub code: String,
    /// What failed and why.
    pub message: String,
    /// What to type next.
    pub remedy: Option<String>,
    /// The exit status of a `run`.
    pub status: u8,
    /// What was not found, where a name was: a key or a pattern.
    pub missing: Option<String>,
    /// The variable that no command gets, where that was it.
    pub variable: Option<String>,
    /// Whether the policy refused, and a rule would allow it.
    pub by_policy: bool,
}

impl Failure {
    /// A failure that is ours, without more to say of it.
    #[must_use]
    pub fn new(code: &str, message: impl std::fmt::Display) -> Box<Self> {
        Box::new(Self {
            code: code.to_owned(),
            message: message.to_string(),
            remedy: None,
            status: 125,
            missing: None,
            variable: None,
            by_policy: false,
        })
    }

    /// Says what to type next.
    #[must_use]
    pub fn remedy(mut self: Box<Self>, remedy: &str) -> Box<Self> {
        self.remedy = Some(remedy.to_owned());
        self
    }
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Answer {
    /// It is done.
    Done,
    /// How the daemon is.
    State(State),
    /// The vault is open; what there is to know about that.
    Unlocked(Vec<String>),
    /// Secrets.
    Listed(Vec<Listed>),
    /// One secret.
    Shown(Box<Shown>),
    /// Its versions.
    History(Vec<Past>),
    /// What was stored.
    Stored(Box<Stored>),
    /// The account of a run.
    Ran(Box<RunReport>),
    /// Nothing was done: it needs a proof that a person is there, for exactly this request. The next
    /// request of the connection is the only one that may bring it.
    Presence {
        /// Stands for the request, whoever asks, and what it rests on.
        digest: [u8; 32],
        /// What needs the proof, in words.
        what: String,
    },
    /// Tokens of agents.
    Tokens(Vec<Token>),
    /// Text was looked through.
    Masked(Masked),
}

/// A token of an agent, all but the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// Whose it is.
    pub agent: AgentName,
    /// When it was given, in microseconds since 1970.
    pub created: i64,
    /// Until when it is valid.
    pub expires: i64,
    /// Whether it is valid no more.
    pub expired: bool,
    /// The process to whose session it is bound.
    pub bound_to: Option<u32>,
    /// What it reaches at most.
    pub reach: BTreeMap<String, Vec<String>>,
}

/// The account of text that was looked through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masked {
    /// How often a value was found.
    pub found: u64,
    /// What the user should know about what was not looked for.
    pub warnings: Vec<String>,
}

/// How a daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its process.
    pub pid: u32,
    /// Since when it runs, in microseconds since 1970.
    pub since: i64,
    /// Whether the vault is open.
    pub unlocked: bool,
    /// The slot that opened it.
    pub slot: Option<String>,
    /// Until it locks for want of requests, and whatever happens.
    pub locks_in: Option<(Duration, Duration)>,
    /// Commands that run.
    pub running: u32,
}

/// A secret in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The workspace that holds it.
    pub workspace: WorkspaceName,
    /// The group inside it.
    pub group: Option<String>,
    /// The key.
    pub key: KeyName,
    /// Its fields that have a value.
    pub fields: Vec<FieldName>,
    /// The current version.
    pub version: u32,
    /// Its tags.
    pub tags: Vec<String>,
    /// The provider that it is pinned to.
    pub pin: Option<String>,
    /// When anything of it last changed, in microseconds since 1970.
    pub modified: i64,
    /// After this it is refused.
    pub expires: Option<i64>,
    /// When it was removed.
    pub removed: Option<i64>,
}

/// A secret, all but its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What a list says.
    pub listed: Listed,
    /// When it was created, in microseconds since 1970.
    pub created: i64,
    /// A note.
    pub note: String,
    /// Where it is from or used.
    pub url: String,
    /// Its fields.
    pub about: Vec<ShownField>,
    /// How many versions are kept.
    pub versions: u32,
}

/// A field of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownField {
    /// The field.
    pub name: FieldName,
    /// Whether its value is a secret.
    pub sensitive: bool,
    /// Whether output is masked when it holds the value.
    pub masked: bool,
    /// The version in which the value was written.
    pub written: u32,
    /// The variable that stands for it.
    pub variable: VarName,
    /// A word for what it is.
    pub kind: String,
    /// Help for whoever fills it in.
    pub hint: String,
    /// Other names.
    pub aliases: Vec<FieldName>,
}

/// A version of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The version.
    pub version: u32,
    /// When it was made, in microseconds since 1970.
    pub created: i64,
    /// Whether it is the one that is used.
    pub current: bool,
    /// Fields whose value was written in it.
    pub written: Vec<FieldName>,
    /// All fields that have a value in it.
    pub fields: Vec<FieldName>,
}

/// What storing did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Whether the secret is new.
    pub created: bool,
    /// Whether the workspace is new.
    pub workspace_created: bool,
    /// The secret afterwards.
    pub shown: Shown,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunEnding {
    /// It exited with this status.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It went over its time.
    Timeout,
    /// It wrote more than it may.
    Output,
    /// It started more processes than it may.
    Processes,
    /// Whoever it ran for went away.
    Abandoned,
}

/// The account of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// How it ended.
    pub ending: RunEnding,
    /// Bytes passed on, after redaction: standard output, standard error.
    pub bytes: (u64, u64),
    /// How many times the value of each secret was masked; an empty key is one without a name.
    pub redactions: BTreeMap<String, u64>,
    /// How many times anything was masked.
    pub redacted: u64,
    /// Whether output was thrown away since there was too much.
    pub truncated: bool,
    /// Why output was lost: an error number of the system.
    pub output_error: Option<i32>,
    /// Processes that outlived the command and were killed.
    pub stragglers_killed: u32,
    /// From start to end.
    pub duration: Duration,
    /// The secrets that it was given.
    pub used: Vec<String>,
    /// What the user should know about what was not masked.
    pub warnings: Vec<String>,
}
