use subrosa_egress::{Input, Labels, Sensitive, feather::Split};
fn count(value: &Sensitive) {
    let _ = Sensitive::derive_all(&Split, &[Input::Sensitive(value)], &Labels::new());
}
fn main() {}
