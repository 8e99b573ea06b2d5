//! The daemon, as commands use it.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use subrosa_crypto::SecretBuf;
use subrosa_egress::Recipe;
use subrosa_engine::{
    Kept, ListFilter, Listed, Mode, Past, Patch, RunOptions, RunOutcome, Shown, TokenShown, Unlock,
};
use subrosa_model::{FieldName, KeyName, Scope};
use subrosa_server::convert;
use subrosa_wire::{Answer, Call, Client, Mask, Masked, Request, State, WireError};

use crate::access::Value;
use crate::context::{Context, Need};
use crate::failure::Failure;
use crate::steering;
use crate::trouble::Trouble;

/// A connection to the daemon, with where look-ups begin.
pub(crate) struct Remote {
    client: Client,
    scope: Scope,
}

impl Remote {
    pub(crate) fn new(client: Client, scope: Scope) -> Self {
        Self { client, scope }
    }

    fn ask(&mut self, request: Request, secret: Option<&SecretBuf>) -> Result<Answer, Trouble> {
        let call = self.call(request);
        let secret = secret.map(SecretBuf::as_slice);
        Ok(self.client.call(&call, secret, &[])??)
    }

    fn call(&self, request: Request) -> Call {
        Call {
            scope: self.scope.clone(),
            request,
        }
    }

    pub(crate) fn state(&mut self) -> Result<State, Trouble> {
        match self.ask(Request::State, None)? {
            Answer::State(state) => Ok(state),
            _ => Err(strange()),
        }
    }

    /// Opens the vault; returns what there is to know about that.
    pub(crate) fn unlock(
        &mut self,
        unlock: &Unlock,
        (idle, absolute): (Option<Duration>, Option<Duration>),
    ) -> Result<Vec<String>, Trouble> {
        let (proof, secret) = convert::proof_of(unlock).ok_or_else(strange)?;
        let request = Request::Unlock {
            proof,
            idle,
            absolute,
        };
        match self.ask(request, Some(secret))? {
            Answer::Unlocked(notices) => Ok(notices),
            _ => Err(strange()),
        }
    }

    pub(crate) fn lock(&mut self) -> Result<(), Trouble> {
        self.do_it(Request::Lock)
    }

    /// Ends the daemon, and waits for that.
    pub(crate) fn stop(&mut self) -> Result<(), Trouble> {
        self.do_it(Request::Stop)?;
        self.client.closed();
        Ok(())
    }

    fn do_it(&mut self, request: Request) -> Result<(), Trouble> {
        self.do_with(request, None)
    }

    fn do_with(&mut self, request: Request, secret: Option<&SecretBuf>) -> Result<(), Trouble> {
        match self.ask(request, secret)? {
            Answer::Done => Ok(()),
            _ => Err(strange()),
        }
    }

    pub(crate) fn list(&mut self, filter: &ListFilter) -> Result<Vec<Listed>, Trouble> {
        match self.ask(Request::List(convert::filter_of(filter)), None)? {
            Answer::Listed(listed) => Ok(listed.into_iter().map(convert::listed).collect()),
            _ => Err(strange()),
        }
    }

    pub(crate) fn show(&mut self, key: &KeyName) -> Result<Shown, Trouble> {
        match self.ask(Request::Show(key.clone()), None)? {
            Answer::Shown(shown) => Ok(convert::shown(*shown)),
            _ => Err(strange()),
        }
    }

    pub(crate) fn history(&mut self, key: &KeyName) -> Result<Vec<Past>, Trouble> {
        match self.ask(Request::History(key.clone()), None)? {
            Answer::History(past) => Ok(past.into_iter().map(convert::past).collect()),
            _ => Err(strange()),
        }
    }

    pub(crate) fn set(
        &mut self,
        key: &KeyName,
        patch: &Patch,
        value: Option<Value>,
        mode: Mode,
    ) -> Result<Kept, Trouble> {
        let mut change = convert::change_of(patch);
        change.value = value.as_ref().map(|value| {
            (
                value.field.clone(),
                value.about.as_ref().map(convert::about_of),
            )
        });
        let request = Request::Set {
            key: key.clone(),
            change: Box::new(change),
            mode: convert::mode_of(mode),
        };
        let answer = self.ask(request, value.as_ref().map(|value| &value.bytes))?;
        kept(answer)
    }

    pub(crate) fn generate(
        &mut self,
        (key, field): (&KeyName, &FieldName),
        recipe: Recipe,
        length: usize,
    ) -> Result<Kept, Trouble> {
        let request = Request::Generate {
            key: key.clone(),
            field: field.clone(),
            recipe: convert::recipe_of(recipe).ok_or_else(strange)?,
            length: u32::try_from(length).map_err(|_| strange())?,
        };
        let answer = self.ask(request, None)?;
        kept(answer)
    }

