//! `policy`: what is allowed, and why.

mod editor;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use subrosa_engine::{Explanation, PolicyInForce, TestResult};

use super::run::Choice;
use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files;
use crate::text::{count, indented, plain};

/// Look at the policy: what is allowed, and why
///
/// Without a policy of yours, no command may use a secret. Replace it with `subrosa apply`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa policy show
  subrosa policy explain -k api/key -- git push origin main
  subrosa policy check policy.yaml
  subrosa policy edit

A policy:
  version: 1
  default_action: deny
  rules:
    - allow: run
      command: git
      args: [\"push\", \"origin\", \"*\"]    # `*` one argument, `**` the rest
      secrets: [\"github/**\"]
      inject: env                        # env, file, stdin")]
pub(crate) struct Policy {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the policy in force
    #[command(
        after_help = "Examples:\n  subrosa policy show >policy.yaml\n  subrosa policy show --builtin"
    )]
    Show {
        /// The policy of a vault that has none of its own
        #[arg(long)]
        builtin: bool,
    },
    /// Say whether a file is a policy, and what in it has no effect
    ///
    /// Needs no vault for a file. Without one it checks the policy in force.
    #[command(after_help = "Examples:\n  subrosa policy check policy.yaml\n  subrosa policy check")]
    Check {
        /// The policy; `-` is standard input
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Say what would be decided about a command, and why; nothing is started
    #[command(
        after_help = "Examples:\n  subrosa policy explain -k api/key -- sh -c 'echo $API_KEY'"
    )]
    Explain(Explain),
    /// Try the tests of a policy
    ///
    /// Exits with 1 when one fails.
    #[command(after_help = "Examples:\n  subrosa policy test\n  subrosa policy test policy.yaml")]
    Test {
        /// The policy; `-` is standard input; without it, the policy in force
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Change the policy in your editor ($VISUAL, $EDITOR), then apply it
    #[command(
        after_help = "Examples:\n  subrosa policy edit\n  EDITOR='code --wait' subrosa policy edit"
    )]
    Edit,
}

#[derive(Debug, clap::Args)]
struct Explain {
    #[command(flatten)]
    choice: Choice,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", required = true, last = true, add = Takes::Command)]
    command: Vec<OsString>,
}

impl Policy {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        match self.command {
            Command::Show { builtin } => show(context, builtin).map(|()| 0),
            Command::Check { file } => check(context, file),
            Command::Explain(explain) => explain.run(context).map(|()| 0),
            Command::Test { file } => test(context, file),
            Command::Edit => edit(context).map(|()| 0),
        }
    }
}

/// The policy in force, with the text that it has or would have.
fn in_force(context: &Context) -> Result<PolicyInForce, Failure> {
    let session = context.open(Need::Any)?;
    let (policy, mut found) = session.policy();
    if found.text.is_empty() {
        found.text = policy.to_yaml();
    }
    session.close()?;
    Ok(found)
}

fn show(context: &Context, builtin: bool) -> Result<(), Failure> {
    let found = if builtin {
        PolicyInForce {
            revision: 0,
            text: subrosa_engine::Policy::default().to_yaml(),
        }
    } else {
        in_force(context)?
    };
    if context.out.json {
        return context.out.document(&found);
    }
    let newline = if found.text.ends_with('\n') { "" } else { "\n" };
    context.out.print(&format!("{}{newline}", found.text))
}

/// The policy in a file.
fn read(context: &Context, file: &Path) -> Result<subrosa_engine::Policy, Failure> {
    let text = files::text(context, file)?;
    subrosa_engine::Policy::parse(&text).map_err(|error| Failure::from(error).in_policy(file))
}

