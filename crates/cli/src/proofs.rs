//! Which proof opens the vault, when several could: flags come first, then the environment, then
//! the configuration. What was asked for and fails is an error; nothing else is tried after it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use subrosa_engine::{Unlock, read_age, read_command, read_key_file, read_keyring, read_tpm};

use crate::args::Global;
use crate::context::Context;
use crate::descriptor::read_proof;
use crate::failure::Failure;
use crate::prompt::Terminal;
use crate::variable::DEFAULT;

/// A kind of proof that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The passphrase, on the terminal.
    Passphrase,
    /// The key file that --key-file, SUBROSA_KEY_FILE or config.toml names.
    KeyFile,
    /// The secret in the variable SUBROSA_KEY, or in the one that config.toml names.
    Environment,
    /// The secret that the command of config.toml prints.
    Command,
    /// The identity that --age-identity, SUBROSA_AGE_IDENTITY or config.toml names.
    Age,
    /// The secret that the keyring of the desktop keeps.
    Keyring,
    /// The TPM of this machine, with a PIN on the terminal or on --pin-fd.
    Tpm,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::KeyFile => "key-file",
            Self::Environment => "environment",
            Self::Command => "command",
            Self::Age => "age",
            Self::Keyring => "keyring",
            Self::Tpm => "tpm",
        }
    }
}

/// The kind that flags name; two kinds contradict each other.
fn asked(global: &Global) -> Result<Option<Kind>, Failure> {
    let mut found: Option<(Kind, String)> = None;
    let by_name = global.open_with.map(|kind| {
        let option = format!("--open-with {}", kind.name());
        (kind, option)
    });
    let by_value = [
        (Kind::KeyFile, "--key-file", global.key_file.is_some()),
        (
            Kind::Environment,
            "--key-variable",
            global.key_variable.is_some(),
        ),
        (Kind::Age, "--age-identity", global.age_identity.is_some()),
        (Kind::Tpm, "--pin-fd", global.pin_fd.is_some()),
    ];
    let by_value = by_value
        .into_iter()
        .filter(|(_, _, given)| *given)
        .map(|(kind, option, _)| (kind, option.to_owned()));
    for (kind, option) in by_name.into_iter().chain(by_value) {
        match &found {
            Some((known, other)) if *known != kind => {
                return Err(Failure::usage(format!(
                    "{other} and {option} name two ways to open the vault"
                ))
                .remedy("give one of them"));
            }
            _ => found = Some((kind, option)),
        }
    }
    Ok(found.map(|(kind, _)| kind))
}

impl Context {
    /// How the vault is opened without a question, if flags, environment or configuration say so.
    /// `None`, too, when the passphrase was asked for by name.
    pub(crate) fn ambient(&self) -> Result<Option<Kind>, Failure> {
        let global = &self.global;
        if let Some(kind) = asked(global)? {
            return Ok(Some(kind).filter(|kind| *kind != Kind::Passphrase));
        }
        let told = [
            (Kind::Environment, self.arrived.is_some()),
            (Kind::KeyFile, self.key_file_variable().is_some()),
            (Kind::Age, self.age_variable().is_some()),
        ];
        if let Some((kind, _)) = told.into_iter().find(|(_, told)| *told) {
            return Ok(Some(kind));
        }
        if let Some(kind) = self.configured()? {
            return Ok(Some(kind).filter(|kind| *kind != Kind::Passphrase));
        }
        let told = [
            (Kind::KeyFile, self.config.key_file.is_some()),
            (Kind::Age, self.config.age_identity.is_some()),
            (Kind::Command, self.config.key_command.is_some()),
        ];
        Ok(told
            .into_iter()
            .find(|(_, told)| *told)
            .map(|(kind, _)| kind))
    }

    /// The kind that the configuration names.
    fn configured(&self) -> Result<Option<Kind>, Failure> {
        let Some(name) = &self.config.open_with else {
            return Ok(None);
        };
        let kind = <Kind as clap::ValueEnum>::from_str(name, false);
        kind.map(Some).map_err(|_| {
            let text = "config.toml: open_with names no kind of slot";
            Failure::new("config", text).remedy("see which there are: subrosa --help, --open-with")
        })
    }

