//! `restore`: a backup, as the vault or into it.

use std::path::PathBuf;

use subrosa_engine::{EngineError, RestoreOptions, Restored, Session, Unlock};

use super::import::OnConflict;
use crate::context::{Context, Need};
use crate::descriptor::read_proof;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::prompt::Terminal;
use crate::text::count;

/// Read a backup in: as the vault where there is none, else into the one that is there
///
/// Where there is none, all of it comes back: secrets, slots, policy, log. What was revoked after
/// the backup stays revoked. Into a vault, only secrets come, all or none; its slots, policy and
/// log stay its own. The proof that is given opens both, unless the backup's passphrase is another.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa restore vault.subrosa
  subrosa restore vault.subrosa --conflict replace
  SUBROSA_HOME=/tmp/look subrosa restore vault.subrosa    to look at it elsewhere")]
pub(crate) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read the backup's passphrase from this file descriptor, where it is not the vault's
    #[arg(long, value_name = "N")]
    backup_passphrase_fd: Option<u32>,
    /// What happens to a secret that is there with another value
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    conflict: OnConflict,
}

impl Restore {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let exists = subrosa_engine::status(&context.home)?.exists;
        let options = RestoreOptions {
            file: self.file,
            conflict: self.conflict.into(),
        };
        let theirs = match self.backup_passphrase_fd {
            Some(number) => Some(Unlock::Passphrase(read_proof(number, "passphrase")?)),
            None => None,
        };
        let progress = Progress::new(&context.out, "records");
        let mut at = |done| progress.at(done);
        let (session, restored) = if exists {
            let unlock = context.unlock(Need::Presence)?;
            let mut session = Session::open(context.setting(), &unlock)?;
            let restored = match theirs {
                Some(theirs) => session.restore_into(&options, &theirs, &mut at)?,
                None => match session.restore_into(&options, &unlock, &mut at) {
                    Err(EngineError::BackupKey { path }) => match Terminal::open() {
                        Some(mut terminal) => {
                            let theirs = terminal.hidden("Passphrase of the backup: ")?;
                            let theirs = Unlock::Passphrase(theirs);
                            session.restore_into(&options, &theirs, &mut at)?
                        }
                        None => return Err(EngineError::BackupKey { path }.into()),
                    },
                    other => other?,
                },
            };
            (session, restored)
        } else {
            let unlock = match theirs {
                Some(theirs) => theirs,
                None => context.unlock(Need::Presence)?,
            };
            Session::restore_whole(context.setting(), &options, &unlock, &mut at)?
        };
        drop(progress);
        context.tell(&session);
        session.close()?;
        if context.out.json {
            return context.out.document(&restored);
        }
        report(context, &restored);
        Ok(())
    }
}

fn report(context: &Context, restored: &Restored) {
    let what = count(restored.restored.len(), "secret");
    if restored.whole {
        context.out.done(&format!(
            "The vault is back, with {what}: {}",
            context.home.data.display()
        ));
    } else {
        context.out.done(&format!(
            "{what} restored, {} left as they are.",
            restored.kept.len()
        ));
    }
    if restored.tokens > 0 {
        context.out.warn(&format!(
            "the tokens of agents that it had ({}) were taken away, since some may have been after it; \
             give new ones: subrosa agent add",
            restored.tokens
        ));
    }
    if !restored.left_out.is_empty() {
        context.out.warn(&format!(
            "the root key was replaced after this backup; these slots of it were left out: {}",
            restored.left_out.join(", ")
        ));
    }
}
