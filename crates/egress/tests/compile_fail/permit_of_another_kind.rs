use subrosa_egress::{Gate, Lent, Permit, Sensitive, Sink, SinkError, kind};
use subrosa_model::Destination;
struct Console;
impl Sink for Console {
    type Kind = kind::Console;
    fn destination(&self) -> Destination {
        Destination::Console
    }
    fn accept(&mut self, _: Lent<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}
fn wrong(gate: &Gate, permit: Permit<kind::File>, value: &Sensitive) {
    let _ = gate.release(permit, &[("value", value)], &mut Console);
}
fn main() {}
