//! `completions`: what shells complete.

use std::ffi::OsString;

use crate::complete::{Shell, complete};
use crate::failure::Failure;
use crate::output::Output;

/// Print the script that completes what is typed: commands, options and names
///
/// Names of secrets and their fields, workspaces, groups and tags are completed while the vault is
/// unlocked, and where a key file opens it (SUBROSA_KEY_FILE, or key_file in config.toml); the log
/// records each such opening. Else nothing is asked, and no names are completed. Values never are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  source <(subrosa completions bash)                  a line for ~/.bashrc
  subrosa completions zsh >~/.zfunc/_subrosa          a folder of $fpath
  subrosa completions fish >~/.config/fish/completions/subrosa.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        output.print(self.shell.script())
    }
}

/// What the scripts ask.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct CompleteWords {
    /// The shell that asks
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
    /// The words up to the cursor, the name of the program first
    #[arg(value_name = "WORD", last = true)]
    words: Vec<OsString>,
}

impl CompleteWords {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        output.print(&complete(self.shell, self.words))
    }
}
