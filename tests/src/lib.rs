//! What the black-box tests share: the program, a place of its own for each test, and searching
//! for values in every spelling.
//!
//! The program is the one that was built beside the test; when that is missing or older than its
//! sources, it is built first, so that a single test can be run on a fresh clone.
#![forbid(unsafe_code)]

mod memory;
mod place;
mod program;
mod served;
mod spelling;

pub use memory::{Mapping, copies, memory};
pub use place::{Done, PASSPHRASE, Place, copy_folder, files_below};
pub use program::{program, target};
pub use served::{Served, below, descriptors, family, figure, runs, send};
pub use spelling::{Needles, positions};

/// Prints the verdict that the red-team table reads.
pub fn held(row: u32, why: &str) {
    println!("REDTEAM row={row:02} verdict=held why={why}");
}

/// Prints that a row could not be shown on this machine.
pub fn skipped(row: u32, why: &str) {
    println!("REDTEAM row={row:02} verdict=skipped why={why}");
}

/// Whether this process is root.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Waits until `done` holds, looking every few milliseconds; a minute at most.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(
            start.elapsed().as_secs() < 60,
            "a minute went by without {what}"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
