//! `apply`: replace the policy.

use std::path::PathBuf;

use serde_json::{Value, json};
use subrosa_engine::{Applied, PolicyChange};

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files;
use crate::text::plain;

/// Replace the policy by the one in a file, and show what changes
///
/// The file is the whole policy. Its own tests must pass. What allows more than before needs the
/// passphrase or the recovery code; what allows less does not. It is in force at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa policy show >policy.yaml
  subrosa apply -f policy.yaml --dry-run
  subrosa apply -f policy.yaml")]
pub(crate) struct Apply {
    /// The policy; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Apply {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let text = files::text(context, &self.file)?;
        put(context, &text, self.dry_run).map_err(|failure| failure.in_policy(&self.file))
    }
}

/// Applies a policy and tells what changed.
pub(super) fn put(context: &Context, text: &str, dry_run: bool) -> Result<(), Failure> {
    let mut session = context.open(Need::Presence)?;
    let applied = session.apply_policy(text, dry_run)?;
    session.close()?;
    if context.out.json {
        return context.out.document(&as_json(&applied));
    }
    let mut shown = String::new();
    for line in &applied.diff {
        let text = plain(&line.to_string()).into_owned();
        let text = match line.change {
            PolicyChange::Added => context.out.out.green(&text),
            PolicyChange::Removed => context.out.out.red(&text),
        };
        shown.push_str(&text);
        shown.push('\n');
    }
    context.out.print(&shown)?;
    for warning in &applied.warnings {
        context.out.warn(&plain(&warning.to_string()));
    }
    let what = match (applied.diff.is_empty(), applied.loosens) {
        (true, _) => "It says the same as the policy in force",
        (false, true) => "It allows more than the policy before",
        (false, false) => "It allows no more than the policy before",
    };
    let done = if applied.written {
        "it is in force"
    } else {
        "nothing was changed"
    };
    context.out.done(&format!("{what}; {done}."));
    Ok(())
}

fn as_json(applied: &Applied) -> Value {
    let diff: Vec<Value> = applied
        .diff
        .iter()
        .map(|line| {
            let change = match line.change {
                PolicyChange::Added => "added",
                PolicyChange::Removed => "removed",
            };
            json!({ "change": change, "section": line.section, "text": line.text })
        })
        .collect();
    let warnings: Vec<Value> = applied
        .warnings
        .iter()
        .map(|warning| json!({ "rule": warning.rule.to_string(), "message": warning.message }))
        .collect();
    json!({
        "diff": diff,
        "loosens": applied.loosens,
        "warnings": warnings,
        "written": applied.written,
    })
}
