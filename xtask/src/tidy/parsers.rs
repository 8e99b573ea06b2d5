//! Every parser of foreign input has a fuzz target, and every fuzz target a parser.

use super::Problem;
use super::architecture::{Architecture, FILE};
use super::manifests::manifest;
use super::tree::Tree;

const RULE: &str = "parsers";
const MANIFEST: &str = "fuzz/Cargo.toml";

pub(super) fn check(tree: &Tree, architecture: &Architecture) -> Vec<Problem> {
    let mut problems = Vec::new();
    let listed = architecture.table("Parsers");
    let manifest = manifest(tree, MANIFEST);
    let bins = manifest
        .get("bin")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    let targets: Vec<(&str, &str)> = bins
        .filter_map(|bin| Some((bin.get("name")?.as_str()?, bin.get("path")?.as_str()?)))
        .collect();
    for entry in listed {
        let (parser, place, target) = (entry.cell(0), entry.cell(1), entry.cell(2));
        let mut say = |text| problems.push(Problem::new(RULE, FILE, entry.line, text));
        if !tree.exists(place) {
            say(format!("{parser}: there is no {place}"));
        }
        match targets.iter().find(|(name, _)| *name == target) {
            None => say(format!("{parser}: {MANIFEST} has no target `{target}`")),
            Some((_, path)) if !tree.exists(&format!("fuzz/{path}")) => {
                say(format!("{parser}: there is no fuzz/{path}"));
            }
            Some(_) => {}
        }
        if !tree.exists(&format!("fuzz/seeds/{target}")) {
            say(format!("{parser}: fuzz/seeds/{target}/ holds no seed"));
        }
    }
    for (name, _) in targets {
        if !listed.iter().any(|entry| entry.cell(2) == name) {
            let text = format!("target `{name}` is in no row of {FILE}, `Parsers`");
            problems.push(Problem::new(RULE, MANIFEST, 0, text));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{findings, map, said};

    const TABLE: &str = "## Parsers\n\n| Parser | Where | Target |\n| --- | --- | --- |\n\
                         | names | `crates/model/src/name.rs` | `model_name` |\n";
    const TARGET: &str = "[[bin]]\nname = \"model_name\"\npath = \"fuzz_targets/model_name.rs\"\n";

    fn of(table: &str, leave_out: &str) -> String {
        let map = map("F0 model ->", table);
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            ("crates/model/src/name.rs", ""),
            ("fuzz/Cargo.toml", TARGET),
            ("fuzz/fuzz_targets/model_name.rs", ""),
            ("fuzz/seeds/model_name/one", "x"),
        ];
        let kept: Vec<_> = files
            .into_iter()
            .filter(|(file, _)| *file != leave_out)
            .collect();
        said(&findings(check, &kept))
    }

    #[test]
    fn a_parser_with_a_target_passes() {
        assert_eq!(of(TABLE, ""), "");
    }

    #[test]
    fn whatever_is_missing_is_named() {
        for (table, leave_out, why) in [
            ("", "", "target `model_name` is in no row"),
            (
                TABLE,
                "crates/model/src/name.rs",
                "there is no crates/model/src/name.rs",
            ),
            (TABLE, "fuzz/Cargo.toml", "has no target `model_name`"),
            (
                TABLE,
                "fuzz/fuzz_targets/model_name.rs",
                "there is no fuzz/fuzz_targets",
            ),
            (TABLE, "fuzz/seeds/model_name/one", "holds no seed"),
        ] {
            let said = of(table, leave_out);
            assert!(said.contains(why), "{why}: {said}");
        }
    }
}
