use subrosa_egress::Sensitive;
fn text(value: &Sensitive) -> String {
    value.to_string()
}
fn main() {}
