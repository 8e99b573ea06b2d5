//! From the names of other programs to keys, fields and tags.
//!
//! Vault, folders and title become one key, joined by `/`. A `/` inside of them parts too. Whatever
//! a key may not hold becomes `-`, one for a run, and none at either end of a part; a part of
//! which nothing remains is `unnamed`. What is too long is cut. Where two items would share a key,
//! each but the first gets the next free number: `-2`, `-3`, and so on, past keys that other items
//! have by themselves. The same file gives the same keys, so it can be imported again.

use std::collections::{BTreeMap, BTreeSet};

use subrosa_model::limits::{KEY_MAX, NAME_MAX, TAG_MAX, TAGS_MAX};
use subrosa_model::{FieldName, KeyName, NameError, Tag};

const UNNAMED: &str = "unnamed";

/// Keys for all paths, in their order, and whether each got a number.
///
/// # Errors
/// [`NameError`] when `prefix` cannot begin a key.
pub fn keys(paths: &[&[String]], prefix: &str) -> Result<Vec<(KeyName, bool)>, NameError> {
    let room = KEY_MAX.saturating_sub(prefix.len());
    let natural: Vec<String> = paths.iter().map(|path| joined(path, room)).collect();
    let taken: BTreeSet<&str> = natural.iter().map(String::as_str).collect();
    let mut used = BTreeSet::new();
    let mut next: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keys = Vec::with_capacity(natural.len());
    for name in &natural {
        let (key, numbered) = if used.insert(name.clone()) {
            (name.clone(), false)
        } else {
            let number = next.entry(name).or_insert(2);
            let free = loop {
                let suffix = format!("-{number}");
                *number += 1;
                let candidate = cut(name, room.saturating_sub(suffix.len())).to_owned() + &suffix;
                if !taken.contains(candidate.as_str()) && used.insert(candidate.clone()) {
                    break candidate;
                }
            };
            (free, true)
        };
        keys.push((KeyName::new(format!("{prefix}{key}"))?, numbered));
    }
    Ok(keys)
}

/// The key that one path would have alone, for messages.
#[must_use]
pub fn shown(path: &[String]) -> String {
    joined(path, KEY_MAX)
}

fn joined(path: &[String], room: usize) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (index, element) in path.iter().enumerate() {
        let before = parts.len();
        let pieces = element.split('/').filter(|piece| !piece.trim().is_empty());
        parts.extend(pieces.map(part));
        if index + 1 == path.len() && parts.len() == before {
            parts.push(UNNAMED.to_owned());
        }
    }
    let name = parts.join("/");
    match cut(&name, room) {
        "" => UNNAMED.to_owned(),
        name => name.to_owned(),
    }
}

fn part(text: &str) -> String {
    let mapped = dashed(text, |c| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
    });
    if mapped.chars().all(|c| c == '.') {
        return UNNAMED.to_owned();
    }
    mapped
}

/// What may not stand becomes `-`, one for a run, none at either end.
fn dashed(text: &str, allowed: impl Fn(char) -> bool) -> String {
    let mut mapped = String::new();
    for c in text.chars() {
        match c {
            c if c != '-' && allowed(c) => mapped.push(c),
            _ if mapped.ends_with('-') => {}
            _ => mapped.push('-'),
        }
    }
    mapped.trim_matches('-').to_owned()
}

/// The beginning of an ASCII name, ending in something that a name may end in.
fn cut(name: &str, room: usize) -> &str {
    match name.get(..room.min(name.len())) {
        Some(short) if short.len() < name.len() => short.trim_end_matches(['/', '-', '.']),
        _ => name,
    }
}

/// Names of fields for one item, in their order: all different.
///
/// # Errors
/// [`NameError`] never; the type says what a name is.
pub fn fields<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<FieldName>, NameError> {
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut fields = Vec::new();
    for name in names {
        let mapped = match part(&name.replace('/', "-")) {
            mapped if mapped == UNNAMED || mapped.is_empty() => "field".to_owned(),
            mapped => cut(&mapped, NAME_MAX).to_owned(),
        };
        let mut free = mapped.clone();
        let mut number = 2;
        while !used.insert(free.clone()) {
            let suffix = format!("-{number}");
            free = cut(&mapped, NAME_MAX - suffix.len()).to_owned() + &suffix;
            number += 1;
        }
        fields.push(FieldName::new(free)?);
    }
    Ok(fields)
}

