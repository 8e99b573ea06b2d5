//! However the bytes are cut, the frame is the same; and one that is cut short is none.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use subrosa_wire::WireError;

use crate::support::{BOUNDS, Content, delivered, open};

fn examples() -> Vec<Content> {
    vec![
        Content::new(b"", None, 0),
        Content::new(b"a message", None, 0),
        Content::new(b"", Some(b"a value"), 0),
        Content::new(b"a message", Some(b""), 2),
        Content::new(b"a message", Some(b"a value"), 4),
    ]
}

#[test]
fn one_byte_after_the_other() {
    for content in examples() {
        let bytes = content.bytes();
        let pieces: Vec<&[u8]> = bytes.chunks(1).collect();
        let frame = delivered(&pieces, content.descriptors, &BOUNDS);
        assert_eq!(Content::of(&frame.unwrap().unwrap()), content);
    }
}

#[test]
fn cut_in_any_place() {
    for content in examples() {
        let bytes = content.bytes();
        for at in 0..=bytes.len() {
            let (first, rest) = bytes.split_at(at);
            let frame = delivered(&[first, rest], content.descriptors, &BOUNDS);
            assert_eq!(Content::of(&frame.unwrap().unwrap()), content, "at {at}");
        }
    }
}

#[test]
fn truncated_at_any_byte_is_closed_and_leaves_nothing_open() {
    let before = open();
    for content in examples() {
        let bytes = content.bytes();
        for at in 1..bytes.len() {
            let outcome = delivered(&[&bytes[..at]], content.descriptors, &BOUNDS);
            assert!(
                matches!(outcome, Err(WireError::Closed)),
                "{at}: {outcome:?}"
            );
        }
        let outcome = delivered(&[], 0, &BOUNDS);
        assert!(matches!(outcome, Ok(None)), "{outcome:?}");
    }
    crate::refusals::settles(before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_frame_in_any_pieces(
        body in vec(any::<u8>(), 0..300),
        secret in option::of(vec(any::<u8>(), 0..200)),
        descriptors in 0usize..=4,
        sizes in vec(1usize..40, 1..8),
    ) {
        let content = Content::new(&body, secret.as_deref(), descriptors);
        let bytes = content.bytes();
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, later) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = later;
        }
        let frame = delivered(&pieces, descriptors, &BOUNDS).unwrap().unwrap();
        prop_assert_eq!(Content::of(&frame), content);
    }

    /// Whatever comes, it is a frame within the bounds or an error, and a frame takes from the
    /// stream exactly what its header says.
    #[test]
    fn whatever_comes(
        mut bytes in vec(any::<u8>(), 0..64),
        small in any::<bool>(),
    ) {
        if small && bytes.len() >= 12 {
            bytes[0] %= 40;
            bytes[1..4].fill(0);
            bytes[4] %= 20;
            bytes[5..8].fill(0);
            bytes[8] = 0;
            bytes[9] %= 3;
            bytes[10] %= 2;
            bytes[11] %= 2;
        }
        match delivered(&[&bytes], 0, &BOUNDS) {
            Ok(None) => prop_assert!(bytes.is_empty()),
            Ok(Some(frame)) => {
                let content = Content::of(&frame);
                prop_assert!(bytes.starts_with(&content.bytes()));
            }
            Err(_) => {}
        }
    }
}
