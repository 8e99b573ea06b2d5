//! What is to be run.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use subrosa_model::{CommandLine, Destination, Digest, Inject};

use crate::{Environment, Inherited, Limits, Resolved, RunError};

/// A command that was resolved and checked, with everything but the secrets.
#[derive(Debug)]
pub struct Command {
    pub(crate) resolved: Resolved,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) directory: PathBuf,
    pub(crate) directory_file: OwnedFd,
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
    pub(crate) mask: Option<Mode>,
    pub(crate) inherited: Option<Inherited>,
}

impl Command {
    /// `resolved`, with the words that follow its name, in `directory`.
    ///
    /// # Errors
    /// [`RunError::Nul`] when an argument holds a NUL byte, [`RunError::Directory`] when the
    /// directory cannot be entered.
    pub fn new(
        resolved: Resolved,
        words: impl IntoIterator<Item = OsString>,
        directory: &Path,
        mut environment: Environment,
        limits: Limits,
    ) -> Result<Self, RunError> {
        let mut arguments = vec![resolved.requested().to_owned()];
        arguments.extend(words);
        if arguments.iter().any(|word| word.as_bytes().contains(&0)) {
            return Err(RunError::Nul {
                what: "the command line".to_owned(),
                carrier: "an argument",
            });
        }
        let refused = |source| RunError::Directory {
            path: directory.to_owned(),
            source,
        };
        // The path without symbolic links is what is shown, decided on and entered.
        let directory = std::fs::canonicalize(directory).map_err(refused)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory_file =
            openat(CWD, &directory, flags, Mode::empty()).map_err(|errno| refused(errno.into()))?;
        environment.set_directory(&directory)?;
        Ok(Self {
            resolved,
            arguments,
            directory,
            directory_file,
            environment,
            limits,
            mask: None,
            inherited: None,
        })
    }

    /// The command as a request carries it, with the digest of the file if the caller took it (see
    /// [`Resolved::open`]).
    #[must_use]
    pub fn line(&self, digest: Option<Digest>) -> CommandLine {
        CommandLine {
            requested: self.resolved.requested().to_owned(),
            executable: self.resolved.executable().to_owned(),
            arguments: self.arguments.clone(),
            digest,
        }
    }

    /// The one place that a permit for this command names.
    #[must_use]
    pub fn destination(&self, inject: Inject) -> Destination {
        Destination::Process {
            executable: self.resolved.executable().to_owned(),
            arguments: self.arguments.clone(),
            directory: self.directory.clone(),
            inject,
        }
    }

    /// The file that will be executed.
    #[must_use]
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Its variables, without the secrets.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Makes its files without these permissions, as whoever it runs for makes theirs; without this,
    /// as this process does.
    pub fn set_mask(&mut self, mask: u32) {
        self.mask = Some(Mode::from_bits_truncate(mask & 0o777));
    }

    /// Has the resource limits and the priority of whoever it runs for, as far as they are not
    /// above this process's, beneath the bounds of [`Command::set_limits`]; without this, those of
    /// this process.
    pub fn set_inherited(&mut self, inherited: Inherited) {
        self.inherited = Some(inherited);
    }

    /// Sets the bounds: those of the rule are known only after the decision.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }
}
