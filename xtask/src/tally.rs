//! Counts tests from what the runners print.

use std::ops::AddAssign;

/// How many tests passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Ran and held.
    pub(crate) passed: usize,
    /// Ran and failed, timed out or could not be started.
    pub(crate) failed: usize,
    /// Not run.
    pub(crate) skipped: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Tally {
    /// One check that either held or did not.
    pub(crate) fn one(held: bool) -> Self {
        Self {
            passed: usize::from(held),
            failed: usize::from(!held),
            skipped: 0,
        }
    }

    /// A runner that failed without a counted failure (it did not even build) counts as one.
    pub(crate) fn or_one_failure(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// Reads nextest's closing line.
pub(crate) fn nextest(text: &str) -> Tally {
    let summary = text
        .lines()
        .rev()
        .filter(|line| line.trim_start().starts_with("Summary ["))
        .find_map(|line| line.split_once(" run: "));
    summary.map_or_else(Tally::default, |(_, counts)| {
        words(&without_brackets(counts), ',')
    })
}

/// Sums the closing lines of libtest, one for each binary.
pub(crate) fn libtest(text: &str) -> Tally {
    let mut sum = Tally::default();
    for line in text.lines() {
        if let Some((_, counts)) = line.split_once("test result: ") {
            let counts = counts.split_once(". ").map_or(counts, |(_, rest)| rest);
            sum += words(counts, ';');
        }
    }
    sum
}

/// Reads pytest's closing line.
pub(crate) fn pytest(text: &str) -> Tally {
    let summary = text.lines().rev().find(|line| {
        line.contains(" in ")
            && ["passed", "failed", "error"]
                .iter()
                .any(|w| line.contains(w))
    });
    let Some(line) = summary else {
        return Tally::default();
    };
    let line = line.trim_matches(['=', ' ']);
    let counts = line.rsplit_once(" in ").map_or(line, |(counts, _)| counts);
    words(counts, ',')
}

fn words(counts: &str, separator: char) -> Tally {
    let mut sum = Tally::default();
    for part in counts.split(separator) {
        let Some((number, word)) = part.trim().split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<usize>() else {
            continue;
        };
        match word.trim() {
            "passed" => sum.passed += number,
            "failed" | "exec failed" | "timed out" | "error" | "errors" => sum.failed += number,
            "skipped" | "ignored" => sum.skipped += number,
            _ => {}
        }
    }
    sum
}

fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Tally, libtest, nextest, pytest};

    #[test]
    fn reads_nextest() {
        let text = "  PASS x\n     Summary [   0.5s] 9/12 tests run: 5 passed (1 slow, 2 flaky), \
                    2 failed, 1 exec failed, 1 timed out, 4 skipped\n  FAIL y\n";
        assert_eq!(
            nextest(text),
            Tally {
                passed: 5,
                failed: 4,
                skipped: 4
            }
        );
        assert_eq!(nextest("error: could not compile"), Tally::default());
    }

    #[test]
    fn reads_libtest() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured\n";
        assert_eq!(
            libtest(text),
            Tally {
                passed: 4,
                failed: 2,
                skipped: 1
            }
        );
    }

    #[test]
    fn reads_pytest() {
        let text = "....\n=========== 1 failed, 33 passed, 2 skipped in 1.20s ===========\n";
        assert_eq!(
            pytest(text),
            Tally {
                passed: 33,
                failed: 1,
                skipped: 2
            }
        );
        assert_eq!(
            pytest("4 passed in 0.01s"),
            Tally {
                passed: 4,
                failed: 0,
                skipped: 0
            }
        );
        assert_eq!(pytest("2 errors in 0.01s").failed, 2);
    }

    #[test]
    fn a_runner_that_did_not_build_is_a_failure() {
        assert_eq!(Tally::default().or_one_failure(false).failed, 1);
        assert_eq!(Tally::one(true).or_one_failure(true), Tally::one(true));
    }
}
