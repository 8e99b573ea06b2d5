//! The lines of `redact --jsonl`, good and bad.

use serde_json::{Value, json};

use crate::cases::{decoded, encoded};
use crate::program::{asked_raw, redact};

const VALUE: &str = "canary-7Hq2Xw9Lm4Rt";
const OTHER: &str = "another-3Kd8Vn6Bz1Ys";

/// A line that asks; `change` makes it worse.
fn line(input: &[u8], change: impl FnOnce(&mut Value)) -> String {
    let mut asked = json!({
        "id": "one",
        "secrets_b64": [encoded(VALUE.as_bytes())],
        "keys": ["api/token"],
        "input_b64": encoded(input),
        "chunks": null,
    });
    change(&mut asked);
    asked.to_string()
}

/// The output for these secrets with these names.
fn output(secrets: &[(&str, &str)], options: &[&str], input: &[u8]) -> Vec<u8> {
    let asked = line(input, |asked| {
        let values = secrets.iter().map(|(_, value)| encoded(value.as_bytes()));
        asked["secrets_b64"] = values.collect();
        asked["keys"] = secrets.iter().map(|&(key, _)| key).collect();
    });
    let done = redact(options, &[asked]);
    assert_eq!((done.status, done.answers.len()), (0, 1), "{}", done.err);
    assert!(
        done.answers[0].get("error").is_none(),
        "{}",
        done.answers[0]
    );
    decoded(&done.answers[0]["output_b64"])
}

fn text(secrets: &[(&str, &str)], input: &str) -> String {
    String::from_utf8(output(secrets, &[], input.as_bytes())).expect("UTF-8")
}

const ONE: &[(&str, &str)] = &[("api/token", VALUE)];

#[test]
fn an_answer_has_the_output_and_where_the_value_stood() {
    let input = format!("a {VALUE} b");
    let done = redact(&[], &[line(input.as_bytes(), |_| ())]);
    let answer = &done.answers[0];
    assert_eq!(answer["id"], "one");
    assert_eq!(decoded(&answer["output_b64"]), b"a [REDACTED:api/token] b");
    let findings = answer["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{findings:?}");
    let found = &findings[0];
    assert_eq!(
        (&found["start"], &found["end"], &found["key"]),
        (&json!(2), &json!(2 + VALUE.len()), &json!("api/token"))
    );
    assert!(found["form"].is_string(), "{found}");
    assert!(!String::from_utf8_lossy(&done.out).contains(VALUE));
}

#[test]
fn a_bad_line_is_answered_and_the_next_one_too() {
    let input = format!("x {VALUE} y");
    let input = input.as_bytes();
    let raw = VALUE.as_bytes();
    let bad: Vec<String> = vec![
        "{".to_owned(),
        format!("not JSON with {VALUE}"),
        format!("\"{VALUE}\""),
        "[]".to_owned(),
        "null".to_owned(),
        "17".to_owned(),
        "{}".to_owned(),
        "[".repeat(100_000),
        "{\"id\":".repeat(50_000),
        line(input, |asked| asked["input_b64"] = json!(VALUE)),
        line(input, |asked| asked["input_b64"] = json!("=====")),
        line(input, |asked| asked["input_b64"] = json!(17)),
        line(input, |asked| asked["input_b64"] = Value::Null),
        line(input, |asked| {
            asked["secrets_b64"] = json!([format!("{VALUE}!")])
        }),
        line(input, |asked| asked["secrets_b64"] = json!(VALUE)),
        line(input, |asked| {
            asked["secrets_b64"] = json!([[encoded(raw)]])
        }),
        line(input, |asked| {
            asked["secrets_b64"] = json!({ "a": encoded(raw) })
        }),
        line(input, |asked| asked["keys"] = json!("api/token")),
        line(input, |asked| asked["keys"] = json!([17])),
        line(input, |asked| asked["chunks"] = json!([5, 3])),
        line(input, |asked| asked["chunks"] = json!([9999])),
        line(input, |asked| asked["chunks"] = json!([-1])),
        line(input, |asked| asked["chunks"] = json!([1.5])),
        line(input, |asked| asked["chunks"] = json!("all")),
        line(input, |asked| {
            asked["chunks"] = json!([18_446_744_073_709_551_615_u64])
        }),
        format!("{}x", line(input, |_| ())),
    ];
    let mut lines = Vec::new();
    for one in &bad {
        lines.push(one.clone());
        lines.push(line(input, |asked| asked["id"] = json!("good")));
    }
    let done = redact(&[], &lines);
    assert_eq!(
        done.answers.len(),
        lines.len(),
        "one answer a line: {}",
        done.err
    );
    for (asked, two) in bad.iter().zip(done.answers.chunks(2)) {
        let shown: String = asked.chars().take(200).collect();
        assert!(two[0]["error"].is_string(), "{shown}: {}", two[0]);
        assert!(two[0].get("id").is_some(), "{shown}: {}", two[0]);
        assert!(two[0].get("output_b64").is_none(), "{shown}: {}", two[0]);
        assert_eq!(two[1]["id"], "good", "{shown}");
        assert_eq!(decoded(&two[1]["output_b64"]), b"x [REDACTED:api/token] y");
    }
    assert_eq!(done.status, 0, "every line was answered");
    for said in [String::from_utf8_lossy(&done.out).into_owned(), done.err] {
        assert!(!said.contains(VALUE), "{said}");
        assert!(!said.contains(&encoded(raw)), "{said}");
    }
}

