//! Where things are: the repository, its build folder, the tools installed for it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The repository that this run works on.
pub(crate) struct House {
    /// Root of the work tree: the folder of the workspace's Cargo.toml.
    pub(crate) root: PathBuf,
    /// Cargo's build folder, `CARGO_TARGET_DIR` respected.
    pub(crate) target: PathBuf,
}

impl House {
    /// Finds the repository from cargo's word, else upward from the current folder.
    pub(crate) fn find() -> Result<Self> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::current_dir().context("the current folder cannot be read")?,
        };
        let Some(root) = start
            .ancestors()
            .find(|folder| folder.join("xtask/Cargo.toml").is_file())
        else {
            bail!(
                "no workspace above {}: run this inside the repository",
                start.display()
            );
        };
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self {
            root: root.to_path_buf(),
            target,
        })
    }

    /// Folder of the Python environment that holds the prebuilt tools.
    pub(crate) fn python_env(&self) -> PathBuf {
        self.target.join("tools/python")
    }

    /// A command in the root, with the installed tools first on PATH.
    ///
    /// Every stage runs with the same environment, so that no stage invalidates another's cache.
    pub(crate) fn command(&self, program: impl Into<OsString>) -> Command {
        let mut command = Command::new(program.into());
        command.current_dir(&self.root).env("PATH", self.path());
        command
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// Cargo itself, the one that started this program.
    pub(crate) fn cargo(&self) -> Command {
        self.command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Finds a program on the PATH that stages see.
    pub(crate) fn which(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path())
            .map(|folder| folder.join(program))
            .find(|file| is_executable(file))
    }

    fn path(&self) -> OsString {
        let mut folders = vec![self.python_env().join("bin")];
        folders.extend(std::env::split_paths(
            &std::env::var_os("PATH").unwrap_or_default(),
        ));
        // Joining fails only where a folder contains the separator; such a PATH is used as it is.
        std::env::join_paths(folders)
            .unwrap_or_else(|_| std::env::var_os("PATH").unwrap_or_default())
    }
}

/// Whether a file exists that somebody may execute.
pub(crate) fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
