//! Proofs: a permit that a decision was made and recorded, a receipt that a value moved.

use std::fmt;
use std::marker::PhantomData;

use subrosa_model::{
    Caller, Completion, Destination, Event, EventBody, Inject, Outcome, ProcessLimits, RequestId,
};

use crate::{Gate, Kind, Labels};

/// Leave to release the named entries once, through one kind of sink, to one destination.
///
/// There is no public constructor; it is moved into [`Gate::release`] and gone.
#[must_use = "a permit that is not released lets nothing out"]
pub struct Permit<K: Kind> {
    pub(crate) request: RequestId,
    pub(crate) caller: Caller,
    pub(crate) labels: Labels,
    pub(crate) destination: Destination,
    pub(crate) inject: Inject,
    pub(crate) limits: ProcessLimits,
    pub(crate) kind: PhantomData<K>,
}

impl<K: Kind> Permit<K> {
    /// The request that it answers.
    #[must_use]
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// The one destination.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// How values may reach a child process.
    #[must_use]
    pub fn inject(&self) -> Inject {
        self.inject
    }

    /// Bounds that the rule sets on a child process.
    #[must_use]
    pub fn limits(&self) -> ProcessLimits {
        self.limits
    }
}

impl<K: Kind> fmt::Debug for Permit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Permit<{}>({} to {})",
            K::SINK,
            self.request,
            self.destination
        )
    }
}

/// Receipt that values moved. Dropping it leaves the log without a completion record, which
/// reads as "outcome unknown".
#[must_use = "complete it, or the log says that the outcome is unknown"]
pub struct Released {
    request: RequestId,
    caller: Caller,
}

impl Released {
    pub(crate) fn new(request: RequestId, caller: Caller) -> Self {
        Self { request, caller }
    }

    /// The request whose values moved.
    #[must_use]
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// Writes the completion record, grouped with others and not awaited.
    ///
    /// `redactions` counts what was masked in what came back.
    pub fn complete(self, gate: &Gate, outcome: Outcome, redactions: u64) {
        let completion = Completion {
            request: self.request,
            outcome,
            redactions,
        };
        gate.record_later(Event {
            time: gate.now(),
            caller: self.caller,
            body: EventBody::Completion(completion),
        });
    }
}

impl fmt::Debug for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Released({})", self.request)
    }
}
