//! What the benchmarks share: timing in turn, medians and a table.
//!
//! A figure is worth its baseline: both are run in turn in one process, and the ratio is taken
//! pair by pair, so that a machine that slows down slows both.
#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark measures time and prints"
)]

pub mod redact;
pub mod vaults;

use std::time::{Duration, Instant};

/// Times of one subject, one a round.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Runs `work` once and keeps how long it took.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = work();
        self.0.push(start.elapsed());
        value
    }

    /// The median.
    ///
    /// # Panics
    /// When nothing was timed.
    #[must_use]
    pub fn median(&self) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted[sorted.len() / 2]
    }

    /// The least and the greatest.
    #[must_use]
    pub fn range(&self) -> (Duration, Duration) {
        let least = self.0.iter().min().copied().unwrap_or_default();
        (least, self.0.iter().max().copied().unwrap_or_default())
    }

    /// The median of the ratios to `baseline`, round by round.
    #[must_use]
    pub fn ratio(&self, baseline: &Self) -> f64 {
        let pairs = self.0.iter().zip(&baseline.0);
        let mut ratios: Vec<f64> = pairs
            .map(|(a, b)| a.as_secs_f64() / b.as_secs_f64())
            .collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Prints one line: what, median, range.
pub fn line(what: &str, times: &Times) {
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let (least, most) = times.range();
    println!(
        "  {what:<58} {:>9.1} ms  ({:.1} to {:.1})",
        ms(times.median()),
        ms(least),
        ms(most)
    );
}

/// Prints a ratio with its bar, and whether it holds.
pub fn bar(what: &str, value: f64, most: f64, unit: &str) {
    let verdict = if value <= most {
        "holds"
    } else {
        "DOES NOT HOLD"
    };
    println!("  {what:<58} {value:>9.2} {unit}  (bar: at most {most} {unit}: {verdict})");
}
