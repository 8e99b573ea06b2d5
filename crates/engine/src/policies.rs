//! The policy: apply, show, test, explain.

use serde::Serialize;
use subrosa_model::{Change, ChangeKind};
use subrosa_policy::{DiffLine, Policy, TestResult, Warning};
use subrosa_vault::Document;

use crate::{EngineError, Session};

/// What applying a policy does or would do.
#[derive(Debug)]
pub struct Applied {
    /// The difference, line by line.
    pub diff: Vec<DiffLine>,
    /// Whether anything becomes possible that was not.
    pub loosens: bool,
    /// What has no effect, or another one than it seems to have.
    pub warnings: Vec<Warning>,
    /// Whether it was written.
    pub written: bool,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyInForce {
    /// How often it was replaced; 0 is the built-in one.
    pub revision: u64,
    /// Its text, as it was applied; for the built-in one, its canonical form.
    pub text: String,
}

impl Session {
    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> (&Policy, PolicyInForce) {
        let policy = self.gate.policy();
        let text = policy.text().to_owned();
        (
            policy,
            PolicyInForce {
                revision: self.policy_revision.unwrap_or(0),
                text,
            },
        )
    }

    /// Replaces the policy, or tells what that would change.
    ///
    /// # Errors
    /// [`EngineError::Policy`] with the line; [`EngineError::Usage`] when a test of the new policy
    /// fails; [`EngineError::Presence`] when it loosens the old one.
    pub fn apply_policy(&mut self, text: &str, dry_run: bool) -> Result<Applied, EngineError> {
        let newer = Policy::parse(text)?;
        if let Some(failed) = newer.run_tests().into_iter().find(|test| !test.passed) {
            return Err(EngineError::usage(format!(
                "the policy fails its own test {}: {}",
                failed.name, failed.message
            )));
        }
        let old = self.gate.policy();
        let mut applied = Applied {
            diff: old.diff(&newer),
            loosens: old.loosens(&newer),
            warnings: newer.warnings(),
            written: false,
        };
        if dry_run {
            return Ok(applied);
        }
        if applied.loosens {
            self.require_presence("loosening the policy")?;
        }
        let change = Change {
            kind: ChangeKind::Policy,
            subjects: Vec::new(),
            detail: if applied.loosens {
                "loosened"
            } else {
                "tightened or equal"
            }
            .to_owned(),
        };
        let content = (self.policy_revision, text.as_bytes());
        self.vault
            .put_document(&mut self.journal, Document::POLICY, content, &change)?;
        applied.written = true;
        Ok(applied)
    }

    /// Tries the tests of the policy in force, or of a text.
    ///
    /// # Errors
    /// [`EngineError::Policy`].
    pub fn test_policy(&self, text: Option<&str>) -> Result<Vec<TestResult>, EngineError> {
        Ok(match text {
            Some(text) => Policy::parse(text)?.run_tests(),
            None => self.gate.policy().run_tests(),
        })
    }
}
