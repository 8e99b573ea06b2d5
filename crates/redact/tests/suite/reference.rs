//! The slow, obvious reference: expand everything, search whole, unite, replace.
//!
//! It shares nothing with the crate but the list of common words. Base64 comes
//! from another library: what a value determines is what stays the same
//! whatever stands around it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use subrosa_redact::{Added, Form, why_not_searched};

/// A value as it is given to the redactor.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) name: Option<String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) forced: bool,
}

/// A needle and the characters beside it that would be masked with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Needle {
    owner: usize,
    form: Form,
    pub(crate) bytes: Vec<u8>,
    left: BTreeSet<u8>,
    right: BTreeSet<u8>,
    truncatable: bool,
}

/// A finding: start, end, form, index of the value.
type Found = (usize, usize, Form, usize);

/// What the reference says about a whole stream.
pub(crate) struct Answer {
    pub(crate) output: Vec<u8>,
    /// Start, end, form, name.
    pub(crate) findings: Vec<(u64, u64, Form, Option<String>)>,
}

pub(crate) fn needles(values: &[Value]) -> Vec<Needle> {
    let mut needles = Vec::new();
    for (owner, value) in values.iter().enumerate() {
        let v = value.bytes.as_slice();
        match why_not_searched(v) {
            None => {
                let mut units = vec![v.to_vec()];
                let text = v.strip_suffix(b"\n").unwrap_or(v);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                if text != v && why_not_searched(text).is_none() {
                    units.push(text.to_vec());
                }
                units.extend(lines(text));
                if why_not_searched(text).is_none() {
                    let one = replaced(text, b"\r\n", b"\n");
                    for other in [replaced(&one, b"\n", b"\r\n"), one] {
                        if other != text {
                            needles.push(exact(owner, &other, false));
                        }
                    }
                }
                for unit in units {
                    let whole = unit == text && !unit.contains(&b'\n') && !unit.contains(&b'\r');
                    needles.push(exact(owner, &unit, whole));
                    needles.extend(base64(owner, &unit));
                }
            }
            Some(_) if value.forced && v.len() >= 4 => needles.push(exact(owner, v, false)),
            Some(_) => {}
        }
    }
    needles
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.first() {
        match rest.strip_prefix(from) {
            Some(after) => {
                out.extend_from_slice(to);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = &rest[1..];
            }
        }
    }
    out
}

fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').collect();
    if lines.len() < 2 {
        return Vec::new();
    }
    lines
        .iter()
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| line.len() >= 16 && line.iter().any(u8::is_ascii_digit))
        .filter(|line| !line.iter().any(u8::is_ascii_whitespace))
        .filter(|line| !(line.starts_with(b"-----") && line.ends_with(b"-----")))
        .filter(|line| why_not_searched(line).is_none())
        .map(<[u8]>::to_vec)
        .collect()
}

fn exact(owner: usize, bytes: &[u8], truncatable: bool) -> Needle {
    Needle {
        owner,
        form: Form::Exact,
        bytes: bytes.to_vec(),
        left: BTreeSet::new(),
        right: BTreeSet::new(),
        truncatable,
    }
}

fn base64(owner: usize, value: &[u8]) -> Vec<Needle> {
    let mut needles: Vec<Needle> = Vec::new();
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let encode = |value: &[u8], left: u8, right: u8| {
                let text = [vec![left; before], value.to_vec(), vec![right; 3]].concat();
                engine.encode(text).into_bytes()
            };
            let texts = [(0, 0), (0, 255), (255, 0), (255, 255)].map(|(l, r)| encode(value, l, r));
            let fixed = |at: &usize| texts.iter().all(|text| text[*at] == texts[0][*at]);
            let fixed: Vec<usize> = (0..texts[0].len()).filter(fixed).collect();
            let (first, last) = (fixed[0], fixed[fixed.len() - 1]);
            assert_eq!(fixed.len(), last - first + 1, "one run");
            // A neighbour carries bits of the value if it changes with them.
            let other: Vec<u8> = value.iter().map(|byte| !byte).collect();
            let changed = encode(&other, 0, 0);
            let around = |at: Option<usize>| -> BTreeSet<u8> {
                let Some(at) = at.filter(|at| changed[*at] != texts[0][*at]) else {
                    return BTreeSet::new();
                };
                // It shares at most four bits, high or low, with the next byte.
                let nibbles = (0..16).map(|nibble| nibble * 17);
                nibbles.map(|byte| encode(value, byte, byte)[at]).collect()
            };
            let bytes = texts[0][first..=last].to_vec();
            if bytes.len() < 8 || bytes.iter().collect::<BTreeSet<_>>().len() < 6 {
                continue;
            }
            // Wrapped: only where the value comes first.
            for width in [60, 64, 76] {
                let lines: Vec<&[u8]> = bytes.chunks(width).collect();
                if before == 0 && lines.len() > 1 {
                    for breaks in ["\n", "\r\n"] {
                        needles.push(Needle {
                            owner,
                            form: Form::Base64,
                            bytes: lines.join(breaks.as_bytes()),
                            left: BTreeSet::new(),
                            right: around((last + 1 < texts[0].len()).then_some(last + 1)),
                            truncatable: false,
                        });
                    }
                }
            }
            needles.push(Needle {
                owner,
                form: Form::Base64,
                left: around(first.checked_sub(1)),
                right: around((last + 1 < texts[0].len()).then_some(last + 1)),
                bytes,
                truncatable: false,
            });
        }
    }
    needles
}

