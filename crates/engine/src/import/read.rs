//! From a file, a stream or a folder to secrets.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

use subrosa_crypto::SecretBuf;

use super::entry::{Found, Wrong};
use super::tree::{self, Dialect};
use super::zip::{self, Archive};
use super::{FILE_MAX, ImportForm, ImportOptions, Imported, Incoming};
use super::{bitwarden, detect, from_dotenv, json, lastpass, mcp, onepassword, settle, sops};
use crate::EngineError;

/// Where secrets come from.
pub enum Source<'a> {
    /// A stream that can be read once.
    Stream(&'a mut dyn Read),
    /// An open file, and its path: an archive is read in parts, a program is told the path.
    File(File, &'a Path),
    /// A password store.
    Folder(&'a Path),
}

/// Reads all secrets, and notes in `report` what was left out.
pub(super) fn read(
    source: Source<'_>,
    options: &ImportOptions,
    report: &mut Imported,
) -> Result<Vec<Incoming>, EngineError> {
    let what = options.what.as_str();
    let told = |wrong: Wrong| wrong.into_error(what);
    let settled = |found: Result<Found, Wrong>, report: &mut Imported| {
        settle::settle(found.map_err(told)?, what, &options.prefix, report)
    };
    let (content, path) = match source {
        Source::Folder(folder) => {
            report.form = Some(ImportForm::Pass);
            let is_store = options.form == Some(ImportForm::Pass)
                || (options.form.is_none() && folder.join(".gpg-id").is_file());
            if !is_store {
                return Err(told(detect::unknown_folder()));
            }
            let found = options.world.store(folder)?;
            return settle::settle(found, what, &options.prefix, report);
        }
        Source::File(mut file, path) => {
            if let Some(mut archive) = archive(&mut file).map_err(told)? {
                return settled(from_archive(&mut archive, options, report), report);
            }
            (whole(&mut file, what)?, Some(path))
        }
        Source::Stream(reader) => {
            let content = whole(reader, what)?;
            if zip::is_archive(content.as_slice()) {
                let mut archive = Archive::open(Cursor::new(content.as_slice())).map_err(told)?;
                return settled(from_archive(&mut archive, options, report), report);
            }
            (content, None)
        }
    };
    let document = content.as_slice();
    let form = match options.form {
        Some(form) => form,
        None => detect::form(what, document).map_err(told)?,
    };
    report.form = Some(form);
    let found = match form {
        ImportForm::Dotenv => return from_dotenv(options, &content, report),
        ImportForm::Json => return json::parse(what, &options.prefix, &content),
        ImportForm::OnePassword => onepassword_document(document),
        ImportForm::Bitwarden => bitwarden::items(document),
        ImportForm::LastPass => lastpass::table(document),
        ImportForm::Mcp => mcp::items(document, options.all),
        ImportForm::Pass => Err(
            Wrong::whole("a password store is a folder, and this is a file")
                .remedy("name the folder: subrosa import ~/.password-store"),
        ),
        ImportForm::Sops => {
            let kind = sops_type(document).map_err(told)?;
            let Some(path) = path else {
                return Err(told(
                    Wrong::whole("sops decrypts files, and this is none")
                        .remedy("name the file: subrosa import secrets.enc.yaml"),
                ));
            };
            let decrypted = options.world.sops(path, kind)?;
            return settled(sops::items(decrypted.as_slice()), report);
        }
    };
    settled(found, report)
}

fn whole(reader: &mut dyn Read, what: &str) -> Result<SecretBuf, EngineError> {
    let content = SecretBuf::read_to_end(reader, FILE_MAX);
    content.map_err(|error| Wrong::from(error).into_error(what))
}

/// The archive that a file is, if it is one. A pipe cannot tell, and is read as a whole.
fn archive(file: &mut File) -> Result<Option<Archive<&mut File>>, Wrong> {
    if !file.metadata().map_err(Wrong::Io)?.is_file() {
        return Ok(None);
    }
    let mut start = [0; 4];
    let read = file.read(&mut start).map_err(Wrong::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(Wrong::Io)?;
    if !zip::is_archive(&start[..read]) {
        return Ok(None);
    }
    Archive::open(file).map(Some)
}

fn from_archive<R: Read + Seek>(
    archive: &mut Archive<R>,
    options: &ImportOptions,
    report: &mut Imported,
) -> Result<Found, Wrong> {
    let holds = |document: &str| archive.names().any(|name| name == document);
    let form = match options.form {
        Some(form) => form,
        None if holds(onepassword::DOCUMENT) => ImportForm::OnePassword,
        None if holds(bitwarden::DOCUMENT) => ImportForm::Bitwarden,
        None => {
            return Err(Wrong::whole(
                "this archive is neither 1Password's nor Bitwarden's: there is no export.data and no \
                 data.json in it",
            )
            .remedy("unpack it, and import the file that holds the secrets"));
        }
    };
    report.form = Some(form);
    match form {
        ImportForm::OnePassword => onepassword::archive(archive),
        ImportForm::Bitwarden => bitwarden::archive(archive),
        _ => Err(
            Wrong::whole("this is a ZIP archive, and that form has none")
                .remedy("leave --format out, or unpack the archive"),
        ),
    }
}

/// A table, or the document that was taken out of an archive.
fn onepassword_document(document: &[u8]) -> Result<Found, Wrong> {
    match document.trim_ascii_start().first() {
        Some(b'{') => onepassword::items(document),
        _ => onepassword::table(document),
    }
}

/// What kind of file `sops` is told that it is: its name need not say so.
fn sops_type(document: &[u8]) -> Result<&'static str, Wrong> {
    let kind = match tree::parse(document, Dialect::Strict) {
        Ok(tree) if sops::is_encrypted(&tree) => Some("json"),
        _ => sops::text_type(document),
    };
    let Some(kind) = kind else {
        return Err(Wrong::whole(
            "sops did not encrypt this file: there is no `sops` part in it",
        ));
    };
    if kind == "yaml" && sops::has_documents(document) {
        return Err(Wrong::whole(
            "it holds several YAML documents, and sops gives the first of them alone as JSON",
        )
        .remedy("split the file at its `---` lines, encrypt each part, and import them"));
    }
    Ok(kind)
}
