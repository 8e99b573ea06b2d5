//! Unsafe code stands in the listed modules only; every other crate forbids it.

use super::Problem;
use super::architecture::{Architecture, FILE};
use super::manifests::manifest;
use super::source::{attributes, is_test_file, line_of, masked};
use super::tree::Tree;

const RULE: &str = "unsafety";
/// Rooms that may have one module with unsafe code.
const ALLOWING: [&str; 3] = ["crypto", "redact", "runner"];

pub(super) fn check(tree: &Tree, architecture: &Architecture) -> Vec<Problem> {
    let mut problems = roots(tree, architecture);
    let listed = architecture.table("Unsafe code");
    let mut sites = Vec::new();
    for (file, text) in tree.ending(".rs").filter(|(file, _)| !is_test_file(file)) {
        for (site, line) in allowed_sites(file, text) {
            if !listed.iter().any(|entry| entry.cell(0) == site) {
                let text = format!("unsafe code is allowed in {site}, not listed in {FILE}");
                problems.push(Problem::new(RULE, file, line, text));
            }
            sites.push(site);
        }
    }
    sites.sort();
    sites.dedup();
    for entry in listed {
        let site = entry.cell(0);
        let text = if room_of(site).is_none_or(|room| !ALLOWING.contains(&room)) {
            format!("{site}: only {} may have unsafe code", ALLOWING.join(", "))
        } else if !sites.iter().any(|found| found == site) {
            format!("{site} is listed, but allows no unsafe code")
        } else if listed
            .iter()
            .any(|e| e.line < entry.line && room_of(e.cell(0)) == room_of(site))
        {
            format!("{site}: a crate has one module with unsafe code")
        } else {
            continue;
        };
        problems.push(Problem::new(RULE, FILE, entry.line, text));
    }
    problems
}

/// Crate roots say `forbid`, or `deny` where a module of the crate is listed.
fn roots(tree: &Tree, architecture: &Architecture) -> Vec<Problem> {
    let mut problems = Vec::new();
    let everywhere = workspace_denies(tree);
    for (file, text) in tree.ending(".rs") {
        let root = file.ends_with("src/lib.rs") || file.ends_with("src/main.rs");
        if file.starts_with("fuzz/") || !(root || file.contains("/src/bin/")) {
            continue;
        }
        let code = masked(text);
        let says = |level: &str| {
            attributes(&code).iter().any(|attribute| {
                attribute.inner && attribute.text == format!("{level}(unsafe_code)")
            })
        };
        let listed = architecture
            .table("Unsafe code")
            .iter()
            .any(|entry| room_of(entry.cell(0)).is_some_and(|room| room_of(file) == Some(room)));
        let sound = says("forbid") || (listed && (everywhere || says("deny")));
        if !sound {
            let level = if listed { "deny" } else { "forbid" };
            let text = format!("the crate does not say `#![{level}(unsafe_code)]`");
            problems.push(Problem::new(RULE, file, 0, text));
        }
    }
    problems
}

/// Whether the workspace's lints deny unsafe code; every package takes them.
fn workspace_denies(tree: &Tree) -> bool {
    let root = manifest(tree, "Cargo.toml");
    let lints = root
        .get("workspace")
        .and_then(|workspace| workspace.get("lints")?.get("rust"));
    let level = lints.and_then(|lints| lints.get("unsafe_code")?.as_str());
    level.is_some_and(|level| ["deny", "forbid"].contains(&level))
}

/// Files for which a file allows unsafe code: itself, or the module that it declares.
fn allowed_sites(file: &str, text: &str) -> Vec<(String, usize)> {
    let code = masked(text);
    let allows = |text: &str| {
        (text.contains("allow(") || text.contains("expect(") || text.contains("warn("))
            && text
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == "unsafe_code")
    };
    attributes(&code)
        .iter()
        .filter(|attribute| allows(attribute.text))
        .map(|attribute| {
            let site = match declared_module(attribute.rest) {
                Some(module) if !attribute.inner => beside(file, module),
                _ => file.to_owned(),
            };
            (site, line_of(&code, attribute.start))
        })
        .collect()
}

