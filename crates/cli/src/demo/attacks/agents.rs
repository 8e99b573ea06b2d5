//! Attacks by agents: tokens beyond what they are for, and guesses at values.

use std::io::Read;

use serde_json::Value;

use super::must;
use crate::demo::invented;
use crate::demo::served::Served;
use crate::demo::stage::{Call, Ran, Stage};
use crate::demo::verdict::Verdict;
use crate::failure::Failure;

const PRINT: &str = "echo $STRIPE_KEY";
const SLOWLY: &str = "echo first $STRIPE_KEY; sleep 1; echo last";
const TOKEN: &str = "SUBROSA_TOKEN";

/// An installation with rules for the agent `claude`.
fn with_rules<'a>(stage: &'a Stage, name: &str) -> Result<Served<'a>, Failure> {
    let served = Served::open(stage, name)?;
    let rule = |line: &str| {
        format!(
            "  - {{ allow: run, command: sh, args: [\"-c\", {line:?}], secrets: [\"**\"], \
             inject: env, agents: [claude], exposed: true }}\n"
        )
    };
    let rules = [PRINT, SLOWLY].map(rule).concat();
    served.apply(&format!("version: 1\nrules:\n{rules}"))?;
    Ok(served)
}

/// Gives an agent a token.
fn token(served: &Served<'_>, options: &[&str]) -> Result<String, Failure> {
    let mut words = vec!["--json", "agent", "add", "claude"];
    words.extend(options);
    let ran = served.proven(&words).run()?;
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    let token = told["token"].as_str().filter(|_| ran.ok());
    token
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("demo", format!("no token was given: {}", ran.err().trim())))
}

fn print_by(served: &Served<'_>, token: &str) -> Result<Ran, Failure> {
    let words = ["run", "-k", "shop/STRIPE_KEY", "--", "sh", "-c", PRINT];
    served.call(&words).variable(TOKEN, token).run()
}

/// Row 35: a token is used beyond its scope and its life.
pub(super) fn beyond(stage: &Stage) -> Result<Verdict, Failure> {
    let served = with_rules(stage, "tokens")?;
    let own = token(&served, &["--secrets", "shop/STRIPE_KEY", "--here"])?;
    fn by<'a>(call: Call<'a>, token: &str) -> Result<Ran, Failure> {
        call.variable(TOKEN, token).run()
    }
    let listed = by(served.call(&["ls", "--all"]), &own)?;
    must!(
        listed.ok() && listed.out().contains("shop/STRIPE_KEY"),
        "a token is good for nothing: {}",
        listed.err()
    );
    must!(
        !listed.out().contains("GITHUB_TOKEN"),
        "a token shows what it does not reach"
    );
    let used = print_by(&served, &own)?;
    must!(
        used.out() == "[REDACTED:shop/STRIPE_KEY]\n",
        "an agent's own command did not run: {}",
        used.err()
    );
    // What only a person does, with the code that opens the vault beside the token too.
    let actions: [&[&str]; 10] = [
        &["set", "shop/STRIPE_KEY", "--stdin"],
        &["rm", "shop/STRIPE_KEY"],
        &["mv", "shop/STRIPE_KEY", "shop/MOVED"],
        &["read", "shop/STRIPE_KEY"],
        &["export"],
        &["key", "ls"],
        &["apply", "-f", "/dev/null"],
        &["log"],
        &["agent", "add", "claude"],
        &["daemon", "stop"],
    ];
    for words in actions {
        for call in [served.call(words), served.proven(words).through_daemon()] {
            let ran = by(call, &own)?;
            must!(
                !ran.ok() && !stage.shows_a_value(&ran.stdout),
                "an agent may `{}`",
                words.join(" ")
            );
        }
    }
    for words in [
        &["-w", "other", "ls"][..],
        &["show", "shop/GITHUB_TOKEN"],
        &["run", "-k", "shop/GITHUB_TOKEN", "--", "sh", "-c", PRINT],
    ] {
        let ran = by(served.call(words), &own)?;
        must!(
            !ran.ok() && ran.stdout.is_empty(),
            "a token reaches `{}`",
            words.join(" ")
        );
    }
    // The session that shows it first has it.
    let other = token(&served, &[])?;
    let apart = ["setsid".to_owned()];
    let first = by(served.call(&["ls"]).under(&apart), &other)?;
    must!(first.ok(), "a new token is refused: {}", first.err());
    for call in [served.call(&["ls"]).under(&apart), served.call(&["ls"])] {
        let ran = by(call, &other)?;
        must!(
            !ran.ok() && ran.err().contains("another session"),
            "a token works in another session"
        );
    }
    let taken = served.call(&["agent", "rm", "claude"]).run()?;
    must!(
        taken.ok(),
        "the tokens were not taken away: {}",
        taken.err()
    );
    let mut made_up = own.clone().into_bytes();
    if let Some(last) = made_up.last_mut() {
        *last = if *last == b'0' { b'1' } else { b'0' };
    }
    let made_up = String::from_utf8_lossy(&made_up).into_owned();
    for (token, which) in [(own.as_str(), "taken away"), (made_up.as_str(), "made up")] {
        must!(
            !by(served.call(&["ls"]), token)?.ok(),
            "a token that was {which} is accepted"
        );
    }
    must!(served.serves()?, "the daemon does not serve any more");
    Ok(Verdict::held(format!(
        "{} actions of a person, other secrets and sessions, and dead tokens are refused",
        actions.len()
    )))
}

/// Row 43: an agent learns from when its output comes, or from what is masked.
pub(super) fn guesses(stage: &Stage) -> Result<Verdict, Failure> {
    let served = with_rules(stage, "guesses")?;
    let own = token(&served, &["--secrets", "shop/**", "--here"])?;
    let words = ["run", "-k", "shop/STRIPE_KEY", "--", "sh", "-c", SLOWLY];
    let mut child = served.call(&words).variable(TOKEN, &own).spawn()?;
    let mut first = vec![0; 4096];
    let count = match &mut child.stdout {
        Some(out) => out.read(&mut first).map_err(Failure::io("its output"))?,
        None => 0,
    };
    let ended = child
        .wait()
        .map_err(Failure::io("waiting for this program"))?;
    must!(ended.success(), "an agent's own command did not run");
    // The first bytes that come are all of them.
    must!(
        first.get(..count) == Some(b"first [REDACTED:shop/STRIPE_KEY]\nlast\n"),
        "an agent sees its output before the command is over"
    );
    let weak = ["Summer2026!", "correcthorse", "1234567890123456"];
    let store = |value: &str| {
        let call = served.call(&["set", "shop/STRIPE_KEY", "--stdin"]);
        call.input(value).run()
    };
    for value in weak {
        let stored = store(value)?;
        must!(stored.ok(), "a value was not stored: {}", stored.err());
        let ran = print_by(&served, &own)?;
        must!(
            ran.code() == Some(125) && ran.err().contains("guess") && !ran.err().contains(value),
            "a value that can be guessed was handed to an agent"
        );
    }
    let stored = store(&invented::value("sk_live_", 32))?;
    must!(stored.ok(), "a value was not stored: {}", stored.err());
    must!(
        print_by(&served, &own)?.ok(),
        "a random value is refused too"
    );
    Ok(Verdict::held(format!(
        "output comes at the end, and {} values that can be guessed are not handed over",
        weak.len()
    )))
}
