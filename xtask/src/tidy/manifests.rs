//! Manifests: reading their dependencies, and the rule that each takes the workspace's lints.

use super::Problem;
use super::architecture::Architecture;
use super::source::line_of;
use super::tree::Tree;

const RULE: &str = "manifests";

/// Shipped in a build, or for tests only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `[dependencies]` and `[build-dependencies]`, of any target.
    Normal,
    /// `[dev-dependencies]`.
    Dev,
}

/// One dependency of a manifest.
#[derive(Debug)]
pub(super) struct Dependency {
    /// Package name, not the name it is renamed to.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// Reads a manifest of the tree; an unreadable one is an empty table, and [`check`] reports it.
pub(super) fn manifest(tree: &Tree, file: &str) -> toml::Table {
    tree.text(file)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// Dependencies of a manifest.
pub(super) fn dependencies(tree: &Tree, file: &str) -> Vec<Dependency> {
    let manifest = manifest(tree, file);
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets
        .into_iter()
        .flatten()
        .filter_map(|(_, target)| target.as_table());
    let mut found = Vec::new();
    for table in tables.chain([&manifest]) {
        for (key, kind) in [
            ("dependencies", Kind::Normal),
            ("build-dependencies", Kind::Normal),
            ("dev-dependencies", Kind::Dev),
        ] {
            let listed = table.get(key).and_then(toml::Value::as_table);
            for (name, value) in listed.into_iter().flatten() {
                let package = value.get("package").and_then(toml::Value::as_str);
                let name = package.unwrap_or(name).to_owned();
                found.push(Dependency { name, kind });
            }
        }
    }
    found
}

/// Every TOML file can be read, and every package of the workspace takes the workspace's lints.
pub(super) fn check(tree: &Tree, _: &Architecture) -> Vec<Problem> {
    let unreadable = tree.ending(".toml").filter_map(|(file, text)| {
        let error = text.parse::<toml::Table>().err()?;
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        Some(Problem::new(RULE, file, line, error.message().to_owned()))
    });
    let without_lints = tree
        .ending("Cargo.toml")
        .filter(|(file, _)| !file.starts_with("fuzz/"))
        .filter_map(|(file, _)| {
            let manifest = manifest(tree, file);
            manifest.get("package")?;
            let lints = manifest
                .get("lints")
                .and_then(|lints| lints.get("workspace")?.as_bool());
            let text = "no `[lints] workspace = true`";
            (lints != Some(true)).then(|| Problem::new(RULE, file, 0, text))
        });
    unreadable.chain(without_lints).collect()
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::{findings, map, said};

    #[test]
    fn a_file_that_is_no_toml_fails() {
        let map = map("F0 model ->", "");
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            ("dependencies.toml", "[hex]\na = 1\n[hex]\n"),
        ];
        let said = said(&findings(super::check, &files));
        assert!(
            said.starts_with("dependencies.toml:3: duplicate key"),
            "{said}"
        );
    }

    #[test]
    fn a_package_without_the_lints_fails() {
        let map = map("F0 model ->", "");
        let package = "[package]\nname = \"x\"\n";
        let sound = format!("{package}[lints]\nworkspace = true\n");
        let files = [
            ("ARCHITECTURE.md", map.as_str()),
            ("Cargo.toml", "[workspace]\n"),
            ("crates/a/Cargo.toml", package),
            ("crates/b/Cargo.toml", &sound),
        ];
        let said = said(&findings(super::check, &files));
        assert_eq!(said, "crates/a/Cargo.toml:0: no `[lints] workspace = true`");
    }
}
