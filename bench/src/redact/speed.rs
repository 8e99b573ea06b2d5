//! Whole processes over whole texts, and the bars on them.

use std::path::Path;

use serde_json::json;

use super::Result;
use super::corpus::{Cache, Kind, SECRETS};
use super::measure::first;
use super::options::Options;
use super::plants::{Checked, Plants, Seen, checked};
use super::report::{Report, Row};
use super::subjects::{Subject, Subjects};

/// Fewer and more secrets than usual.
const COUNTS: [usize; 2] = [10, 1000];
/// Megabytes that the program may take, whatever it knows and reads.
const MEMORY: f64 = 32.0;
/// Seconds of one subject on one text after which it is not measured once more.
const PATIENCE: f64 = 30.0;
/// What is tried first, to see how much of a text can be afforded.
const TASTE: u64 = 1 << 20;

/// Measures on every text that was asked for.
///
/// # Errors
/// When a subject fails.
pub fn run(options: &Options, cache: &Cache, report: &mut Report) -> Result<()> {
    let subjects = Subjects::find(cache)?;
    if let Some(why) = subjects.left_out() {
        report.say(&format!("left out: hyperscan: {why}"));
        report.keep("left_out", json!({"hyperscan": why}));
    }
    for kind in Kind::ALL {
        if options.has(kind.name()) {
            let options = affordable(kind, &subjects, options, cache)?;
            let mut all = vec![subjects.cat(kind, &options)];
            all.extend(subjects.ours(kind, SECRETS, &options)?);
            all.extend(subjects.baselines(kind, &options)?);
            let rows = on(kind, &all, &options, cache, report)?;
            report.table(kind.name(), SECRETS, &rows);
            bars(kind, &rows, report);
        }
    }
    if options.has("secrets") {
        for count in COUNTS {
            let mut all = vec![subjects.cat(Kind::Log, options)];
            all.extend(subjects.ours(Kind::Log, count, options)?);
            let rows = on(Kind::Log, &all, options, cache, report)?;
            report.table("log", count, &rows);
            counted(count, &rows, report);
        }
    }
    if options.has("memory") {
        memory(&subjects, options, cache, report)?;
    }
    Ok(())
}

/// A text on which this program is very slow is cut, so that a run of it takes no more than our
/// patience.
fn affordable(
    kind: Kind,
    subjects: &Subjects<'_>,
    options: &Options,
    cache: &Cache,
) -> Result<Options> {
    let text = cache.text(kind, TASTE)?;
    let mut slowest = 0.0_f64;
    for subject in subjects.ours(kind, SECRETS, options)? {
        let took = subject.line(&text).measured()?.cpu - subject.start(cache)?;
        slowest = slowest.max(took / TASTE as f64);
    }
    let mut most = options.size_of(kind);
    while most > TASTE && most as f64 * slowest > PATIENCE {
        most /= 2;
    }
    Ok(options.within(most))
}

