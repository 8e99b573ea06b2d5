//! Runs other programs and keeps what they print.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// How a program ended, and what it printed on either stream, in order.
pub(crate) struct Finished {
    /// Exit status 0.
    pub(crate) success: bool,
    /// Exit status; none after a signal.
    pub(crate) code: Option<i32>,
    /// Standard output and standard error as one text.
    pub(crate) text: String,
}

/// Whether the output is shown while the program runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// Pass everything on at once.
    Live,
    /// Keep it only.
    Kept,
}

/// Runs a program to its end, without standard input.
pub(crate) fn run(mut command: Command, show: Show) -> Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (mut reader, writer) = std::io::pipe()?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| format!("`{name}` cannot be started"))?;
    // The command holds the pipe's writing ends: while it lives, reading would never end.
    drop(command);
    let mut kept = Vec::new();
    let mut piece = [0_u8; 8192];
    loop {
        let count = reader.read(&mut piece)?;
        if count == 0 {
            break;
        }
        let read = piece.get(..count).unwrap_or_default();
        kept.extend_from_slice(read);
        if show == Show::Live {
            let mut out = std::io::stdout().lock();
            out.write_all(read)?;
            out.flush()?;
        }
    }
    let status = child.wait()?;
    Ok(Finished {
        success: status.success(),
        code: status.code(),
        text: String::from_utf8_lossy(&kept).into_owned(),
    })
}

/// Whether a program starts and succeeds; its output is dropped.
pub(crate) fn succeeds(command: Command) -> bool {
    run(command, Show::Kept).is_ok_and(|finished| finished.success)
}
