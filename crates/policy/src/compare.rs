//! Two policies side by side: what changes, and whether anything more is allowed.

use std::collections::HashMap;
use std::fmt;

use subrosa_model::{Inject, ProcessLimits};

use crate::agents;
use crate::canonical;
use crate::case::Case;
use crate::document::Document;
use crate::pattern::covers;
use crate::rule::{Effect, Rule};
use crate::{ArgPattern, Glob, SecretPattern};

/// Whether a line of a diff goes or comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is in the older policy only.
    Removed,
    /// It is in the newer policy only.
    Added,
}

/// One line of what differs between two policies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffLine {
    /// Whether it goes or comes.
    pub change: Change,
    /// The part of the policy that it belongs to: `rules`.
    pub section: &'static str,
    /// The line, in the canonical form.
    pub text: String,
}

impl fmt::Display for DiffLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.change {
            Change::Removed => '-',
            Change::Added => '+',
        };
        write!(f, "{sign} {}", self.text)
    }
}

/// What differs, section by section. The order of entries means nothing and is no difference.
pub(crate) fn diff(older: &Document, newer: &Document) -> Vec<DiffLine> {
    let mut out = Vec::new();
    for ((section, old), (_, new)) in sections(older).into_iter().zip(sections(newer)) {
        let (gone, come) = (missing(&old, &new), missing(&new, &old));
        for (change, entries) in [(Change::Removed, gone), (Change::Added, come)] {
            for text in entries.iter().flat_map(|entry| entry.trim_end().lines()) {
                out.push(DiffLine {
                    change,
                    section,
                    text: text.to_owned(),
                });
            }
        }
    }
    out
}

