//! Every byte, in order, and nothing of the values.

use super::*;
use crate::Ending;

#[test]
fn both_streams_and_the_status() {
    let ran = run(&["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!(ran.output.text(), "out\n");
    assert_eq!(ran.error.text(), "err\n");
    assert_eq!(ran.report.ending, Ending::Exited(7));
    assert_eq!((ran.report.stdout_bytes, ran.report.stderr_bytes), (4, 4));
}
