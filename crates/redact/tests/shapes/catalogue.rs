//! What holds for every rule.

use std::collections::BTreeSet;

use subrosa_redact::shapes::{Checked, Shapes};

#[test]
fn there_are_enough_rules_and_each_says_what_it_must() {
    let rules = Shapes::builtin().rules();
    assert!(rules.len() >= 150, "{} rules", rules.len());
    let mut ids = BTreeSet::new();
    for rule in rules {
        let id = rule.id.as_str();
        assert!(ids.insert(id), "{id} twice");
        let kebab = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(id.bytes().all(kebab), "{id}: not in kebab case");
        assert!(!rule.provider.is_empty() && !rule.name.is_empty(), "{id}");
        for page in [&rule.page, &rule.rotate] {
            let host = page.strip_prefix("https://").unwrap_or_default();
            assert!(host.contains('.') && !host.contains(' '), "{id}: {page}");
        }
        assert!(!rule.keywords.is_empty(), "{id}: no keyword");
        for word in &rule.keywords {
            assert!(word.len() >= 3, "{id}: keyword {word:?} is short");
        }
        assert!(
            rule.pattern.is_some() != rule.pem.is_some(),
            "{id}: one of two"
        );
    }
}

#[test]
fn generic_rules_stand_last() {
    let rules = Shapes::builtin().rules();
    let first = rules
        .iter()
        .position(|rule| rule.provider == "any")
        .unwrap();
    assert!(rules[first..].iter().all(|rule| rule.provider == "any"));
    assert_eq!(rules.len() - first, 3);
}

/// Not every form was compared with what its provider says. The catalogue
/// tells which were, and their number may only grow.
#[test]
fn the_catalogue_says_what_was_checked() {
    let rules = Shapes::builtin().rules();
    let count = |checked| rules.iter().filter(|rule| rule.checked == checked).count();
    let page = count(Some(Checked::Page));
    let format = count(Some(Checked::Format));
    let alone = count(None);
    assert!(
        page >= 160,
        "{page} rules agree with their provider's words"
    );
    assert!(page + format >= 273, "{format} rules agree with others");
    assert!(alone <= 63, "{alone} rules stand alone");
    // What any program may hold has no provider to ask.
    assert!(
        rules
            .iter()
            .all(|rule| rule.provider != "any" || rule.checked.is_none())
    );
}

/// Patterns are bounded, so that windows of a long line can overlap by enough.
#[test]
fn no_pattern_repeats_without_a_bound() {
    for rule in Shapes::builtin().rules() {
        let text = [rule.pattern.clone(), rule.context.clone()]
            .map(Option::unwrap_or_default)
            .concat();
        let text = text.replace(r"\*", "").replace(r"\+", "");
        // Inside a class neither sign repeats anything.
        let (mut class, mut outside) = (false, String::new());
        for letter in text.replace(r"\[", "").replace(r"\]", "").chars() {
            match letter {
                '[' => class = true,
                ']' => class = false,
                _ if class => {}
                other => outside.push(other),
            }
        }
        let open = ["*", "+", ",}"]
            .iter()
            .find(|sign| outside.contains(**sign));
        assert_eq!(open, None, "{}: {outside}", rule.id);
    }
}

#[test]
fn fingerprints_are_keyed_and_short() {
    use subrosa_redact::shapes::fingerprint;
    let one = fingerprint(&[1; 32], b"value");
    assert_eq!(one.len(), 16);
    assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(one, fingerprint(&[1; 32], b"value"));
    assert_ne!(one, fingerprint(&[2; 32], b"value"));
    assert_ne!(one, fingerprint(&[1; 32], b"valuf"));
}
