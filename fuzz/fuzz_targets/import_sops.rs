//! What sops gives: every leaf is an item, and keys are valid and differ.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_engine::import::sops;
use subrosa_fuzz::items;

fuzz_target!(|data: &[u8]| {
    items(data, sops::items);
});
