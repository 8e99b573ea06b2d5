use subrosa_egress::Sensitive;
fn show(value: &Sensitive) -> String {
    format!("{value}")
}
fn main() {}
