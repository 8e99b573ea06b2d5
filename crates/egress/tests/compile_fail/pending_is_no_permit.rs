use subrosa_egress::{Facts, Gate, Permit, kind};
use subrosa_model::UseRequest;
fn impatient(gate: &Gate, request: UseRequest) -> Permit<kind::Console> {
    gate.authorize::<kind::Console>(request, Facts::default())
}
fn main() {}
