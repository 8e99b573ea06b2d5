//! The red-team table: which rows are due, and what their tests said.
//!
//! A row's tests are those whose name starts with `row_NN_`, in any binary. Each prints
//! `REDTEAM row=NN verdict=held|skipped why=…` when it is done. A row that is due and has no
//! passing test with a verdict is a failure; a skipped row is never counted as held.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::junit::TestCase;
use crate::table;
use crate::tally::Tally;

/// The part of the project that is being built; rows due later may still be absent.
pub(crate) const CURRENT_PART: i64 = 3;

/// One row of `tests/redteam/rows.toml`.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Number in the red-team list.
    pub(crate) number: u32,
    /// The attack, in a few words.
    pub(crate) attack: String,
    /// The part in which it is due.
    pub(crate) part: i64,
    /// What of it is due then, and where the rest comes; empty for all of it.
    pub(crate) scope: String,
}

impl Row {
    /// Due by now.
    pub(crate) fn due(&self) -> bool {
        self.part <= CURRENT_PART
    }

    /// How the names of its tests begin.
    pub(crate) fn prefix(&self) -> String {
        format!("row_{:02}_", self.number)
    }
}

/// What a row's tests amount to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All tests passed and at least one says that the attack failed.
    Held,
    /// Nothing was shown: why, in the tests' words.
    Skipped(String),
    /// A test failed: its name.
    Broken(String),
    /// Due, but without a test or without a verdict line.
    Missing(&'static str),
    /// Due in a later part.
    NotBuilt(i64),
}

impl Verdict {
    fn text(&self) -> String {
        match self {
            Self::Held => "held".to_owned(),
            Self::Skipped(why) => format!("skipped: {why}"),
            Self::Broken(test) => format!("BROKEN: {test}"),
            Self::Missing(what) => format!("MISSING: {what}"),
            Self::NotBuilt(part) => format!("not built: part {part}"),
        }
    }

    /// Whether this verdict makes the run fail.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Missing(_))
    }
}

/// Reads the table of rows.
pub(crate) fn rows(root: &Path) -> Result<Vec<Row>> {
    let file = root.join("tests/redteam/rows.toml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    parse_rows(&text).with_context(|| file.display().to_string())
}

fn parse_rows(text: &str) -> Result<Vec<Row>> {
    let document: toml::Table = text.parse()?;
    let mut rows = Vec::<Row>::new();
    for entry in document
        .get("row")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
    {
        let text = |key: &str| {
            entry
                .get(key)
                .and_then(toml::Value::as_str)
                .map(str::to_owned)
        };
        let number = |key: &str| entry.get(key).and_then(toml::Value::as_integer);
        let row = Row {
            number: number("number")
                .and_then(|n| u32::try_from(n).ok())
                .context("no number")?,
            attack: text("attack").context("a row has no attack")?,
            part: number("part").context("a row has no part")?,
            scope: text("scope").unwrap_or_default(),
        };
        if rows.iter().any(|other| other.number == row.number) {
            bail!("row {} is there twice", row.number);
        }
        rows.push(row);
    }
    if rows.is_empty() {
        bail!("no [[row]]");
    }
    Ok(rows)
}

/// Judges one row by all tests that ran.
pub(crate) fn judge(row: &Row, cases: &[TestCase]) -> Verdict {
    let prefix = row.prefix();
    let mine: Vec<&TestCase> = cases
        .iter()
        .filter(|case| {
            case.name
                .rsplit("::")
                .next()
                .is_some_and(|name| name.starts_with(&prefix))
        })
        .collect();
    if let Some(case) = mine.iter().find(|case| !case.passed) {
        return Verdict::Broken(case.name.clone());
    }
    if mine.is_empty() {
        return if row.due() {
            Verdict::Missing("no test")
        } else {
            Verdict::NotBuilt(row.part)
        };
    }
    let verdicts: Vec<(&str, &str)> = mine
        .iter()
        .flat_map(|case| lines(&case.output, row.number))
        .collect();
    if verdicts.iter().any(|(verdict, _)| *verdict == "held") {
        return Verdict::Held;
    }
    match verdicts.iter().find(|(verdict, _)| *verdict == "skipped") {
        Some((_, why)) => Verdict::Skipped((*why).to_owned()),
        None => Verdict::Missing("its tests printed no verdict"),
    }
}

/// The verdict lines of one row in a test's output: verdict and reason.
fn lines(output: &str, row: u32) -> Vec<(&str, &str)> {
    let line = |line: &'_ str| -> Option<(usize, usize)> {
        let rest = line.split_once("REDTEAM row=")?.1;
        let (number, rest) = rest.split_once(" verdict=")?;
        (number.parse() == Ok(row)).then_some(())?;
        let verdict = line.len() - rest.len();
        Some((verdict, line.find(" why=").unwrap_or(line.len())))
    };
    output
        .lines()
        .filter_map(|text| {
            let (start, end) = line(text)?;
            let why = text.get(end..)?.strip_prefix(" why=").unwrap_or_default();
            Some((text.get(start..end)?.trim(), why.trim()))
        })
        .collect()
}

