//! The `tests` of a policy: uses, and the decisions that are expected of them.

use std::ffi::OsString;
use std::path::PathBuf;

use subrosa_model::{
    Action, AgentName, Caller, CallerKind, CapabilityName, CommandLine, Destination, Digest,
    FieldName, GroupName, Inject, KeyName, Label, RequestId, Scope, SecretId, SecretUse, SessionId,
    SinkKind, Timestamp, UseRequest, Verdict, WorkspaceId, WorkspaceName,
};

use crate::canonical::Entry;
use crate::document::ACTIONS;
use crate::error::{Place, PolicyError};
use crate::fields::{Fields, one_of};
use crate::node::Node;
use crate::{Policy, rule};

const KEYS: [&str; 14] = [
    "expect",
    "name",
    "action",
    "command",
    "args",
    "executable",
    "hash",
    "directory",
    "secrets",
    "inject",
    "capability",
    "caller",
    "agent",
    "rule",
];
const LIST_MAX: usize = 1_000;

/// One entry of `tests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    expect: Verdict,
    name: Option<String>,
    action: Action,
    command: Option<String>,
    args: Option<Vec<String>>,
    executable: Option<String>,
    hash: Option<Digest>,
    directory: Option<String>,
    secrets: Option<Vec<String>>,
    inject: Option<Inject>,
    capability: Option<String>,
    caller: Option<Who>,
    agent: Option<AgentName>,
    rule: Option<String>,
}

/// The callers that a test can name by a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Operator,
    Local,
    Application,
    Script,
}

const CALLERS: [(&str, Who); 4] = [
    ("operator", Who::Operator),
    ("local", Who::Local),
    ("application", Who::Application),
    ("script", Who::Script),
];

impl Who {
    fn kind(self) -> CallerKind {
        match self {
            Self::Operator => CallerKind::Operator,
            Self::Local => CallerKind::Local,
            Self::Application => CallerKind::Application,
            Self::Script => CallerKind::Script,
        }
    }
}

/// How one entry of `tests` came out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestResult {
    /// Counted from 0.
    pub index: usize,
    /// Its name, or its command line.
    pub name: String,
    /// Whether the decision was the expected one.
    pub passed: bool,
    /// The verdict that it expects.
    pub expected: Verdict,
    /// The decision.
    pub decision: crate::Decision,
    /// What is wrong, where it failed; empty where it passed.
    pub message: String,
}

pub(crate) fn read_all(nodes: Vec<Node>) -> Result<Vec<Case>, PolicyError> {
    nodes.into_iter().map(read).collect()
}

fn read(node: Node) -> Result<Case, PolicyError> {
    let mut fields = Fields::open(node, "a test", &KEYS)?;
    let at = fields.at;
    let verdicts = [
        ("allow", Verdict::Allow),
        ("deny", Verdict::Deny),
        ("ask", Verdict::Ask),
    ];
    let text = |text: &str| Ok(text.to_owned());
    let Some(expect) = fields.parsed("expect", |text| one_of(text, &verdicts))? else {
        let hint = "say what is expected: expect: deny";
        return Err(PolicyError::content(at, "a test needs `expect`", hint));
    };
    let case = Case {
        expect,
        name: fields.parsed("name", rule::name)?,
        action: fields
            .parsed("action", |text| one_of(text, &ACTIONS))?
            .unwrap_or(Action::Run),
        command: fields.parsed("command", without_nul)?,
        args: fields.parsed_list("args", LIST_MAX, without_nul)?,
        executable: fields.parsed("executable", absolute)?,
        hash: fields.parsed("hash", rule::hash)?,
        directory: fields.parsed("directory", absolute)?,
        secrets: fields.parsed_list("secrets", LIST_MAX, |text| {
            secret(text).map(|_| text.to_owned())
        })?,
        inject: fields.parsed("inject", rule::inject)?,
        capability: fields.parsed("capability", |text| {
            CapabilityName::new(text)
                .map(String::from)
                .map_err(|error| error.to_string())
        })?,
        caller: fields.parsed("caller", |text| one_of(text, &CALLERS))?,
        agent: fields.parsed("agent", |text| {
            AgentName::new(text).map_err(|error| error.to_string())
        })?,
        rule: fields.parsed("rule", text)?,
    };
    case.check(at)?;
    Ok(case)
}

