//! `generate`: a random value that nobody has seen.

use subrosa_egress::Recipe;
use subrosa_model::limits::VALUE_MAX;
use subrosa_redact::Added;

use super::set::{known, report, warn_unmasked};
use crate::complete::Takes;
use crate::context::Context;
use crate::failure::Failure;
use crate::target::Target;

/// Store a random value, without showing it
///
/// When the secret exists, the random value becomes its new version.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa generate db/main#password
  subrosa generate session/key --alphabet bytes --length 64
  subrosa generate hook/token --alphabet hex --length 40")]
pub(crate) struct Generate {
    /// The key, and the field where it is not `value`
    #[arg(value_name = "KEY[#FIELD]", add = Takes::Part)]
    target: Target,
    /// How many characters; bytes with --alphabet bytes
    #[arg(long, value_name = "N", default_value_t = 32)]
    length: usize,
    /// What it is made of
    #[arg(long, value_enum, default_value_t = Alphabet::Alnum)]
    alphabet: Alphabet,
}

/// What a value is made of.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Alphabet {
    /// Letters and digits
    Alnum,
    /// Letters, digits and marks that need no quoting in URLs and shells
    Symbols,
    /// Lower-case hexadecimal digits
    Hex,
    /// Any bytes; for --inject file and stdin
    Bytes,
}

impl From<Alphabet> for Recipe {
    fn from(alphabet: Alphabet) -> Self {
        match alphabet {
            Alphabet::Alnum => Self::Alphanumeric,
            Alphabet::Symbols => Self::Symbols,
            Alphabet::Hex => Self::Hex,
            Alphabet::Bytes => Self::Bytes,
        }
    }
}

impl Generate {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        if !(1..=VALUE_MAX).contains(&self.length) {
            return Err(Failure::usage(format!("--length is from 1 to {VALUE_MAX}")));
        }
        let mut session = context.access()?;
        let Target { key, field } = &self.target;
        let stored = session.generate((key, field), self.alphabet.into(), self.length)?;
        let unmasked = known(&stored.shown, field).is_some_and(|about| !about.masked);
        if unmasked {
            // Drawn at random, it can be nothing else.
            let why = match self.length {
                0..8 => Added::TooShort,
                _ => Added::TooUniform,
            };
            warn_unmasked(context, &self.target, why, (false, false));
        }
        report(context, &self.target, &stored)?;
        Ok(session.close()?)
    }
}
