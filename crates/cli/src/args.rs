//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use subrosa_model::{GroupName, WorkspaceName};

use crate::commands as does;
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{ColorWhen, Output, complain, fail};
use crate::proofs::Kind;

/// The first page: what to type when nothing was typed.
const FIRST: &str = "\
subrosa keeps secrets, and lets commands use them without anybody seeing them.

Start here:
  subrosa demo                               see it work, on a vault that is thrown away
  subrosa init                               make your vault
  subrosa set api/key                        store a secret; it asks for the value
  subrosa run -k api/key -- COMMAND          run a command that uses it

  subrosa --help                             everything else
";

const AFTER: &str = "\
Start here:
  subrosa demo                               see it work, on a vault that is thrown away
  subrosa init                               make your vault
  subrosa set api/key                        store a secret; it asks for the value
  subrosa run -k api/key -- COMMAND          run a command that uses it

Opening the vault:
  `subrosa unlock` asks for the passphrase once; a daemon keeps the vault open until `subrosa lock`,
  for an hour without a command, or for twelve hours. Without a terminal, one of
    --passphrase-fd N     the passphrase, read to the end of a descriptor: 3<FILE
    --key-file PATH       a file that `subrosa key add key-file` made
    --recovery-fd N       the recovery code that `subrosa init` showed once
    SUBROSA_KEY           a variable with what `subrosa key add environment` showed once
    --age-identity PATH   the identity for which `subrosa key add age` was typed
    --pin-fd N            the PIN for which the TPM opens it, after `subrosa key add tpm`
    --open-with KIND      what config.toml names: see `subrosa key add --help` for the kinds
  With one of these, and with --no-daemon, a command opens the vault itself and uses no daemon.
  What shows a value or loosens anything (read, export, backup, restore, key, apply) needs the
  passphrase, the recovery code or the TPM's PIN: nothing else proves that you are there.

Where things are:
  $SUBROSA_HOME/{data,state,config,run}, or the folders subrosa in $XDG_DATA_HOME, $XDG_STATE_HOME,
  $XDG_CONFIG_HOME and $XDG_RUNTIME_DIR. config.toml may set workspace, group,
  key_file, key_variable, age_identity, key_command, open_with and tpm. A flag wins over the environment, the environment
  over the file.

Exit status:
  0 done, 1 failed, 2 wrong usage, 130 cancelled. `run`: the command's own; 125 when it is refused,
  wrongly used or fails here, 126 and 127 when it cannot be executed or found. `script run`: 1 when
  the script fails, 2 when it does not parse, 3 when a secret was to leave, 4 for `with risk` in CI.";

