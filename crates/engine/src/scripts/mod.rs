//! Scripts: the world that a Feather script acts in, over the gate, the runner and a vault.
//!
//! What is secret leaves in one place, `World::let_out`: decided, recorded, released to one sink.

mod cabinet;
mod console;
mod entries;
mod ephemeral;
mod kept;
mod process;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use subrosa_crypto::random;
use subrosa_egress::{Facts, Gate, Kind, Permit, Presence, Released, Sensitive, Sink};
use subrosa_model::{Action, Caller, Outcome, RequestId, SecretUse, UseRequest};
use subrosa_runner::Files;
use subrosa_script::world::{Calls, Given, Site, Time, Typed, WorldError};

use crate::{Effects, EngineError};

pub use ephemeral::ephemeral;
pub use kept::on_vault;
/// Scripts themselves: text to tree and back, what leaves them, and how they run.
pub use subrosa_script::{check, run, syntax};

/// Where a script finds values, and leaves those that it stores.
pub(crate) trait Store {
    /// What decides, records and releases.
    fn gate(&self) -> &Gate;
    /// The value of an entry, if there is one.
    fn fetch(&mut self, name: &str) -> Result<Option<Sensitive>, WorldError>;
    /// Whether there is one.
    fn has(&mut self, name: &str) -> bool;
    /// Stores a value. One that is not to be learned is masked nowhere for being there, not even
    /// once it was fetched: what children print would tell that it is.
    fn keep(&mut self, name: &str, value: &Sensitive, learned: bool) -> Result<(), WorldError>;
    /// What a decision needs to know of what a value derives from.
    fn uses(&mut self, value: &Sensitive) -> Result<Vec<SecretUse>, WorldError>;
    /// A proof that a person is there, for this request.
    fn presence(&self, _: &UseRequest) -> Option<Presence> {
        None
    }
    /// Records durably what is about to be handed out, where that outlives the script.
    fn remember(&mut self, _: &Sensitive) -> Result<(), WorldError> {
        Ok(())
    }
    /// Every record is where it stays.
    fn close(self: Box<Self>) -> Result<(), EngineError>;
}

/// Where a script runs.
pub struct Surroundings {
    /// What records call the script.
    pub name: String,
    /// Its working directory.
    pub directory: PathBuf,
    /// Folders in which it touches no file.
    pub closed: Vec<PathBuf>,
    /// What its children inherit.
    pub variables: Vec<(OsString, OsString)>,
    /// What `ask` reads.
    pub input: OwnedFd,
    /// Where `say` writes to.
    pub out: Box<dyn Write>,
    /// Where level lines go.
    pub err: Box<dyn Write>,
}

/// A variable that a script set for its children.
enum Variable {
    Public(OsString),
    Secret(Arc<Sensitive>),
}

/// The world of one script.
pub struct World {
    effects: Effects,
    caller: Caller,
    store: Box<dyn Store>,
    /// What records call the script.
    name: String,
    directory: PathBuf,
    files: Files,
    input: OwnedFd,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    /// Our own variables, less those that were imported.
    variables: Vec<(OsString, OsString)>,
    set: BTreeMap<String, Variable>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl World {
    fn over(
        store: Box<dyn Store>,
        effects: Effects,
        caller: Caller,
        surroundings: Surroundings,
    ) -> Self {
        let Surroundings {
            name,
            directory,
            closed,
            variables,
            input,
            out,
            err,
        } = surroundings;
        Self {
            effects,
            caller,
            store,
            name,
            files: Files::new(directory.clone(), closed),
            directory,
            input,
            out,
            err,
            variables,
            set: BTreeMap::new(),
        }
    }

    /// What was said is written, what was recorded is durable.
    ///
    /// # Errors
    /// What writing gave.
    pub fn end(mut self) -> Result<(), EngineError> {
        let written = self.err.flush().and_then(|()| self.out.flush());
        self.store.close()?;
        written.map_err(EngineError::io("writing what was said".to_owned()))
    }

    /// Asks whether values may go there, and records it.
    fn permit<S: Sink>(
        &mut self,
        site: Site,
        values: &[(&str, &Sensitive)],
        sink: &S,
    ) -> Result<Permit<S::Kind>, WorldError> {
        let mut secrets: Vec<SecretUse> = Vec::new();
        for (_, value) in values {
            for one in self.store.uses(value)? {
                if !secrets.contains(&one) {
                    secrets.push(one);
                }
            }
        }
        let request = UseRequest {
            id: RequestId::from_bytes(random(&*self.effects.rng)),
            caller: self.caller.clone(),
            action: Action::Script,
            secrets,
            sink: S::Kind::SINK,
            destination: sink.destination(),
            place: Some(format!("{}:{}", self.name, site.line)),
            command: None,
            capability: None,
            time: self.effects.clock.now(),
        };
        let facts = Facts {
            presence: self.store.presence(&request),
            ..Facts::default()
        };
        let pending = self.store.gate().authorize::<S::Kind>(request, facts);
        pending.wait().map_err(|refusal| WorldError::Refused {
            reason: refusal.reason,
            remedy: refusal.remedy,
        })
    }

    /// Lets values out: the one place where that happens.
    fn let_out<S: Sink>(
        &mut self,
        site: Site,
        values: &[(&str, &Sensitive)],
        sink: &mut S,
    ) -> Result<Released, WorldError> {
        let permit = self.permit(site, values, sink)?;
        for (_, value) in values {
            self.store.remember(value)?;
        }
        self.store
            .gate()
            .release(permit, values, sink)
            .map_err(|error| WorldError::Failed {
                what: sink.destination().to_string(),
                reason: error.to_string(),
            })
    }

    /// What was said is there before a process, or a person, goes on.
    fn flush(&mut self) -> Result<(), WorldError> {
        let _ = self.err.flush();
        self.out.flush().map_err(|error| failed("say", error))
    }

    /// As [`World::let_out`], where nothing comes back.
    fn hand_over<S: Sink>(
        &mut self,
        site: Site,
        values: &[(&str, &Sensitive)],
        sink: &mut S,
    ) -> Result<(), WorldError> {
        let released = self.let_out(site, values, sink)?;
        released.complete(self.store.gate(), Outcome::Delivered, 0);
        Ok(())
    }
}

fn failed(what: impl Into<String>, reason: impl ToString) -> WorldError {
    WorldError::Failed {
        what: what.into(),
        reason: reason.to_string(),
    }
}

impl Calls for World {
    fn call(&mut self, _: Site, _: &str, _: Option<Given<'_>>) -> Result<Typed, WorldError> {
        Err(WorldError::NotBuilt { part: 6 })
    }
}

impl Time for World {
    fn now(&mut self) -> Duration {
        self.effects.clock.since_boot()
    }

    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}
