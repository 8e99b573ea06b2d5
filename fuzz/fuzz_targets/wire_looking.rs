//! Texts that are looked through, and the answers: what is read is written as the same bytes, and
//! nothing that is only claimed is allocated.
//!
//! Input: a byte that says who reads, then what comes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_wire::looking::{PIECE_MAX, receive_piece, receive_places, send_piece, send_places};

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((0, came)) => pieces(came),
        Some((1, came)) => places(came),
        _ => {}
    }
});

fn pieces(came: &[u8]) {
    let mut from = came;
    let mut again = Vec::new();
    let mut piece = Vec::new();
    let mut passed = 0;
    while let Ok(true) = receive_piece(&mut from, &mut piece) {
        assert!(piece.len() <= PIECE_MAX);
        send_piece(&mut again, &piece).expect("memory");
        passed = came.len() - from.len();
    }
    assert_eq!(again, came[..passed]);
}

fn places(came: &[u8]) {
    let mut from = came;
    while let Ok(places) = receive_places(&mut from) {
        let mut again = Vec::new();
        send_places(&mut again, &places).expect("memory");
        let read = receive_places(&mut &again[..]).expect("just written");
        assert_eq!(read, places);
    }
}
