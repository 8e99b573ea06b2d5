//! What a command says: data on standard output, the rest on standard error.
#![allow(
    clippy::disallowed_methods,
    reason = "the console belongs to the command line"
)]

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;
use crate::text::{indented, plain_json, plain_lines};

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Colours of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    fn code(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.code("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.code("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.code("33", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.code("2", text)
    }
}

/// The two streams, and how to write to them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    /// Machines read: one JSON document on standard output.
    pub(crate) json: bool,
    quiet: bool,
    /// Colours of standard output.
    pub(crate) out: Paint,
    /// Colours of standard error.
    pub(crate) err: Paint,
}

impl Output {
    pub(crate) fn new(json: bool, quiet: bool, when: ColorWhen) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let paint = |terminal: bool| {
            Paint(match when {
                ColorWhen::Auto => terminal && !unwanted && !json,
                ColorWhen::Always => true,
                ColorWhen::Never => false,
            })
        };
        Self {
            json,
            quiet,
            out: paint(std::io::stdout().is_terminal()),
            err: paint(std::io::stderr().is_terminal()),
        }
    }

    /// Whether a person sees how far long work is.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.json && std::io::stderr().is_terminal()
    }

    /// Standard output without a buffer: what is written to it leaves no copy here.
    pub(crate) fn data(&self) -> Result<File, Failure> {
        let duplicate = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3);
        duplicate
            .map(File::from)
            .map_err(|errno| Failure::io("standard output")(errno.into()))
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Text on standard output, as it is.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.data()?
            .write_all(text.as_bytes())
            .map_err(Failure::io("standard output"))
    }

    /// One JSON document on standard output.
    pub(crate) fn document<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| {
            Failure::new(
                "json",
                format!("the result cannot be written as JSON: {error}"),
            )
        })?;
        self.print(&format!("{}\n", plain_json(&text)))
    }

    /// What was done, for a person; nothing under `--quiet` and `--json`.
    pub(crate) fn done(&self, text: &str) {
        if !self.quiet && !self.json {
            complain(&format!("{text}\n"));
        }
    }

    /// What a person should know.
    pub(crate) fn notice(&self, text: &str) {
        if !self.quiet {
            let text = plain_lines(text);
            complain(&format!("{}: {text}\n", self.err.bold("note")));
        }
    }

    /// What a person must know; `--quiet` does not silence it.
    pub(crate) fn warn(&self, text: &str) {
        let text = plain_lines(text);
        complain(&format!("{}: {text}\n", self.err.yellow("warning")));
    }

    /// Bytes that are shown once, on standard error: they are a secret, and data may be logged.
    pub(crate) fn show_once(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut error = std::io::stderr();
        error
            .write_all(b"  ")
            .and_then(|()| error.write_all(bytes))
            .and_then(|()| error.write_all(b"\n"))
            .map_err(Failure::io("standard error"))
    }
}

/// Text on standard error; a stream that is gone is no reason to stop.
pub(crate) fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Reports a failure and gives the exit status.
pub(crate) fn fail(failure: &Failure, as_json: bool) -> ExitCode {
    if failure.is_silent() {
        return ExitCode::from(failure.status);
    }
    let failure = &failure.shown();
    if as_json {
        let text = json!({ "error": failure }).to_string();
        complain(&format!("{}\n", plain_json(&text)));
    } else {
        let mut text = format!("subrosa: {}\n", indented(failure.message.trim_end()));
        if let Some(remedy) = &failure.remedy {
            text.push_str(&format!("  try: {}\n", indented(remedy.trim_end())));
        }
        complain(&text);
    }
    ExitCode::from(failure.status)
}
