//! `scan` and `redact --known-from`, from outside: what is found, where it is said to be, and that
//! nothing of it is said.

mod files;
mod git;
mod hiding;
mod hostile;
mod ignored;
mod known;
mod packed;
mod report;
mod repository;
mod sarif;
mod sessions;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use subrosa_tests::{Done, Needles, Place};

/// A value that no rule knows the shape of.
pub(crate) const VALUE: &str = "canary9Rv2Lm7Xw0Tz4Kq8";
/// What looks like a credential, put together here so that this file holds none.
pub(crate) fn shape() -> String {
    ["AKIA", "2B4KHQ7ZTN3XW5RM"].concat()
}
/// The rule that finds it.
pub(crate) const RULE: &str = "aws-access-key-id";

/// A place whose vault holds the value as `api/key`.
pub(crate) fn place() -> Place {
    let place = Place::new();
    place.set("api/key", VALUE.as_bytes());
    place
}

/// Runs `scan --json` with these words in a folder, and reads what it found.
#[track_caller]
pub(crate) fn scan(place: &Place, folder: &Path, words: &[&str]) -> Scanned {
    let mut command = place.command(&[&["--json", "--debug", "scan"], words].concat());
    Scanned::of(command.current_dir(folder))
}

/// What a scan gave.
#[derive(Debug)]
pub(crate) struct Scanned {
    pub(crate) status: i32,
    pub(crate) report: Value,
    pub(crate) err: String,
}

impl Scanned {
    #[track_caller]
    pub(crate) fn of(command: &mut Command) -> Self {
        let done = Done::of(command, b"");
        silent(&done);
        let report = serde_json::from_slice(&done.out).unwrap_or(Value::Null);
        Self {
            status: done.status,
            report,
            err: done.err,
        }
    }

    /// `path:line:column what` of each finding, in order.
    pub(crate) fn places(&self) -> Vec<String> {
        let findings = self.report["findings"].as_array();
        let findings = findings.expect("a list of findings");
        let told = findings.iter().map(|one| {
            let what = [&one["key"], &one["rule"]];
            let what = what.iter().find_map(|name| name.as_str());
            format!(
                "{}:{}:{} {}",
                one["path"].as_str().expect("a path"),
                one["line"],
                one["column"],
                what.expect("a name")
            )
        });
        told.collect()
    }

    pub(crate) fn one(&self) -> &Value {
        let findings = self.report["findings"].as_array().expect("a list");
        assert_eq!(findings.len(), 1, "{self:?}");
        &findings[0]
    }
}

/// No output may hold a value in any spelling.
#[track_caller]
pub(crate) fn silent(done: &Done) {
    for value in [VALUE, &shape()] {
        let needles = Needles::of(value.as_bytes());
        for text in [&done.out[..], done.err.as_bytes()] {
            if let Some(spelling) = needles.find(text) {
                panic!("a value is in the output, {spelling}: {done:?}");
            }
        }
    }
}
