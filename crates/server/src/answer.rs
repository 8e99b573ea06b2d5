//! What each request does.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use subrosa_crypto::SecretBuf;
use subrosa_egress::Sensitive;
use subrosa_engine::{Console, EngineError, Outlet};
use subrosa_model::{Caller, Scope, Timestamp};
use subrosa_wire::{Answer, Call, Failure, Frame, Proof, Reply, Request, Run, State, decode};

use crate::convert;
use crate::keeper::{Keeper, Timeouts};

/// Words of a command at most.
const WORDS_MAX: usize = 64 * 1024;
/// Entries of any other list in a request at most.
const PARTS_MAX: usize = 4096;

/// Turns an error of a use case into what the client shows.
pub(crate) type Describe = fn(EngineError) -> Box<Failure>;

/// What all connections share.
pub(crate) struct House {
    pub(crate) keeper: Keeper,
    pub(crate) describe: Describe,
    pub(crate) since: Timestamp,
    pub(crate) running: AtomicU32,
    /// Held while a request is decoded.
    pub(crate) reading: Mutex<()>,
}

/// What comes of a call.
pub(crate) struct Done {
    pub(crate) reply: Reply,
    /// Whether the daemon is to end.
    pub(crate) stop: bool,
}

impl From<Reply> for Done {
    fn from(reply: Reply) -> Self {
        Self { reply, stop: false }
    }
}

fn locked() -> Box<Failure> {
    Failure::new("locked", "the vault is locked").remedy("Open it: subrosa unlock")
}

fn garbled() -> Box<Failure> {
    Failure::new("protocol", "the request cannot be read")
        .remedy("Restart the daemon: subrosa daemon stop")
}

impl House {
    /// Carries out what came in a frame.
    pub(crate) fn carry_out(&self, caller: &Caller, frame: Frame) -> Done {
        let Some(call) = self.read(&frame.body) else {
            return Err(garbled()).into();
        };
        let Call { scope, request } = call;
        let (secret, descriptors) = (frame.secret, frame.descriptors);
        // A part that the request has no use for says that something is wrong.
        let wants_secret = matches!(request, Request::Unlock { .. } | Request::Set { .. });
        let wants_descriptors = matches!(request, Request::Run(_));
        if (secret.is_some() && !wants_secret) || (!descriptors.is_empty() && !wants_descriptors) {
            return Err(garbled()).into();
        }
        match request {
            Request::State => Ok(Answer::State(self.state())).into(),
            Request::Unlock {
                proof,
                idle,
                absolute,
            } => {
                let usual = Timeouts::default();
                let timeouts = Timeouts {
                    idle: idle.unwrap_or(usual.idle),
                    absolute: absolute.unwrap_or(usual.absolute),
                };
                self.unlock(secret, proof, timeouts).into()
            }
            Request::Lock => {
                self.keeper.lock();
                Ok(Answer::Done).into()
            }
            Request::Stop => Done {
                reply: Ok(Answer::Done),
                stop: true,
            },
            Request::Run(run) => self.run(caller, &scope, *run, descriptors).into(),
            request => self.use_vault(caller, &scope, request, secret).into(),
        }
    }

