//! Names with nothing behind them.

use std::collections::{BTreeMap, BTreeSet};

use crate::syntax::ast::{OperandKind, Script};
use crate::syntax::{ContainerId, Diagnostic, FunctionId, Span, VariableId};

/// Where a name is read: the offset, and whether it may, and may not, have a value there.
type Places<Id> = BTreeMap<(u32, Id), (Span, bool, bool)>;

/// What was read on the ways through a script.
#[derive(Debug, Default)]
pub(super) struct Reads<'s> {
    variables: Places<VariableId>,
    containers: Places<ContainerId>,
    functions: BTreeMap<u32, (Span, FunctionId)>,
    fetched: BTreeMap<u32, (Span, &'s str)>,
    secret_names: BTreeMap<u32, (Span, &'static str)>,
    /// How the names begin that are imported.
    imported: BTreeSet<String>,
}

fn note<Id: Ord>(places: &mut Places<Id>, id: Id, span: Span, is_set: bool) {
    let (_, set, unset) = places
        .entry((span.start, id))
        .or_insert((span, false, false));
    *set |= is_set;
    *unset |= !is_set;
}

impl<'s> Reads<'s> {
    pub(super) fn variable(&mut self, id: VariableId, span: Span, is_set: bool) {
        note(&mut self.variables, id, span, is_set);
    }

    pub(super) fn container(&mut self, id: ContainerId, span: Span, is_set: bool) {
        note(&mut self.containers, id, span, is_set);
    }

    pub(super) fn unknown_function(&mut self, id: FunctionId, span: Span) {
        self.functions.insert(span.start, (span, id));
    }

    pub(super) fn fetched(&mut self, entry: &'s str, span: Span) {
        self.fetched.insert(span.start, (span, entry));
    }

    /// A name that may be a secret, which no clause permits.
    pub(super) fn secret_name(&mut self, span: Span, of: &'static str) {
        self.secret_names.insert(span.start, (span, of));
    }

    /// Variables that match come into the vault.
    pub(super) fn imported(&mut self, glob: Option<&OperandKind>) {
        let literal = match glob {
            Some(OperandKind::Text(glob)) => glob.literal(),
            _ => None,
        };
        let end = |text: &str| text.find(['*', '?', '[', '{', '\\']).unwrap_or(text.len());
        let begins = literal.map(|text| text.get(..end(text)).unwrap_or_default());
        self.imported.insert(begins.unwrap_or_default().to_owned());
    }
}

/// What is wrong with names, in the order of the text.
pub(super) fn problems(
    script: &Script,
    reads: &Reads<'_>,
    is_stored: impl Fn(&str) -> bool,
) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for ((_, id), (span, is_set, is_unset)) in &reads.variables {
        if *is_unset && !is_set {
            let name = script.variables.text(*id);
            let message = format!("@{name} has no value here");
            all.push(
                Diagnostic::warning("unknown-variable", message, *span)
                    .label("a run fails here")
                    .hint(format!("assign it first: 'value' into @{name}")),
            );
        }
    }
    for ((_, id), (span, is_set, is_unset)) in &reads.containers {
        if *is_unset && !is_set {
            let name = script.containers.text(*id);
            let message = format!("::{name} is no container here");
            all.push(
                Diagnostic::warning("unknown-container", message, *span)
                    .label("a run fails here")
                    .hint(format!("make it first: container into ::{name} … end")),
            );
        }
    }
    for (span, id) in reads.functions.values() {
        let name = script.function_names.text(*id);
        let message = format!("there is no function #{name}");
        all.push(
            Diagnostic::warning("unknown-function", message, *span)
                .label("a run fails here")
                .hint(format!("define it: function #{name} … end")),
        );
    }
    for (span, of) in reads.secret_names.values() {
        let message = format!("the name of {of} cannot be a secret");
        all.push(
            Diagnostic::warning("secret-name", message, *span)
                .label("a run fails here")
                .hint("write the name out"),
        );
    }
    let is_imported = |entry: &str| reads.imported.iter().any(|begin| entry.starts_with(begin));
    for (span, entry) in reads.fetched.values() {
        if !is_stored(entry) && !is_imported(entry) {
            let message = format!("nothing stores the entry '{entry}'");
            all.push(
                Diagnostic::warning("missing-entry", message, *span)
                    .label("a run fails here, unless the vault has it")
                    .hint(format!("store it first: 'value' into vault '{entry}'")),
            );
        }
    }
    all.sort_by_key(|one| (one.span.start, one.code));
    all
}
