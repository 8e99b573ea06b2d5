//! What a policy answers.

use std::fmt;

use subrosa_model::{Inject, ProcessLimits, Verdict};

use crate::rule::{Ask, Effect, RuleRef};

/// The answer to one request. The default is no.
#[must_use = "a decision that nobody looks at protects nothing"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Yes, no, or only when an operator approves.
    pub verdict: Verdict,
    /// What decided.
    pub rule: RuleRef,
    /// Why, in one sentence without a full stop. Holds names, never a value and no argument.
    pub reason: String,
    /// What an operator would type or add to allow it; empty for yes. May repeat the command line.
    pub remedy: String,
    /// How the values reach the child. Anything but a placeholder only where that was asked for and
    /// is allowed.
    pub inject: Inject,
    /// Bounds on the child: of each the strictest that an allowing rule names.
    pub limits: ProcessLimits,
    /// How often an operator approves; `Some` exactly when the verdict is to ask.
    pub ask: Option<Ask>,
    /// Whether values are handed to an agent's process although other processes of its user can
    /// read them there: every rule that allowed it says `exposed: true`.
    pub exposed: bool,
}

/// A decision, and everything that was looked at on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The decision: the same that [`Policy::decide`](crate::Policy::decide) gives.
    pub decision: Decision,
    /// Every part of the policy, in the order in which it counts.
    pub steps: Vec<Step>,
}

/// One part of a policy that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Which part.
    pub rule: RuleRef,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Whether it applies to the request.
    pub applies: bool,
    /// Why, or why not.
    pub why: String,
    /// Whether it made the decision, alone or with others.
    pub decisive: bool,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let mark = match (step.decisive, step.applies) {
                (true, _) => "=>",
                (false, true) => " +",
                (false, false) => " -",
            };
            writeln!(f, "{mark} {} ({}): {}", step.rule, step.effect, step.why)?;
        }
        let Decision {
            verdict,
            rule,
            reason,
            ..
        } = &self.decision;
        write!(f, "{verdict} by {rule}: {reason}")
    }
}