/// Every occurrence of every needle, widened.
fn occurrences(needles: &[Needle], text: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for needle in needles {
        for start in 0..text.len() {
            let end = start + needle.bytes.len();
            if !text[start..].starts_with(&needle.bytes) {
                continue;
            }
            let left = start > 0 && needle.left.contains(&text[start - 1]);
            let right = end < text.len() && needle.right.contains(&text[end]);
            found.push((
                start - usize::from(left),
                end + usize::from(right),
                needle.form,
                needle.owner,
            ));
        }
    }
    found
}

/// Truncated values at the end of the text. The values of these tests have no
/// public beginning and no structure but line breaks.
fn truncations(needles: &[Needle], text: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for needle in needles.iter().filter(|needle| needle.truncatable) {
        for len in 16..needle.bytes.len() {
            let prefix = &needle.bytes[..len];
            let distinct = prefix.iter().collect::<BTreeSet<_>>().len();
            if distinct >= 6 && text.ends_with(prefix) {
                found.push((text.len() - len, text.len(), Form::Truncated, needle.owner));
            }
        }
    }
    found
}

fn unite(values: &[Value], mut found: Vec<Found>) -> Vec<Found> {
    found.sort();
    let mut united: Vec<(usize, usize, Vec<Found>)> = Vec::new();
    for one in found {
        match united.last_mut() {
            Some((_, end, members)) if one.0 < *end => {
                *end = one.1.max(*end);
                members.push(one);
            }
            _ => united.push((one.0, one.1, vec![one])),
        }
    }
    let first = |(start, end, mut members): (usize, usize, Vec<Found>)| {
        members.sort_by_key(|(s, e, form, owner)| {
            let unnamed = values[*owner].name.is_none();
            (usize::MAX - (e - s), *s, *form, unnamed, *owner)
        });
        (start, end, members[0].2, members[0].3)
    };
    united.into_iter().map(first).collect()
}

/// The answer for a whole stream.
pub(crate) fn answer(values: &[Value], text: &[u8]) -> Answer {
    let needles = needles(values);
    let mut found = occurrences(&needles, text);
    found.extend(truncations(&needles, text));
    let mut output = Vec::new();
    let mut at = 0;
    let mut findings = Vec::new();
    for (start, end, form, owner) in unite(values, found) {
        let name = values[owner].name.clone();
        output.extend_from_slice(&text[at..start]);
        output.extend_from_slice(b"[REDACTED");
        if let Some(name) = &name {
            output.push(b':');
            output.extend_from_slice(name.as_bytes());
        }
        output.push(b']');
        at = end;
        findings.push((start as u64, end as u64, form, name));
    }
    output.extend_from_slice(&text[at..]);
    Answer { output, findings }
}

/// How much of a stream that goes on must be held back after `text`.
pub(crate) fn held_back(values: &[Value], needles: &[Needle], text: &[u8]) -> usize {
    let mut open = text.len();
    for needle in needles {
        for len in 0..needle.bytes.len() {
            if text.ends_with(&needle.bytes[..len]) {
                let start = text.len() - len;
                let left = start > 0 && needle.left.contains(&text[start - 1]);
                open = open.min(start - usize::from(left));
            }
        }
    }
    let united = unite(values, occurrences(needles, text));
    // A match at the very end may still take in the next character.
    let widens = |needle: &Needle| !needle.right.is_empty() && text.ends_with(&needle.bytes);
    let at_edge = needles.iter().any(widens);
    for (start, end, _, _) in united {
        if end > open || end == text.len() && at_edge {
            open = open.min(start);
        }
    }
    text.len() - open
}

/// Whether the redactor is expected to search for a value.
pub(crate) fn expected(value: &Value) -> Added {
    match why_not_searched(&value.bytes) {
        None => Added::Searched,
        Some(_) if value.forced && value.bytes.len() >= 4 => Added::ExactOnly,
        Some(_) if value.forced => Added::TooShort,
        Some(reason) => reason,
    }
}
