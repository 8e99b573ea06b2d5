//! `demo`: the whole of it on a vault that is thrown away.

use crate::failure::Failure;
use crate::output::Output;

/// See it work, on a vault that is thrown away
///
/// Makes a vault in a temporary folder, imports a .env of made-up values, runs real commands,
/// attacks itself, and verifies what was recorded. Nothing of yours is touched. Exits with 1 when
/// an attack succeeds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa demo
  subrosa demo --keep                  leave the folder, to look at it")]
pub(crate) struct Demo {
    /// Keep the temporary folder
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) fn run(self, output: &Output) -> Result<u8, Failure> {
        crate::demo::run(output, self.keep)
    }
}
