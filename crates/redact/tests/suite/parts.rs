//! `Known::parts_if`: parts of values that are too weak to stand by themselves.

use subrosa_redact::Known;

use crate::redact;

/// Stands for a judgement of strength: letters alone are words.
fn tells(part: &[u8]) -> bool {
    part.iter().filter(|byte| byte.is_ascii_digit()).count() >= 4
}

fn redacted(value: &str, text: &str) -> String {
    let mut known = Known::new();
    assert!(known.add(Some("k"), value.as_bytes()).is_searched());
    redact(&known.parts_if(tells).build(), text)
}

#[test]
fn a_beginning_counts_from_where_it_tells_enough() {
    let value = "production-database-7291zr8vlw4x";
    for (text, expected) in [
        ("production-d.", "production-d."),
        ("production-database-729.", "production-database-729."),
        ("production-database-7291.", "[REDACTED:k]."),
        ("production-database-7291x", "[REDACTED:k]x"),
        ("production-database-7291zr8vlw4x.", "[REDACTED:k]."),
        // The end has its digits in time.
        (".ase-7291zr8vlw4x", ".[REDACTED:k]"),
        (".zr8vlw4x", ".zr8vlw4x"),
        (".91zr8vlw4x", ".91zr8vlw4x"),
    ] {
        assert_eq!(redacted(value, text), expected, "{text}");
    }
}

#[test]
fn fields_and_lines_that_tell_little_are_not_searched_for() {
    let document = r#"{"user":"administrator-4-all","token":"7291zr8vlw4xp9s2"}"#;
    assert_eq!(
        redacted(document, "administrator-4-all 7291zr8vlw4xp9s2"),
        "administrator-4-all [REDACTED:k]"
    );
    assert_eq!(redacted(document, document), "[REDACTED:k]");
    let lines = "name=administrator-1\ntoken=7291zr8vlw4x\n";
    assert_eq!(
        redacted(lines, "token=7291zr8vlw4x, name=administrator-1"),
        "[REDACTED:k], name=administrator-1"
    );
    assert_eq!(redacted(lines, lines.trim_end()), "[REDACTED:k]");
}

#[test]
fn the_letters_and_digits_alone_are_a_part() {
    let value = "pro!duc#tion%da$ta&b1";
    assert_eq!(redacted(value, value), "[REDACTED:k]");
    assert_eq!(redacted(value, "productiondatab1"), "productiondatab1");
    // Which is found where nothing is said about parts.
    let mut known = Known::new();
    assert!(known.add(Some("k"), value.as_bytes()).is_searched());
    assert_eq!(redact(&known.build(), "productiondatab1"), "[REDACTED:k]");
}

/// Each length of the beginning was looked at from its start.
#[test]
fn a_value_that_begins_with_one_character_many_times() {
    let value = format!("{}bcdefgh1", "a".repeat(1 << 20));
    let mut known = Known::new();
    assert!(known.add(Some("k"), value.as_bytes()).is_searched());
    assert_eq!(
        redact(&known.build(), format!("<{value}>")),
        "<[REDACTED:k]>"
    );
}

#[test]
fn one_value_may_be_judged_more_strictly_than_the_others() {
    let strict = "production-database-7291zr8vlw4x";
    let other = "staging-database-8304kd9vnb2q";
    let mut known = Known::new();
    let _ = known.add_forced_if(Some("k"), strict.as_bytes(), tells);
    let _ = known.add_forced(Some("o"), other.as_bytes());
    // One that is known keeps its own judgement, whoever comes second.
    let _ = known.add_forced_if(Some("o"), other.as_bytes(), tells);
    let text = "production-d. staging-datab. production-database-7291zr8vlw4x.";
    assert_eq!(
        redact(&known.build(), text),
        "production-d. [REDACTED:o]. [REDACTED:k]."
    );
}
