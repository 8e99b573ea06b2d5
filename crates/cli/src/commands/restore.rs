//! `restore`: a backup, as the vault or into it.

use std::path::PathBuf;

use subrosa_engine::{RestoreOptions, Restored, Session};

use super::import::OnConflict;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::text::count;

/// Read a backup in: as the vault where there is none, else into the one that is there
///
/// Where there is none, all of it comes back: secrets, slots, policy, log. What was revoked after
/// the backup stays revoked. Into a vault, only secrets come, all or none; its slots, policy and
/// log stay its own. The proof that is given opens both.
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
    /// What happens to a secret that is there with another value
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    conflict: OnConflict,
}

impl Restore {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let exists = subrosa_engine::status(&context.home)?.exists;
        let unlock = context.unlock(Need::Presence)?;
        let options = RestoreOptions {
            file: self.file,
            conflict: self.conflict.into(),
        };
        let progress = Progress::new(&context.out, "records");
        let mut at = |done| progress.at(done);
        let (session, restored) = if exists {
            let mut session = Session::open(context.setting(), &unlock)?;
            let restored = session.restore_into(&options, &unlock, &mut at)?;
            (session, restored)
        } else {
            Session::restore_whole(context.setting(), &options, &unlock, &mut at)?
        };
        drop(progress);
        for notice in session.notices() {
            context.out.warn(notice);
        }
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
            "{what} added, {} left as they are.",
            restored.kept.len()
        ));
    }
    if !restored.left_out.is_empty() {
        context.out.warn(&format!(
            "the root key was replaced after this backup; these slots of it were left out: {}",
            restored.left_out.join(", ")
        ));
    }
}