#[test]
fn a_bad_line_keeps_its_id() {
    let asked = line(b"text", |asked| asked["chunks"] = json!([3, 1]));
    let done = redact(&[], &[asked]);
    assert_eq!(done.answers[0]["id"], "one", "{}", done.answers[0]);
    assert!(done.answers[0]["error"].is_string());
}

#[test]
fn bytes_that_are_no_text_are_a_bad_line() {
    let mut asked = b"\xff\xfe\x00{\n".to_vec();
    asked.extend(line(VALUE.as_bytes(), |_| ()).as_bytes());
    let done = asked_raw(&[], &asked);
    assert_eq!(done.answers.len(), 2, "{}", done.err);
    assert!(done.answers[0]["error"].is_string());
    assert_eq!(
        decoded(&done.answers[1]["output_b64"]),
        b"[REDACTED:api/token]"
    );
}

#[test]
fn nothing_asked_is_nothing_answered() {
    let done = asked_raw(&[], b"");
    assert_eq!(
        (done.status, done.out.as_slice()),
        (0, &b""[..]),
        "{}",
        done.err
    );
}

#[test]
fn without_names_the_mark_has_none() {
    for absent in [true, false] {
        let asked = line(VALUE.as_bytes(), |asked| {
            asked["keys"] = Value::Null;
            if absent {
                asked.as_object_mut().expect("an object").remove("keys");
            }
        });
        let done = redact(&[], &[asked]);
        let answer = &done.answers[0];
        if !absent && answer.get("error").is_some() {
            continue;
        }
        assert_eq!(decoded(&answer["output_b64"]), b"[REDACTED]", "{answer}");
        assert_eq!(answer["findings"][0]["key"], Value::Null);
    }
}

#[test]
fn empty_texts_and_empty_lists_are_fine() {
    assert_eq!(output(ONE, &[], b""), b"");
    assert_eq!(output(&[], &[], VALUE.as_bytes()), VALUE.as_bytes());
    assert_eq!(output(&[("empty", "")], &[], b"some text"), b"some text");
    let both = [("empty", ""), ("api/token", VALUE)];
    assert_eq!(
        output(&both, &[], VALUE.as_bytes()),
        b"[REDACTED:api/token]"
    );
}

#[test]
fn a_large_text_is_answered_whole() {
    let mut input = format!("{VALUE}\n").into_bytes();
    for number in 0..200_000 {
        input.extend(format!("line {number} of an ordinary log\n").as_bytes());
    }
    input.extend(VALUE.as_bytes());
    let mut expected = b"[REDACTED:api/token]".to_vec();
    expected.extend(&input[VALUE.len()..input.len() - VALUE.len()]);
    expected.extend(b"[REDACTED:api/token]");
    assert!(
        output(ONE, &[], &input) == expected,
        "only the two places changed"
    );
}

#[test]
fn values_below_the_limits_are_left() {
    for small in [
        "hunter2",
        "abcabcabcabc",
        "1111111111111111",
        "x",
        "zzzzzzzz",
        "a\nb",
    ] {
        let input = format!("{small} and {small}{small}, \"{small}\"");
        assert_eq!(text(&[("small", small)], &input), input);
    }
}

