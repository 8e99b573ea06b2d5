//! Entries of a password store: any bytes are one, and what a field holds stands in them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_crypto::SecretBuf;
use subrosa_engine::import::entry::Found;
use subrosa_engine::import::{outline, pass};

fuzz_target!(|data: &[u8]| {
    let content = SecretBuf::copy_from(data).expect("a fuzz input fits into locked memory");
    let entry = pass::entry("web/site", &content).expect("any bytes are an entry");
    for field in &entry.fields {
        let value = field.value.as_slice();
        assert!(!value.is_empty());
        // Notes are put together of several lines; all else is a part of what is there.
        let parts = value.split(|byte| *byte == b'\n' && field.kind == "note");
        for part in parts.filter(|part| !part.is_empty()) {
            assert!(data.windows(part.len()).any(|window| window == part));
        }
    }
    let secret = entry.fields.iter().any(|field| field.sensitive);
    let many = entry.fields.len() > 100;
    let found = Found {
        entries: vec![entry],
        ..Found::default()
    };
    match outline("fuzz", found) {
        Ok(names) => assert_eq!(names.len(), usize::from(secret)),
        Err(_) => assert!(many),
    }
});
