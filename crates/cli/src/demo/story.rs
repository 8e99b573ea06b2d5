//! What the demonstration tells before and after the attacks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::invented::value;
use super::stage::{Call, Ran, Stage, write};
use crate::failure::Failure;
use crate::text::count;

/// The rules of the demonstration. The last ones are for the attacks, each of which has to fail
/// although a rule allows its command.
fn policy(stage: &Stage) -> String {
    format!(
        r#"version: 1
default_action: deny
rules:
  - allow: run                 # this command line, word for word
    command: sh
    args: ["-c", "echo \"the key is $STRIPE_KEY\""]
    secrets: ["shop/STRIPE_KEY"]
    inject: env
  - allow: run
    command: env
    args: []
    secrets: ["shop/**"]
    inject: env
  - allow: run
    command: git
    args: ["-c", "alias.told=!echo git was told $GITHUB_TOKEN", "told"]
    secrets: ["shop/GITHUB_TOKEN"]
    inject: env
  - allow: run
    command: sh
    args: ["-c", "curl -sS \"file:///nowhere/$STRIPE_KEY\""]
    secrets: ["shop/STRIPE_KEY"]
    inject: env
  - allow: run
    command: sh
    args: ["-c", "echo $X"]
    secrets: ["probe/**"]
    inject: env
  - allow: run
    command: "{}/harmless"
    args: ["**"]
    secrets: ["shop/**"]
    inject: env
  - allow: run
    command: greet
    args: ["**"]
    secrets: ["shop/**"]
    inject: env
"#,
        stage.work.display()
    )
}

/// A vault, a .env, and commands that use it.
pub(super) fn tell(stage: &mut Stage) -> Result<(), Failure> {
    heading(
        stage,
        1,
        &format!("A vault that is thrown away, in {}", stage.root.display()),
    )?;
    let made = shown(stage, stage.call(&["init"]))?;
    expect(&made, "init")?;
    let code = recovery_code(&made.err())
        .ok_or_else(|| Failure::new("demo", "`init` showed no recovery code"))?;
    say(
        stage,
        "    (its recovery code is shown once; the demonstration goes on with it)\n",
    )?;
    stage.proof = ("--recovery-fd", code);

    heading(stage, 2, "A .env with made-up values becomes secrets")?;
    let values = [
        ("STRIPE_KEY", value("sk_live_", 32)),
        ("GITHUB_TOKEN", value("ghp_", 36)),
        (
            "DATABASE_URL",
            format!("postgres://shop:{}@db.example.com/shop", value("", 24)),
        ),
    ];
    let lines: String = values
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    write(&stage.work.join("shop.env"), lines.as_bytes())?;
    stage.values = values.into_iter().map(|(_, value)| value).collect();
    expect(
        &shown(
            stage,
            stage.call(&["import", "shop.env", "--prefix", "shop/"]),
        )?,
        "import",
    )?;
    std::fs::remove_file(stage.work.join("shop.env")).map_err(Failure::io("shop.env"))?;
    expect(&shown(stage, stage.call(&["ls"]))?, "ls")?;

    heading(stage, 3, "Without a rule, no command gets a value")?;
    let line = [
        "run",
        "-k",
        "shop/STRIPE_KEY",
        "--",
        "sh",
        "-c",
        "echo \"the key is $STRIPE_KEY\"",
    ];
    let refused = shown(stage, stage.call(&line))?;
    if refused.code() != Some(125) {
        return Err(Failure::new(
            "demo",
            "a command without a rule was not refused",
        ));
    }
    write(&stage.work.join("policy.yaml"), policy(stage).as_bytes())?;
    say(
        stage,
        "\n    policy.yaml has that rule now, and some more:\n",
    )?;
    expect(
        &quiet(stage, stage.call(&["apply", "-f", "policy.yaml"]))?,
        "apply",
    )?;

    heading(
        stage,
        4,
        "With a rule, the command gets the value, and nobody sees it",
    )?;
    use_secrets(stage, &line)
}

fn use_secrets(stage: &Stage, line: &[&str]) -> Result<(), Failure> {
    masked(stage, shown(stage, stage.call(line))?)?;
    masked(
        stage,
        shown(stage, stage.call(&["run", "-k", "shop/**", "--", "env"]))?,
    )?;
    if stage.finds("git") {
        let alias = "alias.told=!echo git was told $GITHUB_TOKEN";
        let line = [
            "run",
            "-k",
            "shop/GITHUB_TOKEN",
            "--",
            "git",
            "-c",
            alias,
            "told",
        ];
        masked(stage, shown(stage, stage.call(&line))?)?;
    }
    if stage.finds("curl") {
        let script = "curl -sS \"file:///nowhere/$STRIPE_KEY\"";
        let line = ["run", "-k", "shop/STRIPE_KEY", "--", "sh", "-c", script];
        masked(stage, shown(stage, stage.call(&line))?)?;
    }
    heading(stage, 5, "It attacks itself")
}

