//! Nothing goes undescribed.

use serde_json::json;

use super::*;

fn document(fields: &[&str], value: &Value) -> Document {
    let mut shape = Shape::default();
    shape.see(value);
    Document {
        name: "ls".to_owned(),
        commands: vec!["ls".to_owned()],
        about: String::new(),
        fields: fields
            .iter()
            .map(|place| Field {
                place: (*place).to_owned(),
                means: "means".to_owned(),
                kind: None,
            })
            .collect(),
        shape,
    }
}

#[test]
fn a_field_without_a_description_and_the_reverse_are_found() {
    let value = json!([{"key": "a"}]);
    assert_eq!(differences(&document(&["[].key"], &value)), [""; 0]);
    assert_eq!(
        differences(&document(&[], &value)),
        ["ls: `[].key` is not described"]
    );
    assert_eq!(
        differences(&document(&["[].key", "[].gone"], &value)),
        ["ls: no run shows `[].gone`"]
    );
}

#[test]
fn every_command_has_a_document_or_a_reason() {
    let documents = [document(&[], &json!({}))];
    let without: Table = "\"key add\" = \"why\"".parse().expect("a table");
    let commands = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        uncovered(&documents, &without, &commands(&["ls", "key-add"])),
        [""; 0]
    );
    let found = uncovered(&documents, &without, &commands(&["ls", "run"]));
    assert_eq!(
        found,
        [
            "`run` has neither a document nor a reason",
            "there is no command `key add`"
        ]
    );
}

#[test]
fn a_document_is_where_the_step_says() {
    let ran = Ran {
        status: Some(0),
        out: "{}\n[]\n".to_owned(),
        err: "note\n{\"a\":1}\n".to_owned(),
    };
    assert_eq!(values(&ran, "lines").expect("two"), [json!({}), json!([])]);
    assert_eq!(values(&ran, "messages").expect("one"), [json!({"a": 1})]);
    assert!(values(&ran, "output").is_err());
    assert!(values(&ran, "elsewhere").is_err());
}
