//! The vault, wherever it is open: in this process, or in the daemon.

use subrosa_crypto::SecretBuf;
use subrosa_egress::{Recipe, Sensitive};
use subrosa_engine::{
    Console, Field, Kept, ListFilter, Listed, Mode, NewValue, Past, Patch, RunOptions, RunOutcome,
    Session, Shown, TokenShown,
};
use subrosa_model::{FieldName, KeyName, Scope};

use crate::context::Context;
use crate::remote::Remote;
use crate::trouble::Trouble;

/// An open vault.
pub(crate) enum Access {
    /// In this process.
    Own(Box<Session>),
    /// In the daemon.
    Daemon(Remote),
}

/// A value for a field, on its way into the vault.
pub(crate) struct Value {
    pub(crate) field: FieldName,
    pub(crate) bytes: SecretBuf,
    pub(crate) about: Option<Field>,
}

impl Access {
    pub(crate) fn own(session: Session) -> Self {
        Self::Own(Box::new(session))
    }

    pub(crate) fn list(&mut self, filter: &ListFilter) -> Result<Vec<Listed>, Trouble> {
        match self {
            Self::Own(session) => Ok(session.list(filter)?),
            Self::Daemon(remote) => remote.list(filter),
        }
    }

    pub(crate) fn show(&mut self, key: &KeyName) -> Result<Shown, Trouble> {
        match self {
            Self::Own(session) => Ok(session.show(key)?),
            Self::Daemon(remote) => remote.show(key),
        }
    }

    pub(crate) fn history(&mut self, key: &KeyName) -> Result<Vec<Past>, Trouble> {
        match self {
            Self::Own(session) => Ok(session.history(key)?),
            Self::Daemon(remote) => remote.history(key),
        }
    }

    /// Stores a change; `patch` has no values of its own.
    pub(crate) fn set(
        &mut self,
        key: &KeyName,
        mut patch: Patch,
        value: Option<Value>,
        mode: Mode,
    ) -> Result<Kept, Trouble> {
        match self {
            Self::Own(session) => {
                patch.values.extend(value.map(|value| NewValue {
                    field: value.field,
                    value: Sensitive::input(value.bytes),
                    about: value.about,
                }));
                Ok(session.keep(key, &patch, mode)?)
            }
            Self::Daemon(remote) => remote.set(key, &patch, value, mode),
        }
    }

    /// Draws a random value where the vault is open, and stores it.
    pub(crate) fn generate(
        &mut self,
        (key, field): (&KeyName, &FieldName),
        recipe: Recipe,
        length: usize,
    ) -> Result<Kept, Trouble> {
        match self {
            Self::Own(session) => Ok(session.generate((key, field), recipe, length)?),
            Self::Daemon(remote) => remote.generate((key, field), recipe, length),
        }
    }

    /// Moves a secret, with a proof that a person is there where the policy allows more at its new
    /// place.
    pub(crate) fn rename(
        &mut self,
        from: &KeyName,
        to: (&Scope, &KeyName),
        asking: &Context,
    ) -> Result<(), Trouble> {
        match self {
            Self::Own(session) => Ok(session.rename(from, to).map(drop)?),
            Self::Daemon(remote) => remote.rename(from, to, asking),
        }
    }

    pub(crate) fn remove(&mut self, key: &KeyName) -> Result<(), Trouble> {
        match self {
            Self::Own(session) => Ok(session.remove(key)?),
            Self::Daemon(remote) => remote.remove(key),
        }
    }

    /// Removes a secret for good, with a proof that a person is there.
    pub(crate) fn purge(&mut self, key: &KeyName, asking: &Context) -> Result<(), Trouble> {
        match self {
            Self::Own(session) => Ok(session.purge(key)?),
            Self::Daemon(remote) => remote.purge(key, asking),
        }
    }

    pub(crate) fn tokens(&mut self) -> Result<Vec<TokenShown>, Trouble> {
        match self {
            Self::Own(session) => Ok(session.tokens()?),
            Self::Daemon(remote) => remote.tokens(),
        }
    }

    pub(crate) fn revoke_tokens(&mut self, which: &str) -> Result<Vec<TokenShown>, Trouble> {
        match self {
            Self::Own(session) => Ok(session.revoke_tokens(which)?),
            Self::Daemon(remote) => remote.revoke_tokens(which),
        }
    }

    /// Makes an earlier version current; returns the number of the new one.
    pub(crate) fn rollback(&mut self, key: &KeyName, version: Option<u32>) -> Result<u32, Trouble> {
        match self {
            Self::Own(session) => Ok(session.rollback(key, version)?.listed.version),
            Self::Daemon(remote) => remote.rollback(key, version),
        }
    }

    pub(crate) fn run(&mut self, options: RunOptions) -> Result<RunOutcome, Trouble> {
        match self {
            Self::Own(session) => {
                let console = Console::system().map_err(subrosa_engine::EngineError::from)?;
                Ok(session.run(options, console)?)
            }
            Self::Daemon(remote) => remote.run(&options),
        }
    }

    /// Waits until every record is durable; the daemon sees to that itself.
    pub(crate) fn close(self) -> Result<(), Trouble> {
        match self {
            Self::Own(session) => Ok(session.close()?),
            Self::Daemon(_) => Ok(()),
        }
    }
}
