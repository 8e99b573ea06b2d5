//! `cargo xtask test`: every check of the project, one stage after the other.
//!
//! A failed stage does not stop the run: one run shows all that is wrong. All stages share one
//! environment, feature set and set of flags, so that none rebuilds what another has built.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::junit::{self, TestCase};
use crate::shell::{self, Show};
use crate::tally::{self, Tally};
use crate::{fuzz, mutants, redteam, table, tidy, tools};

/// Seconds for each fuzz target in a test run; `cargo xtask fuzz` takes longer.
const FUZZ_SECONDS: u32 = 10;

/// What a stage found, and whether it held.
struct Outcome {
    tally: Tally,
    held: bool,
}

impl Outcome {
    /// A stage that is one check.
    fn check(held: bool) -> Self {
        Self {
            tally: Tally::one(held),
            held,
        }
    }

    /// A stage that counted its own tests; failing without a counted failure is one failure.
    fn counted(tally: Tally, success: bool) -> Self {
        Self {
            tally: tally.or_one_failure(success),
            held: success && tally.failed == 0,
        }
    }
}

struct Stage {
    name: &'static str,
    title: &'static str,
    quick: bool,
    run: fn(&House, &Options) -> Result<Outcome>,
}

const STAGES: [Stage; 14] = [
    Stage {
        name: "tools",
        title: "what the tests need",
        quick: false,
        run: needs,
    },
    Stage {
        name: "format",
        title: "rustfmt",
        quick: true,
        run: format,
    },
    Stage {
        name: "tidy",
        title: "house rules",
        quick: true,
        run: house_rules,
    },
    Stage {
        name: "deps",
        title: "dependency policy",
        quick: false,
        run: dependency_policy,
    },
    Stage {
        name: "clippy",
        title: "lints",
        quick: true,
        run: clippy,
    },
    Stage {
        name: "tests",
        title: "unit, property, compile-fail, black-box, fault tests",
        quick: true,
        run: tests,
    },
    Stage {
        name: "redteam",
        title: "red-team rows",
        quick: false,
        run: redteam_table,
    },
    Stage {
        name: "doctests",
        title: "examples in the documentation",
        quick: true,
        run: doctests,
    },
    Stage {
        name: "docs",
        title: "documentation builds",
        quick: false,
        run: docs,
    },
    Stage {
        name: "reference",
        title: "the reference says what the program does",
        quick: false,
        run: reference,
    },
    Stage {
        name: "mutants",
        title: "the mutants apply",
        quick: false,
        run: mutants_apply,
    },
    Stage {
        name: "python",
        title: "the second decoder",
        quick: false,
        run: python,
    },
    Stage {
        name: "fuzz",
        title: "short fuzzing",
        quick: false,
        run: short_fuzz,
    },
    Stage {
        name: "demo",
        title: "cargo run --release -- demo",
        quick: false,
        run: demo,
    },
];

#[derive(Default)]
struct Options {
    quick: bool,
    redteam: bool,
    advisories: bool,
    only: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--redteam" => options.redteam = true,
                "--advisories" => options.advisories = true,
                "--only" => {
                    let names = rest.next().context("--only needs names of stages")?;
                    options.only = names.split(',').map(str::to_owned).collect();
                }
                other => bail!("test has no option `{other}`"),
            }
        }
        let known = |name: &&String| STAGES.iter().any(|stage| stage.name == name.as_str());
        if let Some(name) = options.only.iter().find(|name| !known(name)) {
            let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
            bail!("no stage `{name}`; there are: {}", names.join(" "));
        }
        Ok(options)
    }

    fn wants(&self, stage: &Stage) -> bool {
        if self.redteam {
            return ["tests", "redteam"].contains(&stage.name);
        }
        if !self.only.is_empty() {
            return self.only.iter().any(|name| name == stage.name);
        }
        stage.quick || !self.quick
    }
}

