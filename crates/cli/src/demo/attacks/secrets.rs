//! Attacks on what is said of a secret: masks, pins, errors.

use super::must;
use crate::demo::invented::{self, contains};
use crate::demo::stage::{Ran, Stage, files_below, read, write};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

/// The command that prints the variable X.
const PRINT: [&str; 4] = ["--", "sh", "-c", "echo $X"];

fn print<'a>(stage: &'a Stage, bind: &'a str) -> Result<Ran, Failure> {
    let mut words = vec!["run", "--bind", bind];
    words.extend(PRINT);
    stage.call(&words).run()
}

/// Row 13: values of every length leave the same mask.
pub(super) fn mask(stage: &Stage) -> Result<Verdict, Failure> {
    const LENGTHS: [usize; 4] = [9, 24, 64, 3000];
    let mut masks = Vec::new();
    for length in LENGTHS {
        let value = invented::value("", length);
        let stored = stage
            .call(&["set", "probe/length", "--stdin"])
            .input(value.as_str())
            .run()?;
        must!(
            stored.ok(),
            "a value of {length} characters was not stored: {}",
            stored.err()
        );
        let ran = print(stage, "X=probe/length")?;
        must!(ran.ok(), "the command did not run: {}", ran.err());
        must!(
            !invented::shows(&ran.stdout, &value),
            "a value of {length} characters was seen"
        );
        masks.push(ran.stdout);
    }
    must!(
        masks
            .iter()
            .all(|mask| mask == b"[REDACTED:probe/length]\n"),
        "masks differ by length"
    );
    Ok(Verdict::held(
        "values of 9 to 3000 characters leave the same mask",
    ))
}

/// Row 25: a pin survives renaming, and a pinned value goes to no command.
pub(super) fn pin(stage: &Stage) -> Result<Verdict, Failure> {
    let value = invented::value("sk-pinned-", 32);
    let pinned = [
        "set",
        "probe/pinned",
        "--stdin",
        "--pin",
        "openai",
        "--host",
        "api.openai.com",
    ];
    let stored = stage.call(&pinned).input(value.as_str()).run()?;
    must!(
        stored.ok(),
        "a pinned secret was not stored: {}",
        stored.err()
    );
    let refused = |ran: &Ran| {
        ran.code() == Some(125) && ran.err().contains("pinned") && ran.stdout.is_empty()
    };
    must!(
        refused(&print(stage, "X=probe/pinned")?),
        "a pinned value went to a command"
    );
    let moved = stage.call(&["mv", "probe/pinned", "probe/free"]).run()?;
    must!(moved.ok(), "the secret was not renamed: {}", moved.err());
    must!(
        refused(&print(stage, "X=probe/free")?),
        "a renamed secret lost its pin"
    );
    let repinned = [
        "set",
        "probe/free",
        "--stdin",
        "--pin",
        "evil",
        "--host",
        "evil.example",
    ];
    let repinned = stage.call(&repinned).input(value.as_str()).run()?;
    must!(
        !repinned.ok(),
        "an existing secret was pinned to another provider"
    );
    let exported = stage.call(&["export", "--format", "json"]).run()?;
    must!(
        exported.ok() && !invented::shows(&exported.stdout, &value),
        "a pinned value was exported"
    );
    let free = stage
        .call(&["set", "probe/unpinned", "--stdin"])
        .input(invented::value("", 24))
        .run()?;
    must!(free.ok(), "another secret was not stored: {}", free.err());
    must!(
        print(stage, "X=probe/unpinned")?.ok(),
        "an unpinned secret is refused too"
    );
    Ok(Verdict::held(
        "refused to commands and exports, also under a new name",
    ))
}

/// Row 42: values in whatever fails, at the highest verbosity, and in files.
pub(super) fn errors(stage: &Stage) -> Result<Verdict, Failure> {
    let canary = invented::value("canary-", 40);
    let file = |name: &str, text: String| -> Result<(), Failure> {
        write(&stage.work.join(name), text.as_bytes())
    };
    file(
        "broken.env",
        format!("A={canary}\nno assignment {canary}\n"),
    )?;
    file(
        "broken.json",
        format!("{{\"a\": \"{canary}\", \"b\": [\"{canary}\"]}}"),
    )?;
    file("again.env", format!("A={canary}\nA={canary}\n"))?;
    let calls: [(&[&str], &str); 9] = [
        (&["set", "no such key!", "--stdin"], &canary),
        (&["set", "probe/canary", "--stdin", "--update"], &canary),
        (
            &["set", "probe/canary", "--stdin", "--expires", "soon"],
            &canary,
        ),
        (&["import", "broken.env"], ""),
        (&["import", "broken.json"], ""),
        (&["import", "again.env"], ""),
        (&["import", "--format", "json", "-"], &canary),
        (&["apply", "-f", "-"], &canary[..7]),
        (&["run", "-k", "shop/**", "--", "nonsuch"], ""),
    ];
    let mut failed = 0;
    for (words, input) in calls {
        let mut words = words.to_vec();
        words.insert(0, "--debug");
        let ran = stage.call(&words).input(input).run()?;
        must!(!ran.ok(), "`{}` did not fail", words.join(" "));
        for text in [&ran.stdout, &ran.stderr] {
            let seen = invented::shows(text, &canary) || stage.shows_a_value(text);
            must!(!seen, "the errors of `{}` hold a value", words.join(" "));
        }
        failed += 1;
    }
    // A value that is offered as the proof: it is wrong, and must not be repeated.
    let wrong = stage
        .call(&["--debug", "ls"])
        .proof("--passphrase-fd", canary.as_bytes())
        .run()?;
    must!(
        !wrong.ok() && !invented::shows(&wrong.stderr, &canary),
        "a wrong passphrase is repeated"
    );
    // And one that is stored and used: no file may hold it.
    let stored = stage
        .call(&["--debug", "set", "probe/canary", "--stdin"])
        .input(canary.as_str())
        .run()?;
    must!(
        stored.ok() && !invented::shows(&stored.stderr, &canary),
        "a stored value was traced"
    );
    let used = print(stage, "X=probe/canary")?;
    must!(
        used.stdout == b"[REDACTED:probe/canary]\n",
        "the honest use failed: {}",
        used.err()
    );
    for name in ["broken.env", "broken.json", "again.env"] {
        std::fs::remove_file(stage.work.join(name)).map_err(Failure::io(name))?;
    }
    let files = files_below(&stage.root)?;
    for path in &files {
        let bytes = read(path)?;
        let seen = contains(&bytes, canary.as_bytes())
            || stage
                .values
                .iter()
                .any(|value| contains(&bytes, value.as_bytes()));
        must!(!seen, "a value is in {}", path.display());
    }
    Ok(Verdict::held(format!(
        "no value in {} failures under --debug and {} files",
        failed + 1,
        files.len()
    )))
}
