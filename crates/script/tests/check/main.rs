//! What the check says of scripts, by hand.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod blocks;
mod names;
mod sinks;
mod size;

use subrosa_script::check::{Checked, Clause, check};
use subrosa_script::syntax::{Source, parse};

pub(crate) fn checked(text: &str) -> Checked {
    match parse(Source::new("s.sky", text)) {
        Ok(script) => check(&script),
        Err(errors) => panic!("{}\n{text}", errors.render()),
    }
}

/// Each way out as one line: line, sink, entries, what is missing.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let source = Source::new("s.sky", text);
    let checked = checked(text);
    let line = |one: &subrosa_script::check::Egress| {
        let missing: Vec<&str> = one
            .missing
            .iter()
            .map(|clause| Clause::words(*clause))
            .collect();
        let verdict = match (&one.refusal, one.is_secret) {
            (Some(_), _) => format!("refused [{}]", missing.join(", ")),
            (None, true) => "secret".to_owned(),
            (None, false) => "public".to_owned(),
        };
        assert!(one.refusal.is_some() || missing.is_empty(), "{one:?}");
        let line = source.line(one.span.start);
        format!(
            "{line} {} {} {verdict}",
            one.sink.word(),
            one.labels.join("+")
        )
    };
    checked.egress.iter().map(line).collect()
}

/// The lines of what is refused.
pub(crate) fn refused(text: &str) -> Vec<usize> {
    let source = Source::new("s.sky", text);
    let all = checked(text).egress;
    let refused = all.iter().filter(|one| one.refusal.is_some());
    let mut lines: Vec<usize> = refused.map(|one| source.line(one.span.start)).collect();
    lines.dedup();
    lines
}
