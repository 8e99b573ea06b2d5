//! The program as a filter, in a place without a vault.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use subrosa_tests::{Done, Place, program};

/// What `redact --jsonl` gave.
pub(crate) struct Answers {
    pub(crate) status: i32,
    pub(crate) answers: Vec<Value>,
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
}

/// `redact --jsonl`, which is asked these lines. Everything it prints is an answer.
pub(crate) fn redact(options: &[&str], lines: &[String]) -> Answers {
    let mut asked = lines.join("\n").into_bytes();
    asked.push(b'\n');
    asked_raw(options, &asked)
}

/// The same with bytes that need not be lines.
pub(crate) fn asked_raw(options: &[&str], asked: &[u8]) -> Answers {
    let mut arguments = vec!["redact", "--jsonl"];
    arguments.extend(options);
    let done = filtered(&arguments, asked);
    let answers = done
        .out
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            serde_json::from_slice(line).unwrap_or_else(|error| {
                panic!("not JSON: {error}: {}", String::from_utf8_lossy(line))
            })
        })
        .collect();
    Answers {
        status: done.status,
        answers,
        out: done.out,
        err: done.err,
    }
}

/// Runs the program and gives it all of `input` while what it prints is read.
pub(crate) fn filtered(arguments: &[&str], input: &[u8]) -> Done {
    let place = Place::empty();
    let mut command = Command::new(program());
    place.surround(&mut command);
    command.args(arguments);
    fed(command, input)
}

/// `redact --known-fd 3` with these values, one a line as they are given.
pub(crate) fn known(options: &[&str], values: &[u8], input: &[u8]) -> Done {
    let place = Place::empty();
    let file = place.path("values");
    std::fs::write(&file, values).expect("written");
    let mut command = Command::new("/bin/sh");
    place.surround(&mut command);
    command
        .args([
            "-c",
            "file=$1; shift; exec \"$0\" redact --known-fd 3 \"$@\" 3<\"$file\"",
        ])
        .arg(program())
        .arg(&file)
        .args(options);
    fed(command, input)
}

fn fed(mut command: Command, input: &[u8]) -> Done {
    let mut child = command
        .stdin(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    thread::scope(|scope| {
        // A program that refuses its arguments reads nothing: then its status tells.
        scope.spawn(move || stdin.write_all(input).is_ok());
        Done::from(child.wait_with_output().expect("it ends"))
    })
}
