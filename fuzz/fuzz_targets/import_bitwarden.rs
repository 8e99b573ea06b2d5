//! Bitwarden: keys of items are valid and differ, the same file gives the same, and no error tells a value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_engine::import::bitwarden;
use subrosa_fuzz::items;

fuzz_target!(|data: &[u8]| {
    items(data, bitwarden::items);
});
