//! Whether one entry of a policy applies to one request.

use std::ffi::OsString;
use std::fmt;

use subrosa_model::{CallerKind, CommandLine, Inject, SecretUse, UseRequest};

use crate::Glob;
use crate::builtin::{hands_over_values, inject_of};
use crate::command::CommandName;
use crate::pattern;
use crate::rule::{Effect, Rule};

/// Why an entry does not apply; the later, the nearer it came to applying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mismatch {
    /// It is about another kind of use.
    Action,
    /// It is about another command.
    Command,
    /// It is about another capability.
    Capability,
    /// It is for other callers.
    Caller,
    /// The name is right, the file that it resolved to is not.
    Resolved,
    /// This argument, counted from 1, is another.
    Argument(usize),
    /// The executable's content is not what it pins.
    Hash,
    /// It is about other secrets.
    Secrets,
    /// It hands values over in this way only.
    Inject(Inject),
    /// A value for an agent needs `exposed: true`.
    Exposed,
    /// The command is always denied, and the entry does not name exactly this line.
    NotExact,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action => f.write_str("it is about another kind of use"),
            Self::Command => f.write_str("it is about another command"),
            Self::Capability => f.write_str("it is about another capability"),
            Self::Caller => f.write_str("it is for other callers"),
            Self::Resolved => f.write_str(
                "it names the command, but what was called is a path or resolves to a file of \
                 another name",
            ),
            Self::Argument(index) => write!(f, "it does not allow argument {index}"),
            Self::Hash => f.write_str("the executable's content is not what it pins"),
            Self::Secrets => f.write_str("it is about other secrets"),
            Self::Inject(Inject::Placeholder) => f.write_str("it gives placeholders and no values"),
            Self::Inject(inject) => write!(f, "it gives values by {inject} only"),
            Self::Exposed => f.write_str(
                "it does not say `exposed: true`, which an agent needs to use a value outside a \
                 sandbox",
            ),
            Self::NotExact => f.write_str(
                "the command line is always denied, and only a rule whose `command` and `args` name \
                 exactly this line counts",
            ),
        }
    }
}

/// A request, with what every entry asks of it worked out once.
pub(crate) struct Usage<'a> {
    pub(crate) request: &'a UseRequest,
    pub(crate) command: Option<&'a CommandLine>,
    pub(crate) inject: Inject,
    /// Whether something of the command line is always denied.
    pub(crate) always: bool,
    /// Whether values are handed over, and not placeholders.
    pub(crate) values: bool,
}

impl<'a> Usage<'a> {
    pub(crate) fn new(request: &'a UseRequest, always: bool) -> Self {
        Self {
            request,
            command: request.command.as_ref(),
            inject: inject_of(request),
            always,
            values: hands_over_values(request),
        }
    }

