//! The order in which a policy is read: always-denied, any deny, any allow, the default.

use subrosa_model::{Action, Destination, Inject, ProcessLimits, SecretUse, UseRequest, Verdict};

use crate::agents;
use crate::always::{self, Found};
use crate::builtin::{self, operator_reads, person_masks};
use crate::decision::{Decision, Explanation, Step};
use crate::document::Document;
use crate::matching::{Mismatch, Usage};
use crate::remedy;
use crate::rule::{Ask, Effect, Rule, RuleRef};

/// What the rules that allow one secret allow together: of everything the strictest. Strictest, so
/// that neither the order of rules nor a wider one beside a narrow one loosens anything.
#[derive(Debug, Clone)]
struct Grant {
    /// The first of the rules.
    rule: RuleRef,
    limits: ProcessLimits,
    ask: Option<Ask>,
    exposed: bool,
}

impl Grant {
    /// By something that is no rule and bounds nothing.
    fn plain(rule: RuleRef) -> Self {
        Self {
            rule,
            limits: ProcessLimits::default(),
            ask: None,
            exposed: false,
        }
    }

    fn by(reference: RuleRef, rule: &Rule) -> Self {
        Self {
            rule: reference,
            limits: rule.limits,
            ask: rule.ask,
            exposed: rule.exposed,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            rule: self.rule,
            limits: strictest(self.limits, other.limits),
            ask: self.ask.max(other.ask),
            exposed: self.exposed && other.exposed,
        }
    }
}

fn strictest(a: ProcessLimits, b: ProcessLimits) -> ProcessLimits {
    fn least<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, None) | (None, one) => one,
        }
    }
    ProcessLimits {
        timeout: least(a.timeout, b.timeout),
        output: least(a.output, b.output),
        memory: least(a.memory, b.memory),
        processes: least(a.processes, b.processes),
    }
}

/// Decides, and tells how.
pub(crate) fn explain(document: &Document, request: &UseRequest) -> Explanation {
    if let Some(refused) = builtin::refusal(request) {
        let decision = Decision {
            rule: RuleRef::Builtin(refused.name),
            reason: refused.reason,
            remedy: refused.remedy,
            ..Decision::default()
        };
        return explanation(decision, Vec::new());
    }
    if let Some((reason, remedy)) = agents::refusal(document.agents.as_deref(), request) {
        let decision = Decision {
            rule: RuleRef::Builtin("agent"),
            reason,
            remedy,
            ..Decision::default()
        };
        return explanation(decision, Vec::new());
    }
    let found = always_denied(request);
    let usage = Usage::new(request, found.is_some());
    let mut looked = Looked::default();
    let denied = looked.denials(document, &usage);
    let grants = looked.grants(document, &usage);
    let decision = settle(document, &usage, found.as_ref(), denied, &grants, &looked);
    if let Some(found) = found {
        let lifted = decision.rule != RuleRef::AlwaysDenied;
        let but = if lifted {
            "; rules name exactly this line"
        } else {
            ""
        };
        let why = format!("{}{but}", found.reason());
        looked
            .steps
            .insert(0, step(RuleRef::AlwaysDenied, Effect::Deny, !lifted, why));
    }
    explanation(decision, looked.steps)
}

fn always_denied(request: &UseRequest) -> Option<Found> {
    match (&request.command, &request.destination) {
        (Some(command), Destination::Process { directory, .. }) => {
            always::find(command, &directory.to_string_lossy())
        }
        _ => None,
    }
}

/// The order that counts. A line that is always denied has grants from rules for exactly it alone.
fn settle(
    document: &Document,
    usage: &Usage<'_>,
    found: Option<&Found>,
    denied: Option<RuleRef>,
    grants: &[Option<Grant>],
    looked: &Looked,
) -> Decision {
    let granted: Option<Vec<Grant>> = grants.iter().cloned().collect();
    match (found, denied, granted) {
        (Some(found), _, None) => Decision {
            rule: RuleRef::AlwaysDenied,
            reason: found.reason(),
            remedy: remedy::rule_to_add(usage),
            ..Decision::default()
        },
        (_, Some(rule), _) => Decision {
            reason: format!("{rule} denies it, and what denies wins"),
            remedy: format!("take {rule} out of the policy, or narrow it: subrosa policy edit"),
            rule,
            ..Decision::default()
        },
        (_, None, Some(grants)) => allow(usage, grants),
        (_, None, None) => refuse(document, usage, grants, looked),
    }
}

