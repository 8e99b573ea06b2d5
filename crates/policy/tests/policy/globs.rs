//! Globs against a reference that is written to be read, not to be fast.

use proptest::prelude::*;
use subrosa_policy::{ArgPattern, Glob};

/// What `spec/policy.md` says, clause by clause. Exponential.
fn reference(pattern: &[u8], text: &[u8], starts_segment: bool) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', b'*', b'/', rest @ ..] if starts_segment => {
            reference(rest, text, true)
                || (0..text.len())
                    .filter(|at| text[*at] == b'/')
                    .any(|at| reference(rest, &text[at + 1..], true))
        }
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|at| reference(rest, &text[at..], false)),
        [b'*', rest @ ..] => (0..=text.len())
            .take_while(|at| !text[..*at].contains(&b'/'))
            .any(|at| reference(rest, &text[at..], false)),
        [byte, rest @ ..] => {
            text.first() == Some(byte) && reference(rest, &text[1..], *byte == b'/')
        }
    }
}

fn runs(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'[', b'*', b']', rest @ ..] => text.first() == Some(&b'*') && runs(rest, &text[1..]),
        [b'*', rest @ ..] => (0..=text.len()).any(|at| runs(rest, &text[at..])),
        [byte, rest @ ..] => text.first() == Some(byte) && runs(rest, &text[1..]),
    }
}

#[test]
fn globs_by_example() {
    for (pattern, yes, no) in [
        ("a", &["a"][..], &["", "A", "aa", "a/a"][..]),
        ("*", &["a", "abc"], &["a/b"]),
        ("a*c", &["ac", "abc"], &["ab", "a/c"]),
        ("github/*", &["github/a"], &["github", "github/a/b"]),
        (
            "github/**",
            &["github/a", "github/a/b"],
            &["github", "githubx/a"],
        ),
        ("**", &["a", "a/b/c"], &[]),
        (
            "**/key",
            &["key", "a/key", "a/b/key"],
            &["xkey", "a/xkey", "key/a"],
        ),
        (
            "a/**/b",
            &["a/b", "a/x/b", "a/x/y/b"],
            &["ab", "a/xb", "a/b/c"],
        ),
        ("a**b", &["ab", "a/b", "axxb", "a/x/b"], &["a", "ba"]),
        ("*/*", &["a/b"], &["a", "a/b/c"]),
    ] {
        let glob = Glob::new(pattern).unwrap();
        for text in yes {
            assert!(glob.matches(text), "{pattern} and {text}");
        }
        for text in no {
            assert!(!glob.matches(text), "{pattern} and {text}");
        }
    }
    for bad in [
        "",
        "a//b",
        "/a",
        "a/",
        "a/../b",
        "***",
        "a b",
        "é",
        "[a]",
        "a?",
        &"a".repeat(513),
    ] {
        assert!(Glob::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn patterns_that_would_make_backtracking_explode_are_quick() {
    let stars = Glob::new(&format!("{}b", "*a".repeat(100))).unwrap();
    assert!(!stars.matches(&"a".repeat(256)));
    let across = Glob::new(&format!("{}b", "**a".repeat(100))).unwrap();
    assert!(!across.matches(&"a".repeat(256)));
    let folders = Glob::new(&format!("{}b", "**/a/".repeat(60))).unwrap();
    assert!(!folders.matches(&vec!["a"; 128].join("/")));
    let argument = ArgPattern::new(&format!("{}b", "*a".repeat(1000))).unwrap();
    assert!(!argument.matches("a".repeat(20_000)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_glob_agrees_with_the_reference(pattern in "[ab/*]{1,9}", text in "[ab/]{0,10}") {
        if let Ok(glob) = Glob::new(&pattern) {
            prop_assert_eq!(glob.matches(&text), reference(pattern.as_bytes(), text.as_bytes(), true));
        }
    }

    #[test]
    fn a_glob_without_stars_stands_for_itself(text in "[a-c]{1,3}(/[a-c]{1,3}){0,3}", other in "[a-c/]{1,8}") {
        let glob = Glob::new(&text).unwrap();
        prop_assert!(glob.is_literal() && glob.matches(&text));
        prop_assert_eq!(glob.matches(&other), text == other);
    }

    #[test]
    fn an_argument_pattern_agrees_with_the_reference(
        pattern in "[ab*\\[\\]-]{0,8}", text in "[ab*\\[\\]-]{0,8}"
    ) {
        if let Ok(parsed) = ArgPattern::new(&pattern) {
            let option = text.starts_with('-') && pattern.starts_with('*');
            let expected = if pattern == "**" {
                true
            } else {
                !option && runs(pattern.as_bytes(), text.as_bytes())
            };
            prop_assert_eq!(parsed.matches(&text), expected);
        }
    }

    #[test]
    fn an_exact_pattern_stands_for_its_argument_alone(text in "\\PC{0,12}", other in "\\PC{0,12}") {
        let exact = ArgPattern::exactly(&text);
        prop_assert!(exact.matches(&text) && exact.is_literal());
        prop_assert_eq!(exact.matches(&other), text == other);
        prop_assert_eq!(ArgPattern::new(exact.as_str()).unwrap(), exact);
    }
}
