//! A copy of the work tree that may be broken at will.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::shell::{self, Show};

/// The copy, with its own build folder.
pub(super) struct Copy<'a> {
    house: &'a House,
    folder: PathBuf,
    files: BTreeSet<PathBuf>,
}

impl<'a> Copy<'a> {
    /// Brings the copy up to date with the work tree, changes not yet committed included.
    pub(super) fn of(house: &'a House) -> Result<Self> {
        let mut git = house.command("git");
        git.args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]);
        let listed = git.output().context("git cannot be started")?;
        if !listed.status.success() {
            bail!(
                "git ls-files failed: {}",
                String::from_utf8_lossy(&listed.stderr)
            );
        }
        let files = listed
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
            .map(|name| PathBuf::from(OsStr::from_bytes(name)))
            .filter(|file| house.root.join(file).symlink_metadata().is_ok())
            .collect();
        let copy = Self {
            house,
            folder: house.target.join("mutants/tree"),
            files,
        };
        std::fs::create_dir_all(&copy.folder)?;
        copy.prune(&copy.folder)?;
        copy.restore()?;
        Ok(copy)
    }

    /// Puts every file back as it is in the work tree.
    ///
    /// Only what differs is written, with the time of now: cargo goes by times, so a file that
    /// got its old time back would leave the mutant's build standing.
    pub(super) fn restore(&self) -> Result<()> {
        for file in &self.files {
            let (from, to) = (self.house.root.join(file), self.folder.join(file));
            if from.is_symlink() {
                let target = std::fs::read_link(&from)?;
                if std::fs::read_link(&to).is_ok_and(|old| old == target) {
                    continue;
                }
                let _ = std::fs::remove_file(&to);
                make_parent(&to)?;
                std::os::unix::fs::symlink(target, &to)?;
                continue;
            }
            let wanted = std::fs::read(&from).with_context(|| from.display().to_string())?;
            if std::fs::read(&to).is_ok_and(|have| have == wanted) {
                continue;
            }
            make_parent(&to)?;
            std::fs::write(&to, wanted)?;
            std::fs::set_permissions(&to, from.metadata()?.permissions())?;
        }
        Ok(())
    }

    /// Applies a patch to the copy; `false` when it does not fit.
    pub(super) fn apply(&self, patch: &Path) -> Result<bool> {
        let mut git = self.house.command("git");
        git.current_dir(&self.folder)
            // Else git takes the copy for a part of the repository around it.
            .env(
                "GIT_CEILING_DIRECTORIES",
                self.folder.parent().unwrap_or(&self.folder),
            )
            .arg("apply")
            .arg(patch);
        let finished = shell::run(git, Show::Kept)?;
        if !finished.success {
            println!("{}", finished.text.trim_end());
        }
        Ok(finished.success)
    }

    /// Cargo in the copy.
    pub(super) fn cargo(&self) -> Command {
        self.at_home(self.house.cargo())
    }

    /// `cargo nextest run` in the copy.
    pub(super) fn nextest(&self) -> Command {
        let mut command = self.at_home(self.house.command("cargo-nextest"));
        command.args(["nextest", "run", "--profile", "ci"]);
        command
    }

    /// The results of the last run of nextest, as JUnit.
    pub(super) fn results(&self) -> Result<String> {
        let file = self.folder.join(crate::junit::FILE);
        std::fs::read_to_string(&file).with_context(|| file.display().to_string())
    }

    fn at_home(&self, mut command: Command) -> Command {
        command
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.house.target.join("mutants/build"))
            .env_remove("CARGO_MANIFEST_DIR");
        command
    }

    /// Removes what the work tree no longer has.
    fn prune(&self, folder: &Path) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                self.prune(&path)?;
                continue;
            }
            let inside = path.strip_prefix(&self.folder).unwrap_or(&path);
            if !self.files.contains(inside) {
                std::fs::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

fn make_parent(file: &Path) -> Result<()> {
    match file.parent() {
        Some(folder) => Ok(std::fs::create_dir_all(folder)?),
        None => Ok(()),
    }
}
