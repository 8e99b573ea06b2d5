//! Packed data in base64.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

use super::*;

#[test]
fn base64_keeps_its_lines() {
    let text = body(30, VALUE);
    for pack in [gzip, zstd] {
        for width in [64, 76, 100_000] {
            let packed = in_base64(&pack(&text), width);
            let out = replaced(b"data: ", &packed, b"\nkind: Release\n");
            let line = |text: &[u8]| text.split(|byte| *byte == b'\n').next().map(<[u8]>::len);
            if width < 1000 {
                assert_eq!(line(&out), line(&packed));
            }
            let joined: Vec<u8> = out.into_iter().filter(|byte| *byte != b'\n').collect();
            let again = [&b"data: "[..], &joined].concat();
            assert_eq!(redact_all(&set(), &again), (again.clone(), Vec::new()));
            let bytes = STANDARD.decode(&joined);
            let bytes = bytes.expect("base64");
            if bytes[0] == 0x1f {
                assert_eq!(gunzip(&bytes), masked(&text));
            }
        }
    }
}

/// What stands in its place can be read by those who could read what came: with padding, unless it
/// was left out.
#[test]
fn base64_is_padded_as_it_was() {
    for lines in 0..12 {
        let text = body(lines, &[VALUE, &b"x".repeat(lines)].concat());
        let packed = STANDARD.encode(gzip(&text));
        let out = replaced(b"\"", packed.as_bytes(), b"\"");
        assert_eq!(
            gunzip(&STANDARD.decode(&out).expect("padded")),
            masked(&text)
        );
        let bare = packed.trim_end_matches('=');
        if bare.len() < packed.len() {
            let out = replaced(b"\"", bare.as_bytes(), b"\"");
            assert!(!out.ends_with(b"="));
        }
    }
}

/// As PHP and others write `/` in JSON, in an address, and lines in a JSON string.
#[test]
fn base64_with_escapes_is_read_and_masked_as_a_whole() {
    let text = body(60, VALUE);
    let plain = STANDARD.encode(gzip(&text));
    assert!(plain.contains('/') && plain.contains('+'));
    let in_json = plain.replace('/', "\\/");
    let in_address = plain
        .replace('+', "%2B")
        .replace('/', "%2f")
        .replace('=', "%3D");
    let in_lines = String::from_utf8(in_base64(&gzip(&text), 76)).expect("text");
    for packed in [in_json, in_address, in_lines.replace('\n', "\\n")] {
        let out = replaced(b"{\"a\": \"", packed.as_bytes(), b"\", \"b\": 1}");
        assert_eq!(out, MASK);
    }
    let clean = STANDARD
        .encode(gzip(&body(60, b"nothing")))
        .replace('/', "\\/");
    let input = clean.as_bytes();
    assert_eq!(redact_all(&set(), input), (input.to_vec(), Vec::new()));
}
