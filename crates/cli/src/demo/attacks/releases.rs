//! Attacks on what rules release: values in environments, and programs that start others.

use std::fs;
use std::process::Child;
use std::time::Instant;

use super::must;
use crate::demo::invented::contains;
use crate::demo::served::PATIENCE;
use crate::demo::stage::{Stage, write};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

/// Says that it runs, and waits.
const WAITS: &str = "echo $STRIPE_KEY >ready; while [ ! -e go ]; do sleep 0.02; done";

/// Row 5: environments of processes are searched for values.
pub(super) fn environments(stage: &Stage) -> Result<Verdict, Failure> {
    let home = stage.copy("environments")?;
    let words = ["run", "-k", "shop/STRIPE_KEY", "--", "sh", "-c", WAITS];
    // Without a word about it a rule gives placeholders, which a shell's own line cannot use.
    apply(stage, &home, &[&rule("")])?;
    for way in ["env", "file", "stdin"] {
        let mut words = words.to_vec();
        words.splice(3..3, ["--inject", way]);
        let ran = stage.call(&words).at(&home).run()?;
        must!(
            ran.code() == Some(125),
            "a rule that names no way let `--inject {way}` through"
        );
    }
    must!(
        !stage.work.join("ready").exists(),
        "a command that was refused ran"
    );
    let mut seen = Vec::new();
    for way in ["file", "env"] {
        apply(stage, &home, &[&rule(&format!(", inject: {way}"))])?;
        let child = stage.call(&words).at(&home).spawn()?;
        seen.push(looked(stage, child)?);
    }
    let (file, env) = (&seen[0], &seen[1]);
    must!(
        file.named && !file.shown,
        "a rule for a file put a value into an environment"
    );
    // Only so is it known that the search finds what is there.
    must!(
        env.shown,
        "a value that a rule puts into an environment was not found there"
    );
    Ok(Verdict::held(
        "no environment has a value unless a rule says `inject: env`",
    ))
}

fn rule(way: &str) -> String {
    format!("{{ allow: run, command: sh, args: [\"-c\", {WAITS:?}], secrets: [\"shop/**\"]{way} }}")
}

/// What a look at all environments showed.
struct Looked {
    named: bool,
    shown: bool,
}

/// Looks while a command runs, and ends it.
fn looked(stage: &Stage, mut child: Child) -> Result<Looked, Failure> {
    let (ready, go) = (stage.work.join("ready"), stage.work.join("go"));
    let began = Instant::now();
    while !ready.exists() && began.elapsed() < PATIENCE && matches!(child.try_wait(), Ok(None)) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let runs = ready.exists();
    let mut looked = Looked {
        named: false,
        shown: false,
    };
    let place = stage.work.display().to_string();
    for entry in fs::read_dir("/proc")
        .map_err(Failure::io("/proc"))?
        .flatten()
    {
        let Ok(bytes) = fs::read(entry.path().join("environ")) else {
            continue;
        };
        if contains(&bytes, place.as_bytes()) {
            looked.named |= contains(&bytes, b"STRIPE_KEY=");
            looked.shown |= stage
                .values
                .iter()
                .any(|value| contains(&bytes, value.as_bytes()));
        }
    }
    write(&go, b"")?;
    let ended = child.wait_with_output();
    let ended = ended.map_err(Failure::io("waiting for this program"))?;
    let _ = fs::remove_file(&go);
    let _ = fs::remove_file(&ready);
    if runs && ended.status.success() {
        return Ok(looked);
    }
    Err(Failure::new(
        "demo",
        "a command that a rule allows did not run",
    ))
}

/// Row 6: programs that are allowed are made to start others.
pub(super) fn started(stage: &Stage) -> Result<Verdict, Failure> {
    let attacks: [&[&str]; 11] = [
        &["git", "-c", "alias.x=!echo $STRIPE_KEY", "x"],
        &["git", "--exec-path=/tmp", "status"],
        &["find", ".", "-exec", "env", ";"],
        &["xargs", "env"],
        &["awk", "BEGIN{system(\"echo $STRIPE_KEY\")}"],
        &["sed", "1e env", "/dev/null"],
        &["tar", "-I", "env", "-cf", "x", "."],
        &["python3", "-c", "import os; print(os.environ)"],
        &["perl", "-e", "print %ENV"],
        &["nice", "env"],
        &["sh", "-c", "echo $STRIPE_KEY"],
    ];
    let home = stage.copy("started")?;
    let mut names: Vec<&str> = attacks.iter().map(|words| words[0]).collect();
    names.push("basename");
    names.dedup();
    let any = |name: &&str| {
        format!("{{ allow: run, command: {name}, args: [\"**\"], secrets: [\"**\"], inject: env }}")
    };
    let rules: Vec<String> = names.iter().map(any).collect();
    apply(
        stage,
        &home,
        &rules.iter().map(String::as_str).collect::<Vec<_>>(),
    )?;
    let run = |line: &[&'static str]| {
        let mut words = vec!["run", "-k", "shop/STRIPE_KEY", "--inject", "env", "--"];
        words.extend(line);
        stage.call(&words).at(&home).run()
    };
    let mut tried = 0;
    for line in attacks.iter().filter(|line| stage.finds(line[0])) {
        let ran = run(line)?;
        must!(
            ran.code() == Some(125) && ran.stdout.is_empty(),
            "`{}` was not refused: {}",
            line.join(" "),
            ran.ending()
        );
        tried += 1;
    }
    let honest = run(&["basename", "/a/b"])?;
    must!(
        honest.out() == "b\n",
        "what the rules are for was refused too: {}",
        honest.err()
    );
    Ok(Verdict::held(format!(
        "{tried} lines by which an allowed program starts another are refused"
    )))
}

pub(super) fn apply(stage: &Stage, home: &std::path::Path, rules: &[&str]) -> Result<(), Failure> {
    let mut policy = "version: 1\nrules:\n".to_owned();
    for rule in rules {
        policy.push_str(&format!("  - {rule}\n"));
    }
    let call = stage.call(&["apply", "-f", "-"]).at(home).input(policy);
    let ran = call.run()?;
    if ran.ok() {
        return Ok(());
    }
    let why = format!("a policy was not applied: {}", ran.err().trim());
    Err(Failure::new("demo", why))
}
