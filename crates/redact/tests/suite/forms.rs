//! What is found, form by form, on examples that a reader can check.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use subrosa_redact::{Finding, Form, Known, KnownSet, redact_all};

use crate::{known, redact, told};

const SECRET: &str = "s3cr3t-t0ken-\u{ff}\u{fe}?>x";

#[test]
fn exact_values_are_replaced_by_their_names() {
    let set = known(&[("api/key", "hunter2-s3cret"), ("db", "c0rrect-horse")]);
    assert_eq!(
        redact(&set, "a=hunter2-s3cret b=\"c0rrect-horse\"\r\nhunter2-s3c"),
        "a=[REDACTED:api/key] b=\"[REDACTED:db]\"\r\nhunter2-s3c"
    );
}

#[test]
fn a_value_without_a_name_has_a_plain_mask() {
    let mut named = Known::new();
    assert!(named.add(None, b"hunter2-s3cret").is_searched());
    assert_eq!(redact(&named.build(), "<hunter2-s3cret>"), "<[REDACTED]>");
}

#[test]
fn overlapping_values_are_one_finding_named_after_the_longest() {
    let set = known(&[("short", "abcdefgh-1"), ("long", "gh-1-stuvwxyz")]);
    let (out, findings) = redact_all(&set, b"<abcdefgh-1-stuvwxyz>");
    assert_eq!(out, b"<[REDACTED:long]>");
    assert_eq!(told(&findings), [(1, 20, "exact", Some("long"))]);
}

#[test]
fn nested_values_are_covered_by_the_outer_one() {
    let set = known(&[("inner", "b3cdefgh"), ("outer", "aab3cdefghzz")]);
    assert_eq!(redact(&set, "aab3cdefghzz"), "[REDACTED:outer]");
    assert_eq!(redact(&set, "aab3cdefghz"), "aa[REDACTED:inner]z");
}

#[test]
fn values_that_only_touch_are_two_findings() {
    let set = known(&[("a", "first-secret-1"), ("b", "second-secret-2")]);
    assert_eq!(
        redact(&set, "first-secret-1second-secret-2first-secret-1"),
        "[REDACTED:a][REDACTED:b][REDACTED:a]"
    );
}

#[test]
fn a_periodic_value_is_covered_to_its_last_byte() {
    let set = known(&[("p", "abcdef1abcdef1")]);
    let text = format!("{}ab", "abcdef1".repeat(5));
    assert_eq!(redact(&set, text), "[REDACTED:p]ab");
}

#[test]
fn base64_is_found_at_every_alignment_in_every_dialect() {
    let set = known(&[("k", SECRET)]);
    for before in ["", "u", "us", "usr", "user:", "Basic auth: "] {
        for after in ["", "\n", "\r\n", "xyz", "?"] {
            let plain = format!("{before}{SECRET}{after}");
            for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&plain);
                // What does not depend on the value must stay as it is.
                let head = before.len() * 8 / 6;
                let tail = (before.len() + SECRET.len()) * 8;
                let tail = tail.div_ceil(6);
                let expected = format!("\"{}[REDACTED:k]{}\"", &encoded[..head], &encoded[tail..]);
                assert_eq!(
                    redact(&set, format!("\"{encoded}\"")),
                    expected,
                    "{plain:?}"
                );
            }
        }
    }
}

#[test]
fn the_value_above_needs_both_alphabets() {
    let encoded: String = (0..3)
        .map(|n| STANDARD.encode(format!("{}{SECRET}", "u".repeat(n))))
        .collect();
    assert!(encoded.contains('+') && encoded.contains('/'), "{encoded}");
}

#[test]
fn padding_stays() {
    let set = known(&[("k", "t0ken-abcde")]);
    let encoded = STANDARD.encode("x:t0ken-abcde\n");
    assert!(encoded.ends_with('='));
    let out = redact(&set, format!("{encoded}&next=1"));
    assert!(out.ends_with("=&next=1"), "{out}");
    assert_eq!(out.matches('=').count(), encoded.matches('=').count() + 1);
}

