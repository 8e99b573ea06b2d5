//! A policy.

use std::fmt;
use std::str::FromStr;

use subrosa_model::{Destination, Inject, SecretUse, SinkKind, UseRequest, Verdict};

use crate::agents::Agent;
use crate::case::{TestResult, sink_of};
use crate::compare::{self, DiffLine};
use crate::decide;
use crate::decision::{Decision, Explanation};
use crate::document::{self, Document};
use crate::error::PolicyError;
use crate::lint::{self, Warning};
use crate::rule::{Effect, Rule};
use crate::{builtin, canonical};

/// A policy: parsed, checked, ready to decide. The default denies everything.
#[derive(Clone)]
pub struct Policy {
    text: String,
    document: Document,
}

impl Policy {
    /// Reads a policy, written in YAML or JSON as `spec/policy.md` says.
    ///
    /// # Errors
    /// [`PolicyError`] with the place, the message and often a hint: not YAML, an unknown or
    /// repeated key, a value of a wrong type or form, a version that is not supported, a bound
    /// passed. No part of a policy that cannot be read is used.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document = document::parse(text)?;
        Ok(Self {
            text: text.to_owned(),
            document,
        })
    }

    /// The text that it was read from, comments and all.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The one form that all equal policies are written in. Reading it gives an equal policy.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        canonical::write(&self.document)
    }

    /// The rules, in the order in which they are written. Their index is the one that
    /// [`RuleRef`](crate::RuleRef) shows.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.document.rules.iter()
    }

    /// Answers a request.
    pub fn decide(&self, request: &UseRequest) -> Decision {
        decide::explain(&self.document, request).decision
    }

    /// Answers a request and tells what was looked at on the way.
    #[must_use]
    pub fn explain(&self, request: &UseRequest) -> Explanation {
        decide::explain(&self.document, request)
    }

    /// How values should reach the child when the caller did not say: the way that would be allowed
    /// and shows them to the fewest (standard input, then a file, then the environment), and
    /// placeholders where no way is.
    ///
    /// It decides nothing: decide the request with this way put in. [`Inject::Placeholder`] for
    /// whatever starts no process.
    #[must_use]
    pub fn usual_inject(&self, request: &UseRequest) -> Inject {
        [Inject::Stdin, Inject::File, Inject::Env]
            .into_iter()
            .filter_map(|inject| Some((inject, with_inject(request, inject)?)))
            .find(|(_, request)| self.decide(request).verdict != Verdict::Deny)
            .map_or(Inject::Placeholder, |(inject, _)| inject)
    }

    /// Whether a rule pins an executable by its content, so that a request needs the digest.
    #[must_use]
    pub fn pins_executables(&self) -> bool {
        self.document.rules.iter().any(|rule| rule.hash.is_some())
    }

    /// Whether a secret that becomes `to` may be used where it might not as `from`: a rule that
    /// allows is about its new name and not the old one, or one that denies about the old one alone.
    #[must_use]
    pub fn loosened_by_move(&self, from: &SecretUse, to: &SecretUse) -> bool {
        self.document.rules.iter().any(|rule| {
            let (before, after) = (rule.names_secret(from), rule.names_secret(to));
            match rule.effect {
                Effect::Allow => after && !before,
                Effect::Deny => before && !after,
            }
        })
    }

    /// The agents that there are, where the policy says so; `None` leaves that to the tokens.
    #[must_use]
    pub fn agents(&self) -> Option<&[Agent]> {
        self.document.agents.as_deref()
    }

    /// Tries the `tests` of the policy against it, in their order.
    #[must_use]
    pub fn run_tests(&self) -> Vec<TestResult> {
        let cases = self.document.cases.iter().enumerate();
        cases.map(|(index, case)| case.run(index, self)).collect()
    }

    /// What has no effect, or another one than it seems to have.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        lint::warnings(&self.document)
    }

    /// Whether `newer` may allow anything that this policy does not, or allow it under looser
    /// bounds. `false` is certain; whatever is unclear is `true`.
    #[must_use]
    pub fn loosens(&self, newer: &Self) -> bool {
        compare::loosens(&self.document, &newer.document)
    }

    /// What changes from this policy to `newer`, section by section, in the canonical form. The
    /// order of entries means nothing and is no difference.
    #[must_use]
    pub fn diff(&self, newer: &Self) -> Vec<DiffLine> {
        compare::diff(&self.document, &newer.document)
    }
}

/// The request with another way for its values to reach the child; `None` where it starts none.
fn with_inject(request: &UseRequest, wanted: Inject) -> Option<UseRequest> {
    let mut request = request.clone();
    let Destination::Process { inject, .. } = &mut request.destination else {
        return None;
    };
    *inject = wanted;
    // A descriptor carries a file or standard input as well.
    if request.sink != SinkKind::Descriptor || wanted == Inject::Env {
        request.sink = sink_of(builtin::inject_of(&request));
    }
    Some(request)
}

impl Default for Policy {
    fn default() -> Self {
        let document = Document::default();
        Self {
            text: canonical::write(&document),
            document,
        }
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        Self::parse(text)
    }
}

/// Equal when they say the same in the same order, however they are laid out.
impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl Eq for Policy {}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("rules", &self.document.rules.len())
            .field("tests", &self.document.cases.len())
            .finish_non_exhaustive()
    }
}