/// Each subject in turn, as often as it is to be measured; then what it wrote is looked at.
fn on(
    kind: Kind,
    subjects: &[Subject],
    options: &Options,
    cache: &Cache,
    report: &mut Report,
) -> Result<Vec<Row>> {
    let text = cache.text(kind, options.size_of(kind))?;
    let mut rows = Vec::new();
    for subject in subjects {
        rows.push(Row {
            name: subject.name.clone(),
            needles: subject.needles,
            bytes: subject.limit,
            start: subject.start(cache)?,
            costs: Vec::new(),
            ratios: Vec::new(),
            checked: None,
            is_left_out: false,
        });
    }
    for round in 0..options.rounds {
        let mut cat = None;
        for (subject, row) in subjects.iter().zip(&mut rows) {
            let spent: f64 = row.costs.iter().map(|cost| cost.cpu).sum();
            if round < subject.rounds && spent < PATIENCE && !row.is_left_out {
                let cost = match subject.line(&text).measured() {
                    Ok(cost) => cost,
                    // Another's program that gives up is left out, and said to be.
                    Err(error) if is_baseline(row) => {
                        report.say(&format!("left out: {}: {error}", row.name));
                        row.is_left_out = true;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let each = cost.cpu / subject.limit as f64;
                // The first of a round is `cat`.
                row.ratios.push(each / *cat.get_or_insert(each));
                row.costs.push(cost);
            }
        }
    }
    let plants = Plants::of(&kind.secrets(SECRETS));
    for (subject, row) in subjects.iter().zip(&mut rows).skip(1) {
        if !row.is_left_out {
            row.checked = Some(look(subject, &text, &plants)?);
        }
    }
    rows.retain(|row| !row.is_left_out);
    Ok(rows)
}

/// Whether a row is neither that of this program nor what ratios are taken to.
fn is_baseline(row: &Row) -> bool {
    !row.name.starts_with("subrosa") && row.name != "cat"
}

/// Runs a subject once more and looks for the plants in what it writes.
fn look(subject: &Subject, text: &Path, plants: &Plants) -> Result<Checked> {
    let input = Seen::of(first(text, subject.limit)?, plants)?;
    let line = subject.line(text);
    let mut child = line.piped()?;
    let output = child.stdout.take().ok_or("no output")?;
    let output = Seen::of(output, plants)?;
    let status = child.wait()?;
    if !status.success() {
        return Err(line.failed(status).into());
    }
    Ok(checked(&input, &output, |number| {
        let plant = plants.plant(number);
        plant.owner < subject.secrets && (subject.is_folded || !plant.is_torn)
    }))
}

/// This program's rows.
fn ours(rows: &[Row]) -> impl Iterator<Item = &Row> {
    rows.iter().filter(|row| row.name.starts_with("subrosa"))
}

fn bars(kind: Kind, rows: &[Row], report: &mut Report) {
    for row in ours(rows) {
        let (name, speed) = (kind.name(), row.speed());
        let mode = row.name.trim_start_matches("subrosa ");
        match (kind, mode) {
            (Kind::Log, "raw") => report.bar("2 GB/s raw on the log", speed, 2.0, true),
            (Kind::Log, "folded") => report.bar("1.2 GB/s folded on the log", speed, 1.2, true),
            (_, "raw" | "folded") if kind.is_hostile() => {
                let what = format!("0.3 GB/s {mode} on hostile text ({name})");
                report.bar(&what, speed, 0.3, true);
            }
            _ => {}
        }
        let missing = row.checked.map_or(0, |one| one.missing);
        let what = format!("no planted value left, {mode} on {name}");
        report.bar(&what, missing as f64, 0.0, false);
    }
}

fn counted(count: usize, rows: &[Row], report: &mut Report) {
    for row in ours(rows) {
        let mode = row.name.trim_start_matches("subrosa ");
        if count == 1000 {
            let what = format!("0.7 GB/s {mode} at 1000 secrets");
            report.bar(&what, row.speed(), 0.7, true);
        }
        let what = format!("{MEMORY} MB {mode} at {count} secrets");
        report.bar(&what, row.peak(), MEMORY, false);
        let missing = row.checked.map_or(0, |one| one.missing);
        let what = format!("no planted value left, {mode} at {count} secrets");
        report.bar(&what, missing as f64, 0.0, false);
    }
}

/// The same program on ever longer streams.
fn memory(
    subjects: &Subjects<'_>,
    options: &Options,
    cache: &Cache,
    report: &mut Report,
) -> Result<()> {
    let sizes = [1 << 20, (options.size / 16).max(1 << 20), options.size];
    report.say("\npeak memory as the stream grows, in MB");
    for subject in subjects.ours(Kind::Log, SECRETS, options)? {
        let mut peaks = Vec::new();
        for size in sizes {
            let text = cache.text(Kind::Log, size)?;
            let mut runs = Vec::new();
            for _ in 0..3 {
                runs.push(subject.line(&text).measured()?.peak);
            }
            peaks.push(runs.into_iter().fold(0.0, f64::max));
        }
        let told: Vec<String> = sizes
            .iter()
            .zip(&peaks)
            .map(|(size, peak)| format!("{} MiB: {peak:.1}", size >> 20))
            .collect();
        report.say(&format!("  {:<22} {}", subject.name, told.join("   ")));
        report.add(
            "memory",
            json!({"subject": subject.name, "bytes": sizes, "peak_mb": peaks}),
        );
        let what = format!("1 MB more for a long stream, {}", subject.name);
        report.bar(&what, peaks[2] - peaks[0], 1.0, false);
    }
    Ok(())
}