#[test]
fn common_words_are_left() {
    for word in ["password", "localhost", "production", "changeme"] {
        let input = format!("the {word} is {word}");
        assert_eq!(text(&[("word", word)], &input), input);
    }
}

#[test]
fn overlapping_secrets_are_one_finding_named_after_the_longest() {
    let longer = format!("more-5-{VALUE}-and-more-6");
    let nested = [("short", VALUE), ("long", longer.as_str())];
    assert_eq!(text(&nested, &format!("<{longer}>")), "<[REDACTED:long]>");
    assert_eq!(text(&nested, &format!("<{VALUE}>")), "<[REDACTED:short]>");
    let turned = [nested[1], nested[0]];
    assert_eq!(text(&turned, &format!("<{longer}>")), "<[REDACTED:long]>");
    let whole = format!("{VALUE}{OTHER}");
    let (first, last) = (&whole[..24], &whole[10..]);
    let chained = [("first", first), ("last", last)];
    assert_eq!(text(&chained, &format!("<{whole}>")), "<[REDACTED:last]>");
}

#[test]
fn secrets_side_by_side_are_two_findings() {
    let both = [("one", VALUE), ("two", OTHER)];
    assert_eq!(
        text(&both, &format!("{VALUE}{OTHER}")),
        "[REDACTED:one][REDACTED:two]"
    );
    assert_eq!(
        text(&both, &format!("{VALUE}{VALUE}")),
        "[REDACTED:one][REDACTED:one]"
    );
}

#[test]
fn what_was_put_in_is_not_read_again() {
    let within = [("api/token", VALUE), ("loud", "x9[REDACTED:api/token")];
    let given = text(&within, &format!("x9{VALUE}"));
    // The name may be left out, as it would show what another value begins with.
    assert!(
        ["x9[REDACTED:api/token]", "x9[REDACTED]"].contains(&given.as_str()),
        "{given}"
    );
}

#[test]
fn json_stays_json() {
    let value = "a\"b\\c/9dEf7Gh<2jKl&m";
    let input = json!({ "token": value, "list": [value, 1], "text": format!("so {value}\n") });
    for input in [input.to_string(), json!(input.to_string()).to_string()] {
        let given = text(&[("api/token", value)], &input);
        let read: Result<Value, _> = serde_json::from_str(&given);
        assert!(read.is_ok(), "{given}");
        assert_eq!(given.matches("[REDACTED:api/token]").count(), 3, "{given}");
    }
}

#[test]
fn without_the_folded_view_only_the_torn_value_is_left() {
    let (front, back) = VALUE.split_at(10);
    let input = format!("{front} {VALUE} {front}\n{back}");
    let plain = output(ONE, &["--no-fold"], input.as_bytes());
    let expected = input.replacen(&format!(" {VALUE} "), " [REDACTED:api/token] ", 1);
    assert_eq!(String::from_utf8_lossy(&plain), expected);
    let folded = output(ONE, &[], input.as_bytes());
    let expected = format!("{front} [REDACTED:api/token] [REDACTED:api/token]");
    assert_eq!(String::from_utf8_lossy(&folded), expected);
}

#[test]
fn hashes_and_shapes_are_not_searched_for() {
    let digest = "6314f95e80c8f126556f39e2ab2bfe0621180525aed5fc4c5464e17710cc7c88";
    let input = format!("sha256 {digest} and ghp_{}", "1a2B3c4D5e6F".repeat(3));
    assert_eq!(
        text(
            &[("api/token", "1234567890-not-it"), ("n", "12345")],
            &input
        ),
        input
    );
}

#[test]
fn a_hundred_secrets_are_told_apart() {
    let secrets: Vec<(String, String)> = (0..100)
        .map(|n| {
            (
                format!("key/{n}"),
                format!("v{n:03}-qW8eR2tY{:05}zX", n * 977),
            )
        })
        .collect();
    let secrets: Vec<(&str, &str)> = secrets
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let input: String = secrets
        .iter()
        .map(|(_, value)| format!("{value}\n"))
        .collect();
    let expected: String = secrets
        .iter()
        .map(|(key, _)| format!("[REDACTED:{key}]\n"))
        .collect();
    assert_eq!(text(&secrets, &input), expected);
}
