//! `read`: a value, to the person who asks.

use std::io::Write;

use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::near::missed;

/// Write a value to standard output, byte for byte
///
/// It needs the passphrase or the recovery code, and is recorded. To use a value without seeing
/// it, let a command have it: subrosa run. On a terminal a newline is added.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa read api/key
  subrosa read db/main#password --version 2
  subrosa read tls/key >key.pem        the value alone, no newline is added")]
pub(crate) struct Read {
    /// The secret: api/key, db/main#password, subrosa://work/api/key
    #[arg(value_name = "KEY[#FIELD]", add = Takes::Part)]
    what: String,
    /// An earlier version
    #[arg(long = "version", value_name = "N")]
    number: Option<u32>,
}

impl Read {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        if context.out.json {
            return Err(Failure::usage(
                "`read` writes the value and nothing around it; --json does not fit",
            )
            .remedy(format!("subrosa export --format json {}", self.what)));
        }
        let mut session = context.open(Need::Presence)?;
        let mut out = context.out.data()?;
        if let Err(error) = session.read_value(&self.what, self.number, &mut out) {
            return Err(missed(&mut session, &self.what, error));
        }
        if context.out.is_terminal() {
            out.write_all(b"\n")
                .map_err(Failure::io("standard output"))?;
        }
        Ok(session.close()?)
    }
}
