//! `import`: secrets from files of other programs.

use std::path::{Path, PathBuf};

use subrosa_engine::import::{Conflict, ImportForm, ImportOptions, Imported};

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files;
use crate::progress::Progress;
use crate::text::{count, some_of};

/// Store the secrets of a .env or JSON file: all or none
///
/// A name becomes the key, and the variable that stands for it. References (subrosa://…) in a
/// .env are left out: what they name is stored already. JSON is one object of names to strings,
/// to {"base64": …} for bytes, or to objects of fields.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa import .env --dry-run
  subrosa import .env --prefix app/
  subrosa import secrets.json --conflict replace
  other-program export | subrosa import --format json -")]
pub(crate) struct Import {
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Its form; without it, by the name: .json is JSON, all else dotenv
    #[arg(long, value_enum)]
    format: Option<Form>,
    /// Goes in front of every key: app/
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// What happens to a secret that is there with another value
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    conflict: OnConflict,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// NAME=value lines
    Dotenv,
    /// One object
    Json,
}

/// What happens to a secret that is there already.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum OnConflict {
    /// Nothing is imported, and the error names it
    Fail,
    /// It stays as it is
    Skip,
    /// The imported value becomes a new version
    Replace,
}

impl From<OnConflict> for Conflict {
    fn from(choice: OnConflict) -> Self {
        match choice {
            OnConflict::Fail => Self::Fail,
            OnConflict::Skip => Self::Skip,
            OnConflict::Replace => Self::Replace,
        }
    }
}

impl Form {
    /// The form that a file's name tells.
    fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Dotenv,
        }
    }
}

impl Import {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let (mut file, what) = files::source(context, &self.file)?;
        let mut session = context.open(Need::Any)?;
        let form = match self.format.unwrap_or_else(|| Form::of(&self.file)) {
            Form::Dotenv => ImportForm::Dotenv,
            Form::Json => ImportForm::Json,
        };
        let options = ImportOptions {
            form,
            what,
            prefix: self.prefix,
            conflict: self.conflict.into(),
            dry_run: self.dry_run,
        };
        let progress = Progress::new(&context.out, "importing");
        progress.at(0);
        let imported = session.import(&mut file, &options)?;
        drop(progress);
        session.close()?;
        if context.out.json {
            return context.out.document(&imported);
        }
        report(context, &imported, self.dry_run);
        Ok(())
    }
}

fn report(context: &Context, imported: &Imported, dry_run: bool) {
    let verb = if dry_run { "would be " } else { "" };
    let lines = [
        ("stored", &imported.created),
        ("replaced", &imported.replaced),
        ("left as they are", &imported.skipped),
        ("the same already", &imported.unchanged),
    ];
    for (what, keys) in lines.iter().filter(|(_, keys)| !keys.is_empty()) {
        let names: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
        context.out.done(&format!(
            "{} {verb}{what}: {}",
            count(keys.len(), "secret"),
            some_of(&names)
        ));
    }
    if imported.references > 0 {
        context.out.done(&format!(
            "{} left out",
            count(imported.references, "reference")
        ));
    }
    if lines.iter().all(|(_, keys)| keys.is_empty()) {
        context.out.done("There was nothing to import.");
    }
    if let Some(first) = imported.unmasked.first() {
        let names: Vec<&str> = imported.unmasked.iter().map(|key| key.as_str()).collect();
        context.out.warn(&format!(
            "too short or too common to be masked in output, so commands do not get them: {}; \
             insist: subrosa set {first} --force",
            some_of(&names)
        ));
    }
    if !dry_run && !imported.created.is_empty() {
        context
            .out
            .notice("the file still holds the values; remove it when you no longer need it");
    }
}
