//! Dependencies between rooms are those that ARCHITECTURE.md draws, no more and no fewer.

use std::collections::BTreeSet;

use super::Problem;
use super::architecture::{Architecture, FILE};
use super::manifests::{Kind, dependencies};
use super::tree::Tree;

const RULE: &str = "arrows";
/// The one package that only tests may use.
const TESTKIT: &str = "testkit";

pub(super) fn check(tree: &Tree, architecture: &Architecture) -> Vec<Problem> {
    let mut problems = floors(architecture);
    let rooms = tree.rooms();
    for room in architecture
        .rooms
        .keys()
        .filter(|room| !rooms.contains(&room.as_str()))
    {
        let line = architecture.rooms[room].line;
        let text = format!("`{room}` is drawn and absent: mark it `@ part N` until it is built");
        problems.push(Problem::new(RULE, FILE, line, text));
    }
    for room in rooms {
        let file = format!("crates/{room}/Cargo.toml");
        let Some(drawn) = architecture.rooms.get(room) else {
            let text = match architecture.planned.get(room) {
                Some(part) => format!("`{room}` is built, but still drawn as `@ {part}`"),
                None => format!("`{room}` is not drawn in {FILE}"),
            };
            problems.push(Problem::new(RULE, &file, 0, text));
            continue;
        };
        let mut used = BTreeSet::new();
        for dependency in dependencies(tree, &file) {
            let Some(target) = dependency.name.strip_prefix("subrosa-") else {
                continue;
            };
            let drawn = drawn.uses.contains(target);
            match dependency.kind {
                Kind::Normal if drawn => {
                    used.insert(target.to_owned());
                }
                Kind::Normal => {
                    let text = format!("{room} -> {target} is not drawn in {FILE}");
                    problems.push(Problem::new(RULE, &file, 0, text));
                }
                // A crate may name itself, to reach its own features from its tests.
                Kind::Dev if drawn || target == TESTKIT || target == room => {}
                Kind::Dev => {
                    let text =
                        format!("tests of {room} use {target}, which is not drawn in {FILE}");
                    problems.push(Problem::new(RULE, &file, 0, text));
                }
            }
        }
        for target in drawn.uses.difference(&used) {
            let text = format!("{room} -> {target} is drawn, but crates/{room} does not use it");
            problems.push(Problem::new(RULE, FILE, drawn.line, text));
        }
    }
    problems
}

/// Arrows point to lower floors only.
fn floors(architecture: &Architecture) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, room) in &architecture.rooms {
        for target in &room.uses {
            let text = match architecture.rooms.get(target) {
                Some(below) if below.floor < room.floor => continue,
                Some(_) => format!("{name} -> {target} does not lead to a lower floor"),
                None => format!("{name} -> {target}: no room `{target}` is drawn"),
            };
            problems.push(Problem::new(RULE, FILE, room.line, text));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{findings, map, said};

    const ARROWS: &str = "F0 model ->\nF1 policy -> model\nF2 wire -> model @ part 2";
    const MODEL: (&str, &str) = (
        "crates/model/Cargo.toml",
        "[package]\nname = \"subrosa-model\"",
    );

    fn policy(arrows: &str, manifest: &str) -> String {
        let map = map(arrows, "");
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            MODEL,
            ("crates/policy/Cargo.toml", manifest),
        ];
        said(&findings(check, &files))
    }

    #[test]
    fn the_drawn_arrows_pass() {
        let manifest = "[dependencies]\nsubrosa-model.workspace = true\nserde = \"1\"\n\
            [dev-dependencies]\nsubrosa-testkit.workspace = true\n";
        assert_eq!(policy(ARROWS, manifest), "");
    }

    #[test]
    fn an_arrow_that_is_not_drawn_fails() {
        for manifest in [
            "[dependencies]\nsubrosa-model = {}\nsubrosa-crypto.workspace = true",
            "[dependencies]\nsubrosa-model = {}\n[build-dependencies]\nsubrosa-crypto = {}",
            "[dependencies]\nsubrosa-model = {}\n[target.'cfg(unix)'.dependencies]\n\
             subrosa-crypto = {}",
            "[dependencies]\nsubrosa-model = {}\nx = { package = \"subrosa-crypto\", path = \"\" }",
        ] {
            let said = policy(ARROWS, manifest);
            assert!(
                said.contains("policy -> crypto is not drawn"),
                "{manifest}: {said}"
            );
        }
    }

    #[test]
    fn testkit_is_for_tests_only() {
        let said = policy(
            ARROWS,
            "[dependencies]\nsubrosa-model = {}\nsubrosa-testkit = {}",
        );
        assert!(said.contains("policy -> testkit is not drawn"), "{said}");
        let said = policy(
            ARROWS,
            "[dependencies]\nsubrosa-model = {}\n[dev-dependencies]\nsubrosa-vault = {}",
        );
        assert!(said.contains("tests of policy use vault"), "{said}");
    }

    #[test]
    fn a_drawn_arrow_that_nothing_uses_fails() {
        let said = policy(ARROWS, "[dependencies]\n");
        assert!(said.contains("policy -> model is drawn, but"), "{said}");
    }

    #[test]
    fn rooms_are_drawn_and_drawn_rooms_exist() {
        let manifest = "[dependencies]\nsubrosa-model = {}";
        let absent = format!("{ARROWS}\nF3 vault -> model");
        assert!(policy(&absent, manifest).contains("`vault` is drawn and absent"));
        assert!(policy("F0 model ->", manifest).contains("`policy` is not drawn"));
        let planned = "F0 model ->\nF1 policy -> model @ part 2";
        assert!(policy(planned, manifest).contains("still drawn as `@ part 2`"));
    }

    #[test]
    fn arrows_lead_down() {
        let manifest = "[dependencies]\nsubrosa-model = {}";
        let said = policy("F1 model ->\nF1 policy -> model", manifest);
        assert!(said.contains("does not lead to a lower floor"), "{said}");
        let said = policy("F0 model ->\nF1 policy -> model nowhere", manifest);
        assert!(said.contains("no room `nowhere` is drawn"), "{said}");
    }
}
