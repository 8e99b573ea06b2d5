//! JSON files: one object of names and values, or of names and objects of fields.
//!
//! A value is a string, or `{"base64": "…"}` for bytes that are not text, as `export` writes them.
//! An object with any other names has fields. Numbers, booleans, arrays and null are refused: a
//! secret that was a number comes back as text, and nobody asked for that.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_model::limits::VALUE_MAX;
use subrosa_model::{FieldName, KeyName};

use super::Incoming;
use super::entry::{Place, Wrong};
use super::tree::{self, Dialect, Node, Text};
use crate::EngineError;

/// Reads all secrets of a file.
pub(crate) fn parse(
    what: &str,
    prefix: &str,
    content: &SecretBuf,
) -> Result<Vec<Incoming>, EngineError> {
    secrets(content.as_slice(), prefix).map_err(|wrong| wrong.into_error(what))
}

/// The names that an import of this file would store.
///
/// # Errors
/// [`EngineError::Import`] as an import would fail; it quotes no value.
pub fn names(
    what: &str,
    content: &SecretBuf,
) -> Result<Vec<(KeyName, Vec<FieldName>)>, EngineError> {
    let secrets = parse(what, "", content)?;
    let names = |secret: Incoming| {
        let fields = secret.fields.into_iter().map(|(name, _)| name);
        (secret.key, fields.collect())
    };
    Ok(secrets.into_iter().map(names).collect())
}

const WANTED: &str = "a value is a string, {\"base64\": …} or an object of fields";

fn secrets(document: &[u8], prefix: &str) -> Result<Vec<Incoming>, Wrong> {
    let tree =
        tree::parse(document, Dialect::Strict).map_err(|wrong| Wrong::json(document, wrong))?;
    let Node::Object(members) = &tree else {
        return Err(Wrong::at(Place::Line(1), WANTED));
    };
    let secret = |(index, (name, node)): (usize, &(Text<'_>, Node<'_>))| {
        // By its place: whoever swapped names and values has a value where the name should be. It is
        // counted only for who asks: for each of 100,000 it would be counted through all before it.
        let refused = |reason: &dyn fmt::Display| {
            let place = Place::Line(line_of(document, *name));
            Wrong::at(place, format!("entry {}: {reason}", index + 1))
        };
        let key = KeyName::new(format!("{prefix}{}", name.name())).map_err(|e| refused(&e))?;
        Ok(Incoming::new(key, fields(node, &refused)?))
    };
    members.iter().enumerate().map(secret).collect()
}

fn fields(
    node: &Node<'_>,
    refused: &dyn Fn(&dyn fmt::Display) -> Wrong,
) -> Result<Vec<(FieldName, Sensitive)>, Wrong> {
    let members = match node {
        Node::Text(text) => {
            let value = sensitive(text.secret()?, refused)?;
            return Ok(vec![(FieldName::default_field(), value)]);
        }
        Node::Object(members) => members,
        _ => return Err(refused(&WANTED)),
    };
    if let Some(binary) = node.get("base64") {
        return match (members.len(), binary) {
            (1, Node::Text(text)) => {
                let value = sensitive(bytes(*text, refused)?, refused)?;
                Ok(vec![(FieldName::default_field(), value)])
            }
            (1, _) => Err(refused(&WANTED)),
            _ => Err(refused(&"base64 stands beside other fields")),
        };
    }
    if members.is_empty() {
        return Err(refused(&"a secret has no fields"));
    }
    let mut fields = Vec::with_capacity(members.len());
    for (name, member) in members {
        let name = FieldName::new(name.name()).map_err(|e| refused(&e))?;
        let value = match member {
            Node::Text(text) => text.secret()?,
            Node::Object(object) => match (object.len(), member.get("base64")) {
                (1, Some(Node::Text(text))) => bytes(*text, refused)?,
                _ => {
                    let text = format!("{name} is an object inside the fields of a secret");
                    return Err(refused(&text));
                }
            },
            _ => return Err(refused(&WANTED)),
        };
        fields.push((name, sensitive(value, refused)?));
    }
    Ok(fields)
}

/// Base64, decoded from locked memory into locked memory.
fn bytes(text: Text<'_>, refused: &dyn Fn(&dyn fmt::Display) -> Wrong) -> Result<SecretBuf, Wrong> {
    let text = text.secret()?;
    let mut bytes = SecretBuf::zeroed(base64::decoded_len_estimate(text.len()))?;
    let decoded = BASE64_STANDARD.decode_slice(text.as_slice(), bytes.as_mut_slice());
    bytes.truncate(decoded.map_err(|_| refused(&"this is not base64"))?);
    Ok(bytes)
}

fn sensitive(
    value: SecretBuf,
    refused: &dyn Fn(&dyn fmt::Display) -> Wrong,
) -> Result<Sensitive, Wrong> {
    if value.len() > VALUE_MAX {
        return Err(refused(&format_args!(
            "a value has at most {VALUE_MAX} bytes"
        )));
    }
    Ok(Sensitive::input(value))
}

/// The line on which a name of the document stands.
fn line_of(document: &[u8], name: Text<'_>) -> usize {
    let at = (name.raw().as_ptr() as usize).saturating_sub(document.as_ptr() as usize);
    let before = document.get(..at).unwrap_or(document);
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let content = SecretBuf::copy_from(text.as_bytes()).unwrap();
        let secrets = parse("x.json", "app/", &content).map_err(|error| error.to_string())?;
        let show = |secret: &Incoming| {
            let fields: Vec<_> = secret
                .fields
                .iter()
                .map(|(field, _)| field.to_string())
                .collect();
            format!("{}#{}", secret.key, fields.join(","))
        };
        Ok(secrets.iter().map(show).collect())
    }

    #[test]
    fn strings_fields_and_bytes_are_read() {
        let text = r#"{"a": "x", "db": {"user": "u", "password": "p"}, "bin": {"base64": "AP8="}}"#;
        assert_eq!(
            read(text).unwrap(),
            ["app/a#value", "app/db#user,password", "app/bin#value"]
        );
    }

    #[test]
    fn a_field_may_be_bytes() {
        let text = r#"{"a": {"key": {"base64": "AP8="}, "user": "u"}}"#;
        assert_eq!(read(text).unwrap(), ["app/a#key,user"]);
    }

    #[test]
    fn errors_name_the_entry_or_the_column() {
        let error = read("{\"a\": \"x\",\n \"b\": 5}").unwrap_err();
        assert!(
            error.starts_with("x.json: line 2: entry 2: a value is a string"),
            "{error}"
        );
        let error = read("{\"a\": \"x\" \"b\"}").unwrap_err();
        assert_eq!(error, "x.json: line 1: this is not JSON, from column 11 on");
    }

    #[test]
    fn errors_hold_no_content() {
        for text in [
            r#"{"a": 4711471147}"#,
            r#"{"a": ["hunter2"]}"#,
            r#"{"a": "hunter2""#,
            r#"{"a": "hunter2"} hunter2"#,
            r#""hunter2""#,
            r#"{"a": {"b": {"c": "hunter2"}}}"#,
            r#"{"a": {"base64": "hunter2!"}}"#,
            r#"{"a": "hunter2", "a": "hunter2"}"#,
            r#"{"a": {}}"#,
            "{\"a\": \"hunter2\u{1}\"}",
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with("x.json: line 1: "), "{error}");
            assert!(
                !error.contains("hunter2") && !error.contains("4711"),
                "{error}"
            );
        }
    }
}
