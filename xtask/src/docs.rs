//! `cargo xtask docs`: the reference, made from the program.
//!
//! The program prints its own manual pages, command line and errors. The page of JSON comes from
//! real runs on a vault that is thrown away.

mod json;
mod shape;
mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::shell::{self, Show};

/// Where the pages are.
const FOLDER: &str = "docs/reference";

/// Pages by their path under [`FOLDER`].
type Pages = BTreeMap<String, String>;

/// Writes the pages, or with `--check` says which differ; `false` when any does.
pub(crate) fn command(house: &House, args: &[String]) -> Result<bool> {
    let check = match args {
        [] => false,
        [one] if one == "--check" => true,
        [other, ..] => bail!("docs has no option `{other}`"),
    };
    let wanted = make(house)?;
    let folder = house.root.join(FOLDER);
    let there = read(&folder)?;
    let different: Vec<&String> = wanted
        .iter()
        .filter(|(name, text)| there.get(*name) != Some(*text))
        .map(|(name, _)| name)
        .collect();
    let stale: Vec<&String> = there
        .keys()
        .filter(|name| !wanted.contains_key(*name))
        .collect();
    if check {
        for name in &different {
            println!("{FOLDER}/{name} is not what the program says");
        }
        for name in &stale {
            println!("{FOLDER}/{name} is about nothing that the program has");
        }
        let held = different.is_empty() && stale.is_empty();
        if !held {
            println!("Type: cargo xtask docs");
        }
        return Ok(held);
    }
    for name in &stale {
        std::fs::remove_file(folder.join(name))?;
    }
    for name in &different {
        let file = folder.join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        std::fs::write(file, &wanted[*name])?;
    }
    println!(
        "{} pages, {} written, {} removed",
        wanted.len(),
        different.len(),
        stale.len()
    );
    Ok(true)
}

/// All pages as the program says them now.
fn make(house: &House) -> Result<Pages> {
    let mut build = house.cargo();
    build.args(["build", "--package", "subrosa-cli"]);
    if !shell::run(build, Show::Live)?.success {
        bail!("the program does not build");
    }
    let program = house.target.join("debug/subrosa");
    let mut reference = house.command(&program);
    reference.arg("reference");
    let finished = shell::run(reference, Show::Kept)?;
    if !finished.success {
        bail!("`subrosa reference` failed: {}", finished.text);
    }
    let mut pages: Pages =
        serde_json::from_str(&finished.text).context("`subrosa reference` gave no pages")?;
    let commands = leaves(&pages);
    pages.insert(
        "json.md".to_owned(),
        json::page(house, &program, &commands)?,
    );
    Ok(pages)
}

/// Commands without commands of their own, as they are typed, by the names of their pages.
fn leaves(pages: &Pages) -> Vec<String> {
    let names: Vec<&str> = pages
        .keys()
        .filter_map(|page| page.strip_prefix("man/")?.strip_suffix(".1"))
        .collect();
    let has_more = |name: &str| {
        names
            .iter()
            .any(|other| other.starts_with(&format!("{name}-")))
    };
    let leaves = names.iter().filter(|name| !has_more(name));
    leaves
        .filter_map(|name| name.strip_prefix("subrosa-").map(str::to_owned))
        .collect()
}

/// The files that are there.
fn read(folder: &Path) -> Result<Pages> {
    let mut pages = Pages::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(under) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(folder.join(&under)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let path = under.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                pages.insert(path.display().to_string(), text);
            }
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::{Pages, leaves};

    #[test]
    fn a_command_with_commands_has_no_document() {
        let names = [
            "man/subrosa.1",
            "man/subrosa-key.1",
            "man/subrosa-key-add-key-file.1",
            "man/subrosa-ls.1",
            "cli.md",
        ];
        let pages: Pages = names
            .iter()
            .map(|name| ((*name).to_owned(), String::new()))
            .collect();
        assert_eq!(leaves(&pages), ["key-add-key-file", "ls"]);
    }
}
