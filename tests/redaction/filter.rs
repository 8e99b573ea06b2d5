//! `redact --known-fd`: values from a descriptor, text from standard input.

use crate::program::{filtered, known};

const VALUE: &str = "canary-7Hq2Xw9Lm4Rt";
const OTHER: &str = "another-3Kd8Vn6Bz1Ys";

fn given(options: &[&str], values: &str, input: &str) -> String {
    let done = known(options, values.as_bytes(), input.as_bytes());
    assert_eq!(done.status, 0, "{done:?}");
    String::from_utf8(done.out).expect("UTF-8")
}

#[test]
fn one_value_a_line_and_no_vault() {
    let values = format!("{VALUE}\n{OTHER}\n");
    let input = format!("a {VALUE} b {OTHER} c\n");
    assert_eq!(given(&[], &values, &input), "a [REDACTED] b [REDACTED] c\n");
}

#[test]
fn empty_lines_and_a_missing_last_line_break_are_fine() {
    let values = format!("\n\n{VALUE}\n\n\n{OTHER}");
    let input = format!("\n{OTHER}\n\n{VALUE}");
    assert_eq!(given(&[], &values, &input), "\n[REDACTED]\n\n[REDACTED]");
}

#[test]
fn an_empty_list_is_told() {
    for values in ["", "\n\r\n"] {
        let done = known(&[], values.as_bytes(), b"text");
        assert_eq!((done.status, done.text().as_str()), (0, "text"));
        assert!(done.err.contains("holds no values"), "{done:?}");
    }
    let done = known(&[], VALUE.as_bytes(), b"text");
    assert!(!done.err.contains("holds no values"), "{done:?}");
}

#[test]
fn a_dash_is_standard_input() {
    let input = format!("a {VALUE} b");
    assert_eq!(given(&["-"], VALUE, &input), "a [REDACTED] b");
    assert_eq!(given(&["/dev/null", "-"], VALUE, &input), "a [REDACTED] b");
    let done = filtered(&["redact", "--shapes", "-"], b"text");
    assert_eq!((done.status, done.text().as_str()), (0, "text"));
}

/// What fails, why, and what to type next; and nothing is written before it is known.
#[test]
fn what_makes_no_sense_is_told_before_anything_is_written() {
    for (words, status, parts) in [
        (
            &["redact"][..],
            2,
            &[
                "nothing says what",
                "--known-from '**'",
                "--shapes",
                "--known-fd 3",
            ][..],
        ),
        (&["redact", "Cargo.toml"], 2, &["--known-from", "--shapes"]),
        (&["redact", "--hashes"], 2, &["nothing says what"]),
        (
            &["redact", "--hashes", "--shapes"],
            2,
            &["--known-fd alone", "3<VALUES"],
        ),
        (
            &["redact", "--known-fd", "9x"],
            2,
            &["number of a descriptor"],
        ),
        (
            &["redact", "--known-fd", "0"],
            2,
            &["only once", "--known-fd 3"],
        ),
        (&["redact", "--shapes", "--no-vault"], 2, &["--shapes"]),
        (
            &["redact", "--shapes", "--json"],
            2,
            &["no JSON", "--jsonl"],
        ),
        (
            &["redact", "--shapes", "-", "no/file"],
            1,
            &["no/file: there is no such file", "Check the path"],
        ),
        (
            &["redact", "--shapes", "-", "/proc"],
            1,
            &["/proc is a folder", "subrosa scan /proc"],
        ),
    ] {
        let done = filtered(words, b"text");
        assert_eq!(done.status, status, "{words:?} {done:?}");
        assert!(done.out.is_empty(), "{words:?} {done:?}");
        for part in parts {
            assert!(done.err.contains(part), "{words:?} wants {part}: {done:?}");
        }
    }
}

#[test]
fn no_values_change_nothing() {
    let input = format!("a {VALUE} b\r\n\0\u{1b}[0m");
    assert_eq!(given(&[], "", &input), input);
    assert_eq!(given(&[], "\n\n", &input), input);
    assert_eq!(given(&[], VALUE, ""), "");
}

#[test]
fn nothing_is_forced() {
    let input = "hunter2 password localhost aaaaaaaaaaaa";
    assert_eq!(
        given(&[], "hunter2\npassword\nlocalhost\naaaaaaaaaaaa\n", input),
        input
    );
}

#[test]
fn the_folded_view_can_be_turned_off() {
    let torn: String = VALUE.chars().flat_map(|c| [c, '\n']).collect();
    assert_eq!(given(&["--no-fold"], VALUE, &torn), torn);
    assert_eq!(given(&[], VALUE, &torn), "[REDACTED]\n");
}

#[test]
fn bytes_that_are_no_text_come_through() {
    let mut input: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    input.extend(VALUE.as_bytes());
    input.push(0xFF);
    let done = known(&[], VALUE.as_bytes(), &input);
    let mut expected = input[..70_000].to_vec();
    expected.extend(b"[REDACTED]\xFF");
    assert_eq!(done.status, 0, "{}", done.err);
    assert!(done.out == expected, "all but the value is as it was");
}

#[test]
fn a_value_over_the_border_of_a_block_is_found() {
    for border in [4096, 8192, 65_536, 131_072, 1 << 20] {
        for before in [1, 7, VALUE.len() - 1] {
            let mut input = vec![b'.'; border - before];
            input.extend(VALUE.as_bytes());
            input.extend(vec![b'.'; 100]);
            let done = known(&[], VALUE.as_bytes(), &input);
            let mut expected = vec![b'.'; border - before];
            expected.extend(b"[REDACTED]");
            expected.extend(vec![b'.'; 100]);
            assert!(done.out == expected, "{before} bytes before {border}");
        }
    }
}

#[test]
fn a_truncated_value_at_the_end_is_covered() {
    let input = format!("token {}", &VALUE[..17]);
    assert_eq!(given(&[], VALUE, &input), "token [REDACTED]");
    let short = format!("token {}", &VALUE[..9]);
    assert_eq!(given(&[], VALUE, &short), short);
}

#[test]
fn values_that_are_no_text_are_refused_without_being_shown() {
    let mut values = format!("{VALUE}\n").into_bytes();
    values.extend(b"canary-\xff\xfe-9Lm4Rt\n");
    let done = known(&[], &values, VALUE.as_bytes());
    assert_ne!(done.status, 0, "{done:?}");
    assert!(!done.err.contains("canary"), "{}", done.err);
    assert!(!done.out.windows(6).any(|part| part == b"canary"));
}

#[test]
fn a_descriptor_that_is_not_open_is_told() {
    let done = filtered(&["redact", "--known-fd", "97"], VALUE.as_bytes());
    assert_ne!(done.status, 0);
    assert!(done.err.contains("97"), "{}", done.err);
    assert!(done.out.is_empty(), "nothing passes unguarded");
}
