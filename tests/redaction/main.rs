//! Redaction, judged from outside: by corpora that were not used to write its rules, by the protocol
//! of `redact --jsonl`, and by the filter.
//!
//! The corpora are made by `corpora/make.py`; what a case says is told there.

mod cases;
mod chance;
mod filter;
mod packed;
mod program;
mod protocol;
mod verdict;

use std::thread;

use cases::{Case, cases};
use program::redact;
use verdict::Tally;

const ROWS: std::ops::RangeInclusive<u32> = 1..=18;

/// The row of packed bodies: there a finding is not replaced by a name but packed anew.
const PACKED: u32 = 17;

/// What the program does not look into yet: the table shows these rows, and the test says when they
/// can be demanded.
const UNBUILT: [u32; 0] = [];

/// One row through one process.
fn judged(row: u32) -> Tally {
    let cases = cases(row);
    let mut random = chance::Chance::of(u64::from(row));
    let mut asked = Vec::new();
    for case in &cases {
        for chunks in case.chunkings(&mut random) {
            asked.push((case, case.line(chunks)));
        }
    }
    let lines: Vec<String> = asked.iter().map(|(_, line)| line.clone()).collect();
    let done = redact(&[], &lines);
    let mut tally = Tally::new(row);
    assert_eq!(
        done.answers.len(),
        lines.len(),
        "row {row}: one answer a line; status {}, {}",
        done.status,
        done.err
    );
    let mut before: Option<(&Case, &serde_json::Value)> = None;
    for ((case, _), answer) in asked.iter().zip(&done.answers) {
        assert_eq!(answer["id"], case.id.as_str(), "answers come in order");
        match before {
            Some((same, first)) if std::ptr::eq(same, *case) => tally.same(case, first, answer),
            _ => {
                tally.judge(case, answer);
                before = Some((case, answer));
            }
        }
    }
    assert_eq!(done.status, 0, "row {row}: every line was answered");
    tally
}

#[test]
fn every_row_is_found_and_nothing_else() {
    let rows: Vec<u32> = ROWS.collect();
    let mut tallies: Vec<Tally> = Vec::new();
    for pair in rows.chunks(2) {
        let running: Vec<_> = pair
            .iter()
            .map(|&row| thread::spawn(move || judged(row)))
            .collect();
        for one in running {
            tallies.push(one.join().expect("the row was judged"));
        }
    }
    let faults: Vec<String> = tallies.iter().flat_map(Tally::faults).collect();
    for told in faults.iter().chain(tallies.iter().flat_map(Tally::missed)) {
        println!("{told}");
    }
    println!("row  cases    recall  false masks");
    // Row 0 is what the specification does not promise: it is shown, and nothing follows from it.
    for tally in tallies.iter().chain([&judged(0)]) {
        println!("{tally}");
    }
    assert!(faults.is_empty(), "{} faults, listed above", faults.len());
}

#[test]
fn each_corpus_has_enough_of_both_kinds() {
    for row in ROWS {
        let cases = cases(row);
        let positive = cases.iter().filter(|case| !case.must.is_empty()).count();
        let least = match row {
            18 => 0,
            PACKED => 20,
            _ => 40,
        };
        assert!(positive >= least, "row {row}: {positive} with a secret");
        assert!(cases.len() - positive >= 15, "row {row}: too few without");
        for case in &cases {
            assert_eq!(case.row, row, "{}", case.id);
            let all = case.must.iter().chain(&case.may);
            let mut all: Vec<_> = all.collect();
            all.sort();
            assert!(
                all.iter().all(|&&(start, end)| start < end)
                    && all.iter().all(|&&(_, end)| end <= case.input.len())
                    && all.windows(2).all(|two| two[0].1 <= two[1].0),
                "{}: ranges lie apart, inside of the input",
                case.id
            );
        }
    }
}