/// Runs the stages; `false` when any failed. The last line is `N passed, N failed`.
pub(crate) fn command(house: &House, args: &[String]) -> Result<bool> {
    let options = Options::parse(args)?;
    let mut sum = Tally::default();
    let mut all_held = true;
    let mut lines = vec![
        ["stage", "result", "passed", "failed", "seconds"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for stage in STAGES.iter().filter(|stage| options.wants(stage)) {
        println!("\n==== {}: {}", stage.name, stage.title);
        let start = Instant::now();
        let outcome = (stage.run)(house, &options).unwrap_or_else(|error| {
            println!("{error:#}");
            Outcome::check(false)
        });
        let took = start.elapsed().as_secs_f64();
        let word = if outcome.held { "ok" } else { "FAILED" };
        println!("---- {}: {word} in {took:.1} s", stage.name);
        sum += outcome.tally;
        all_held &= outcome.held;
        lines.push(vec![
            stage.name.to_owned(),
            word.to_owned(),
            outcome.tally.passed.to_string(),
            outcome.tally.failed.to_string(),
            format!("{took:.1}"),
        ]);
    }
    println!("\n==== summary\n{}", table::render(&lines));
    // A stage that failed without naming a test must still show in the closing line.
    if !all_held && sum.failed == 0 {
        sum.failed = 1;
    }
    println!("{} passed, {} failed", sum.passed, sum.failed);
    Ok(all_held)
}

fn needs(house: &House, _: &Options) -> Result<Outcome> {
    Ok(Outcome::check(tools::provide(house)?.missing.is_empty()))
}

fn format(house: &House, _: &Options) -> Result<Outcome> {
    // fuzz/ is a workspace of its own.
    let mut held = true;
    for manifest in ["Cargo.toml", "fuzz/Cargo.toml"] {
        let mut cargo = house.cargo();
        cargo.args([
            "fmt",
            "--all",
            "--manifest-path",
            manifest,
            "--",
            "--check",
            "-l",
        ]);
        held &= shell::run(cargo, Show::Live)?.success;
    }
    Ok(Outcome::check(held))
}

fn house_rules(house: &House, _: &Options) -> Result<Outcome> {
    Ok(Outcome::check(tidy::command(house, &[])?))
}

fn dependency_policy(house: &House, options: &Options) -> Result<Outcome> {
    if house.which("cargo-deny").is_none() {
        bail!("cargo-deny is missing: run `cargo xtask tools`");
    }
    let mut deny = house.command("cargo-deny");
    deny.args(["--workspace", "--color", "never"]);
    if options.advisories {
        deny.args(["check", "advisories", "bans", "licenses", "sources"]);
    } else {
        println!("advisories are left out: they need a network; ask with --advisories");
        deny.args([
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ]);
    }
    Ok(Outcome::check(shell::run(deny, Show::Live)?.success))
}

fn clippy(house: &House, _: &Options) -> Result<Outcome> {
    let mut cargo = house.cargo();
    cargo.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--",
        "-D",
        "warnings",
    ]);
    Ok(Outcome::check(shell::run(cargo, Show::Live)?.success))
}

fn tests(house: &House, options: &Options) -> Result<Outcome> {
    // Black-box tests start the program itself.
    let mut build = house.cargo();
    build.args(["build", "--package", "subrosa-cli"]);
    if !shell::run(build, Show::Live)?.success {
        return Ok(Outcome::check(false));
    }
    let _ = std::fs::remove_file(results(house));
    if house.which("cargo-nextest").is_some() {
        let mut nextest = house.command("cargo-nextest");
        nextest.args(["nextest", "run", "--workspace", "--profile", "ci"]);
        if options.redteam {
            nextest.args(["--filterset", r"test(/(^|::)row_\d\d_/)"]);
        }
        let finished = shell::run(nextest, Show::Live)?;
        return Ok(Outcome::counted(
            tally::nextest(&finished.text),
            finished.success,
        ));
    }
    println!("cargo-nextest is missing: cargo's own runner takes its place");
    let mut cargo = house.cargo();
    cargo.args([
        "test",
        "--workspace",
        "--no-fail-fast",
        "--lib",
        "--bins",
        "--tests",
    ]);
    if options.redteam {
        cargo.arg("row_");
    }
    cargo.args(["--", "--show-output"]);
    let finished = shell::run(cargo, Show::Live)?;
    let file = results(house).with_extension("txt");
    std::fs::create_dir_all(file.parent().unwrap_or(&house.root))?;
    std::fs::write(file, &finished.text)?;
    Ok(Outcome::counted(
        tally::libtest(&finished.text),
        finished.success,
    ))
}

/// Where nextest leaves the result of each test; libtest's output stands beside it as `.txt`.
fn results(house: &House) -> std::path::PathBuf {
    house.root.join(junit::FILE)
}

