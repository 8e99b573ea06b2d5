//! Builds and runs the fuzz targets with libFuzzer.
//!
//! The coverage that libFuzzer steers by is LLVM's own pass, reached by code generation flags
//! that stable rustc knows. They are meant for the target alone: naming the target triple keeps
//! them off build scripts and macros. `fuzz/` is laid out as cargo-fuzz expects, so that tool
//! works too.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::shell::{self, Show};
use crate::table;
use crate::tally::Tally;

const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 -Cdebug-assertions";

/// One input may take this long, in seconds, before it counts as a hang.
const INPUT_LIMIT: &str = "20";
/// A target may use this much memory, in MiB.
const MEMORY_LIMIT: &str = "2048";

/// `cargo xtask fuzz [--seconds N] [TARGET…]`.
pub(crate) fn command(house: &House, args: &[String]) -> Result<bool> {
    let mut seconds = 60;
    let mut chosen = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "--seconds" => {
                let value = rest.next().context("--seconds needs a number")?;
                seconds = value
                    .parse()
                    .with_context(|| format!("`{value}` is not a number"))?;
            }
            flag if flag.starts_with('-') => bail!("fuzz has no option `{flag}`"),
            target => chosen.push(target.to_owned()),
        }
    }
    let tally = run(house, seconds, &chosen)?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.failed == 0)
}

/// Fuzzes the chosen targets (all when none is chosen), as many at once as there are cores.
pub(crate) fn run(house: &House, seconds: u32, chosen: &[String]) -> Result<Tally> {
    let known = targets(&house.root)?;
    if let Some(name) = chosen.iter().find(|name| !known.contains(name)) {
        bail!("no fuzz target `{name}`; there are: {}", known.join(" "));
    }
    let names: Vec<&String> = known
        .iter()
        .filter(|name| chosen.is_empty() || chosen.contains(name))
        .collect();
    let programs = build(house)?;
    let queue = std::sync::Mutex::new(names.into_iter());
    let results = std::sync::Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    // Held for the one statement only: the others fetch while this one fuzzes.
                    let next = queue.lock().ok().and_then(|mut names| names.next());
                    let Some(name) = next else { break };
                    let outcome = fuzz_one(house, &programs, name, seconds);
                    if let Ok(mut results) = results.lock() {
                        results.push((name.clone(), outcome));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_default();
    results.sort_by(|one, other| one.0.cmp(&other.0));
    let mut sum = Tally::default();
    let mut lines = vec![["target", "seconds", "result"].map(str::to_owned).to_vec()];
    for (name, outcome) in results {
        let (took, text) = match outcome {
            Ok(held) => (held.seconds, held.text),
            Err(error) => (0.0, Err(format!("{error:#}"))),
        };
        sum += Tally::one(text.is_ok());
        let text = text.unwrap_or_else(|why| format!("FAILED: {why}"));
        lines.push(vec![name, format!("{took:.0}"), text]);
    }
    print!("{}", table::render(&lines));
    Ok(sum)
}

/// Names of all targets in fuzz/Cargo.toml.
pub(crate) fn targets(root: &Path) -> Result<Vec<String>> {
    let file = root.join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let manifest: toml::Table = text.parse().with_context(|| file.display().to_string())?;
    let bins = manifest
        .get("bin")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten();
    Ok(bins
        .filter_map(|bin| bin.get("name")?.as_str().map(str::to_owned))
        .collect())
}

/// Builds all targets; returns the folder of the programs.
fn build(house: &House) -> Result<PathBuf> {
    let triple = host(house)?;
    let folder = house.target.join("fuzz");
    let mut cargo = house.cargo();
    cargo
        .args(["build", "--release", "--bins", "--target", &triple])
        .args(["--manifest-path", "fuzz/Cargo.toml"])
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("RUSTFLAGS", COVERAGE);
    if !shell::run(cargo, Show::Live)?.success {
        bail!("the fuzz targets do not build");
    }
    Ok(folder.join(triple).join("release"))
}

fn host(house: &House) -> Result<String> {
    let mut rustc = house.command(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.arg("-vV");
    let text = shell::run(rustc, Show::Kept)?.text;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

struct Fuzzed {
    seconds: f64,
    text: Result<String, String>,
}

fn fuzz_one(house: &House, programs: &Path, name: &str, seconds: u32) -> Result<Fuzzed> {
    let seeds = house.root.join("fuzz/seeds").join(name);
    if std::fs::read_dir(&seeds).map_or(0, Iterator::count) == 0 {
        bail!("fuzz/seeds/{name}/ holds no seed");
    }
    let corpus = house.root.join("fuzz/corpus").join(name);
    let artifacts = house.root.join("fuzz/artifacts").join(name);
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&artifacts)?;
    let mut command = Command::new(programs.join(name));
    command
        .current_dir(&house.root)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_LIMIT}"))
        .arg(format!("-rss_limit_mb={MEMORY_LIMIT}"))
        .arg("-print_final_stats=1")
        .arg(format!("-artifact_prefix={}/", artifacts.display()));
    // The words of a language, for all targets of its crate.
    let area = name.split('_').next().unwrap_or(name);
    let dictionary = house.root.join("fuzz/dictionaries").join(area);
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.args([&corpus, &seeds]);
    let start = Instant::now();
    let finished = shell::run(command, Show::Kept)?;
    let took = start.elapsed().as_secs_f64();
    let text = if finished.success {
        let runs = finished
            .text
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .map_or("?", str::trim);
        Ok(format!("{runs} inputs"))
    } else {
        println!("---- {name}\n{}", finished.text.trim_end());
        Err(format!("see fuzz/artifacts/{name}/ and the output above"))
    };
    Ok(Fuzzed {
        seconds: took,
        text,
    })
}
