//! What a run refuses, the check has refused, on the same line.

use std::collections::BTreeSet;

use subrosa_script::check::{Egress, Sink, check};
use subrosa_script::run::Ending;
use subrosa_script::syntax::{Source, parse};

use super::generator::Generator;
use super::{SECRETS, shown};

/// The lines that the check refuses, and those of them by which something leaves.
fn refused(text: &str) -> [BTreeSet<usize>; 2] {
    let script = parse(Source::new("s.sky", text)).expect("it parses");
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

/// 2,000 scripts, or as many as `SUBROSA_SCRIPTS` says, each with several secrets.
#[test]
fn a_run_refuses_nothing_that_the_check_lets_pass() {
    let count = scripts();
    let (mut runs, mut refusals, mut points, mut unreached) = (0, 0, 0, 0);
    let mut alarms = 0;
    let mut kept: Vec<String> = Vec::new();
    for seed in 0..count {
        let text = Generator::new(seed).script();
        let [expected, leaves] = refused(&text);
        points += expected.len();
        let mut seen = BTreeSet::new();
        let mut reached = BTreeSet::new();
        let mut is_whole = false;
        for [one, other] in SECRETS {
            for secret in [one, other] {
                let shown = shown(&text, secret);
                runs += 1;
                for line in &shown.refused {
                    refusals += 1;
                    assert!(
                        expected.contains(line),
                        "line {line} is refused with {secret:?}, and not by the check\n{}",
                        numbered(&text)
                    );
                    seen.insert(*line);
                }
                reached.extend(shown.reached);
                is_whole |= shown.ending == Ending::Success;
            }
        }
        for line in expected.difference(&seen) {
            // What does not come to the world was reached at least where a run came to its end.
            match reached.contains(line) || (is_whole && !leaves.contains(line)) {
                true => {
                    alarms += 1;
                    if kept.len() < 20 {
                        kept.push(format!("seed {seed} line {line}\n{}", numbered(&text)));
                    }
                }
                false => unreached += 1,
            }
        }
    }
    println!(
        "{count} scripts, {runs} runs, {refusals} refusals, all foretold; {points} lines refused by \
         the check: {unreached} that no run came to, {alarms} false alarms"
    );
    if std::env::var_os("SUBROSA_ALARMS").is_some() {
        println!("{}", kept.join("\n"));
    }
    // One that refuses everything would foretell everything.
    assert!(refusals > count, "{refusals}");
    assert!(alarms * 5 < points, "{alarms} of {points}");
}

fn numbered(text: &str) -> String {
    let lines = text.lines().enumerate();
    lines
        .map(|(at, line)| format!("{:4} {line}\n", at + 1))
        .collect()
}
