//! Packed data must not make the work or the memory grow without bound.

use super::*;

#[test]
fn memory_does_not_depend_on_a_piece() {
    let packed = gzip(&long(999_000, VALUE));
    let mut redactor = set().redactor();
    let mut out = Vec::new();
    for piece in packed.chunks(1000) {
        redactor.push(piece, &mut out);
        assert!(
            redactor.held_back() <= 264 * 1024,
            "{}",
            redactor.held_back()
        );
    }
    redactor.finish(&mut out);
    assert_eq!(redactor.counts().total(), 1);
}

#[test]
fn a_bomb_is_let_through_and_counted() {
    let set = set();
    for pack in [gzip, zlib, zstd] {
        let bomb = pack(&vec![b'a'; 40 << 20]);
        let input = [b"before ", &bomb[..], b" after ", VALUE].concat();
        let mut redactor = set.redactor();
        let mut out = Vec::new();
        redactor.push(&input, &mut out);
        redactor.finish(&mut out);
        let at = input.len() - VALUE.len();
        assert_eq!(out, [&input[..at], MASK].concat());
        assert!(redactor.unopened() >= 1);
    }
    // With a value in it, nothing more of the stream is let through.
    let bomb = gzip(&[VALUE, &vec![b'a'; 40 << 20]].concat());
    let input = [b"before ", &bomb[..], b" after"].concat();
    let (out, findings) = redact_all(&set, &input);
    assert_eq!(out, [b"before ", MASK].concat());
    assert_eq!(ranges(&findings), [(7, input.len())]);
}

#[test]
fn many_beginnings_do_not_cost_their_length_each() {
    // Each begins a stored block that says the rest of the text.
    let one = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\0\xff\xff\0\0";
    let text = one.repeat(40_000);
    let mut redactor = set().redactor();
    let mut out = Vec::new();
    redactor.push(&text, &mut out);
    redactor.finish(&mut out);
    assert_eq!(out, text);
    assert!(redactor.unopened() > 0);
}

/// What looks like the beginning of zlib in ordinary text.
#[test]
fn guesses_do_not_use_up_what_is_for_others() {
    let mut input = b"let area = x^2 + y^2; // x^T x\n".repeat(20_000);
    input.extend(b"and then something else:\n");
    let text = body(10, VALUE);
    let at = input.len();
    input.extend(gzip(&text));
    let (out, findings) = redact_all(&set(), &input);
    assert_eq!(ranges(&findings), [(at, input.len())]);
    assert_eq!(gunzip(&out[at..]), masked(&text));
    // Nor are they counted as what was not looked into; what is no text is.
    let mut redactor = set().redactor();
    redactor.push(&input, &mut Vec::new());
    assert_eq!(redactor.unopened(), 0);
    let zlib = b"x\x9c\x01\xff\xff\0\0".repeat(20_000);
    redactor.push(&zlib, &mut Vec::new());
    redactor.finish(&mut Vec::new());
    assert!(redactor.unopened() > 0);
}

/// Each head of a body in chunks begins another view.
#[test]
fn heads_are_paid_for() {
    let heads = b"Transfer-Encoding: chunked\r\n\r\n";
    for input in [heads.repeat(40_000), gzip(&heads.repeat(200_000))] {
        let mut redactor = set().redactor();
        let mut out = Vec::new();
        redactor.push(&input, &mut out);
        redactor.finish(&mut out);
        assert_eq!(out, input);
        assert!(redactor.unopened() > 0);
    }
}

/// What is said beside the sizes of chunks is held back with the data.
#[test]
fn chunks_that_say_more_than_they_hold_are_none() {
    let packed = gzip(&long(999_000, b"nothing"));
    let mut redactor = set().redactor();
    let mut out = Vec::new();
    redactor.push(b"Transfer-Encoding: chunked\r\n\r\n", &mut out);
    let beside = "x".repeat(1000);
    for byte in &packed[..20_000] {
        redactor.push(format!("1;{beside}\r\n").as_bytes(), &mut out);
        redactor.push(&[*byte, b'\r', b'\n'], &mut out);
        assert!(redactor.held_back() < 1 << 20);
    }
    // As some servers sign each chunk.
    let text = body(40_000, VALUE);
    let mut input = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in text.chunks(64) {
        input.extend(format!("{:x};signature={}\r\n", chunk.len(), "0".repeat(40)).bytes());
        input.extend([chunk, b"\r\n"].concat());
    }
    let (out, findings) = redact_all(&set(), &input);
    assert!(holds(&out, MASK) && findings.len() == 1);
}

#[test]
fn a_window_that_is_too_large_is_counted() {
    // A frame with a window of 16 MiB.
    let frame = b"\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00";
    let mut redactor = set().redactor();
    let mut out = Vec::new();
    redactor.push(frame, &mut out);
    redactor.finish(&mut out);
    assert_eq!((out.as_slice(), redactor.unopened()), (&frame[..], 1));
}
