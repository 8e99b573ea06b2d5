//! The environment of a child: built from nothing, never inherited as a whole.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use subrosa_model::VarName;

use crate::{RunError, SearchPath};

mod never;

pub use never::never;

/// Inherited when the caller has them: who and where the user is, language, terminal, folders.
///
/// Not among them: `SSH_AUTH_SOCK`, `XDG_RUNTIME_DIR` and `DBUS_SESSION_BUS_ADDRESS` (sockets that
/// act for the user), proxies, and credentials of whatever kind. An operator passes on what a
/// command needs by name.
const INHERITED: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TERM",
    "COLORTERM",
    "TZ",
    "TMPDIR",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "CI",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_DIRS",
];
const INHERITED_PREFIX: &str = "LC_";

/// Whether a child inherits a variable of this name without being told to.
#[must_use]
pub fn inherited(name: &OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| INHERITED.contains(&name) || name.starts_with(INHERITED_PREFIX))
}

/// The variables of a child, without the secrets: those are added when they are released.
#[derive(Clone, PartialEq, Eq)]
pub struct Environment {
    entries: Vec<(OsString, OsString)>,
}

impl Environment {
    /// What a child inherits of `variables`, and the names in `pass`. `PATH` is the operator's.
    ///
    /// ```
    /// use subrosa_runner::{Environment, SearchPath};
    /// let ours = [("LANG", "C"), ("LD_PRELOAD", "/tmp/x.so")].map(|(n, v)| (n.into(), v.into()));
    /// let child = Environment::inherit(ours, &[], &SearchPath::default())?;
    /// assert!(child.value("LANG").is_some() && child.value("LD_PRELOAD").is_none());
    /// # Ok::<(), subrosa_runner::RunError>(())
    /// ```
    ///
    /// # Errors
    /// [`RunError::Variable`] when `pass` holds a name that no command gets (see [`never()`]),
    /// [`RunError::Nul`] when a value holds a NUL byte.
    pub fn inherit(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        pass: &[VarName],
        path: &SearchPath,
    ) -> Result<Self, RunError> {
        for name in pass {
            if let Some(why) = never(name.as_str()) {
                return Err(RunError::Variable {
                    name: name.to_string(),
                    why,
                });
            }
        }
        let wanted =
            |name: &OsStr| inherited(name) || pass.iter().any(|passed| name == passed.as_str());
        let mut environment = Self {
            entries: Vec::new(),
        };
        environment.put(OsStr::new("PATH"), path.to_os_string())?;
        for (name, value) in variables {
            if wanted(&name) {
                environment.put(&name, value)?;
            }
        }
        Ok(environment)
    }

    /// All of `variables`: what a script of the user hands to its children, as a shell would.
    ///
    /// # Errors
    /// [`RunError::Nul`] when a value holds a NUL byte.
    pub fn whole(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, RunError> {
        let mut environment = Self {
            entries: Vec::new(),
        };
        for (name, value) in variables {
            environment.put(&name, value)?;
        }
        Ok(environment)
    }

    /// Adds a variable that a script set for its children, whatever its name: what it says to the
    /// loader it could say by itself.
    ///
    /// # Errors
    /// [`RunError::Nul`] for a NUL byte.
    pub fn set_any(&mut self, name: &OsStr, value: OsString) -> Result<(), RunError> {
        self.put(name, value)
    }

    /// Adds a variable that holds no secret: a placeholder, or what an operator wrote.
    ///
    /// # Errors
    /// [`RunError::Variable`] for a name that no command gets, [`RunError::Nul`] for a NUL byte.
    pub fn set(&mut self, name: &VarName, value: impl Into<OsString>) -> Result<(), RunError> {
        if let Some(why) = never(name.as_str()) {
            return Err(RunError::Variable {
                name: name.to_string(),
                why,
            });
        }
        self.put(OsStr::new(name.as_str()), value.into())
    }

    /// The value of a variable.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&OsStr> {
        let found = self.entries.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_os_str())
    }

    /// All variables, in the order in which the child gets them.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let entries = self.entries.iter();
        entries.map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// `PWD` names the working directory for shells that trust it.
    pub(crate) fn set_directory(&mut self, directory: &Path) -> Result<(), RunError> {
        self.put(OsStr::new("PWD"), directory.as_os_str().to_owned())
    }

    fn put(&mut self, name: &OsStr, value: OsString) -> Result<(), RunError> {
        if value.as_bytes().contains(&0) {
            return Err(RunError::Nul {
                what: format!("the variable {}", name.display()),
                carrier: "a variable",
            });
        }
        self.entries.retain(|(known, _)| known != name);
        self.entries.push((name.to_owned(), value));
        Ok(())
    }
}

impl fmt::Debug for Environment {
    /// Names only: an ordinary variable may hold a credential too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|(name, _)| name))
            .finish()
    }
}
