use subrosa_egress::Kind;
use subrosa_model::SinkKind;
struct Mine;
impl Kind for Mine {
    const SINK: SinkKind = SinkKind::Console;
}
fn main() {}