/// Tags, and how many could not be kept: a secret has so many and no more.
#[must_use]
pub fn tags(names: &[String]) -> (Vec<Tag>, usize) {
    let tag = |name: &String| {
        let mapped = dashed(name, |c| !c.is_control() && !c.is_whitespace() && c != ',');
        let mut end = mapped.len().min(TAG_MAX);
        while !mapped.is_char_boundary(end) {
            end -= 1;
        }
        Tag::new(&mapped[..end]).ok()
    };
    let mut tags: Vec<Tag> = names.iter().filter_map(tag).collect();
    tags.sort();
    tags.dedup();
    let lost = tags.len().saturating_sub(TAGS_MAX);
    tags.truncate(TAGS_MAX);
    (tags, lost)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(paths: &[&[&str]], prefix: &str) -> Vec<String> {
        let paths: Vec<Vec<String>> = paths
            .iter()
            .map(|path| path.iter().map(ToString::to_string).collect())
            .collect();
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        let keys = keys(&paths, prefix).unwrap();
        keys.into_iter().map(|(key, _)| key.to_string()).collect()
    }

    #[test]
    fn paths_become_keys() {
        for (path, key) in [
            (&["Private", "My Login (work)"][..], "Private/My-Login-work"),
            (&["Work/Cloud", "AWS root"], "Work/Cloud/AWS-root"),
            (&["", "a"], "a"),
            (&["a", ""], "a/unnamed"),
            (&["日本", "パス"], "unnamed/unnamed"),
            (&["caf\u{e9} ol\u{e9}"], "caf-ol"),
            (&["..", "."], "unnamed/unnamed"),
            (&["--help"], "help"),
            (&["a\nb\u{1b}[31m"], "a-b-31m"),
            (&["///"], "unnamed"),
            (&[], "unnamed"),
            (&["me@example.com"], "me-example.com"),
        ] {
            assert_eq!(keys_of(&[path], "x/"), [format!("x/{key}")], "{path:?}");
        }
    }

    #[test]
    fn a_key_that_is_taken_gets_a_number_and_takes_nobodys_own() {
        let paths: [&[&str]; 6] = [&["a b"], &["a-b"], &["a-b-2"], &["a&b"], &["c"], &["a-b-2"]];
        assert_eq!(
            keys_of(&paths, ""),
            ["a-b", "a-b-3", "a-b-2", "a-b-4", "c", "a-b-2-2"]
        );
        let many = vec![&["same"][..]; 3000];
        let all: BTreeSet<String> = keys_of(&many, "").into_iter().collect();
        assert_eq!(all.len(), 3000);
    }

    #[test]
    fn what_is_too_long_is_cut_and_stays_a_key() {
        let long = "x".repeat(400);
        let dots = format!("{}/..y", "x".repeat(KEY_MAX - 3));
        let keys = keys_of(&[&[&long], &[&long], &[&dots]], "p/");
        assert_eq!(keys[0].len(), KEY_MAX);
        assert_eq!(keys[1].len(), KEY_MAX);
        assert!(keys[1].ends_with("-2"));
        assert!(!keys[2].ends_with('.'));
        assert!(super::keys(&[&["a".to_owned()]], "not a prefix").is_err());
        assert!(super::keys(&[&["a".to_owned()]], &"p".repeat(KEY_MAX)).is_err());
    }

    #[test]
    fn names_of_fields_differ() {
        let long = "y".repeat(100);
        let names = [
            "One-time password",
            "a/b",
            "",
            "..",
            "-x",
            "a b",
            "a-b",
            &long,
            &long,
        ];
        let fields: Vec<String> = fields(names.into_iter())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            fields[..7],
            [
                "One-time-password",
                "a-b",
                "field",
                "field-2",
                "x",
                "a-b-2",
                "a-b-3"
            ]
        );
        assert_eq!((fields[7].len(), fields[8].len()), (64, 64));
    }

    #[test]
    fn tags_lose_what_tags_may_not_hold() {
        let names: Vec<String> = ["two words", "a,b", " ", "über", "two-words"]
            .map(str::to_owned)
            .into();
        let (found, lost) = tags(&names);
        let found: Vec<&str> = found.iter().map(Tag::as_str).collect();
        assert_eq!((found, lost), (vec!["a-b", "two-words", "über"], 0));
        let many: Vec<String> = (0..TAGS_MAX + 3).map(|n| format!("t{n}")).collect();
        assert_eq!(tags(&many).1, 3);
        let wide = vec!["ü".repeat(40)];
        assert_eq!(tags(&wide).0[0].as_str().len(), TAG_MAX);
    }
}
