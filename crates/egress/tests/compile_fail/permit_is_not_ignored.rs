#![deny(unused_must_use)]
use subrosa_egress::{Permit, kind};
fn permit() -> Permit<kind::Console> {
    loop {}
}
fn careless() {
    permit();
}
fn main() {}
