//! What a policy says that its author may not have meant.

use std::fmt;

use subrosa_model::{Action, Inject};

use crate::always::class_of;
use crate::command::fold;
use crate::document::Document;
use crate::rule::{Effect, Rule, RuleRef};

/// Something in a policy that has no effect, or another one than it seems.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Where.
    pub rule: RuleRef,
    /// What, in one sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.message)
    }
}

pub(crate) fn warnings(document: &Document) -> Vec<Warning> {
    let mut out = Vec::new();
    let mut warn = |rule: &RuleRef, message: String| {
        out.push(Warning {
            rule: rule.clone(),
            message,
        });
    };
    if document.default_action == Effect::Allow {
        let message = "it gives every command that nothing denies placeholders only, which are not built yet; write `deny`, and rules with inject: env, file or stdin";
        warn(&RuleRef::DefaultAction, message.to_owned());
    }
    for (index, command) in document.allowed_commands.iter().enumerate() {
        let rule = RuleRef::AllowedCommand(index);
        if always_denied(command.as_str()).is_none() {
            let message = format!(
                "`{command}` gets placeholders only, which are not built yet; write a rule with inject: \
                 env, file or stdin"
            );
            warn(&rule, message);
        }
        if let Some(name) = always_denied(command.as_str()) {
            let message = format!(
                "`{name}` is always denied, so this entry has no effect; write a rule that names one \
                 command line"
            );
            warn(&rule, message);
        }
        if denied(document, command.as_str()) {
            warn(
                &rule,
                format!("`{command}` stands in denied_commands too, which wins"),
            );
        }
    }
    for (index, rule) in document.rules.iter().enumerate() {
        let reference = RuleRef::Rule {
            index,
            name: rule.name.clone(),
        };
        if rule.effect == Effect::Allow && rule.action == Action::Run {
            run(document, rule)
                .into_iter()
                .for_each(|message| warn(&reference, message));
        }
        if rule.secrets.as_ref().is_some_and(Vec::is_empty) && rule.effect == Effect::Deny {
            warn(
                &reference,
                "it names no secret and denies nothing; leave `secrets` out".to_owned(),
            );
        }
        if rule.agents.as_ref().is_some_and(Vec::is_empty) {
            let message =
                "it names no agent and applies to nobody; leave `agents` out for any caller";
            warn(&reference, message.to_owned());
        }
    }
    out
}

fn run(document: &Document, rule: &Rule) -> Vec<String> {
    let mut out = Vec::new();
    let Some(command) = rule.command.as_ref().map(|command| command.as_str()) else {
        return out;
    };
    if rule.args.is_none() {
        out.push(format!(
            "without `args` it allows `{command}` with no argument; write args: [\"**\"] for any, \
             args: [] if none is meant"
        ));
    }
    if rule.inject() == Inject::Placeholder {
        out.push(
            "it gives placeholders only, which are not built yet; add inject: env, file or stdin"
                .to_owned(),
        );
    }
    if let Some(name) = always_denied(command).filter(|_| !rule.is_exact()) {
        out.push(format!(
            "`{name}` is always denied but for a rule whose `args` name exactly one line, without a \
             wildcard"
        ));
    }
    if denied(document, command) {
        out.push(format!(
            "`{command}` stands in denied_commands too, which wins"
        ));
    }
    out
}

/// The file name of a command, where it is always denied.
fn always_denied(command: &str) -> Option<&str> {
    let name = command.rsplit('/').next()?;
    class_of(&fold(name)).map(|_| name)
}

fn denied(document: &Document, command: &str) -> bool {
    document
        .denied_commands
        .iter()
        .any(|entry| entry.as_str() == command)
}
