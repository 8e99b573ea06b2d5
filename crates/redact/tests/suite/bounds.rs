//! Memory does not grow with the stream, nor work faster than it.

use subrosa_redact::{Known, KnownSet};

use crate::{known, redact};

const STREAM: usize = 10_000_000;

/// Streams `unit` again and again, and reports the most that was held back.
fn stream(set: &KnownSet, unit: &[u8], chunk: usize) -> (u64, u64) {
    let mut redactor = set.redactor();
    let long: Vec<u8> = unit
        .iter()
        .copied()
        .cycle()
        .take(unit.len() + (1 << 16))
        .collect();
    let (mut at, mut out, mut written, mut most) = (0, Vec::new(), 0, 0);
    while at < STREAM {
        let from = at % unit.len();
        out.clear();
        redactor.push(&long[from..from + chunk], &mut out);
        written += out.len() as u64;
        most = most.max(redactor.held_back());
        at += chunk;
    }
    out.clear();
    // Not a truncated value, but one that went another way.
    redactor.push(b"\n", &mut out);
    redactor.finish(&mut out);
    at += 1;
    written += out.len() as u64;
    if redactor.counts().total() == 0 {
        assert_eq!(written, at as u64, "every byte came out");
    }
    (most, redactor.counts().total())
}

#[test]
fn ten_megabytes_of_near_misses_hold_back_less_than_one_value() {
    // Of several lines: a part of it is none of it.
    let value = "abcdefgh 0123456789 abcdefgh\n0123456789 X";
    let set = known(&[("k", value), ("tail", &value[9..])]);
    let near_miss = &value.as_bytes()[..value.len() - 1];
    for chunk in [7, 4096] {
        let (most, findings) = stream(&set, near_miss, chunk);
        assert_eq!(findings, 0);
        assert!(most < value.len() as u64, "{most}");
        // Read the other way: it does hold back what may still match.
        assert!(most >= value.len() as u64 - 12, "{most}");
    }
}

#[test]
fn what_never_ends_an_escape_is_not_held_back() {
    let set = known(&[("k", "s3cr3t-t0ken-9XyZ")]);
    for unit in [
        &b"\\"[..],
        b"%25",
        b"25",
        b"&amp;",
        b"amp;",
        b"\\u005c",
        b"u005c",
        b"\x1b]x",
        b"\x1bx",
        b"]\x1b",
    ] {
        // Begun, and gone on with for ever.
        for before in [&b""[..], b"%", b"&", b"\\", b"\x1b]"] {
            let mut redactor = set.redactor();
            let (mut out, mut count) = (Vec::new(), before.len());
            redactor.push(before, &mut out);
            let text = unit.repeat(1000);
            for _ in 0..100 {
                redactor.push(&text, &mut out);
                count += text.len();
                assert!(redactor.held_back() < 2000, "{unit:?}");
            }
            redactor.push(b"\n\x07 s3cr3t-\nt0ken-9XyZ", &mut out);
            redactor.finish(&mut out);
            assert!(out.ends_with(b" [REDACTED:k]"), "{unit:?}");
            assert_eq!(out.len(), count + b"\n\x07 [REDACTED:k]".len());
        }
    }
}

#[test]
fn one_endless_finding_takes_no_memory() {
    // Every period is another match that overlaps the one before.
    let set = known(&[("k", "abcdef1abcdef1")]);
    let mut redactor = set.redactor();
    let mut out = Vec::new();
    let period = b"abcdef1".repeat(1000);
    for _ in 0..STREAM / period.len() {
        redactor.push(&period, &mut out);
    }
    assert!(out.is_empty() && out.capacity() == 0);
    redactor.finish(&mut out);
    assert_eq!(out, b"[REDACTED:k]");
    assert_eq!(redactor.counts().total(), 1);
}

#[test]
fn a_long_value_byte_by_byte_is_not_quadratic() {
    // A held prefix of 67,500 bytes that slides along with each byte: were the
    // held bytes moved for each of them, this would take minutes.
    let mut value = b"abcd ef12".repeat(7500);
    value.extend(b"\nX");
    let mut named = Known::new();
    assert!(named.add(Some("k"), &value).is_searched());
    let set = named.build();
    let mut redactor = set.redactor();
    let mut out = Vec::new();
    let text = b"abcd ef12".repeat(40_000);
    for byte in &text {
        redactor.push(&[*byte], &mut out);
    }
    assert_eq!(redactor.held_back(), 67_500);
    assert_eq!(out.len(), text.len() - 67_500);
    redactor.push(b"\nX;", &mut out);
    redactor.finish(&mut out);
    assert!(out.ends_with(b"[REDACTED:k];"));
    assert_eq!(redactor.held_back(), 0);
}

#[test]
fn the_list_of_findings_is_bounded_and_the_counts_are_exact() {
    let mut named = Known::new();
    for (name, value) in [("a", "first-s3cret!"), ("b", "second-s3cret!")] {
        assert!(named.add(Some(name), value.as_bytes()).is_searched());
    }
    // In the folded view the end of a text may nearly always go on.
    let set = named.without_fold().build();
    let text = "first-s3cret! second-s3cret! first-s3cret!\n";
    let mut redactor = set.redactor().listing(10);
    let mut out = Vec::new();
    redactor.push(text.repeat(5).as_bytes(), &mut out);
    assert_eq!(redactor.findings().len(), 10);
    assert_eq!(redactor.take_findings().len(), 10);
    redactor.push(text.as_bytes(), &mut out);
    assert_eq!(redactor.findings().len(), 3);
    assert_eq!(redactor.findings()[0].start, 5 * text.len() as u64);
    let counts = redactor.counts();
    assert_eq!((counts.total(), counts.unlisted()), (18, 5));
    assert_eq!((counts.of(Some("a")), counts.of(Some("b"))), (12, 6));
    assert_eq!((counts.of(Some("c")), counts.of(None)), (0, 0));
    let by_key: Vec<_> = counts.by_key().collect();
    assert_eq!(by_key, [(Some("a"), 12), (Some("b"), 6)]);

    let mut redactor = set.redactor();
    redactor.push(text.repeat(20_000).as_bytes(), &mut out);
    assert_eq!(redactor.findings().len(), 4096);
    assert_eq!(redactor.counts().total(), 60_000);
}

#[test]
fn thousands_of_values_are_compiled_and_found() {
    let mut named = Known::new();
    for n in 0..5000 {
        let value = format!("v4lue-{:016x}", n * 0x9e37_79b9_7f4a_7c15_u128);
        assert!(
            named
                .add(Some(&format!("k/{n}")), value.as_bytes())
                .is_searched()
        );
    }
    let set = named.build();
    assert_eq!(set.len(), 5000);
    let value = format!("v4lue-{:016x}", 4321 * 0x9e37_79b9_7f4a_7c15_u128);
    assert_eq!(redact(&set, format!("<{value}>")), "<[REDACTED:k/4321]>");
}
