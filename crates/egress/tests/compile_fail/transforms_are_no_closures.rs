use subrosa_egress::Sensitive;
fn steal(value: &Sensitive) {
    let mut seen = Vec::new();
    let _ = Sensitive::derive(&|bytes: &[u8]| seen.extend_from_slice(bytes), &[value]);
}
fn main() {}
