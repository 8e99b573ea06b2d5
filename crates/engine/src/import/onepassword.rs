//! 1Password: the archive that it calls 1PUX, and its tables.
//!
//! An archive holds `export.data`, one JSON document of accounts, vaults and items, and attached
//! files, which stay there. Earlier passwords of an item and links between items are left out.
//! A table holds logins alone.
//!
//! Source: 1Password Support, "About the 1Password Unencrypted Export format", version 3.

use std::io::{Read, Seek};

use subrosa_crypto::{MemoryError, SecretBuf};
use subrosa_model::Timestamp;

use super::csv::{self, Table};
use super::entry::{Entry, Found, Place, Wrong};
use super::tree::{self, Dialect, Node};
use super::zip::Archive;

/// The document in an archive.
pub(crate) const DOCUMENT: &str = "export.data";
/// The category of items that hold the key of an interface, which has an end.
const API_CREDENTIAL: &str = "112";

/// Reads an archive.
///
/// # Errors
/// [`Wrong`], without any of its content.
pub fn archive<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Found, Wrong> {
    let Some(document) = archive.read(DOCUMENT)? else {
        return Err(Wrong::whole(format!(
            "there is no {DOCUMENT} in the archive, so 1Password did not write it"
        )));
    };
    let mut found = items(document.as_slice())?;
    found.attachments += archive
        .names()
        .filter(|name| name.starts_with("files/") && !name.ends_with('/'))
        .count();
    Ok(found)
}

/// Reads the document of an archive.
///
/// # Errors
/// [`Wrong`], without any of its content.
pub fn items(document: &[u8]) -> Result<Found, Wrong> {
    let tree =
        tree::parse(document, Dialect::Strict).map_err(|wrong| Wrong::json(document, wrong))?;
    let Some(accounts @ Node::List(_)) = tree.get("accounts") else {
        return Err(Wrong::whole(format!("{DOCUMENT} holds no accounts")));
    };
    let mut found = Found::default();
    let mut number = 0;
    for vault in accounts
        .items()
        .iter()
        .flat_map(|account| list(account, "vaults"))
    {
        let name = vault.get("attrs").map(|attrs| attrs.name_of("name"));
        for node in list(vault, "items") {
            number += 1;
            // An earlier version of the form put the item one level deeper.
            let node = node.get("item").unwrap_or(node);
            let mut entry = Entry {
                place: Place::Item(number),
                path: vec![name.clone().unwrap_or_default()],
                ..Entry::default()
            };
            item(node, &mut entry, &mut found)?;
            found.entries.push(entry);
        }
    }
    Ok(found)
}

fn list<'a, 'd>(node: &'a Node<'d>, name: &str) -> &'a [Node<'d>] {
    node.get(name).map(Node::items).unwrap_or_default()
}

fn item(node: &Node<'_>, entry: &mut Entry, found: &mut Found) -> Result<(), Wrong> {
    if let Some(overview) = node.get("overview") {
        entry.path.push(overview.name_of("title"));
        let tags = list(overview, "tags").iter().filter_map(Node::text);
        entry.tags = tags.map(|tag| tag.name()).collect();
        let urls = list(overview, "urls")
            .iter()
            .filter_map(|url| url.text_of("url"));
        let mut urls: Vec<_> = urls.collect();
        if urls.is_empty() {
            urls.extend(overview.text_of("url"));
        }
        for url in urls {
            entry.web(url.secret()?);
        }
    } else {
        entry.path.push(String::new());
    }
    if node
        .text_of("state")
        .is_some_and(|state| state.is("archived"))
    {
        entry.tags.push("archived".to_owned());
    }
    let Some(details) = node.get("details") else {
        return Ok(());
    };
    for field in list(details, "loginFields") {
        login_field(field, entry)?;
    }
    if let Some(password) = details.text_of("password") {
        let name = if entry.has("value") {
            "password"
        } else {
            "value"
        };
        entry.secret(name, "password", password.secret()?);
    }
    let category = node.name_of("categoryUuid");
    for field in list(details, "sections")
        .iter()
        .flat_map(|section| list(section, "fields"))
    {
        section_field(field, &category, entry, found)?;
    }
    if let Some(notes) = details.text_of("notesPlain") {
        entry.secret("notes", "note", notes.secret()?);
    }
    Ok(())
}

fn login_field(field: &Node<'_>, entry: &mut Entry) -> Result<(), MemoryError> {
    let Some(value) = field.text_of("value") else {
        return Ok(());
    };
    let designated = |word: &str| {
        field
            .text_of("designation")
            .is_some_and(|text| text.is(word))
    };
    // Ticks and buttons of the form on the page.
    if ["B", "C", "I"]
        .iter()
        .any(|kind| field.text_of("fieldType").is_some_and(|text| text.is(kind)))
    {
        return Ok(());
    }
    if designated("username") {
        entry.open("username", "username", value.secret()?);
    } else if designated("password") && !entry.has("value") {
        entry.secret("value", "password", value.secret()?);
    } else {
        let name = Some(field.name_of("name")).filter(|name| !name.is_empty());
        entry.secret(
            name.unwrap_or_else(|| field.name_of("id")),
            "",
            value.secret()?,
        );
    }
    Ok(())
}

