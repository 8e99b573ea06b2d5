//! What audit rows hold: decoding never panics, and what decodes is written as the same thing.
//!
//! Input: a byte for the kind, the payload.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_audit::{Body, RowKind};

fuzz_target!(|data: &[u8]| {
    let Some((kind, payload)) = data.split_first() else {
        return;
    };
    let Some(kind) = RowKind::from_number(kind % 8) else {
        return;
    };
    let Ok(body) = Body::decode(kind, payload) else {
        return;
    };
    let written = match &body {
        Body::Event(event) => serde_json::to_vec(event),
        Body::Checkpoint(checkpoint) => serde_json::to_vec(checkpoint),
        Body::Prune(marker) => serde_json::to_vec(marker),
        Body::Loss(loss) => serde_json::to_vec(loss),
        other => panic!("a payload decoded to {other:?}"),
    };
    let written = written.expect("what was read can be written");
    assert_eq!(Body::decode(kind, &written), Ok(body));
});
