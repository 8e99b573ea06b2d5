//! Streams: the same findings however they were cut, and a true `hold`.

use proptest::prelude::*;
use subrosa_redact::shapes::{ShapeFinding, Shapes};

use crate::samples::lines;

fn whole(text: &[u8]) -> Vec<ShapeFinding> {
    let mut found = Vec::new();
    Shapes::builtin().find(text, 0, &mut found);
    found
}

/// Pushes `text` in pieces that end at `cuts`, and checks what `hold` promised.
fn cut(text: &[u8], cuts: &[usize]) -> Vec<ShapeFinding> {
    let mut stream = Shapes::builtin().stream();
    let mut found = Vec::new();
    let (mut at, mut held) = (0, 0);
    for end in cuts.iter().copied().chain([text.len()]) {
        let (end, seen) = (end.clamp(at, text.len()), found.len());
        stream.push(&text[at..end], &mut found);
        for finding in &found[seen..] {
            assert!(
                finding.start >= held,
                "{finding:?} was not held from {held}"
            );
            assert!(finding.end <= end as u64, "{finding:?} lies ahead of {end}");
        }
        assert!(stream.hold() >= held, "the hold goes back");
        assert!(stream.hold() <= end as u64);
        held = stream.hold();
        at = end;
    }
    let seen = found.len();
    stream.finish(&mut found);
    assert!(found[seen..].iter().all(|finding| finding.start >= held));
    assert!(
        found.is_sorted_by(|a, b| a.end <= b.start),
        "findings are in order and apart"
    );
    found
}

/// A line or a piece of noise.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let samples = lines();
    prop_oneof![
        6 => proptest::sample::select(samples).prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => Just(b"-----BEGIN RSA PRIVATE KEY-----".to_vec()),
        1 => Just(b"-----END RSA PRIVATE KEY-----".to_vec()),
        1 => (40_000usize..140_000).prop_map(|length| b"ab=, ".repeat(length / 5)),
        1 => (1usize..3000).prop_map(|length| vec![b' '; length]),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![4 => Just(&b"\n"[..]), 1 => Just(&b"\r\n"[..]), 2 => Just(&b" "[..])];
    proptest::collection::vec((piece(), end), 0..12).prop_map(|pieces| {
        pieces
            .iter()
            .flat_map(|(piece, end)| [piece, *end].concat())
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn findings_do_not_depend_on_cuts(
        text in text(),
        places in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let mut cuts: Vec<_> = places.iter().map(|place| place.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(cut(&text, &cuts), whole(&text));
    }

    #[test]
    fn small_pieces_find_the_same(text in text(), size in 1usize..400) {
        let text = &text[..text.len().min(200_000)];
        let cuts: Vec<_> = (0..text.len()).step_by(size).collect();
        prop_assert_eq!(cut(text, &cuts), whole(text));
    }
}

#[test]
fn all_samples_in_one_stream_byte_by_byte() {
    let text = lines().join("\n").into_bytes();
    let expected = whole(&text);
    assert!(expected.len() > Shapes::builtin().rules().len() * 3);
    let cuts: Vec<_> = (0..text.len()).collect();
    assert_eq!(cut(&text, &cuts), expected);
}

/// A secret anywhere in a line of several windows is found, once.
#[test]
fn a_secret_in_a_long_line_is_found_once() {
    let secret = b" AKIA2B4KHQ7ZTN3XW5RM ";
    for at in (0..200_000)
        .step_by(1021)
        .chain(16_300..16_420)
        .chain(49_100..49_200)
    {
        let mut line = vec![b'.'; 200_000];
        line.splice(at..at, *secret);
        let found = whole(&line);
        assert_eq!(found.len(), 1, "at {at}");
        assert_eq!(found[0].start, at as u64 + 1);
    }
}