/// The name in `pub(crate) mod name;`, if that is what follows.
fn declared_module(rest: &str) -> Option<&str> {
    let rest = rest.split_once(';')?.0;
    let (visibility, name) = rest.split_once("mod ")?;
    let plain = |text: &str| !text.contains(['{', '}']);
    (plain(visibility) && plain(name)).then(|| name.trim())
}

fn beside(file: &str, module: &str) -> String {
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let folder = match name.strip_suffix(".rs") {
        Some(own) if !["lib", "main", "mod"].contains(&own) => format!("{folder}/{own}"),
        _ => folder.to_owned(),
    };
    format!("{folder}/{module}.rs")
}

fn room_of(file: &str) -> Option<&str> {
    file.strip_prefix("crates/")?.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::testing::{findings, map, said};

    const LISTED: &str = "## Unsafe code\n\n| Where | Why |\n| --- | --- |\n\
                          | `crates/crypto/src/memory.rs` | locked memory |\n";
    const FORBID: &str = "#![forbid(unsafe_code)]\n";
    const DENY: &str = "#![deny(unsafe_code)]\n";

    fn of(table: &str, files: &[(&str, &str)]) -> String {
        let map = map("F0 model ->", table);
        let mut all = vec![("ARCHITECTURE.md", map.as_str())];
        all.extend_from_slice(files);
        said(&findings(check, &all))
    }

    #[test]
    fn a_crate_that_does_not_forbid_fails() {
        assert_eq!(of("", &[("crates/model/src/lib.rs", FORBID)]), "");
        for text in [DENY, "//! #![forbid(unsafe_code)]\n", ""] {
            let said = of("", &[("crates/model/src/lib.rs", text)]);
            assert!(
                said.contains("does not say `#![forbid(unsafe_code)]`"),
                "{text}: {said}"
            );
        }
    }

    #[test]
    fn one_listed_module_may_allow() {
        let inner = "#![allow(unsafe_code, reason = \"x\")]\n";
        let lib = ("crates/crypto/src/lib.rs", DENY);
        assert_eq!(
            of(LISTED, &[lib, ("crates/crypto/src/memory.rs", inner)]),
            ""
        );
        let outer = format!("{DENY}#[allow(unsafe_code)]\npub(crate) mod memory;\n");
        assert_eq!(of(LISTED, &[("crates/crypto/src/lib.rs", &outer)]), "");
    }

    #[test]
    fn a_listed_crate_denies_by_itself_or_by_the_workspace() {
        let inner = ("crates/crypto/src/memory.rs", "#![allow(unsafe_code)]\n");
        let lib = ("crates/crypto/src/lib.rs", "//! Text.\n");
        let said = of(LISTED, &[lib, inner]);
        assert!(
            said.contains("does not say `#![deny(unsafe_code)]`"),
            "{said}"
        );
        let workspace = (
            "Cargo.toml",
            "[workspace.lints.rust]\nunsafe_code = \"deny\"\n",
        );
        assert_eq!(of(LISTED, &[workspace, lib, inner]), "");
    }

    #[test]
    fn any_other_allowance_fails() {
        let inner = "#![allow(unsafe_code)]\n";
        let said = of("", &[("crates/store/src/fast.rs", inner)]);
        assert!(said.contains("not listed"), "{said}");
        let item = "fn a() {}\n#[expect(unsafe_code)]\nfn b() {}\n";
        let said = of("", &[("crates/store/src/fast.rs", item)]);
        assert!(said.starts_with("crates/store/src/fast.rs:2:"), "{said}");
        let vault = LISTED.replace("crypto/src/memory", "vault/src/fast");
        let said = of(&vault, &[("crates/vault/src/fast.rs", inner)]);
        assert!(said.contains("only crypto, redact, runner may"), "{said}");
        let said = of(LISTED, &[("crates/crypto/src/lib.rs", DENY)]);
        assert!(said.contains("allows no unsafe code"), "{said}");
        let two = format!("{LISTED}| `crates/crypto/src/other.rs` | more |\n");
        let files = [
            ("crates/crypto/src/memory.rs", inner),
            ("crates/crypto/src/other.rs", inner),
        ];
        assert!(of(&two, &files).contains("one module with unsafe code"));
    }
}
