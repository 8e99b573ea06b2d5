use subrosa_egress::Sensitive;
fn bytes(value: &Sensitive) -> &[u8] {
    &**value
}
fn main() {}
