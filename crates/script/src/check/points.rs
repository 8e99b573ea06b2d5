//! The ways out of a script.

use std::collections::{BTreeSet, HashMap};

use super::taint::Taint;
use crate::run::flow::Showing;
use crate::syntax::ast::Statement;
use crate::syntax::{Diagnostic, Span};

/// Where something goes that may be a secret, or what it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Sink {
    /// The console, by `say` and `ask`.
    Console,
    /// The path of a file or folder.
    FilePath,
    /// The content of a file.
    FileContent,
    /// The line or the words of a process, and the secrets in its variables.
    Process,
    /// The value of a variable of later processes.
    EnvironmentValue,
    /// Its name.
    EnvironmentName,
    /// A brokered request.
    Call,
    /// Which variables `system filter` imports.
    Import,
    /// Which way a script goes on.
    Condition,
    /// How often a block runs.
    Count,
    /// How long something takes.
    Delay,
}

impl Sink {
    /// One word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::FilePath => "file-path",
            Self::FileContent => "file-content",
            Self::Process => "process",
            Self::EnvironmentValue => "environment-value",
            Self::EnvironmentName => "environment-name",
            Self::Call => "call",
            Self::Import => "import",
            Self::Condition => "condition",
            Self::Count => "count",
            Self::Delay => "delay",
        }
    }

    /// Whether a secret shows as asterisks there where the statement says `sensitive` alone.
    #[must_use]
    pub fn is_masked(self) -> bool {
        self == Self::Console
    }

    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Console => "the console",
            Self::FilePath => "the path of a file",
            Self::FileContent => "a file",
            Self::Process => "a process",
            Self::EnvironmentValue | Self::EnvironmentName => "the environment",
            Self::Call => "a brokered request",
            Self::Import | Self::Condition | Self::Count | Self::Delay => "whoever looks",
        }
    }
}

/// What a statement says about secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clause {
    /// `safe`
    Safe,
    /// `sensitive`
    Sensitive,
    /// `with risk`
    Risk,
}

impl Clause {
    /// As it is written.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Sensitive => "sensitive",
            Self::Risk => "with risk",
        }
    }
}

/// A way out of a script, or a condition that would be refused.
#[derive(Debug, Clone)]
pub struct Egress {
    /// The statement.
    pub span: Span,
    /// Where it goes.
    pub sink: Sink,
    /// Whether it may be a secret.
    pub is_secret: bool,
    /// The entries that it may derive from, sorted; `?` is one that is known only in a run. A secret
    /// without an entry, such as what was typed, has none.
    pub labels: Vec<String>,
    /// What the statement says, with what clusters around it say.
    pub clauses: Vec<Clause>,
    /// What it would have to say as well; empty where it is not refused, and where nothing helps.
    pub missing: Vec<Clause>,
    /// The entries that may decide whether it runs.
    pub within: Vec<String>,
    /// Why a run may refuse it.
    pub refusal: Option<Diagnostic>,
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// `sensitive … with risk` is not there.
    Clauses,
    /// A secret decides, without `sensitive`.
    Undeclared,
    /// Nothing permits it.
    Never,
}

/// A way out in a block on a secret.
#[derive(Debug)]
pub(super) struct Hidden {
    pub(super) taint: Taint,
    pub(super) header: Span,
    pub(super) missing: BTreeSet<Clause>,
}

/// The offset at which a statement begins, and where something goes by it.
pub(super) type Key = (u32, Sink);

/// What was found on the ways through a script.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// What leaves, and what decides whether it does.
    pub(super) leaving: HashMap<Key, (Taint, Taint)>,
    pub(super) refusals: HashMap<Key, BTreeSet<Why>>,
    /// By the offset at which the statement begins.
    pub(super) hidden: HashMap<u32, Hidden>,
    /// Blocks on secrets in which something is refused.
    pub(super) inside: HashMap<u32, Taint>,
}

impl Points {
    pub(super) fn leaves(&mut self, key: Key, taint: &Taint, within: &Taint) {
        let (leaving, around) = self.leaving.entry(key).or_default();
        leaving.join(taint);
        around.join(within);
    }

    pub(super) fn refuse(&mut self, statement: &Statement, sink: Sink, why: Why) {
        let key = (statement.span.start, sink);
        self.refusals.entry(key).or_default().insert(why);
    }

    pub(super) fn refuse_inside(&mut self, header: u32, taint: &Taint) {
        self.inside.entry(header).or_default().join(taint);
    }

    /// A way out that shows what a secret decides.
    pub(super) fn within(&mut self, sink: Showing, taint: &Taint, header: Span) {
        let hidden = self.hidden.entry(sink.span.start).or_insert(Hidden {
            taint: Taint::default(),
            header,
            missing: BTreeSet::new(),
        });
        hidden.taint.join(taint);
        if !sink.is_sensitive {
            hidden.missing.insert(Clause::Sensitive);
        }
        if !sink.is_risk {
            hidden.missing.insert(Clause::Risk);
        }
    }
}
