//! Configurations of tool servers: all of it is what looks like a secret and what does not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_engine::import::mcp;
use subrosa_fuzz::items;

fuzz_target!(|data: &[u8]| {
    items(data, |data| mcp::items(data, true));
    items(data, |data| mcp::items(data, false));
    let (Ok(all), Ok(some)) = (mcp::items(data, true), mcp::items(data, false)) else {
        return;
    };
    assert_eq!(all.references, some.references);
    assert_eq!(
        all.entries.len() + all.plain.len(),
        some.entries.len() + some.plain.len()
    );
});
