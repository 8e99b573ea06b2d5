//! LastPass: its CSV export.
//!
//! A row is a login, or a secure note where the address is `http://sn`. Folders are parted by `\`.
//! Typed notes (servers, keys, cards) are text in the column `extra` and stay one text.
//!
//! Source: LastPass Support, "How do I import stored data using a generic CSV file" and "Export
//! your vault data".

use super::csv::{self, Table};
use super::entry::{Entry, Found, Place, Wrong};

/// What stands for the address of a secure note.
const NOTE: &[u8] = b"http://sn";

/// Whether a table has the columns of one of LastPass's.
pub(crate) fn is_table(table: &Table<'_>) -> bool {
    ["url", "username", "password", "extra", "name", "grouping"]
        .iter()
        .all(|name| table.has(name))
}

/// Reads a table.
///
/// # Errors
/// [`Wrong`] with the line, without any of its content.
pub fn table(document: &[u8]) -> Result<Found, Wrong> {
    let table = csv::parse(document)?;
    if !is_table(&table) {
        return Err(Wrong::at(
            Place::Line(1),
            "the first line does not name url, username, password, extra, name and grouping, so LastPass \
             did not write it",
        ));
    }
    let column = |name: &str| table.column(&[name]);
    let mut found = Found::default();
    for row in &table.rows {
        let folder = row.name(column("grouping")).replace('\\', "/");
        let mut entry = Entry {
            place: Place::Line(row.line),
            path: vec![folder, row.name(column("name"))],
            ..Entry::default()
        };
        if let Some(cell) = row.cell(column("password")) {
            entry.secret("value", "password", cell.secret()?);
        }
        if let Some(cell) = row.cell(column("username")) {
            entry.open("username", "username", cell.secret()?);
        }
        if let Some(cell) = row.cell(column("url")) {
            let url = cell.secret()?;
            if url.as_slice() != NOTE {
                entry.web(url);
            }
        }
        if let Some(cell) = row.cell(column("totp")) {
            entry.secret("otp", "totp", cell.secret()?);
        }
        if let Some(cell) = row.cell(column("extra")) {
            entry.secret("notes", "note", cell.secret()?);
        }
        found.entries.push(entry);
    }
    Ok(found)
}

#[cfg(test)]
#[path = "lastpass_tests.rs"]
mod tests;
