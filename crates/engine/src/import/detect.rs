//! Which form a file has, from what stands in it where that is certain, else from its name.

use std::path::Path;

use super::entry::Wrong;
use super::tree::{self, Dialect};
use super::{ImportForm, bitwarden, csv, lastpass, mcp, onepassword, sops};

/// What `--format` takes, for messages.
const CHOICES: &str = "--format 1password, bitwarden, lastpass, pass, sops, mcp, json or dotenv";

/// The form of a document.
///
/// # Errors
/// [`Wrong`] when neither content nor name tell.
pub(super) fn form(what: &str, document: &[u8]) -> Result<ImportForm, Wrong> {
    let extension = Path::new(what)
        .extension()
        .map(|extension| extension.to_ascii_lowercase());
    let extension = extension.and_then(|extension| extension.into_string().ok());
    let named = extension.as_deref().unwrap_or_default();
    // Comments are for configurations; all else that is looked for has none.
    if let Ok(tree) = tree::parse(document, Dialect::Commented) {
        let certain = [
            (sops::is_encrypted(&tree), ImportForm::Sops),
            (bitwarden::is_export(&tree), ImportForm::Bitwarden),
            (mcp::is_configuration(&tree), ImportForm::Mcp),
        ];
        if let Some((_, form)) = certain.iter().find(|(is, _)| *is) {
            return Ok(*form);
        }
    }
    if sops::text_type(document).is_some() {
        return Ok(ImportForm::Sops);
    }
    if let Some(table) = csv::head(document) {
        if lastpass::is_table(&table) {
            return Ok(ImportForm::LastPass);
        }
        if onepassword::is_table(&table) {
            return Ok(ImportForm::OnePassword);
        }
    }
    match named {
        "json" => Ok(ImportForm::Json),
        "csv" | "1pux" | "zip" | "yaml" | "yml" | "xml" | "1pif" | "kdbx" | "gpg" => Err(
            Wrong::whole("what program wrote this file cannot be told from it")
                .remedy(format!("say it: {CHOICES}")),
        ),
        _ => Ok(ImportForm::Dotenv),
    }
}

/// What to say of a folder that is no password store.
pub(super) fn unknown_folder() -> Wrong {
    Wrong::whole("this folder holds no .gpg-id, so it is no password store")
        .remedy("name the store: subrosa import ~/.password-store; if it is one all the same, --format pass")
}