impl Case {
    fn check(&self, at: Place) -> Result<(), PolicyError> {
        let wrong = |message: &str, hint: &str| Err(PolicyError::content(at, message, hint));
        if self.caller.is_some() && self.agent.is_some() {
            return wrong("a test has one caller", "keep `agent` or `caller`");
        }
        if self.action == Action::Run && self.command.is_none() {
            return wrong("a test of `run` needs a command", "name it: command: git");
        }
        let of_run = self.command.is_some()
            || self.args.is_some()
            || self.executable.is_some()
            || self.hash.is_some()
            || self.directory.is_some()
            || self.inject.is_some();
        if self.action != Action::Run && of_run {
            let hint =
                "leave out command, args, executable, hash, directory and inject, or the `action`";
            return wrong("a command belongs to a test of `run`", hint);
        }
        match (self.action, &self.capability) {
            (Action::Http, None) => wrong(
                "a test of `http` needs a capability",
                "name it: capability: openai/chat",
            ),
            (Action::Http, Some(_)) | (_, None) => Ok(()),
            (_, Some(_)) => wrong(
                "a capability belongs to a test of `http`",
                "say action: http",
            ),
        }
    }

    /// How many entries its lists have.
    pub(crate) fn entries(&self) -> usize {
        self.args.as_ref().map_or(0, Vec::len) + self.secrets.as_ref().map_or(0, Vec::len)
    }

    /// Writes it as an entry of a list.
    pub(crate) fn write(&self) -> String {
        let mut entry = Entry::new("expect");
        entry.value(&self.expect.to_string());
        entry.text("name", self.name.as_deref());
        entry.word(
            "action",
            (self.action != Action::Run).then(|| self.action.name()),
        );
        entry.text("command", self.command.as_deref());
        entry.list(
            "args",
            self.args
                .as_deref()
                .map(|args| args.iter().map(String::as_str)),
        );
        entry.text("executable", self.executable.as_deref());
        entry.text(
            "hash",
            self.hash.map(|hash| format!("sha256:{hash}")).as_deref(),
        );
        entry.text("directory", self.directory.as_deref());
        entry.list(
            "secrets",
            self.secrets
                .as_deref()
                .map(|all| all.iter().map(String::as_str)),
        );
        entry.word("inject", self.inject.map(|inject| inject.name()));
        entry.text("capability", self.capability.as_deref());
        let caller = |who: Who| CALLERS.iter().find(|(_, known)| *known == who);
        entry.word(
            "caller",
            self.caller.and_then(caller).map(|(name, _)| *name),
        );
        entry.text("agent", self.agent.as_ref().map(|agent| agent.as_str()));
        entry.text("rule", self.rule.as_deref());
        entry.finish()
    }

    /// Tries it against a policy.
    pub(crate) fn run(&self, index: usize, policy: &Policy) -> TestResult {
        let decision = policy.decide(&self.request());
        let by = decision.rule.to_string();
        let name_of_rule = match &decision.rule {
            crate::RuleRef::Rule { name, .. } => name.as_deref(),
            _ => None,
        };
        let right_rule = self
            .rule
            .as_deref()
            .is_none_or(|rule| rule == by || name_of_rule == Some(rule));
        let message = if decision.verdict != self.expect {
            format!(
                "expected {}, got {} by {by}: {}",
                self.expect, decision.verdict, decision.reason
            )
        } else if !right_rule {
            let wanted = self.rule.as_deref().unwrap_or_default();
            format!(
                "{} as expected, but by {by}, not by {wanted}",
                decision.verdict
            )
        } else {
            String::new()
        };
        TestResult {
            index,
            name: self.title(),
            passed: message.is_empty(),
            expected: self.expect,
            decision,
            message,
        }
    }

    fn title(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let words = self.command.iter().chain(self.args.iter().flatten());
        let line: Vec<&str> = words.map(String::as_str).collect();
        match (line.is_empty(), &self.capability) {
            (false, _) => line.join(" "),
            (true, Some(capability)) => format!("{} {capability}", self.action),
            (true, None) => self.action.to_string(),
        }
    }

