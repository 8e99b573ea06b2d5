use subrosa_egress::Sensitive;
fn same(one: &Sensitive, other: &Sensitive) -> bool {
    one == other
}
fn main() {}
