//! Packed bodies of HTTP messages.

use super::*;

pub(super) fn response(head: &str, body: &[u8]) -> Vec<u8> {
    [
        format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(),
        body,
    ]
    .concat()
}

pub(super) fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(size) {
        framed.extend(format!("{:X};a=b\r\n", chunk.len()).as_bytes());
        framed.extend(chunk);
        framed.extend(b"\r\n");
    }
    framed.extend(b"0\r\nTrailer: 1\r\n\r\n");
    framed
}

#[test]
fn bodies_are_read_by_their_heads() {
    let text = body(20, VALUE);
    let raw = &zlib(&text)[2..zlib(&text).len() - 4];
    for (head, body) in [
        ("Content-Encoding: br", brotli(&text)),
        ("CONTENT-Encoding:br\r\nX-Other: 1", brotli(&text)),
        ("Content-Encoding: deflate", raw.to_vec()),
        ("content-encoding: gzip, br", brotli(&gzip(&text))),
        ("Content-Encoding: br, gzip", gzip(&brotli(&text))),
        (
            "Content-Encoding: br\r\nContent-Encoding: zstd",
            zstd(&brotli(&text)),
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Encoding: br",
            chunked(&brotli(&text), 100),
        ),
        (
            "Content-Encoding: gzip\r\nTransfer-Encoding: chunked",
            chunked(&gzip(&text), 7),
        ),
    ] {
        let before = response(head, b"");
        let out = replaced(&before, &body, b"\nHTTP/1.1 next");
        assert!(!holds(&out, VALUE), "{head}");
        let again = [&before[..], &out].concat();
        assert_eq!(
            redact_all(&set(), &again),
            (again.clone(), Vec::new()),
            "{head}"
        );
    }
    // As `curl -v` writes a head.
    let head = b"> GET / HTTP/1.1\r\n> \r\n< HTTP/1.1 200 OK\r\n< Content-Encoding: br\r\n* said\r\n< \r\n";
    replaced(head, &brotli(&text), b"");
}

#[test]
fn a_body_of_an_unknown_coding_passes() {
    let text = brotli(&body(4, b"nothing"));
    for head in [
        "Content-Encoding: x-own",
        "Content-Encoding: br, x-own",
        "Content-Encoding: br, br, br, br",
    ] {
        let input = response(head, &text);
        assert_eq!(redact_all(&set(), &input), (input.clone(), Vec::new()));
    }
}

#[test]
fn a_value_in_two_chunks_is_one() {
    let text = body(10, VALUE);
    for size in [1, 3, 7, 50, 10_000] {
        let framed = chunked(&text, size);
        let input = response("Transfer-Encoding: chunked", &framed);
        let (out, findings) = redact_all(&set(), &input);
        assert_eq!(findings.len(), 1, "{size}");
        let (start, end) = ranges(&findings)[0];
        assert_eq!(out, [&input[..start], MASK, &input[end..]].concat());
        assert!(input[start..end].starts_with(b"s") && input[start..end].ends_with(b"Z"));
        for step in [1, 2, 9] {
            assert_eq!(in_pieces(&input, step).0, out);
        }
    }
}

#[test]
fn chunks_are_joined_whatever_is_packed_in_them() {
    let text = body(4, VALUE);
    for head in [
        "Transfer-Encoding: chunked",
        "Content-Encoding: new\r\nTransfer-Encoding: chunked",
    ] {
        let input = response(head, &chunked(&text, 5));
        let (out, findings) = redact_all(&set(), &input);
        assert_eq!((findings.len(), holds(&out, MASK)), (1, true), "{head}");
    }
}
