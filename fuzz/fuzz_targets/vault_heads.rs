//! What stands behind the seals of heads and states: both readers of a head agree, and what was read
//! is written and read again as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_vault::plaintext;

fuzz_target!(|data: &[u8]| {
    let _ = plaintext::states(data);
    let head = plaintext::head(data);
    if let Some(head) = &head {
        let written = plaintext::of_head(head);
        assert_eq!(plaintext::head(&written).as_ref(), Some(head));
        assert_eq!(plaintext::brief(&written), Some(head.brief()));
        assert!(plaintext::brief(data).is_some());
    }
});