    /// The request of a frame; `None` when it is none, or has more parts than anybody needs.
    ///
    /// One at a time: a list of nothings is small in a frame and large in memory.
    fn read(&self, body: &[u8]) -> Option<Call> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let call = decode::<Call>(body).ok()?;
        let fits = match &call.request {
            Request::Run(run) => {
                run.command.len() <= WORDS_MAX
                    && run.variables.len() <= PARTS_MAX
                    && [run.patterns.len(), run.binds.len(), run.pass.len()]
                        .iter()
                        .all(|count| *count <= PARTS_MAX)
            }
            Request::List(filter) => filter.patterns.len() <= PARTS_MAX,
            Request::Set { change, .. } => {
                change.remove_fields.len() <= PARTS_MAX
                    && change.bindings.len() <= PARTS_MAX
                    && change
                        .tags
                        .as_ref()
                        .is_none_or(|tags| tags.len() <= PARTS_MAX)
            }
            _ => true,
        };
        fits.then_some(call)
    }

    fn state(&self) -> State {
        let kept = self.keeper.kept();
        let locks_in = kept.as_ref().map(|kept| kept.locks_in);
        State {
            pid: std::process::id(),
            since: self.since.as_micros(),
            unlocked: kept.is_some(),
            slot: kept.and_then(|kept| kept.slot),
            locks_in,
            running: self.running.load(Ordering::Relaxed),
        }
    }

    fn unlock(&self, secret: Option<SecretBuf>, proof: Proof, timeouts: Timeouts) -> Reply {
        let secret = secret.ok_or_else(garbled)?;
        let notices = self
            .keeper
            .unlock(&convert::unlock(proof, secret), timeouts);
        notices.map(Answer::Unlocked).map_err(self.describe)
    }

    fn use_vault(
        &self,
        caller: &Caller,
        scope: &Scope,
        request: Request,
        secret: Option<SecretBuf>,
    ) -> Reply {
        let served = self.keeper.serve(caller, scope, |session| {
            Ok(match request {
                Request::List(filter) => {
                    let listed = session.list(&convert::filter(filter))?;
                    Answer::Listed(listed.into_iter().map(convert::listed_of).collect())
                }
                Request::Show(key) => {
                    Answer::Shown(Box::new(convert::shown_of(session.show(&key)?)))
                }
                Request::History(key) => {
                    let history = session.history(&key)?;
                    Answer::History(history.into_iter().map(convert::past_of).collect())
                }
                Request::Set { key, change, mode } => {
                    let value = secret.map(Sensitive::input);
                    let patch = convert::patch(*change, value)
                        .ok_or_else(|| EngineError::usage("a value is missing or too much"))?;
                    let kept = session.keep(&key, &patch, convert::mode(mode))?;
                    Answer::Stored(Box::new(convert::stored_of(kept)))
                }
                Request::Generate {
                    key,
                    field,
                    recipe,
                    length,
                } => {
                    let recipe = convert::recipe(recipe);
                    let kept = session.generate((&key, &field), recipe, length as usize)?;
                    Answer::Stored(Box::new(convert::stored_of(kept)))
                }
                Request::Rename { from, scope, to } => {
                    session.rename(&from, (&scope, &to))?;
                    Answer::Done
                }
                Request::Remove(key) => {
                    session.remove(&key)?;
                    Answer::Done
                }
                Request::Rollback { key, version } => {
                    let shown = session.rollback(&key, version)?;
                    Answer::Shown(Box::new(convert::shown_of(shown)))
                }
                _ => return Err(EngineError::usage("this daemon does not know the request")),
            })
        });
        served.ok_or_else(locked)?.map_err(self.describe)
    }

    /// Starts the command while the vault is held, and carries its output without.
    fn run(&self, caller: &Caller, scope: &Scope, run: Run, descriptors: Vec<OwnedFd>) -> Reply {
        let console = console(run.streams, descriptors).ok_or_else(garbled)?;
        let options = convert::options(run);
        let started = self
            .keeper
            .serve(caller, scope, |session| session.start_run(options, console));
        let started = started.ok_or_else(locked)?.map_err(self.describe)?;
        self.running.fetch_add(1, Ordering::Relaxed);
        let finished = started.finish();
        self.running.fetch_sub(1, Ordering::Relaxed);
        let outcome = finished.map_err(self.describe)?;
        Ok(Answer::Ran(Box::new(convert::report_of(outcome))))
    }
}

/// The client's side of a run, from the descriptors that came; `None` when they are not those that
/// were announced.
fn console(streams: [bool; 3], descriptors: Vec<OwnedFd>) -> Option<Console> {
    let announced = streams.iter().filter(|there| **there).count();
    if descriptors.len() != announced + 1 {
        return None;
    }
    let mut descriptors = descriptors.into_iter();
    let [input, output, error] = streams.map(|there| there.then(|| descriptors.next()).flatten());
    let outlet =
        |descriptor: Option<OwnedFd>| descriptor.map_or_else(Outlet::discard, Outlet::descriptor);
    let steering = descriptors.next()?;
    Some(Console::new(input, outlet(output), outlet(error)).steered_by(steering))
}
