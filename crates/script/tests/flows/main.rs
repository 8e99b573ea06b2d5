//! What a script shows does not depend on what its secrets are.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod attacks;
mod checked;
mod generator;
mod limits;
mod oracles;
mod wild;
mod world;

use std::collections::BTreeSet;

use generator::Generator;
use subrosa_script::run::{Ending, run};
use subrosa_script::syntax::{Source, parse};
use wild::Wild;
use world::Recorded;

/// Values that differ in everything: length, what they are made of, whether they are numbers.
const SECRETS: [[&str; 2]; 6] = [
    ["first-secret-value", "another"],
    ["", "something rather longer than the other one"],
    ["7", "12345678"],
    ["true", "false"],
    ["a,b,c", "no parts"],
    ["line\nline", "ünïcödé"],
];

/// What a run shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) seen: Vec<String>,
    pub(crate) memo: String,
    pub(crate) ending: Ending,
    pub(crate) is_by_secret: bool,
    pub(crate) let_out: usize,
    /// The lines of what was refused.
    pub(crate) refused: Vec<usize>,
    /// The lines of what came to the world.
    pub(crate) reached: BTreeSet<usize>,
}

/// Runs a script with this value for both entries of its vault, with the stack that the program
/// gives it.
pub(crate) fn shown(text: &str, secret: &str) -> Shown {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20);
        let run = thread.spawn_scoped(scope, || shown_here(text, secret));
        match run.expect("a thread").join() {
            Ok(shown) => shown,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn shown_here(text: &str, secret: &str) -> Shown {
    let script = match parse(Source::new("s.sky", text)) {
        Ok(script) => script,
        Err(errors) => panic!("{}\n{text}", errors.render()),
    };
    let mut world = Recorded::new(&[("S1", secret), ("S2", secret)]);
    let mut memo = Vec::new();
    let report = run(&script, &mut world, &mut memo);
    if let Some(diagnostic) = &report.diagnostic {
        world.seen.push(diagnostic.render(&script.source));
    }
    Shown {
        seen: world.seen,
        memo: String::from_utf8(memo).expect("a text"),
        ending: report.ending,
        is_by_secret: report.is_by_secret,
        let_out: world.let_out,
        refused: (report.refused.iter())
            .map(|span| script.source.line(span.start))
            .collect(),
        reached: world.reached,
    }
}

/// Demands that two runs show the same. Where a secret decided that one of them ended, that is one
/// bit: what both showed before has to be the same.
#[track_caller]
pub(crate) fn same(text: &str, [one, other]: [&str; 2]) -> bool {
    // Where it came to is told to tests alone.
    let seen = |secret| Shown {
        refused: Vec::new(),
        reached: BTreeSet::new(),
        ..shown(text, secret)
    };
    let (first, second) = (seen(one), seen(other));
    assert_eq!((first.let_out, second.let_out), (0, 0), "{text}");
    if let Some((a, b)) = first.seen.iter().zip(&second.seen).find(|(a, b)| a != b)
        && !first.is_by_secret
        && !second.is_by_secret
    {
        panic!("{one:?} {other:?}\n{a}\n{b}\n{text}");
    }
    if !first.is_by_secret && !second.is_by_secret {
        assert_eq!(first, second, "{one:?} {other:?}\n{text}");
        return true;
    }
    // The last lines tell that it ended, and why.
    let lines = |shown: &Shown| -> Vec<String> {
        let lines = shown.memo.lines().map(str::to_owned);
        let mut lines: Vec<String> = lines.collect();
        while shown.is_by_secret && lines.pop_if(|line| line.starts_with("[ERRO]")).is_some() {}
        lines
    };
    let (first, second) = (lines(&first), lines(&second));
    let common = first.len().min(second.len());
    assert_eq!(
        first[..common],
        second[..common],
        "{one:?} {other:?}\n{text}"
    );
    false
}

fn scripts() -> u64 {
    let wanted = std::env::var("SUBROSA_SCRIPTS").ok();
    wanted.and_then(|count| count.parse().ok()).unwrap_or(5000)
}

/// 5,000 scripts, or as many as `SUBROSA_SCRIPTS` says.
#[test]
fn two_runs_with_other_secrets_show_the_same() {
    let mut made = BTreeSet::new();
    let (mut whole, mut refused, mut succeeded) = (0, 0, 0);
    let count = scripts();
    for seed in 0..count {
        let mut generator = Generator::new(seed);
        let text = generator.script();
        made.extend(generator.made);
        let secrets = SECRETS[usize::try_from(seed).expect("small") % SECRETS.len()];
        whole += u64::from(same(&text, secrets));
        match shown(&text, secrets[0]).ending {
            Ending::Refused => refused += 1,
            Ending::Success => succeeded += 1,
            Ending::Failure => {}
        }
    }
    println!(
        "{count} scripts: {whole} compared to their end, {succeeded} succeeded, {refused} refused"
    );
    // A test that refuses or breaks off everything would prove nothing.
    assert!(whole * 2 > count, "{whole} of {count}");
    assert!(succeeded * 5 > count, "{succeeded} of {count}");
    let missing: Vec<_> = generator::combinations()
        .filter(|one| !made.contains(one))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The same of scripts in which everything may stand everywhere; none says `with risk`.
#[test]
fn two_wild_runs_with_other_secrets_show_the_same() {
    for seed in 0..scripts() {
        let text = Wild::new(seed).script().replace(" with risk", "");
        same(
            &text,
            SECRETS[usize::try_from(seed).expect("small") % SECRETS.len()],
        );
    }
}
