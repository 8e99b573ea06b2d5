//! config.toml: parsing never fails by panic, and an unknown key is never passed over.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use subrosa_engine::Config;

fuzz_target!(|data: &[u8]| {
    if Config::parse(Path::new("config.toml"), data).is_err() {
        return;
    }
    let with_more = [b"unknown_key = 1\n", data].concat();
    assert!(Config::parse(Path::new("config.toml"), &with_more).is_err());
});
