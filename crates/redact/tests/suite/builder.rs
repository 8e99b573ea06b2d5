//! `Redactor::builder()`: what each option does, and what it is without.

use subrosa_redact::{Added, Redactor, RedactorBuilder};

const VALUE: &[u8] = b"hunter2-s3cret-k9";

fn redacted(builder: RedactorBuilder, text: &[u8]) -> String {
    let mut redactor = builder.build().expect("all are searched for");
    let mut out = Vec::new();
    redactor.push(text, &mut out);
    redactor.finish(&mut out);
    String::from_utf8(out).expect("text")
}

#[test]
fn values_with_and_without_a_name() {
    let builder = Redactor::builder()
        .value(b"an0ther-value-77")
        .named("k", VALUE)
        // The first name stays, and a value gets the one that it had not.
        .named("other", VALUE)
        .named("late", b"an0ther-value-77");
    let text = b"hunter2-s3cret-k9 an0ther-value-77";
    assert_eq!(redacted(builder, text), "[REDACTED:k] [REDACTED:late]");
}

#[test]
fn without_values_everything_passes() {
    assert_eq!(
        redacted(Redactor::builder(), b"hunter2-s3cret-k9"),
        "hunter2-s3cret-k9"
    );
}

#[test]
fn the_folded_view_can_be_turned_off_and_on() {
    let torn = b"hunter2-s3\ncret-k9";
    let builder = || Redactor::builder().value(VALUE);
    assert_eq!(redacted(builder(), torn), "[REDACTED]");
    assert_eq!(redacted(builder().fold(false), torn), "hunter2-s3\ncret-k9");
    assert_eq!(
        redacted(builder().fold(false).fold(true), torn),
        "[REDACTED]"
    );
}

#[test]
fn shapes_are_looked_for_when_asked_for() {
    let text = b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3R0\n-----END PRIVATE KEY-----\n";
    let plain = redacted(Redactor::builder().value(VALUE), text);
    assert_eq!(plain.as_bytes(), text);
    let shaped = redacted(Redactor::builder().value(VALUE).shapes(true), text);
    assert!(
        shaped.contains("[REDACTED") && !shaped.contains("MC4CAQ"),
        "{shaped}"
    );
}

#[test]
fn somebody_who_watches_sees_short_runs_at_once() {
    for (watched, expected) in [(false, "> "), (true, "> h#u#")] {
        let builder = Redactor::builder().value(VALUE).interactive(watched);
        let mut redactor = builder.build().expect("searched for");
        let mut out = Vec::new();
        redactor.push(b"> h#u#", &mut out);
        assert_eq!(out, expected.as_bytes());
    }
}

#[test]
fn findings_beyond_the_limit_are_counted() {
    let builder = Redactor::builder().value(VALUE).listing(2);
    let mut redactor = builder.build().expect("searched for");
    let mut out = Vec::new();
    redactor.push(&[VALUE, b" "].concat().repeat(5), &mut out);
    redactor.finish(&mut out);
    assert_eq!(redactor.findings().len(), 2);
    assert_eq!(redactor.counts().total(), 5);
}

#[test]
fn what_would_not_be_searched_for_is_an_error_without_the_value() {
    let builder = Redactor::builder()
        .value(VALUE)
        .named("word", b"production");
    let error = builder.clone().value(b"4711").build().expect_err("a word");
    assert_eq!((error.position, error.why), (2, Added::CommonWord));
    assert_eq!(
        error.to_string(),
        "value 2 would not be masked, because it is a common word; force it, or leave it out"
    );
    let shown = format!("{builder:?}");
    assert!(
        !shown.contains("production") && !shown.contains("hunter2"),
        "{shown}"
    );
    let forced = Redactor::builder().forced(Some("word"), b"production");
    assert_eq!(redacted(forced, b"in production"), "in [REDACTED:word]");
    let error = Redactor::builder().forced(None, b"abc").build();
    assert_eq!(error.expect_err("three bytes").why, Added::TooShort);
}
