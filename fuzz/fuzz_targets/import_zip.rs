//! Archives: a member is exactly as long as the directory says or refused, and every name that is
//! listed once can be asked for.

#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use subrosa_engine::import::zip::{Archive, is_archive};

fuzz_target!(|data: &[u8]| {
    let _ = is_archive(data);
    let Ok(mut archive) = Archive::open(Cursor::new(data)) else {
        return;
    };
    let names: Vec<String> = archive.names().map(str::to_owned).collect();
    // A record of the directory has 46 bytes at least: no more members than fit.
    assert!(names.len() * 46 <= data.len());
    for name in names.iter().take(4) {
        let once = names.iter().filter(|other| *other == name).count() == 1;
        match archive.read(name) {
            Ok(content) => {
                assert!(once, "a name that is there twice is refused");
                let content = content.expect("it is listed");
                // Deflate packs at most 1032 to 1.
                assert!(content.len() <= data.len() * 1032);
            }
            Err(wrong) => drop(format!("{wrong:?}")),
        }
    }
    assert!(matches!(archive.read("no such member, ever"), Ok(None)) || names.len() == 1);
});
