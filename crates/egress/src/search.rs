//! Values that text is looked through for: they go into a filter, and nothing of them comes out.

use std::fmt;

use subrosa_redact::{Added, Known, KnownSet};

use crate::known::mask_name;
use crate::{Gate, Permit, ReleaseError, Released, Sensitive, kind};

/// A filter that is being made. Unlike what is released, its values are not learned: no output of
/// anything else is masked by them afterwards.
#[must_use = "a search that is not finished leaves the log without a completion record"]
pub struct Search {
    permit: Permit<kind::Filter>,
    known: Known,
}

impl Gate {
    /// Begins a filter with all that was released here before.
    ///
    /// What it finds says where a value stands, and to whoever chooses the text whether a guess is
    /// right: no permit for one is ever given to an agent.
    pub fn search(&self, permit: Permit<kind::Filter>) -> Search {
        Search {
            permit,
            known: self.released_values(),
        }
    }
}

impl Search {
    /// Adds a value; `forced` searches for one that is too short or too common in its exact form.
    ///
    /// # Errors
    /// [`ReleaseError::Labels`] when the permit does not cover it.
    pub fn add(&mut self, value: &Sensitive, forced: bool) -> Result<Added, ReleaseError> {
        if value.labels().is_empty() || !value.labels().is_subset(&self.permit.labels) {
            return Err(ReleaseError::Labels);
        }
        let name = value.labels().first().map(mask_name);
        let add = match forced {
            true => Known::add_forced,
            false => Known::add,
        };
        Ok(add(&mut self.known, name.as_deref(), value.bytes()))
    }

    /// Leaves out the folded view, in which values with something inside them are found.
    pub fn without_fold(mut self) -> Self {
        self.known = self.known.without_fold();
        self
    }

    /// Compiles the filter. Its use is over with the completion record.
    pub fn finish(self) -> (KnownSet, Released) {
        let released = Released::new(self.permit.request, self.permit.caller);
        (self.known.build(), released)
    }
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Search({} values)", self.known.len())
    }
}