#[test]
fn only_a_neighbour_with_bits_of_the_value_is_masked_with_it() {
    // Two bytes before the value: the third character holds its top two bits.
    let set = known(&[("k", "t0ken-abcdefg")]);
    let encoded = STANDARD_NO_PAD.encode("..t0ken-abcdefg");
    let needle = &encoded[3..];
    let beside = |left: &str| redact(&set, format!("{left}{needle}"));
    assert_eq!(beside(&encoded[2..3]), "[REDACTED:k]");
    for stranger in ["\"", "'", " ", "\n", "=", ":", ",", "\u{e9}", "-", "_"] {
        assert_eq!(beside(stranger), format!("{stranger}[REDACTED:k]"));
    }
    // `t` is 0b01110100: a neighbour that ends in other bits than 01 is not its.
    assert_eq!(beside("A"), "A[REDACTED:k]");
    assert_eq!(beside("B"), "[REDACTED:k]");

    // On the right, `g` leaves bits in one more character.
    let set = known(&[("k", "t0ken-abcdef")]);
    let whole = STANDARD_NO_PAD.encode("t0ken-abcdef");
    assert_eq!(
        redact(&set, format!("{whole}Q")),
        "[REDACTED:k]Q",
        "no bits left over"
    );
    let set = known(&[("k", "t0ken-abcdefg")]);
    let encoded = STANDARD_NO_PAD.encode("t0ken-abcdefg");
    let (needle, last) = encoded.split_at(encoded.len() - 1);
    for after in ["", "\"", " ", "\n", "=", "==", "?", "\0"] {
        assert_eq!(
            redact(&set, format!("{needle}{after}")),
            format!("[REDACTED:k]{after}")
        );
        let out = redact(&set, format!("{needle}{last}{after}"));
        assert_eq!(out, format!("[REDACTED:k]{after}"));
    }
}

#[test]
fn values_that_differ_in_their_last_bits_keep_their_names_in_base64() {
    let set = known(&[("one", "t0ken-value-1"), ("two", "t0ken-value-2")]);
    for (name, value) in [("one", "t0ken-value-1"), ("two", "t0ken-value-2")] {
        for before in ["", "u", "us"] {
            let out = redact(&set, STANDARD.encode(format!("{before}{value}")));
            assert!(out.contains(&format!("[REDACTED:{name}]")), "{out}");
        }
    }
}

#[test]
fn a_nested_value_widens_what_the_longer_one_does_not() {
    // Both needles match; only the shorter one's last bits do.
    let set = known(&[
        ("long", "prefix-t0ken-value-1"),
        ("short", "-t0ken-value-2"),
    ]);
    let encoded = STANDARD_NO_PAD.encode("prefix-t0ken-value-2");
    let (out, findings) = redact_all(&set, format!("{encoded}.").as_bytes());
    assert_eq!(out, b"[REDACTED:long].");
    assert_eq!(told(&findings), [(0, 27, "base64", Some("long"))]);
}

#[test]
fn base64_that_is_too_uniform_is_not_searched_for() {
    let value = STANDARD.decode("ABCDEEDCBAAB").expect("base64");
    let mut named = Known::new();
    assert!(named.add(Some("k"), &value).is_searched());
    let set = named.build();
    assert_eq!(redact(&set, "ABCDEEDCBAAB"), "ABCDEEDCBAAB");
    assert_eq!(redact_all(&set, &value).0, b"[REDACTED:k]");
}

#[test]
fn each_telling_line_of_a_multi_line_value_is_found_alone() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\nAQEFAASCBKcwgg5jAgEAAoIB\nshort1==\n-----END PRIVATE KEY-----\n";
    let set = known(&[("pem", pem)]);
    assert_eq!(redact(&set, format!("{pem}.")), "[REDACTED:pem].");
    assert_eq!(
        redact(&set, pem.trim_end()),
        "[REDACTED:pem]",
        "final line break dropped"
    );
    assert_eq!(
        redact(&set, pem.replace("short1==\n", "")),
        "-----BEGIN PRIVATE KEY-----\n[REDACTED:pem]\n[REDACTED:pem]\n-----END PRIVATE KEY-----\n"
    );
    let line = STANDARD.encode("> AQEFAASCBKcwgg5jAgEAAoIB\n");
    assert!(redact(&set, line).contains("[REDACTED:pem]"));
}

