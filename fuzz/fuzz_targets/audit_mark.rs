//! The anchor's mark: what is read is written as the same bytes.
//!
//! The checksum is mended first, or nearly every input would stop there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_audit::{MARK_LEN, Mark};
use subrosa_crypto::{Aad, sha256};

fuzz_target!(|data: &[u8]| {
    if let Some(mark) = Mark::from_bytes(data) {
        assert_eq!(mark.to_bytes().as_slice(), data);
    }
    let mut mended = data.to_vec();
    mended.resize(MARK_LEN - 8, 0);
    let sum = sha256(&Aad::new("subrosa/audit/mark/sum/v1").bytes(&mended));
    mended.extend_from_slice(&sum[..8]);
    match Mark::from_bytes(&mended) {
        Some(mark) => assert_eq!(mark.to_bytes().as_slice(), mended),
        None => assert_ne!(mended[0], 1, "a mark of the known format is refused"),
    }
});
