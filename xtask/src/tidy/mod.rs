//! `cargo xtask tidy`: the tree against ARCHITECTURE.md and the house rules.
//!
//! Every rule is a function from a [`Tree`] to problems, and is tested on a small bad tree.

mod architecture;
mod arrows;
mod dependencies;
mod effects;
mod impls;
mod links;
mod manifests;
mod parsers;
mod size;
mod source;
mod tree;
mod unsafety;
mod verdicts;
mod words;

#[cfg(test)]
mod testing;

use anyhow::Result;

use crate::house::House;
use architecture::Architecture;
use tree::Tree;

/// Something that a rule found.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    /// File, relative to the root.
    file: String,
    /// Line, from 1; 0 for the whole file.
    line: usize,
    /// The rule's name.
    rule: &'static str,
    /// What is wrong and what to do.
    text: String,
}

impl Problem {
    fn new(rule: &'static str, file: &str, line: usize, text: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            rule,
            text: text.into(),
        }
    }
}

type Rule = fn(&Tree, &Architecture) -> Vec<Problem>;

const RULES: [Rule; 11] = [
    arrows::check,
    impls::check,
    size::check,
    links::check,
    unsafety::check,
    words::check,
    verdicts::check,
    dependencies::check,
    parsers::check,
    effects::check,
    manifests::check,
];

/// Runs every rule; `false` when any found something.
pub(crate) fn command(house: &House, args: &[String]) -> Result<bool> {
    anyhow::ensure!(args.is_empty(), "tidy takes no arguments");
    let tree = Tree::read(&house.root)?;
    let problems = problems(&tree);
    for Problem {
        file,
        line,
        rule,
        text,
    } in &problems
    {
        match line {
            0 => println!("{file}: [{rule}] {text}"),
            _ => println!("{file}:{line}: [{rule}] {text}"),
        }
    }
    println!("tidy: {} files, {} problems", tree.len(), problems.len());
    Ok(problems.is_empty())
}

fn problems(tree: &Tree) -> Vec<Problem> {
    let (architecture, mut problems) = Architecture::read(tree);
    problems.extend(RULES.iter().flat_map(|rule| rule(tree, &architecture)));
    problems.sort();
    problems
}
