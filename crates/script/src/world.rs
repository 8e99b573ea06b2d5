//! What a script needs of the world. The engine provides it over the vault, the gate and the runner.
//!
//! A value goes in as [`Given`]. What is public may be passed on; what is secret leaves through the
//! gate alone, which decides, records and releases. Nothing here may show a secret in an error.

use std::sync::Arc;
use std::time::Duration;

use subrosa_egress::Sensitive;

/// A text on its way to the world.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// Anybody may see it.
    Public(&'a str),
    /// It leaves through the gate.
    Secret(&'a Arc<Sensitive>),
}

impl Given<'_> {
    /// Whether it leaves through the gate.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

/// A text that comes from the world.
#[derive(Debug)]
pub enum Typed {
    /// Anybody may see it.
    Public(String),
    /// It stays sensitive.
    Secret(Sensitive),
}

/// Where in a script something leaves, for the record.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// The line of the statement, from 1.
    pub line: u32,
    /// Whether a secret decided that it came to this: nothing of it may show, neither that an entry is
    /// stored nor what is in it, by being masked elsewhere from then on.
    pub is_secret: bool,
}

/// Why the world did not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// There is no such entry in the vault.
    #[error("the vault has no entry {name:?}")]
    Missing {
        /// The entry's name.
        name: String,
    },
    /// The policy or the gate said no.
    #[error("refused: {reason}")]
    Refused {
        /// Why, without any value.
        reason: String,
        /// What to do about it; may be empty.
        remedy: String,
    },
    /// The system said no.
    #[error("{what}: {reason}")]
    Failed {
        /// What was tried, without any secret in it.
        what: String,
        /// What came of it, without any secret in it.
        reason: String,
    },
    /// A part of the product that is not there yet.
    #[error("not built: part {part}")]
    NotBuilt {
        /// The part that builds it.
        part: u8,
    },
}

/// The vault that a script stores into and fetches from.
pub trait Entries {
    /// The value of an entry.
    ///
    /// # Errors
    /// [`WorldError::Missing`], or why it cannot be had.
    fn fetch(&mut self, name: &str) -> Result<Arc<Sensitive>, WorldError>;

    /// Whether there is such an entry.
    fn has(&mut self, name: &str) -> bool;

    /// Stores a value.
    ///
    /// # Errors
    /// [`WorldError::Refused`] where it may not go by another name; why it cannot be kept.
    fn keep(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError>;

    /// Moves the variables whose names match into the vault; children do not inherit them from now
    /// on. Returns how many there were.
    ///
    /// # Errors
    /// Why they cannot be kept.
    fn import(&mut self, glob: &str) -> Result<usize, WorldError>;
}

/// Whoever sits before the screen, or standard input and output.
pub trait Console {
    /// Writes a text as it is.
    ///
    /// # Errors
    /// [`WorldError`]; nothing was written where it was refused.
    fn write(&mut self, site: Site, text: Given<'_>) -> Result<(), WorldError>;

    /// Reads a line, without its end; what is typed does not show with `is_hidden`, and stays
    /// sensitive with `is_secret`. `None` at the end of the input.
    ///
    /// # Errors
    /// Why nothing can be read, also where it is no text.
    fn read(&mut self, is_hidden: bool, is_secret: bool) -> Result<Option<Typed>, WorldError>;

    /// Writes a line to standard error.
    fn warn(&mut self, line: &str);
}

/// What is done with a file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// What was there is gone.
    Replace,
    /// It comes behind what is there.
    Append,
}

/// Files and folders.
pub trait Cabinet {
    /// Writes a file.
    ///
    /// # Errors
    /// [`WorldError`]; nothing was created or changed where it was refused.
    fn write_file(
        &mut self,
        site: Site,
        path: Given<'_>,
        content: Given<'_>,
        writing: Writing,
    ) -> Result<(), WorldError>;

    /// The text of a regular file, of at most `limit` bytes; sensitive where the path is.
    ///
    /// # Errors
    /// [`WorldError::Failed`], also for what is no text.
    fn read_file(&mut self, site: Site, path: Given<'_>, limit: usize)
    -> Result<Typed, WorldError>;

    /// Creates an empty file.
    ///
    /// # Errors
    /// [`WorldError::Failed`], also where there is one.
    fn create(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError>;

    /// Removes a file.
    ///
    /// # Errors
    /// [`WorldError::Failed`].
    fn delete(&mut self, site: Site, path: Given<'_>) -> Result<(), WorldError>;

    /// Gives a file another path.
    ///
    /// # Errors
    /// [`WorldError::Failed`], also where something has that path.
    fn rename(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError>;

    /// Copies a file.
    ///
    /// # Errors
    /// [`WorldError::Failed`], also where something has that path.
    fn copy(&mut self, site: Site, from: Given<'_>, to: Given<'_>) -> Result<(), WorldError>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// [`WorldError::Failed`].
    fn list(&mut self, path: &str) -> Result<Vec<String>, WorldError>;
}

/// What to start.
#[derive(Debug, Clone, Copy)]
pub enum Order<'a> {
    /// A line for `/bin/sh`.
    Shell(Given<'a>),
    /// A program and its arguments, the name first.
    Program(&'a [Given<'a>]),
}

/// Where the output of a process goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To the console, known values masked.
    Masked,
    /// To the console as it is.
    AsItIs,
    /// Back to the script as public text; known values masked.
    Captured,
    /// Back to the script as a secret.
    Kept,
}

/// What became of a process.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; 128 and the signal's number when one ended it.
    pub status: u8,
    /// Whether it ran out of time.
    pub is_late: bool,
    /// What it wrote to standard output, where that comes back.
    pub output: Option<Typed>,
}

/// Processes.
pub trait Processes {
    /// Runs a process to its end.
    ///
    /// # Errors
    /// [`WorldError`]; nothing was started where it was refused.
    fn run(
        &mut self,
        site: Site,
        order: Order<'_>,
        output: Output,
        timeout: Option<Duration>,
    ) -> Result<Ended, WorldError>;

    /// Sets a variable of every process that is started later.
    ///
    /// # Errors
    /// [`WorldError`], also for a name that no variable has.
    fn set(&mut self, site: Site, name: &str, value: Given<'_>) -> Result<(), WorldError>;

    /// Whether a process that is started now is given a secret by its variables.
    fn hands_on_secrets(&self) -> bool;
}

/// Brokered requests.
pub trait Calls {
    /// Calls a capability.
    ///
    /// # Errors
    /// [`WorldError::NotBuilt`] until there is a broker.
    fn call(
        &mut self,
        site: Site,
        capability: &str,
        with: Option<Given<'_>>,
    ) -> Result<Typed, WorldError>;
}

/// Time.
pub trait Time {
    /// Time since some moment before the script began.
    fn now(&mut self) -> Duration;

    /// Returns when so much time has passed.
    fn wait(&mut self, time: Duration);

    /// Whether the script has to end. It is asked before each statement and after each turn of a
    /// loop; once it says so, it always does.
    fn is_over(&mut self) -> bool {
        false
    }
}

/// All of it.
pub trait World: Entries + Console + Cabinet + Processes + Calls + Time {}

impl<W: Entries + Console + Cabinet + Processes + Calls + Time> World for W {}
