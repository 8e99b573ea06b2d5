//! `mv`, `rm`, `rollback`: where secrets are, and whether they are there.

use serde_json::json;
use subrosa_model::{GroupName, KeyName, Scope, WorkspaceName};

use crate::access::Access;
use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::near::missed;
use crate::trouble::Trouble;

/// Rename a secret, or move it to another workspace or group
///
/// Its versions, history and pin go with it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa mv api/key openai/key
  subrosa mv db/main db/main --to-group staging
  subrosa mv ca/root ca/root --to-workspace global")]
pub(crate) struct Mv {
    /// The key now
    #[arg(value_name = "FROM", add = Takes::Key)]
    from: KeyName,
    /// The key afterwards
    #[arg(value_name = "TO")]
    to: KeyName,
    /// The workspace afterwards; outside any group unless --to-group names one
    #[arg(long, value_name = "NAME", add = Takes::Workspace)]
    to_workspace: Option<WorkspaceName>,
    /// The group afterwards
    #[arg(long, value_name = "NAME", add = Takes::Group)]
    to_group: Option<GroupName>,
    /// Out of the group, into its workspace
    #[arg(long, conflicts_with = "to_group")]
    out_of_group: bool,
}

impl Mv {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let scope = context.scope();
        let leaves = self.out_of_group || self.to_workspace.is_some();
        let target = Scope {
            workspace: self.to_workspace.unwrap_or_else(|| scope.workspace.clone()),
            group: self
                .to_group
                .or(if leaves { None } else { scope.group.clone() }),
        };
        let mut session = context.access()?;
        session
            .rename(&self.from, (&target, &self.to), context)
            .map_err(|trouble| taken(&mut session, (&self.from, &self.to), trouble))?;
        session.close()?;
        if context.out.json {
            return context.out.document(&json!({
                "key": self.to, "workspace": target.workspace, "group": target.group,
            }));
        }
        context.out.done(&format!(
            "{} in {scope} is now {} in {target}",
            self.from, self.to
        ));
        Ok(())
    }
}

/// The failure of a move; where the name is taken, with what to do about that.
fn taken(session: &mut Access, (from, to): (&KeyName, &KeyName), error: Trouble) -> Failure {
    let taken = error.code() == "exists";
    let failure = missed(session, from.as_str(), error);
    if !taken {
        return failure;
    }
    failure.remedy(format!(
        "choose another name than {to}, or move the secret that has it out of the way first: \
         subrosa mv {to} OTHER"
    ))
}

/// Remove secrets; they can be brought back
///
/// A removed secret is used by nothing and listed by `subrosa ls --removed`. With --purge it is
/// gone for good, its history too; that needs the passphrase.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa rm api/key
  subrosa rollback api/key             bring it back
  subrosa rm api/key --purge           for good")]
pub(crate) struct Rm {
    /// The keys
    #[arg(value_name = "KEY", required = true, add = Takes::Key)]
    keys: Vec<KeyName>,
    /// Remove them for good, with all their versions
    #[arg(long)]
    purge: bool,
}

impl Rm {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let need = if self.purge {
            Need::Presence
        } else {
            Need::Any
        };
        let mut session = context.access_for(need)?;
        let mut removed = Vec::new();
        for key in &self.keys {
            let done = if self.purge {
                session.purge(key, context)
            } else {
                session.remove(key)
            };
            if let Err(error) = done {
                let failure = missed(&mut session, key.as_str(), error);
                // What was done before stays done, and must not be taken for undone.
                let before = removed.join(", ");
                let note = if before.is_empty() {
                    String::new()
                } else {
                    format!(" (removed before it: {before})")
                };
                return Err(Failure {
                    message: failure.message.clone() + &note,
                    ..failure
                });
            }
            removed.push(key.to_string());
        }
        session.close()?;
        if context.out.json {
            return context
                .out
                .document(&json!({ "removed": removed, "for_good": self.purge }));
        }
        let text = removed.join(", ");
        context.out.done(&match self.purge {
            true => format!("{text}: removed for good"),
            false => format!(
                "{text}: removed. Bring back: subrosa rollback {}",
                self.keys.first().map_or("KEY", KeyName::as_str)
            ),
        });
        Ok(())
    }
}

/// Make an earlier version current, or bring a removed secret back
///
/// History is kept: the earlier version becomes a new one. Without --to it is the one before the
/// current; for a removed secret, the one that was current.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa rollback api/key
  subrosa rollback api/key --to 3      see subrosa history api/key")]
pub(crate) struct Rollback {
    /// The key
    #[arg(value_name = "KEY", add = Takes::AnyKey)]
    key: KeyName,
    /// The version to make current
    #[arg(long, value_name = "VERSION")]
    to: Option<u32>,
}

impl Rollback {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.access()?;
        let version = match session.rollback(&self.key, self.to) {
            Err(trouble) if trouble.code() == "no_version" && self.to.is_none() => {
                return Err(Failure::new(
                    "no_version",
                    format!("{} has no earlier version", self.key),
                )
                .remedy(format!("see its versions: subrosa history {}", self.key)));
            }
            Err(error) => return Err(missed(&mut session, self.key.as_str(), error)),
            Ok(version) => version,
        };
        session.close()?;
        if context.out.json {
            return context
                .out
                .document(&json!({ "key": self.key, "version": version }));
        }
        context
            .out
            .done(&format!("{}: version {version} is current", self.key));
        Ok(())
    }
}
