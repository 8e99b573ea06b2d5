//! No Rust file grows past what a reader takes in.

use super::Problem;
use super::architecture::Architecture;
use super::tree::Tree;

/// Lines of a Rust file; there is no list of exceptions.
const LIMIT: usize = 600;

pub(super) fn check(tree: &Tree, _: &Architecture) -> Vec<Problem> {
    tree.ending(".rs")
        .filter_map(|(file, text)| {
            let lines = text.lines().count();
            let text = format!("{lines} lines, the limit is {LIMIT}: split it by what it touches");
            (lines > LIMIT).then(|| Problem::new("size", file, 0, text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::LIMIT;
    use crate::tidy::testing::{findings, map, said};

    #[test]
    fn one_line_too_many_fails() {
        let map = map("F0 model ->", "");
        let (full, over) = ("//\n".repeat(LIMIT), "//\n".repeat(LIMIT + 1));
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            ("full.rs", &full),
            ("over.rs", &over),
        ];
        let said = said(&findings(super::check, &files));
        assert!(
            said.starts_with("over.rs:0: 601 lines") && !said.contains("full.rs"),
            "{said}"
        );
    }
}
