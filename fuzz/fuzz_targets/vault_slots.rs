//! The header and the slots, which are read before any key is known.
//!
//! Input: a header, then slots, each with its length in two bytes before it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_fuzz::Memory;
use subrosa_model::limits::SLOTS_MAX;
use subrosa_vault::Vault;
use subrosa_vault::port::Collection;

fuzz_target!(|data: &[u8]| {
    let mut store = Memory::default();
    let mut bodies = 0_u8;
    let mut rest = data;
    while let Some((length, after)) = rest.split_first_chunk() {
        let (body, after) =
            after.split_at(after.len().min(usize::from(u16::from_le_bytes(*length))));
        match bodies {
            0 => store.put(Collection::Header, [0; 16], body),
            _ => store.put(Collection::Slot, [bodies; 16], body),
        }
        rest = after;
        bodies = match bodies.checked_add(1) {
            Some(more) => more,
            None => break,
        };
    }
    if let Ok((_, slots)) = Vault::peek(&mut store) {
        assert_eq!(
            slots.len(),
            usize::from(bodies) - 1,
            "a slot was passed over"
        );
        assert!(slots.len() <= SLOTS_MAX);
    }
});
