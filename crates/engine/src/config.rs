//! `config.toml`: what an operator sets once.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use subrosa_model::{GroupName, WorkspaceName};

use crate::EngineError;

/// Longest configuration, in bytes.
const LENGTH_MAX: usize = 64 * 1024;

/// The configuration. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The workspace of commands that name none.
    pub workspace: Option<WorkspaceName>,
    /// The group of commands that name none.
    pub group: Option<GroupName>,
    /// The key file that opens the vault without a question.
    pub key_file: Option<PathBuf>,
    /// The variable in which a secret opens the vault, where it is not the usual one.
    pub key_variable: Option<String>,
    /// The file with the age or SSH identity that opens the vault.
    pub age_identity: Option<PathBuf>,
    /// The kind of slot that opens the vault when nothing else is said, as --open-with takes it.
    pub open_with: Option<String>,
    /// Which TPM there is, as TPM2TOOLS_TCTI says it.
    pub tpm: Option<String>,
    /// The command line that prints a secret which opens the vault. It stands here and never in the
    /// vault, where whoever may change the vault's file could have us run something.
    pub key_command: Option<Vec<String>>,
    /// The daemon.
    pub daemon: DaemonConfig,
}

/// `[daemon]`: when it locks the vault, as `30s`, `15m`, `8h`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DaemonConfig {
    /// After so long without a command.
    pub idle: Option<String>,
    /// After so long in any case.
    pub absolute: Option<String>,
}

impl Config {
    /// Reads a configuration from its text.
    ///
    /// # Errors
    /// [`EngineError::Config`] with the line that is wrong.
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, EngineError> {
        let error = |reason: String| EngineError::Config {
            path: path.to_owned(),
            reason,
        };
        let text =
            std::str::from_utf8(text).map_err(|_| error("it is not UTF-8 text".to_owned()))?;
        toml::from_str(text).map_err(|e| error(e.to_string().trim_end().to_owned()))
    }

    /// Reads the configuration file; a missing one is the default.
    ///
    /// # Errors
    /// [`EngineError::Config`], [`EngineError::File`] when it names a command and others may write it.
    pub fn load(path: &Path) -> Result<Self, EngineError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = subrosa_store::files::read_private(path, LENGTH_MAX, false)?;
        let config = Self::parse(path, &text)?;
        if config.key_command.is_none() {
            return Ok(config);
        }
        // It says what is run: then nobody else may have a say in it.
        Self::parse(path, &subrosa_store::files::read_own(path, LENGTH_MAX)?)
    }
}