/// Runs a call and shows line and output.
fn shown(stage: &Stage, call: Call<'_>) -> Result<Ran, Failure> {
    let line = call.line();
    let ran = quiet(stage, call)?;
    let text = format!(
        "{}{}",
        ran.out(),
        ran.err()
            .lines()
            .filter(|l| !is_once(l))
            .fold(String::new(), |text, l| text + l + "\n")
    );
    let shown: String = text.lines().map(|line| format!("    {line}\n")).collect();
    say(
        stage,
        &format!("  {} {line}\n{shown}", stage.output.out.bold("$")),
    )?;
    Ok(ran)
}

/// Whether a line is about, or is, the recovery code.
fn is_once(line: &str) -> bool {
    line.contains("shown this once") || recovery_code(&format!("shown this once\n{line}")).is_some()
}

fn quiet(stage: &Stage, call: Call<'_>) -> Result<Ran, Failure> {
    let ran = call.run()?;
    // Whatever the demonstration goes on to show was looked through first.
    if stage.shows_a_value(&ran.stdout) || stage.shows_a_value(&ran.stderr) {
        return Err(Failure::new(
            "demo",
            "a value was seen in the output of a command: please report",
        ));
    }
    Ok(ran)
}

/// The command must have run, and its output must have been masked.
fn masked(stage: &Stage, ran: Ran) -> Result<(), Failure> {
    let text = format!("{}{}", ran.out(), ran.err());
    if text.contains("[REDACTED:shop/") && !stage.shows_a_value(text.as_bytes()) {
        return Ok(());
    }
    Err(Failure::new(
        "demo",
        format!(
            "a command that a rule allows did not run as it should: {}",
            ran.ending()
        ),
    ))
}

fn expect(ran: &Ran, what: &str) -> Result<(), Failure> {
    if ran.ok() {
        return Ok(());
    }
    let text = format!(
        "`subrosa {what}` ended with {}: {}",
        ran.ending(),
        ran.err().trim()
    );
    Err(Failure::new("demo", text))
}

/// The code behind the line that announces it.
fn recovery_code(text: &str) -> Option<String> {
    let mut lines = text
        .lines()
        .skip_while(|line| !line.contains("shown this once"));
    let code = lines.nth(1)?.trim();
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-';
    (code.len() > 30 && code.chars().all(plain)).then(|| code.to_owned())
}

fn heading(stage: &Stage, number: u8, text: &str) -> Result<(), Failure> {
    say(
        stage,
        &format!(
            "\n{}\n",
            stage.output.out.bold(&format!("{number}. {text}"))
        ),
    )
}

fn say(stage: &Stage, text: &str) -> Result<(), Failure> {
    if stage.output.json {
        Ok(())
    } else {
        stage.output.print(text)
    }
}

/// What the log says of all that.
pub(super) struct Summary {
    sound: bool,
    records: u64,
    kinds: BTreeMap<String, u64>,
    masked: u64,
}

impl Summary {
    pub(super) fn as_json(&self) -> Value {
        json!({ "sound": self.sound, "records": self.records, "events": self.kinds, "masked": self.masked })
    }

    /// Whether the log verified.
    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }
}

/// Verifies the log and counts what is in it.
pub(super) fn summary(stage: &Stage) -> Result<Summary, Failure> {
    let verified = quiet(stage, stage.call(&["--json", "audit", "verify"]))?;
    let report: Value = serde_json::from_slice(&verified.stdout).map_err(|_| {
        Failure::new(
            "demo",
            format!("the log was not verified: {}", verified.err().trim()),
        )
    })?;
    let log = quiet(stage, stage.call(&["--json", "log", "-n", "100000"]))?;
    let mut summary = Summary {
        sound: report["sound"] == true,
        records: report["rows"].as_u64().unwrap_or(0),
        kinds: BTreeMap::new(),
        masked: 0,
    };
    for line in log.out().lines() {
        let Ok(entry) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let kind = match (entry["event"].as_str(), entry["verdict"].as_str()) {
            (Some("decision"), Some(verdict)) => format!("{verdict} decisions"),
            (Some(event), _) => format!("{event} events"),
            (None, _) => continue,
        };
        *summary.kinds.entry(kind).or_default() += 1;
        summary.masked += entry["redactions"].as_u64().unwrap_or(0);
    }
    Ok(summary)
}

/// What was recorded, and where to go next.
pub(super) fn end(stage: &Stage, summary: &Summary) -> Result<(), Failure> {
    heading(stage, 6, "What was recorded")?;
    let verdict = if summary.is_sound() {
        stage.output.out.green("verifies")
    } else {
        stage.output.out.red("does NOT verify")
    };
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let kinds: Vec<String> = summary
        .kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    say(
        stage,
        &format!(
            "    The audit log {verdict}: {}; {}.\n    Values were masked {}. No record holds one.\n",
            count(number(summary.records), "record"),
            kinds.join(", "),
            count(number(summary.masked), "time"),
        ),
    )?;
    heading(stage, 7, "Where to go next")?;
    let kept = stage.kept().map_or_else(
        || "    The folder of this demonstration is gone.\n".to_owned(),
        |folder| {
            format!(
                "    The folder stays: SUBROSA_HOME={folder}/home (remove it with rm -r {folder})\n"
            )
        },
    );
    say(
        stage,
        &format!(
            "{kept}    subrosa init               make your own vault\n    \
         subrosa import .env        bring your secrets\n    \
         subrosa policy --help      say what may use them\n"
        ),
    )
}
