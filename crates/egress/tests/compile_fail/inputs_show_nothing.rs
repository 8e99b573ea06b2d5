use subrosa_egress::{Input, Sensitive};
fn show(value: &Sensitive) -> &[u8] {
    Input::Sensitive(value).bytes()
}
fn main() {}
