use subrosa_egress::{Permit, kind};
fn forge() -> Permit<kind::Console> {
    Permit { kind: std::marker::PhantomData }
}
fn main() {}
