//! What each request does.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use subrosa_crypto::{SecretBuf, ct_eq};
use subrosa_egress::Sensitive;
use subrosa_engine::{
    Console, EngineError, Inherited, MaskOptions, Outlet, Purpose, Session, TokenProof, Unlock,
};
use subrosa_model::{Scope, Timestamp};
use subrosa_wire::{
    Answer, Back, Call, Failure, Frame, Mask, Masked, Proof, Reply, Request, Run, State, decode,
    encode,
};

use crate::convert;
use crate::keeper::{Keeper, Timeouts};
use crate::looking::{Turn, look};
use crate::visit::{Challenge, Done, Then, Visit, is_for_agents, name_of, touched};

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
    /// Clients whose text is looked through.
    pub(crate) filters: AtomicU32,
    /// Held while a request is decoded.
    pub(crate) reading: Mutex<()>,
}

fn locked() -> Box<Failure> {
    Failure::new("locked", "the vault is locked").remedy("Open it: subrosa unlock")
}

fn busy() -> Box<Failure> {
    Failure::new("busy", "the daemon runs as many commands as it can")
        .remedy("Wait for one to end; or do without: subrosa --no-daemon")
}

fn garbled() -> Box<Failure> {
    Failure::new("protocol", "the request cannot be read")
        .remedy("Restart the daemon: subrosa daemon stop")
}

fn not_for_agents() -> Box<Failure> {
    Failure::new(
        "agent",
        "an agent lists, shows and uses secrets, and does nothing else here",
    )
    .remedy("Have a person do it, without the token.")
}

fn no_token() -> Box<Failure> {
    Failure::new("token", "this is no token of an agent")
        .remedy("Ask an operator for one: subrosa agent add NAME")
}

fn other_proof() -> Box<Failure> {
    Failure::new(
        "presence",
        "the proof was given for another request, or what it rests on changed",
    )
    .remedy("Type the command again.")
}

