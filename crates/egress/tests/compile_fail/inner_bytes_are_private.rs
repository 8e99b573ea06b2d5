use subrosa_egress::Sensitive;
fn field(value: Sensitive) -> usize {
    value.value.len()
}
fn method(value: &Sensitive) -> &[u8] {
    value.bytes()
}
fn main() {}
