use subrosa_egress::Sensitive;
fn copy(value: &Sensitive) -> Sensitive {
    Sensitive::clone(value)
}
fn main() {}
