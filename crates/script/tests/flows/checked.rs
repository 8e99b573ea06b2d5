//! What a run refuses, the check has refused, on the same line.

use std::collections::BTreeSet;

use subrosa_script::check::{Egress, Sink, check};
use subrosa_script::run::Ending;
use subrosa_script::syntax::{Source, parse};

use super::generator::Generator;
use super::wild::Wild;
use super::{SECRETS, shown};

/// The lines that the check refuses, and those of them by which something leaves.
fn refused(text: &str) -> [BTreeSet<usize>; 2] {
    let script = match parse(Source::new("s.sky", text)) {
        Ok(script) => script,
        Err(errors) => panic!("{}\n{text}", errors.render()),
    };
    let checked = check(&script);
    let decides = |sink| matches!(sink, Sink::Condition | Sink::Count | Sink::Delay);
    let refused = || checked.egress.iter().filter(|one| one.refusal.is_some());
    let line = |one: &Egress| script.source.line(one.span.start);
    let leaves = refused().filter(|one| !decides(one.sink)).map(line);
    [refused().map(line).collect(), leaves.collect()]
}

fn scripts() -> u64 {
    let wanted = std::env::var("SUBROSA_SCRIPTS").ok();
    wanted.and_then(|count| count.parse().ok()).unwrap_or(2000)
}

/// What came of runs beside what the check said.
#[derive(Debug, Default)]
struct Tally {
    scripts: u64,
    runs: u64,
    refusals: u64,
    /// Lines that the check refuses.
    lines: usize,
    /// Those of them that no run came to, and those that runs came to and none refused.
    unreached: usize,
    alarms: usize,
    kept: Vec<String>,
}

impl Tally {
    /// Runs a script with every secret, and demands that the check foretells what is refused.
    fn add(&mut self, seed: u64, text: &str) {
        let [expected, leaves] = refused(text);
        self.scripts += 1;
        self.lines += expected.len();
        let (mut seen, mut reached) = (BTreeSet::new(), BTreeSet::new());
        let mut is_whole = false;
        for pair in SECRETS {
            let shown = shown(text, pair[usize::from(seed.is_multiple_of(2))]);
            self.runs += 1;
            for line in &shown.refused {
                self.refusals += 1;
                assert!(
                    expected.contains(line),
                    "seed {seed}: line {line} is refused with {pair:?}, and not by the check\n{}",
                    numbered(text)
                );
                seen.insert(*line);
            }
            reached.extend(shown.reached);
            is_whole |= shown.ending == Ending::Success;
        }
        for line in expected.difference(&seen) {
            // What does not come to the world was reached at least where a run came to its end.
            match reached.contains(line) || (is_whole && !leaves.contains(line)) {
                true => {
                    self.alarms += 1;
                    let alarm = format!("seed {seed}: line {line}\n{}", numbered(text));
                    self.kept.extend((self.kept.len() < 20).then_some(alarm));
                }
                false => self.unreached += 1,
            }
        }
    }

    fn tell(&self) {
        println!(
            "{} scripts, {} runs, {} refusals, all foretold; {} lines refused by the check: {} that \
             no run came to, {} false alarms",
            self.scripts, self.runs, self.refusals, self.lines, self.unreached, self.alarms
        );
        if std::env::var_os("SUBROSA_ALARMS").is_some() {
            println!("{}", self.kept.join("\n"));
        }
        // One that refuses everything would foretell everything.
        assert!(self.refusals > self.scripts, "{}", self.refusals);
        assert!(
            self.alarms * 4 < self.lines,
            "{} of {}",
            self.alarms,
            self.lines
        );
    }
}

/// 2,000 scripts, or as many as `SUBROSA_SCRIPTS` says, each with several secrets.
#[test]
fn a_run_refuses_nothing_that_the_check_lets_pass() {
    let mut tally = Tally::default();
    for seed in 0..scripts() {
        tally.add(seed, &Generator::new(seed).script());
    }
    tally.tell();
}

/// The same with everything everywhere, and with secrets that leave.
#[test]
fn a_wild_run_refuses_nothing_that_the_check_lets_pass() {
    let mut tally = Tally::default();
    for seed in 0..scripts() {
        tally.add(seed, &Wild::new(seed).script());
    }
    tally.tell();
}

fn numbered(text: &str) -> String {
    let lines = text.lines().enumerate();
    lines
        .map(|(at, line)| format!("{:4} {line}\n", at + 1))
        .collect()
}
