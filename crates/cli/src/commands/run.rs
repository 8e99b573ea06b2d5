//! `run`: a command that uses secrets.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use subrosa_engine::{Ending, Limit, ListFilter, RunOptions, RunOutcome};
use subrosa_model::{Inject, ProcessLimits, VarName};

use crate::access::Access;
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::near::missed;
use crate::output::complain;
use crate::target::{Bind, Target};
use crate::trouble::Trouble;
use crate::when::parse_duration;

pub(crate) use crate::trouble::OURS;

/// Run a command with secrets; its output shows none of them
///
/// The policy must allow this command line to use these secrets; when it does not, the message
/// says what would. Standard input, output and error are the command's own, redacted as they
/// stream. Without -k, the references (subrosa://…) and placeholders in ./.env are resolved.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa run -k github/token -- git push origin main
  subrosa run -k 'aws/**' --timeout 5m -- terraform plan
  subrosa run --bind PGPASSWORD=db/main#password -- psql -h db.example.com
  subrosa run --inject file -k tls/key -- sh -c 'server --key \"$TLS_KEY\"'
  subrosa run -- npm test              with the references and placeholders in ./.env

Exit status:
  the command's own, 128 and the signal's number when one ended it; 125 when it is refused,
  wrongly used or fails here, 126 when it cannot be executed, 127 when it is not found.")]
pub(crate) struct Run {
    #[command(flatten)]
    choice: Choice,
    /// Let the command have this variable of yours; repeat for several
    #[arg(long, value_name = "NAME")]
    env: Vec<VarName>,
    /// End the command after this time: 30s, 5m, 2h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Confine the command: auto, off (strict is not built: part 5)
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Sandbox::Auto, hide_possible_values = true)]
    sandbox: Sandbox,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", required = true, last = true, add = Takes::Command)]
    command: Vec<OsString>,
}

/// Which secrets, and how they arrive.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// Secrets to use: a key, key#field, a pattern over keys, a reference; repeat for several
    #[arg(short = 'k', long = "key", value_name = "PATTERN", add = Takes::Part)]
    keys: Vec<String>,
    /// How values arrive: env, file, stdin, placeholder; without it, as the policy allows
    #[arg(long, value_name = "HOW", add = Takes::One(&["env", "file", "stdin", "placeholder"]))]
    inject: Option<Inject>,
    /// Bind one value to a variable: PGPASSWORD=db/main#password; repeat for several
    #[arg(long, value_name = "VAR=KEY[#FIELD]", add = Takes::Binding)]
    bind: Vec<Bind>,
    /// Resolve the references and placeholders in this file; repeat for several
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sandbox {
    /// What there is: a clean environment and limits, as yet
    Auto,
    /// Nothing, and refuse nothing for the lack of it
    Off,
    /// Not built
    Strict,
}

impl Choice {
    /// What to run with it.
    pub(super) fn options(
        self,
        context: &Context,
        command: Vec<OsString>,
        pass: Vec<VarName>,
        timeout: Option<Duration>,
    ) -> Result<RunOptions, Failure> {
        Ok(RunOptions {
            command,
            patterns: self.keys,
            binds: self
                .bind
                .into_iter()
                .map(|bind| (bind.variable, bind.what))
                .collect(),
            env_files: Some(self.env_file),
            inject: self.inject,
            pass,
            limits: ProcessLimits {
                timeout,
                ..ProcessLimits::default()
            },
            variables: context.variables(),
            directory: context.directory()?,
            mask: Some(context.mask()),
            inherited: None,
        })
    }
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        if self.sandbox == Sandbox::Strict {
            return Err(
                Failure::new("not_built", "--sandbox strict: not built: part 5").remedy(
                    "--sandbox auto says what is in force as yet: a clean environment and limits",
                ),
            );
        }
        let name = self
            .command
            .first()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let timeout = self.timeout;
        let options = self
            .choice
            .options(context, self.command, self.env, timeout)?;
        unset(context, &options);
        let mut vault = context.access()?;
        let own: Vec<VarName> = options.pass.clone();
        let outcome = match vault.run(options) {
            Err(trouble) => return Err(explained(&mut vault, &own, trouble)),
            Ok(outcome) => outcome,
        };
        vault.close()?;
        say(context, &name, &outcome, timeout);
        Ok(outcome.report.exit_status())
    }
}

/// Says which variables were asked for and are not there to be passed on.
fn unset(context: &Context, options: &RunOptions) {
    for name in &options.pass {
        if !options
            .variables
            .iter()
            .any(|(known, _)| known == name.as_str())
        {
            context.out.notice(&format!(
                "--env {name}: it is not set here, and not passed on"
            ));
        }
    }
}

