//! The report as SARIF 2.1.0, which code hosts and editors show.
//!
//! Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use subrosa_redact::Form;

use super::report::{Origin, Report, What};
use super::text::Found;
use crate::serving::PROGRAM;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The rule of values that are known, whatever they look like.
const KNOWN: &str = "known-value";

/// The whole log.
pub(super) fn log(report: &Report) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut indices: BTreeMap<&str, usize> = BTreeMap::new();
    let mut results = Vec::new();
    for (origin, found) in &report.findings {
        let id = id(&found.what);
        let index = *indices.entry(id).or_insert_with(|| {
            rules.push(rule(&found.what));
            rules.len() - 1
        });
        results.push(result(origin, found, (id, index)));
    }
    let notifications: Vec<Value> = report
        .skipped
        .iter()
        .map(|(origin, skip)| {
            json!({
                "level": if skip.is_unread() { "error" } else { "note" },
                "message": { "text": skip.reason() },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&origin.path) } } }],
            })
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "subrosa",
                "version": PROGRAM,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.unread == 0,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "more": report.more },
        }],
    })
}

fn id(what: &What) -> &'static str {
    match (what, what.rule()) {
        (What::Shape(_) | What::Packed(_), Some(rule)) => &rule.id,
        _ => KNOWN,
    }
}

fn rule(what: &What) -> Value {
    match (what, what.rule()) {
        (What::Shape(_) | What::Packed(_), Some(rule)) => json!({
            "id": rule.id,
            "shortDescription": { "text": format!("{}: {}", rule.provider, rule.name) },
            "help": { "text": replace(what) },
            "helpUri": rule.page,
            "defaultConfiguration": { "level": "error" },
        }),
        _ => json!({
            "id": KNOWN,
            "shortDescription": { "text": "A value of the vault" },
            "help": { "text": "Replace it where it is from, then store the new one: subrosa set" },
            "defaultConfiguration": { "level": "error" },
        }),
    }
}

/// What to do about a credential that has a shape.
fn replace(what: &What) -> String {
    match what.rotate() {
        Some(page) => format!("Replace it: {page}"),
        None => "Replace it where it is from.".to_owned(),
    }
}

fn result(origin: &Origin, found: &Found, (id, index): (&str, usize)) -> Value {
    let mut message = match &found.what {
        What::Known { key: Some(key), .. } => format!("The value of {key} stands here."),
        What::Known { key: None, .. } => "A value of the vault stands here.".to_owned(),
        What::Shape(_) | What::Packed(_) => found.what.rule().map_or_else(String::new, |rule| {
            format!(
                "What looks like {} ({}) stands here.",
                rule.name, rule.provider
            )
        }),
    };
    if let Some(commit) = &origin.commit {
        message.push_str(&format!(" Commit {commit} brought it."));
    }
    if found.what.rule().is_some() {
        message.push_str(&format!(" {}", replace(&found.what)));
    }
    if let Some(next) = found.what.next() {
        message.push_str(&format!(" Then: {next}"));
    }
    let mut place = json!({ "artifactLocation": { "uri": uri(&origin.path) } });
    if found.line > 0 {
        place["region"] = json!({ "startLine": found.line, "startColumn": found.column });
    }
    let mut properties = json!({
        "in": origin.kind.name(),
        "offset": found.offset,
        "fingerprint": found.fingerprint,
    });
    if let Some(commit) = &origin.commit {
        properties["commit"] = commit.as_str().into();
    }
    match &found.what {
        What::Known { key, form, .. } => {
            properties["key"] = key.as_deref().into();
            properties["form"] = form.as_str().into();
        }
        What::Packed(_) => properties["form"] = Form::Packed.name().into(),
        What::Shape(_) => {}
    }
    json!({
        "ruleId": id,
        "ruleIndex": index,
        "level": "error",
        "message": { "text": message },
        "locations": [{ "physicalLocation": place }],
        "properties": properties,
    })
}

/// A path as a reference: relative as it is, absolute as a file; whatever is not plain as `%XX`.
fn uri(path: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len() + 8);
    if path.first() == Some(&b'/') {
        uri.push_str("file://");
    }
    for byte in path {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_references_whatever_they_hold() {
        assert_eq!(uri(b"src/a b.rs"), "src/a%20b.rs");
        assert_eq!(uri(b"/tmp/\n\xff"), "file:///tmp/%0A%FF");
        // Else it would be a scheme.
        assert_eq!(uri(b"http:x"), "http%3Ax");
        assert_eq!(uri(b"#?%"), "%23%3F%25");
    }
}
