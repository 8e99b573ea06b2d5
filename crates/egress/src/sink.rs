//! Where a value is handed over.

use std::collections::HashSet;
use std::fmt;

use subrosa_model::{Destination, SecretId};
use subrosa_redact::KnownSet;

use crate::known::Learned;
use crate::{Kind, Sensitive, SinkError};

/// One way out. Implementations are listed in ARCHITECTURE.md; the tidy check rejects others.
pub trait Sink {
    /// The kind of permit that opens it.
    type Kind: Kind;

    /// Where the values will go; a release demands that the permit says the same.
    fn destination(&self) -> Destination;

    /// Takes the values, once. Whatever it starts must have its output pass through
    /// [`Lent::known`].
    ///
    /// # Errors
    /// [`SinkError`], whose text never holds a value; nothing must have moved then.
    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError>;
}

/// Values on loan for one call of [`Sink::accept`].
pub struct Lent<'a> {
    values: &'a [(&'a str, &'a Sensitive)],
    learned: &'a Learned,
    named: Option<&'a HashSet<SecretId>>,
}

impl<'a> Lent<'a> {
    pub(crate) fn new(
        values: &'a [(&'a str, &'a Sensitive)],
        learned: &'a Learned,
        named: Option<&'a HashSet<SecretId>>,
    ) -> Self {
        Self {
            values,
            learned,
            named,
        }
    }

    /// The values, each with the slot that it is for: a variable's name, a file's name, or
    /// whatever the sink's documentation says.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.values
            .iter()
            .map(|(slot, value)| (*slot, value.bytes()))
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// What to mask in whatever comes back: these values and all that were released before.
    /// Compiled when it is asked for, since a sink that nothing comes back from never asks.
    #[must_use]
    pub fn known(&self) -> KnownSet {
        self.learned.known(self.named)
    }
}

impl fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lent({} values)", self.values.len())
    }
}
