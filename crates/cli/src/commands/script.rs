//! `script`: Feather scripts, in which secrets are tainted.
#![allow(
    clippy::disallowed_methods,
    reason = "writes the memo, and to standard error"
)]

mod check;

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::io::fcntl_dupfd_cloexec;
use subrosa_engine::private_folder;
use subrosa_engine::scripts::run::{self, Ending};
use subrosa_engine::scripts::syntax::{self, Diagnostic, MAX_SCRIPT, Source, ast};
use subrosa_engine::scripts::{Surroundings, ephemeral, on_vault};

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::output::complain;
use check::CheckScript;

/// The exit statuses of `run`; of a script with errors in `check` and `fmt`, and of one in `check`
/// that `run` would refuse.
const FAILED: u8 = 1;
const WRONG: u8 = 2;
const REFUSED: u8 = 3;
const RISK_IN_CI: u8 = 4;

/// Bytes of stack for a script: what its deepest blocks and calls take, several times.
const STACK: usize = 64 << 20;

/// Run a script in which secrets cannot leave by accident, check it, or lay it out
#[derive(Debug, clap::Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  subrosa script check deploy.sky
  subrosa script run deploy.sky
  subrosa script fmt deploy.sky")]
pub(crate) struct Script {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Run(RunScript),
    Check(CheckScript),
    Fmt(Fmt),
}

/// Run a Feather script, with a vault of its own that is gone when it ends
///
/// What derives from a vault entry is shown as eight asterisks or refused, unless the statement says
/// `sensitive … with risk`. No vault folder, daemon or passphrase is needed. Where CI is set, a script
/// that says `with risk` is refused without --allow-risk.
///
/// With --vault it uses your own vault: names are keys (`db/main#password`), what it stores stays, and
/// what it lets out needs a rule `allow: script` as well.
///
/// The exit status is 0 for `success`, 1 for `failure` or what failed, 2 for a script that does not
/// parse, 3 for a secret that was to leave, 4 for `with risk` in CI.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa script run deploy.sky
  subrosa script run deploy.sky --memo deploy.memo
  subrosa script run --vault deploy.sky
  CI=1 subrosa script run deploy.sky --allow-risk")]
pub(crate) struct RunScript {
    /// The script; its name ends in .sky by custom
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the memo, a line for each statement, into this file [default: script.memo in the state
    /// folder]
    #[arg(long, value_name = "FILE")]
    memo: Option<PathBuf>,
    /// Let a script that says `with risk` run where CI is set
    #[arg(long)]
    allow_risk: bool,
    /// Use your own vault: its policy has to allow `script` for what the script lets out
    #[arg(long, conflicts_with = "ephemeral")]
    vault: bool,
    /// Use a vault that ends with the script, which is the default
    #[arg(long)]
    ephemeral: bool,
}

/// Lay a Feather script out in the one canonical way
///
/// The file is replaced where that changes it; comments stay where they are. A script that does not
/// parse is left as it is, and the exit status is 2.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa script fmt deploy.sky
  subrosa script fmt --check deploy.sky")]
pub(crate) struct Fmt {
    /// The script
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Change nothing; the exit status is 1 where the file would be changed
    #[arg(long)]
    check: bool,
}

impl Script {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        match self.action {
            Action::Run(run) => run.run(context),
            Action::Check(check) => check.run(context),
            Action::Fmt(fmt) => fmt.run(context),
        }
    }
}

/// The text of a script, of which no more is read than may be one.
fn read(path: &Path) -> Result<Source, Failure> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(Failure::io(name.clone()))?;
    let most = u64::try_from(MAX_SCRIPT)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    let read = file.take(most).read_to_end(&mut bytes);
    read.map_err(Failure::io(name.clone()))?;
    Ok(Source::from_bytes(&name, &bytes))
}

/// Does it where blocks and calls within each other have more of a stack than on the first thread.
fn on_a_stack<T: Send>(work: impl FnOnce() -> Result<T, Failure> + Send) -> Result<T, Failure> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let done = thread.spawn_scoped(scope, work);
        match done.map_err(Failure::io("starting a thread"))?.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

impl RunScript {
    fn run(self, context: &Context) -> Result<u8, Failure> {
        let source = read(&self.file)?;
        let mut memo = self.open_memo(context)?;
        let script = match syntax::parse(source) {
            Ok(script) => script,
            Err(errors) => {
                for error in &errors.diagnostics {
                    self.note(context, &mut memo, &errors.source, error);
                }
                complain(&errors.render());
                return Ok(WRONG);
            }
        };
        if !self.allow_risk
            && is_in_ci(context)
            && let Some(span) = run::first_risk(&script)
        {
            let hint = format!(
                "if it may reveal its secrets here: subrosa script run --allow-risk {}",
                crate::text::shell_word(script.source.name()),
            );
            let message = "`with risk` needs --allow-risk where CI is set";
            let error = Diagnostic::error("risk-in-ci", message, span).hint(hint);
            self.note(context, &mut memo, &script.source, &error);
            complain(&error.render(&script.source));
            return Ok(RISK_IN_CI);
        }
        on_a_stack(|| self.run_parsed(context, &script, memo))
    }

