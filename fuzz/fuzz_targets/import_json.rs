//! JSON files: the names that are read are those that another reader finds, and no error quotes a
//! value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use subrosa_crypto::SecretBuf;
use subrosa_engine::import::json;

fuzz_target!(|data: &[u8]| {
    let content = SecretBuf::copy_from(data).expect("a fuzz input fits into locked memory");
    // A byte order mark is no part of JSON, and some editors write one.
    let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let other = serde_json::from_slice::<Value>(text);
    match json::names("fuzz", &content) {
        Ok(names) => {
            let Ok(Value::Object(object)) = other else {
                panic!("another reader finds no object");
            };
            assert_eq!(names.len(), object.len());
            for (key, fields) in names {
                let value = object.get(key.as_str()).expect("the same names");
                match value {
                    Value::String(_) => assert!(fields.len() == 1 && fields[0].is_default()),
                    Value::Object(inner) if inner.contains_key("base64") && inner.len() == 1 => {
                        assert!(fields.len() == 1 && fields[0].is_default());
                    }
                    Value::Object(inner) => assert_eq!(fields.len(), inner.len()),
                    _ => panic!("{key} is no string and no object"),
                }
            }
        }
        Err(error) => {
            let said = format!("{error} {error:?}");
            let (mut names, mut values) = (Vec::new(), Vec::new());
            if let Ok(other) = &other {
                collect(other, &mut names, &mut values);
            }
            // A name may be quoted, and a text inside of a name or of our own words tells nothing.
            let told = |value: &&String| {
                value.len() >= 12
                    && said.contains(*value)
                    && !names.iter().any(|n| n.contains(*value))
            };
            assert!(!values.iter().any(|value| told(&value)), "{said}");
        }
    }
});

fn collect(value: &Value, names: &mut Vec<String>, values: &mut Vec<String>) {
    match value {
        Value::String(text) => values.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, names, values)),
        Value::Object(object) => {
            for (name, inner) in object {
                names.push(name.clone());
                collect(inner, names, values);
            }
        }
        _ => {}
    }
}
