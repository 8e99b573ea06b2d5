//! `cargo xtask bench redact`: masking beside other ways to search for the same needles.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark starts programs, writes files and prints"
)]

use std::path::Path;

use serde_json::json;
use subrosa_bench::redact::corpus::Cache;
use subrosa_bench::redact::measure::{pin, print_cost};
use subrosa_bench::redact::options::{Options, USAGE};
use subrosa_bench::redact::report::Report;
use subrosa_bench::redact::{Result, baseline, latency, ordinary, recall, speed};

const NOTES: &str = "\
GB are 10^9 bytes
  GB/s     of the CPU time of the whole process, user and system, all threads, its start included
  net      the same without what it takes with an empty file, `start`
  x cat    its time a byte over that of `cat` in the same round
  missing  planted values that are still in what it wrote
The baselines search for 20 forms of each secret and nothing else, subrosa for all that it knows. Slow
baselines get the beginning of the text: see MB. In the hostile texts (glued, near, periodic) stand
beginnings of secrets, which subrosa masks as truncated values: others are changed there.";

fn main() -> Result<()> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    match asked.split_first() {
        // What it starts itself.
        Some((word, rest)) if word == "measured" => print_cost(rest),
        Some((word, rest)) if word == "writes" => latency::print_writes(rest),
        Some((word, [way, needles, text, limit])) if word == "baseline" => {
            baseline::run(way, Path::new(needles), Path::new(text), limit.parse()?)
        }
        Some((word, _)) if word == "--help" => {
            println!("{USAGE}");
            Ok(())
        }
        _ => measure(&Options::of(&asked)?),
    }
}

fn measure(options: &Options) -> Result<()> {
    let core = pin()?;
    let cache = Cache::open()?;
    let mut report = Report::new(options.is_json);
    report.say(&format!("pinned to core {core}; {NOTES}"));
    report.keep("core", json!(core));
    report.keep("size", json!(options.size));
    report.keep("rounds", json!(options.rounds));
    speed::run(options, &cache, &mut report)?;
    if options.has("latency") {
        latency::run(options, &cache, &mut report)?;
    }
    if options.has("recall") {
        recall::run(&cache, &mut report)?;
    }
    if options.has("ordinary") {
        ordinary::run(options, &cache, &mut report)?;
    }
    report.end();
    Ok(())
}
