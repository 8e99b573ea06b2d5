//! Small trees to try rules on.

use super::architecture::Architecture;
use super::tree::Tree;
use super::{Problem, Rule};

/// Writes the files into a folder of their own and reads them back.
pub(super) fn tree(files: &[(&str, &str)]) -> Tree {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in files {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        std::fs::write(path, text).expect("written");
    }
    Tree::read(folder.path()).expect("readable")
}

/// What one rule says of a tree.
pub(super) fn findings(rule: Rule, files: &[(&str, &str)]) -> Vec<Problem> {
    let tree = tree(files);
    let (architecture, problems) = Architecture::read(&tree);
    assert!(problems.is_empty(), "{problems:?}");
    rule(&tree, &architecture)
}

/// An ARCHITECTURE.md with these arrows and this text below.
pub(super) fn map(arrows: &str, below: &str) -> String {
    format!("# House\n\n```arrows\n{arrows}\n```\n\n{below}\n")
}

/// The texts of problems, one line each.
pub(super) fn said(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|p| format!("{}:{}: {}", p.file, p.line, p.text))
        .collect();
    lines.join("\n")
}
