//! `Read` and `Write`.

use std::io::{self, Read, Write};
use std::time::Duration;

use subrosa_redact::{RedactingReader, RedactingWriter};

use crate::known;

/// Records each write by itself; fails from `fails_from` on.
#[derive(Default)]
struct Recorder {
    writes: Vec<String>,
    flushes: usize,
    fails_from: Option<usize>,
}

impl Write for &mut Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self
            .fails_from
            .is_some_and(|from| self.writes.len() >= from)
        {
            return Err(io::Error::other("pipe closed"));
        }
        self.writes
            .push(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushes += 1;
        Ok(())
    }
}

/// Gives one byte at a time, with interruptions.
struct Trickle<'a>(&'a [u8], bool);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        self.0
            .take(1)
            .read(buffer)
            .inspect(|count| self.0 = &self.0[*count..])
    }
}

#[test]
fn one_write_in_is_one_write_out() {
    let mut inner = Recorder::default();
    let set = known(&[("k", "hunter2-s3cret")]);
    let mut writer = RedactingWriter::new(&mut inner, set.redactor().interactive());
    for percent in [
        " 10%\r",
        " 20%\r",
        "hunter2-s3cret 30%\rhunter2-s3cret\r",
        "hunt",
        "er!",
    ] {
        writer.write_all(percent.as_bytes()).expect("recorded");
    }
    let (inner, redactor) = writer.finish().expect("recorded");
    assert_eq!(
        inner.writes,
        [
            " 10%\r",
            " 20%\r",
            "[REDACTED:k] 30%\r[REDACTED:k]\r",
            "hunter!"
        ]
    );
    assert_eq!(inner.flushes, 1);
    assert_eq!(redactor.counts().total(), 2);
}

#[test]
fn idling_writes_and_flushes() {
    let mut inner = Recorder::default();
    let set = known(&[("k", "#!%hunter2-s3cret")]);
    let mut writer = RedactingWriter::new(&mut inner, set.redactor().interactive());
    writer.write_all(b"> #!%hunt").expect("recorded");
    let deadline = writer.deadline().expect("something is held");
    writer.idle(Duration::ZERO).expect("too early for anything");
    writer.idle(deadline).expect("recorded");
    assert_eq!(writer.deadline(), None);
    assert_eq!(writer.redactor().map(|r| r.held_back()), Some(0));
    drop(writer);
    assert_eq!(inner.writes, ["> ", "[REDACTED:k]"]);
    assert_eq!(inner.flushes, 2, "one when idle, one when dropped");
}

#[test]
fn dropping_a_writer_finishes_it() {
    let mut inner = Recorder::default();
    let set = known(&[("k", "hunter2-s3cret")]);
    let mut writer = RedactingWriter::new(&mut inner, set.redactor().interactive());
    writer.write_all(b"the end: hunter2").expect("recorded");
    drop(writer);
    assert_eq!(inner.writes.concat(), "the end: hunter2");
}

#[test]
fn errors_of_the_inner_writer_come_through() {
    let mut inner = Recorder {
        fails_from: Some(1),
        ..Recorder::default()
    };
    let set = known(&[("k", "hunter2-s3cret")]);
    let mut writer = RedactingWriter::new(&mut inner, set.redactor().interactive());
    writer.write_all(b"fine, hunt").expect("recorded");
    let error = writer.write_all(b"ing\n").expect_err("closed");
    assert_eq!(error.to_string(), "pipe closed");
    writer.write_all(b"hunt").expect("nothing to write yet");
    assert!(writer.finish().is_err());
}

#[test]
fn a_reader_redacts_however_little_it_gets() {
    let set = known(&[("k", "hunter2-s3cret")]);
    let text = b"a hunter2-s3cret, a hunter2-s3c, YTpodW50ZXIyLXMzY3JldA==";
    let mut reader = RedactingReader::new(Trickle(text, false), set.redactor().interactive());
    let mut out = String::new();
    assert_eq!(reader.read(&mut []).expect("asks for nothing"), 0);
    reader.read_to_string(&mut out).expect("reads to the end");
    assert_eq!(out, "a [REDACTED:k], a hunter2-s3c, YT[REDACTED:k]==");
    assert_eq!(reader.redactor().counts().total(), 2);
    assert_eq!(reader.read(&mut [0; 8]).expect("stays at the end"), 0);
    let (inner, redactor) = reader.into_parts();
    assert!(inner.0.is_empty());
    assert_eq!(redactor.held_back(), 0);
}
