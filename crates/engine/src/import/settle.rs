//! From items to secrets: keys, fields and what is known of them.
//!
//! The main value of an item is its field `value`: a password, the text of a note, a private key.
//! An item with one secret field has that one as `value`. Items without any are left out and named.

use subrosa_egress::Sensitive;
use subrosa_model::limits::{FIELDS_MAX, VALUE_MAX};
use subrosa_model::{FieldName, KeyName, VarName};
use subrosa_runner::environment::never;
use subrosa_vault::Field;

use super::entry::{Entry, EntryField, Found, Wrong};
use super::{Imported, Incoming, names};
use crate::EngineError;

/// Fields that are the main value of an item that names none, in this order.
const MAIN: [&str; 4] = ["password", "credential", "private-key", "secret"];
const VALUE: &str = "value";

/// Makes secrets of what was found, and notes in `report` what was left out.
pub(super) fn settle(
    found: Found,
    what: &str,
    prefix: &str,
    report: &mut Imported,
) -> Result<Vec<Incoming>, EngineError> {
    report.attachments += found.attachments;
    report.references += found.references;
    let plain = found.plain.iter().map(|path| names::shown(path));
    report.not_secret.extend(plain);
    let (full, empty): (Vec<Entry>, Vec<Entry>) = found
        .entries
        .into_iter()
        .partition(|entry| entry.fields.iter().any(|field| field.sensitive));
    let empty = empty.iter().map(|entry| names::shown(&entry.path));
    report.empty.extend(empty);
    let paths: Vec<&[String]> = full.iter().map(|entry| entry.path.as_slice()).collect();
    let keys = names::keys(&paths, prefix)?;
    let mut incoming = Vec::with_capacity(full.len());
    for (entry, (key, numbered)) in full.into_iter().zip(keys) {
        if numbered {
            report.numbered.push(key.clone());
        }
        check(&entry).map_err(|wrong| wrong.into_error(what))?;
        let (tags, lost) = names::tags(&entry.tags);
        report.tags_left_out += lost;
        let variable = entry.variable.filter(|name| never(name).is_none());
        let (fields, about) = fields(entry.fields)?;
        incoming.push(Incoming {
            variable: variable.and_then(|name| VarName::new(name).ok()),
            about,
            tags: Some(tags).filter(|tags| !tags.is_empty()),
            url: entry.url,
            expires: entry.expires,
            ..Incoming::new(key, fields)
        });
    }
    Ok(incoming)
}

/// The names that an import of these items would store.
///
/// # Errors
/// [`EngineError::ImportItem`] as an import would fail; it quotes no value.
pub fn outline(what: &str, found: Found) -> Result<Vec<(KeyName, Vec<FieldName>)>, EngineError> {
    let secrets = settle(found, what, "", &mut Imported::default())?;
    let names = |secret: Incoming| {
        let fields = secret.fields.into_iter().map(|(name, _)| name);
        (secret.key, fields.collect())
    };
    Ok(secrets.into_iter().map(names).collect())
}

fn check(entry: &Entry) -> Result<(), Wrong> {
    if entry.fields.len() > FIELDS_MAX {
        let reason = format!("a secret has at most {FIELDS_MAX} fields");
        return Err(Wrong::at(entry.place, reason));
    }
    if entry
        .fields
        .iter()
        .any(|field| field.value.len() > VALUE_MAX)
    {
        let reason = format!("a value has at most {VALUE_MAX} bytes");
        return Err(Wrong::at(entry.place, reason));
    }
    Ok(())
}

type Fields = (Vec<(FieldName, Sensitive)>, Vec<(FieldName, Field)>);

fn fields(mut fields: Vec<EntryField>) -> Result<Fields, EngineError> {
    let main = main_of(&fields);
    let mut alias = None;
    if let Some(at) = main {
        // First, so that no other field takes its name.
        let field = fields.remove(at);
        alias = Some(field.name.clone()).filter(|name| name != VALUE);
        if field.kind == "password" {
            alias = Some("password".to_owned());
        }
        fields.insert(
            0,
            EntryField {
                name: VALUE.to_owned(),
                ..field
            },
        );
    }
    let found = names::fields(fields.iter().map(|field| field.name.as_str()))?;
    let alias = alias.map(|alias| names::fields(std::iter::once(alias.as_str())));
    let alias = alias.transpose()?.and_then(|mut names| names.pop());
    let alias = alias.filter(|alias| !found.contains(alias));
    let mut values = Vec::with_capacity(fields.len());
    let mut about = Vec::with_capacity(fields.len());
    for (index, (name, field)) in found.into_iter().zip(fields).enumerate() {
        let own = main.is_some() && index == 0;
        let known = Field {
            kind: field.kind.to_owned(),
            sensitive: field.sensitive,
            aliases: alias.iter().filter(|_| own).cloned().collect(),
            ..Field::default()
        };
        values.push((name.clone(), Sensitive::input(field.value)));
        about.push((name, known));
    }
    Ok((values, about))
}

/// Which field is the main value.
fn main_of(fields: &[EntryField]) -> Option<usize> {
    let at = |name: &str| {
        fields
            .iter()
            .position(|field| field.sensitive && field.name.eq_ignore_ascii_case(name))
    };
    let mut secret = fields
        .iter()
        .enumerate()
        .filter(|(_, field)| field.sensitive);
    let only = match (secret.next(), secret.next()) {
        (Some((only, _)), None) => Some(only),
        _ => None,
    };
    at(VALUE)
        .or_else(|| MAIN.iter().find_map(|name| at(name)))
        .or(only)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
