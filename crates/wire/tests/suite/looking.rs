//! Texts and places on their socket: whole, bounded, or not at all.

use std::io::ErrorKind;

use subrosa_wire::WireError;
use subrosa_wire::looking::{
    PIECE_MAX, Place, Places, receive_piece, receive_places, send_piece, send_places,
};

#[test]
fn pieces_arrive_as_they_were_sent() {
    let pieces: [&[u8]; 4] = [b"some text", b"", &[7; PIECE_MAX], b""];
    let mut sent = Vec::new();
    for piece in pieces {
        send_piece(&mut sent, piece).unwrap();
    }
    let mut from = &sent[..];
    let mut piece = Vec::new();
    for wanted in pieces {
        assert!(receive_piece(&mut from, &mut piece).unwrap());
        assert_eq!(piece, wanted);
    }
    assert!(!receive_piece(&mut from, &mut piece).unwrap());
    // Cut anywhere but between two it is an error, never a shorter text.
    for length in 1..13 {
        let cut = receive_piece(&mut &sent[..length], &mut piece);
        assert_eq!(
            cut.unwrap_err().kind(),
            ErrorKind::UnexpectedEof,
            "{length}"
        );
    }
    let long = u32::try_from(PIECE_MAX + 1).unwrap().to_le_bytes();
    let refused = receive_piece(&mut &long[..], &mut Vec::new());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidData);
}

#[test]
fn places_arrive_as_they_were_sent() {
    let places = Places {
        places: vec![Place {
            start: 3,
            end: u64::MAX,
            form: "exact".to_owned(),
            key: Some("api/key".to_owned()),
        }],
        more: 7,
    };
    let mut sent = Vec::new();
    send_places(&mut sent, &places).unwrap();
    assert_eq!(receive_places(&mut &sent[..]).unwrap(), places);
    for length in 0..sent.len() {
        let cut = receive_places(&mut &sent[..length]);
        assert!(matches!(cut, Err(WireError::Closed)), "{length} {cut:?}");
    }
    // A length that is only claimed, and what is none.
    let garbled = |bytes: &[u8]| {
        let refused = receive_places(&mut &bytes[..]);
        assert!(
            matches!(refused, Err(WireError::Garbled { .. })),
            "{refused:?}"
        );
    };
    garbled(&u32::MAX.to_le_bytes());
    garbled(&[1, 0, 0, 0, 0xff]);
    sent[0] += 1;
    sent.push(0);
    garbled(&sent);
}