/// Secrets used, never seen.
#[derive(Debug, Parser)]
#[command(name = "subrosa", version, about = "Secrets used, never seen.", after_help = AFTER, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The workspace in which look-ups begin [default: default]
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        env = "SUBROSA_WORKSPACE",
        hide_env = true,
        add = Takes::Workspace
    )]
    pub(crate) workspace: Option<WorkspaceName>,
    /// The group inside the workspace: an environment or a team
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        env = "SUBROSA_GROUP",
        hide_env = true,
        add = Takes::Group
    )]
    pub(crate) group: Option<GroupName>,
    /// Write machine-readable JSON; errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the passphrase from this file descriptor, to its end
    #[arg(
        long,
        global = true,
        value_name = "N",
        value_parser = crate::descriptor::number,
        conflicts_with = "recovery_fd",
        hide_short_help = true
    )]
    pub(crate) passphrase_fd: Option<u32>,
    /// Read the recovery code from this file descriptor, to its end
    #[arg(
        long,
        global = true,
        value_name = "N",
        value_parser = crate::descriptor::number,
        hide_short_help = true
    )]
    pub(crate) recovery_fd: Option<u32>,
    /// Open the vault with the TPM, and read the PIN from this file descriptor, to its end
    #[arg(
        long,
        global = true,
        value_name = "N",
        value_parser = crate::descriptor::number,
        conflicts_with_all = ["passphrase_fd", "recovery_fd"],
        hide_short_help = true
    )]
    pub(crate) pin_fd: Option<u32>,
    /// Open the vault with this key file
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true)]
    pub(crate) key_file: Option<PathBuf>,
    /// Open the vault with the secret in this variable [default: SUBROSA_KEY]
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub(crate) key_variable: Option<String>,
    /// Open the vault with the age or SSH identity in this file
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true)]
    pub(crate) age_identity: Option<PathBuf>,
    /// Open the vault in this way, and in no other
    #[arg(
        long,
        global = true,
        value_name = "KIND",
        value_enum,
        conflicts_with_all = ["passphrase_fd", "recovery_fd"],
        hide_short_help = true
    )]
    pub(crate) open_with: Option<Kind>,
    /// Accept a vault with another root key than the one known for its folder, with the passphrase
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) accept_root: bool,
    /// Act as the agent whose token is in this file; $SUBROSA_TOKEN holds the token itself
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "SUBROSA_TOKEN_FILE",
        hide_env = true,
        hide_short_help = true
    )]
    pub(crate) token_file: Option<PathBuf>,
    /// Do everything in this process, without a daemon
    #[arg(
        long,
        global = true,
        env = "SUBROSA_NO_DAEMON",
        value_parser = clap::builder::FalseyValueParser::new(),
        hide_env = true,
        hide_short_help = true
    )]
    pub(crate) no_daemon: bool,
    /// Say only what must be said
    #[arg(short, long, global = true, hide_short_help = true)]
    pub(crate) quiet: bool,
    /// Trace what is done on standard error; no value is in it
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) debug: bool,
    /// When to colour; NO_COLOR is honoured
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_short_help = true,
        hide_possible_values = true
    )]
    pub(crate) color: ColorWhen,
}

/// The commands.
#[derive(Debug, Subcommand)]
enum Command {
    Init(does::init::Init),
    Unlock(does::daemon::Unlock),
    Lock(does::daemon::Lock),
    Status(does::status::Status),
    Doctor(does::doctor::Doctor),
    Set(does::set::Set),
    Generate(does::generate::Generate),
    #[command(alias = "list")]
    Ls(does::list::Ls),
    Show(does::show::Show),
    History(does::history::History),
    Edit(does::edit::Edit),
    #[command(alias = "rename")]
    Mv(does::moving::Mv),
    #[command(alias = "remove")]
    Rm(does::moving::Rm),
    Rollback(does::moving::Rollback),
    #[command(alias = "reveal")]
    Read(does::read::Read),
    Run(does::run::Run),
    Redact(does::redact::Redact),
    Scan(does::scan::Scan),
    Script(does::script::Script),
    Import(does::import::Import),
    Export(does::export::Export),
    Key(does::key::Key),
    Backup(does::backup::Backup),
    Restore(does::restore::Restore),
    Agent(does::agent::Agent),
    Apply(does::apply::Apply),
    Policy(does::policy::Policy),
    Log(does::log::Log),
    Audit(does::audit::Audit),
    Daemon(does::daemon::Daemon),
    Demo(does::demo::Demo),
    Completions(does::completions::Completions),
    Man(does::man::Man),
    Reference(does::man::Reference),
    CompleteWords(does::completions::CompleteWords),
}

/// The definition of the command line: help, manual pages, completions and reference come from it.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

impl Global {
    /// The global options of words that may make no sense yet; `None` where they cannot be told.
    pub(crate) fn partly(words: &[OsString]) -> Option<Self> {
        let matches = command().ignore_errors(true).try_get_matches_from(words);
        Self::from_arg_matches(&matches.ok()?).ok()
    }
}

/// Does what was typed.
pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let own = || words.iter().skip(1).take_while(|word| *word != "--");
    let as_json = own().any(|word| word == "--json");
    let cli = match parse(&words) {
        Ok(cli) => cli,
        Err(error) => return misused(&discreet(error), as_json, misuse(&words)),
    };
    let out = Output::new(cli.global.json, cli.global.quiet, cli.global.color);
    if cli.global.debug {
        crate::debug::install();
    }
    match dispatch(cli, out) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => fail(&pointed(failure, &words), as_json),
    }
}

