//! `audit`: verify the log, take it out, prune it.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;
use subrosa_engine::{Filter, Format, Report};
use subrosa_model::Timestamp;

use super::list::second;
use super::log::Choice;
use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files::Target;
use crate::progress::Progress;
use crate::text::{count, plain};
use crate::when::When;

/// The audit log as evidence: verify it, export it, prune it
///
/// To read it, see `subrosa log`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa audit verify
  subrosa audit export --format csv -o log.csv
  subrosa audit prune --before 365d")]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Verify every record against the keys, the vault and the anchor
    ///
    /// Exits with 1 when anything is wrong. It also says what cannot be told: putting back an
    /// earlier copy of the vault's folder and of the anchor together is not detected.
    #[command(after_help = "\
Examples:
  subrosa audit verify
  subrosa audit verify --json
  subrosa audit verify --accept        after you put an earlier copy back yourself")]
    Verify {
        /// Take an earlier state as it is, with your passphrase, and anchor the log anew
        #[arg(long)]
        accept: bool,
    },
    /// Write the log to a file or to standard output
    #[command(
        after_help = "Examples:\n  subrosa audit export --format jsonl >log.jsonl\n  \
        subrosa audit export --format otlp --since 1d -o log.json"
    )]
    Export(Export),
    /// Remove old records, and leave a signed marker of them
    ///
    /// The log must verify, and the rest of it still does afterwards.
    #[command(
        after_help = "Examples:\n  subrosa audit prune --before 365d --dry-run\n  \
        subrosa audit prune --before 2026-01-01"
    )]
    Prune {
        /// Remove what is older: 365d, 2026-01-01
        #[arg(long, value_name = "TIME")]
        before: When,
        /// Say how many records would go, and remove none
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Export {
    /// The form: jsonl, csv, otlp
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", add = Takes::One(&["jsonl", "csv", "otlp"]))]
    format: Format,
    /// The file, which must be new; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    choice: Choice,
}

/// What `--json` gives.
#[derive(Serialize)]
struct Verdict<'a> {
    sound: bool,
    #[serde(flatten)]
    report: &'a Report,
}

impl Audit {
    pub(crate) fn run(self, context: &Context) -> Result<u8, Failure> {
        match self.command {
            Command::Verify { accept } => verify(context, accept),
            Command::Export(export) => export.run(context).map(|()| 0),
            Command::Prune { before, dry_run } => prune(context, before, dry_run).map(|()| 0),
        }
    }
}

fn verify(context: &Context, accept: bool) -> Result<u8, Failure> {
    let mut session = if accept {
        let (session, finding) = context.open_accepting()?;
        match finding {
            Some(finding) => context.out.warn(&format!("accepted: {finding}")),
            None => context.out.notice("there was nothing to accept"),
        }
        session
    } else {
        context.inspect()?
    };
    let progress = Progress::new(&context.out, "records");
    let report = session.verify_log(&mut |done, all| progress.of(done, all))?;
    drop(progress);
    let status = u8::from(!report.is_sound());
    if context.out.json {
        context.out.document(&Verdict {
            sound: report.is_sound(),
            report: &report,
        })?;
        return Ok(status);
    }
    context.out.print(&human(context, &report))?;
    Ok(status)
}

fn human(context: &Context, report: &Report) -> String {
    let paint = context.out.out;
    let mut text = String::new();
    for finding in &report.findings {
        let line = format!(
            "{}\n  {}\n",
            plain(&finding.to_string()),
            finding.fault.remedy()
        );
        text.push_str(&paint.red("WRONG "));
        text.push_str(&line);
    }
    if report.omitted > 0 {
        text.push_str(&format!("and {} more\n", report.omitted));
    }
    let verdict = if report.is_sound() {
        paint.green("sound")
    } else {
        paint.red("NOT sound")
    };
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let span = match (report.since, report.until) {
        (Some(since), Some(until)) => format!(", {} to {}", second(since), second(until)),
        _ => String::new(),
    };
    text.push_str(&format!(
        "The log is {verdict}: {} ({} to {}){span}, {}.\n",
        count(number(report.rows), "record"),
        report.first,
        report.last,
        count(number(report.checkpoints), "signed checkpoint"),
    ));
    if report.pruned > 0 {
        text.push_str(&format!(
            "{} pruned before.\n",
            count(number(report.pruned), "record")
        ));
    }
    if report.lost > 0 {
        text.push_str(&format!(
            "{} could not be written.\n",
            count(number(report.lost), "completion record")
        ));
    }
    text.push_str(&format!(
        "Anchor: {}; {}.\n",
        report.strength.name(),
        report.undetected
    ));
    text
}

impl Export {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.open(Need::Any)?;
        let filter = self.choice.filter(context);
        let mut target = Target::new(&context.out, self.output.as_deref())?;
        let written = {
            let mut buffered = std::io::BufWriter::new(&mut target.file);
            session.export_log(self.format, &filter, &mut buffered)
        };
        let written = match written {
            Ok(written) => written,
            Err(error) => {
                target.discard();
                return Err(error.into());
            }
        };
        if let Some(path) = target.path() {
            let many = count(usize::try_from(written).unwrap_or(usize::MAX), "record");
            context.out.done(&format!("{many} in {}", path.display()));
        }
        target.keep()?;
        Ok(session.close()?)
    }
}

/// Counts what a pruning would remove.
fn would_prune(context: &Context, before: Timestamp) -> Result<(), Failure> {
    let mut session = context.open(Need::Any)?;
    let filter = Filter {
        until: Some(before),
        ..Filter::default()
    };
    let older = session.export_log(Format::Jsonl, &filter, &mut std::io::sink())?;
    session.close()?;
    if context.out.json {
        return context
            .out
            .document(&json!({ "would_remove": older, "before": before }));
    }
    let many = count(usize::try_from(older).unwrap_or(usize::MAX), "record");
    context.out.done(&format!(
        "{many} from before {} would be removed; nothing was changed",
        second(before)
    ));
    Ok(())
}

fn prune(context: &Context, before: When, dry_run: bool) -> Result<(), Failure> {
    let now = context.now();
    let before = before.ago(now);
    if before > now {
        return Err(Failure::usage(format!(
            "--before {} lies in the future, and the whole log would be removed",
            second(before)
        ))
        .remedy("name a time that is past: subrosa audit prune --before 365d"));
    }
    if dry_run {
        return would_prune(context, before);
    }
    let mut session = context.open(Need::Presence)?;
    let progress = Progress::new(&context.out, "records");
    let removed = session.prune_log(before, &mut |done, all| progress.of(done, all))?;
    drop(progress);
    session.close()?;
    if context.out.json {
        return context
            .out
            .document(&json!({ "removed": removed, "before": before }));
    }
    let many = count(usize::try_from(removed).unwrap_or(usize::MAX), "record");
    context
        .out
        .done(&format!("{many} from before {} removed", second(before)));
    Ok(())
}