#[test]
fn a_terminal_s_line_breaks_hide_nothing() {
    // No line of it tells anything alone.
    let json = "{\n  \"user\": \"a b c d e f g\",\n  \"key\": \"zyx wvu tsr 123\"\n}";
    let set = known(&[("json", json)]);
    assert_eq!(redact(&set, json.replace('\n', "\r\n")), "[REDACTED:json]");
    let dos = json.replace('\n', "\r\n");
    let set = known(&[("json", &dos)]);
    assert_eq!(redact(&set, &dos), "[REDACTED:json]");
    assert_eq!(redact(&set, format!(">{json}<")), ">[REDACTED:json]<");
}

#[test]
fn base64_in_lines_is_found() {
    let value: String = (0..100).map(|n| format!("{:02x}", n * 37 % 251)).collect();
    let set = known(&[("k", &value)]);
    for text in [value.clone(), format!("{value}\n")] {
        let encoded = STANDARD.encode(text);
        for width in [60, 64, 76] {
            for breaks in ["\n", "\r\n"] {
                let lines: Vec<&str> = encoded
                    .as_bytes()
                    .chunks(width)
                    .map(|line| std::str::from_utf8(line).expect("ASCII"))
                    .collect();
                let out = redact(&set, format!("{}{breaks}", lines.join(breaks)));
                let left = out.replace("[REDACTED:k]", "");
                assert!(
                    out.starts_with("[REDACTED:k]") && left.len() <= 6,
                    "{out:?}"
                );
            }
        }
    }
}

#[test]
fn a_long_prefix_or_suffix_is_masked_wherever_it_is() {
    let set = known(&[("k", "k3y-0123456789-abcdefghij")]);
    assert_eq!(redact(&set, ">k3y-01234567"), ">[REDACTED:k]");
    assert_eq!(
        redact(&set, ">k3y-0123456"),
        ">k3y-0123456",
        "11 characters"
    );
    assert_eq!(redact(&set, ">k3y-0123456789-a\n"), ">[REDACTED:k]\n");
    assert_eq!(redact(&set, "(9-abcdefghij)"), "([REDACTED:k])");
    assert_eq!(redact(&set, "(-abcdefghij)"), "(-abcdefghij)");
    assert_eq!(
        redact(&set, "(6789-abcdefghi)"),
        "(6789-abcdefghi)",
        "neither"
    );
    let (_, findings) = redact_all(&set, b">k3y-0123456789-abc");
    assert_eq!(told(&findings), [(1, 19, "truncated", Some("k"))]);
    // A vendor's prefix is public and does not count.
    let set = known(&[("k", "sk-ant-api03-0123456789abcdef")]);
    assert_eq!(
        redact(&set, "sk-ant-api03-0123456789a"),
        "sk-ant-api03-0123456789a"
    );
    assert_eq!(redact(&set, "sk-ant-api03-0123456789ab"), "[REDACTED:k]");
    // Nor has it to be there.
    assert_eq!(redact(&set, "key 0123456789ab..."), "key [REDACTED:k]...");
    assert_eq!(redact(&set, "key 0123456789a..."), "key 0123456789a...");
    // Base64 is not truncated: that is for the exact form alone.
    let encoded = STANDARD.encode("sk-ant-api03-0123456789abcdef");
    assert_eq!(redact(&set, &encoded[..16]), &encoded[..16]);
}

