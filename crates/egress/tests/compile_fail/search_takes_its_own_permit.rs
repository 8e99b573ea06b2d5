use subrosa_egress::{Gate, Permit, Search, kind};
fn wrong(gate: &Gate, permit: Permit<kind::Client>) -> Search {
    gate.search(permit)
}
fn main() {}
