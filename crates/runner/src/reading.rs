//! Programs that are given no secret, and whose output is read: those that decrypt what a user
//! brings.
#![allow(
    clippy::disallowed_methods,
    reason = "starts a program of the user's to read what it decrypts"
)]

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Resolved, RunError, sys};

/// A program at work. It ends when this is dropped.
///
/// It gets the variables that it is given, no input, and none of our descriptors: a proof may
/// still be readable on one of them. What it complains about goes nowhere.
#[derive(Debug)]
pub struct Reading {
    child: Child,
}

impl Reading {
    /// Starts the file that was checked.
    ///
    /// # Errors
    /// [`RunError::Execute`] with what the system said.
    pub fn start(
        program: &Resolved,
        arguments: &[&OsStr],
        variables: &[(OsString, OsString)],
        directory: &Path,
    ) -> Result<Self, RunError> {
        sys::close_on_execute();
        let mut command = Command::new(program.executable());
        command
            .args(arguments)
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(|source| RunError::Execute {
            path: program.executable().to_owned(),
            source,
        })?;
        Ok(Self { child })
    }

    /// Waits for its end; the exit status, or `None` when a signal ended it.
    ///
    /// # Errors
    /// [`RunError::System`] when it cannot be waited for.
    pub fn finish(mut self) -> Result<Option<i32>, RunError> {
        drop(self.child.stdout.take());
        let status = self.child.wait().map_err(|source| RunError::System {
            what: "waiting for a program",
            source,
        })?;
        Ok(status.code())
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.child.stdout {
            Some(output) => output.read(buffer),
            None => Ok(0),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // After `finish` both say that there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