#[test]
fn names_that_would_break_the_text_or_betray_a_value_are_left_out() {
    for name in [
        "a\"b",
        "a\\b",
        "a\nb",
        "a[b",
        "a]b",
        "a\u{85}b",
        "x/other-s3cret",
    ] {
        let set = known(&[(name, "hunter2-s3cret"), ("other", "other-s3cret")]);
        assert_eq!(redact(&set, "hunter2-s3cret"), "[REDACTED]", "{name:?}");
        let (_, findings) = redact_all(&set, b"hunter2-s3cret");
        assert_eq!(findings[0].key.as_deref(), Some(name));
    }
    let set = known(&[("caf\u{e9}/cl\u{e9} 1", "hunter2-s3cret")]);
    assert_eq!(
        redact(&set, "hunter2-s3cret"),
        "[REDACTED:caf\u{e9}/cl\u{e9} 1]"
    );
}

#[test]
fn binary_text_passes_byte_for_byte() {
    let value = [0u8, 255, 1, 254, 2, 253, 10, 13, 0];
    let mut named = Known::new();
    assert!(named.add(Some("bin"), &value).is_searched());
    let set = named.build();
    let noise: Vec<u8> = (0..=255u8).rev().collect();
    let input = [&noise[..], &value, &noise, &value, &[0xC3]].concat();
    let expected = [
        &noise[..],
        b"[REDACTED:bin]",
        &noise,
        b"[REDACTED:bin]",
        &[0xC3],
    ]
    .concat();
    assert_eq!(redact_all(&set, &input).0, expected);
}

#[test]
fn json_strings_stay_json_strings() {
    let set = known(&[("k", "hunter2-s3cret")]);
    let json = r#"{"key": "hunter2-s3cret", "basic": "dTpodW50ZXIyLXMzY3JldA=="}"#;
    assert_eq!(
        redact(&set, json),
        r#"{"key": "[REDACTED:k]", "basic": "dT[REDACTED:k]=="}"#
    );
}

#[test]
fn replacements_are_not_searched_again() {
    let set = known(&[("k", "hunter2-s3cret"), ("odd", "x[REDACTED:k")]);
    assert_eq!(redact(&set, "xhunter2-s3cret"), "x[REDACTED:k]");
}

#[test]
fn the_empty_set_passes_everything_at_once() {
    let mut redactor = KnownSet::empty().redactor();
    let mut out = Vec::new();
    redactor.push(b"anything \xff at all", &mut out);
    assert_eq!(out, b"anything \xff at all");
    assert_eq!((redactor.held_back(), redactor.deadline()), (0, None));
    redactor.finish(&mut out);
    assert_eq!(out.len(), 17);
    assert_eq!(redactor.position(), 17);
    assert!(redactor.findings().is_empty() && KnownSet::empty().is_empty());
}

#[test]
fn offsets_count_on_over_several_streams() {
    let set = known(&[("k", "hunter2-s3cret")]);
    let mut redactor = set.redactor();
    let mut out = Vec::new();
    for _ in 0..2 {
        redactor.push(b"..hunter2-", &mut out);
        redactor.finish(&mut out);
        // The other half belongs to another stream.
        redactor.push(b"s3cret hunter2-s3cret", &mut out);
        redactor.finish(&mut out);
    }
    let once = "..hunter2-s3cret [REDACTED:k]";
    assert_eq!(String::from_utf8_lossy(&out), once.repeat(2));
    let places: Vec<(u64, u64)> = redactor
        .findings()
        .iter()
        .map(|f| (f.start, f.end))
        .collect();
    assert_eq!(places, [(17, 31), (48, 62)]);
}

#[test]
fn forms_have_stable_names() {
    let names = [Form::Exact, Form::Base64, Form::Truncated, Form::Partial].map(Form::name);
    assert_eq!(names, ["exact", "base64", "truncated", "partial"]);
}