    fn arguments(&self) -> &'a [OsString] {
        self.command
            .and_then(|command| command.arguments.get(1..))
            .unwrap_or_default()
    }

    pub(crate) fn is_agent(&self) -> bool {
        matches!(self.request.caller.kind, CallerKind::Agent(_))
    }

    /// The secrets that a decision is made for, one by one; a use of none is one of no secret.
    pub(crate) fn units(&self) -> Vec<Option<&'a SecretUse>> {
        match self.request.secrets.as_slice() {
            [] => vec![None],
            secrets => secrets.iter().map(Some).collect(),
        }
    }

    /// Why an entry of `allowed_commands` does not allow this use.
    pub(crate) fn entry_mismatch(&self, entry: &CommandName) -> Option<Mismatch> {
        let Some(command) = self.command else {
            return Some(Mismatch::Action);
        };
        if let Some(mismatch) = command_mismatch(entry, command, false) {
            Some(mismatch)
        } else if self.always {
            Some(Mismatch::NotExact)
        } else if self.values {
            Some(Mismatch::Inject(Inject::Placeholder))
        } else {
            None
        }
    }

    /// Why an entry of `denied_commands` does not deny this use.
    pub(crate) fn denied_mismatch(&self, entry: &CommandName) -> Option<Mismatch> {
        match self.command {
            None => Some(Mismatch::Action),
            Some(command) => (!entry.denies(command)).then_some(Mismatch::Command),
        }
    }

    /// Why a rule does not apply to any of the secrets of this use.
    pub(crate) fn rule_mismatch(&self, rule: &Rule) -> Option<Mismatch> {
        let missed = match rule.effect {
            Effect::Allow => self.allow_mismatch(rule),
            Effect::Deny => self.deny_mismatch(rule),
        };
        // Two misses are no nearer than the farther of them.
        [missed, self.secrets_mismatch(rule)]
            .into_iter()
            .flatten()
            .min()
    }

    fn secrets_mismatch(&self, rule: &Rule) -> Option<Mismatch> {
        let secrets = &self.request.secrets;
        let named = match (secrets.is_empty(), rule.effect) {
            // Without secrets there is none that a rule could leave out, or be about.
            (true, Effect::Allow) => true,
            (true, Effect::Deny) => rule.secrets.is_none(),
            (false, _) => secrets.iter().any(|secret| rule.names_secret(secret)),
        };
        (!named).then_some(Mismatch::Secrets)
    }

    /// Why a rule that allows does not, its secrets apart.
    fn allow_mismatch(&self, rule: &Rule) -> Option<Mismatch> {
        if rule.action != self.request.action {
            return Some(Mismatch::Action);
        }
        if let Some(command) = self.command {
            let Some(name) = rule.command.as_ref() else {
                return Some(Mismatch::Command);
            };
            let exact = rule.is_exact();
            let args = rule.args.as_deref().unwrap_or_default();
            if let Some(mismatch) = command_mismatch(name, command, exact) {
                return Some(mismatch);
            }
            if !self.is_for_caller(rule) {
                return Some(Mismatch::Caller);
            }
            if let Some(index) = pattern::mismatch(args, self.arguments()) {
                return Some(Mismatch::Argument(index));
            }
            if rule.hash.is_some() && rule.hash != command.digest {
                return Some(Mismatch::Hash);
            }
            if self.always && !rule.names_exactly(command) {
                return Some(Mismatch::NotExact);
            }
            if self.values && rule.inject() != self.inject {
                return Some(Mismatch::Inject(rule.inject()));
            }
            return (self.values && self.is_agent() && !rule.exposed).then_some(Mismatch::Exposed);
        }
        if !self.is_for_capability(rule.capability.as_ref()) {
            return Some(Mismatch::Capability);
        }
        (!self.is_for_caller(rule)).then_some(Mismatch::Caller)
    }

    /// Why a rule that denies does not, its secrets apart. What it leaves out is any.
    fn deny_mismatch(&self, rule: &Rule) -> Option<Mismatch> {
        if rule.action != self.request.action {
            return Some(Mismatch::Action);
        }
        if !self.is_for_caller(rule) {
            return Some(Mismatch::Caller);
        }
        if !self.is_for_capability(rule.capability.as_ref()) {
            return Some(Mismatch::Capability);
        }
        if let Some(name) = &rule.command
            && !self.command.is_some_and(|command| name.denies(command))
        {
            return Some(Mismatch::Command);
        }
        if let Some(index) = rule
            .args
            .as_deref()
            .and_then(|args| pattern::mismatch(args, self.arguments()))
        {
            return Some(Mismatch::Argument(index));
        }
        match rule.inject {
            Some(inject) if inject != self.inject => Some(Mismatch::Inject(inject)),
            _ => None,
        }
    }

    fn is_for_caller(&self, rule: &Rule) -> bool {
        let agent = self.request.caller.kind.agent();
        rule.agents.as_ref().is_none_or(|globs| {
            agent.is_some_and(|name| globs.iter().any(|glob| glob.matches(name.as_str())))
        })
    }

    fn is_for_capability(&self, glob: Option<&Glob>) -> bool {
        match (glob, &self.request.capability) {
            (None, _) => true,
            (Some(glob), Some(name)) => glob.matches(name.as_str()),
            (Some(_), None) => false,
        }
    }
}

fn command_mismatch(name: &CommandName, command: &CommandLine, exact: bool) -> Option<Mismatch> {
    if name.allows(command, exact) {
        None
    } else if name.names_all_of(command) {
        Some(Mismatch::Resolved)
    } else {
        Some(Mismatch::Command)
    }
}
