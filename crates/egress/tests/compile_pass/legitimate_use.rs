//! The same words as in the failing cases, in the order that is allowed.
use subrosa_egress::{Facts, Gate, Lent, ReleaseError, Sensitive, Sink, SinkError, kind};
use subrosa_model::{Destination, Outcome, UseRequest};

struct Console;

impl Sink for Console {
    type Kind = kind::Console;
    fn destination(&self) -> Destination {
        Destination::Console
    }
    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        lent.iter().for_each(|(_, value)| drop(value.len()));
        Ok(())
    }
}

#[allow(dead_code)]
fn use_once(gate: &Gate, request: UseRequest, value: &Sensitive) -> Result<(), ReleaseError> {
    let Ok(permit) = gate.authorize::<kind::Console>(request, Facts::default()).wait() else {
        return Ok(());
    };
    let released = gate.release(permit, &[("value", value)], &mut Console)?;
    released.complete(gate, Outcome::Delivered, 0);
    Ok(())
}

fn main() {}
