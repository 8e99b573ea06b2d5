//! YAML as a tree that knows where each part stands, within bounds.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Location, Spanned};

use crate::error::{Place, PolicyError};

/// Longest text of a policy, in bytes.
pub(crate) const TEXT_MAX: usize = 1024 * 1024;
/// Parts that a document may have; see `document.rs` for the bounds that keep it below.
const NODES_MAX: usize = 100_000;
/// A policy needs five.
const DEPTH_MAX: usize = 12;

/// A value and where it stands.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// A number that no key of a policy takes.
    OtherNumber,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) at: Place,
    pub(crate) text: String,
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) | Self::OtherNumber => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document. Anchors, aliases, merge keys, tags and further documents are refused.
pub(crate) fn read(text: &str) -> Result<Node, PolicyError> {
    if text.len() > TEXT_MAX {
        let message = format!(
            "a policy has at most {TEXT_MAX} bytes; this one has {}",
            text.len()
        );
        return Err(PolicyError::too_large(Place::default(), message));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 3 * NODES_MAX,
            max_nodes: NODES_MAX,
            max_depth: DEPTH_MAX,
            flow_nesting_limit: DEPTH_MAX,
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_inclusion_depth: 0,
            max_total_scalar_bytes: 2 * TEXT_MAX,
        },
        // Repeated keys are found by `fields.rs`, which can name both places.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        emit_comments: false,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(text, options) {
        Ok(root) => Ok(node(root)),
        Err(error) => Err(syntax(&error)),
    }
}

fn syntax(error: &serde_saphyr::Error) -> PolicyError {
    let place = error.location().map(place).unwrap_or_default();
    let said = error.without_snippet().to_string();
    let hint = if said.contains("anchor") || said.contains("alias") {
        "a policy has no anchors, aliases or merge keys: write each rule out".to_owned()
    } else {
        String::new()
    };
    // The place is told apart.
    let said = match said.rfind(" at line ").or_else(|| said.find("\n")) {
        Some(end) => said[..end].to_owned(),
        None => said,
    };
    PolicyError::Syntax {
        line: place.line,
        column: place.column,
        message: format!("this is not YAML that a policy may be written in: {said}"),
        hint,
    }
}

fn place(location: Location) -> Place {
    Place {
        line: location.line(),
        column: location.column(),
    }
}

fn node(raw: Spanned<Raw>) -> Node {
    Node {
        at: place(raw.referenced),
        value: raw.value.0,
    }
}

struct Raw(Value);

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Raw)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, true, false, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::OtherNumber, Value::Number))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::OtherNumber, Value::Number))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::OtherNumber, Value::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(element) = list.next_element::<Spanned<Raw>>()? {
            out.push(node(element));
        }
        Ok(Value::List(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(key) = map.next_key::<Spanned<Raw>>()? {
            let at = place(key.referenced);
            // No key of a policy looks like this, so whoever takes the mapping apart refuses it,
            // and knows the place.
            let text = match key.value.0 {
                Value::Text(text) => text,
                other => format!("({})", other.kind()),
            };
            out.push((Key { at, text }, node(map.next_value()?)));
        }
        Ok(Value::Map(out))
    }
}
