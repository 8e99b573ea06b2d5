#![deny(unused_must_use)]
use subrosa_egress::{Facts, Gate, kind};
use subrosa_model::UseRequest;
fn careless(gate: &Gate, request: UseRequest) {
    gate.authorize::<kind::Console>(request, Facts::default());
}
fn main() {}
