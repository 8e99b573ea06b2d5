//! Removes each red-team defence by a patch and demands that the row's tests then fail.
//!
//! Works in a copy of the tree under `target/mutants`, with a build folder of its own that all
//! mutants share. A mutant is *killed* when a test fails by assertion; one that does not compile,
//! hangs or has no test is broken, and one whose tests pass has survived. All but killed fail,
//! save where the row itself says that this machine cannot show it.

mod copy;
mod patch;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::junit;
use crate::redteam::{self, Row, Verdict};
use crate::shell::{self, Finished, Show};
use crate::table;
use crate::tally::{self, Tally};
use copy::Copy;
use patch::{Mutant, Tests};

/// What became of a mutant.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Killed(usize),
    Survived,
    /// The untouched row shows nothing on this machine: why.
    Skipped(String),
    Broken(&'static str),
}

/// `cargo xtask mutants [ROW…]` and `--check`.
pub(crate) fn command(house: &House, args: &[String]) -> Result<bool> {
    let mut check_only = false;
    let mut chosen = Vec::<u32>::new();
    for arg in args {
        match arg.as_str() {
            "--check" => check_only = true,
            number => {
                let row = number
                    .parse()
                    .with_context(|| format!("`{number}` is not a row"))?;
                chosen.push(row);
            }
        }
    }
    if check_only {
        return Ok(check(house)?.failed == 0);
    }
    let checked = check(house)?;
    let mutants: Vec<Mutant> = load(&house.root)?
        .into_iter()
        .filter(|mutant| chosen.is_empty() || chosen.contains(&mutant.row))
        .collect();
    if mutants.is_empty() {
        bail!("no mutant for these rows");
    }
    let tally = run(house, &mutants)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.failed == 0 && (checked.failed == 0 || !chosen.is_empty()))
}

/// Sees that every patch is well formed and applies, and that each due row has one.
pub(crate) fn check(house: &House) -> Result<Tally> {
    let rows = redteam::rows(&house.root)?;
    let mutants = load(&house.root)?;
    let mut sum = Tally::default();
    for mutant in &mutants {
        let mut git = house.command("git");
        git.args(["apply", "--check"]).arg(&mutant.file);
        let finished = shell::run(git, Show::Kept)?;
        if !finished.success {
            println!(
                "{}: does not apply\n{}",
                mutant.name,
                finished.text.trim_end()
            );
        }
        sum += Tally::one(finished.success);
    }
    for row in uncovered(&rows, &mutants) {
        println!(
            "row {} is due in part {} and has no mutant",
            row.number, row.part
        );
        sum += Tally::one(false);
    }
    println!("{} mutants, {} problems", mutants.len(), sum.failed);
    Ok(sum)
}

fn uncovered<'a>(rows: &'a [Row], mutants: &[Mutant]) -> Vec<&'a Row> {
    let has = |row: &Row| mutants.iter().any(|mutant| mutant.row == row.number);
    rows.iter().filter(|row| row.due() && !has(row)).collect()
}

fn load(root: &Path) -> Result<Vec<Mutant>> {
    let folder = root.join("tests/redteam/mutants");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Ok(Vec::new());
    };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "patch"));
    files.sort();
    files.into_iter().map(|file| Mutant::read(&file)).collect()
}

fn run(house: &House, mutants: &[Mutant]) -> Result<Tally> {
    let copy = Copy::of(house)?;
    println!("the untouched copy first: a test that fails there proves nothing");
    let mut all: Vec<&Tests> = mutants.iter().flat_map(|mutant| &mutant.tests).collect();
    all.sort();
    all.dedup();
    let mut builds: Vec<&String> = mutants.iter().flat_map(|mutant| &mutant.builds).collect();
    builds.sort();
    builds.dedup();
    let sound = test(&copy, &builds, &all, Show::Live)?;
    if !sound.success {
        bail!("the row's tests do not pass without a mutant; mend that first");
    }
    let cases = junit::parse(&copy.results()?);
    let rows = redteam::rows(&house.root)?;
    let mut sum = Tally::default();
    let mut lines = vec![
        ["row", "mutant", "seconds", "fate"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for mutant in mutants {
        println!("---- {}: {}", mutant.name, mutant.why);
        let start = Instant::now();
        let row = rows.iter().find(|row| row.number == mutant.row);
        let fate = match row.map(|row| redteam::judge(row, &cases)) {
            Some(Verdict::Skipped(why)) => Fate::Skipped(why),
            _ => try_one(&copy, mutant)?,
        };
        let took = format!("{:.0}", start.elapsed().as_secs_f64());
        let text = match &fate {
            Fate::Killed(count) => format!("killed by {count}"),
            Fate::Survived => "SURVIVED".to_owned(),
            Fate::Skipped(why) => format!("skipped: {why}"),
            Fate::Broken(why) => format!("BROKEN: {why}"),
        };
        println!("{text}");
        match fate {
            Fate::Killed(_) => sum.passed += 1,
            Fate::Skipped(_) => sum.skipped += 1,
            Fate::Survived | Fate::Broken(_) => sum.failed += 1,
        }
        lines.push(vec![
            mutant.row.to_string(),
            mutant.name.clone(),
            took,
            text,
        ]);
    }
    print!("{}", table::render(&lines));
    Ok(sum)
}

fn try_one(copy: &Copy, mutant: &Mutant) -> Result<Fate> {
    if !copy.apply(&mutant.file)? {
        return Ok(Fate::Broken("does not apply"));
    }
    let finished = test(
        copy,
        &mutant.builds.iter().collect::<Vec<_>>(),
        &mutant.tests.iter().collect::<Vec<_>>(),
        Show::Kept,
    );
    copy.restore()?;
    let finished = finished?;
    let fate = fate(&finished);
    if !matches!(fate, Fate::Killed(_)) {
        println!("{}", finished.text.trim_end());
    }
    Ok(fate)
}

/// Judges a run of nextest over a mutated tree.
fn fate(finished: &Finished) -> Fate {
    /// nextest's status when tests ran and one failed; a failed build has another.
    const TESTS_FAILED: i32 = 100;
    const NO_TESTS: i32 = 4;
    let failed = tally::nextest(&finished.text).failed;
    match finished.code {
        Some(0) => Fate::Survived,
        Some(TESTS_FAILED) if finished.text.contains("panicked at") => Fate::Killed(failed),
        Some(TESTS_FAILED) => Fate::Broken("failed, but not by an assertion"),
        Some(NO_TESTS) => Fate::Broken("no such test"),
        _ => Fate::Broken("does not compile"),
    }
}

fn test(copy: &Copy, builds: &[&String], tests: &[&Tests], show: Show) -> Result<Finished> {
    if !builds.is_empty() {
        let mut build = copy.cargo();
        build.arg("build");
        for package in builds {
            build.args(["--package", package]);
        }
        let built = shell::run(build, show)?;
        if !built.success {
            return Ok(built);
        }
    }
    let mut command = copy.nextest();
    let mut packages: Vec<&str> = tests.iter().map(|tests| tests.package.as_str()).collect();
    packages.sort_unstable();
    packages.dedup();
    for package in packages {
        command.args(["--package", package]);
    }
    let filter: Vec<String> = tests
        .iter()
        .map(|tests| format!("(package(={}) & test(~{}))", tests.package, tests.filter))
        .collect();
    command.args(["--no-fail-fast", "--filterset", &filter.join(" | ")]);
    shell::run(command, show)
}
