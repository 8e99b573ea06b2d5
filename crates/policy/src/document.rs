//! The document: keys, types, bounds.

use subrosa_model::{Action, Inject, ProcessLimits};

use crate::agents::{self, Agent};
use crate::case::{self, Case};
use crate::command::CommandName;
use crate::error::{Place, PolicyError};
use crate::fields::{Fields, one_of};
use crate::node::{self, Node, TEXT_MAX, Value};
use crate::rule::{self, Ask, Effect, Rule};
use crate::{ArgPattern, Glob, SecretPattern, canonical, quantity};

/// The version of the format that this crate reads.
const VERSION: u64 = 1;
/// Most rules, and most tests.
const RULES_MAX: usize = 1_000;
/// Most entries of one list.
const LIST_MAX: usize = 1_000;
/// Most entries of all lists together; keeps the canonical form below the bounds of `node.rs`.
const ENTRIES_MAX: usize = 20_000;

/// A policy as it is written, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) default_action: Effect,
    pub(crate) allowed_commands: Vec<CommandName>,
    pub(crate) denied_commands: Vec<CommandName>,
    pub(crate) rules: Vec<Rule>,
    /// `None` where the policy leaves it to the tokens which agents there are.
    pub(crate) agents: Option<Vec<Agent>>,
    pub(crate) cases: Vec<Case>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            default_action: Effect::Deny,
            allowed_commands: Vec::new(),
            denied_commands: Vec::new(),
            rules: Vec::new(),
            agents: None,
            cases: Vec::new(),
        }
    }
}

const KEYS: [&str; 7] = [
    "version",
    "default_action",
    "allowed_commands",
    "denied_commands",
    "rules",
    "agents",
    "tests",
];

const RULE_KEYS: [&str; 13] = [
    "allow",
    "deny",
    "name",
    "command",
    "args",
    "hash",
    "secrets",
    "inject",
    "capability",
    "agents",
    "ask",
    "exposed",
    "limits",
];

/// The kinds of use that a rule can be about.
pub(crate) const ACTIONS: [(&str, Action); 6] = [
    ("run", Action::Run),
    ("http", Action::Http),
    ("script", Action::Script),
    ("read", Action::Read),
    ("client", Action::Client),
    ("sign", Action::Sign),
];

/// Reads a policy.
pub(crate) fn parse(text: &str) -> Result<Document, PolicyError> {
    let root = node::read(text)?;
    if matches!(root.value, Value::Null) {
        return Err(PolicyError::content(
            Place::default(),
            "the policy is empty",
            "a policy that denies everything is: version: 1",
        ));
    }
    let mut fields = Fields::open(root, "a policy", &KEYS)?;
    version(&mut fields)?;
    let document = Document {
        default_action: fields
            .parsed("default_action", |text| {
                one_of(text, &[("deny", Effect::Deny), ("allow", Effect::Allow)])
            })?
            .unwrap_or(Effect::Deny),
        allowed_commands: commands(&mut fields, "allowed_commands", CommandName::new)?,
        denied_commands: commands(&mut fields, "denied_commands", CommandName::denied)?,
        rules: rules(&mut fields)?,
        agents: fields
            .list("agents", LIST_MAX)?
            .map(agents::read_all)
            .transpose()?,
        cases: case::read_all(fields.list("tests", RULES_MAX)?.unwrap_or_default())?,
    };
    bounded(&document)?;
    Ok(document)
}

fn version(fields: &mut Fields) -> Result<(), PolicyError> {
    let hint = format!("this program reads version {VERSION}; begin with: version: {VERSION}");
    match fields.take("version") {
        None => Err(PolicyError::content(
            fields.at,
            "`version` is missing",
            hint,
        )),
        Some((
            _,
            Node {
                value: Value::Number(VERSION),
                ..
            },
        )) => Ok(()),
        Some((
            _,
            Node {
                at,
                value: Value::Number(other),
            },
        )) => Err(PolicyError::content(
            at,
            format!("version {other} is not supported"),
            hint,
        )),
        Some((_, Node { at, value })) => {
            let message = format!("`version` is a whole number, not {}", value.kind());
            Err(PolicyError::content(at, message, hint))
        }
    }
}

