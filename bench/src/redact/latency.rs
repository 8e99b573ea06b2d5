//! Small writes through the library, in a process of its own.

use std::io::Read as _;
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use subrosa_redact::{Known, KnownSet};

use super::Result;
use super::corpus::{Cache, Kind, SECRETS};
use super::measure::{first, median};
use super::options::Options;
use super::report::Report;

/// Bytes of a write: in bulk, of a pipe, of a line.
const WRITES: [usize; 3] = [64 * 1024, 4096, 80];

/// Measures both modes.
///
/// # Errors
/// When the text cannot be made or read.
pub fn run(options: &Options, cache: &Cache, report: &mut Report) -> Result<()> {
    let size = options.slow(Kind::Log);
    let text = cache.text(Kind::Log, size)?;
    report.say(&format!(
        "\nwrites to the library, {SECRETS} secrets, {} MB of the log, start left out",
        size / 1_000_000
    ));
    for is_folded in [false, true] {
        let told = in_a_process(&text, size, is_folded, options.rounds)?;
        let mode = if is_folded { "folded" } else { "raw" };
        let number = |name: &str| told[name].as_f64().unwrap_or(f64::NAN);
        let (line, pipe) = (number("us_80"), number("of_bulk_4096"));
        report.say(&format!(
            "  {mode:<7} 64 KiB: {:.2} GB/s   4 KiB: {:.2} GB/s, {:.2} us, {pipe:.2} of bulk   80 bytes: {:.2} GB/s, {line:.3} us",
            number("gb_s_65536"), number("gb_s_4096"), number("us_4096"), number("gb_s_80"),
        ));
        report.bar(
            &format!("2 us for a write of 80 bytes, {mode}"),
            line,
            2.0,
            false,
        );
        report.bar(
            &format!("half of bulk speed in writes of 4 KiB, {mode}"),
            pipe,
            0.5,
            true,
        );
        report.add("latency", json!({"mode": mode, "figures": told}));
    }
    Ok(())
}

/// A process that has nothing else in its caches and its memory.
fn in_a_process(text: &Path, size: u64, is_folded: bool, rounds: usize) -> Result<Value> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .arg("writes")
        .arg(text)
        .arg(size.to_string())
        .arg(is_folded.to_string())
        .arg(rounds.to_string())
        .output()?;
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout)?),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// What the process does: prints its figures.
///
/// # Errors
/// When the arguments make no sense or the text cannot be read.
pub fn print_writes(words: &[String]) -> Result<()> {
    let [text, size, is_folded, rounds] = words else {
        return Err("TEXT SIZE FOLDED ROUNDS".into());
    };
    let mut bytes = Vec::new();
    first(Path::new(text), size.parse()?)?.read_to_end(&mut bytes)?;
    let set = known(&Kind::Log.secrets(SECRETS), is_folded.parse()?);
    let mut times = vec![Vec::new(); WRITES.len()];
    for _ in 0..rounds.parse()? {
        for (write, times) in WRITES.into_iter().zip(&mut times) {
            times.push(through(&set, &bytes, write));
        }
    }
    let bulk = times[0].clone();
    let mut told = serde_json::Map::new();
    for (write, times) in WRITES.into_iter().zip(&times) {
        let seconds = median(times);
        // By rounds: a machine that slows down slows both.
        let of_bulk: Vec<f64> = bulk
            .iter()
            .zip(times)
            .map(|(bulk, own)| bulk / own)
            .collect();
        told.insert(format!("of_bulk_{write}"), json!(median(&of_bulk)));
        told.insert(
            format!("gb_s_{write}"),
            json!(bytes.len() as f64 / seconds / 1e9),
        );
        told.insert(
            format!("us_{write}"),
            json!(seconds * 1e6 * write as f64 / bytes.len() as f64),
        );
    }
    println!("{}", Value::Object(told));
    Ok(())
}

/// Seconds of this process's threads for a whole text in writes of a size.
fn through(set: &KnownSet, text: &[u8], write: usize) -> f64 {
    let mut redactor = set.redactor().listing(0);
    let mut out = Vec::new();
    let mut written = 0;
    let start = clock();
    for piece in text.chunks(write) {
        redactor.push(piece, &mut out);
        written += out.len();
        out.clear();
    }
    redactor.finish(&mut out);
    let took = clock() - start;
    std::hint::black_box(written + out.len());
    took
}

fn clock() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// The compiled set.
#[must_use]
pub fn known(secrets: &[String], is_folded: bool) -> KnownSet {
    let mut known = Known::new();
    for secret in secrets {
        // What is not searched for is told by its absence from the counts.
        let _ = known.add(None, secret.as_bytes());
    }
    match is_folded {
        true => known.build(),
        false => known.without_fold().build(),
    }
}
