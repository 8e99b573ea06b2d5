//! Packed data in a stream.

mod base64;
mod budget;
mod damage;
mod http;
mod pausing;
mod shapes;

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use proptest::prelude::*;
use subrosa_redact::{Finding, Form, Known, KnownSet, redact_all};

use http::{chunked, response};

pub(crate) const VALUE: &[u8] = b"s3cr3t-t0ken-9XyZ";
const MASK: &[u8] = b"[REDACTED:api/key]";

pub(crate) fn set() -> KnownSet {
    let mut known = Known::new();
    assert!(known.add(Some("api/key"), VALUE).is_searched());
    known.build()
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    gzip_with(text, 0, &[])
}

fn gzip_with(text: &[u8], flags: u8, fields: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3];
    packed.extend(fields);
    packed.extend(compress_to_vec(text, 6));
    packed.extend(crc32fast::hash(text).to_le_bytes());
    packed.extend((text.len() as u32).to_le_bytes());
    packed
}

pub(crate) fn zlib(text: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(text, 6)
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    zstd_safe::compress(&mut packed, text, 3).expect("there is room");
    packed
}

/// Brotli of RFC 7932 §9.2, stored.
pub(crate) fn brotli(text: &[u8]) -> Vec<u8> {
    assert!((1..=1 << 16).contains(&text.len()));
    let header = ((text.len() as u32 - 1) << 3 | 1 << 19) << 1;
    [&header.to_le_bytes()[..3], text, &[3]].concat()
}

fn in_base64(bytes: &[u8], width: usize) -> Vec<u8> {
    use ::base64::Engine as _;
    let text = ::base64::engine::general_purpose::STANDARD.encode(bytes);
    let lines: Vec<&[u8]> = text.as_bytes().chunks(width).collect();
    lines.join(&b"\n"[..])
}

fn gunzip(packed: &[u8]) -> Vec<u8> {
    assert_eq!(packed[3], 0, "no fields are written");
    let text = miniz_oxide::inflate::decompress_to_vec(&packed[10..]).expect("whole");
    let tail = &packed[packed.len() - 8..];
    assert_eq!(tail[..4], crc32fast::hash(&text).to_le_bytes());
    assert_eq!(tail[4..], (text.len() as u32).to_le_bytes());
    text
}

/// Texts that do not pack too well, with `middle` in them.
pub(crate) fn body(lines: usize, middle: &[u8]) -> Vec<u8> {
    let mut state = 12345u64;
    let mut line = || {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        format!("row {:x} ready\n", state >> 20).into_bytes()
    };
    let mut text: Vec<u8> = (0..lines / 2).flat_map(|_| line()).collect();
    text.extend(b"token=");
    text.extend(middle);
    text.extend(b"\n");
    text.extend((0..lines / 2).flat_map(|_| line()));
    text
}