fn allow(usage: &Usage<'_>, grants: Vec<Grant>) -> Decision {
    let mut rules: Vec<RuleRef> = Vec::new();
    for grant in &grants {
        if !rules.contains(&grant.rule) {
            rules.push(grant.rule.clone());
        }
    }
    let rule = match rules.pop() {
        Some(only) if rules.is_empty() => only,
        last => RuleRef::Several(rules.into_iter().chain(last).collect()),
    };
    let Some(grant) = grants.into_iter().reduce(Grant::and) else {
        return Decision::default();
    };
    let inject = if usage.values {
        usage.inject
    } else {
        Inject::Placeholder
    };
    let (verdict, reason, remedy) = match grant.ask {
        None => (Verdict::Allow, format!("{rule} allows it"), String::new()),
        Some(ask) => {
            let often = match ask {
                Ask::Session => "once in a session",
                Ask::Each => "every time",
            };
            let reason = format!("{rule} allows it when an operator approves, {often}");
            (
                Verdict::Ask,
                reason,
                "approve it: subrosa approve ID".to_owned(),
            )
        }
    };
    Decision {
        verdict,
        rule,
        reason,
        remedy,
        inject,
        limits: grant.limits,
        ask: grant.ask,
        exposed: usage.values && usage.is_agent() && grant.exposed,
    }
}

fn refuse(
    document: &Document,
    usage: &Usage<'_>,
    grants: &[Option<Grant>],
    looked: &Looked,
) -> Decision {
    let units = usage.units();
    let without: Vec<&SecretUse> = units
        .iter()
        .zip(grants)
        .filter(|(_, grant)| grant.is_none())
        .filter_map(|(unit, _)| *unit)
        .collect();
    let what = remedy::describe(usage, &without);
    let reason = match &looked.nearest {
        Some((rule, mismatch)) if *mismatch >= Mismatch::Caller => {
            format!("nothing allows {what}; {rule} comes nearest, but {mismatch}")
        }
        _ if document.default_action == Effect::Allow => {
            format!(
                "nothing allows {what}; `default_action: allow` gives placeholders and no values"
            )
        }
        _ => format!("nothing allows {what}"),
    };
    Decision {
        rule: RuleRef::DefaultAction,
        reason,
        remedy: remedy::rule_to_add(usage),
        ..Decision::default()
    }
}

/// What was looked at.
#[derive(Default)]
struct Looked {
    steps: Vec<Step>,
    /// The entry that came nearest to allowing, and what was missing.
    nearest: Option<(RuleRef, Mismatch)>,
}

impl Looked {
    /// The first entry that denies.
    fn denials(&mut self, document: &Document, usage: &Usage<'_>) -> Option<RuleRef> {
        let mut first = None;
        let entries = document
            .denied_commands
            .iter()
            .enumerate()
            .map(|(index, entry)| (RuleRef::DeniedCommand(index), usage.denied_mismatch(entry)));
        let rules = rules(document, Effect::Deny)
            .map(|(reference, rule)| (reference, usage.rule_mismatch(rule)));
        for (reference, mismatch) in entries.chain(rules) {
            if mismatch.is_none() && first.is_none() {
                first = Some(reference.clone());
            }
            self.note(reference, Effect::Deny, mismatch);
        }
        first
    }

