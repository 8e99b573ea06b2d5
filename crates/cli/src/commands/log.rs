//! `log`: what happened, newest last.

mod line;

use std::time::Duration;

use serde::Serialize;
use subrosa_engine::{Body, Entry, EventKind, Filter, Session};
use subrosa_model::{Digest, Verdict};

use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::when::When;

/// How often a followed log is looked at.
const TICK: Duration = Duration::from_millis(500);
/// Most entries that are taken at one look.
const BATCH: usize = 10_000;

/// Show what happened: who used what for what, what was decided, what changed
///
/// With --json, one JSON object a line, with the fields of `subrosa audit export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa log
  subrosa log --key github/ --since 7d
  subrosa log --verdict deny -n 10
  subrosa log -f                       go on as it happens")]
pub(crate) struct Log {
    /// How many entries, the newest
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 50)]
    lines: usize,
    /// Go on as things happen, until interrupted
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    choice: Choice,
}

/// Which entries.
#[derive(Debug, clap::Args)]
pub(super) struct Choice {
    /// Not before: 7d, 2026-11-22, 2026-11-22T10:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Before
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// Only these events: decision, completion, change, unlock
    #[arg(long, value_name = "KIND", add = Takes::One(&["decision", "completion", "change", "unlock"]))]
    kind: Option<EventKind>,
    /// Only events about keys that begin so
    #[arg(long, value_name = "PREFIX", add = Takes::Key)]
    key: Option<String>,
    /// Only events of this caller: operator, agent, or an agent's name
    #[arg(long, value_name = "CALLER")]
    caller: Option<String>,
    /// Only decisions with this verdict
    #[arg(long, value_enum)]
    verdict: Option<Answer>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Answer {
    /// Yes
    Allow,
    /// No
    Deny,
    /// Only with an approval
    Ask,
}

impl Choice {
    pub(super) fn filter(self, context: &Context) -> Filter {
        let now = context.now();
        Filter {
            since: self.since.map(|when| when.ago(now)),
            until: self.until.map(|when| when.ago(now)),
            kind: self.kind,
            key: self.key,
            caller: self.caller,
            verdict: self.verdict.map(|answer| match answer {
                Answer::Allow => Verdict::Allow,
                Answer::Deny => Verdict::Deny,
                Answer::Ask => Verdict::Ask,
            }),
        }
    }
}

/// What `--json` gives: a line of the export, without what is the same in each.
#[derive(Serialize)]
struct Line<'a> {
    sequence: u64,
    epoch: u32,
    link: Digest,
    #[serde(flatten)]
    body: &'a Body,
}

impl Log {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.open(Need::Any)?;
        let filter = self.choice.filter(context);
        let mut last = match self.lines {
            // Where to go on from, without showing it.
            0 => session
                .log(&filter, 1)?
                .last()
                .map_or(0, |entry| entry.sequence),
            lines => print(context, &session.log(&filter, lines)?, 0)?,
        };
        if self.follow {
            follow(context, &mut session, &filter, &mut last)?;
        }
        Ok(session.close()?)
    }
}

/// Prints what is new, until the reader goes away or we are interrupted.
fn follow(
    context: &Context,
    session: &mut Session,
    filter: &Filter,
    last: &mut u64,
) -> Result<(), Failure> {
    loop {
        std::thread::sleep(TICK);
        *last = print(context, &session.log(filter, BATCH)?, *last)?;
    }
}

/// Prints entries after `last`; returns the last one.
fn print(context: &Context, entries: &[Entry], last: u64) -> Result<u64, Failure> {
    let mut text = String::new();
    for entry in entries.iter().filter(|entry| entry.sequence > last) {
        if context.out.json {
            let Entry {
                sequence,
                epoch,
                link,
                body,
            } = entry;
            let line = Line {
                sequence: *sequence,
                epoch: *epoch,
                link: *link,
                body,
            };
            let json = serde_json::to_string(&line).map_err(|error| {
                Failure::new("json", format!("an entry cannot be written: {error}"))
            })?;
            text.push_str(&json);
        } else {
            text.push_str(&line::human(entry, context.out.out));
        }
        text.push('\n');
    }
    if !text.is_empty() {
        context.out.print(&text)?;
    }
    Ok(entries
        .last()
        .map_or(last, |entry| entry.sequence.max(last)))
}
