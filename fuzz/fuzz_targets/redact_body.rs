//! Bodies with content codings: what is refused is refused for any cut, what is passed on holds no
//! value, and what came is told apart from what was packed anew.
//!
//! Input: a byte that says which codings, a byte that says how the body is cut, the body.

#![no_main]

use libfuzzer_sys::fuzz_target;
use subrosa_redact::{Codings, Known, Unpacker, redact_all, scrub_body};

const CODINGS: [&str; 8] = [
    "gzip",
    "deflate",
    "br",
    "zstd",
    "gzip, br",
    "zstd, gzip",
    "deflate, deflate, br",
    "identity",
];
const LIMIT: u64 = 1 << 20;
const VALUE: &[u8] = b"s3cr3t-t0ken-9XyZ";

fuzz_target!(|data: &[u8]| {
    let [which, step, body @ ..] = data else {
        return;
    };
    let codings = Codings::parse(CODINGS[usize::from(*which) % CODINGS.len()]).expect("known");
    let step = usize::from(*step).max(1);

    let unpacked = |body: &[u8], step: usize| {
        let mut text = Vec::new();
        let mut unpacker = Unpacker::new(&codings, LIMIT);
        for piece in body.chunks(step) {
            unpacker.push(piece, &mut |piece| text.extend_from_slice(piece))?;
        }
        unpacker.finish(&mut |piece| text.extend_from_slice(piece))?;
        Ok::<_, subrosa_redact::BodyError>(text)
    };
    let whole = unpacked(body, body.len().max(1));
    let pieces = unpacked(body, step);
    assert_eq!(whole.is_ok(), pieces.is_ok(), "refused for the cut");
    if let (Ok(whole), Ok(pieces)) = (&whole, &pieces) {
        assert!(whole.len() as u64 <= LIMIT);
        assert_eq!(whole, pieces, "another text for the cut");
    }

    let mut known = Known::new();
    assert!(known.add(Some("k"), VALUE).is_searched());
    let set = known.build();
    if let Ok(scrubbed) = scrub_body(&set, &codings, body, LIMIT) {
        let text = whole.expect("what is scrubbed can be read");
        match scrubbed.body {
            None => assert!(!holds(&text), "a value was passed on"),
            Some(again) => {
                let text = unpacked(&again, step).expect("what is packed anew can be read");
                assert!(!holds(&text), "a value was packed anew");
            }
        }
    }

    // The same bytes in a stream, behind a head that names the codings.
    let name = CODINGS[usize::from(*which) % CODINGS.len()];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n\r\n");
    let input = [head.as_bytes(), body].concat();
    let (out, findings) = redact_all(&set, &input);
    let mut redactor = set.redactor();
    let mut cut = Vec::new();
    for piece in input.chunks(step) {
        redactor.push(piece, &mut cut);
    }
    redactor.finish(&mut cut);
    assert_eq!(out, cut, "the output depends on the cut");
    assert!(!holds(&out));
    if findings.is_empty() {
        assert_eq!(out, input);
    }
});

fn holds(text: &[u8]) -> bool {
    text.windows(VALUE.len()).any(|window| window == VALUE)
}
