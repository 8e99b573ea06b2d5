//! Every red-team row that has a test has one that says how the attack ended.
//!
//! Without this only a run of all tests tells, at its very end.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::architecture::Architecture;
use super::tree::Tree;

pub(super) fn check(tree: &Tree, _: &Architecture) -> Vec<Problem> {
    let mut tested: BTreeMap<u32, (&str, usize)> = BTreeMap::new();
    let mut said = BTreeSet::new();
    // This room writes of rows that it does not attack.
    let texts = tree.ending(".rs").filter(|(f, _)| !f.starts_with("xtask/"));
    for (file, text) in texts {
        for (index, line) in text.lines().enumerate() {
            if let Some(row) = number_after(line.trim_start(), "fn row_") {
                tested.entry(row).or_insert((file, index + 1));
            }
        }
        let dense: String = text.split_whitespace().collect();
        for word in ["held(", "REDTEAMrow="] {
            let rows = dense.match_indices(word);
            said.extend(rows.filter_map(|(at, _)| number_after(&dense[at..], word)));
        }
    }
    tested.retain(|row, _| !said.contains(row));
    let problem = |(row, (file, line)): (u32, (&str, usize))| {
        let text = format!("no test of row {row} says that it held");
        Problem::new("verdicts", file, line, text)
    };
    tested.into_iter().map(problem).collect()
}

/// The number that stands behind a word with which a text begins.
fn number_after(text: &str, word: &str) -> Option<u32> {
    let rest = text.strip_prefix(word)?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{findings, map, said};

    fn findings_of(body: &str) -> String {
        let map = map("F0 model ->", "");
        let text = format!("#[test]\nfn row_36_attack() {{\n{body}\n}}\n");
        let files = [("ARCHITECTURE.md", map.as_str()), ("tests/x.rs", &text)];
        said(&findings(check, &files))
    }

    #[test]
    fn a_row_without_a_verdict_is_found() {
        assert!(findings_of("assert!(attack());").starts_with("tests/x.rs:2:"));
        assert!(findings_of("held(37, \"another\");").starts_with("tests/x.rs:2:"));
        assert_eq!(findings_of("held(\n    36,\n    \"refused\",\n);"), "");
        assert_eq!(
            findings_of("println!(\"REDTEAM row=36 verdict=held\");"),
            ""
        );
    }
}
