//! What is found of the corpora that were not used to write the rules, and what is masked in vain.
//!
//! The corpora are those of `tests/redaction`, where a case and its truth are told; the tests there
//! hold more against an answer than is counted here.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Result;
use super::corpus::Cache;
use super::report::Report;

/// The rows of the table of forms.
const ROWS: std::ops::RangeInclusive<u32> = 1..=18;

type Range = (u64, u64);

/// A row's count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    cases: usize,
    /// Pieces of text that carry a secret, and how many of them are wholly covered.
    ranges: usize,
    covered: usize,
    /// Cases in which something is covered that carries none.
    false_masks: usize,
}

/// The folder of the corpora.
///
/// # Errors
/// When this is not run in the repository.
pub fn folder() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/redaction/corpora");
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(format!("{} is not there", folder.display()).into()),
    }
}

/// Counts every row and prints the table.
///
/// # Errors
/// When a corpus cannot be read or the program gives no answer.
pub fn run(cache: &Cache, report: &mut Report) -> Result<()> {
    report.say("\nrecall over the corpora of tests/redaction\n  row    cases   ranges     recall  false masks");
    let mut all = Tally::default();
    for row in ROWS {
        let path = folder()?.join(format!("row{row:02}.jsonl"));
        let tally = judged(&path, cache)?;
        print(&row.to_string(), &tally, report);
        all.cases += tally.cases;
        all.ranges += tally.ranges;
        all.covered += tally.covered;
        all.false_masks += tally.false_masks;
    }
    print("all", &all, report);
    let beyond = judged(&folder()?.join("beyond.jsonl"), cache)?;
    print("beyond", &beyond, report);
    report.say("  `beyond` is what nobody promised");
    Ok(())
}

fn print(row: &str, tally: &Tally, report: &mut Report) {
    let recall = (tally.ranges > 0).then(|| tally.covered as f64 * 100.0 / tally.ranges as f64);
    let told = recall.map_or("-".to_owned(), |recall| format!("{recall:.2} %"));
    report.say(&format!(
        "  {row:<6} {:>5}  {:>7}  {told:>9}  {:>11}",
        tally.cases, tally.ranges, tally.false_masks
    ));
    report.add(
        "recall",
        json!({
            "row": row, "cases": tally.cases, "ranges": tally.ranges,
            "recall_percent": recall, "false_masks": tally.false_masks,
        }),
    );
}

/// A corpus through one process: its lines are what the program is asked, as they are.
fn judged(corpus: &Path, cache: &Cache) -> Result<Tally> {
    let text = fs::read_to_string(corpus)?;
    let cases: std::result::Result<Vec<Value>, _> =
        text.lines().map(serde_json::from_str).collect();
    let cases = cases?;
    let lines: Vec<String> = cases.iter().map(asked).collect();
    let file = cache.file("asked", lines.join("\n").as_bytes())?;
    let output = Command::new(crate::vaults::program()?)
        .args(["redact", "--jsonl"])
        .env_clear()
        .env("HOME", cache.folder().join("no-vault"))
        .stdin(Stdio::from(File::open(file)?))
        .stderr(Stdio::null())
        .output()?;
    let mut tally = Tally::default();
    let mut answers = output.stdout.split(|byte| *byte == b'\n');
    for case in &cases {
        let answer: Value = serde_json::from_slice(answers.next().ok_or("no answer")?)?;
        tally.judge(case, &answer)?;
    }
    Ok(tally)
}

fn asked(case: &Value) -> String {
    json!({
        "id": case["id"], "secrets_b64": case["secrets_b64"], "keys": case["keys"],
        "input_b64": case["input_b64"], "chunks": null,
    })
    .to_string()
}

impl Tally {
    fn judge(&mut self, case: &Value, answer: &Value) -> Result<()> {
        let (must, may) = (ranges(&case["must"])?, ranges(&case["may"])?);
        self.cases += 1;
        self.ranges += must.len();
        let list = answer["findings"].as_array().ok_or("no findings")?;
        let number = |of: &Value| of.as_u64().ok_or("no offset");
        let mut found = Vec::new();
        for one in list {
            found.push((number(&one["start"])?, number(&one["end"])?));
        }
        let is_covered = |range: &&Range| is_within(**range, &found);
        self.covered += must.iter().filter(is_covered).count();
        let mut fine = [must, may].concat();
        fine.sort_unstable();
        self.false_masks += usize::from(!found.iter().all(|range| is_within(*range, &fine)));
        Ok(())
    }
}

/// Whether pieces in ascending order cover a range together.
fn is_within((mut at, end): Range, pieces: &[Range]) -> bool {
    for &(start, end) in pieces {
        if start <= at {
            at = at.max(end);
        }
    }
    at >= end
}

fn ranges(of: &Value) -> Result<Vec<Range>> {
    let list = of.as_array().ok_or("no ranges")?;
    let number = |of: &Value| of.as_u64().ok_or("no offset");
    list.iter()
        .map(|one| Ok((number(&one[0])?, number(&one[1])?)))
        .collect()
}

/// The first `count` different secrets of the corpora, without line breaks inside them.
///
/// # Errors
/// When a corpus cannot be read.
pub fn secrets(count: usize) -> Result<Vec<String>> {
    let mut all: Vec<String> = Vec::new();
    for row in ROWS {
        let text = fs::read_to_string(folder()?.join(format!("row{row:02}.jsonl")))?;
        for line in text.lines() {
            let case: Value = serde_json::from_str(line)?;
            for secret in case["secrets_b64"].as_array().ok_or("no secrets")? {
                let bytes = STANDARD.decode(secret.as_str().ok_or("no text")?)?;
                let Ok(secret) = String::from_utf8(bytes) else {
                    continue;
                };
                if !secret.contains('\n') {
                    all.push(secret);
                }
            }
        }
    }
    // All rows have their share.
    let step = (all.len() / count).max(1);
    Ok(all.into_iter().step_by(step).take(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_that_touch_cover_together_and_a_gap_does_not() {
        assert!(is_within((2, 9), &[(0, 5), (5, 9)]));
        assert!(!is_within((2, 9), &[(0, 5), (6, 9)]));
        assert!(!is_within((2, 9), &[]));
    }

    #[test]
    fn what_is_covered_in_vain_is_counted() {
        let case = json!({"must": [[2, 6]], "may": [[1, 2]]});
        let of = |found: Value| {
            let mut tally = Tally::default();
            let answer = json!({ "findings": found });
            tally.judge(&case, &answer).expect("judged");
            (tally.covered, tally.false_masks)
        };
        assert_eq!(of(json!([{"start": 1, "end": 6}])), (1, 0));
        assert_eq!(of(json!([{"start": 1, "end": 7}])), (1, 1));
        assert_eq!(of(json!([{"start": 3, "end": 6}])), (0, 0));
        assert_eq!(of(json!([])), (0, 0));
    }

    #[test]
    fn the_corpora_give_secrets() {
        let secrets = secrets(50).expect("read");
        assert_eq!(secrets.len(), 50);
        assert!(secrets.iter().all(|one| one.len() >= 8));
    }
}
