//! What an operator would add to allow a request.

use std::ffi::OsStr;

use subrosa_model::{Action, CallerKind, CommandLine, ProcessLimits, SecretUse};

use crate::canonical;
use crate::command::CommandName;
use crate::matching::Usage;
use crate::rule::{Effect, Rule};
use crate::{ArgPattern, Glob, SecretPattern};

/// Longest command line that is repeated in a remedy, in bytes.
const SHOWN_MAX: usize = 4096;

/// The rule that allows exactly this request, ready to be pasted, and where it goes.
pub(crate) fn rule_to_add(usage: &Usage<'_>) -> String {
    match rule(usage) {
        Ok(rule) => format!(
            "to allow exactly this, add it under `rules:` with `subrosa policy edit`:\n{}",
            canonical::rule(&rule).trim_end()
        ),
        Err(why) => why.to_owned(),
    }
}

fn rule(usage: &Usage<'_>) -> Result<Rule, &'static str> {
    let request = usage.request;
    let agent = match &request.caller.kind {
        CallerKind::Agent(name) => Some(name),
        _ => None,
    };
    let (command, args) = match usage.command {
        Some(line) => (Some(command(usage, line)?), Some(args(line)?)),
        None => (None, None),
    };
    let inject = (request.action == Action::Run && usage.values).then_some(usage.inject);
    Ok(Rule {
        name: None,
        effect: Effect::Allow,
        action: request.action,
        command,
        args,
        hash: None,
        secrets: Some(request.secrets.iter().filter_map(secret).collect()),
        inject,
        capability: request
            .capability
            .as_ref()
            .and_then(|name| Glob::new(name.as_str()).ok()),
        agents: agent
            .and_then(|name| Glob::new(name.as_str()).ok())
            .map(|glob| vec![glob]),
        ask: None,
        exposed: agent.is_some() && inject.is_some(),
        limits: ProcessLimits::default(),
    })
}

/// The command by the shortest name that a rule may call it.
fn command(usage: &Usage<'_>, line: &CommandLine) -> Result<CommandName, &'static str> {
    let text = |text: &OsStr| text.to_str().map(str::to_owned);
    let typed = text(&line.requested);
    let bare = typed
        .as_deref()
        .and_then(|typed| typed.rsplit('/').next())
        .map(str::to_owned);
    let resolved = text(line.executable.as_os_str());
    [bare, typed, resolved]
        .into_iter()
        .flatten()
        .filter_map(|name| CommandName::new(&name).ok())
        .find(|name| name.allows(line, true) && (!usage.always || name.names_all_of(line)))
        .ok_or("call the command by its own name: no rule can allow it by this one")
}

fn args(line: &CommandLine) -> Result<Vec<ArgPattern>, &'static str> {
    let bytes: usize = line.arguments.iter().map(|argument| argument.len()).sum();
    if bytes > SHOWN_MAX {
        return Err(
            "add a rule whose `command` and `args` name this line (it is too long to be shown): \
             subrosa policy edit",
        );
    }
    line.arguments
        .iter()
        .skip(1)
        .map(|argument| argument.to_str().map(ArgPattern::exactly))
        .collect::<Option<_>>()
        .ok_or("an argument is not UTF-8, and no rule can name it; use a pattern for it")
}

/// The pattern for one secret, its workspace left to the reader: rules are meant in all of them.
fn secret(secret: &SecretUse) -> Option<SecretPattern> {
    let label = &secret.label;
    let text = if label.field.is_default() {
        label.key.to_string()
    } else {
        format!("{}#{}", label.key, label.field)
    };
    SecretPattern::new(&text).ok()
}

/// What is asked for, in words, without arguments.
pub(crate) fn describe(usage: &Usage<'_>, secrets: &[&SecretUse]) -> String {
    const SHOWN: usize = 5;
    let request = usage.request;
    let what = match (usage.command, &request.capability) {
        (Some(command), _) => {
            let name: String = command
                .requested
                .to_string_lossy()
                .chars()
                .take(64)
                .collect();
            format!("`{}` to be run", name.escape_debug())
        }
        (None, Some(capability)) => format!("a request through {capability}"),
        (None, None) => format!("`{}`", request.action),
    };
    let mut keys: Vec<&str> = Vec::new();
    for secret in secrets {
        if !keys.contains(&secret.label.key.as_str()) {
            keys.push(secret.label.key.as_str());
        }
    }
    let more = keys.len().saturating_sub(SHOWN);
    keys.truncate(SHOWN);
    let mut with = if keys.is_empty() {
        String::new()
    } else {
        format!(" with {}", keys.join(", "))
    };
    if more > 0 {
        with.push_str(&format!(" and {more} more"));
    }
    let how = if usage.values && usage.command.is_some() {
        format!(" (inject {})", usage.inject)
    } else {
        String::new()
    };
    format!("{} {what}{with}{how}", caller(&request.caller.kind))
}

fn caller(kind: &CallerKind) -> String {
    match kind {
        CallerKind::Agent(name) => format!("agent {name}:"),
        other => format!("{other}:"),
    }
}
