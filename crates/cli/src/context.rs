//! What every command works with: options, folders, and the way to open the vault.
#![allow(clippy::disallowed_methods, reason = "the environment enters here")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use subrosa_crypto::SecretBuf;
use subrosa_engine::{Config, Effects, EngineError, Finding, Home, Session, Setting, Unlock};
use subrosa_model::{Scope, Timestamp};
use subrosa_server::Place;
use subrosa_wire::WireError;

use crate::access::Access;
use crate::args::Global;
use crate::descriptor::read_proof;
use crate::failure::Failure;
use crate::output::{Output, complain};
use crate::prompt::Terminal;
use crate::proofs::{Kind, no_proof};
use crate::remote::Remote;
use crate::serving::PROGRAM;
use crate::trouble::Trouble;
use crate::variable::{self, Arrived};
use crate::when::parse_duration;

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
    pub(crate) config: Config,
    /// The secret that was in a variable, which this process no longer has.
    pub(crate) arrived: Option<Arrived>,
}

impl Context {
    /// Finds the folders and reads the configuration.
    pub(crate) fn new(global: Global, out: Output) -> Result<Self, Failure> {
        let home = Home::find(|name| std::env::var_os(name), std::env::home_dir())?;
        let config = Config::load(&home.config_file())?;
        let arrived = arrived(&global, &config)?;
        tracing::debug!(data = %home.data.display(), state = %home.state.display(), "folders");
        Ok(Self {
            global,
            out,
            home,
            effects: Effects::system(),
            config,
            arrived,
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

    /// Permissions that files of this process are made without.
    pub(crate) fn mask(&self) -> u32 {
        // It can only be read by being set. No other thread makes files yet.
        let mask = rustix::process::umask(rustix::fs::Mode::empty());
        rustix::process::umask(mask);
        mask.bits()
    }

    /// A variable of this process that is set to something.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name).filter(|value| !value.is_empty())
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

    /// The vault wherever it is open: in this process when that is asked for or a proof is given,
    /// else in the daemon, which is started and unlocked on demand.
    pub(crate) fn access(&self) -> Result<Access, Failure> {
        self.access_for(Need::Any)
    }

    /// As [`Context::access`]. A daemon asks for a proof of presence when it comes to that.
    pub(crate) fn access_for(&self, need: Need) -> Result<Access, Failure> {
        if self.token()?.is_some() {
            return self.as_agent();
        }
        let own = || Ok(Access::own(self.open(need)?));
        if self.is_own() {
            return own();
        }
        let mut running = self.daemon()?;
        let unlocked = match &mut running {
            Some(remote) => remote.state()?.unlocked,
            None => false,
        };
        if unlocked && let Some(remote) = running {
            return Ok(Access::Daemon(remote));
        }
        if self.ambient()?.is_some_and(|kind| kind != Kind::Tpm) {
            return own();
        }
        self.demand_vault()?;
        if Terminal::open().is_none() {
            return Err(no_proof("subrosa unlock on a terminal, or "));
        }
        let mut remote = match running {
            Some(remote) => remote,
            None => self.start_daemon()?,
        };
        self.unlock_daemon(&mut remote, (None, None))?;
        Ok(Access::Daemon(remote))
    }

    /// The vault in the daemon, for an agent: it opens nothing, and asks nobody to.
    fn as_agent(&self) -> Result<Access, Failure> {
        if self.is_own() {
            return Err(for_people());
        }
        let locked = || {
            Failure::new("locked", "the vault is locked, and an agent cannot open it")
                .remedy("Have a person open it: subrosa unlock")
        };
        match self.daemon()? {
            Some(remote) => Ok(Access::Daemon(remote)),
            None => Err(locked()),
        }
    }

    /// The token of the agent that we are, if we are one: of whoever has none nothing is refused
    /// for that.
    fn token(&self) -> Result<Option<SecretBuf>, Failure> {
        if let Some(path) = &self.global.token_file {
            return Ok(Some(subrosa_engine::read_key_file(path)?));
        }
        let token = std::env::var_os("SUBROSA_TOKEN");
        if token.as_ref().is_some_and(|token| token.is_empty()) {
            // Whoever was to be an agent must not be served as somebody else.
            return Err(Failure::new("token", "SUBROSA_TOKEN is set, and holds no token").remedy(
                "Put the token there that subrosa agent add wrote; or, for a person: unset SUBROSA_TOKEN",
            ));
        }
        let token = token.map(|token| SecretBuf::take(token.into_encoded_bytes()));
        Ok(token.transpose().map_err(EngineError::from)?)
    }

    /// Refuses what an agent does not do.
    pub(crate) fn demand_person(&self) -> Result<(), Failure> {
        match self.token()? {
            None => Ok(()),
            Some(_) => Err(for_people()),
        }
    }

    /// Whether we act as an agent, with whatever token.
    pub(crate) fn is_agent(&self) -> bool {
        !matches!(self.token(), Ok(None))
    }

    /// Whether this process opens the vault itself.
    fn is_own(&self) -> bool {
        self.global.no_daemon || self.global.accept_root || self.brings_proof()
    }

    /// The daemon of this vault, if one runs.
    pub(crate) fn daemon(&self) -> Result<Option<Remote>, Failure> {
        let socket = Place::of(&self.home).socket();
        match subrosa_wire::connect(&socket, PROGRAM) {
            Ok(client) => {
                let mut remote = Remote::new(client, self.scope());
                if let Some(token) = self.token()? {
                    remote.identify(&token)?;
                }
                Ok(Some(remote))
            }
            // One that is just ending takes nobody any more.
            Err(WireError::Nobody { .. } | WireError::Closed) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The daemon of this vault, started when none runs.
    pub(crate) fn daemon_or_start(&self) -> Result<Remote, Failure> {
        self.demand_vault()?;
        match self.daemon()? {
            Some(remote) => Ok(remote),
            None => self.start_daemon(),
        }
    }

    fn start_daemon(&self) -> Result<Remote, Failure> {
        crate::serving::start()?;
        match self.daemon()? {
            Some(remote) => Ok(remote),
            None => Err(
                Failure::new("daemon", "the daemon ended as soon as it was started")
                    .remedy("see why: subrosa daemon run; or do without: subrosa --no-daemon"),
            ),
        }
    }

    /// Has the daemon open the vault; a passphrase that was mistyped is asked for again.
    pub(crate) fn unlock_daemon(
        &self,
        remote: &mut Remote,
        timeouts: (Option<Duration>, Option<Duration>),
    ) -> Result<(), Failure> {
        let (idle, absolute) = self.daemon_times()?;
        let timeouts = (timeouts.0.or(idle), timeouts.1.or(absolute));
        let notices = self.proven(Need::Any, |unlock| remote.unlock(unlock, timeouts))?;
        for notice in notices {
            self.out.warn(&notice);
        }
        Ok(())
    }

    /// When the daemon locks, as far as the configuration says.
    fn daemon_times(&self) -> Result<(Option<Duration>, Option<Duration>), Failure> {
        let parsed = |name: &str, text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => parse_duration(text).map(Some).map_err(|error| {
                Failure::new("config", format!("config.toml: daemon.{name}: {error}"))
            }),
        };
        let daemon = &self.config.daemon;
        Ok((
            parsed("idle", &daemon.idle)?,
            parsed("absolute", &daemon.absolute)?,
        ))
    }

    /// How often a passphrase may be mistyped, where it is typed.
    fn again(&self) -> u32 {
        match self.global.passphrase_fd.is_some() || self.global.recovery_fd.is_some() {
            true => 0,
            false => 2,
        }
    }

    /// Whether there is a vault.
    pub(crate) fn has_vault(&self) -> Result<bool, Failure> {
        Ok(subrosa_engine::status(&self.home)?.exists)
    }

    /// Whether there is a vault at all comes first: nobody wants to type a passphrase for none.
    fn demand_vault(&self) -> Result<(), Failure> {
        if self.has_vault()? {
            return Ok(());
        }
        let path = self.home.data.clone();
        Err(EngineError::NoVault { path }.into())
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
        self.demand_vault()?;
        let session = self.proven(need, |unlock| Ok(Session::open(setting.clone(), unlock)?))?;
        self.tell(&session);
        Ok(session)
    }

    /// The proof that opens the vault: from a descriptor, from where a machine keeps it, or asked
    /// for.
    pub(crate) fn unlock(&self, need: Need) -> Result<Unlock, Failure> {
        self.demand_person()?;
        if let Some(number) = self.global.passphrase_fd {
            return Ok(Unlock::Passphrase(read_proof(number, "passphrase")?));
        }
        if let Some(number) = self.global.recovery_fd {
            return Ok(Unlock::Recovery(read_proof(number, "recovery code")?));
        }
        let ambient = self.ambient()?;
        // It asks for a PIN, which is presence too.
        if ambient == Some(Kind::Tpm) {
            return self.ambient_proof(Kind::Tpm);
        }
        let terminal = match (ambient, need) {
            (Some(_), Need::Any) => None,
            _ => Terminal::open(),
        };
        if let Some(mut terminal) = terminal {
            return Ok(Unlock::Passphrase(terminal.hidden("Passphrase: ")?));
        }
        self.ambient_proof(ambient.unwrap_or(Kind::Passphrase))
    }

    /// Does something with a proof; a passphrase that was mistyped on the terminal is asked for
    /// again.
    pub(crate) fn proven<T>(
        &self,
        need: Need,
        mut with: impl FnMut(&Unlock) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        let mut again = self.again();
        loop {
            let unlock = self.unlock(need)?;
            match with(&unlock) {
                Err(trouble) if trouble.code() == "wrong_key" && is_typed(&unlock) && again > 0 => {
                    again -= 1;
                    complain(ONCE_MORE);
                }
                outcome => {
                    tracing::debug!(slot = unlock.kind().name(), opened = outcome.is_ok());
                    return Ok(outcome?);
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
            ("--pin-fd", self.global.pin_fd),
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
}

/// Takes the secret of a variable, and the variable out of this process.
fn arrived(global: &Global, config: &Config) -> Result<Option<Arrived>, Failure> {
    let flag = global.key_variable.as_deref();
    let names: Vec<&str> = [
        flag,
        Some(variable::DEFAULT),
        config.key_variable.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    for name in &names {
        variable::check_name(name)?;
    }
    variable::take(&names)
}

/// What an agent cannot do, whatever it was given.
fn for_people() -> Failure {
    Failure::new(
        "agent",
        "an agent lists, shows and uses secrets through the daemon, and does nothing else",
    )
    .remedy("Have a person do it, without SUBROSA_TOKEN and SUBROSA_TOKEN_FILE.")
}

const ONCE_MORE: &str = "subrosa: this passphrase does not open the vault; once more\n";

fn is_typed(unlock: &Unlock) -> bool {
    matches!(unlock, Unlock::Passphrase(_))
}
