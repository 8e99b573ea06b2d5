//! Hostile text: the work stays within its bound, and nothing grows.

use super::line::Work;
use super::{ShapeFinding, Shapes};

/// Findings and work of a stream that is pushed in pieces of 4,096 bytes.
fn run(text: &[u8]) -> (Vec<ShapeFinding>, Work) {
    let mut stream = Shapes::builtin().stream();
    let mut found = Vec::new();
    for piece in text.chunks(4096) {
        stream.push(piece, &mut found);
    }
    stream.finish(&mut found);
    (found, stream.work())
}

/// No byte is given to more searches than there are rules, twice where
/// windows overlap.
fn bounded(text: &[u8]) -> Vec<ShapeFinding> {
    let (found, work) = run(text);
    let rules = Shapes::builtin().rules().len() as u64;
    let most = 2 * rules * (text.len() as u64 + 64 * 1024);
    assert!(work.searched <= most, "{} of {most}", work.searched);
    found
}

#[test]
fn ordinary_text_meets_few_patterns() {
    let line = b"2026-03-14T09:26:53.589Z INFO worker 7 took 31 ms for GET /items/42 status=200\n";
    let text = line.repeat(1000);
    let (found, work) = run(&text);
    assert_eq!(found, []);
    assert_eq!(work, Work::default());
}

#[test]
fn every_keyword_in_long_lines() {
    let words = Shapes::builtin()
        .rules()
        .iter()
        .flat_map(|rule| &rule.keywords);
    let words: Vec<u8> = words
        .flat_map(|word| [word.as_bytes(), b" "].concat())
        .collect();
    let mut line: Vec<u8> = words.iter().copied().cycle().take(64 * 1024).collect();
    bounded(&line);
    line.extend_from_within(..);
    line.extend_from_within(..);
    bounded(&line);
    let many: Vec<u8> = line
        .chunks(300)
        .flat_map(|piece| [piece, b"\n"].concat())
        .collect();
    bounded(&many);
}

#[test]
fn near_misses_without_a_boundary() {
    for piece in [
        "ask-",
        "sk-",
        "eyJ",
        "eyJ.eyJ.",
        "://a:",
        "token=",
        "password:",
        "1//0",
        "ghp_a",
    ] {
        bounded(&piece.as_bytes().repeat(300_000 / piece.len()));
    }
}

#[test]
fn zeros_and_broken_text() {
    for byte in [0, 0xff, b'\n', b'\r', b'\\', b'-', b'=', b'"'] {
        assert_eq!(bounded(&[byte; 300_000]), []);
    }
    let mut text = b"\0\xff\xfekey=AKIA2B4KHQ7ZTN3XW5RM\0\xc3".to_vec();
    text.extend_from_slice(&[0; 100]);
    assert_eq!(bounded(&text).len(), 1);
}

#[test]
fn a_hundred_thousand_beginnings() {
    let begin = b"-----BEGIN RSA PRIVATE KEY-----\n";
    let (found, work) = run(&begin.repeat(100_000));
    assert_eq!(found, []);
    // Once as a keyword's line, and never again for the block that it opens.
    assert!(work.searches <= 200_000, "{work:?}");
    let one_line = b"-----BEGIN RSA PRIVATE KEY-----".repeat(100_000);
    assert_eq!(bounded(&one_line), []);
}

/// A block without an end is let go at its limits.
#[test]
fn an_endless_block_is_bounded() {
    let mut text = b"-----BEGIN RSA PRIVATE KEY-----\n".to_vec();
    let body = b"MIIEpAIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF8PbnGy0AHB7MhgHcTz6sE2I2yPB\n";
    for _ in 0..5000 {
        text.extend_from_slice(body);
    }
    let (found, _) = run(&text);
    assert_eq!(found.len(), 1);
    assert!(found[0].end - found[0].start <= 64 * 1024);
    let mut stream = Shapes::builtin().stream();
    let mut found = Vec::new();
    let mut at = 0;
    for piece in text.chunks(1000) {
        stream.push(piece, &mut found);
        at += piece.len() as u64;
        assert!(
            at - stream.hold() <= 128 * 1024,
            "held {}",
            at - stream.hold()
        );
    }
}

#[test]
fn blank_and_short_lines_in_a_block_are_bounded() {
    let mut text = b"-----BEGIN RSA PRIVATE KEY-----\n".to_vec();
    text.extend(b"\n".repeat(10_000));
    text.extend(b"AKIA2B4KHQ7ZTN3XW5RM\n");
    assert_eq!(bounded(&text).len(), 1);
}
