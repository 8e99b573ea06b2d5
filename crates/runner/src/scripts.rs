//! The ways out of a script: processes whose values stand in their command line, files, the console.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use subrosa_egress::kind;
use subrosa_egress::{Lent, Sensitive, Sink, SinkError};
use subrosa_model::{Destination, Inject};
use subrosa_redact::KnownSet;

use crate::files::Files;
use crate::image::Values;
use crate::stage::{Stage, Staged};
use crate::{Command, Console, RunError, Running, Spawner};

/// What is shown in the place of a path that is a value.
const LATER: &str = "********";
/// What a slot of [`ProcessSink`] begins with whose value is a whole argument; its place follows.
const ARGUMENT: &str = "argument:";
/// What a slot begins with whose value is a variable; its name follows.
const VARIABLE: &str = "variable:";

/// Values become whole arguments, or variables, of a process that a script starts.
///
/// Slots are `argument:N`, where N is the place in the vector (1 is the first word after the name),
/// and `variable:NAME`.
pub struct ProcessSink {
    purpose: String,
    stage: Stage,
    is_masked: bool,
}

impl ProcessSink {
    /// Prepares the command, whose arguments hold something else so far where values are to stand.
    /// `purpose` is the destination that the permit names. Without `is_masked`, what it prints is
    /// passed on as it is.
    ///
    /// # Errors
    /// [`RunError`] when the system does not do it.
    pub fn new(
        command: Command,
        console: Console,
        spawner: &dyn Spawner,
        purpose: String,
        is_masked: bool,
    ) -> Result<Self, RunError> {
        let staged = Staged::new(command, console, spawner, Inject::Env, None, None)?;
        Ok(Self {
            purpose,
            stage: Stage::waiting(staged),
            is_masked,
        })
    }

    /// The running command, after the release.
    ///
    /// # Errors
    /// Why it was not started: more than [`SinkError`] can say.
    pub fn finish(self) -> Result<Running, RunError> {
        self.stage.finish()
    }

    /// Apart from [`Sink::accept`], since only the gate can make a [`Lent`].
    pub(crate) fn hand_over(
        &mut self,
        values: &[(&str, &[u8])],
        known: &KnownSet,
    ) -> Result<(), SinkError> {
        let known = match self.is_masked {
            true => known.clone(),
            false => KnownSet::empty(),
        };
        self.stage.advance(|staged| {
            let mut arguments = Vec::new();
            let mut variables = Vec::new();
            for (slot, value) in values {
                let place = slot.strip_prefix(ARGUMENT).map(str::parse);
                match (place, slot.strip_prefix(VARIABLE)) {
                    (Some(Ok(place)), _) => arguments.push((place, *value)),
                    (_, Some(name)) => variables.push((name, *value)),
                    _ => return Err(RunError::NotStarted),
                }
            }
            let values = Values {
                variables: &variables,
                arguments: &arguments,
            };
            staged.start(values, &known)
        })
    }
}

impl Sink for ProcessSink {
    type Kind = kind::Client;

    fn destination(&self) -> Destination {
        Destination::Client {
            purpose: self.purpose.clone(),
        }
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        let values: Vec<(&str, &[u8])> = lent.iter().collect();
        self.hand_over(&values, &lent.known())
    }
}

/// A value becomes the content of a file, or is added to it. Slots are `content`, and `path` where the
/// path is a value too; what is no value is given before.
#[derive(Debug)]
pub struct WriteSink {
    files: Files,
    path: Option<PathBuf>,
    content: Option<Vec<u8>>,
    is_added: bool,
}

impl WriteSink {
    /// What there is of both that is no value.
    #[must_use]
    pub fn new(
        files: Files,
        path: Option<PathBuf>,
        content: Option<Vec<u8>>,
        is_added: bool,
    ) -> Self {
        Self {
            files,
            path,
            content,
            is_added,
        }
    }
}

impl Sink for WriteSink {
    type Kind = kind::File;