/// Reads what the `tests` stage left.
fn cases(house: &House) -> Result<Vec<TestCase>> {
    let file = results(house);
    if let Ok(xml) = std::fs::read_to_string(&file) {
        return Ok(junit::parse(&xml));
    }
    let text = std::fs::read_to_string(file.with_extension("txt"))
        .context("the tests left no results: run the stage `tests` first")?;
    Ok(junit::parse_libtest(&text))
}

fn redteam_table(house: &House, _: &Options) -> Result<Outcome> {
    let tally = redteam::report(&redteam::rows(&house.root)?, &cases(house)?);
    Ok(Outcome::counted(tally, tally.failed == 0))
}

fn doctests(house: &House, _: &Options) -> Result<Outcome> {
    let mut cargo = house.cargo();
    cargo.args(["test", "--doc", "--workspace", "--no-fail-fast"]);
    let finished = shell::run(cargo, Show::Live)?;
    Ok(Outcome::counted(
        tally::libtest(&finished.text),
        finished.success,
    ))
}

fn docs(house: &House, _: &Options) -> Result<Outcome> {
    let mut cargo = house.cargo();
    cargo.args(["doc", "--workspace", "--no-deps", "--keep-going"]);
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    Ok(Outcome::check(shell::run(cargo, Show::Live)?.success))
}

fn reference(house: &House, _: &Options) -> Result<Outcome> {
    let held = crate::docs::command(house, &["--check".to_owned()])?;
    Ok(Outcome::check(held))
}

fn mutants_apply(house: &House, _: &Options) -> Result<Outcome> {
    let tally = mutants::check(house)?;
    Ok(Outcome::counted(tally, tally.failed == 0))
}

fn python(house: &House, _: &Options) -> Result<Outcome> {
    if !house.root.join("spec/python").is_dir() {
        bail!("spec/python is missing: the second decoder is part of the format's proof");
    }
    let mut pytest = house.command(house.python_env().join("bin/python3"));
    pytest.args([
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "spec/python",
    ]);
    pytest.env("PYTHONDONTWRITEBYTECODE", "1");
    let finished = shell::run(pytest, Show::Live)?;
    Ok(Outcome::counted(
        tally::pytest(&finished.text),
        finished.success,
    ))
}

fn short_fuzz(house: &House, _: &Options) -> Result<Outcome> {
    let tally = fuzz::run(house, FUZZ_SECONDS, &[])?;
    Ok(Outcome::counted(tally, tally.failed == 0))
}

fn demo(house: &House, _: &Options) -> Result<Outcome> {
    let mut cargo = house.cargo();
    cargo.args(["run", "--release", "--quiet", "--", "demo"]);
    Ok(Outcome::check(shell::run(cargo, Show::Live)?.success))
}

#[cfg(test)]
mod tests {
    use super::{Options, Outcome, STAGES};
    use crate::tally::Tally;

    fn wanted(args: &[&str]) -> Vec<&'static str> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let options = Options::parse(&args).expect("valid");
        STAGES
            .iter()
            .filter(|stage| options.wants(stage))
            .map(|stage| stage.name)
            .collect()
    }

    #[test]
    fn everything_runs_unless_told() {
        assert_eq!(wanted(&[]).len(), STAGES.len());
        assert_eq!(
            wanted(&["--quick"]),
            ["format", "tidy", "clippy", "tests", "doctests"]
        );
        assert_eq!(wanted(&["--redteam"]), ["tests", "redteam"]);
        assert_eq!(wanted(&["--only", "fuzz,deps"]), ["deps", "fuzz"]);
        assert!(Options::parse(&["--only".to_owned(), "nothing".to_owned()]).is_err());
        assert!(Options::parse(&["--fast".to_owned()]).is_err());
    }

    #[test]
    fn a_runner_that_fails_uncounted_fails_the_stage() {
        let outcome = Outcome::counted(
            Tally {
                passed: 7,
                failed: 0,
                skipped: 0,
            },
            false,
        );
        assert!(!outcome.held);
        assert_eq!(outcome.tally.failed, 1);
        let outcome = Outcome::counted(
            Tally {
                passed: 7,
                failed: 1,
                skipped: 0,
            },
            true,
        );
        assert!(!outcome.held);
    }
}