#[test]
fn debug_forms_show_no_value() {
    let mut named = Known::new();
    assert!(named.add(Some("k"), b"canary-v4lue").is_searched());
    let forms = format!("{named:?}");
    let set = named.build();
    let mut redactor = set.redactor();
    let mut out = Vec::new();
    redactor.push(b"canary-v4l", &mut out);
    let forms = format!("{forms} {set:?} {redactor:?}");
    assert!(
        !forms.contains("canary") && !forms.contains("99, 97, 110"),
        "{forms}"
    );
    assert!(
        forms.contains("values: 1") && forms.contains("held_back: 10"),
        "{forms}"
    );
}

#[test]
fn redactors_move_between_threads() {
    fn is_send<T: Send>() {}
    fn is_shared<T: Send + Sync + Clone>() {}
    is_send::<subrosa_redact::Redactor>();
    is_send::<Finding>();
    is_shared::<KnownSet>();
}

#[test]
fn digests_are_found_where_they_are_asked_for() {
    // `printf %s correct-h0rse | sha256sum`, and with `echo` instead; the same of md5sum.
    let digests = [
        "de3d53eeeab143c139b5adf80ee7d09d0eecccb64b86fcd1c121b836e02e66a5",
        "3j1T7uqxQ8E5ta34DufQnQ7szLZLhvzRwSG4NuAuZqU=",
        "5e1ae8b2b6fe09699cd76098b63abec4",
        "Xhrosrb+CWmc12CYtjq+xA==",
        "3500a9051f367a6b74223d28501c799cd60d25caf9fae4140961d8633b9ec1c2",
        "NQCpBR82emt0Ij0oUBx5nNYNJcr5+uQUCWHYYzuewcI=",
        "4bd70d1dfb533392f311cb915009a145",
        "S9cNHftTM5LzEcuRUAmhRQ==",
    ];
    let mut known = Known::new();
    assert!(known.add(Some("k"), b"correct-h0rse").is_searched());
    let plain = known.clone().build();
    let hashed = known.with_hashes().build();
    for digest in digests {
        let upper = digest.to_uppercase();
        let text = match digest.ends_with('=') {
            true => format!("sum {digest} -\n"),
            false => format!("sum {digest}  -\nsum {upper}\n"),
        };
        assert_eq!(redact(&plain, &text), text, "not without being asked");
        let (_, findings) = redact_all(&hashed, text.as_bytes());
        let forms: Vec<Form> = findings.iter().map(|one| one.form).collect();
        assert!(
            !forms.is_empty() && forms.iter().all(|form| *form == Form::Hash),
            "{digest}"
        );
        let out = redact(&hashed, &text);
        assert!(!out.contains(&digest[..digest.len() - 1]), "{digest}");
        assert!(!out.contains(&upper[..upper.len() - 1]), "{digest}");
    }
}

/// Binary values as languages print them: what each writes is worked out here by hand.
#[test]
fn short_escapes_are_those_of_the_language() {
    let value = b"\x08N\xfb\x19\n\xb0\xc1\x8a\x07q\x1bZ\x0b\\e'7";
    let mut named = Known::new();
    assert!(named.add(Some("k"), value).is_searched());
    let set = named.build();
    for (language, text) in [
        ("Python", r"\x08N\xfb\x19\n\xb0\xc1\x8a\x07q\x1bZ\x0b\\e\'7"),
        (
            "Python, other quotes",
            r"\x08N\xfb\x19\n\xb0\xc1\x8a\x07q\x1bZ\x0b\\e'7",
        ),
        ("Go", r"\bN\xfb\x19\n\xb0\xc1\x8a\aq\x1bZ\v\\e'7"),
        ("C", r"\bN\373\031\n\260\301\212\aq\033Z\v\\e'7"),
        ("Ruby", r"\bN\xFB\x19\n\xB0\xC1\x8A\aq\eZ\v\\e'7"),
        ("Bash", r"\bN\373\031\n\260\301\212\aq\EZ\v\\e\'7"),
        ("SQL", r"\010N\373\031\012\260\301\212\007q\033Z\013\\e'7"),
    ] {
        assert_eq!(
            redact(&set, format!("({text})")),
            "([REDACTED:k])",
            "{language}"
        );
    }
}
