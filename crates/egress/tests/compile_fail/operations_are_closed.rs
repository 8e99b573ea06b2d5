use subrosa_crypto::SecretBuf;
use subrosa_egress::{Transform, feather::Fault};
struct Steal;
impl Transform<Fault, Vec<SecretBuf>> for Steal {
    fn run(&self, _: &[&[u8]], _: &mut Vec<SecretBuf>) -> Result<(), Fault> {
        Ok(())
    }
}
fn main() {}
