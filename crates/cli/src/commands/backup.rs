//! `backup`: everything, encrypted, in one file.

use std::path::PathBuf;

use serde_json::json;

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::progress::Progress;

/// Write everything, encrypted, to a new file
///
/// The file opens with what opens the vault now: its passphrase, recovery code and key files. It
/// is read back and verified before it gets its name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa backup /mnt/stick/vault.subrosa
  subrosa restore /mnt/stick/vault.subrosa")]
pub(crate) struct Backup {
    /// The file, which must be new
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.open(Need::Presence)?;
        let progress = Progress::new(&context.out, "records");
        session.backup(&self.file, &mut |done| progress.at(done))?;
        drop(progress);
        session.close()?;
        if context.out.json {
            return context
                .out
                .document(&json!({ "file": self.file.display().to_string() }));
        }
        context.out.done(&format!(
            "The backup is in {}, and was read back.",
            self.file.display()
        ));
        Ok(())
    }
}