    pub(crate) fn rename(
        &mut self,
        from: &KeyName,
        to: (&Scope, &KeyName),
        asking: &Context,
    ) -> Result<(), Trouble> {
        let request = Request::Rename {
            from: from.clone(),
            scope: to.0.clone(),
            to: to.1.clone(),
        };
        self.do_proven(&request, asking)
    }

    pub(crate) fn purge(&mut self, key: &KeyName, asking: &Context) -> Result<(), Trouble> {
        self.do_proven(&Request::Purge(key.clone()), asking)
    }

    /// Does what may need a proof of presence: asks, and where one is demanded brings it for exactly
    /// what was demanded then, however long the person took to type it.
    fn do_proven(&mut self, request: &Request, asking: &Context) -> Result<(), Trouble> {
        let Some(demanded) = self.demanded(request)? else {
            return Ok(());
        };
        let mut first = true;
        let with = |unlock: &Unlock| {
            // A wrong proof uses a demand up: another is asked for, and must be the same.
            if !std::mem::take(&mut first) && self.demanded(request)? != Some(demanded) {
                let failure = Failure::new(
                    "presence",
                    "what the proof is asked for has changed meanwhile; nothing was done",
                );
                return Err(Trouble::new(
                    failure.remedy("Look, and type the command again."),
                ));
            }
            let (proof, secret) = convert::proof_of(unlock).ok_or_else(strange)?;
            let proven = Request::Proven {
                digest: demanded,
                proof,
                request: Box::new(request.clone()),
            };
            self.do_with(proven, Some(secret))
        };
        asking.proven(Need::Presence, with).map_err(Trouble::new)
    }

    /// What a proof must be for; `None` when the request was carried out without one.
    fn demanded(&mut self, request: &Request) -> Result<Option<[u8; 32]>, Trouble> {
        match self.ask(request.clone(), None)? {
            Answer::Done => Ok(None),
            Answer::Presence { digest, .. } => Ok(Some(digest)),
            _ => Err(strange()),
        }
    }

    /// Says to be an agent from here on.
    pub(crate) fn identify(&mut self, token: &SecretBuf) -> Result<(), Trouble> {
        self.do_with(Request::Identify, Some(token))
    }

    pub(crate) fn tokens(&mut self) -> Result<Vec<TokenShown>, Trouble> {
        self.told_tokens(Request::Tokens)
    }

    pub(crate) fn revoke_tokens(&mut self, which: &str) -> Result<Vec<TokenShown>, Trouble> {
        self.told_tokens(Request::RevokeTokens(which.to_owned()))
    }

    fn told_tokens(&mut self, request: Request) -> Result<Vec<TokenShown>, Trouble> {
        match self.ask(request, None)? {
            Answer::Tokens(tokens) => Ok(tokens.into_iter().map(convert::token).collect()),
            _ => Err(strange()),
        }
    }

    pub(crate) fn remove(&mut self, key: &KeyName) -> Result<(), Trouble> {
        self.do_it(Request::Remove(key.clone()))
    }

    pub(crate) fn rollback(&mut self, key: &KeyName, version: Option<u32>) -> Result<u32, Trouble> {
        let request = Request::Rollback {
            key: key.clone(),
            version,
        };
        match self.ask(request, None)? {
            Answer::Shown(shown) => Ok(shown.listed.version),
            _ => Err(strange()),
        }
    }

    /// Has the daemon look through what comes on a socket, and goes on meanwhile.
    pub(crate) fn look(&mut self, mask: Mask, socket: OwnedFd) -> Result<(), Trouble> {
        let call = self.call(Request::Mask(mask));
        Ok(self.client.ask(&call, None, &[socket.as_fd()])?)
    }

    /// The account of what was looked through, once our side of the socket is ended.
    pub(crate) fn looked(&mut self) -> Result<Masked, Trouble> {
        match self.client.answer()?? {
            Answer::Masked(masked) => Ok(masked),
            _ => Err(strange()),
        }
    }

    /// Has the daemon run a command on our descriptors, and passes our signals on to it.
    pub(crate) fn run(&mut self, options: &RunOptions) -> Result<RunOutcome, Trouble> {
        let streams = steering::streams();
        let request = convert::run_of(options, streams.each_ref().map(Option::is_some))?;
        let call = self.call(Request::Run(Box::new(request)));
        match steering::carry(&mut self.client, &call, &streams)?? {
            Answer::Ran(report) => Ok(convert::outcome(*report)),
            _ => Err(strange()),
        }
    }
}

fn kept(answer: Answer) -> Result<Kept, Trouble> {
    match answer {
        Answer::Stored(stored) => Ok(convert::kept(*stored)),
        _ => Err(strange()),
    }
}

/// An answer to another question.
fn strange() -> Trouble {
    WireError::Garbled {
        what: "it answers something else",
    }
    .into()
}