    fn run_parsed(
        self,
        context: &Context,
        script: &ast::Script,
        memo: Option<BufWriter<File>>,
    ) -> Result<u8, Failure> {
        let directory = std::env::current_dir().map_err(Failure::io("the working directory"))?;
        let input = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)
            .or_else(|_| File::open("/dev/null").map(Into::into))
            .map_err(Failure::io("standard input"))?;
        let home = &context.home;
        let surroundings = Surroundings {
            name: self.file.display().to_string(),
            directory,
            closed: vec![home.data.clone(), home.state.clone()],
            variables: context.variables(),
            input,
            out: Box::new(BufWriter::new(context.out.data()?)),
            err: Box::new(BufWriter::new(std::io::stderr())),
        };
        let mut world = if self.vault {
            on_vault(context.open(Need::Any)?, surroundings)?
        } else {
            ephemeral(context.effects.clone(), surroundings)?
        };
        let mut nowhere = std::io::sink();
        let mut memo = memo;
        let report = match &mut memo {
            Some(memo) => run::run(script, &mut world, memo),
            None => run::run(script, &mut world, &mut nowhere),
        };
        world.end()?;
        if let Some(diagnostic) = &report.diagnostic {
            complain(&diagnostic.render(&script.source));
        }
        let written = memo.as_mut().map_or(Ok(()), Write::flush);
        if let Some(error) = report.memo_error.or(written.err()) {
            context.out.warn(&format!("the memo is not whole: {error}"));
        }
        Ok(match report.ending {
            Ending::Success => 0,
            Ending::Failure => FAILED,
            Ending::Refused => REFUSED,
        })
    }

    /// The memo. One that was named has to be there; without it a script runs all the same.
    fn open_memo(&self, context: &Context) -> Result<Option<BufWriter<File>>, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        if let Some(path) = &self.memo {
            let file = options.open(path);
            let file = file.map_err(Failure::io(path.display().to_string()))?;
            return Ok(Some(BufWriter::new(file)));
        }
        let path = context.home.state.join("script.memo");
        let made = private_folder(&context.home.state).map_err(|error| error.to_string());
        let file = made.and_then(|_| options.open(&path).map_err(|error| error.to_string()));
        match file {
            Ok(file) => Ok(Some(BufWriter::new(file))),
            Err(error) => {
                context
                    .out
                    .warn(&format!("no memo is written: {}: {error}", path.display()));
                Ok(None)
            }
        }
    }

    /// Why nothing runs, as a line of the memo, which is told as well.
    fn note(
        &self,
        context: &Context,
        memo: &mut Option<BufWriter<File>>,
        source: &Source,
        error: &Diagnostic,
    ) {
        let line = format!("[ERRO] {}\n", error.line(source));
        complain(&line);
        if let Some(memo) = memo
            && let Err(error) = memo.write_all(line.as_bytes()).and_then(|()| memo.flush())
        {
            context.out.warn(&format!("the memo is not whole: {error}"));
        }
    }
}

/// Whether `CI` says that nobody is there.
fn is_in_ci(context: &Context) -> bool {
    let variables = context.variables();
    let ci = variables.iter().find(|(name, _)| name == "CI");
    ci.is_some_and(|(_, value)| !value.is_empty() && value != "0" && value != "false")
}

impl Fmt {
    fn run(self, context: &Context) -> Result<u8, Failure> {
        let source = read(&self.file)?;
        let before = source.text().to_owned();
        let after = match syntax::format(source) {
            Ok(after) => after,
            Err(errors) => {
                complain(&errors.render());
                return Ok(WRONG);
            }
        };
        if after == before {
            return Ok(0);
        }
        let name = self.file.display().to_string();
        if self.check {
            context
                .out
                .warn(&format!("{name} is laid out in another way"));
            return Ok(FAILED);
        }
        replace(&self.file, after.as_bytes()).map_err(Failure::io(name.clone()))?;
        context.out.done(&format!("{name} is laid out anew"));
        Ok(0)
    }
}

/// Replaces a file at once or not at all; it keeps its permissions.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path)?;
    let permissions = std::fs::metadata(&path)?.permissions();
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(name);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(text)?;
        file.set_permissions(permissions)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}