/// Wrong usage that says no better, with the page of the command that was typed.
fn pointed(failure: Failure, words: &[OsString]) -> Failure {
    match subcommand(words) {
        Some(name) if failure.code == "usage" && failure.remedy.is_none() => {
            failure.remedy(format!("See what can be typed: subrosa {name} --help"))
        }
        _ => failure,
    }
}

fn parse(words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(words)?;
    Cli::from_arg_matches(&matches)
}

/// The error without what was typed in a wrong place: it may well be a value, since `set KEY VALUE`
/// is what many try first. Names of options and the choices of an option are no values.
fn discreet(mut error: clap::Error) -> clap::Error {
    let typed = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(text)) => !text.starts_with('-'),
        Some(_) => true,
        None => false,
    };
    let hidden = || ContextValue::String("…".to_owned());
    if error.kind() == ErrorKind::UnknownArgument && typed(&error, ContextKind::InvalidArg) {
        error.insert(ContextKind::InvalidArg, hidden());
        // It says how the same text could be passed as something else.
        error.remove(ContextKind::Suggested);
        if takes_command(&error) {
            let tip = StyledStr::from(COMMAND_LAST);
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
        }
    }
    if let Some(tip) = elsewhere(&error) {
        let tip = StyledStr::from(tip);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    if matches!(error.get(ContextKind::InvalidValue), Some(ContextValue::String(text)) if text.is_empty())
    {
        let tip = StyledStr::from("it is empty: name something, or leave it out");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    let chosen = matches!(error.get(ContextKind::ValidValue),
        Some(ContextValue::Strings(choices)) if !choices.is_empty());
    if !chosen && error.get(ContextKind::InvalidValue).is_some() {
        error.insert(ContextKind::InvalidValue, hidden());
    }
    error
}

/// What to type for an option that is another command's.
fn elsewhere(error: &clap::Error) -> Option<&'static str> {
    let (Some(ContextValue::String(typed)), Some(usage)) = (
        error.get(ContextKind::InvalidArg),
        error.get(ContextKind::Usage),
    ) else {
        return None;
    };
    let usage = usage.to_string();
    match typed.as_str() {
        "--shapes" if usage.contains("subrosa scan") => {
            Some("`scan` looks for shapes in any case; for nothing else: --no-vault")
        }
        "--no-vault" if usage.contains("subrosa redact") => {
            Some("for what looks like a credential alone, without a vault: --shapes")
        }
        _ => None,
    }
}

/// What to do about a command that is typed like one more argument of ours.
const COMMAND_LAST: &str = "put `--` before the command: subrosa run -k KEY -- COMMAND ARGUMENTS";

/// Whether it was a subcommand that ends with a command to run.
fn takes_command(error: &clap::Error) -> bool {
    error
        .get(ContextKind::Usage)
        .is_some_and(|usage| usage.to_string().contains("-- <COMMAND>"))
}

/// The exit status of wrong usage: that of `run` must not look like an answer of the command.
fn misuse(words: &[OsString]) -> u8 {
    if subcommand(words).as_deref() == Some("run") {
        does::run::OURS
    } else {
        2
    }
}

/// The subcommand that was typed, by its own name, also where the rest makes no sense.
fn subcommand(words: &[OsString]) -> Option<String> {
    let cli = Cli::command();
    let takes_value = |named: &dyn Fn(&clap::Arg) -> bool| {
        cli.get_arguments()
            .any(|option| named(option) && option.get_action().takes_values())
    };
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        let has_value = if word == "--" {
            return None;
        } else if let Some(long) = word.strip_prefix("--") {
            takes_value(&|option| option.get_long() == Some(long))
        } else if let Some(short) = word.strip_prefix('-') {
            // What follows the letter in the same word would be its value.
            let valued = |c: char| takes_value(&|option| option.get_short() == Some(c));
            short.chars().position(valued) == short.chars().count().checked_sub(1)
        } else {
            let found = cli.find_subcommand(word.as_ref())?;
            return Some(found.get_name().to_owned());
        };
        if has_value {
            words.next();
        }
    }
    None
}