/// The failure, with the secret that it is about where the engine does not name it.
fn explained(vault: &mut Access, own: &[VarName], trouble: Trouble) -> Failure {
    if let Some(name) = &trouble.variable
        && !own.iter().any(|passed| passed.as_str() == &**name)
        && let Some(bound) = bound_to(vault, name)
    {
        return failed(trouble).remedy(format!(
            "{bound} is bound to it; bind another: subrosa edit {} --bind {}NAME",
            bound.key,
            if bound.field.is_default() {
                String::new()
            } else {
                format!("{}=", bound.field)
            }
        ));
    }
    match trouble.missing {
        Some(_) => missed(vault, "", trouble).status(OURS),
        None => failed(trouble),
    }
}

/// The secret that stands for a variable.
fn bound_to(vault: &mut Access, variable: &str) -> Option<Target> {
    let listed = vault.list(&ListFilter::default()).ok()?;
    listed.into_iter().find_map(|one| {
        let shown = vault.show(&one.key).ok()?;
        let field = shown
            .about
            .into_iter()
            .find(|field| field.variable.as_str() == variable)?;
        Some(Target {
            key: one.key,
            field: field.name,
        })
    })
}

/// A refusal says how it would be allowed; a command that cannot be started has a status of its
/// own.
fn failed(trouble: Trouble) -> Failure {
    let mut failure = trouble.failure.status(trouble.run_status);
    if let (true, Some(remedy)) = (trouble.by_policy, &mut failure.remedy) {
        remedy.push_str(
            "\nor in a file: subrosa policy show >policy.yaml, add the rule, subrosa apply -f policy.yaml",
        );
    }
    failure
}

/// What the exit status alone does not tell.
fn say(context: &Context, name: &str, outcome: &RunOutcome, timeout: Option<Duration>) {
    let report = &outcome.report;
    for warning in &outcome.warnings {
        context.out.warn(warning);
    }
    if context.out.json {
        complain(&format!("{}\n", as_json(outcome)));
        return;
    }
    match report.ending {
        Ending::Limited(Limit::Timeout) => {
            // The stricter limit counts, and only ours can have been reached by then.
            let which = match timeout.filter(|timeout| report.duration >= *timeout) {
                Some(timeout) => format!("{}s (--timeout)", timeout.as_secs()),
                None => "its rule or the default lets it".to_owned(),
            };
            complain(&format!(
                "subrosa: {name} ran longer than {which} and was ended\n"
            ));
        }
        Ending::Limited(limit) => complain(&format!("subrosa: {name} {}\n", limit.reason())),
        Ending::Abandoned => complain(&format!(
            "subrosa: {name} was ended, since whoever it ran for went away\n"
        )),
        _ => {}
    }
    if let Some(errno) = report.output_error {
        complain(&format!(
            "subrosa: the output of {name} could not be written: {}\n  try: Make room, or send it \
             elsewhere; the command may have done its work.\n",
            std::io::Error::from_raw_os_error(errno)
        ));
    }
    if report.truncated {
        context
            .out
            .warn("output was left out: there was more than the limit");
    }
    if report.stragglers_killed > 0 {
        let many = if report.stragglers_killed == 1 {
            "process"
        } else {
            "processes"
        };
        context.out.notice(&format!(
            "{} {many} left behind by {name}: ended",
            report.stragglers_killed
        ));
    }
}

/// The account of a run, as the last line on standard error under `--json`.
fn as_json(outcome: &RunOutcome) -> serde_json::Value {
    let report = &outcome.report;
    let (ending, number) = match report.ending {
        Ending::Exited(status) => ("exited", Some(status)),
        Ending::Signalled(signal) => ("signalled", Some(signal)),
        Ending::Limited(_) => ("limited", None),
        _ => ("abandoned", None),
    };
    let limit = match report.ending {
        Ending::Limited(limit) => Some(limit.reason()),
        _ => None,
    };
    let redactions: Vec<_> = report
        .redactions
        .iter()
        .map(|(key, count)| json!({ "key": key, "count": count }))
        .collect();
    json!({ "run": {
        "ending": ending,
        "number": number,
        "limit": limit,
        "exit_status": report.exit_status(),
        "used": outcome.used,
        "redacted": report.redacted,
        "redactions": redactions,
        "stdout_bytes": report.stdout_bytes,
        "stderr_bytes": report.stderr_bytes,
        "truncated": report.truncated,
        "output_error": report.output_error,
        "stragglers_killed": report.stragglers_killed,
        "duration_ms": u64::try_from(report.duration.as_millis()).unwrap_or(u64::MAX),
    }})
}
