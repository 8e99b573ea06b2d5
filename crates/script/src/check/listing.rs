//! What was found, statement by statement.

use std::collections::BTreeSet;

use super::points::{Clause, Egress, Key, Points, Sink, Why};
use super::taint::{Labels, Taint};
use crate::run::LET_OUT;
use crate::run::flow::is_plain;
use crate::syntax::Diagnostic;
use crate::syntax::ast::{Block, Cabinet, Clauses, Command, Script, Statement};

/// Every way out of a script, in the order of the text.
pub(super) fn egress(script: &Script, labels: &Labels, points: &Points) -> Vec<Egress> {
    let mut listing = Listing {
        labels,
        points,
        cluster: Clauses::default(),
        all: Vec::new(),
    };
    listing.block(&script.body);
    for function in script.functions.iter().flatten() {
        listing.block(&function.body);
    }
    listing.all.sort_by_key(|one| (one.span.start, one.sink));
    listing.all
}

/// The ways out by a command, one for each thing that leaves.
fn sinks(command: &Command) -> &'static [Sink] {
    match command {
        Command::Say { .. } | Command::Ask { .. } => &[Sink::Console],
        Command::Cabinet(Cabinet::Write { .. } | Cabinet::Append { .. }) => {
            &[Sink::FilePath, Sink::FileContent]
        }
        Command::Cabinet(_) => &[Sink::FilePath],
        Command::Script { .. } | Command::Program { .. } => &[Sink::Process],
        Command::Environment { .. } => &[Sink::EnvironmentValue, Sink::EnvironmentName],
        Command::Call { .. } => &[Sink::Call],
        _ => &[],
    }
}

/// What decides in a statement, or shows where it is refused.
fn deciding(statement: &Statement) -> impl Iterator<Item = Sink> {
    let is_timed = statement.signatures.timeout.is_some();
    let own = match &statement.command {
        Command::Import { .. } => Some(Sink::Import),
        Command::Repeat { .. } => Some(Sink::Count),
        Command::If { .. } | Command::While { .. } | Command::Iterate { .. } => {
            Some(Sink::Condition)
        }
        Command::Wait(_) if !is_timed => Some(Sink::Delay),
        _ => None,
    };
    own.into_iter().chain(is_timed.then_some(Sink::Delay))
}

struct Listing<'a> {
    labels: &'a Labels,
    points: &'a Points,
    cluster: Clauses,
    all: Vec<Egress>,
}