pub(crate) fn masked(text: &[u8]) -> Vec<u8> {
    let at = memchr::memmem::find(text, VALUE).expect("it is there");
    [&text[..at], MASK, &text[at + VALUE.len()..]].concat()
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Redacts with cuts at every `step` bytes.
fn in_pieces(input: &[u8], step: usize) -> (Vec<u8>, Vec<Finding>) {
    let mut redactor = set().redactor();
    let mut out = Vec::new();
    for piece in input.chunks(step) {
        redactor.push(piece, &mut out);
    }
    redactor.finish(&mut out);
    (out, redactor.take_findings())
}

fn ranges(findings: &[Finding]) -> Vec<(usize, usize)> {
    let pair = |one: &Finding| (one.start as usize, one.end as usize);
    findings.iter().map(pair).collect()
}

/// The one finding is `packed`, what is around it untouched; returns what stands in its place.
fn replaced(before: &[u8], packed: &[u8], after: &[u8]) -> Vec<u8> {
    let input = [before, packed, after].concat();
    let (out, findings) = redact_all(&set(), &input);
    let end = before.len() + packed.len();
    assert_eq!(ranges(&findings), [(before.len(), end)]);
    assert_eq!(findings[0].form, Form::Packed);
    assert_eq!(findings[0].key.as_deref(), Some("api/key"));
    assert!(out.starts_with(before) && out.ends_with(after));
    for step in [1, 2, 3, 7, 64, 1000, 4095, 4096, 4097] {
        assert_eq!(in_pieces(&input, step).0, out, "in pieces of {step}");
    }
    out[before.len()..out.len() - after.len()].to_vec()
}

#[test]
fn what_is_packed_is_packed_anew_with_its_mask() {
    for lines in [0, 6, 400] {
        let text = body(lines, VALUE);
        for (before, after) in [
            (&b""[..], &b""[..]),
            (b"x H4 (\n", b"after\n"),
            (b"\x1f", b"\x1f\x8b"),
        ] {
            assert_eq!(
                gunzip(&replaced(before, &gzip(&text), after)),
                masked(&text)
            );
            let packed = replaced(before, &zlib(&text), after);
            let unpacked = miniz_oxide::inflate::decompress_to_vec_zlib(&packed);
            assert_eq!(unpacked.expect("whole"), masked(&text));
            let packed = replaced(before, &zstd(&text), after);
            let mut unpacked = Vec::with_capacity(text.len() + MASK.len());
            zstd_safe::decompress(&mut unpacked, &packed).expect("whole");
            assert_eq!(unpacked, masked(&text));
        }
    }
}

#[test]
fn a_header_of_gzip_may_have_all_its_fields() {
    let text = body(6, VALUE);
    let extra = b"\x03\0abc";
    for (flags, fields) in [
        (4, &b"\x03\0abc"[..]),
        (4, b"\0\0"),
        (8, b"name.txt\0"),
        (16, b"said\0"),
        (2, b"hc"),
        (12, &[extra, &b"n\0"[..]].concat()),
        (30, &[extra, &b"name\0comment\0hc"[..]].concat()),
        (1, b""),
    ] {
        let packed = gzip_with(&text, flags, fields);
        assert_eq!(gunzip(&replaced(b"a", &packed, b"b")), masked(&text));
    }
}

#[test]
fn members_one_after_the_other_are_one_text() {
    let text = body(40, VALUE);
    let at = memchr::memmem::find(&text, VALUE).expect("it is there") + 7;
    for pack in [gzip, zstd] {
        let packed = [pack(&text[..at]), pack(&text[at..])].concat();
        let out = replaced(b"--", &packed, b"--");
        assert!(!holds(&out, b"--"));
        let clean = [pack(&body(10, b"nothing")), pack(&body(10, b"less"))].concat();
        assert_eq!(redact_all(&set(), &clean), (clean.clone(), Vec::new()));
    }
}

#[test]
fn packed_data_may_stand_in_packed_data() {
    let text = body(20, VALUE);
    let out = replaced(
        b"",
        &gzip(&[b"head\n", &gzip(&text)[..], b"tail\n"].concat()),
        b"",
    );
    let inner = gunzip(&out);
    assert_eq!(gunzip(&inner[5..inner.len() - 5]), masked(&text));
    let text = in_base64(&gzip(&gzip(&text)), 76);
    replaced(b"x", &text, b"\n");
    // Deeper it is not looked.
    let within = |bytes: &[u8]| gzip(&in_base64(bytes, 76));
    replaced(b"", &within(&gzip(&body(20, VALUE))), b"");
    let deep = within(&within(&gzip(&body(20, VALUE))));
    assert_eq!(redact_all(&set(), &deep), (deep.clone(), Vec::new()));
}

#[test]
fn a_value_beside_packed_data_is_masked_too() {
    let clean = gzip(&body(20, b"nothing"));
    let input = [VALUE, &clean, VALUE, &zlib(&body(4, VALUE)), VALUE].concat();
    let (out, findings) = redact_all(&set(), &input);
    assert_eq!(findings.len(), 4);
    assert!(out.starts_with(&[MASK, &clean, MASK].concat()));
    assert!(out.ends_with(MASK));
    for step in [1, 5, 33] {
        assert_eq!(in_pieces(&input, step).0, out);
    }
}

/// About 600 KiB, packed.
fn long(at: usize, middle: &[u8]) -> Vec<u8> {
    let filler = |seed: u64, len: usize| -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            b"abcdefghijklmnopqrstuvwxyz \n0123"[(state >> 59) as usize]
        };
        (0..len).map(|_| next()).collect()
    };
    [filler(1, at), middle.to_vec(), filler(2, 1_000_000 - at)].concat()
}

#[test]
fn a_piece_that_is_too_long_is_masked_from_what_is_held() {
    for pack in [gzip, zlib, zstd] {
        // At the beginning: nothing of it has left.
        let packed = pack(&long(1000, VALUE));
        assert!(packed.len() > 500 * 1024);
        let input = [b"<", &packed[..], b">"].concat();
        let (out, findings) = redact_all(&set(), &input);
        assert_eq!(ranges(&findings), [(1, packed.len() + 1)]);
        assert_eq!(out, [b"<", MASK, b">"].concat());
        // Later: what went before is not there any more, and what is left of it is masked.
        let packed = pack(&long(800_000, VALUE));
        let input = [b"<", &packed[..], b">"].concat();
        let (out, findings) = redact_all(&set(), &input);
        let (start, end) = ranges(&findings)[0];
        assert_eq!(end, packed.len() + 1);
        let reach = packed.len() * 8 / 10 - start;
        // Of zstd, a block is read when it is whole.
        assert!((160 * 1024..270 * 1024).contains(&reach), "{reach}");
        assert_eq!(out, [&input[..start], MASK, b">"].concat());
        for step in [1000, 4096, 70_000] {
            assert_eq!(in_pieces(&input, step), (out.clone(), findings.clone()));
        }
        let clean = pack(&long(1000, b"nothing"));
        assert_eq!(redact_all(&set(), &clean), (clean.clone(), Vec::new()));
    }
}