/// What clap has to say: help, or what is wrong with the arguments.
fn misused(error: &clap::Error, as_json: bool, status: u8) -> ExitCode {
    let wrong = error.use_stderr();
    if wrong && as_json {
        let text = error.to_string();
        // The first paragraph: what is missing stands on lines of its own.
        let lines = text
            .lines()
            .map(str::trim)
            .take_while(|line| !line.is_empty());
        let message = lines.collect::<Vec<_>>().join(" ");
        let remedy = match error.kind() {
            ErrorKind::UnknownArgument if error.to_string().contains(COMMAND_LAST) => COMMAND_LAST,
            _ => "subrosa --help",
        };
        let failure = Failure::usage(message.trim_start_matches("error: "))
            .remedy(remedy)
            .status(status);
        return fail(&failure, true);
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand || !wrong {
        // The one thing that is asked for and printed by clap itself.
        let _ = error.print();
        return ExitCode::from(if wrong { status } else { 0 });
    }
    complain(&error.render().to_string());
    ExitCode::from(status)
}

fn dispatch(cli: Cli, out: Output) -> Result<u8, Failure> {
    let Some(command) = cli.command else {
        out.print(FIRST)?;
        return Ok(0);
    };
    let is_run = matches!(command, Command::Run(_));
    let is_scan = matches!(command, Command::Scan(_));
    let command = match command {
        // These need neither folders nor configuration, and work where both are broken.
        Command::Demo(command) => {
            // It opens nothing with it, and what it starts must not have it.
            drop(crate::variable::take(&[crate::variable::DEFAULT])?);
            return command.run(&out);
        }
        Command::Completions(command) => return command.run(&out).map(|()| 0),
        Command::Man(command) => return command.run(&out).map(|()| 0),
        Command::Reference(command) => return command.run(&out).map(|()| 0),
        Command::CompleteWords(command) => return command.run(&out).map(|()| 0),
        command => command,
    };
    let outcome = Context::new(cli.global, out).and_then(|context| does_it(command, &context));
    match outcome {
        // Whatever fails on our side must not look like an answer of the command.
        Err(failure) if is_run && failure.status < does::run::OURS => {
            Err(failure.status(does::run::OURS))
        }
        // And here not like something found.
        Err(failure) if is_scan && failure.status == 1 => Err(failure.status(does::scan::FAILED)),
        outcome => outcome,
    }
}

fn does_it(command: Command, context: &Context) -> Result<u8, Failure> {
    let done = |outcome: Result<(), Failure>| outcome.map(|()| 0);
    match command {
        Command::Init(command) => done(command.run(context)),
        Command::Unlock(command) => done(command.run(context)),
        Command::Lock(command) => done(command.run(context)),
        Command::Daemon(command) => done(command.run(context)),
        Command::Status(command) => done(command.run(context)),
        Command::Doctor(command) => command.run(context),
        Command::Set(command) => done(command.run(context)),
        Command::Generate(command) => done(command.run(context)),
        Command::Ls(command) => done(command.run(context)),
        Command::Show(command) => done(command.run(context)),
        Command::History(command) => done(command.run(context)),
        Command::Edit(command) => done(command.run(context)),
        Command::Mv(command) => done(command.run(context)),
        Command::Rm(command) => done(command.run(context)),
        Command::Rollback(command) => done(command.run(context)),
        Command::Read(command) => done(command.run(context)),
        Command::Redact(command) => done(command.run(context)),
        Command::Scan(command) => command.run(context),
        Command::Script(command) => command.run(context),
        Command::Run(command) => command.run(context),
        Command::Import(command) => done(command.run(context)),
        Command::Export(command) => done(command.run(context)),
        Command::Key(command) => done(command.run(context)),
        Command::Backup(command) => done(command.run(context)),
        Command::Restore(command) => done(command.run(context)),
        Command::Agent(command) => done(command.run(context)),
        Command::Apply(command) => done(command.run(context)),
        Command::Policy(command) => command.run(context),
        Command::Log(command) => done(command.run(context)),
        Command::Audit(command) => command.run(context),
        Command::Demo(command) => command.run(&context.out),
        Command::Completions(command) => done(command.run(&context.out)),
        Command::Man(command) => done(command.run(&context.out)),
        Command::Reference(command) => done(command.run(&context.out)),
        Command::CompleteWords(command) => done(command.run(&context.out)),
    }
}
