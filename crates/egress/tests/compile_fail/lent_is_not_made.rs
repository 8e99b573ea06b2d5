use subrosa_egress::{Lent, Sensitive};
fn peek(value: &Sensitive) {
    let known = loop {};
    Lent::new(&[("x", value)], known, None).iter().for_each(drop);
}
fn main() {}
