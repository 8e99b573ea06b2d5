//! Bodies whose codings are known.

use subrosa_redact::{BodyError, Codings, Unpacker, scrub_body};

use crate::packed::{VALUE, body, brotli, gzip, masked, set, zlib, zstd};

const LIMIT: u64 = 1 << 20;

fn codings(value: &str) -> Codings {
    Codings::parse(value).expect("known codings")
}

/// All that a body says.
fn unpacked(value: &str, body: &[u8], step: usize) -> Result<Vec<u8>, BodyError> {
    let mut text = Vec::new();
    let mut unpacker = Unpacker::new(&codings(value), LIMIT);
    for piece in body.chunks(step) {
        unpacker.push(piece, &mut |piece| {
            assert!(piece.len() <= 64 * 1024);
            text.extend_from_slice(piece);
        })?;
    }
    unpacker.finish(&mut |piece| text.extend_from_slice(piece))?;
    Ok(text)
}

fn all(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let raw = zlib(text);
    vec![
        ("gzip", gzip(text)),
        ("x-gzip", [gzip(&text[..9]), gzip(&text[9..])].concat()),
        ("deflate", zlib(text)),
        ("deflate", raw[2..raw.len() - 4].to_vec()),
        ("br", brotli(text)),
        ("zstd", zstd(text)),
        ("gzip, br", brotli(&gzip(text))),
        ("BR ,, zstd,identity", zstd(&brotli(text))),
        ("", text.to_vec()),
    ]
}

#[test]
fn a_body_is_scrubbed_in_its_codings() {
    let text = body(30, VALUE);
    for (value, packed) in all(&text) {
        let scrubbed = scrub_body(&set(), &codings(value), &packed, LIMIT).expect(value);
        assert_eq!(scrubbed.counts.of(Some("api/key")), 1);
        let again = scrubbed.body.expect("something was found");
        assert_eq!(unpacked(value, &again, 7).expect(value), masked(&text));
    }
    for (value, packed) in all(&body(30, b"nothing")) {
        let scrubbed = scrub_body(&set(), &codings(value), &packed, LIMIT).expect(value);
        assert!(scrubbed.body.is_none(), "{value}");
        assert_eq!(scrubbed.counts.total(), 0);
    }
}

#[test]
fn a_body_is_read_in_any_pieces() {
    let text = body(100, VALUE);
    for (value, packed) in all(&text) {
        for step in [1, 2, 5, 100, 100_000] {
            assert_eq!(unpacked(value, &packed, step).as_deref(), Ok(&text[..]));
        }
    }
    assert_eq!(unpacked("gzip", b"", 1), Ok(Vec::new()));
}

#[test]
fn what_is_not_whole_is_refused() {
    let text = body(30, VALUE);
    for (value, packed) in all(&text) {
        if value.is_empty() {
            continue;
        }
        for cut in 1..packed.len().min(40) {
            let part = &packed[..packed.len() - cut];
            // The first of two members is whole in itself.
            if part == gzip(&text[..9]) {
                continue;
            }
            assert_eq!(
                unpacked(value, part, 3),
                Err(BodyError::Damaged),
                "{value} {cut}"
            );
        }
        for more in [&b"x"[..], VALUE, b"\x1f\x8b", &[0; 9]] {
            let longer = [&packed[..], more].concat();
            assert_eq!(
                unpacked(value, &longer, 3),
                Err(BodyError::Damaged),
                "{value}"
            );
        }
        assert_eq!(
            unpacked(value, &text, 3),
            Err(BodyError::Damaged),
            "{value}"
        );
    }
}

#[test]
fn unknown_codings_are_refused() {
    for value in [
        "x-own",
        "gzip, x-own",
        "compress",
        "gzip;q=1",
        "br, br, br, br",
        "g zip",
    ] {
        assert_eq!(
            Codings::parse(value),
            Err(BodyError::UnknownCoding),
            "{value}"
        );
    }
    assert!(codings("identity, ").is_identity());
    assert!(!codings("zstd").is_identity());
}

#[test]
fn a_body_that_says_too_much_is_refused() {
    let text = vec![b'a'; 3 << 20];
    for (value, packed) in [
        ("gzip", gzip(&text)),
        ("deflate", zlib(&text)),
        ("zstd", zstd(&text)),
    ] {
        assert_eq!(
            unpacked(value, &packed, 100),
            Err(BodyError::TooLarge),
            "{value}"
        );
        let scrubbed = scrub_body(&set(), &codings(value), &packed, 8 << 20);
        assert_eq!(scrubbed.is_ok(), value != "zstd", "{value}");
    }
    // What is in it is packed once more, and says too much.
    let bomb = gzip(&gzip(&vec![b'a'; 60 << 20]));
    let refused = scrub_body(&set(), &codings("gzip"), &bomb, 1 << 30);
    assert_eq!(refused.err(), Some(BodyError::TooLarge));
}

#[test]
fn errors_say_what_to_look_at_and_nothing_of_the_body() {
    for error in [
        BodyError::UnknownCoding,
        BodyError::Damaged,
        BodyError::TooLarge,
    ] {
        let text = format!("{error} {error:?}");
        assert!(text.starts_with("the body "), "{text}");
        assert!(!text.contains("s3cr3t"));
    }
}

/// What is no part of what a body says is passed on with it all the same.
#[test]
fn a_value_beside_the_data_of_a_body_is_not_passed_on() {
    let text = body(30, b"nothing");
    let (plain, frame) = (gzip(&text), zstd(&text));
    let named = [&plain[..3], &[8], &plain[4..10], VALUE, &[0], &plain[10..]].concat();
    let length = (VALUE.len() as u32).to_le_bytes();
    let skipped = [b"\x50\x2a\x4d\x18", &length[..], VALUE].concat();
    for (value, packed) in [
        ("gzip", named),
        ("zstd", [&skipped[..], &frame].concat()),
        ("zstd", [&frame[..], &skipped].concat()),
    ] {
        let scrubbed = scrub_body(&set(), &codings(value), &packed, LIMIT).expect(value);
        assert_eq!(scrubbed.counts.of(Some("api/key")), 1);
        let again = scrubbed.body.expect("something was found");
        assert!(memchr::memmem::find(&again, VALUE).is_none());
        assert_eq!(unpacked(value, &again, 7).expect(value), text);
    }
}
