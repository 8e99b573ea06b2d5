//! What is held against an answer, and the table.

use std::fmt;

use serde_json::Value;

use crate::cases::{Case, Range, decoded};
use crate::packed;
use crate::{PACKED, UNBUILT};

/// A finding of the program.
struct Finding {
    range: Range,
    key: Option<String>,
}

/// A row's count.
pub(crate) struct Tally {
    row: u32,
    cases: usize,
    ranges: usize,
    covered: usize,
    whole: usize,
    positive: usize,
    false_masks: usize,
    missed: Vec<String>,
    wrong: Vec<String>,
}

fn findings(answer: &Value) -> Result<Vec<Finding>, String> {
    let list = answer["findings"].as_array().ok_or("no findings")?;
    let number = |of: &Value| of.as_u64().and_then(|n| usize::try_from(n).ok());
    list.iter()
        .map(|one| {
            let start = number(&one["start"]).ok_or("no start")?;
            let end = number(&one["end"]).ok_or("no end")?;
            if !one["form"].is_string() {
                return Err("no form".to_owned());
            }
            let key = match &one["key"] {
                Value::Null => None,
                Value::String(key) => Some(key.clone()),
                _ => return Err("a key that is no text".to_owned()),
            };
            Ok(Finding {
                range: (start, end),
                key,
            })
        })
        .collect()
}

fn is_covered((start, end): Range, by: &[Finding]) -> bool {
    let mut at = start;
    for found in by {
        if found.range.0 <= at {
            at = at.max(found.range.1);
        }
    }
    at >= end
}

/// The input with each finding replaced by its name.
fn replaced(input: &[u8], by: &[Finding]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    for found in by {
        out.extend(&input[at..found.range.0]);
        out.extend(match &found.key {
            Some(key) => format!("[REDACTED:{key}]").into_bytes(),
            None => b"[REDACTED]".to_vec(),
        });
        at = found.range.1;
    }
    out.extend(&input[at..]);
    out
}

fn holds(text: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && text.windows(needle.len()).any(|window| window == needle)
}

impl Tally {
    pub(crate) const fn new(row: u32) -> Self {
        Self {
            row,
            cases: 0,
            ranges: 0,
            covered: 0,
            whole: 0,
            positive: 0,
            false_masks: 0,
            missed: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn fault(&mut self, case: &Case, what: &str) {
        self.wrong.push(format!("{}: {what}", case.id));
    }

    /// Any way to cut a text gives the same.
    pub(crate) fn same(&mut self, case: &Case, first: &Value, other: &Value) {
        let same = ["output_b64", "findings", "error"]
            .iter()
            .all(|name| first.get(name) == other.get(name));
        if !same {
            self.fault(case, "another answer when the text comes in other pieces");
        }
    }

    pub(crate) fn judge(&mut self, case: &Case, answer: &Value) {
        self.cases += 1;
        if answer.get("error").is_some() || !answer["output_b64"].is_string() {
            self.ranges += case.must.len();
            return self.fault(case, &format!("no output: {}", answer["error"]));
        }
        let found = match findings(answer) {
            Ok(found) => found,
            Err(what) => return self.fault(case, &what),
        };
        let apart = found.windows(2).all(|two| two[0].range.1 <= two[1].range.0);
        let inside = |one: &Finding| one.range.0 < one.range.1 && one.range.1 <= case.input.len();
        if !apart || !found.iter().all(inside) {
            return self.fault(case, "findings that overlap, descend or lie outside");
        }
        let known = |one: &Finding| one.key.as_ref().is_some_and(|key| case.keys.contains(key));
        if !found.iter().all(known) {
            self.fault(case, "a finding without the name of a secret");
        }
        let output = decoded(&answer["output_b64"]);
        self.cover(case, &found);
        if case.row == PACKED {
            self.packed(case, &found, &output);
        } else if output != replaced(&case.input, &found) {
            self.fault(case, "the output is not the input with findings replaced");
        }
        if case.must.is_empty() && output != case.input && found.is_empty() {
            self.fault(case, "a changed output without a finding");
        }
        let is_json = |text: &[u8]| serde_json::from_slice::<Value>(text).is_ok();
        if is_json(&case.input) && !is_json(&output) {
            self.fault(case, "valid JSON became invalid");
        }
        if !case.must.is_empty() && case.secrets.iter().any(|one| holds(&output, one)) {
            self.fault(case, "the value is in the output");
        }
    }

    fn cover(&mut self, case: &Case, found: &[Finding]) {
        let covered = case
            .must
            .iter()
            .filter(|&&range| is_covered(range, found))
            .count();
        self.ranges += case.must.len();
        self.covered += covered;
        if !case.must.is_empty() {
            self.positive += 1;
            self.whole += usize::from(covered == case.must.len());
        }
        if covered < case.must.len() {
            let of = case.must.len();
            self.missed
                .push(format!("{}: {covered} of {of} ranges", case.id));
        }
        let spilt: Vec<usize> = found
            .iter()
            .flat_map(|one| one.range.0..one.range.1)
            .filter(|&at| !case.is_fine(at))
            .collect();
        if let (Some(first), count) = (spilt.first(), spilt.len()) {
            self.false_masks += 1;
            self.fault(
                case,
                &format!("{count} bytes too many are covered, from {first} on"),
            );
        }
    }

    /// Before the first and behind the last finding all is as it was; in between it was packed anew.
    fn packed(&mut self, case: &Case, found: &[Finding], output: &[u8]) {
        let (Some(first), Some(last)) = (found.first(), found.last()) else {
            if output != case.input {
                self.fault(case, "a changed output without a finding");
            }
            return;
        };
        let (before, after) = (&case.input[..first.range.0], &case.input[last.range.1..]);
        if !output.starts_with(before) || !output.ends_with(after) {
            return self.fault(case, "what is outside of the findings was changed");
        }
        if case
            .must
            .iter()
            .any(|&(start, end)| holds(output, &case.input[start..end]))
        {
            return self.fault(case, "a packed piece that holds a value came through");
        }
        for opened in packed::opened(output) {
            if case.secrets.iter().any(|one| holds(&opened, one)) {
                self.fault(case, "the value is in the output, packed");
            }
        }
    }

    /// What is wrong with the row.
    pub(crate) fn faults(&self) -> Vec<String> {
        if UNBUILT.contains(&self.row) {
            let is_found = self.whole > 0;
            return Vec::from_iter(
                is_found.then(|| format!("row {} is found: demand it", self.row)),
            );
        }
        let mut all = self.wrong.clone();
        // At least 99 in 100, counted in ranges and in cases.
        if self.covered * 100 < self.ranges * 99 || self.whole * 100 < self.positive * 99 {
            let (whole, positive) = (self.whole, self.positive);
            all.push(format!(
                "row {}: {whole} of {positive} cases are covered",
                self.row
            ));
        }
        all
    }

    /// Cases of which not everything is covered: a row may have a few.
    pub(crate) fn missed(&self) -> &[String] {
        &self.missed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recall = match self.ranges {
            0 => "-".to_owned(),
            ranges => format!("{:.2} %", self.covered as f64 * 100.0 / ranges as f64),
        };
        write!(
            f,
            "{:3}  {:5}  {recall:>8}  {:11}  whole {} of {}{}",
            self.row,
            self.cases,
            self.false_masks,
            self.whole,
            self.positive,
            match UNBUILT.contains(&self.row) {
                true => ", not built",
                false => "",
            }
        )
    }
}
