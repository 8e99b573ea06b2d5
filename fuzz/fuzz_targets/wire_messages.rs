//! Requests and replies: what is read can be written, and is the same when it is read again.
//!
//! Input: a byte that says which, then the message.

#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use subrosa_wire::{Call, Reply, decode, encode};

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((0, message)) => same_again::<Call>(message),
        Some((1, message)) => same_again::<Reply>(message),
        _ => {}
    }
});

fn same_again<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(message) = decode::<T>(bytes) {
        let written = encode(&message).expect("it was read");
        assert_eq!(decode::<T>(&written).expect("just written"), message);
    }
}
