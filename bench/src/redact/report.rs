//! What is printed: tables for people, one document for programs.

use serde_json::{Map, Value, json};

use super::measure::{Cost, median};
use super::plants::Checked;

/// What one subject took on one text.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who.
    pub name: String,
    /// Byte strings that it searches for.
    pub needles: usize,
    /// Bytes that it read.
    pub bytes: u64,
    /// Seconds with nothing to read.
    pub start: f64,
    /// A run each.
    pub costs: Vec<Cost>,
    /// Its time a byte over that of `cat` in the same round, a run each.
    pub ratios: Vec<f64>,
    /// What became of the plants; nothing for who only copies.
    pub checked: Option<Checked>,
    /// It gave up.
    pub is_left_out: bool,
}

impl Row {
    fn figures(&self, of: impl Fn(&Cost) -> f64) -> Vec<f64> {
        self.costs.iter().map(of).collect()
    }

    /// Seconds of all threads, the median.
    #[must_use]
    pub fn cpu(&self) -> f64 {
        median(&self.figures(|cost| cost.cpu))
    }

    /// Seconds by the clock, the median.
    #[must_use]
    pub fn wall(&self) -> f64 {
        median(&self.figures(|cost| cost.wall))
    }

    /// Bytes a nanosecond of all threads.
    #[must_use]
    pub fn speed(&self) -> f64 {
        self.bytes as f64 / self.cpu() / 1e9
    }

    /// The same without what its start takes; no number where that is nearly everything.
    #[must_use]
    pub fn net_speed(&self) -> f64 {
        let net = self.cpu() - self.start;
        match net > self.cpu() / 20.0 {
            true => self.bytes as f64 / net / 1e9,
            false => f64::NAN,
        }
    }

    /// The greatest memory of all runs, in megabytes.
    #[must_use]
    pub fn peak(&self) -> f64 {
        self.figures(|cost| cost.peak)
            .into_iter()
            .fold(0.0, f64::max)
    }

    fn document(&self) -> Value {
        let cpu = self.figures(|cost| cost.cpu);
        json!({
            "subject": self.name,
            "needles": self.needles,
            "bytes": self.bytes,
            "runs": self.costs.len(),
            "cpu_s": self.cpu(),
            "cpu_s_least": cpu.iter().copied().fold(f64::INFINITY, f64::min),
            "cpu_s_most": cpu.iter().copied().fold(0.0, f64::max),
            "wall_s": self.wall(),
            "gb_s": self.speed(),
            "gb_s_without_start": self.net_speed(),
            "times_cat": median(&self.ratios),
            "peak_mb": self.peak(),
            "start_s": self.start,
            "planted": self.checked.map(|one| one.planted),
            "missing": self.checked.map(|one| one.missing),
            "rest_same": self.checked.map(|one| one.is_rest_same),
        })
    }
}

/// Prints as it goes, and keeps everything.
#[derive(Debug, Default)]
pub struct Report {
    is_json: bool,
    document: Map<String, Value>,
    bars: Vec<Value>,
    /// The bars as they are printed at the end.
    lines: Vec<String>,
}

impl Report {
    /// Prints tables, or nothing but the document.
    #[must_use]
    pub fn new(is_json: bool) -> Self {
        Self {
            is_json,
            ..Self::default()
        }
    }

    /// A line for people.
    pub fn say(&self, line: &str) {
        if !self.is_json {
            println!("{line}");
        }
    }

    /// Keeps something in the document.
    pub fn keep(&mut self, name: &str, value: Value) {
        self.document.insert(name.to_owned(), value);
    }

    /// Adds to a list in the document.
    pub fn add(&mut self, name: &str, value: Value) {
        let list = self.document.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }

    /// A table of who took what on a text.
    pub fn table(&mut self, text: &str, secrets: usize, rows: &[Row]) {
        self.say(&format!(
            "\n{text}, {secrets} secrets\n  {:<22} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>7} {:>8} {:>9}  {}",
            "", "needles", "MB", "GB/s", "net", "cpu s", "wall s", "x cat", "peak MB", "start ms", "missing"
        ));
        for row in rows {
            let found = match row.checked {
                None => "-".to_owned(),
                Some(one) => format!(
                    "{} of {}{}",
                    one.missing,
                    one.planted,
                    if one.is_rest_same {
                        ""
                    } else {
                        ", others changed"
                    }
                ),
            };
            self.say(&format!(
                "  {:<22} {:>7} {:>7.0} {:>7} {:>7} {:>8.3} {:>8.3} {:>7.1} {:>8.1} {:>9.1}  {found}",
                row.name,
                row.needles,
                row.bytes as f64 / 1e6,
                digits(row.speed()),
                digits(row.net_speed()),
                row.cpu(),
                row.wall(),
                median(&row.ratios),
                row.peak(),
                row.start * 1e3,
            ));
        }
        let rows: Vec<Value> = rows.iter().map(Row::document).collect();
        self.add(
            "texts",
            json!({"text": text, "secrets": secrets, "rows": rows}),
        );
    }

    /// A bar: at least so much, or at most.
    pub fn bar(&mut self, what: &str, value: f64, limit: f64, is_least: bool) {
        let holds = if is_least {
            value >= limit
        } else {
            value <= limit
        };
        let verdict = if holds { "holds" } else { "missed" };
        let line = format!("bar: {what}: {} ({verdict})", digits(value));
        self.lines.push(line);
        self.bars.push(json!({
            "bar": what, "value": value, "limit": limit, "holds": holds,
            "limit_is": if is_least { "least" } else { "most" },
        }));
    }

    /// Prints the document, or the bars.
    pub fn end(mut self) {
        if self.is_json {
            self.document.insert("bars".to_owned(), self.bars.into());
            println!("{}", Value::Object(self.document));
        } else {
            println!("\n{}", self.lines.join("\n"));
        }
    }
}

/// As many digits as say something.
#[must_use]
pub fn digits(value: f64) -> String {
    match value.abs() {
        size if size.is_nan() => "-".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || size == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_medians_and_the_greatest_memory() {
        let cost = |cpu, peak| Cost {
            cpu,
            wall: cpu,
            peak,
        };
        let row = Row {
            name: "one".to_owned(),
            needles: 1,
            bytes: 2_000_000_000,
            start: 1.0,
            costs: vec![cost(2.0, 7.0), cost(9.0, 8.0), cost(1.0, 6.0)],
            ratios: vec![2.0, 3.0, 1.0],
            is_left_out: false,
            checked: None,
        };
        assert!((row.speed() - 1.0).abs() < 1e-9);
        assert!((row.net_speed() - 2.0).abs() < 1e-9);
        assert!((row.peak() - 8.0).abs() < 1e-9);
        assert_eq!(row.document()["times_cat"], 2.0);
    }

    #[test]
    fn bars_hold_from_either_side() {
        let mut report = Report::new(true);
        report.bar("2 GB/s", 0.5, 2.0, true);
        report.bar("32 MB", 7.0, 32.0, false);
        assert_eq!(
            report.lines,
            ["bar: 2 GB/s: 0.50 (missed)", "bar: 32 MB: 7.00 (holds)"]
        );
    }
}