/// The entries of a document as it would be written, by section.
fn sections(document: &Document) -> [(&'static str, Vec<String>); 6] {
    let commands = |key: &str, names: &[crate::CommandName]| {
        names
            .iter()
            .map(|name| format!("{key}: {}", canonical::quoted(name.as_str())))
            .collect()
    };
    [
        (
            "default_action",
            vec![format!("default_action: {}", document.default_action)],
        ),
        (
            "allowed_commands",
            commands("allowed_commands", &document.allowed_commands),
        ),
        (
            "denied_commands",
            commands("denied_commands", &document.denied_commands),
        ),
        (
            "rules",
            document.rules.iter().map(canonical::rule).collect(),
        ),
        (
            "agents",
            match document.agents.as_deref() {
                Some([]) => vec!["agents: []".to_owned()],
                listed => listed
                    .unwrap_or_default()
                    .iter()
                    .map(agents::write)
                    .collect(),
            },
        ),
        ("tests", document.cases.iter().map(Case::write).collect()),
    ]
}

/// The entries of `from` that are not in `other`, each as often as it is missing.
fn missing(from: &[String], other: &[String]) -> Vec<String> {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for entry in other {
        *left.entry(entry).or_default() += 1;
    }
    let is_missing = |entry: &&String| match left.get_mut(entry.as_str()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    let mut is_missing = is_missing;
    from.iter()
        .filter(|entry| is_missing(entry))
        .cloned()
        .collect()
}

/// Whether `newer` may allow anything that `older` does not, or allow it with looser bounds.
///
/// `false` is certain; whatever is unclear is `true`.
pub(crate) fn loosens(older: &Document, newer: &Document) -> bool {
    let default_opens =
        newer.default_action == Effect::Allow && older.default_action == Effect::Deny;
    let new_entry = newer
        .allowed_commands
        .iter()
        .any(|name| !older.allowed_commands.contains(name));
    let lost_denial = older
        .denied_commands
        .iter()
        .any(|name| !newer.denied_commands.contains(name));
    let of = |document: &Document, effect| -> Vec<Rule> {
        document
            .rules
            .iter()
            .filter(|rule| rule.effect == effect)
            .cloned()
            .collect()
    };
    let (old_allows, new_allows) = (of(older, Effect::Allow), of(newer, Effect::Allow));
    let (old_denies, new_denies) = (of(older, Effect::Deny), of(newer, Effect::Deny));
    // Each new rule allows no more than one that was there.
    let wider = new_allows
        .iter()
        .any(|new| !old_allows.iter().any(|old| allows_no_more(new, old)));
    // Of several rules that allow the same, the strictest bounds count. So a rule that bounds
    // something holds others back, and taking it away lets them go.
    let unbound = old_allows
        .iter()
        .filter(|rule| is_bounding(rule))
        .any(|old| !new_allows.iter().any(|new| bounds_no_less(new, old)));
    let lost_rule = old_denies
        .iter()
        .any(|old| !new_denies.iter().any(|new| denies_no_less(new, old)));
    let agents = agents::loosens(older.agents.as_deref(), newer.agents.as_deref());
    agents || default_opens || new_entry || lost_denial || wider || unbound || lost_rule
}

fn is_bounding(rule: &Rule) -> bool {
    rule.ask.is_some() || rule.limits != ProcessLimits::default()
}

/// Whether all that `new` allows, `old` allows too, with bounds that are no stricter.
fn allows_no_more(new: &Rule, old: &Rule) -> bool {
    new.action == old.action
        && new.command == old.command
        && arguments(new) == arguments(old)
        // An absent list and an empty one allow the same, and only the second lifts what is always
        // denied.
        && (new.is_exact() == old.is_exact() || old.is_exact())
        && new.capability.as_ref().zip(old.capability.as_ref()).is_none_or(|(n, o)| covers(o, n))
        && new.capability.is_some() == old.capability.is_some()
        && secrets_within(&new.secrets, &old.secrets)
        && agents_within(&new.agents, &old.agents)
        && (new.inject() == old.inject() || new.inject() == Inject::Placeholder)
        && (old.exposed || !new.exposed)
        && (old.hash.is_none() || old.hash == new.hash)
        && bounds_as_strictly(new, old)
}

/// Whether `new` applies wherever `old` does, with bounds that are no looser.
fn bounds_no_less(new: &Rule, old: &Rule) -> bool {
    new.action == old.action
        && new.command == old.command
        && arguments(new) == arguments(old)
        && (new.is_exact() == old.is_exact() || new.is_exact())
        && new.capability == old.capability
        && secrets_within(&old.secrets, &new.secrets)
        && agents_within(&old.agents, &new.agents)
        && (new.inject() == old.inject() || old.inject() == Inject::Placeholder)
        && (new.exposed || !old.exposed)
        && (new.hash.is_none() || old.hash == new.hash)
        && bounds_as_strictly(new, old)
}

fn arguments(rule: &Rule) -> &[ArgPattern] {
    rule.args.as_deref().unwrap_or_default()
}

fn bounds_as_strictly(new: &Rule, old: &Rule) -> bool {
    fn within<T: Ord>(new: Option<T>, old: Option<T>) -> bool {
        match (new, old) {
            (_, None) => true,
            (Some(new), Some(old)) => new <= old,
            (None, Some(_)) => false,
        }
    }
    let (n, o) = (&new.limits, &old.limits);
    new.ask >= old.ask
        && within(n.timeout, o.timeout)
        && within(n.output, o.output)
        && within(n.memory, o.memory)
        && within(n.processes, o.processes)
}

/// Whether `new` denies all that `old` denies. What a rule leaves out is any.
fn denies_no_less(new: &Rule, old: &Rule) -> bool {
    new.action == old.action
        && (new.command.is_none() || new.command == old.command)
        && (new.args.is_none() || new.args == old.args)
        && (new.capability.is_none() || new.capability == old.capability)
        && secrets_within(&old.secrets, &new.secrets)
        && agents_within(&old.agents, &new.agents)
        && (new.inject.is_none() || new.inject == old.inject)
}

fn secrets_within(narrow: &Option<Vec<SecretPattern>>, wide: &Option<Vec<SecretPattern>>) -> bool {
    within(narrow, wide, SecretPattern::covers)
}

fn agents_within(narrow: &Option<Vec<Glob>>, wide: &Option<Vec<Glob>>) -> bool {
    within(narrow, wide, covers)
}

/// Whether one list of patterns stands for no more than another; no list stands for everything.
pub(crate) fn within<T>(
    narrow: &Option<Vec<T>>,
    wide: &Option<Vec<T>>,
    covers: impl Fn(&T, &T) -> bool,
) -> bool {
    match (narrow, wide) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(narrow), Some(wide)) => narrow.iter().all(|n| wide.iter().any(|w| covers(w, n))),
    }
}
