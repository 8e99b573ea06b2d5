//! Values that text is looked through for: they go into a filter, and nothing of them comes out.

use std::fmt;

use subrosa_redact::{Added, Known, KnownSet};

use crate::known::mask_name;
use crate::{Gate, Permit, ReleaseError, Released, Sensitive, kind, strength};

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

    /// As [`Search::add`] for whoever proves nothing: parts of the value that are found by trying are
    /// not searched for by themselves. `None` for a value that is found by trying as a whole: what
    /// the answer to a guess says would be worth as much as the value.
    ///
    /// # Errors
    /// [`ReleaseError::Labels`] when the permit does not cover it.
    pub fn add_strong(&mut self, value: &Sensitive) -> Result<Option<Added>, ReleaseError> {
        if value.labels().is_empty() || !value.labels().is_subset(&self.permit.labels) {
            return Err(ReleaseError::Labels);
        }
        if !strength::has_strong_part(value.bytes()) {
            return Ok(None);
        }
        let name = value.labels().first().map(mask_name);
        let tells = |part: &[u8]| !strength::is_guessable(part);
        let added = self
            .known
            .add_forced_if(name.as_deref(), value.bytes(), tells);
        Ok(Some(added))
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