/// Prints the table; one test is counted for each row that is due.
pub(crate) fn report(rows: &[Row], cases: &[TestCase]) -> Tally {
    let mut sum = Tally::default();
    let mut lines = vec![["row", "attack", "verdict"].map(str::to_owned).to_vec()];
    for row in rows {
        let verdict = judge(row, cases);
        match verdict {
            Verdict::Held => sum.passed += 1,
            Verdict::NotBuilt(_) => {}
            Verdict::Skipped(_) => sum.skipped += 1,
            _ if verdict.is_failure() => sum.failed += 1,
            _ => {}
        }
        let mut text = verdict.text();
        if row.due() && !row.scope.is_empty() {
            text = format!("{text} ({})", row.scope);
        }
        lines.push(vec![row.number.to_string(), row.attack.clone(), text]);
    }
    print!("{}", table::render(&lines));
    sum
}

#[cfg(test)]
mod tests {
    use super::{Row, Verdict, judge, parse_rows};
    use crate::junit::TestCase;

    fn row(number: u32, part: i64) -> Row {
        Row {
            number,
            attack: "an attack".to_owned(),
            part,
            scope: String::new(),
        }
    }

    fn case(name: &str, passed: bool, output: &str) -> TestCase {
        TestCase {
            name: name.to_owned(),
            passed,
            output: output.to_owned(),
        }
    }

    #[test]
    fn a_row_holds_only_by_a_verdict_line_of_its_own() {
        let held = case(
            "m::row_03_dump",
            true,
            "x\nREDTEAM row=03 verdict=held why=no core\n",
        );
        assert_eq!(judge(&row(3, 1), &[held]), Verdict::Held);
        let other = case(
            "row_03_dump",
            true,
            "REDTEAM row=04 verdict=held why=no core",
        );
        assert_eq!(
            judge(&row(3, 1), &[other]),
            Verdict::Missing("its tests printed no verdict")
        );
    }

    #[test]
    fn one_failing_test_breaks_the_row() {
        let cases = [
            case("row_03_a", true, "REDTEAM row=3 verdict=held why=ok"),
            case("row_03_b", false, ""),
        ];
        assert_eq!(
            judge(&row(3, 1), &cases),
            Verdict::Broken("row_03_b".to_owned())
        );
    }

    #[test]
    fn skipped_is_never_held() {
        let cases = [case(
            "row_39_a",
            true,
            "REDTEAM row=39 verdict=skipped why=no TPM here",
        )];
        assert_eq!(
            judge(&row(39, 1), &cases),
            Verdict::Skipped("no TPM here".to_owned())
        );
    }

    #[test]
    fn absent_tests_matter_only_when_due() {
        assert_eq!(judge(&row(3, 1), &[]), Verdict::Missing("no test"));
        assert_eq!(judge(&row(26, 5), &[]), Verdict::NotBuilt(5));
        assert!(Verdict::Missing("no test").is_failure());
        assert!(!Verdict::NotBuilt(5).is_failure());
    }

    #[test]
    fn rows_are_read_and_twins_refused() {
        let text = "[[row]]\nnumber = 3\nattack = \"a\"\npart = 1\n";
        assert_eq!(parse_rows(text).expect("valid").len(), 1);
        assert!(parse_rows(&text.repeat(2)).is_err());
        assert!(parse_rows("").is_err());
        assert!(parse_rows("[[row]]\nnumber = 3\n").is_err());
    }
}
