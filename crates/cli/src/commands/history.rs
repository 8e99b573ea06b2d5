//! `history`: the versions of a secret.

use subrosa_model::KeyName;

use super::list::second;
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::near::missed;
use crate::table::Table;

/// List the versions of a secret, newest first
///
/// The newest 20 versions are kept. `subrosa rollback` makes an earlier one current again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa history api/key
  subrosa rollback api/key --to 2")]
pub(crate) struct History {
    /// The key
    #[arg(value_name = "KEY", add = Takes::Key)]
    key: KeyName,
}

impl History {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.access()?;
        let past = match session.history(&self.key) {
            Err(error) => return Err(missed(&mut session, self.key.as_str(), error)),
            Ok(past) => past,
        };
        session.close()?;
        if context.out.json {
            return context.out.document(&past);
        }
        let mut table = Table::new(&["VERSION", "MADE", "", "WRITTEN"]);
        for one in past {
            let written: Vec<&str> = one.written.iter().map(|field| field.as_str()).collect();
            table.row(&[
                one.version.to_string(),
                second(one.created),
                if one.current {
                    "current".to_owned()
                } else {
                    String::new()
                },
                written.join(","),
            ]);
        }
        context.out.print(&table.render())
    }
}
