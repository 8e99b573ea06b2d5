//! Agents: who is registered, and what each may reach at most.

use std::time::Duration;

use subrosa_model::{
    AgentName, CallerKind, FieldName, GroupName, KeyName, Scope, UseRequest, WorkspaceName,
};

use crate::canonical::Entry;
use crate::command::CommandName;
use crate::compare::within;
use crate::error::PolicyError;
use crate::fields::Fields;
use crate::node::Node;
use crate::pattern::covers;
use crate::{Glob, SecretPattern, quantity};

/// Most agents, and most entries of one list of them.
const LIST_MAX: usize = 1_000;

/// The lists of a [`Reach`], by the names that policies use.
pub const REACH_LISTS: [&str; 5] = [
    "workspaces",
    "groups",
    "secrets",
    "capabilities",
    "commands",
];

/// What an agent, or one token of it, may reach at most. It allows nothing by itself: rules do that.
/// A list that is left out bounds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    workspaces: Option<Vec<WorkspaceName>>,
    groups: Option<Vec<GroupName>>,
    secrets: Option<Vec<SecretPattern>>,
    capabilities: Option<Vec<Glob>>,
    commands: Option<Vec<CommandName>>,
}

impl Reach {
    /// Reads the lists, each by its name in [`REACH_LISTS`].
    ///
    /// # Errors
    /// Which list is wrong and why, in words.
    pub fn read(list: impl Fn(&str) -> Option<Vec<String>>) -> Result<Self, String> {
        fn each<T>(
            name: &str,
            texts: Option<Vec<String>>,
            read: impl Fn(&str) -> Result<T, String>,
        ) -> Result<Option<Vec<T>>, String> {
            let Some(texts) = texts else { return Ok(None) };
            let all = texts.iter().map(|text| read(text)).collect();
            let all: Vec<T> = Result::<_, String>::map_err(all, |why| format!("{name}: {why}"))?;
            Ok(Some(all))
        }
        let [workspaces, groups, secrets, capabilities, commands] = REACH_LISTS;
        Ok(Self {
            workspaces: each(workspaces, list(workspaces), workspace)?,
            groups: each(groups, list(groups), group)?,
            secrets: each(secrets, list(secrets), SecretPattern::new)?,
            capabilities: each(capabilities, list(capabilities), Glob::new)?,
            commands: each(commands, list(commands), CommandName::new)?,
        })
    }

    /// The lists as they are written, in the order of [`REACH_LISTS`]; `None` for one that bounds
    /// nothing.
    #[must_use]
    pub fn lists(&self) -> [(&'static str, Option<Vec<String>>); 5] {
        fn texts<T>(list: &Option<Vec<T>>, text: fn(&T) -> &str) -> Option<Vec<String>> {
            let texts = |list: &Vec<T>| list.iter().map(|one| text(one).to_owned()).collect();
            list.as_ref().map(texts)
        }
        let [workspaces, groups, secrets, capabilities, commands] = REACH_LISTS;
        [
            (workspaces, texts(&self.workspaces, WorkspaceName::as_str)),
            (groups, texts(&self.groups, GroupName::as_str)),
            (secrets, texts(&self.secrets, SecretPattern::as_str)),
            (capabilities, texts(&self.capabilities, Glob::as_str)),
            (commands, texts(&self.commands, CommandName::as_str)),
        ]
    }

    /// Whether look-ups may begin there. What a workspace has for all its groups is within reach of
    /// each of them.
    #[must_use]
    pub fn holds_scope(&self, scope: &Scope) -> bool {
        let workspace = self.workspaces.as_ref();
        let workspace = workspace.is_none_or(|names| names.contains(&scope.workspace));
        let group = match (&self.groups, &scope.group) {
            (Some(names), Some(group)) => names.contains(group),
            _ => true,
        };
        workspace && group
    }

    /// Whether a secret exists for whoever has this reach.
    #[must_use]
    pub fn holds(&self, scope: &Scope, key: &KeyName) -> bool {
        let named = |pattern: &SecretPattern| pattern.matches_key(scope, key);
        self.holds_scope(scope)
            && self
                .secrets
                .as_ref()
                .is_none_or(|all| all.iter().any(named))
    }

    /// Whether a field of a secret exists for whoever has this reach.
    #[must_use]
    pub fn holds_field(&self, scope: &Scope, key: &KeyName, field: &FieldName) -> bool {
        let named = |one: &SecretPattern| one.matches_key(scope, key) && one.matches_field(field);
        let all = self.secrets.as_ref();
        self.holds_scope(scope) && all.is_none_or(|all| all.iter().any(named))
    }

    /// Why a request goes beyond this; `None` when it does not.
    #[must_use]
    pub fn refusal(&self, request: &UseRequest) -> Option<String> {
        for wanted in &request.secrets {
            let key = &wanted.label.key;
            if !self.holds_scope(&wanted.scope) {
                return Some(format!("{key} lies in {}", wanted.scope));
            }
            let patterns = self.secrets.as_ref();
            if !patterns.is_none_or(|all| all.iter().any(|one| one.matches(wanted))) {
                return Some(format!("{key} is none of its secrets"));
            }
        }
        let allowed = |names: &Vec<CommandName>| {
            let command = request.command.as_ref();
            command.is_none_or(|command| names.iter().any(|name| name.allows(command, false)))
        };
        if !self.commands.as_ref().is_none_or(allowed) {
            return Some("the command is none of its commands".to_owned());
        }
        let capable = |globs: &Vec<Glob>| {
            let capability = request.capability.as_ref();
            capability.is_none_or(|name| globs.iter().any(|glob| glob.matches(name.as_str())))
        };
        if !self.capabilities.as_ref().is_none_or(capable) {
            return Some("the capability is none of its capabilities".to_owned());
        }
        None
    }

    /// Whether this certainly reaches no further than `wide`.
    #[must_use]
    pub fn is_within(&self, wide: &Self) -> bool {
        within(&self.workspaces, &wide.workspaces, |w, n| w == n)
            && within(&self.groups, &wide.groups, |w, n| w == n)
            && within(&self.secrets, &wide.secrets, SecretPattern::covers)
            && within(&self.capabilities, &wide.capabilities, covers)
            && within(&self.commands, &wide.commands, |w, n| w == n)
    }
}

fn workspace(text: &str) -> Result<WorkspaceName, String> {
    WorkspaceName::new(text).map_err(|error| error.to_string())
}

fn group(text: &str) -> Result<GroupName, String> {
    GroupName::new(text).map_err(|error| error.to_string())
}

/// An entry of `agents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its name.
    pub name: AgentName,
    /// What it may reach at most.
    pub reach: Reach,
    /// How long a token of it may be valid; `None` leaves that to whoever gives it.
    pub tokens: Option<Duration>,
}

