//! Scripts that run, in a world that has no effect: nothing panics, the check has foretold each line
//! that is refused and each by which a secret leaves, and without `with risk` two runs that differ
//! in their secrets alone show the same.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use subrosa_fuzz::scripts::{Shown, World};
use subrosa_script::check::{Checked, Clause, Egress, check};
use subrosa_script::run::{first_risk, run};
use subrosa_script::syntax::ast::Script;
use subrosa_script::syntax::{Source, parse};

/// What the vaults of both runs hold: texts, numbers, truths, and such as have parts. None is a text
/// that a run would come to by itself.
const SECRETS: [[&str; 2]; 9] = [
    [
        "canary-Vq7dYw2Kf0",
        "Zs9-another-and-a-longer-canary-x4Hn1Tb",
    ],
    ["70413377041337", "-0.60252946025294"],
    ["", "canary-Vq7dYw2Kf0"],
    ["true", "false"],
    ["canary,Vq7dYw2Kf0,x", "Zs9 4Hn1Tb canary"],
    ["canary\nVq7dYw2Kf0", "ünïcödé-Zs9x4Hn1Tb"],
    ["1", "canary-Vq7dYw2Kf0"],
    ["0", "1"],
    ["true", "2,3"],
];
/// The shortest secret that is looked for in what is shown; others come about by chance.
const LOOKED_FOR: usize = 12;
/// The stack that the program gives a script, in bytes.
const STACK: usize = 64 << 20;

fuzz_target!(|bytes: &[u8]| {
    let Ok(script) = parse(Source::from_bytes("fuzz.sky", bytes)) else {
        return;
    };
    let pair = SECRETS[bytes.len() % SECRETS.len()];
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let tried = thread.spawn_scoped(scope, || try_out(&script, pair));
        tried.expect("a thread").join().expect("no panic");
    });
});

fn try_out(script: &Script, pair: [&str; 2]) {
    let foretold = Foretold::by(script, &check(script));
    let [first, second] = pair.map(|secret| shown(script, secret, &foretold));
    if first_risk(script).is_some() || first.is_over || second.is_over {
        return;
    }
    assert_eq!((first.let_out.len(), second.let_out.len()), (0, 0));
    for (shown, secret) in [(&first, pair[0]), (&second, pair[1])] {
        let is_written = script.source.text().contains(secret);
        if secret.len() >= LOOKED_FOR && !is_written {
            let told = shown.seen.contains(secret) || shown.memo.contains(secret);
            assert!(!told, "a secret shows:\n{}\n{}", shown.seen, shown.memo);
        }
    }
    if !first.is_by_secret && !second.is_by_secret {
        assert_eq!(first, second, "it depends on the secrets {pair:?}");
        return;
    }
    // That it ended is one bit that a run may tell; what came before is the same.
    let (first, second) = (before_the_end(&first), before_the_end(&second));
    let common = first.len().min(second.len());
    assert_eq!(first[..common], second[..common], "secrets {pair:?}");
}

/// The lines of the memo but those that say that it ended, and why.
fn before_the_end(shown: &Shown) -> Vec<&str> {
    let mut lines: Vec<&str> = shown.memo.lines().collect();
    while shown.is_by_secret && lines.pop_if(|line| line.starts_with("[ERRO]")).is_some() {}
    lines
}

/// Runs it with this secret, and demands that what came of it was foretold.
fn shown(script: &Script, secret: &str, foretold: &Foretold) -> Shown {
    let mut world = World::new(secret);
    let mut memo = Vec::new();
    let report = run(script, &mut world, &mut memo);
    let line = |span: &subrosa_script::syntax::Span| script.source.line(span.start);
    for refused in report.refused.iter().map(line) {
        let is_foretold = foretold.refused.contains(&refused);
        assert!(
            is_foretold,
            "line {refused} is refused, and the check lets it pass"
        );
    }
    let shown = world.shown(memo, &report, &script.source);
    for let_out in &shown.let_out {
        let is_foretold = foretold.leaving.contains(let_out);
        assert!(
            is_foretold,
            "a secret leaves by line {let_out}, and the check does not say so"
        );
    }
    shown
}

/// Lines, by what the check says of them.
struct Foretold {
    refused: BTreeSet<usize>,
    /// With `sensitive … with risk`.
    leaving: BTreeSet<usize>,
}

impl Foretold {
    fn by(script: &Script, checked: &Checked) -> Self {
        for problem in &checked.problems {
            assert!(!problem.render(&script.source).is_empty());
        }
        for refusal in checked.egress.iter().filter_map(|one| one.refusal.as_ref()) {
            assert!(!refusal.render(&script.source).is_empty());
        }
        let lines = |is_such: fn(&Egress) -> bool| {
            let such = checked.egress.iter().filter(|one| is_such(one));
            such.map(|one| script.source.line(one.span.start)).collect()
        };
        Self {
            refused: lines(|one| one.refusal.is_some()),
            leaving: lines(|one| {
                let says = |clause| one.clauses.contains(&clause);
                one.is_secret && says(Clause::Sensitive) && says(Clause::Risk)
            }),
        }
    }
}
