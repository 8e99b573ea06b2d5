use subrosa_egress::{Lent, Sink, SinkError, kind};
use subrosa_model::Destination;
struct Keeper<'a> {
    kept: Vec<&'a [u8]>,
}
impl<'a> Sink for Keeper<'a> {
    type Kind = kind::Console;
    fn destination(&self) -> Destination {
        Destination::Console
    }
    fn accept(&mut self, lent: Lent<'_>) -> Result<(), SinkError> {
        self.kept.extend(lent.iter().map(|(_, value)| value));
        Ok(())
    }
}
fn main() {}