fn commands(
    fields: &mut Fields,
    key: &str,
    read: impl Fn(&str) -> Result<CommandName, String>,
) -> Result<Vec<CommandName>, PolicyError> {
    Ok(fields.parsed_list(key, LIST_MAX, read)?.unwrap_or_default())
}

fn rules(fields: &mut Fields) -> Result<Vec<Rule>, PolicyError> {
    let nodes = fields.list("rules", RULES_MAX)?.unwrap_or_default();
    let mut rules: Vec<Rule> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let at = node.at;
        let rule = rule(node)?;
        let named = |other: &Rule| rule.name.is_some() && other.name == rule.name;
        if let Some(first) = rules.iter().position(named) {
            let message = format!("rules[{first}] has the same name");
            return Err(PolicyError::content(
                at,
                message,
                "give each rule a name of its own",
            ));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn rule(node: Node) -> Result<Rule, PolicyError> {
    let mut fields = Fields::open(node, "a rule", &RULE_KEYS)?;
    let at = fields.at;
    let allow = fields.parsed("allow", |text| one_of(text, &ACTIONS))?;
    let deny = fields.parsed("deny", |text| one_of(text, &ACTIONS))?;
    let (effect, action) = match (allow, deny) {
        (Some(action), None) => (Effect::Allow, action),
        (None, Some(action)) => (Effect::Deny, action),
        (Some(_), Some(_)) => {
            let hint = "write two rules; what denies wins wherever it stands";
            return Err(PolicyError::content(
                at,
                "a rule either allows or denies",
                hint,
            ));
        }
        (None, None) => {
            let hint =
                "begin it with allow: or deny: and one of run, http, script, read, client, sign";
            return Err(PolicyError::content(
                at,
                "this rule neither allows nor denies",
                hint,
            ));
        }
    };
    let mut rule = Rule {
        name: fields.parsed("name", rule::name)?,
        effect,
        action,
        command: None,
        args: None,
        hash: None,
        secrets: fields.parsed_list("secrets", LIST_MAX, SecretPattern::new)?,
        inject: None,
        capability: None,
        agents: names_of_agents(&mut fields)?,
        ask: None,
        exposed: false,
        limits: ProcessLimits::default(),
    };
    match action {
        Action::Run => run(&mut fields, &mut rule)?,
        Action::Http => {
            rule.capability = fields.parsed("capability", Glob::new)?;
            if rule.capability.is_none() && effect == Effect::Allow {
                let hint = "name it: capability: \"openai/*\"";
                return Err(PolicyError::content(
                    at,
                    "`allow: http` needs a capability",
                    hint,
                ));
            }
        }
        _ => {}
    }
    if effect == Effect::Allow {
        rule.ask = ask(&mut fields)?;
        if rule.secrets.is_none() && action != Action::Http {
            let message = format!("`allow: {action}` needs to say which secrets");
            let hint = "name them: secrets: [\"github/**\"]; [\"**\"] is all, [] is none";
            return Err(PolicyError::content(at, message, hint));
        }
    }
    fields.end(&format!(
        "it says nothing about `{effect}: {action}`; leave it out"
    ))?;
    Ok(rule)
}

/// The keys that only rules about `run` have.
fn run(fields: &mut Fields, rule: &mut Rule) -> Result<(), PolicyError> {
    let at = fields.at;
    rule.args = args(fields)?;
    rule.inject = fields.parsed("inject", rule::inject)?;
    if rule.effect == Effect::Deny {
        rule.command = fields.parsed("command", CommandName::denied)?;
        if rule.command.is_none() && rule.args.is_some() {
            let hint = "name the command too, or leave `args` out";
            return Err(PolicyError::content(at, "`args` without a `command`", hint));
        }
        return Ok(());
    }
    rule.command = fields.parsed("command", CommandName::new)?;
    rule.hash = fields.parsed("hash", rule::hash)?;
    rule.exposed = exposed(fields, rule.inject())?;
    rule.limits = limits(fields)?;
    if rule.command.is_none() {
        let hint = "name it: command: git, or with its path";
        return Err(PolicyError::content(
            at,
            "`allow: run` needs a command",
            hint,
        ));
    }
    Ok(())
}

fn args(fields: &mut Fields) -> Result<Option<Vec<ArgPattern>>, PolicyError> {
    let Some(texts) = fields.texts("args", LIST_MAX)? else {
        return Ok(None);
    };
    let last = texts.len().saturating_sub(1);
    let mut patterns = Vec::with_capacity(texts.len());
    for (index, (at, text)) in texts.into_iter().enumerate() {
        let pattern = ArgPattern::new(&text)
            .map_err(|why| PolicyError::content(at, format!("`args`: {why}"), ""))?;
        if pattern.is_rest() && index != last {
            let message = "`**` is all the arguments that follow and stands last";
            return Err(PolicyError::content(
                at,
                message,
                "for one argument write `*`",
            ));
        }
        patterns.push(pattern);
    }
    Ok(Some(patterns))
}

fn names_of_agents(fields: &mut Fields) -> Result<Option<Vec<Glob>>, PolicyError> {
    let read = |text: &str| match Glob::new(text) {
        Ok(_) if text.contains('/') => Err("an agent's name has no `/`".to_owned()),
        other => other,
    };
    fields.parsed_list("agents", LIST_MAX, read)
}

fn ask(fields: &mut Fields) -> Result<Option<Ask>, PolicyError> {
    let known = [
        ("no", None),
        ("session", Some(Ask::Session)),
        ("each", Some(Ask::Each)),
    ];
    Ok(fields.parsed("ask", |text| one_of(text, &known))?.flatten())
}

fn exposed(fields: &mut Fields, inject: Inject) -> Result<bool, PolicyError> {
    let at = fields.at;
    let exposed = fields.boolean("exposed")?.unwrap_or(false);
    if exposed && inject == Inject::Placeholder {
        let hint = "a placeholder exposes nothing; leave `exposed` out, or say how: inject: env";
        return Err(PolicyError::content(
            at,
            "`exposed` without a value that is injected",
            hint,
        ));
    }
    Ok(exposed)
}

fn limits(fields: &mut Fields) -> Result<ProcessLimits, PolicyError> {
    let Some((_, node)) = fields.take("limits") else {
        return Ok(ProcessLimits::default());
    };
    let mut limits = Fields::open(
        node,
        "limits",
        &["timeout", "output", "memory", "processes"],
    )?;
    let processes = |text: &str| match text.parse::<u32>() {
        Ok(count) if (1..=quantity::PROCESSES_MAX).contains(&u64::from(count)) => Ok(count),
        _ => Err(format!(
            "a number between 1 and {}",
            quantity::PROCESSES_MAX
        )),
    };
    Ok(ProcessLimits {
        timeout: limits.quantity("timeout", quantity::duration)?,
        output: limits.quantity("output", quantity::bytes)?,
        memory: limits.quantity("memory", quantity::bytes)?,
        processes: limits.quantity("processes", processes)?,
    })
}

/// The bounds over the document as a whole, of it and of its canonical form, so that what was read
/// can be written and read again.
fn bounded(document: &Document) -> Result<(), PolicyError> {
    let list = |length: Option<usize>| length.unwrap_or(0);
    let in_rules: usize = document
        .rules
        .iter()
        .map(|rule| {
            list(rule.args.as_ref().map(Vec::len))
                + list(rule.secrets.as_ref().map(Vec::len))
                + list(rule.agents.as_ref().map(Vec::len))
        })
        .sum();
    let in_agents = document.agents.as_deref().map_or(0, agents::entries);
    let in_cases: usize = document.cases.iter().map(Case::entries).sum();
    let entries = document.allowed_commands.len()
        + document.denied_commands.len()
        + in_rules
        + in_agents
        + in_cases;
    if entries > ENTRIES_MAX {
        let message = format!(
            "the lists of a policy have at most {ENTRIES_MAX} entries together; these have {entries}"
        );
        return Err(PolicyError::too_large(Place::default(), message));
    }
    let length = canonical::write(document).len();
    if length > TEXT_MAX {
        let message =
            format!("a policy has at most {TEXT_MAX} bytes; written out this one has {length}");
        return Err(PolicyError::too_large(Place::default(), message));
    }
    Ok(())
}
