//! The three ways in which a command gets values.
//!
//! Each sink is made with its command already prepared: the guardian is forked *before* the values
//! are at hand, so that its copy of our memory holds none of them.

use std::path::PathBuf;

use subrosa_egress::kind;
use subrosa_egress::{Lent, Sink, SinkError};
use subrosa_model::{Destination, Inject};
use subrosa_redact::KnownSet;

use crate::feed::Feed;
use crate::folder::{PrivateFolder, bytes};
use crate::image::{Values, check};
use crate::spawn::Spawner;
use crate::stage::{Stage, Staged};
use crate::{Command, Console, RunError, Running};

fn variables<'a>(values: &'a [(&'a str, &'a [u8])]) -> Values<'a> {
    Values {
        variables: values,
        arguments: &[],
    }
}

/// Values become variables; a slot is the name of one.
pub struct EnvironmentSink {
    destination: Destination,
    stage: Stage,
}

impl EnvironmentSink {
    /// Prepares the command.
    ///
    /// # Errors
    /// [`RunError`] when the system does not do it.
    pub fn new(
        command: Command,
        console: Console,
        spawner: &dyn Spawner,
    ) -> Result<Self, RunError> {
        let staged = Staged::new(command, console, spawner, Inject::Env, None, None)?;
        Ok(Self {
            destination: staged.destination().clone(),
            stage: Stage::waiting(staged),
        })
    }

    /// The running command, after the release.
    ///
    /// # Errors
    /// Why it was not started: more than [`SinkError`] can say, with the status to exit with.
    pub fn finish(self) -> Result<Running, RunError> {
        self.stage.finish()
    }

    /// Apart from [`Sink::accept`], since only the gate can make a [`Lent`].
    pub(crate) fn hand_over(
        &mut self,
        values: &[(&str, &[u8])],
        known: &KnownSet,
    ) -> Result<(), SinkError> {
        self.stage
            .advance(|staged| staged.start(variables(values), known))
    }
}

impl Sink for EnvironmentSink {
    type Kind = kind::Environment;

    fn destination(&self) -> Destination {
        self.destination.clone()
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        let values: Vec<(&str, &[u8])> = lent.iter().collect();
        self.hand_over(&values, &lent.known())
    }
}

/// One value becomes the standard input; its slot does not matter.
pub struct StdinSink {
    destination: Destination,
    stage: Stage,
    feed: Option<Feed>,
}

impl StdinSink {
    /// Prepares the command.
    ///
    /// # Errors
    /// [`RunError`] when the system does not do it.
    pub fn new(
        command: Command,
        console: Console,
        spawner: &dyn Spawner,
    ) -> Result<Self, RunError> {
        let (theirs, feed) = Feed::new()?;
        let staged = Staged::new(command, console, spawner, Inject::Stdin, Some(theirs), None)?;
        Ok(Self {
            destination: staged.destination().clone(),
            stage: Stage::waiting(staged),
            feed: Some(feed),
        })
    }

    /// The running command, after the release.
    ///
    /// # Errors
    /// As [`EnvironmentSink::finish`].
    pub fn finish(self) -> Result<Running, RunError> {
        self.stage.finish()
    }

    /// Apart from [`Sink::accept`], since only the gate can make a [`Lent`].
    pub(crate) fn hand_over(
        &mut self,
        values: &[(&str, &[u8])],
        known: &KnownSet,
    ) -> Result<(), SinkError> {
        let feed = self.feed.take();
        self.stage.advance(|staged| {
            let [(_, value)] = values else {
                return Err(RunError::OneValue {
                    count: values.len(),
                });
            };
            let mut feed = feed.ok_or(RunError::NotStarted)?;
            feed.fill(value)?;
            let mut running = staged.start(Values::default(), known)?;
            running.feed = Some(feed);
            Ok(running)
        })
    }
}

impl Sink for StdinSink {
    type Kind = kind::Stdin;

    fn destination(&self) -> Destination {
        self.destination.clone()
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        let values: Vec<(&str, &[u8])> = lent.iter().collect();
        self.hand_over(&values, &lent.known())
    }
}

/// Each value becomes a file in memory; a slot is the name of a variable that holds its path.
///
/// The files lie in a folder that only the user may enter and that is removed with the run. A path
/// and not an inherited descriptor, since runtimes close those before they start other programs.
pub struct FileSink {
    destination: Destination,
    stage: Stage,
}

impl FileSink {
    /// Prepares the command. `folders` are tried in order for one that lies in memory:
    /// `XDG_RUNTIME_DIR`, then `/dev/shm`.
    ///
    /// # Errors
    /// [`RunError::NoPrivateFolder`] when there is none, else [`RunError`] when the system does
    /// not do it.
    pub fn new(
        command: Command,
        console: Console,
        spawner: &dyn Spawner,
        folders: &[PathBuf],
    ) -> Result<Self, RunError> {
        let folder = Some(PrivateFolder::create(folders)?);
        let staged = Staged::new(command, console, spawner, Inject::File, None, folder)?;
        Ok(Self {
            destination: staged.destination().clone(),
            stage: Stage::waiting(staged),
        })
    }

    /// The running command, after the release.
    ///
    /// # Errors
    /// As [`EnvironmentSink::finish`].
    pub fn finish(self) -> Result<Running, RunError> {
        self.stage.finish()
    }

    /// Apart from [`Sink::accept`], since only the gate can make a [`Lent`].
    pub(crate) fn hand_over(
        &mut self,
        values: &[(&str, &[u8])],
        known: &KnownSet,
    ) -> Result<(), SinkError> {
        self.stage.advance(|staged| {
            // Names are checked before they become names of files.
            let names: Vec<(&str, &[u8])> = values
                .iter()
                .map(|(name, _)| (*name, b"".as_slice()))
                .collect();
            check(&names)?;
            if let Some(unfit) = names.iter().find(|(name, _)| name.contains('/')) {
                return Err(RunError::Variable {
                    name: unfit.0.to_owned(),
                    why: "this is not the name of a variable",
                });
            }
            let Some(folder) = &staged.folder else {
                return Err(RunError::NotStarted);
            };
            let mut paths = Vec::new();
            for (name, value) in values {
                paths.push((*name, folder.put(name, value)?));
            }
            let paths: Vec<(&str, &[u8])> = paths
                .iter()
                .map(|(name, path)| (*name, bytes(path)))
                .collect();
            staged.start(variables(&paths), known)
        })
    }
}

impl Sink for FileSink {
    type Kind = kind::File;

    fn destination(&self) -> Destination {
        self.destination.clone()
    }

    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        let values: Vec<(&str, &[u8])> = lent.iter().collect();
        self.hand_over(&values, &lent.known())
    }
}
