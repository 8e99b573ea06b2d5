//! Attempts noted before a key is known: whatever the file holds, every line of it is counted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_audit::Attempt;
use subrosa_store::prelog::PrelogEntries;

fuzz_target!(|data: &[u8]| {
    let found = PrelogEntries::parse(data);
    let lines = data.split_inclusive(|byte| *byte == b'\n').count();
    assert!(found.entries.len() + usize::try_from(found.unreadable).unwrap_or(0) <= lines);
    for entry in &found.entries {
        if let Some(attempt) = Attempt::decode(entry) {
            let again = Attempt::decode(&attempt.encode()).expect("its own writing is read");
            assert_eq!(again.time, attempt.time);
        }
    }
});
