//! `export`: values out, as one document.

use std::path::PathBuf;

use subrosa_egress::DocumentForm;

use crate::complete::Takes;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files::Target;
use crate::text::count;

/// The form of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// NAME=value lines
    Dotenv,
    /// One object
    Json,
}

/// Write values as one .env or JSON document, in the clear
///
/// It needs the passphrase or the recovery code, and is recorded. Pinned secrets are left out:
/// they go to their provider alone. For safekeeping there is `subrosa backup`, which is encrypted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa export                       all secrets of the scope, as .env
  subrosa export --format json 'db/**'
  subrosa export -o staging.env        a new file that only you may read
  subrosa export --undo .env           its placeholders become values again")]
pub(crate) struct Export {
    /// Only keys that fit one of these patterns
    #[arg(value_name = "PATTERN", add = Takes::Key)]
    patterns: Vec<String>,
    /// The form of the document
    #[arg(long, value_enum, default_value_t = Form::Dotenv)]
    format: Form,
    /// The file, which must be new; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put the values back in this .env, in the place of its placeholders
    #[arg(long, value_name = "FILE", conflicts_with_all = ["patterns", "format", "output"])]
    undo: Option<PathBuf>,
}

impl Export {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut session = context.open(Need::Presence)?;
        if let Some(path) = &self.undo {
            let number = session.undo_placeholders(path)?;
            let path = path.display();
            context.out.done(&match number {
                0 => format!("There is no placeholder in {path}."),
                _ => format!("{} in the clear in {path}", count(number, "value")),
            });
            return Ok(session.close()?);
        }
        let form = match self.format {
            Form::Dotenv => DocumentForm::Dotenv,
            Form::Json => DocumentForm::Json,
        };
        let mut target = Target::new(&context.out, self.output.as_deref())?;
        let written = match session.export(&self.patterns, form, &mut target.file) {
            Ok(written) => written,
            Err(error) => {
                target.discard();
                return Err(error.into());
            }
        };
        if let Some(path) = target.path() {
            let text = format!(
                "{} in the clear in {}",
                count(written, "value"),
                path.display()
            );
            context.out.notice(&text);
        }
        target.keep()?;
        Ok(session.close()?)
    }
}