#[test]
fn an_idle_terminal_gets_what_only_looks_packed() {
    let mut redactor = set().redactor().interactive();
    let mut out = Vec::new();
    redactor.push(b"(", &mut out);
    assert_eq!(out, b"(");
    let begun = &zlib(b"- - - - nothing! - - - -")[..16];
    redactor.push(begun, &mut out);
    assert_eq!(out, b"(");
    let wait = redactor.deadline().expect("something is held back");
    redactor.idle(wait, &mut out);
    let shown = [b"(", begun].concat();
    assert_eq!(out, shown);
    // A piece that came in part, with a value in it, is masked.
    let packed = gzip(&body(400, VALUE));
    redactor.push(&packed[..packed.len() - 20], &mut out);
    assert_eq!(out, shown);
    let wait = redactor.deadline().expect("something is held back");
    redactor.idle(wait, &mut out);
    assert_eq!(out, [&shown[..], b"[REDACTED]"].concat());
    redactor.push(&packed[packed.len() - 20..], &mut out);
    redactor.push(b"$ ", &mut out);
    redactor.finish(&mut out);
    assert_eq!(out, [&shown[..], b"[REDACTED]", b"$ "].concat());
}

#[test]
fn what_was_let_go_is_not_looked_for() {
    // A member whose end is known when the next byte comes, and one in the middle.
    let packed = gzip(b"- - - - nothing! - - - -");
    for cut in [packed.len(), packed.len() + 1, packed.len() + 2, 14] {
        let input = [&packed[..], b"\x1f\x8b- and on"].concat();
        let mut redactor = set().redactor().interactive();
        let mut out = Vec::new();
        redactor.push(&input[..cut], &mut out);
        while let Some(wait) = redactor.deadline() {
            redactor.idle(wait, &mut out);
        }
        assert_eq!(out, input[..cut]);
        redactor.push(&input[cut..], &mut out);
        redactor.push(VALUE, &mut out);
        redactor.finish(&mut out);
        assert_eq!(out, [&input, MASK].concat());
    }
}

#[test]
fn text_that_resembles_packed_data_passes() {
    for text in [
        &b"x^2 + 3x^3 - x^n"[..],
        b"H4sIAAAAAAAA no gzip",
        b"KLUv/Q no zstd",
        b"Content-Encoding: gzip\r\n\r\nplain",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nplain text, not in chunks",
        b"x\x9c\x03",
        b"\x1f\x8b\x08\xff",
        b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff",
    ] {
        assert_eq!(redact_all(&set(), text), (text.to_vec(), Vec::new()));
    }
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        3 => (0usize..80).prop_map(|lines| body(lines, VALUE)),
        2 => (0usize..80).prop_map(|lines| body(lines, b"nothing")),
        1 => Just(VALUE.to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..200),
    ];
    let index = any::<prop::sample::Index>;
    (text, 0u8..14, index(), index()).prop_map(|(text, how, cut, flip)| {
        let mut packed = match how {
            0 | 1 => gzip(&text),
            2 => zlib(&text),
            3 => zstd(&text),
            4 => in_base64(&gzip(&text), 76),
            5 => response("Content-Encoding: deflate", &zlib(&text)),
            6 => response("Transfer-Encoding: chunked", &chunked(&text, 40)),
            7 => gzip(&gzip(&text)),
            8 => in_base64(&zstd(&text), 1000),
            10 if !text.is_empty() => response("Content-Encoding: br", &brotli(&text)),
            11 => response("Content-Encoding: zstd", &zstd(&text)),
            _ => text,
        };
        match how {
            1 => packed.truncate(cut.index(packed.len() + 1)),
            9 => packed = b"x\x9c\x1f\x8b\x08H4sI".to_vec(),
            2..9 | 10..12 if flip.index(2) == 0 && !packed.is_empty() => {
                let at = cut.index(packed.len());
                packed[at] ^= 1 << flip.index(8);
            }
            _ => {}
        }
        packed
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_cut_gives_the_same(
        pieces in proptest::collection::vec(piece(), 1..5),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        step in 1usize..40,
    ) {
        let input = pieces.concat();
        let (whole, findings) = redact_all(&set(), &input);
        prop_assert_eq!(&in_pieces(&input, step).0, &whole);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let mut redactor = set().redactor();
        let mut out = Vec::new();
        for pair in cuts.windows(2) {
            redactor.push(&input[pair[0]..pair[1]], &mut out);
        }
        redactor.finish(&mut out);
        prop_assert_eq!(&out, &whole);
        prop_assert_eq!(&redactor.take_findings(), &findings);
        // What is outside of findings is there, in order, as it was.
        let mut rest = &whole[..];
        let mut at = 0;
        for (start, end) in ranges(&findings) {
            let kept = &input[at..start];
            let place = memchr::memmem::find(rest, kept);
            prop_assert!(place.is_some());
            rest = &rest[place.unwrap_or(0) + kept.len()..];
            at = end;
        }
        prop_assert!(rest.ends_with(&input[at..]));
        // No value comes through once more.
        let (again, left) = redact_all(&set(), &whole);
        prop_assert_eq!(ranges(&left), []);
        prop_assert_eq!(again, whole);
    }
}
