//! `key`: ways to open the vault.

mod add;

use serde_json::json;
use subrosa_engine::{Session, SlotShown};

use add::Add;

use super::list::day;
use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::table::Table;
use crate::text::plain;

/// Ways to open the vault: list, add, remove, and a new root key
///
/// Everything but `ls` needs the passphrase or the recovery code.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa key ls
  subrosa key add key-file ~/.config/subrosa.key     for jobs without a person
  subrosa key add environment                        the same, for a variable
  subrosa key rm recovery                            by label or id
  subrosa key rotate                                 a new root key, all keys under it too")]
pub(crate) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List what opens the vault
    #[command(
        alias = "list",
        after_help = "Examples:\n  subrosa key ls\n  subrosa key ls --json"
    )]
    Ls,
    /// Add a way to open the vault
    Add(Add),
    /// Remove a way to open the vault, and replace the root key
    ///
    /// The slot of an old copy of the vault still opens that copy: replace the secrets too, where
    /// somebody may have one.
    #[command(
        alias = "remove",
        after_help = "Examples:\n  subrosa key rm recovery\n  subrosa key rm key-file"
    )]
    Rm {
        /// Its label or id, as `subrosa key ls` shows them
        #[arg(value_name = "LABEL|ID", add = Takes::Slot)]
        name: String,
    },
    /// Replace the root key and all keys under it
    ///
    /// What opens the vault stays the same. Killed at any point, the vault opens with the old or
    /// the new key and has every secret.
    #[command(after_help = "Examples:\n  subrosa key rotate")]
    Rotate,
}

impl Key {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        match self.command {
            Command::Ls => list(context),
            Command::Add(add) => add.run(context),
            Command::Rm { name } => {
                let mut session = context.open(Need::Presence)?;
                let progress = Progress::new(&context.out, "a new root key");
                progress.at(0);
                session.remove_slot(&name)?;
                drop(progress);
                replaced(
                    context,
                    session,
                    &format!("{} no longer opens the vault", plain(&name)),
                )
            }
            Command::Rotate => {
                let mut session = context.open(Need::Presence)?;
                let progress = Progress::new(&context.out, "a new root key");
                progress.at(0);
                session.rotate()?;
                drop(progress);
                replaced(context, session, "The root key was replaced")
            }
        }
    }
}

fn list(context: &Context) -> Result<(), Failure> {
    let mut session = context.open(Need::Any)?;
    let slots = session.slots()?;
    session.close()?;
    if context.out.json {
        return context.out.document(&slots);
    }
    let mut table = Table::new(&["LABEL", "KIND", "PROVES PRESENCE", "ADDED", "ID", ""]);
    for slot in &slots {
        table.row(&row(slot));
    }
    context.out.print(&table.render())
}

fn row(slot: &SlotShown) -> Vec<String> {
    vec![
        plain(&slot.label).into_owned(),
        slot.kind.clone(),
        if slot.presence { "yes" } else { "no" }.to_owned(),
        day(slot.created),
        slot.id.to_string(),
        if slot.current { "used now" } else { "" }.to_owned(),
    ]
}

fn replaced(context: &Context, session: Session, text: &str) -> Result<(), Failure> {
    let fingerprint = session.fingerprint().to_string();
    session.close()?;
    if context.out.json {
        return context.out.document(&json!({ "fingerprint": fingerprint }));
    }
    context.out.done(&format!(
        "{text}; the root fingerprint is now {fingerprint}"
    ));
    Ok(())
}
