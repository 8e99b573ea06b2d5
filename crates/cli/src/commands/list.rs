//! `ls`: which secrets there are.

use subrosa_engine::{ListFilter, Listed};
use subrosa_model::{Tag, Timestamp};

use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::table::Table;
use crate::text::count;

/// List secrets: names, never values
///
/// Lists the current workspace with its current group, and `global`, where every look-up ends.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa ls
  subrosa ls 'github/**'               `*` stays within a part between slashes, `**` does not
  subrosa ls --tag prod --json
  subrosa ls --removed                 what `subrosa rollback` can bring back")]
pub(crate) struct Ls {
    /// Only keys that fit one of these patterns
    #[arg(value_name = "PATTERN", add = Takes::Key)]
    patterns: Vec<String>,
    /// Only secrets with this tag
    #[arg(long, value_name = "TAG", add = Takes::Tag)]
    tag: Option<Tag>,
    /// All workspaces and groups
    #[arg(long)]
    all: bool,
    /// Removed secrets instead
    #[arg(long)]
    removed: bool,
}

impl Ls {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.access()?;
        let filter = ListFilter {
            patterns: self.patterns,
            tag: self.tag.map(String::from),
            all: self.all,
            removed: self.removed,
        };
        let found = session.list(&filter)?;
        session.close()?;
        if context.out.json {
            return context.out.document(&found);
        }
        let table = table(&found, context);
        if table.is_empty() {
            context
                .out
                .done("There is none. Store one: subrosa set api/key");
            return Ok(());
        }
        context.out.print(&table.render())?;
        context.out.done(&count(found.len(), "secret"));
        Ok(())
    }
}

fn table(found: &[Listed], context: &Context) -> Table {
    let scope = context.scope();
    let group = scope.group.as_ref().map(ToString::to_string);
    let now = context.now();
    // Most of a long list changed on few days.
    let mut changed = (None, String::new());
    let mut table = Table::new(&[
        "KEY", "WHERE", "FIELDS", "VERSION", "PIN", "TAGS", "CHANGED", "EXPIRES",
    ]);
    for one in found {
        let at = one.removed.unwrap_or(one.modified);
        if changed.0 != Some(at.day_number()) {
            changed = (Some(at.day_number()), day(at));
        }
        let own = one.workspace == scope.workspace && one.group == group;
        let place = match &one.group {
            _ if own => String::new(),
            Some(group) => format!("{}:{group}", one.workspace),
            None => one.workspace.to_string(),
        };
        let only_value = one.fields.len() == 1 && one.fields[0].is_default();
        let fields: Vec<&str> = one.fields.iter().map(|field| field.as_str()).collect();
        table.row(&[
            one.key.as_str(),
            &place,
            &if only_value {
                String::new()
            } else {
                fields.join(",")
            },
            &one.version.to_string(),
            one.pin.as_deref().unwrap_or_default(),
            &one.tags.join(","),
            &changed.1,
            &one.expires.map(|at| expiry(at, now)).unwrap_or_default(),
        ]);
    }
    table
}

/// The day of a time, UTC.
pub(super) fn day(time: Timestamp) -> String {
    time.day()
}

/// A time to the second, UTC.
pub(super) fn second(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((seconds, _)) => format!("{seconds}Z"),
        None => text,
    }
}

fn expiry(at: Timestamp, now: Timestamp) -> String {
    if at <= now {
        format!("{} (expired)", day(at))
    } else {
        day(at)
    }
}