    /// Whether flags or the environment say how the vault is opened, so that no daemon is asked.
    pub(crate) fn brings_proof(&self) -> bool {
        let global = &self.global;
        global.passphrase_fd.is_some()
            || global.recovery_fd.is_some()
            || global.pin_fd.is_some()
            || global.open_with.is_some()
            || global.key_file.is_some()
            || global.key_variable.is_some()
            || global.age_identity.is_some()
            || self.age_variable().is_some()
            || self.arrived.is_some()
            || self.key_file_variable().is_some()
    }

    /// The proof of a kind that asks nobody.
    pub(crate) fn ambient_proof(&self, kind: Kind) -> Result<Unlock, Failure> {
        match kind {
            Kind::Passphrase => Err(no_proof("")),
            Kind::KeyFile => {
                let path = self.key_file().ok_or_else(|| {
                    missing("no key file is named").remedy("name it: --key-file PATH")
                })?;
                Ok(Unlock::KeyFile(read_key_file(&path)?))
            }
            Kind::Environment => self.environment(),
            Kind::Age => {
                let flag = self.global.age_identity.clone();
                let path = flag
                    .or_else(|| self.age_variable())
                    .or_else(|| self.config.age_identity.clone())
                    .ok_or_else(|| {
                        missing("no identity is named").remedy("name it: --age-identity PATH")
                    })?;
                Ok(read_age(&self.home, &path)?)
            }
            Kind::Tpm => {
                let pin = match (self.global.pin_fd, Terminal::open()) {
                    (Some(number), _) => read_proof(number, "PIN")?,
                    (None, Some(mut terminal)) => terminal.hidden("PIN: ")?,
                    (None, None) => {
                        return Err(missing("there is no terminal to ask for the PIN")
                            .remedy("hand it over on a descriptor: --pin-fd 3 3<FILE"));
                    }
                };
                let variables = self.tpm_variables();
                Ok(read_tpm(&self.home, &self.effects, &pin, &variables)?)
            }
            Kind::Keyring => Ok(read_keyring(&self.home, &self.variables())?),
            Kind::Command => {
                let line = self.config.key_command.as_deref().ok_or_else(|| {
                    missing("config.toml names no command").remedy(
                        "write there: key_command = [\"/usr/bin/pass\", \"show\", \"subrosa\"]",
                    )
                })?;
                let line: Vec<OsString> = line.iter().map(OsString::from).collect();
                Ok(Unlock::Command(read_command(&line, self.variables())?))
            }
        }
    }

    /// Our variables, and which TPM there is.
    pub(crate) fn tpm_variables(&self) -> Vec<(OsString, OsString)> {
        let which = OsString::from("TPM2TOOLS_TCTI");
        let mut variables = self.variables();
        if let Some(tpm) = &self.config.tpm
            && !variables.iter().any(|(name, _)| *name == which)
        {
            variables.push((which, tpm.into()));
        }
        variables
    }

    fn environment(&self) -> Result<Unlock, Failure> {
        let named = self.global.key_variable.as_deref();
        match &self.arrived {
            Some(arrived) if named.is_none_or(|name| name == arrived.name) => arrived.unlock(),
            _ => {
                let name = named
                    .or(self.config.key_variable.as_deref())
                    .unwrap_or(DEFAULT);
                Err(
                    missing(&format!("the variable {name} is not set")).remedy(format!(
                        "set {name} as `subrosa key add environment` showed it, and export it"
                    )),
                )
            }
        }
    }

    fn key_file_variable(&self) -> Option<PathBuf> {
        self.variable("SUBROSA_KEY_FILE").map(PathBuf::from)
    }

    fn age_variable(&self) -> Option<PathBuf> {
        self.variable("SUBROSA_AGE_IDENTITY").map(PathBuf::from)
    }

    pub(crate) fn key_file(&self) -> Option<PathBuf> {
        let flag = self.global.key_file.clone();
        flag.or_else(|| self.key_file_variable())
            .or_else(|| self.config.key_file.as_deref().map(Path::to_owned))
    }
}

fn missing(text: &str) -> Failure {
    Failure::new("no_proof", text)
}

/// Nothing that opens the vault was given, and nobody can be asked.
pub(crate) fn no_proof(first: &str) -> Failure {
    Failure::new(
        "no_proof",
        "there is no terminal to ask for the passphrase, and no other proof was given",
    )
    .remedy(format!(
        "{first}one of: --passphrase-fd N (3<FILE), --key-file PATH, --recovery-fd N; see \
         \"Opening the vault\" in subrosa --help",
    ))
}
