//! `key`: ways to open the vault.

use std::path::PathBuf;

use serde_json::json;
use subrosa_engine::{Session, SlotShown};

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

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa key add passphrase --label office
  subrosa key add key-file ~/.config/subrosa.key
  subrosa key add recovery")]
struct Add {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// A passphrase, asked for twice
    #[command(after_help = "Examples:\n  subrosa key add passphrase\n  \
        subrosa key add passphrase --passphrase-fd 3 --new-passphrase-fd 4 3<old 4<new")]
    Passphrase {
        /// Its name
        #[arg(long)]
        label: Option<String>,
        /// Read the new passphrase from this file descriptor, to its end
        #[arg(long, value_name = "N")]
        new_passphrase_fd: Option<u32>,
    },
    /// A file that is made, outside the vault's folder
    ///
    /// Any code of yours can read it and open the vault without you: `subrosa status` says so then.
    #[command(
        after_help = "Examples:\n  subrosa key add key-file ~/.config/subrosa.key\n  \
        SUBROSA_KEY_FILE=~/.config/subrosa.key subrosa ls"
    )]
    KeyFile {
        /// The file, which must be new
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Its name
        #[arg(long)]
        label: Option<String>,
    },
    /// A recovery code, shown once
    #[command(after_help = "Examples:\n  subrosa key add recovery")]
    Recovery {
        /// Its name
        #[arg(long)]
        label: Option<String>,
    },
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

impl Add {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.open(Need::Presence)?;
        let mut code = None;
        let added = match self.what {
            What::Passphrase {
                label,
                new_passphrase_fd,
            } => {
                if new_passphrase_fd.is_some() && new_passphrase_fd == context.global.passphrase_fd
                {
                    let text = "--passphrase-fd and --new-passphrase-fd are the same descriptor";
                    return Err(Failure::usage(text));
                }
                let label = free_label(&mut session, label, "passphrase")?;
                let passphrase =
                    context.new_passphrase(new_passphrase_fd, "--new-passphrase-fd")?;
                session.add_passphrase(&label, passphrase)?
            }
            What::KeyFile { path, label } => {
                let label = free_label(&mut session, label, "key-file")?;
                session.add_key_file(&label, &path)?
            }
            What::Recovery { label } => {
                let label = free_label(&mut session, label, "recovery")?;
                let (added, shown) = session.add_recovery(&label)?;
                code = Some(shown);
                added
            }
        };
        session.close()?;
        if context.out.json {
            context.out.document(&added)?;
        }
        context.out.done(&format!(
            "{} ({}) opens the vault now",
            plain(&added.label),
            added.kind
        ));
        if !added.presence {
            context
                .out
                .warn("whoever can read that file can open the vault without you");
        }
        if let Some(code) = code {
            context.out.warn(
                "this recovery code opens the vault and is shown this once; keep it elsewhere:",
            );
            context.out.show_once(code.as_slice())?;
        }
        Ok(())
    }
}

/// The label that was asked for, or the first that is free.
fn free_label(session: &mut Session, asked: Option<String>, kind: &str) -> Result<String, Failure> {
    if let Some(label) = asked {
        return Ok(label);
    }
    let taken: Vec<String> = session
        .slots()?
        .into_iter()
        .map(|slot| slot.label)
        .collect();
    let mut label = kind.to_owned();
    let mut number = 2;
    while taken.contains(&label) {
        label = format!("{kind}-{number}");
        number += 1;
    }
    Ok(label)
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
