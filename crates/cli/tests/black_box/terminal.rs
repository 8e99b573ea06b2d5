//! Questions on a terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::house::{House, PASSPHRASE, PROGRAM, VALUE};

/// A program whose controlling terminal is ours to type on.
pub(crate) struct Session {
    terminal: File,
    child: Child,
    seen: String,
}

impl Session {
    pub(crate) fn start(house: &House, words: &[&str]) -> Self {
        let terminal =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        let name = ptsname(&terminal, Vec::new())
            .unwrap()
            .into_string()
            .unwrap();
        // The first terminal that a new session opens becomes its own.
        let child = Command::new("setsid")
            .args([
                "-w",
                "sh",
                "-c",
                "name=$1; shift; exec \"$@\" <>\"$name\" >&0 2>&0",
                "sh",
                &name,
                PROGRAM,
            ])
            .args(words)
            .env("SUBROSA_HOME", house.path("home"))
            .env("SUBROSA_NO_DAEMON", "1")
            .env("XDG_STATE_HOME", house.path("state"))
            .env("HOME", house.path("account"))
            .env("NO_COLOR", "1")
            .current_dir(house.path("work"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        Self {
            terminal: File::from(terminal),
            child,
            seen: String::new(),
        }
    }

    /// Reads until the text is there.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) -> &mut Self {
        let mut chunk = [0; 1024];
        while !self.seen.contains(text) {
            match self.terminal.read(&mut chunk) {
                Ok(count) if count > 0 => self
                    .seen
                    .push_str(&String::from_utf8_lossy(&chunk[..count])),
                _ => panic!("{text:?} was not shown: {:?}", self.seen),
            }
        }
        self
    }

    /// Types, once the question is there.
    pub(crate) fn answer(&mut self, question: &str, text: &str) -> &mut Self {
        self.expect(question);
        let behind = self.seen.find(question).map_or(0, |at| at + question.len());
        self.seen.drain(..behind);
        self.terminal.write_all(text.as_bytes()).unwrap();
        self
    }

    /// Everything that was shown after the last answer, and the status.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let mut chunk = [0; 1024];
        // The end of a terminal is an error, once its last user has gone.
        while let Ok(count) = self.terminal.read(&mut chunk) {
            if count == 0 {
                break;
            }
            self.seen
                .push_str(&String::from_utf8_lossy(&chunk[..count]));
        }
        (self.seen, self.child.wait().unwrap().code())
    }
}

#[test]
fn a_person_makes_a_vault_and_stores_a_secret_unseen() {
    let house = House::bare();
    let mut session = Session::start(&house, &["init", "--no-recovery"]);
    session.answer("New passphrase: ", &format!("{PASSPHRASE}\r"));
    session.answer(
        "The same again: ",
        &format!("wrong\u{15}{PASSPHRASE}x\u{7f}\r"),
    );
    let (shown, status) = session.end();
    assert_eq!(status, Some(0), "{shown}");
    assert!(!shown.contains("correct"), "{shown}");

    let mut session = Session::start(&house, &["set", "api/key"]);
    session
        .answer("Passphrase: ", &format!("{PASSPHRASE}\r"))
        .answer("Value of api/key: ", &format!("{VALUE}\r"));
    let (shown, status) = session.end();
    assert_eq!(status, Some(0), "{shown}");
    assert!(!shown.contains(&VALUE[..8]), "{shown}");

    let mut session = Session::start(&house, &["read", "api/key"]);
    session.answer("Passphrase: ", &format!("{PASSPHRASE}\r"));
    let (shown, status) = session.end();
    assert_eq!(
        (shown.trim_start(), status),
        (format!("{VALUE}\r\n").as_str(), Some(0))
    );
}

#[test]
fn a_short_or_mistyped_passphrase_makes_no_vault() {
    let house = House::bare();
    for (first, second, said) in [
        ("short", "short", "fewer than 8 bytes"),
        ("long enough", "long enough!", "not the same"),
    ] {
        let mut session = Session::start(&house, &["init"]);
        session
            .answer("New passphrase: ", &format!("{first}\r"))
            .answer("The same again: ", &format!("{second}\r"));
        let (shown, status) = session.end();
        assert_eq!(status, Some(1), "{shown}");
        assert!(shown.contains(said), "{shown}");
        assert!(!house.path("home/data/vault.db").exists());
    }
}

#[test]
fn an_interrupt_cancels() {
    let house = House::new();
    let mut session = Session::start(&house, &["ls"]);
    session.answer("Passphrase: ", "abc\u{3}");
    let (shown, status) = session.end();
    assert_eq!(status, Some(130), "{shown}");
    assert!(shown.contains("cancelled"), "{shown}");
}

#[test]
fn a_mistyped_passphrase_is_asked_for_again() {
    let house = House::with_key();
    let mut session = Session::start(&house, &["ls"]);
    session.answer("Passphrase: ", "wrong\r");
    session.expect("once more");
    session.answer("Passphrase: ", &format!("{PASSPHRASE}\r"));
    let (shown, status) = session.end();
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("api/key"), "{shown}");
    let mut session = Session::start(&house, &["ls"]);
    for _ in 0..3 {
        session.answer("Passphrase: ", "wrong\r");
    }
    let (shown, status) = session.end();
    assert_eq!(status, Some(1), "{shown}");
}

#[test]
fn with_a_key_file_only_a_value_asks_for_the_passphrase() {
    let house = House::with_key();
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    let (shown, status) = Session::start(&house, &["--key-file", "job.key", "ls"]).end();
    assert_eq!(status, Some(0), "{shown}");
    assert!(
        shown.contains("api/key") && !shown.contains("Passphrase"),
        "{shown}"
    );
    let mut session = Session::start(&house, &["--key-file", "job.key", "read", "api/key"]);
    session.answer("Passphrase: ", &format!("{PASSPHRASE}\r"));
    let (shown, status) = session.end();
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains(VALUE), "{shown}");
}

#[test]
fn a_command_on_a_terminal_gets_one_and_is_masked() {
    let house = House::with_key();
    house.apply("version: 1\nrules:\n  - allow: run\n    command: sh\n    args: [\"-c\", \"test -t 1 && echo tty $API_KEY\"]\n    secrets: [\"api/key\"]\n    inject: env\n");
    house.call(["key", "add", "key-file", "job.key"]).run().ok();
    let words = [
        "--key-file",
        "job.key",
        "run",
        "-k",
        "api/key",
        "--",
        "sh",
        "-c",
        "test -t 1 && echo tty $API_KEY",
    ];
    let (shown, status) = Session::start(&house, &words).end();
    assert_eq!(status, Some(0), "{shown}");
    assert_eq!(shown, "tty [REDACTED:api/key]\r\n");
}
