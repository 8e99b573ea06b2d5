//! Takes a mapping apart: every key known, none twice, each of its type.

use crate::error::{Place, PolicyError, closest};
use crate::node::{Key, Node, Value};

/// The entries of one mapping that were not taken yet.
pub(crate) struct Fields {
    /// Where the mapping stands.
    pub(crate) at: Place,
    /// What it is, for messages: `a rule`.
    what: &'static str,
    entries: Vec<(Key, Node)>,
}

impl Fields {
    /// Opens a mapping.
    pub(crate) fn open(
        node: Node,
        what: &'static str,
        known: &[&'static str],
    ) -> Result<Self, PolicyError> {
        let entries = match node.value {
            Value::Map(entries) => entries,
            other => {
                let message = format!(
                    "{what} is a mapping of keys to values, not {}",
                    other.kind()
                );
                return Err(PolicyError::content(node.at, message, keys(known)));
            }
        };
        for (index, (key, _)) in entries.iter().enumerate() {
            if !known.contains(&key.text.as_str()) {
                return Err(unknown(key, what, known));
            }
            if let Some((first, _)) = entries[..index].iter().find(|(k, _)| k.text == key.text) {
                let message = format!("`{}` stands twice in {what}", key.text);
                let hint = format!("it stands first on line {}; keep one", first.at.line);
                return Err(PolicyError::content(key.at, message, hint));
            }
        }
        Ok(Self {
            at: node.at,
            what,
            entries,
        })
    }

    /// Takes the value of a key, and where the key stands.
    pub(crate) fn take(&mut self, key: &str) -> Option<(Place, Node)> {
        let index = self.entries.iter().position(|(k, _)| k.text == key)?;
        let (key, node) = self.entries.remove(index);
        Some((key.at, node))
    }

    /// Takes a text, and where it stands.
    pub(crate) fn text(&mut self, key: &str) -> Result<Option<(Place, String)>, PolicyError> {
        match self.take(key) {
            Some((_, node)) => text(node, key).map(Some),
            None => Ok(None),
        }
    }

    /// Takes a list of texts, each with its place.
    pub(crate) fn texts(
        &mut self,
        key: &str,
        most: usize,
    ) -> Result<Option<Vec<(Place, String)>>, PolicyError> {
        let Some(nodes) = self.list(key, most)? else {
            return Ok(None);
        };
        nodes
            .into_iter()
            .map(|node| text(node, key))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Takes a list.
    pub(crate) fn list(
        &mut self,
        key: &str,
        most: usize,
    ) -> Result<Option<Vec<Node>>, PolicyError> {
        let Some((at, node)) = self.take(key) else {
            return Ok(None);
        };
        match node.value {
            Value::List(nodes) if nodes.len() > most => Err(PolicyError::too_large(
                at,
                format!(
                    "`{key}` has at most {most} entries; this one has {}",
                    nodes.len()
                ),
            )),
            Value::List(nodes) => Ok(Some(nodes)),
            Value::Null => Err(PolicyError::content(
                at,
                format!("`{key}` has no value"),
                format!("write `{key}: []` for none, or leave it out"),
            )),
            other => Err(PolicyError::content(
                node.at,
                format!("`{key}` is a list, not {}", other.kind()),
                match key {
                    "rules" | "agents" | "tests" => {
                        format!("below `{key}:`, each begins on a line of its own with `- `")
                    }
                    _ => format!("write it as {key}: [\"…\", \"…\"]"),
                },
            )),
        }
    }

    /// Takes `true` or `false`.
    pub(crate) fn boolean(&mut self, key: &str) -> Result<Option<bool>, PolicyError> {
        match self.take(key) {
            None => Ok(None),
            Some((
                _,
                Node {
                    value: Value::Bool(value),
                    ..
                },
            )) => Ok(Some(value)),
            Some((_, node)) => Err(PolicyError::content(
                node.at,
                format!("`{key}` is true or false, not {}", node.value.kind()),
                format!("write it as {key}: true"),
            )),
        }
    }

    /// Takes a text and reads it.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, PolicyError> {
        let Some((at, text)) = self.text(key)? else {
            return Ok(None);
        };
        read(&text)
            .map(Some)
            .map_err(|why| PolicyError::content(at, format!("`{key}`: {why}"), ""))
    }

    /// Takes a list of texts and reads each.
    pub(crate) fn parsed_list<T>(
        &mut self,
        key: &str,
        most: usize,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<Vec<T>>, PolicyError> {
        let Some(texts) = self.texts(key, most)? else {
            return Ok(None);
        };
        let one = |(at, text): (Place, String)| {
            read(&text).map_err(|why| PolicyError::content(at, format!("`{key}`: {why}"), ""))
        };
        texts
            .into_iter()
            .map(one)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Takes a number or a text and reads it as text.
    pub(crate) fn quantity<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, PolicyError> {
        let Some((_, node)) = self.take(key) else {
            return Ok(None);
        };
        let at = node.at;
        let text = match node.value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text,
            other => {
                let message = format!("`{key}` is a number with a unit, not {}", other.kind());
                return Err(PolicyError::content(at, message, ""));
            }
        };
        read(&text)
            .map(Some)
            .map_err(|why| PolicyError::content(at, format!("`{key}`: {why}"), ""))
    }

    /// Fails when keys are left that have no meaning here.
    pub(crate) fn end(self, why: &str) -> Result<(), PolicyError> {
        match self.entries.first() {
            None => Ok(()),
            Some((key, _)) => Err(PolicyError::content(
                key.at,
                format!("`{}` has no meaning in {}", key.text, self.what),
                why,
            )),
        }
    }
}

/// A text, or an error that says how to write one.
fn text(node: Node, key: &str) -> Result<(Place, String), PolicyError> {
    match node.value {
        Value::Text(text) => Ok((node.at, text)),
        Value::Bool(_) | Value::Number(_) | Value::OtherNumber => Err(PolicyError::content(
            node.at,
            format!(
                "`{key}` is a text, and YAML reads this as {}",
                node.value.kind()
            ),
            "put it in quotes",
        )),
        other => Err(PolicyError::content(
            node.at,
            format!("`{key}` is a text, not {}", other.kind()),
            "",
        )),
    }
}

/// The one of `known` that a text names.
pub(crate) fn one_of<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = known.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
    let shown: String = text.chars().take(40).collect();
    Err(match closest(text, &names) {
        Some(near) => format!(
            "{shown:?} is none of {}; did you mean {near}?",
            names.join(", ")
        ),
        None => format!("{shown:?} is none of {}", names.join(", ")),
    })
}

fn unknown(key: &Key, what: &str, known: &[&'static str]) -> PolicyError {
    let shown: String = key.text.chars().take(40).collect();
    let message = match closest(&key.text, known) {
        Some(near) => format!("`{shown}` is no key of {what}; did you mean `{near}`?"),
        None => format!("`{shown}` is no key of {what}"),
    };
    PolicyError::content(key.at, message, keys(known))
}

fn keys(known: &[&str]) -> String {
    format!("its keys are {}", known.join(", "))
}
