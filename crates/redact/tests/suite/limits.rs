//! What is searched for at all.

use subrosa_redact::{Added, Known, why_not_searched};

use crate::{known, redact};

#[test]
fn each_value_gets_its_verdict() {
    let table: [(&str, Added, Added); 9] = [
        ("abc", Added::TooShort, Added::TooShort),
        ("hunt", Added::TooShort, Added::ExactOnly),
        ("hunter2", Added::TooShort, Added::ExactOnly),
        ("hunter23", Added::Searched, Added::Searched),
        ("aaaaaaaaaaaaaaaa", Added::TooUniform, Added::ExactOnly),
        ("abcde-abcde-", Added::Searched, Added::Searched),
        ("abcdeabcdeabcde", Added::TooUniform, Added::ExactOnly),
        ("Production", Added::CommonWord, Added::ExactOnly),
        ("localhost:5432", Added::CommonWord, Added::ExactOnly),
    ];
    for (value, plain, forced) in table {
        let value = value.as_bytes();
        assert_eq!(Known::new().add(None, value), plain);
        assert_eq!(Known::new().add_forced(None, value), forced);
        assert_eq!(
            why_not_searched(value),
            (plain != Added::Searched).then_some(plain)
        );
        assert_eq!(plain.is_searched(), plain.reason().is_none());
        assert!(forced.is_searched() || value.len() < 4);
    }
}

#[test]
fn what_is_not_searched_for_passes_untouched() {
    let mut named = Known::new();
    for value in ["production", "hunter2", "localhost", "1111111111", "true"] {
        assert!(!named.add(Some("k"), value.as_bytes()).is_searched());
    }
    assert!(named.is_empty());
    let text = "production hunter2 localhost 1111111111 true";
    assert_eq!(redact(&named.build(), text), text);
}

#[test]
fn forced_values_are_found_in_their_exact_form_only() {
    let mut named = Known::new();
    assert_eq!(named.add(Some("pin"), b"4711"), Added::TooShort);
    assert_eq!(named.add_forced(Some("pin"), b"4711"), Added::ExactOnly);
    assert_eq!(
        named.add_forced(Some("env"), b"production"),
        Added::ExactOnly
    );
    assert_eq!(
        named.add_forced(Some("key"), b"hunter2-s3cret"),
        Added::Searched
    );
    assert_eq!(
        redact(
            &named.build(),
            "4711 production cHJvZHVjdGlvbg== aHVudGVyMi1zM2NyZXQ="
        ),
        "[REDACTED:pin] [REDACTED:env] cHJvZHVjdGlvbg== [REDACTED:key]="
    );
}

#[test]
fn a_duplicate_keeps_the_first_name() {
    let mut named = Known::new();
    assert_eq!(named.add(None, b"hunter2-s3cret"), Added::Searched);
    assert_eq!(
        named.add(Some("first"), b"hunter2-s3cret"),
        Added::Duplicate
    );
    assert_eq!(
        named.add_forced(Some("second"), b"hunter2-s3cret"),
        Added::Duplicate
    );
    assert_eq!(named.len(), 1);
    let set = named.build();
    assert_eq!(set.len(), 1);
    assert_eq!(redact(&set, "hunter2-s3cret"), "[REDACTED:first]");
}

#[test]
fn a_value_with_a_line_break_is_found_without_it_unless_that_is_a_common_word() {
    let set = known(&[("k", "hunter2-s3cret\n")]);
    assert_eq!(redact(&set, "hunter2-s3cret!"), "[REDACTED:k]!");
    assert_eq!(redact(&set, "hunter2-s3cret\n!"), "[REDACTED:k]!");
    assert_eq!(why_not_searched(b"production\n"), Some(Added::CommonWord));
    // Long enough only with its line break.
    let set = known(&[("k", "hunter2\n")]);
    assert_eq!(redact(&set, "hunter2 hunter2\n"), "hunter2 [REDACTED:k]");
}
