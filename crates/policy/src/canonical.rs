//! The one way to write a policy: what equal policies are written as.

use std::fmt::Write;

use subrosa_model::ProcessLimits;

use crate::agents;
use crate::case::Case;
use crate::document::Document;
use crate::quantity::{write_bytes, write_duration};
use crate::rule::{Effect, Rule};

/// Writes a policy. Reading it gives an equal one.
pub(crate) fn write(document: &Document) -> String {
    let mut out = String::from("version: 1\n");
    line(
        &mut out,
        "default_action",
        &document.default_action.to_string(),
    );
    for (key, commands) in [
        ("allowed_commands", &document.allowed_commands),
        ("denied_commands", &document.denied_commands),
    ] {
        if !commands.is_empty() {
            line(
                &mut out,
                key,
                &list(commands.iter().map(|command| command.as_str())),
            );
        }
    }
    block(&mut out, "rules", document.rules.iter().map(rule));
    match document.agents.as_deref() {
        // An empty section says that there is no agent; none says nothing.
        Some([]) => line(&mut out, "agents", "[]"),
        listed => block(
            &mut out,
            "agents",
            listed.unwrap_or_default().iter().map(agents::write),
        ),
    }
    block(&mut out, "tests", document.cases.iter().map(Case::write));
    out
}

fn block(out: &mut String, key: &str, entries: impl Iterator<Item = String>) {
    for (index, entry) in entries.enumerate() {
        if index == 0 {
            out.push_str(key);
            out.push_str(":\n");
        }
        out.push_str(&entry);
    }
}

/// Writes one rule as an entry of a list.
pub(crate) fn rule(rule: &Rule) -> String {
    let mut entry = Entry::new(match rule.effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
    });
    entry.value(rule.action.name());
    entry.text("name", rule.name.as_deref());
    entry.text(
        "command",
        rule.command.as_ref().map(|command| command.as_str()),
    );
    entry.list(
        "args",
        rule.args
            .as_deref()
            .map(|args| args.iter().map(|arg| arg.as_str())),
    );
    entry.text(
        "hash",
        rule.hash.map(|hash| format!("sha256:{hash}")).as_deref(),
    );
    entry.list(
        "secrets",
        rule.secrets
            .as_deref()
            .map(|all| all.iter().map(|one| one.as_str())),
    );
    entry.word("inject", rule.inject.map(|inject| inject.name()));
    entry.text(
        "capability",
        rule.capability.as_ref().map(|glob| glob.as_str()),
    );
    entry.list(
        "agents",
        rule.agents
            .as_deref()
            .map(|all| all.iter().map(|one| one.as_str())),
    );
    entry.word("ask", rule.ask.map(|ask| ask.name()));
    entry.word("exposed", rule.exposed.then_some("true"));
    entry.word("limits", limits(&rule.limits).as_deref());
    entry.finish()
}

fn limits(limits: &ProcessLimits) -> Option<String> {
    let parts: Vec<String> = [
        limits
            .timeout
            .map(|time| format!("timeout: {}", write_duration(time))),
        limits
            .output
            .map(|bytes| format!("output: {}", write_bytes(bytes))),
        limits
            .memory
            .map(|bytes| format!("memory: {}", write_bytes(bytes))),
        limits.processes.map(|count| format!("processes: {count}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("{{ {} }}", parts.join(", ")))
}

/// An entry of a list that is a mapping: `  - first: value`, then `    key: value`.
pub(crate) struct Entry(String);

impl Entry {
    pub(crate) fn new(first: &str) -> Self {
        Self(format!("  - {first}: "))
    }

    /// The value of the first key, a word that needs no quotes.
    pub(crate) fn value(&mut self, word: &str) {
        self.0.push_str(word);
        self.0.push('\n');
    }

    /// A key whose value needs no quotes.
    pub(crate) fn word(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.push_str("    ");
            line(&mut self.0, key, value);
        }
    }

    pub(crate) fn text(&mut self, key: &str, value: Option<&str>) {
        self.word(key, value.map(quoted).as_deref());
    }

    pub(crate) fn list<'a>(&mut self, key: &str, values: Option<impl Iterator<Item = &'a str>>) {
        self.word(key, values.map(list).as_deref());
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    out.push_str(key);
    out.push_str(": ");
    out.push_str(value);
    out.push('\n');
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = values.map(quoted).collect();
    format!("[{}]", quoted.join(", "))
}

/// A text between double quotes, on one line, for YAML and JSON alike.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // What YAML does not print, or takes for the end of a line. All lie below U+10000.
            '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                let _infallible = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
