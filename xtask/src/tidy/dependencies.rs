//! Every foreign crate has a reason and an owner in dependencies.toml.

use std::collections::{BTreeMap, BTreeSet};

use super::Problem;
use super::architecture::Architecture;
use super::manifests::{Kind, dependencies, manifest};
use super::tree::Tree;

const RULE: &str = "dependencies";
const LEDGER: &str = "dependencies.toml";
/// Owner of what only tests use.
const TESTS: &str = "tests";

pub(super) fn check(tree: &Tree, _: &Architecture) -> Vec<Problem> {
    let known = workspace_dependencies(tree);
    if known.is_empty() {
        return Vec::new();
    }
    let (owners, mut problems) = ledger(tree);
    for name in known.iter().filter(|name| !owners.contains_key(*name)) {
        let text = format!("`{name}` is in the workspace's dependencies, not here: who, and why?");
        problems.push(Problem::new(RULE, LEDGER, 0, text));
    }
    for name in owners.keys().filter(|name| !known.contains(*name)) {
        let text = format!("`{name}` is no dependency of the workspace");
        problems.push(Problem::new(RULE, LEDGER, 0, text));
    }
    let mut used = BTreeSet::new();
    let mut named = BTreeSet::new();
    for (user, file) in users(tree) {
        for dependency in dependencies(tree, &file) {
            let name = dependency.name;
            named.insert(name.clone());
            if name.starts_with("subrosa-") || dependency.kind == Kind::Dev {
                continue;
            }
            used.insert((name.clone(), user.clone()));
            let Some(listed) = owners.get(&name) else {
                if !known.contains(&name) {
                    let text = format!("`{name}` is not among [workspace.dependencies]");
                    problems.push(Problem::new(RULE, &file, 0, text));
                }
                continue;
            };
            if !listed.contains(&user) {
                let text = format!("`{user}` uses `{name}`, which {LEDGER} does not give it");
                problems.push(Problem::new(RULE, &file, 0, text));
            }
        }
    }
    for name in known.difference(&named) {
        let text = format!("`{name}` is in [workspace.dependencies] and nobody uses it");
        problems.push(Problem::new(RULE, "Cargo.toml", 0, text));
    }
    for (name, listed) in &owners {
        for owner in listed.iter().filter(|owner| *owner != TESTS) {
            if !used.contains(&(name.clone(), owner.clone())) {
                let text = format!("`{owner}` is an owner of `{name}` and does not use it");
                problems.push(Problem::new(RULE, LEDGER, 0, text));
            }
        }
    }
    problems
}

/// Foreign crates of the root manifest.
fn workspace_dependencies(tree: &Tree) -> BTreeSet<String> {
    let root = manifest(tree, "Cargo.toml");
    let table = root
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"));
    let names = table.and_then(toml::Value::as_table).into_iter().flatten();
    names
        .map(|(name, _)| name.clone())
        .filter(|name| !name.starts_with("subrosa-"))
        .collect()
}

/// Packages by the name that the ledger gives them.
fn users(tree: &Tree) -> Vec<(String, String)> {
    let rooms = tree
        .rooms()
        .into_iter()
        .map(|room| (room, format!("crates/{room}")));
    let others = ["testkit", "xtask", "bench", "tests"].map(|name| (name, name.to_owned()));
    rooms
        .chain(others)
        .map(|(name, folder)| (name.to_owned(), format!("{folder}/Cargo.toml")))
        .filter(|(_, file)| tree.text(file).is_some())
        .collect()
}

/// Owners by dependency.
fn ledger(tree: &Tree) -> (BTreeMap<String, BTreeSet<String>>, Vec<Problem>) {
    let mut owners = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, entry) in manifest(tree, LEDGER) {
        let reason = entry
            .get("reason")
            .and_then(toml::Value::as_str)
            .unwrap_or_default();
        let listed = entry
            .get("owners")
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten();
        let listed: BTreeSet<String> = listed
            .filter_map(|owner| owner.as_str().map(str::to_owned))
            .collect();
        if listed.is_empty() || reason.trim().len() < 10 {
            let text = format!("`{name}` needs owners and a reason");
            problems.push(Problem::new(RULE, LEDGER, 0, text));
        }
        owners.insert(name, listed);
    }
    (owners, problems)
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{findings, map, said};

    const ROOT: &str = "[workspace.dependencies]\nsubrosa-model = {}\nhex = \"0.4\"\n";
    const LEDGER: &str = "[hex]\nowners = [\"audit\"]\nreason = \"digests as text\"\n";
    const USER: &str = "[dependencies]\nhex.workspace = true\nsubrosa-model = {}\n";

    fn of(root: &str, ledger: &str, user: &str) -> String {
        let map = map("F0 model ->", "");
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            ("Cargo.toml", root),
            ("dependencies.toml", ledger),
            ("crates/audit/Cargo.toml", user),
        ];
        said(&findings(check, &files))
    }

    #[test]
    fn an_owned_dependency_passes() {
        assert_eq!(of(ROOT, LEDGER, USER), "");
        let dev = "[dev-dependencies]\nhex.workspace = true\n";
        assert_eq!(of(ROOT, &LEDGER.replace("audit", "tests"), dev), "");
    }

    #[test]
    fn everything_else_fails() {
        let other = LEDGER.replace("audit", "store");
        for (root, ledger, user, why) in [
            (
                ROOT,
                "",
                USER,
                "`hex` is in the workspace's dependencies, not here",
            ),
            (ROOT, other.as_str(), USER, "`audit` uses `hex`, which"),
            (
                ROOT,
                LEDGER,
                "",
                "`hex` is in [workspace.dependencies] and nobody uses it",
            ),
            (
                ROOT,
                other.as_str(),
                "",
                "`store` is an owner of `hex` and does not use it",
            ),
            (
                ROOT,
                &LEDGER.replace("digests as text", ""),
                USER,
                "needs owners and a reason",
            ),
            (
                ROOT,
                &LEDGER.replace("[hex]", "[oct]"),
                USER,
                "`oct` is no dependency",
            ),
            (
                ROOT,
                LEDGER,
                &USER.replace("hex.", "oct."),
                "`oct` is not among",
            ),
        ] {
            let said = of(root, ledger, user);
            assert!(said.contains(why), "{why}: {said}");
        }
    }
}
