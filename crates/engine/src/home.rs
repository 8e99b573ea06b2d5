//! Where things are kept: XDG folders, or one folder when `SUBROSA_HOME` names it.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use subrosa_crypto::{Aad, sha256};
use subrosa_store::FileError;
use subrosa_store::folder::Folder;

use crate::EngineError;

/// The folders of one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The vault.
    pub data: PathBuf,
    /// The anchor and what is noted before the vault is open.
    pub state: PathBuf,
    /// `config.toml`.
    pub config: PathBuf,
    /// The daemon's socket.
    pub runtime: PathBuf,
    /// Pins of root fingerprints. Never under `SUBROSA_HOME`: a folder that somebody else made
    /// must not vouch for itself.
    pub pins: Option<PathBuf>,
}

impl Home {
    /// Finds the folders from the environment, which arrives as an argument.
    ///
    /// `account` is the user's home folder when `HOME` does not say.
    ///
    /// # Errors
    /// [`EngineError::Home`] when neither says where to look, or a path is not absolute.
    pub fn find(
        variable: impl Fn(&str) -> Option<OsString>,
        account: Option<PathBuf>,
    ) -> Result<Self, EngineError> {
        let set = |name: &str| {
            variable(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let user = set("HOME").filter(|path| path.is_absolute()).or(account);
        // The XDG rule: a relative path there is ignored.
        let xdg = |name: &str, fallback: &str| {
            set(name)
                .filter(|path| path.is_absolute())
                .or_else(|| user.as_ref().map(|user| user.join(fallback)))
        };
        let pins = xdg("XDG_STATE_HOME", ".local/state").map(|state| state.join("subrosa/pins"));
        if let Some(home) = set("SUBROSA_HOME") {
            if !home.is_absolute() {
                return Err(EngineError::Home {
                    reason: format!(
                        "SUBROSA_HOME is {}, and must be an absolute path",
                        home.display()
                    ),
                });
            }
            return Ok(Self {
                data: home.join("data"),
                state: home.join("state"),
                config: home.join("config"),
                runtime: home.join("run"),
                pins,
            });
        }
        let unknown = || EngineError::Home {
            reason: "neither SUBROSA_HOME nor HOME says where the vault is".to_owned(),
        };
        let place = |name, fallback| {
            xdg(name, fallback)
                .map(|path| path.join("subrosa"))
                .ok_or_else(unknown)
        };
        let state = place("XDG_STATE_HOME", ".local/state")?;
        let data = place("XDG_DATA_HOME", ".local/share")?;
        // It is made at login and removed at logout; without one, what is under the state stays.
        let runtime = set("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
        let runtime = runtime.map_or_else(|| state.join("run"), |path| path.join("subrosa"));
        Ok(Self {
            // One a vault: the other folders may be set without this one.
            runtime: runtime.join(name_of(&data)),
            data,
            state,
            config: place("XDG_CONFIG_HOME", ".config")?,
            pins,
        })
    }

    /// The vault's file.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.data.join("vault.db")
    }

    /// The folder of anchors, one file a vault.
    #[must_use]
    pub fn anchors(&self) -> PathBuf {
        self.state.join("anchors")
    }

    /// Attempts to open the vault that failed.
    #[must_use]
    pub fn prelog(&self) -> PathBuf {
        self.state.join("unlock-attempts")
    }

    /// The configuration.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// Whether a path lies inside the vault's folder.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        path.starts_with(&self.data)
    }
}

/// A short name for a folder.
fn name_of(folder: &Path) -> String {
    let whole = sha256(&Aad::new("subrosa/folder/v1").bytes(folder.as_os_str().as_bytes()));
    hex::encode(&whole[..8])
}

/// Makes a folder for this user alone, or checks that it is one; opens it.
///
/// # Errors
/// [`FileError`] when it cannot be made, or others may enter or exchange it.
pub fn private_folder(path: &Path) -> Result<OwnedFd, FileError> {
    Ok(Folder::create(path)?.into_descriptor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pairs: &[(&str, &str)]) -> Result<Home, EngineError> {
        let pairs: Vec<(String, OsString)> = pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), OsString::from(v)))
            .collect();
        Home::find(
            move |name| {
                pairs
                    .iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, v)| v.clone())
            },
            None,
        )
    }

    #[test]
    fn one_folder_holds_everything_but_the_pins() {
        let home = find(&[("SUBROSA_HOME", "/s"), ("HOME", "/home/u")]).unwrap();
        assert_eq!(home.vault(), Path::new("/s/data/vault.db"));
        assert_eq!(home.config_file(), Path::new("/s/config/config.toml"));
        assert_eq!(
            home.pins.as_deref(),
            Some(Path::new("/home/u/.local/state/subrosa/pins"))
        );
    }

    #[test]
    fn xdg_folders_are_followed_and_relative_ones_ignored() {
        let home = find(&[
            ("HOME", "/home/u"),
            ("XDG_DATA_HOME", "/d"),
            ("XDG_STATE_HOME", "x"),
        ])
        .unwrap();
        assert_eq!(home.data, Path::new("/d/subrosa"));
        assert_eq!(home.state, Path::new("/home/u/.local/state/subrosa"));
    }

    #[test]
    fn nowhere_and_relative_are_refused() {
        assert!(find(&[]).is_err());
        assert!(find(&[("SUBROSA_HOME", "here"), ("HOME", "/h")]).is_err());
        assert!(find(&[("SUBROSA_HOME", ""), ("HOME", "/h")]).is_ok());
    }
}
