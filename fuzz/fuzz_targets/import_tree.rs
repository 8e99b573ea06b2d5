//! JSON read where it stands: what another reader reads, this one reads as the same, within its
//! bounds; and what this one reads that the other does not is a number that is out of its range.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use subrosa_engine::import::tree::{Dialect, Fault, Node, parse};

fuzz_target!(|data: &[u8]| {
    let other = serde_json::from_slice::<Value>(data);
    match (parse(data, Dialect::Strict), other) {
        (Ok(tree), Ok(other)) => same(&tree, &other),
        (Err(wrong), Ok(_)) => {
            assert!(matches!(wrong.why, Fault::Deep | Fault::Twice), "{wrong:?}");
        }
        (Ok(_), Err(error)) => {
            let mark = data.starts_with(b"\xef\xbb\xbf");
            assert!(
                mark || error.to_string().starts_with("number out of range"),
                "{error}"
            );
        }
        (Err(wrong), Err(_)) => assert!(wrong.at <= data.len()),
    }
    // With comments, whatever is JSON is the same; all else may not panic.
    if let (Ok(strict), Ok(commented)) = (
        parse(data, Dialect::Strict),
        parse(data, Dialect::Commented),
    ) {
        assert_eq!(format!("{strict:?}"), format!("{commented:?}"));
    }
});

fn same(node: &Node<'_>, other: &Value) {
    match (node, other) {
        (Node::Null, Value::Null) => {}
        (Node::Bool(one), Value::Bool(other)) => assert_eq!(one, other),
        (Node::Number(digits), Value::Number(_)) => {
            assert!(digits.iter().all(|byte| b"+-.eE0123456789".contains(byte)));
        }
        (Node::Text(text), Value::String(other)) => {
            let secret = text.secret().expect("locked memory");
            assert_eq!(secret.as_slice(), other.as_bytes());
            assert_eq!(text.name(), *other);
            assert!(text.is(other));
        }
        (Node::List(items), Value::Array(others)) => {
            assert_eq!(items.len(), others.len());
            items
                .iter()
                .zip(others)
                .for_each(|(item, other)| same(item, other));
        }
        (Node::Object(members), Value::Object(others)) => {
            assert_eq!(members.len(), others.len());
            for (name, member) in members {
                same(member, others.get(&name.name()).expect("the same names"));
            }
        }
        _ => panic!("of another type"),
    }
}
