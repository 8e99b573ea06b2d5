//! A banned call is allowed only in the files that ARCHITECTURE.md lists under `Effects`.
//!
//! Clippy itself finds the calls (clippy.toml); this rule keeps the list of exceptions honest.

use super::Problem;
use super::architecture::{Architecture, FILE};
use super::source::{attributes, is_test_file, line_of, production};
use super::tree::Tree;

const RULE: &str = "effects";
const BANS: [&str; 3] = [
    "clippy::disallowed_methods",
    "clippy::disallowed_macros",
    "clippy::disallowed_types",
];

pub(super) fn check(tree: &Tree, architecture: &Architecture) -> Vec<Problem> {
    let mut problems = Vec::new();
    let listed = architecture.table("Effects");
    let mut sites = Vec::new();
    for (file, text) in tree.ending(".rs").filter(|(file, _)| !is_test_file(file)) {
        let code = production(text);
        for attribute in attributes(&code) {
            let for_tests = attribute.text.trim_start().starts_with("cfg_attr(test,");
            if for_tests || !BANS.iter().any(|ban| attribute.text.contains(ban)) {
                continue;
            }
            let place = reach(file, attribute.inner);
            let line = line_of(&code, attribute.start);
            let known = listed.iter().any(|entry| covers(entry.cell(0), &place));
            sites.push(place.clone());
            if !known {
                let text = format!("a banned effect is allowed in {place}, not listed in {FILE}");
                problems.push(Problem::new(RULE, file, line, text));
            }
        }
    }
    for entry in listed {
        let place = entry.cell(0);
        if !sites.iter().any(|site| covers(place, site)) {
            let text = format!("{place} is listed, but allows no banned effect");
            problems.push(Problem::new(RULE, FILE, entry.line, text));
        }
    }
    problems
}

/// How far an attribute speaks: one in a crate's root speaks for the whole crate.
fn reach(file: &str, inner: bool) -> String {
    let root = ["/lib.rs", "/main.rs"]
        .iter()
        .find_map(|root| file.strip_suffix(root));
    match root {
        Some(folder) if inner => format!("{folder}/"),
        _ => file.to_owned(),
    }
}

/// A listed file, or a listed folder with a slash at its end.
fn covers(place: &str, file: &str) -> bool {
    place == file || (place.ends_with('/') && file.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{findings, map, said};

    const ALLOW: &str = "#![allow(clippy::disallowed_methods, reason = \"writes the vault\")]\n";

    fn of(place: &str, file: &str, text: &str) -> String {
        let table =
            format!("## Effects\n\n| Where | Effect |\n| --- | --- |\n| `{place}` | files |\n");
        let map = map("F0 model ->", &table);
        said(&findings(
            check,
            &[("ARCHITECTURE.md", map.as_str()), (file, text)],
        ))
    }

    #[test]
    fn listed_places_pass() {
        assert_eq!(
            of(
                "crates/store/src/folder.rs",
                "crates/store/src/folder.rs",
                ALLOW
            ),
            ""
        );
        assert_eq!(of("crates/cli/src/", "crates/cli/src/a/b.rs", ALLOW), "");
    }

    #[test]
    fn others_fail() {
        let file = "crates/store/src/folder.rs";
        let said = of(file, "crates/store/src/other.rs", ALLOW);
        assert!(
            said.contains("other.rs:1: a banned effect is allowed in"),
            "{said}"
        );
        assert!(
            said.contains("folder.rs is listed, but allows no"),
            "{said}"
        );
        let one = "fn a() {}\n#[expect(clippy::disallowed_macros)]\nfn b() {}\n";
        assert!(of(file, "crates/store/src/other.rs", one).contains("other.rs:2:"));
    }

    #[test]
    fn a_root_speaks_for_the_whole_crate() {
        let root = "crates/store/src/lib.rs";
        let said = of(root, root, ALLOW);
        assert!(
            said.contains("allowed in crates/store/src/, not listed"),
            "{said}"
        );
        assert_eq!(of("crates/store/src/", root, ALLOW), "");
    }

    #[test]
    fn tests_own_their_effects() {
        let file = "crates/store/src/lib.rs";
        let code = "#![cfg_attr(test, allow(clippy::disallowed_methods))]\n\
                    #[cfg(test)]\nmod tests { #![allow(clippy::disallowed_methods)] }\n";
        assert!(of(file, file, code).contains("allows no banned effect"));
    }
}
