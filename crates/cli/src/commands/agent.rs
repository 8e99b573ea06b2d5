//! `agent`: programs that act on somebody's behalf, and the tokens by which they are known.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use subrosa_crypto::SecretBuf;
use subrosa_engine::{EngineError, NewToken, REACH_LISTS, Reach, TokenShown, lineage};
use subrosa_model::AgentName;

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files::Target;
use crate::table::Table;
use crate::when::parse_duration;

/// Agents, and the tokens by which they are known
///
/// Whoever shows a token lists, shows and uses secrets through the daemon, as far as the token
/// reaches and rules allow; it never stores, changes or reads one. `agents: [NAME]` in a rule is
/// meant for one agent alone, and a value is handed to an agent's command only where the rule says
/// `exposed: true`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa agent add claude --secrets 'github/**' --commands git,gh --for 8h --here
  SUBROSA_TOKEN=subrosa-agent-… subrosa ls           what the agent sees
  subrosa agent ls
  subrosa agent rm claude")]
pub(crate) struct Agent {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Add(Add),
    /// List tokens: whose, until when, bound to which session, and what they reach
    #[command(
        alias = "list",
        after_help = "Examples:\n  subrosa agent ls\n  subrosa agent ls --json"
    )]
    Ls,
    /// Take away a token, or all tokens of an agent; they are refused from then on
    #[command(alias = "remove", after_help = "Examples:\n  subrosa agent rm claude")]
    Rm {
        /// The agent's name, or the id of one token
        #[arg(value_name = "NAME|ID")]
        which: String,
    },
}

/// Give an agent a token, which is shown once
///
/// It is bound to one session: that of the process that shows it first, or yours with --here. For
/// any other session it is worth nothing. Needs the passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa agent add claude --here
  subrosa agent add ci -w shop -g staging --secrets 'deploy/**' --commands kubectl --for 1h
  subrosa agent add codex --to ~/.codex/subrosa-token
  export SUBROSA_TOKEN=$(subrosa agent add claude --here)")]
struct Add {
    /// The agent
    #[arg(value_name = "NAME")]
    name: AgentName,
    /// Workspaces that it sees [default: the current one]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    workspaces: Vec<String>,
    /// Groups that it sees, beside what their workspace has for all [default: the current one, or any]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    groups: Vec<String>,
    /// Secrets that it sees, as in a rule [default: all of these workspaces]
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    secrets: Vec<String>,
    /// Capabilities that it may use [default: whatever rules allow]
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    capabilities: Vec<String>,
    /// Commands that may get secrets for it [default: whatever rules allow]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    commands: Vec<String>,
    /// How long it is valid
    #[arg(long = "for", value_name = "TIME", default_value = "12h", value_parser = parse_duration)]
    life: Duration,
    /// Bind it to this terminal's session, and to what is started from it
    #[arg(long)]
    here: bool,
    /// Write it to a new file that only you can read, and do not show it
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
}

impl Agent {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.what {
            What::Add(add) => add.run(context),
            What::Ls => {
                let mut access = context.access()?;
                let tokens = access.tokens()?;
                access.close()?;
                if context.out.json {
                    return context.out.document(&tokens);
                }
                context.out.print(&table(&tokens))
            }
            What::Rm { which } => {
                let mut access = context.access()?;
                let gone = access.revoke_tokens(&which)?;
                access.close()?;
                if context.out.json {
                    return context.out.document(&gone);
                }
                let count = gone.len();
                let what = if count == 1 { "token" } else { "tokens" };
                let name = gone.first().map_or(which, |one| one.agent.to_string());
                context
                    .out
                    .done(&format!("{count} {what} of {name} taken away"));
                Ok(())
            }
        }
    }
}

impl Add {
    fn reach(&self, context: &Context) -> Result<Reach, Failure> {
        let scope = context.scope();
        let some = |list: &[String]| (!list.is_empty()).then(|| list.to_vec());
        let own_group = || scope.group.as_ref().map(|group| vec![group.to_string()]);
        let lists = [
            some(&self.workspaces).or_else(|| Some(vec![scope.workspace.to_string()])),
            some(&self.groups).or_else(own_group),
            some(&self.secrets),
            some(&self.capabilities),
            some(&self.commands),
        ];
        let lists: BTreeMap<&str, Option<Vec<String>>> =
            REACH_LISTS.into_iter().zip(lists).collect();
        let reach = Reach::read(|name| lists.get(name).cloned().flatten());
        reach.map_err(|why| Failure::usage(format!("--{why}")))
    }

    fn run(self, context: &Context) -> Result<(), Failure> {
        let reach = self.reach(context)?;
        let leader = match self.here {
            false => None,
            true => Some(lineage(std::process::id()).leader.ok_or_else(|| {
                Failure::usage("no process that leads this session is there; leave --here out")
            })?),
        };
        let mut session = context.open(Need::Presence)?;
        // Before there is a token that could be lost.
        let mut file = match &self.to {
            Some(path) => Some(Target::new(&context.out, Some(path))?),
            None => None,
        };
        let (shown, token) = session.give_token(NewToken {
            agent: self.name,
            reach,
            life: self.life,
            leader,
        })?;
        session.close()?;
        let bound = match shown.bound_to {
            Some(_) => "bound to this session",
            None => "bound to the session from which it is shown first",
        };
        if let Some(mut file) = file.take() {
            let mut line = SecretBuf::copy_from(token.as_slice()).map_err(EngineError::from)?;
            line.extend(
                b"
",
            )
            .map_err(EngineError::from)?;
            let written = file.file.write_all(line.as_slice());
            written.map_err(Failure::io("the token cannot be written"))?;
            file.keep()?;
        }
        if context.out.json {
            let mut document = json!(shown);
            if self.to.is_none() {
                // Shown once, and then known to nobody but its bearer.
                document["token"] = json!(String::from_utf8_lossy(token.as_slice()));
            }
            return context.out.document(&document);
        }
        context.out.done(&format!(
            "{} has a token until {}, {bound}; take it away: subrosa agent rm {}",
            shown.agent, shown.expires, shown.agent
        ));
        match &self.to {
            Some(path) => context.out.done(&format!(
                "The agent shows it with SUBROSA_TOKEN_FILE={}",
                std::path::absolute(path)
                    .unwrap_or_else(|_| path.clone())
                    .display()
            )),
            None => {
                context
                    .out
                    .done("This is shown once; the agent shows it with SUBROSA_TOKEN:");
                let mut line = SecretBuf::copy_from(token.as_slice()).map_err(EngineError::from)?;
                line.extend(b"\n").map_err(EngineError::from)?;
                let mut out = context.out.data()?;
                out.write_all(line.as_slice())
                    .map_err(Failure::io("standard output"))?;
            }
        }
        Ok(())
    }
}

fn table(tokens: &[TokenShown]) -> String {
    let mut table = Table::new(&["AGENT", "UNTIL", "SESSION OF", "REACHES", "TOKEN"]);
    for token in tokens {
        let until = token.expires.to_string();
        let reach = token.reach.iter();
        let reach = reach.map(|(name, list)| format!("{name}: {}", list.join(" ")));
        table.row(&[
            token.agent.to_string(),
            if token.expired {
                "over".to_owned()
            } else {
                until
            },
            token
                .bound_to
                .map_or("nobody yet".to_owned(), |pid| pid.to_string()),
            reach.collect::<Vec<_>>().join(", "),
            token.id.to_string(),
        ]);
    }
    table.render()
}
