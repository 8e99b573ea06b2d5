//! JSON files: one object of names and values, or of names and objects of fields.
//!
//! A value is a string, or `{"base64": "…"}` for bytes that are not text, as `export` writes them.
//! An object with any other names has fields. Numbers, booleans, arrays and null are refused: a
//! secret that was a number comes back as text, and nobody asked for that.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_model::limits::VALUE_MAX;
use subrosa_model::{FieldName, KeyName};

use super::Incoming;
use crate::EngineError;

/// Reads all secrets of a file.
pub(crate) fn parse(
    what: &str,
    prefix: &str,
    content: &SecretBuf,
) -> Result<Vec<Incoming>, EngineError> {
    let mut deserializer = serde_json::Deserializer::from_slice(content.as_slice());
    let at = Cell::new(0);
    let secrets = Secrets { prefix, at: &at }
        .deserialize(&mut deserializer)
        .and_then(|secrets| deserializer.end().map(|()| secrets));
    secrets.map_err(|error| EngineError::Import {
        what: what.to_owned(),
        line: error.line(),
        // By its place: whoever swapped names and values has a value where the name should be.
        reason: match at.get() {
            place if place > 0 && error.is_data() => format!("entry {place}: {}", reason(&error)),
            _ => reason(&error),
        },
    })
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

/// The error without what it may quote: a message of the library can hold the value it met.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text
        .strip_prefix(OURS)
        .and_then(|text| text.split(" at line ").next())
    {
        Some(ours) => ours.to_owned(),
        None => match error.classify() {
            serde_json::error::Category::Eof => "the file ends too early".to_owned(),
            serde_json::error::Category::Syntax => {
                format!("this is not JSON, from column {} on", error.column())
            }
            _ => "a value is a string, {\"base64\": …} or an object of fields".to_owned(),
        },
    }
}

/// Marks messages that were made here, of names alone.
const OURS: &str = "subrosa: ";

fn ours<E: serde::de::Error>(reason: impl fmt::Display) -> E {
    E::custom(format_args!("{OURS}{reason}"))
}

struct Secrets<'a> {
    prefix: &'a str,
    /// Which secret is being read, counted from 1, for messages; 0 between them.
    at: &'a Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Secrets<'_> {
    type Value = Vec<Incoming>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Secrets<'_> {
    type Value = Vec<Incoming>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut secrets: Vec<Incoming> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            let key = KeyName::new(format!("{}{name}", self.prefix)).map_err(ours)?;
            if !seen.insert(key.clone()) {
                return Err(ours(format_args!("{key} is there twice")));
            }
            self.at.set(seen.len());
            let fields = match map.next_value_seed(Content)? {
                Parsed::Value(value) => vec![(FieldName::default_field(), value)],
                Parsed::Fields(fields) => fields,
            };
            self.at.set(0);
            secrets.push(Incoming::new(key, fields));
        }
        Ok(secrets)
    }
}

enum Parsed {
    Value(Sensitive),
    Fields(Vec<(FieldName, Sensitive)>),
}

struct Content;

impl<'de> DeserializeSeed<'de> for Content {
    type Value = Parsed;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Content {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an object of fields")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Parsed, E> {
        sensitive(text.as_bytes()).map(Parsed::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parsed, A::Error> {
        let mut fields: Vec<(FieldName, Sensitive)> = Vec::new();
        let mut binary = None;
        while let Some(name) = map.next_key::<String>()? {
            if name == "base64" {
                binary = Some(map.next_value_seed(Binary)?);
                continue;
            }
            let Parsed::Value(value) = map.next_value_seed(Content)? else {
                return Err(ours(format_args!(
                    "{name} is an object inside the fields of a secret"
                )));
            };
            let field = FieldName::new(name).map_err(ours)?;
            if fields.iter().any(|(earlier, _)| *earlier == field) {
                return Err(ours(format_args!("the field {field} is there twice")));
            }
            fields.push((field, value));
        }
        match (binary, fields.is_empty()) {
            (None, false) => Ok(Parsed::Fields(fields)),
            (None, true) => Err(ours("a secret has no fields")),
            (Some(value), true) => Ok(Parsed::Value(value)),
            (Some(_), false) => Err(ours("base64 stands beside other fields")),
        }
    }
}

/// A string of base64, decoded.
struct Binary;

impl<'de> DeserializeSeed<'de> for Binary {
    type Value = Sensitive;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Sensitive, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Binary {
    type Value = Sensitive;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string of base64")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Sensitive, E> {
        let bytes = BASE64_STANDARD
            .decode(text)
            .map_err(|_| ours("this is not base64"))?;
        if bytes.len() > VALUE_MAX {
            return Err(ours(format_args!("a value has at most {VALUE_MAX} bytes")));
        }
        SecretBuf::take(bytes).map(Sensitive::input).map_err(ours)
    }
}

fn sensitive<E: serde::de::Error>(bytes: &[u8]) -> Result<Sensitive, E> {
    if bytes.len() > VALUE_MAX {
        return Err(ours(format_args!("a value has at most {VALUE_MAX} bytes")));
    }
    SecretBuf::copy_from(bytes)
        .map(Sensitive::input)
        .map_err(ours)
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
