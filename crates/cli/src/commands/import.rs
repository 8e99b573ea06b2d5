//! `import`: secrets from files of other programs.

use std::path::{Path, PathBuf};

use subrosa_engine::import::{Conflict, ImportForm, ImportOptions, Imported, Source, World};

use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::files;
use crate::progress::Progress;
use crate::text::{count, plain, some_of};

/// Store the secrets of a file of another program: all or none
///
/// Reads exports of 1Password, Bitwarden and LastPass, a password store of pass, files of sops, the
/// env and headers of an mcp.json, .env files and JSON. What wrote a file is told by its content
/// where that is certain; otherwise say it with --format.
///
/// Vault or folder and title become the key: Private/GitHub. The password is its value, everything
/// else a field. Attachments stay where they are, and the report counts them. In a .env and in
/// JSON a name is the key; references (subrosa://…) are left out: what they name is stored already.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  subrosa import .env --dry-run
  subrosa import secrets.json --prefix app/ --conflict replace
  subrosa import account.1pux --dry-run
  subrosa import bitwarden_export.json --prefix bitwarden/
  subrosa import --format lastpass lastpass_export.csv
  subrosa import ~/.password-store
  subrosa import secrets.enc.yaml
  subrosa import ~/.cursor/mcp.json --all
  other-program export | subrosa import --format json -")]
pub(crate) struct Import {
    /// The file, or the folder of a password store; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What wrote it; without it, what its content or else its name tells
    #[arg(long, value_enum)]
    format: Option<ImportFormat>,
    /// Goes in front of every key: app/
    #[arg(long, value_name = "TEXT", default_value = "")]
    prefix: String,
    /// What happens to a secret that is there with another value
    #[arg(long, value_enum, default_value_t = OnConflict::Fail)]
    conflict: OnConflict,
    /// From an mcp.json, also what does not look like a secret
    #[arg(long)]
    all: bool,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// What wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ImportFormat {
    /// NAME=value lines
    Dotenv,
    /// One object of names and values
    Json,
    /// 1Password: .1pux, or .csv
    #[value(name = "1password")]
    OnePassword,
    /// Bitwarden: .json that is not encrypted, or .zip
    Bitwarden,
    /// LastPass: .csv
    #[value(name = "lastpass")]
    LastPass,
    /// A password store, decrypted by your gpg
    Pass,
    /// A file that your sops decrypts: YAML, JSON, dotenv, INI
    Sops,
    /// Tool servers: mcpServers or servers, their env and headers
    Mcp,
}

impl From<ImportFormat> for ImportForm {
    fn from(format: ImportFormat) -> Self {
        match format {
            ImportFormat::Dotenv => Self::Dotenv,
            ImportFormat::Json => Self::Json,
            ImportFormat::OnePassword => Self::OnePassword,
            ImportFormat::Bitwarden => Self::Bitwarden,
            ImportFormat::LastPass => Self::LastPass,
            ImportFormat::Pass => Self::Pass,
            ImportFormat::Sops => Self::Sops,
            ImportFormat::Mcp => Self::Mcp,
        }
    }
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

impl Import {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let (mut file, what) = files::source(context, &self.file)?;
        let mut session = context.open(Need::Any)?;
        let options = ImportOptions {
            form: self.format.map(ImportForm::from),
            what,
            prefix: self.prefix,
            conflict: self.conflict.into(),
            dry_run: self.dry_run,
            all: self.all,
            world: World {
                variables: context.variables(),
                directory: context.directory()?,
            },
        };
        let progress = Progress::new(&context.out, "importing");
        progress.at(0);
        let source = if self.file == Path::new("-") {
            Source::Stream(&mut file)
        } else if self.file.is_dir() {
            Source::Folder(&self.file)
        } else {
            Source::File(file, &self.file)
        };
        let imported = session.import(source, &options)?;
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
    stored(context, imported, dry_run);
    if !dry_run && !imported.created.is_empty() {
        let text = match imported.form {
            Some(ImportForm::Pass) => "the password store still holds the values",
            Some(ImportForm::Sops) => "the file still holds the values, encrypted",
            _ => "the file still holds the values; remove it when you no longer need it",
        };
        context.out.notice(text);
    }
}

/// What became of each secret of a file.
pub(super) fn stored(context: &Context, imported: &Imported, dry_run: bool) {
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
    left_out(context, imported);
    if lines.iter().all(|(_, keys)| keys.is_empty()) {
        context.out.done("There was nothing to import.");
    }
    warn(context, imported);
}

/// What was in the file and is not in the vault.
fn left_out(context: &Context, imported: &Imported) {
    let counted = [
        (imported.references, "reference"),
        (imported.attachments, "attachment"),
        (imported.tags_left_out, "tag"),
    ];
    for (number, noun) in counted.into_iter().filter(|(number, _)| *number > 0) {
        context
            .out
            .done(&format!("{} left out", count(number, noun)));
    }
    if !imported.empty.is_empty() {
        context.out.done(&format!(
            "{} without a secret left out: {}",
            count(imported.empty.len(), "item"),
            plain(&some_of(&imported.empty))
        ));
    }
    if !imported.not_secret.is_empty() {
        context.out.done(&format!(
            "{} left out, not looking like a secret (--all takes them too): {}",
            count(imported.not_secret.len(), "value"),
            plain(&some_of(&imported.not_secret))
        ));
    }
}

/// What a user should know of what is in the vault.
fn warn(context: &Context, imported: &Imported) {
    let names = |keys: &[subrosa_model::KeyName]| {
        let names: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
        some_of(&names)
    };
    if !imported.numbered.is_empty() {
        context.out.warn(&format!(
            "another item of the file has the same key, so a number was added: {}",
            names(&imported.numbered)
        ));
    }
    if !imported.expired.is_empty() {
        context.out.warn(&format!(
            "expired already, and refused to every use: {}",
            names(&imported.expired)
        ));
    }
    if let Some(first) = imported.unmasked.first() {
        context.out.warn(&format!(
            "too short or too common to be masked in output, so commands do not get them: {}; \
             insist: subrosa set {first} --force",
            names(&imported.unmasked)
        ));
    }
}