fn section_field(
    field: &Node<'_>,
    category: &str,
    entry: &mut Entry,
    found: &mut Found,
) -> Result<(), Wrong> {
    let id = field.name_of("id");
    let title = Some(field.name_of("title")).filter(|title| !title.is_empty());
    let title = title.unwrap_or_else(|| id.clone());
    let Some((kind, value)) = field.get("value").and_then(|value| value.members().first()) else {
        return Ok(());
    };
    match (kind.name().as_str(), value) {
        // An attached file is counted where it lies; a link names another item.
        ("file", _) => {}
        ("reference", _) => found.references += usize::from(value.text().is_some()),
        ("concealed", Node::Text(text)) => {
            // What other programs of this form call their one secret.
            let main = ["password", "credential"].contains(&id.as_str()) && !entry.has("value");
            let name = if main { "value".to_owned() } else { title };
            entry.secret(name, "password", text.secret()?);
        }
        ("totp", Node::Text(text)) => entry.secret("otp", "totp", text.secret()?),
        ("url", Node::Text(text)) => entry.web(text.secret()?),
        ("email", Node::Text(text)) => entry.open(title, "email", text.secret()?),
        ("email", object) => {
            if let Some(text) = object.text_of("email_address") {
                entry.open(title, "email", text.secret()?);
            }
        }
        ("string", Node::Text(text)) if id == "username" => {
            entry.open("username", "username", text.secret()?);
        }
        ("date", number) => {
            let when = number
                .whole()
                .and_then(|seconds| seconds.checked_mul(1_000_000));
            if let Some(when) = when.map(Timestamp::from_micros) {
                if category == API_CREDENTIAL && id == "expires" {
                    entry.expires = Some(when);
                } else {
                    entry.secret(title, "date", short(&when.to_string(), 10)?);
                }
            }
        }
        ("monthYear", number) => {
            if let Some(month) = number.whole() {
                let text = format!("{:04}-{:02}", month / 100, month % 100);
                entry.secret(title, "date", short(&text, 7)?);
            }
        }
        ("sshKey", key) => {
            if let Some(private) = key.text_of("privateKey") {
                let name = if entry.has("value") {
                    "private-key"
                } else {
                    "value"
                };
                entry.secret(name, "pem", private.secret()?);
            }
            let public = key
                .get("metadata")
                .and_then(|about| about.text_of("publicKey"));
            if let Some(public) = public {
                entry.open("public-key", "", public.secret()?);
            }
        }
        (_, Node::Text(text)) => entry.secret(title, "", text.secret()?),
        (_, Node::Number(digits)) => entry.secret(title, "", SecretBuf::copy_from(digits)?),
        (_, Node::Object(parts)) => {
            for (name, part) in parts {
                if let Some(text) = part.text() {
                    entry.secret(format!("{title}-{}", name.name()), "", text.secret()?);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn short(text: &str, length: usize) -> Result<SecretBuf, MemoryError> {
    let bytes = text.as_bytes();
    SecretBuf::copy_from(bytes.get(..length).unwrap_or(bytes))
}

/// Whether a table has the columns of one of 1Password's.
pub(crate) fn is_table(table: &Table<'_>) -> bool {
    ["title", "username", "password"]
        .iter()
        .all(|name| table.has(name))
        && (table.has("otpauth") || table.has("archived"))
}

/// Reads a table.
///
/// # Errors
/// [`Wrong`] with the line, without any of its content.
pub fn table(document: &[u8]) -> Result<Found, Wrong> {
    let table = csv::parse(document)?;
    let title = table.column(&["title"]);
    let url = table.column(&["url", "website"]);
    let username = table.column(&["username"]);
    let password = table.column(&["password"]);
    let otp = table.column(&["otpauth", "one-time password"]);
    let notes = table.column(&["notes"]);
    let tags = table.column(&["tags"]);
    let archived = table.column(&["archived", "archived status"]);
    let favourite = table.column(&["favorite", "favorite status"]);
    if title.is_none() || password.is_none() {
        return Err(Wrong::at(
            Place::Line(1),
            "the first line names no Title and Password, so 1Password did not write it",
        ));
    }
    let known = [
        title, url, username, password, otp, notes, tags, archived, favourite,
    ];
    let mut found = Found::default();
    for row in &table.rows {
        let mut entry = Entry {
            place: Place::Line(row.line),
            path: vec![row.name(title)],
            ..Entry::default()
        };
        if let Some(cell) = row.cell(password) {
            entry.secret("value", "password", cell.secret()?);
        }
        if let Some(cell) = row.cell(username) {
            entry.open("username", "username", cell.secret()?);
        }
        if let Some(cell) = row.cell(url) {
            entry.web(cell.secret()?);
        }
        if let Some(cell) = row.cell(otp) {
            entry.secret("otp", "totp", cell.secret()?);
        }
        if let Some(cell) = row.cell(notes) {
            entry.secret("notes", "note", cell.secret()?);
        }
        entry.tags = row.name(tags).split(';').map(str::to_owned).collect();
        if row.name(archived).eq_ignore_ascii_case("true") {
            entry.tags.push("archived".to_owned());
        }
        for (index, name) in table.columns.iter().enumerate() {
            let other = !known.contains(&Some(index));
            if let Some(cell) = row.cell(Some(index)).filter(|_| other) {
                entry.secret(name.name(), "", cell.secret()?);
            }
        }
        found.entries.push(entry);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "onepassword_tests.rs"]
mod tests;
