use subrosa_egress::{Permit, kind};
fn copy(permit: &Permit<kind::Console>) -> Permit<kind::Console> {
    permit.clone()
}
fn main() {}
