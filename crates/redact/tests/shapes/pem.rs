//! Private keys in PEM, as they appear in files and logs.

use subrosa_redact::shapes::Shapes;

const BODY: [&str; 4] = [
    "MHcCAQEEIIrxZ5mYw8k3LQp0Jt2vRbN1dXcU7eSgHfAo9TzqWlKjoAoGCCqGSM49",
    "AwEHoUQDQgAEz3V0mXnT6yPq1sKdLw8uRjCf5bGhJ7xEoI2aYt9vNkMlQpWrZsUe",
    "+4cHgBdFi0OyXqJpLmTnVwRzKsAuEjDbCfGhIoPaStUvWxYz1234kLmNoPqRsTuV",
    "Q7e9/A==",
];

/// Each finding's text, and that its rule is `rule`.
fn found(rule: &str, text: &str) -> Vec<String> {
    let shapes = Shapes::builtin();
    let mut found = Vec::new();
    shapes.find(text.as_bytes(), 0, &mut found);
    for finding in &found {
        assert_eq!(shapes.rules()[finding.rule].id, rule, "{text}");
    }
    let slice = |at: u64| usize::try_from(at).unwrap();
    found
        .iter()
        .map(|f| text[slice(f.start)..slice(f.end)].to_owned())
        .collect()
}

/// A block whose lines each come out of `line`; the finding must reach from
/// the first body byte to the last.
fn lines(line: impl Fn(usize, &str) -> String) {
    let begin = "-----BEGIN EC PRIVATE KEY-----";
    let end = "-----END EC PRIVATE KEY-----";
    let all = [begin].into_iter().chain(BODY).chain([end]);
    let mut text: String = all.enumerate().map(|(at, text)| line(at, text)).collect();
    text.push_str("after all of it\n");
    let found = found("pem-ec-private-key", &text);
    assert_eq!(found.len(), 1, "{text}");
    assert!(found[0].starts_with(BODY[0]), "{text}\ngave {found:?}");
    assert!(found[0].ends_with(BODY[3]), "{text}\ngave {found:?}");
}

#[test]
fn prefixes_and_suffixes_of_lines() {
    lines(|_, text| format!("{text}\n"));
    lines(|_, text| format!("{text}\r\n"));
    lines(|_, text| format!("      {text}\n"));
    lines(|_, text| format!("\t{text}\n"));
    lines(|_, text| format!("> {text}\n"));
    lines(|_, text| format!(">> {text}\n"));
    lines(|_, text| format!("+{text}\n"));
    lines(|_, text| format!("# {text}\n"));
    lines(|_, text| format!("{text}\\n\\\n"));
    lines(|_, text| format!("    \"{text}\\n\" +\n"));
    lines(|_, text| format!("  '{text}',\n"));
    lines(|_, text| format!("{text}\n\n"));
    lines(|at, text| format!("2026-03-14T09:26:5{at}.123Z {text}\n"));
    lines(|at, text| format!("2026-03-14T09:26:5{at}.123Z INFO app: {text}\n"));
    lines(|_, text| format!("web-1  | {text}\n"));
}

/// A prefix that grows: the short last line is known by its number of words.
#[test]
fn a_prefix_of_changing_length() {
    lines(|at, text| format!("[{}] out {text}\n", 9 * at + 2));
}

#[test]
fn in_one_line() {
    let begin = "-----BEGIN EC PRIVATE KEY-----";
    let end = "-----END EC PRIVATE KEY-----";
    for (open, join, close) in [
        ("{\"key\": \"", "\\n", "\\n\"}"),
        ("KEY='", "\\n", "'"),
        ("KEY=\"", "\\\\n", "\\\\n\""),
        ("key: \"", "\\r\\n", "\""),
        ("export KEY=", " ", ""),
    ] {
        let body = BODY.join(join);
        let text = format!("{open}{begin}{join}{body}{join}{end}{close} tail\n");
        assert_eq!(found("pem-ec-private-key", &text), [body], "{text}");
    }
}

#[test]
fn headers_are_no_body() {
    let text = format!(
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n{}\n\
         -----END RSA PRIVATE KEY-----\n",
        BODY.join("\n")
    );
    assert_eq!(found("pem-rsa-private-key", &text), [BODY.join("\n")]);
}

/// A log that was cut off still holds most of a key.
#[test]
fn without_an_end() {
    let text = format!("-----BEGIN PRIVATE KEY-----\n{}\n{}\n", BODY[0], BODY[1]);
    assert_eq!(found("pem-private-key", &text), [BODY[..2].join("\n")]);
    let text = format!("{text}\nand the log goes on, at length\nword\n");
    assert_eq!(found("pem-private-key", &text), [BODY[..2].join("\n")]);
    let text = format!("\"-----BEGIN PRIVATE KEY-----\\n{}... (cut)\n", BODY[0]);
    assert_eq!(found("pem-private-key", &text), [BODY[0]]);
}

#[test]
fn nested_and_repeated_boundaries() {
    let begin = "-----BEGIN PRIVATE KEY-----\n";
    let body = BODY.join("\n");
    let text = format!("{begin}{begin}{body}\n-----END PRIVATE KEY-----\n");
    assert_eq!(found("pem-private-key", &text), [body.as_str()]);
    let text = format!("{begin}{body}\n{begin}{body}\n-----END PRIVATE KEY-----\n");
    assert_eq!(
        found("pem-private-key", &text),
        [body.as_str(), body.as_str()]
    );
}

#[test]
fn what_is_no_key_passes() {
    for text in [
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMIIE...\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nthen\ncomes\nthe\nkey\n",
        "look for -----BEGIN PRIVATE KEY----- in the file and remove it\n",
        "if line.startswith(\"-----BEGIN PRIVATE KEY-----\"):\n    return None\n",
        "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        assert_eq!(found("", text), [""; 0], "{text}");
    }
    let public = BODY.join("\n");
    let text = format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n");
    assert_eq!(found("", &text), [""; 0]);
}