fn check(context: &Context, file: Option<PathBuf>) -> Result<u8, Failure> {
    let policy = match file {
        Some(file) => read(context, &file)?,
        None => subrosa_engine::Policy::parse(&in_force(context)?.text)?,
    };
    let warnings = policy.warnings();
    let tests = policy.run_tests();
    let failed = tests.iter().filter(|test| !test.passed).count();
    if context.out.json {
        let warnings: Vec<Value> = warnings
            .iter()
            .map(|warning| json!({ "rule": warning.rule.to_string(), "message": warning.message }))
            .collect();
        context.out.document(&json!({
            "rules": policy.rules().count(),
            "warnings": warnings,
            "tests": tests_as_json(&tests),
        }))?;
        return Ok(u8::from(failed > 0));
    }
    for warning in &warnings {
        context.out.warn(&plain(&warning.to_string()));
    }
    let rules = count(policy.rules().count(), "rule");
    context.out.print(&format!(
        "It is a policy, with {rules} and {}.\n",
        count(tests.len(), "test")
    ))?;
    report_tests(context, &tests)
}

fn test(context: &Context, file: Option<PathBuf>) -> Result<u8, Failure> {
    let tests = match file {
        Some(file) => read(context, &file)?.run_tests(),
        None => {
            let session = context.open(Need::Any)?;
            let tests = session.test_policy(None)?;
            session.close()?;
            tests
        }
    };
    if context.out.json {
        context.out.document(&tests_as_json(&tests))?;
        return Ok(u8::from(tests.iter().any(|test| !test.passed)));
    }
    if tests.is_empty() {
        context
            .out
            .done("It has no tests. Add some under `tests:`; see spec/policy.md.");
    }
    report_tests(context, &tests)
}

fn report_tests(context: &Context, tests: &[TestResult]) -> Result<u8, Failure> {
    let paint = context.out.out;
    let mut text = String::new();
    for test in tests {
        let name = plain(&test.name);
        if test.passed {
            text.push_str(&format!("{}    {name}\n", paint.green("ok")));
        } else {
            text.push_str(&format!(
                "{}  {name}\n  {}\n",
                paint.red("FAIL"),
                indented(&plain(&test.message))
            ));
        }
    }
    context.out.print(&text)?;
    Ok(u8::from(tests.iter().any(|test| !test.passed)))
}

fn tests_as_json(tests: &[TestResult]) -> Value {
    tests
        .iter()
        .map(|test| {
            json!({
                "name": test.name,
                "passed": test.passed,
                "expected": test.expected,
                "verdict": test.decision.verdict,
                "rule": test.decision.rule.to_string(),
                "message": test.message,
            })
        })
        .collect()
}

impl Explain {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let options = self
            .choice
            .options(context, self.command, Vec::new(), None)?;
        let mut session = context.open(Need::Any)?;
        let explanation = session.explain_run(&options)?;
        session.close()?;
        if context.out.json {
            return context.out.document(&explanation_as_json(&explanation));
        }
        let mut text = format!("{explanation}\n");
        let remedy = &explanation.decision.remedy;
        if !remedy.is_empty() {
            text.push_str(&format!("{remedy}\n"));
        }
        context.out.print(&text)
    }
}

fn explanation_as_json(explanation: &Explanation) -> Value {
    let decision = &explanation.decision;
    let steps: Vec<Value> = explanation
        .steps
        .iter()
        .map(|step| {
            json!({
                "rule": step.rule.to_string(),
                "effect": step.effect.to_string(),
                "applies": step.applies,
                "why": step.why,
                "decisive": step.decisive,
            })
        })
        .collect();
    json!({
        "verdict": decision.verdict,
        "rule": decision.rule.to_string(),
        "reason": decision.reason,
        "remedy": decision.remedy,
        "inject": decision.inject,
        "steps": steps,
    })
}

fn edit(context: &Context) -> Result<(), Failure> {
    let before = in_force(context)?.text;
    let mut text = before.clone();
    loop {
        text = editor::edit(context, &text)?;
        if text == before {
            context.out.done("Nothing was changed.");
            return Ok(());
        }
        match subrosa_engine::Policy::parse(&text) {
            Ok(_) => return super::apply::put(context, &text, false),
            Err(error) => editor::again(context, Failure::from(error))?,
        }
    }
}