    /// For each secret what allows it.
    fn grants(&mut self, document: &Document, usage: &Usage<'_>) -> Vec<Option<Grant>> {
        let units = usage.units();
        let mut grants: Vec<Option<Grant>> = vec![None; units.len()];
        let mut add = |grant: &Grant, names: &dyn Fn(&SecretUse) -> bool| {
            for (unit, slot) in units.iter().zip(&mut grants) {
                if unit.is_none_or(names) {
                    *slot = Some(match slot.take() {
                        Some(earlier) => earlier.and(grant.clone()),
                        None => grant.clone(),
                    });
                }
            }
        };
        for (index, entry) in document.allowed_commands.iter().enumerate() {
            let reference = RuleRef::AllowedCommand(index);
            let mismatch = usage.entry_mismatch(entry);
            if mismatch.is_none() {
                add(&Grant::plain(reference.clone()), &|_| true);
            }
            self.note(reference, Effect::Allow, mismatch);
        }
        for (reference, rule) in rules(document, Effect::Allow) {
            let mismatch = usage.rule_mismatch(rule);
            if mismatch.is_none() {
                let grant = Grant::by(reference.clone(), rule);
                add(&grant, &|secret| rule.names_secret(secret));
            }
            self.note(reference, Effect::Allow, mismatch);
        }
        let builtin = match usage.request {
            request if operator_reads(request) => Some("operator-read"),
            request if person_masks(request) => Some("person-mask"),
            _ => None,
        };
        if let Some(name) = builtin {
            let reference = RuleRef::Builtin(name);
            add(&Grant::plain(reference.clone()), &|_| true);
            self.steps.push(step(
                reference,
                Effect::Allow,
                true,
                "a person may".to_owned(),
            ));
        }
        self.fall_back(document, usage, &mut grants);
        grants
    }

    /// The default action, for what nothing else said anything about.
    fn fall_back(&mut self, document: &Document, usage: &Usage<'_>, grants: &mut [Option<Grant>]) {
        let allows = document.default_action == Effect::Allow
            && usage.request.action == Action::Run
            && !usage.values
            && !usage.always;
        let open = grants.iter().any(Option::is_none);
        let why = match (open, allows, document.default_action) {
            (false, ..) => "every secret is allowed by something else",
            (true, true, _) => "it allows what nothing else is about, with placeholders",
            (true, false, Effect::Allow) => {
                "it allows commands with placeholders, and this is more"
            }
            (true, false, Effect::Deny) => "it denies what nothing else is about",
        };
        if allows {
            for slot in grants.iter_mut().filter(|slot| slot.is_none()) {
                *slot = Some(Grant::plain(RuleRef::DefaultAction));
            }
        }
        self.steps.push(step(
            RuleRef::DefaultAction,
            document.default_action,
            open && (allows || document.default_action == Effect::Deny),
            why.to_owned(),
        ));
    }

    fn note(&mut self, rule: RuleRef, effect: Effect, mismatch: Option<Mismatch>) {
        let why = match mismatch {
            None => "it applies".to_owned(),
            Some(mismatch) => mismatch.to_string(),
        };
        if let Some(mismatch) = mismatch.filter(|_| effect == Effect::Allow)
            && self
                .nearest
                .as_ref()
                .is_none_or(|(_, nearest)| mismatch > *nearest)
        {
            self.nearest = Some((rule.clone(), mismatch));
        }
        self.steps.push(step(rule, effect, mismatch.is_none(), why));
    }
}

fn rules(document: &Document, effect: Effect) -> impl Iterator<Item = (RuleRef, &Rule)> {
    document
        .rules
        .iter()
        .enumerate()
        .filter(move |(_, rule)| rule.effect == effect)
        .map(|(index, rule)| {
            (
                RuleRef::Rule {
                    index,
                    name: rule.name.clone(),
                },
                rule,
            )
        })
}

fn step(rule: RuleRef, effect: Effect, applies: bool, why: String) -> Step {
    Step {
        rule,
        effect,
        applies,
        why,
        decisive: false,
    }
}

fn explanation(decision: Decision, mut steps: Vec<Step>) -> Explanation {
    if let RuleRef::Builtin(_) = decision.rule
        && steps.is_empty()
    {
        let why = decision.reason.clone();
        steps.push(step(decision.rule.clone(), Effect::Deny, true, why));
    }
    for step in &mut steps {
        step.decisive = match &decision.rule {
            RuleRef::Several(rules) => rules.contains(&step.rule),
            rule => *rule == step.rule,
        };
    }
    Explanation { decision, steps }
}