    /// The request that it stands for, with what it leaves out filled in.
    pub(crate) fn request(&self) -> UseRequest {
        let kind = match (&self.agent, self.caller) {
            (Some(agent), _) => CallerKind::Agent(agent.clone()),
            (None, who) => who.unwrap_or(Who::Operator).kind(),
        };
        let command = self
            .command
            .as_ref()
            .map(|command| self.command_line(command));
        let inject = self.inject.unwrap_or_default();
        let (sink, destination) = match &command {
            Some(line) => (
                sink_of(inject),
                Destination::Process {
                    executable: line.executable.clone(),
                    arguments: line.arguments.clone(),
                    directory: PathBuf::from(self.directory.as_deref().unwrap_or("/home")),
                    inject,
                },
            ),
            None => way_out(self.action),
        };
        UseRequest {
            id: RequestId::from_bytes([0; 16]),
            caller: Caller {
                kind,
                uid: 1000,
                pid: 1,
                executable: None,
                token: None,
                session: SessionId::from_bytes([0; 16]),
            },
            action: self.action,
            // Each text was checked when it was read.
            secrets: self
                .secrets
                .iter()
                .flatten()
                .filter_map(|text| secret(text).ok())
                .collect(),
            sink,
            destination,
            place: None,
            command,
            capability: self
                .capability
                .as_deref()
                .and_then(|name| CapabilityName::new(name).ok()),
            time: Timestamp::EPOCH,
        }
    }

    fn command_line(&self, command: &str) -> CommandLine {
        let executable = match &self.executable {
            Some(path) => path.clone(),
            None if command.starts_with('/') => command.to_owned(),
            None => {
                let file = command.rsplit('/').next().unwrap_or(command);
                format!("/usr/bin/{file}")
            }
        };
        let words = std::iter::once(command).chain(self.args.iter().flatten().map(String::as_str));
        CommandLine {
            requested: OsString::from(command),
            executable: PathBuf::from(executable),
            arguments: words.map(OsString::from).collect(),
            digest: self.hash,
        }
    }
}

/// The kind of sink that a way to hand values over goes through.
pub(crate) fn sink_of(inject: Inject) -> SinkKind {
    match inject {
        Inject::File => SinkKind::File,
        Inject::Stdin => SinkKind::Stdin,
        _ => SinkKind::Environment,
    }
}

/// Where a use that starts no process goes, for a test.
fn way_out(action: Action) -> (SinkKind, Destination) {
    match action {
        Action::Http => (
            SinkKind::HttpInjection,
            Destination::Http {
                scheme: "https".to_owned(),
                host: "host.invalid".to_owned(),
                port: 443,
                method: "GET".to_owned(),
                target: "/".to_owned(),
            },
        ),
        Action::Sign => (
            SinkKind::Signature,
            Destination::Signature {
                algorithm: "ed25519".to_owned(),
                message: Digest::from_bytes([0; 32]),
            },
        ),
        Action::Client => (
            SinkKind::Client,
            Destination::Client {
                purpose: "helper".to_owned(),
            },
        ),
        _ => (SinkKind::Console, Destination::Console),
    }
}

/// Reads `[workspace:[group:]]key[#field]` as one secret.
fn secret(text: &str) -> Result<SecretUse, String> {
    fn name<T, E: ToString>(read: Result<T, E>) -> Result<T, String> {
        read.map_err(|error| error.to_string())
    }
    let (scoped, field) = match text.split_once('#') {
        Some((scoped, field)) => (scoped, name(FieldName::new(field))?),
        None => (text, FieldName::default_field()),
    };
    let parts: Vec<&str> = scoped.split(':').collect();
    let (scope, key) = match parts[..] {
        [key] => (Scope::global(), key),
        [workspace, key] => (
            Scope {
                workspace: name(WorkspaceName::new(workspace))?,
                group: None,
            },
            key,
        ),
        [workspace, group, key] => {
            let workspace = name(WorkspaceName::new(workspace))?;
            (
                Scope {
                    workspace,
                    group: Some(name(GroupName::new(group))?),
                },
                key,
            )
        }
        _ => return Err("write it as workspace:group:key#field".to_owned()),
    };
    Ok(SecretUse {
        label: Label {
            workspace: WorkspaceId::from_bytes([0; 16]),
            secret: SecretId::from_bytes([0; 16]),
            key: name(KeyName::new(key))?,
            field,
            version: 1,
            pin: None,
        },
        scope,
        expires: None,
        searched: true,
    })
}

fn without_nul(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("an argument cannot hold a NUL".to_owned());
    }
    Ok(text.to_owned())
}

fn absolute(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("write the absolute path".to_owned());
    }
    without_nul(text)
}
