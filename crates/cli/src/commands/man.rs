//! `man`: the pages of this program.

use subrosa_engine::closest;

use crate::complete::Takes;
use crate::failure::Failure;
use crate::output::Output;
use crate::reference;

/// Print the manual page of a command, for man
///
/// The page is in the program: nothing is installed or fetched. Without a command it is the page
/// of subrosa itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa man run | man -l -
  subrosa man key add | man -l -
  subrosa man >~/.local/share/man/man1/subrosa.1")]
pub(crate) struct Man {
    /// The command, word by word
    #[arg(value_name = "COMMAND", add = Takes::Page)]
    command: Vec<String>,
}

impl Man {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let root = reference::whole();
        let mut at = &root;
        for word in &self.command {
            let Some(found) = at.find_subcommand(word).filter(|one| !one.is_hide_set()) else {
                return Err(unknown(at, word));
            };
            at = found;
        }
        output.print(&reference::man::page(at))
    }
}

/// There is no such command: what is there, without what was typed, which may be anything.
fn unknown(at: &clap::Command, word: &str) -> Failure {
    let known = at.get_subcommands().filter(|one| !one.is_hide_set());
    let known: Vec<&str> = known.map(clap::Command::get_name).collect();
    let path = at.get_bin_name().unwrap_or("subrosa");
    let remedy = match closest(word, &known) {
        Some(near) => {
            let words = format!("{path} {near}");
            format!(
                "did you mean: {}",
                words.replacen("subrosa", "subrosa man", 1)
            )
        }
        None if known.is_empty() => path.replacen("subrosa", "subrosa man", 1),
        None => format!(
            "{} with one of: {}",
            path.replacen("subrosa", "subrosa man", 1),
            known.join(", ")
        ),
    };
    Failure::usage(format!("`{path}` has no such command")).remedy(remedy)
}

/// All pages of the reference as one JSON object of names and texts.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct Reference {}

impl Reference {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        output.document(&reference::pages())
    }
}