impl House {
    /// Carries out what came in a frame; on a `spare` connection only what no command may hold up.
    pub(crate) fn carry_out(&self, visit: &mut Visit, frame: Frame, spare: bool) -> Done {
        let challenge = visit.challenge.take();
        let Some(call) = self.read(&frame.body) else {
            return Err(garbled()).into();
        };
        let Call { scope, request } = call;
        if spare && !matches!(request, Request::State | Request::Lock | Request::Stop) {
            return Err(busy()).into();
        }
        let (secret, descriptors) = (frame.secret, frame.descriptors);
        // A part that the request has no use for says that something is wrong.
        let wants_secret = matches!(
            request,
            Request::Unlock { .. }
                | Request::Set { .. }
                | Request::Identify
                | Request::Proven { .. }
        );
        let wants_descriptors = matches!(request, Request::Run(_) | Request::Mask(_));
        if (secret.is_some() && !wants_secret) || (!descriptors.is_empty() && !wants_descriptors) {
            return Err(garbled()).into();
        }
        if visit.token.is_some() && !is_for_agents(&request) {
            let what = format!("{} is not for agents", name_of(&request));
            // That it cannot be recorded while the vault is locked changes nothing.
            let _ = self.keeper.serve(visit.who(), &scope, |session| {
                session.note_refusal(&what);
                Ok(())
            });
            return Err(not_for_agents()).into();
        }
        match request {
            Request::Identify => {
                let reply = self.identify(visit, &scope, secret);
                // Whoever said to be an agent is served as one or not at all.
                let then = match &reply {
                    Ok(_) => Then::Stay,
                    Err(_) => Then::Leave,
                };
                Done { reply, then }
            }
            Request::Proven {
                digest,
                proof,
                request,
            } => {
                let given = challenge.filter(|challenge| ct_eq(&challenge.digest, &digest));
                let (Some(challenge), Some(secret)) = (given, secret) else {
                    return Err(other_proof()).into();
                };
                let unlock = convert::unlock(proof, secret);
                self.proven(visit, &scope, *request, (&challenge, &unlock))
                    .into()
            }
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
                then: Then::Stop,
            },
            Request::Run(run) => self.run(visit, &scope, *run, descriptors).into(),
            Request::Mask(mask) => self.mask(visit, &scope, mask, descriptors).into(),
            request => self.use_vault(visit, &scope, request, secret).into(),
        }
    }

    fn identify(&self, visit: &mut Visit, scope: &Scope, secret: Option<SecretBuf>) -> Reply {
        let token = secret.ok_or_else(garbled)?;
        let token = TokenProof::read(&token).ok_or_else(no_token)?;
        let who = (&visit.caller, Some(&token));
        let served = self.keeper.serve(who, scope, |_| Ok(()));
        served.ok_or_else(locked)?.map_err(self.describe)?;
        visit.token = Some(token);
        Ok(Answer::Done)
    }

    /// Carries out what was asked before, now that a proof came with it.
    fn proven(
        &self,
        visit: &Visit,
        scope: &Scope,
        request: Request,
        (challenge, unlock): (&Challenge, &Unlock),
    ) -> Reply {
        let asked = encoded(scope, &request)?;
        let checked = self.keeper.check_proof(&visit.caller, unlock);
        checked.ok_or_else(locked)?.map_err(self.describe)?;
        let served = self.keeper.serve(visit.who(), scope, |session| {
            // Nothing of what it was given for may have changed, the request least of all.
            let now = session.action_digest(&asked, &touched(scope, &request), &challenge.nonce)?;
            if !ct_eq(now.as_bytes(), &challenge.digest) {
                return Ok(Err(other_proof()));
            }
            session.proven();
            perform(session, request, None).map(Ok)
        });
        served.ok_or_else(locked)?.map_err(self.describe)?
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
            Request::Mask(mask) => mask.selectors.len() <= PARTS_MAX,
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
        let unlock = convert::unlock(proof, secret.ok_or_else(garbled)?);
        let notices = self.keeper.unlock(&unlock, timeouts);
        notices.map(Answer::Unlocked).map_err(self.describe)
    }

    fn use_vault(
        &self,
        visit: &mut Visit,
        scope: &Scope,
        request: Request,
        secret: Option<SecretBuf>,
    ) -> Reply {
        // The same for a whole visit: whoever asks again sees whether anything changed meanwhile.
        let nonce = visit.nonce;
        // Only what names secrets, and brings none, can be asked again with a proof.
        let asked = match touched(scope, &request).is_empty() {
            true => None,
            false => Some((encoded(scope, &request)?, request.clone())),
        };
        let mut challenge = None;
        let served = self.keeper.serve(visit.who(), scope, |session| {
            match (perform(session, request, secret), asked) {
                (Err(EngineError::Presence { what }), Some((asked, request))) => {
                    let digest =
                        session.action_digest(&asked, &touched(scope, &request), &nonce)?;
                    let digest = *digest.as_bytes();
                    challenge = Some(Challenge { digest, nonce });
                    let what = what.to_owned();
                    Ok(Answer::Presence { digest, what })
                }
                (done, _) => done,
            }
        });
        visit.challenge = challenge;
        served.ok_or_else(locked)?.map_err(self.describe)
    }

    /// Starts the command while the vault is held, and carries its output without.
    fn run(&self, visit: &Visit, scope: &Scope, run: Run, descriptors: Vec<OwnedFd>) -> Reply {
        let console = console(run.streams, descriptors).ok_or_else(garbled)?;
        let mut options = convert::options(run);
        // By what the system says of the caller: a claim could raise what it was given.
        let inherited = Inherited::of(visit.caller.pid).map_err(EngineError::from);
        options.inherited = Some(inherited.map_err(self.describe)?);
        let started = self.keeper.serve(visit.who(), scope, |session| {
            session.start_run(options, console)
        });
        let started = started.ok_or_else(locked)?.map_err(self.describe)?;
        self.running.fetch_add(1, Ordering::Relaxed);
        let finished = started.finish();
        self.running.fetch_sub(1, Ordering::Relaxed);
        let outcome = finished.map_err(self.describe)?;
        Ok(Answer::Ran(Box::new(convert::report_of(outcome))))
    }

    /// Makes the filter while the vault is held, and looks through the client's text without.
    fn mask(&self, visit: &Visit, scope: &Scope, mask: Mask, descriptors: Vec<OwnedFd>) -> Reply {
        let mut descriptors = descriptors.into_iter();
        let (Some(socket), None) = (descriptors.next(), descriptors.next()) else {
            return Err(garbled());
        };
        let _turn = Turn::take(&self.filters).ok_or_else(busy)?;
        let options = MaskOptions {
            purpose: match mask.back {
                Back::Text { .. } => Purpose::Redact,
                Back::Places => Purpose::Scan,
            },
            selectors: mask.selectors,
            fold: mask.fold,
        };
        let started = self.keeper.serve(visit.who(), scope, |session| {
            session.start_masking(&options)
        });
        let mut masking = started.ok_or_else(locked)?.map_err(self.describe)?;
        let mut warnings = masking.take_warnings();
        let looked = look(&masking, mask.back, socket);
        let found = looked.as_ref().map(|looked| looked.found);
        masking.complete(found.map_err(ToString::to_string));
        let looked = looked.map_err(|error| {
            Failure::new("daemon", format!("the text did not arrive whole: {error}"))
        })?;
        warnings.extend(looked.warning());
        Ok(Answer::Masked(Masked {
            found: looked.found,
            warnings,
        }))
    }
}

/// What a request does in the open vault.
fn perform(
    session: &mut Session,
    request: Request,
    secret: Option<SecretBuf>,
) -> Result<Answer, EngineError> {
    Ok(match request {
        Request::List(filter) => {
            let listed = session.list(&convert::filter(filter))?;
            Answer::Listed(listed.into_iter().map(convert::listed_of).collect())
        }
        Request::Show(key) => Answer::Shown(Box::new(convert::shown_of(session.show(&key)?))),
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
        Request::Purge(key) => {
            session.purge(&key)?;
            Answer::Done
        }
        Request::Tokens => {
            let tokens = session.tokens()?;
            Answer::Tokens(tokens.into_iter().map(convert::token_of).collect())
        }
        Request::RevokeTokens(which) => {
            let tokens = session.revoke_tokens(&which)?;
            Answer::Tokens(tokens.into_iter().map(convert::token_of).collect())
        }
        Request::Rollback { key, version } => {
            let shown = session.rollback(&key, version)?;
            Answer::Shown(Box::new(convert::shown_of(shown)))
        }
        _ => return Err(EngineError::usage("this daemon does not know the request")),
    })
}

fn encoded(scope: &Scope, request: &Request) -> Result<Vec<u8>, Box<Failure>> {
    let call = Call {
        scope: scope.clone(),
        request: request.clone(),
    };
    encode(&call).map_err(|_| garbled())
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