impl Listing<'_> {
    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        let mut clauses = statement.clauses;
        if is_plain(&statement.command) {
            clauses.safe = clauses.safe.or(self.cluster.safe);
            clauses.sensitive = clauses.sensitive.or(self.cluster.sensitive);
        }
        for sink in sinks(&statement.command) {
            self.point(statement, clauses, *sink);
        }
        for sink in deciding(statement) {
            let start = statement.span.start;
            let is_refused = self.points.refusals.contains_key(&(start, sink));
            let is_hidden = sink == Sink::Import && self.points.hidden.contains_key(&start);
            let is_around = self.points.inside.contains_key(&start);
            if is_refused || is_hidden || is_around {
                self.point(statement, clauses, sink);
            }
        }
        match &statement.command {
            Command::If { arms, otherwise } => {
                for block in arms.iter().map(|arm| &arm.body).chain(otherwise) {
                    self.block(block);
                }
            }
            Command::Repeat { body, .. }
            | Command::While { body, .. }
            | Command::Iterate { body, .. } => self.block(body),
            Command::Cluster { body } => {
                let before = self.cluster;
                self.cluster = Clauses {
                    safe: statement.clauses.safe.or(before.safe),
                    sensitive: statement.clauses.sensitive.or(before.sensitive),
                };
                self.block(body);
                self.cluster = before;
            }
            _ => {}
        }
    }

    fn point(&mut self, statement: &Statement, clauses: Clauses, sink: Sink) {
        let key = (statement.span.start, sink);
        let (taint, mut within) = self.points.leaving.get(&key).cloned().unwrap_or_default();
        if let Some(hidden) = self.points.hidden.get(&key.0) {
            within.join(&hidden.taint);
        }
        let written = [
            (clauses.safe.is_some(), Clause::Safe),
            (clauses.sensitive.is_some(), Clause::Sensitive),
            (statement.risk.is_some(), Clause::Risk),
        ];
        let written = written.into_iter().filter(|(is_there, _)| *is_there);
        let clauses: Vec<Clause> = written.map(|(_, clause)| clause).collect();
        let (missing, refusal) = self.refusal(statement, &clauses, key, &taint);
        self.all.push(Egress {
            span: statement.span,
            sink,
            is_secret: taint.is_secret(),
            labels: self.labels.names(&taint),
            clauses,
            missing,
            within: self.labels.names(&within),
            refusal,
        });
    }

    /// What is missing, and why a run may refuse it.
    fn refusal(
        &self,
        statement: &Statement,
        clauses: &[Clause],
        key: Key,
        taint: &Taint,
    ) -> (Vec<Clause>, Option<Diagnostic>) {
        let (start, sink) = key;
        let needed = match sink {
            Sink::Condition | Sink::Count | Sink::Delay => &[Clause::Sensitive][..],
            _ => &[Clause::Sensitive, Clause::Risk],
        };
        let mut missing = BTreeSet::new();
        let none = BTreeSet::new();
        let whys = self.points.refusals.get(&key).unwrap_or(&none);
        if whys.contains(&Why::Clauses) || whys.contains(&Why::Undeclared) {
            missing.extend(needed.iter().filter(|one| !clauses.contains(one)));
        }
        let shows = !matches!(sink, Sink::Condition | Sink::Count | Sink::Delay);
        let hidden = self.points.hidden.get(&start).filter(|_| shows);
        if let Some(hidden) = hidden {
            missing.extend(&hidden.missing);
        }
        let missing: Vec<Clause> = missing.into_iter().collect();
        let from = self.from(taint);
        let (message, hint) = if whys.contains(&Why::Never) {
            let message = match sink {
                Sink::Import => "which variables are imported would show",
                _ => "the folder that is listed would be told by a secret",
            };
            (
                format!("{message}{from}"),
                "nothing permits that: write it out",
            )
        } else if whys.contains(&Why::Undeclared) {
            let message = format!("what a secret decides needs `sensitive` before it{from}");
            let hint = "write `sensitive` before it; everything assigned inside becomes a secret";
            (message, hint)
        } else if whys.contains(&Why::Clauses) {
            let message = format!(
                "a secret may go to {}, and {} missing{from}",
                sink.phrase(),
                listed(&missing)
            );
            (message, LET_OUT)
        } else if let Some(hidden) = hidden {
            let message = format!(
                "whether this statement runs is decided by a secret, and it would show{}",
                self.from(&hidden.taint)
            );
            let hint = "move it out of the block, or write: sensitive … with risk";
            (message, hint)
        } else if let Some(taint) = self.points.inside.get(&start).filter(|_| !shows) {
            let message = format!("a statement in this block is refused{}", self.from(taint));
            (
                message,
                "a run names the block and not the statement, which depends on a secret",
            )
        } else {
            return (missing, None);
        };
        let mut told = Diagnostic::error("egress-refused", message, statement.span).hint(hint);
        if let Some(hidden) = hidden {
            told = told.note(hidden.header, "decided here");
        }
        (missing, Some(told))
    }

    fn from(&self, taint: &Taint) -> String {
        let names: Vec<String> = (self.labels.names(taint).iter())
            .map(|name| format!("'{name}'"))
            .collect();
        match names.is_empty() {
            true => String::new(),
            false => format!(" (from vault {})", names.join(", ")),
        }
    }
}

/// "`sensitive` and `with risk` are"
fn listed(missing: &[Clause]) -> String {
    let words: Vec<String> = (missing.iter())
        .map(|clause| format!("`{}`", clause.words()))
        .collect();
    let verb = if words.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", words.join(" and "))
}
