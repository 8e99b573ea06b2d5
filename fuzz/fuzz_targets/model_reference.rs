//! References to secrets: what parses prints as the same text, and names stay within limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_model::{Reference, limits};

fuzz_target!(|text: &str| {
    let Ok(reference) = text.parse::<Reference>() else {
        return;
    };
    let printed = reference.to_string();
    assert_eq!(printed.parse::<Reference>().as_ref(), Ok(&reference));
    assert!(printed.len() <= limits::REFERENCE_MAX);
    for candidate in reference.candidates() {
        assert!(candidate.key.as_str().len() <= limits::KEY_MAX);
    }
});