    fn destination(&self) -> Destination {
        let path = self.path.as_ref().map(|path| self.files.path(path));
        Destination::File {
            path: match path {
                Some(Ok(path)) => path,
                Some(Err(_)) => PathBuf::new(),
                None => LATER.into(),
            },
        }
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        let of = |wanted: &str| lent.iter().find(|(slot, _)| *slot == wanted);
        let path = of("path").map(|(_, path)| Path::new(OsStr::from_bytes(path)));
        let content = of("content").map(|(_, content)| content);
        let (Some(path), Some(content)) = (
            path.or(self.path.as_deref()),
            content.or(self.content.as_deref()),
        ) else {
            return Err(SinkError::new("it lacks a path or a content".to_owned()));
        };
        let written = self.files.write(path, content, self.is_added);
        written.map_err(|error| SinkError::new(error.to_string()))
    }
}

/// A value is the path of a file that is read; its slot does not matter. What is in the file stays
/// sensitive.
#[derive(Debug)]
pub struct ReadSink {
    files: Files,
    limit: usize,
    text: Option<Sensitive>,
}

impl ReadSink {
    /// Files of at most `limit` bytes are read.
    #[must_use]
    pub fn new(files: Files, limit: usize) -> Self {
        Self {
            files,
            limit,
            text: None,
        }
    }

    /// What was read, after the release.
    #[must_use]
    pub fn take(self) -> Option<Sensitive> {
        self.text
    }
}

impl Sink for ReadSink {
    type Kind = kind::File;

    fn destination(&self) -> Destination {
        Destination::File { path: LATER.into() }
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        for (_, path) in lent.iter() {
            let file = self.files.open(Path::new(OsStr::from_bytes(path)));
            let mut file = file.map_err(|error| SinkError::new(error.to_string()))?;
            let text = Sensitive::read(&mut file, self.limit);
            self.text = Some(text.map_err(|error| SinkError::new(error.to_string()))?);
        }
        Ok(())
    }
}

/// What is done with files whose paths are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// Creates an empty file.
    Create,
    /// Removes one.
    Delete,
    /// Gives one another path.
    Rename,
    /// Copies one.
    Copy,
}

/// A value becomes the path of a file that is changed. Slots are `path` and `to`.
#[derive(Debug)]
pub struct PathSink {
    files: Files,
    change: FileChange,
    path: Option<PathBuf>,
    to: Option<PathBuf>,
}

impl PathSink {
    /// What there is of both that is no value.
    #[must_use]
    pub fn new(
        files: Files,
        change: FileChange,
        path: Option<PathBuf>,
        to: Option<PathBuf>,
    ) -> Self {
        Self {
            files,
            change,
            path,
            to,
        }
    }

    /// Changes it where no path is a value.
    ///
    /// # Errors
    /// What the system said.
    pub fn change(&self) -> io::Result<()> {
        let given = |path: &Option<PathBuf>| path.clone().unwrap_or_default();
        change(
            &self.files,
            self.change,
            &given(&self.path),
            &given(&self.to),
        )
    }
}

fn change(files: &Files, change: FileChange, path: &Path, to: &Path) -> io::Result<()> {
    match change {
        FileChange::Create => files.create(path),
        FileChange::Delete => files.delete(path),
        FileChange::Rename => files.rename(path, to),
        FileChange::Copy => files.copy(path, to),
    }
}

impl Sink for PathSink {
    type Kind = kind::File;

    fn destination(&self) -> Destination {
        Destination::File { path: LATER.into() }
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        let of = |wanted: &str, given: &Option<PathBuf>| {
            let found = lent.iter().find(|(slot, _)| *slot == wanted);
            let found = found.map(|(_, path)| PathBuf::from(OsStr::from_bytes(path)));
            found.or_else(|| given.clone()).unwrap_or_default()
        };
        let (path, to) = (of("path", &self.path), of("to", &self.to));
        change(&self.files, self.change, &path, &to)
            .map_err(|error| SinkError::new(error.to_string()))
    }
}

/// Values are written to the console as they are, one after the other.
pub struct ConsoleSink<'a>(pub &'a mut dyn Write);

impl Sink for ConsoleSink<'_> {
    type Kind = kind::Console;

    fn destination(&self) -> Destination {
        Destination::Console
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        lent.iter()
            .try_for_each(|(_, value)| self.0.write_all(value))
            .and_then(|()| self.0.flush())
            .map_err(|error| SinkError::new(error.to_string()))
    }
}
