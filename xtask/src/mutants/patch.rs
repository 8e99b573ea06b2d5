//! A mutant: a patch with a header that says what it removes and which tests must notice.
//!
//! ```text
//! # row: 25
//! # tests: subrosa-vault row_25_
//! # build: subrosa-cli
//! # why: opens a record without comparing its pin
//! diff --git …
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// A patch and its header.
#[derive(Debug)]
pub(super) struct Mutant {
    /// The patch file.
    pub(super) file: PathBuf,
    /// Its name, without folder.
    pub(super) name: String,
    /// The red-team row.
    pub(super) row: u32,
    /// The tests that must fail.
    pub(super) tests: Vec<Tests>,
    /// Packages whose programs the tests start, built beforehand.
    pub(super) builds: Vec<String>,
    /// What the patch removes.
    pub(super) why: String,
}

/// Tests of one package whose names contain a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tests {
    pub(super) package: String,
    pub(super) filter: String,
}

impl Mutant {
    /// Reads a patch file.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        Self::parse(file, &text).with_context(|| file.display().to_string())
    }

    pub(super) fn parse(file: &Path, text: &str) -> Result<Self> {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let header: Vec<(&str, &str)> = text
            .lines()
            .map_while(|line| line.strip_prefix('#'))
            .filter_map(|line| line.split_once(':'))
            .map(|(key, value)| (key.trim(), value.trim()))
            .collect();
        if let Some((key, _)) = header
            .iter()
            .find(|(key, _)| !["row", "tests", "build", "why"].contains(key))
        {
            bail!("header `{key}` is unknown: row, tests, build and why are known");
        }
        let all = |key: &'static str| {
            header
                .iter()
                .filter(move |(name, _)| *name == key)
                .map(|(_, value)| *value)
        };
        let one = |key| {
            all(key)
                .next()
                .with_context(|| format!("no header `# {key}:`"))
        };
        let row: u32 = one("row")?.parse().context("the row is not a number")?;
        if !name.starts_with(&format!("{row:02}-")) {
            bail!("a patch for row {row} is named {row:02}-WHAT.patch");
        }
        let tests = all("tests")
            .map(|line| Tests::parse(line, row))
            .collect::<Result<Vec<_>>>()?;
        if tests.is_empty() {
            bail!("no header `# tests: PACKAGE row_{row:02}_…`");
        }
        let builds = all("build").map(str::to_owned).collect();
        Ok(Self {
            file: file.to_owned(),
            name,
            row,
            tests,
            builds,
            why: one("why")?.to_owned(),
        })
    }
}

impl Tests {
    fn parse(line: &str, row: u32) -> Result<Self> {
        let Some((package, filter)) = line.split_once(char::is_whitespace) else {
            bail!("`# tests: {line}` lacks a package or a filter");
        };
        let filter = filter.trim();
        if !filter.starts_with(&format!("row_{row:02}_")) {
            bail!("the tests of row {row} are named row_{row:02}_…, not `{filter}`");
        }
        let plain = |text: &str| {
            text.chars()
                .all(|c| c.is_alphanumeric() || "-_:".contains(c))
        };
        if !plain(package) || !plain(filter) {
            bail!("`{line}`: names have letters, digits, `-`, `_` and `:` only");
        }
        Ok(Self {
            package: package.to_owned(),
            filter: filter.to_owned(),
        })
    }
}
