use subrosa_egress::{Input, Labels, Sensitive};
fn steal(value: &Sensitive) {
    let mut seen = Vec::new();
    let take = |bytes: &[u8]| seen.extend_from_slice(bytes);
    let _ = Sensitive::derive_from(&take, &[Input::Sensitive(value)], &Labels::new());
}
fn main() {}
