//! Bitwarden: its JSON export, of a person's vault or of an organisation's.
//!
//! Logins, secure notes, cards, identities and SSH keys; custom fields keep their names. Passkeys
//! and attachments, which lie beside the document in an archive, are left out and counted. Earlier
//! passwords are left out. What was exported encrypted is refused: only Bitwarden opens it.
//!
//! Source: Bitwarden Help Center, "Condition a Bitwarden .csv or .json" and "Encrypted exports".

use std::io::{Read, Seek};

use subrosa_crypto::MemoryError;

use super::entry::{Entry, Found, Place, Wrong};
use super::tree::{self, Dialect, Node, Text};
use super::zip::Archive;

/// The document in an archive of Bitwarden's.
pub(crate) const DOCUMENT: &str = "data.json";

/// Whether a document is an export, encrypted or not.
pub(crate) fn is_export(tree: &Node<'_>) -> bool {
    matches!(tree.get("encrypted"), Some(Node::Bool(_)))
        && (tree.get("items").is_some() || is_encrypted(tree))
}

fn is_encrypted(tree: &Node<'_>) -> bool {
    matches!(tree.get("encrypted"), Some(Node::Bool(true)))
}

/// Reads an export with attachments, which stay in the archive.
///
/// # Errors
/// [`Wrong`], without any of its content.
pub fn archive<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Found, Wrong> {
    let Some(document) = archive.read(DOCUMENT)? else {
        return Err(Wrong::whole(format!(
            "there is no {DOCUMENT} in the archive, so Bitwarden did not write it"
        )));
    };
    let mut found = items(document.as_slice())?;
    found.attachments += archive
        .names()
        .filter(|name| name.starts_with("attachments/") && !name.ends_with('/'))
        .count();
    Ok(found)
}

/// Reads an export.
///
/// # Errors
/// [`Wrong`], without any of its content; an encrypted export says what to do.
pub fn items(document: &[u8]) -> Result<Found, Wrong> {
    let tree =
        tree::parse(document, Dialect::Strict).map_err(|wrong| Wrong::json(document, wrong))?;
    if is_encrypted(&tree) {
        return Err(
            Wrong::whole("this export is encrypted, and only Bitwarden opens it").remedy(
                "export it anew as .json without encryption (bw export --format json --output FILE), import \
                 that file, and remove it",
            ),
        );
    }
    let Some(items @ Node::List(_)) = tree.get("items") else {
        return Err(Wrong::whole(
            "there are no items in it, so Bitwarden did not write it",
        ));
    };
    let mut folders = Vec::new();
    for list in ["folders", "collections"] {
        let list = tree.get(list).map(Node::items).unwrap_or_default();
        folders.extend(
            list.iter()
                .map(|one| (one.name_of("id"), one.name_of("name"))),
        );
    }
    folders.sort();
    let mut found = Found::default();
    for (index, node) in items.items().iter().enumerate() {
        let mut entry = Entry {
            place: Place::Item(index + 1),
            path: vec![folder(node, &folders), node.name_of("name")],
            ..Entry::default()
        };
        item(node, &mut entry, &mut found)?;
        found.entries.push(entry);
    }
    Ok(found)
}

/// The folder of an item, or the first of its collections.
fn folder(node: &Node<'_>, folders: &[(String, String)]) -> String {
    let collections = node
        .get("collectionIds")
        .map(Node::items)
        .unwrap_or_default();
    let id = node
        .text_of("folderId")
        .or_else(|| collections.iter().find_map(Node::text));
    let id = id.map(|id| id.name()).unwrap_or_default();
    let at = folders.binary_search_by(|(known, _)| known.as_str().cmp(id.as_str()));
    at.map(|at| folders[at].1.clone()).unwrap_or_default()
}

fn item(node: &Node<'_>, entry: &mut Entry, found: &mut Found) -> Result<(), Wrong> {
    if let Some(login) = node.get("login") {
        with(login, "password", |text| {
            entry.secret("value", "password", text.secret()?);
            Ok(())
        })?;
        with(login, "username", |text| {
            entry.open("username", "username", text.secret()?);
            Ok(())
        })?;
        with(login, "totp", |text| {
            entry.secret("otp", "totp", text.secret()?);
            Ok(())
        })?;
        for uri in list(login, "uris")
            .iter()
            .filter_map(|uri| uri.text_of("uri"))
        {
            entry.web(uri.secret()?);
        }
        found.attachments += list(login, "fido2Credentials").len();
    }
    if let Some(key) = node.get("sshKey") {
        with(key, "privateKey", |text| {
            entry.secret("value", "pem", text.secret()?);
            Ok(())
        })?;
        with(key, "publicKey", |text| {
            entry.open("public-key", "", text.secret()?);
            Ok(())
        })?;
    }
    for group in ["card", "identity"] {
        for (name, value) in node.get(group).map(Node::members).unwrap_or_default() {
            if let Some(text) = value.text() {
                entry.secret(name.name(), group_kind(group), text.secret()?);
            }
        }
    }
    for field in list(node, "fields") {
        custom(field, entry, found)?;
    }
    with(node, "notes", |text| {
        entry.secret("notes", "note", text.secret()?);
        Ok(())
    })?;
    Ok(())
}

fn group_kind(group: &str) -> &'static str {
    match group {
        "card" => "card",
        _ => "identity",
    }
}

/// A custom field: 0 text, 1 hidden, 2 a switch, 3 a link to a field of the item.
fn custom(field: &Node<'_>, entry: &mut Entry, found: &mut Found) -> Result<(), MemoryError> {
    if field.get("type").and_then(Node::whole) == Some(3) {
        found.references += 1;
        return Ok(());
    }
    if let Some(value) = field.text_of("value") {
        entry.secret(field.name_of("name"), "", value.secret()?);
    }
    Ok(())
}

fn list<'a, 'd>(node: &'a Node<'d>, name: &str) -> &'a [Node<'d>] {
    node.get(name).map(Node::items).unwrap_or_default()
}

fn with(
    node: &Node<'_>,
    name: &str,
    mut take: impl FnMut(Text<'_>) -> Result<(), MemoryError>,
) -> Result<(), MemoryError> {
    node.text_of(name).map_or(Ok(()), &mut take)
}

#[cfg(test)]
#[path = "bitwarden_tests.rs"]
mod tests;
