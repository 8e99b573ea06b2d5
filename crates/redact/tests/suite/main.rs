//! The redactor from outside.

mod adapters;
mod asynchronous;
mod bodies;
mod bounds;
mod builder;
mod differential;
mod forms;
mod idle;
mod limits;
mod packed;
mod parts;

use subrosa_redact::{Finding, Known, KnownSet};

/// A set of named values, all of which are searched for.
fn known(values: &[(&str, &str)]) -> KnownSet {
    let mut known = Known::new();
    for (name, value) in values {
        let added = known.add(Some(name), value.as_bytes());
        assert!(added.is_searched(), "{name}: {added:?}");
    }
    known.build()
}

/// The output for a whole text, as text.
fn redact(set: &KnownSet, input: impl AsRef<[u8]>) -> String {
    let (out, _) = subrosa_redact::redact_all(set, input.as_ref());
    String::from_utf8(out).expect("text in, text out")
}

/// Findings as tuples: start, end, form, key.
fn told(findings: &[Finding]) -> Vec<(u64, u64, &'static str, Option<&str>)> {
    findings
        .iter()
        .map(|f| (f.start, f.end, f.form.name(), f.key.as_deref()))
        .collect()
}
