//! What every command works with: options, folders, and the way to open the vault.
#![allow(clippy::disallowed_methods, reason = "the environment enters here")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use subrosa_crypto::SecretBuf;
use subrosa_engine::{
    Config, Effects, EngineError, Finding, Home, Session, Setting, Unlock, VaultError,
    read_key_file,
};
use subrosa_model::{Scope, Timestamp};

use crate::args::Global;
use crate::descriptor::read_proof;
use crate::failure::Failure;
use crate::output::{Output, complain};
use crate::prompt::Terminal;

/// What a command needs of the proof that opens the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Whatever opens it.
    Any,
    /// A proof that a person is there, where one can be had.
    Presence,
}

/// What every command works with.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) out: Output,
    pub(crate) home: Home,
    pub(crate) effects: Effects,
    config: Config,
}

impl Context {
    /// Finds the folders and reads the configuration.
    pub(crate) fn new(global: Global, out: Output) -> Result<Self, Failure> {
        let home = Home::find(|name| std::env::var_os(name), std::env::home_dir())?;
        let config = Config::load(&home.config_file())?;
        tracing::debug!(data = %home.data.display(), state = %home.state.display(), "folders");
        Ok(Self {
            global,
            out,
            home,
            effects: Effects::system(),
            config,
        })
    }

    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.effects.clock.now()
    }

    /// The variables of this process.
    pub(crate) fn variables(&self) -> Vec<(OsString, OsString)> {
        std::env::vars_os().collect()
    }

    /// The folder in which the command was typed.
    pub(crate) fn directory(&self) -> Result<PathBuf, Failure> {
        std::env::current_dir().map_err(Failure::io("the current folder cannot be found"))
    }

    /// Where look-ups begin: flag, environment, configuration, default.
    pub(crate) fn scope(&self) -> Scope {
        let workspace = self
            .global
            .workspace
            .clone()
            .or_else(|| self.config.workspace.clone());
        Scope {
            workspace: workspace.unwrap_or_else(Scope::default_workspace),
            group: self
                .global
                .group
                .clone()
                .or_else(|| self.config.group.clone()),
        }
    }

    pub(crate) fn setting(&self) -> Setting {
        Setting {
            home: self.home.clone(),
            effects: self.effects.clone(),
            scope: self.scope(),
            accept_root: self.global.accept_root,
            inspect: false,
        }
    }

    /// Opens the vault and passes on what there is to know about that.
    pub(crate) fn open(&self, need: Need) -> Result<Session, Failure> {
        self.open_as(self.setting(), need)
    }

    /// Opens the vault to look at it, even when it was put back to an earlier state.
    pub(crate) fn inspect(&self) -> Result<Session, Failure> {
        self.open_as(
            Setting {
                inspect: true,
                ..self.setting()
            },
            Need::Any,
        )
    }

    /// Passes on what there is to know about an opening.
    pub(crate) fn tell(&self, session: &Session) {
        for notice in session.notices() {
            self.out.warn(notice);
        }
    }

    /// Opens a vault that was put back to an earlier state, and takes it as it is.
    pub(crate) fn open_accepting(&self) -> Result<(Session, Option<Finding>), Failure> {
        let unlock = self.unlock(Need::Presence)?;
        let (session, finding) = Session::open_accepting(self.setting(), &unlock)?;
        self.tell(&session);
        Ok((session, finding))
    }

    fn open_as(&self, setting: Setting, need: Need) -> Result<Session, Failure> {
        // Whether there is a vault at all comes first: nobody wants to type a passphrase for none.
        let status = subrosa_engine::status(&self.home)?;
        if !status.exists {
            return Err(EngineError::NoVault {
                path: self.home.data.clone(),
            }
            .into());
        }
        let session = self.attempt(setting, need)?;
        self.tell(&session);
        Ok(session)
    }

    /// The proof that opens the vault: from a descriptor, from a key file, or asked for.
    pub(crate) fn unlock(&self, need: Need) -> Result<Unlock, Failure> {
        if let Some(number) = self.global.passphrase_fd {
            return Ok(Unlock::Passphrase(read_proof(number, "passphrase")?));
        }
        if let Some(number) = self.global.recovery_fd {
            return Ok(Unlock::Recovery(read_proof(number, "recovery code")?));
        }
        let key_file = self.key_file();
        let terminal = match (&key_file, need) {
            (Some(_), Need::Any) => None,
            _ => Terminal::open(),
        };
        if let Some(mut terminal) = terminal {
            return Ok(Unlock::Passphrase(terminal.hidden("Passphrase: ")?));
        }
        match key_file {
            Some(path) => Ok(Unlock::KeyFile(read_key_file(&path)?)),
            None => Err(Failure::new(
                "no_proof",
                "there is no terminal to ask for the passphrase, and no other proof was given",
            )
            .remedy(
                "one of: --passphrase-fd N (3<FILE), --key-file PATH, --recovery-fd N; see \
                 \"Opening the vault\" in subrosa --help",
            )),
        }
    }

    /// Opens the vault; a passphrase that was mistyped on the terminal is asked for again.
    fn attempt(&self, setting: Setting, need: Need) -> Result<Session, Failure> {
        let given = self.global.passphrase_fd.is_some() || self.global.recovery_fd.is_some();
        let mut again = if given { 0 } else { 2 };
        loop {
            let unlock = self.unlock(need)?;
            let typed = matches!(unlock, Unlock::Passphrase(_));
            match Session::open(setting.clone(), &unlock) {
                Err(EngineError::Vault(VaultError::WrongKey { .. })) if typed && again > 0 => {
                    again -= 1;
                    complain("subrosa: this passphrase does not open the vault; once more\n");
                }
                outcome => {
                    let session = outcome?;
                    tracing::debug!(slot = unlock.kind().name(), "opened");
                    return Ok(session);
                }
            }
        }
    }

    /// A new passphrase: from a descriptor, or asked for twice.
    pub(crate) fn new_passphrase(
        &self,
        number: Option<u32>,
        option: &str,
    ) -> Result<SecretBuf, Failure> {
        const SHORT: usize = 8;
        if let Some(number) = number {
            let passphrase = read_proof(number, "passphrase")?;
            if passphrase.len() < SHORT {
                self.out
                    .warn("the passphrase has fewer than 8 bytes and is quickly found by trying");
            }
            return Ok(passphrase);
        }
        let Some(mut terminal) = Terminal::open() else {
            return Err(
                Failure::new("no_proof", "there is no terminal to ask for a passphrase")
                    .remedy(format!("hand it over on a descriptor: {option} 4 4<FILE")),
            );
        };
        let passphrase = terminal.hidden_twice("New passphrase: ", "The same again: ")?;
        if passphrase.len() < SHORT {
            return Err(
                Failure::new("weak_passphrase", "the passphrase has fewer than 8 bytes")
                    .remedy("take four or five words that have nothing to do with each other"),
            );
        }
        Ok(passphrase)
    }

    /// Says that a command reads standard input, which a proof may then not come from.
    pub(crate) fn claim_stdin(&self, who: &str) -> Result<(), Failure> {
        let taken = [
            ("--passphrase-fd", self.global.passphrase_fd),
            ("--recovery-fd", self.global.recovery_fd),
        ];
        match taken.into_iter().find(|(_, number)| *number == Some(0)) {
            None => Ok(()),
            Some((option, _)) => Err(Failure::usage(format!(
                "{option} 0 and {who} both read standard input, and it can be read only once"
            ))
            .remedy(format!(
                "hand the proof over on another descriptor: {option} 3 3<FILE"
            ))),
        }
    }

    fn key_file(&self) -> Option<PathBuf> {
        let path = self
            .global
            .key_file
            .as_deref()
            .or(self.config.key_file.as_deref());
        path.map(Path::to_owned)
    }
}