const KEYS: [&str; 7] = [
    "name",
    "workspaces",
    "groups",
    "secrets",
    "capabilities",
    "commands",
    "tokens",
];

/// Reads the section. That there is one says that no other agent exists.
pub(crate) fn read_all(nodes: Vec<Node>) -> Result<Vec<Agent>, PolicyError> {
    let mut agents: Vec<Agent> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let at = node.at;
        let agent = agent(node)?;
        if let Some(first) = agents.iter().position(|other| other.name == agent.name) {
            let message = format!("agents[{first}] has the same name");
            return Err(PolicyError::content(at, message, "keep one"));
        }
        agents.push(agent);
    }
    Ok(agents)
}

fn agent(node: Node) -> Result<Agent, PolicyError> {
    let mut fields = Fields::open(node, "an agent", &KEYS)?;
    let name = |text: &str| AgentName::new(text).map_err(|error| error.to_string());
    let name = fields.parsed("name", name)?.ok_or_else(|| {
        let message = "this agent has no name";
        PolicyError::content(fields.at, message, "begin it with name: and one word")
    })?;
    let reach = Reach {
        workspaces: fields.parsed_list("workspaces", LIST_MAX, workspace)?,
        groups: fields.parsed_list("groups", LIST_MAX, group)?,
        secrets: fields.parsed_list("secrets", LIST_MAX, SecretPattern::new)?,
        capabilities: fields.parsed_list("capabilities", LIST_MAX, Glob::new)?,
        commands: fields.parsed_list("commands", LIST_MAX, CommandName::new)?,
    };
    let tokens = fields.quantity("tokens", quantity::duration)?;
    Ok(Agent {
        name,
        reach,
        tokens,
    })
}

/// Writes one agent as an entry of a list.
pub(crate) fn write(agent: &Agent) -> String {
    let mut entry = Entry::new("name");
    entry.value(&crate::canonical::quoted(agent.name.as_str()));
    for (name, list) in agent.reach.lists() {
        entry.list(
            name,
            list.as_ref().map(|all| all.iter().map(String::as_str)),
        );
    }
    entry.word(
        "tokens",
        agent.tokens.map(quantity::write_duration).as_deref(),
    );
    entry.finish()
}

/// Entries of all lists together.
pub(crate) fn entries(agents: &[Agent]) -> usize {
    let of = |agent: &Agent| {
        let lists = agent.reach.lists();
        1 + lists
            .iter()
            .flat_map(|(_, list)| list)
            .map(Vec::len)
            .sum::<usize>()
    };
    agents.iter().map(of).sum()
}

/// Why an agent's request is refused before any rule is looked at, and how it would not be.
pub(crate) fn refusal(agents: Option<&[Agent]>, request: &UseRequest) -> Option<(String, String)> {
    let CallerKind::Agent(name) = &request.caller.kind else {
        return None;
    };
    let Some(agent) = agents?.iter().find(|agent| agent.name == *name) else {
        let reason = format!("the policy names agents, and {name} is none of them");
        let remedy = "add it under `agents:`, or leave that section out: subrosa policy edit";
        return Some((reason, remedy.to_owned()));
    };
    let beyond = agent.reach.refusal(request)?;
    let reason = format!("it is beyond what agent {name} may reach: {beyond}");
    let remedy = format!("widen its entry under `agents:`: subrosa policy edit ({name})");
    Some((reason, remedy))
}

/// Whether more agents may reach more, or for longer.
pub(crate) fn loosens(older: Option<&[Agent]>, newer: Option<&[Agent]>) -> bool {
    let (older, newer) = match (older, newer) {
        (None, _) => return false,
        (Some(_), None) => return true,
        (Some(older), Some(newer)) => (older, newer),
    };
    newer.iter().any(|new| {
        let no_wider = |old: &Agent| {
            let life = match (new.tokens, old.tokens) {
                (_, None) => true,
                (Some(new), Some(old)) => new <= old,
                (None, Some(_)) => false,
            };
            old.name == new.name && new.reach.is_within(&old.reach) && life
        };
        !older.iter().any(no_wider)
    })
}
