//! The file that remembers a folder's root: one text for one record, so what is read is written as
//! the same bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_store::pins::PinRecord;

fuzz_target!(|data: &[u8]| {
    if let Ok((folder, record)) = PinRecord::parse(data) {
        assert_eq!(record.to_text(&folder).as_bytes(), data);
    }
});
