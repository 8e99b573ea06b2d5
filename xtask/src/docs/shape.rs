//! What documents look like: which fields there are, of which types, and whether always.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What was seen of one place in a document.
#[derive(Debug, Default)]
pub(super) struct Seen {
    types: BTreeSet<&'static str>,
    times: usize,
}

/// All places of a document: `key`, `about[].name`, `[]` for the elements of a list.
#[derive(Debug, Default)]
pub(super) struct Shape {
    places: BTreeMap<String, Seen>,
    objects: BTreeMap<String, usize>,
}

impl Shape {
    /// Takes a document in.
    pub(super) fn see(&mut self, value: &Value) {
        self.at("", value);
    }

    fn at(&mut self, place: &str, value: &Value) {
        let seen = self.places.entry(place.to_owned()).or_default();
        seen.times += 1;
        seen.types.insert(match value {
            Value::Null => "null",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "number",
            Value::String(_) => "text",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        });
        match value {
            Value::Array(elements) => {
                for element in elements {
                    self.at(&format!("{place}[]"), element);
                }
            }
            Value::Object(fields) => {
                *self.objects.entry(place.to_owned()).or_default() += 1;
                for (name, field) in fields {
                    self.at(&below(place, name), field);
                }
            }
            _ => {}
        }
    }

    /// The places that need a description: every field.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let field = |place: &&String| !place.is_empty() && !place.ends_with("[]");
        self.places.keys().filter(field).map(String::as_str)
    }

    /// The type of a place, and whether it may be missing; `None` where it was never seen.
    pub(super) fn of(&self, place: &str) -> Option<(String, bool)> {
        let seen = self.places.get(place)?;
        let parent = place.rsplit_once('.').map_or("", |(parent, _)| parent);
        // `[].key` is in the objects of the list `[]`.
        let around = if place.contains('.') { parent } else { "" };
        let missing = self
            .objects
            .get(around)
            .is_some_and(|times| *times > seen.times);
        let mut types: Vec<&str> = seen
            .types
            .iter()
            .copied()
            .filter(|kind| *kind != "null")
            .collect();
        if seen.types.contains("null") {
            types.push("null");
        }
        let inner = self.places.get(&format!("{place}[]"));
        let inner = inner.map(|inner| inner.types.iter().copied().collect::<Vec<_>>().join(" or "));
        let text = match inner {
            Some(inner) => types
                .join(" or ")
                .replace("list", &format!("list of {inner}")),
            None => types.join(" or "),
        };
        Some((text, missing))
    }
}

fn below(place: &str, name: &str) -> String {
    if place.is_empty() {
        name.to_owned()
    } else {
        format!("{place}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Shape;

    #[test]
    fn fields_have_types_and_may_be_missing() {
        let mut shape = Shape::default();
        shape.see(&json!({"a": 1, "b": {"c": [{"d": "x"}, {"d": null, "e": true}]}}));
        shape.see(&json!({"a": 2}));
        assert_eq!(
            shape.fields().collect::<Vec<_>>(),
            ["a", "b", "b.c", "b.c[].d", "b.c[].e"]
        );
        assert_eq!(shape.of("a"), Some(("number".to_owned(), false)));
        assert_eq!(shape.of("b"), Some(("object".to_owned(), true)));
        assert_eq!(shape.of("b.c"), Some(("list of object".to_owned(), false)));
        assert_eq!(
            shape.of("b.c[].d"),
            Some(("text or null".to_owned(), false))
        );
        assert_eq!(
            shape.of("b.c[].e"),
            Some(("true or false".to_owned(), true))
        );
        assert_eq!(shape.of("x"), None);
    }
}
