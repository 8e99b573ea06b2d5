//! Any values, any text, any chunking: the output is the same, and no value is left in it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose as engines;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use subrosa_redact::{Finding, Known, KnownSet, redact_all, why_not_searched};

#[derive(Clone, Debug)]
struct Value {
    name: Option<String>,
    bytes: Vec<u8>,
    forced: bool,
}

impl Value {
    fn is_searched(&self) -> bool {
        let enough = self.forced && self.bytes.len() >= 4;
        enough || why_not_searched(&self.bytes).is_none()
    }
}

fn compile(values: &[Value]) -> KnownSet {
    collect(values).build()
}

fn collect(values: &[Value]) -> Known {
    let mut known = Known::new();
    for value in values {
        let name = value.name.as_deref();
        let added = match value.forced {
            true => known.add_forced(name, &value.bytes),
            false => known.add(name, &value.bytes),
        };
        assert_eq!(added.is_searched(), value.is_searched(), "{added:?}");
    }
    known
}

/// Values that overlap, nest, repeat and hide in one another.
fn values() -> impl Strategy<Value = Vec<Value>> {
    let bytes = prop_oneof![
        4 => vec(select(&b"abcdefg"[..]), 4..22),
        2 => vec(select(&b"ab1cdef"[..]), 30..60),
        2 => vec(any::<u8>(), 8..20),
        1 => vec(select(&[0xfb_u8, 0xff, 0xfe, 0x3e, 0x3f, b'a', 0xbf, 0xef][..]), 8..20),
        1 => vec(select(&b"abcdef123456789\n"[..]), 40..90),
    ];
    let derived = (0..5usize, any::<Index>(), any::<Index>(), any::<Index>());
    let extra = (any::<Option<u8>>(), prop::bool::weighted(0.2));
    (
        vec((bytes, extra), 1..5),
        vec((derived, any::<Option<u8>>()), 0..4),
    )
        .prop_map(|(base, derived)| {
            let mut values: Vec<Value> = base
                .into_iter()
                .map(|(bytes, (name, forced))| Value {
                    name: name.map(|n| format!("k/{n}")),
                    // A mask beside text may look like a value with brackets.
                    bytes: bytes.into_iter().filter(|b| !b"[]".contains(b)).collect(),
                    forced,
                })
                .collect();
            for ((kind, one, two, cut), name) in derived {
                let a = one.get(&values).bytes.clone();
                let b = two.get(&values).bytes.clone();
                let at = cut.index(a.len() + 1);
                let bytes = match kind {
                    0 => [a, b].concat(),
                    1 => a[at..].to_vec(),
                    2 => a[..at].to_vec(),
                    3 => [&a[at..], &a, b"x1"].concat(),
                    _ => [a, b"\n".to_vec()].concat(),
                };
                values.push(Value {
                    name: name.map(|n| format!("d/{n}")),
                    bytes,
                    forced: kind == 2,
                });
            }
            values
        })
}

#[derive(Clone, Debug)]
enum Piece {
    Value(Index),
    Part(Index, Index, Index),
    Base64 {
        values: Vec<Index>,
        before: Vec<u8>,
        after: Vec<u8>,
        engine: usize,
        cut: Option<Index>,
    },
    Noise(Vec<u8>),
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let base64 = (
        vec(any::<Index>(), 1..3),
        vec(any::<u8>(), 0..5),
        vec(any::<u8>(), 0..4),
        0..4usize,
        prop::option::weighted(0.3, any::<Index>()),
    )
        .prop_map(|(values, before, after, engine, cut)| Piece::Base64 {
            values,
            before,
            after,
            engine,
            cut,
        });
    let piece = prop_oneof![
        3 => any::<Index>().prop_map(Piece::Value),
        3 => any::<(Index, Index, Index)>().prop_map(|(v, a, b)| Piece::Part(v, a, b)),
        3 => base64,
        2 => vec(select(&b"abcdefg \n\"=+/-_A9"[..]), 0..6).prop_map(Piece::Noise),
        1 => vec(any::<u8>(), 0..6).prop_map(Piece::Noise),
    ];
    vec(piece, 0..9)
}

fn text(values: &[Value], pieces: &[Piece]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Value(value) => text.extend(&value.get(values).bytes),
            Piece::Part(value, a, b) => {
                let bytes = &value.get(values).bytes;
                let (a, b) = (a.index(bytes.len() + 1), b.index(bytes.len() + 1));
                text.extend(&bytes[a.min(b)..a.max(b)]);
            }
            Piece::Base64 {
                values: which,
                before,
                after,
                engine,
                cut,
            } => {
                let mut plain = before.clone();
                for value in which {
                    plain.extend(&value.get(values).bytes);
                }
                plain.extend(after);
                let encoded = match engine {
                    0 => engines::STANDARD.encode(plain),
                    1 => engines::STANDARD_NO_PAD.encode(plain),
                    2 => engines::URL_SAFE.encode(plain),
                    _ => engines::URL_SAFE_NO_PAD.encode(plain),
                };
                let end = cut.map_or(encoded.len(), |cut| cut.index(encoded.len() + 1));
                text.extend(&encoded.as_bytes()[..end]);
            }
            Piece::Noise(bytes) => text.extend(bytes),
        }
    }
    text
}

/// Pushes `text` in pieces whose lengths repeat `sizes`.
fn chunked(set: &KnownSet, text: &[u8], sizes: &[usize]) -> (Vec<u8>, Vec<Finding>) {
    let mut redactor = set.redactor().listing(usize::MAX);
    let mut out = Vec::new();
    let mut rest = text;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, later) = rest.split_at((*size).min(rest.len()));
        redactor.push(chunk, &mut out);
        // Before the deadline an idle call is nothing.
        redactor.idle(Duration::from_millis(99), &mut out);
        rest = later;
    }
    redactor.finish(&mut out);
    (out, redactor.take_findings())
}

/// The text with a mask for each finding, and nothing else changed.
fn masked(text: &[u8], findings: &[Finding]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    for finding in findings {
        out.extend(&text[at..finding.start as usize]);
        match &finding.key {
            Some(key) => out.extend(format!("[REDACTED:{key}]").bytes()),
            None => out.extend(b"[REDACTED]"),
        }
        at = finding.end as usize;
    }
    out.extend(&text[at..]);
    out
}

/// What surely has to be found: values as they are, and the characters of base64 that a value
/// determines alone when it is encoded by itself.
fn needles(values: &[Value]) -> Vec<Vec<u8>> {
    let mut needles = Vec::new();
    for value in values.iter().filter(|value| value.is_searched()) {
        needles.push(value.bytes.clone());
        if why_not_searched(&value.bytes).is_none() {
            for engine in [&engines::STANDARD_NO_PAD, &engines::URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&value.bytes).into_bytes();
                needles.push(encoded[..value.bytes.len() * 8 / 6].to_vec());
            }
        }
    }
    needles.retain(|needle| needle.len() < 8 || why_not_searched(needle).is_none());
    needles
}

fn places<'a>(text: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = (u64, u64)> + 'a {
    let len = needle.len() as u64;
    let found = text.windows(needle.len()).zip(0u64..);
    found.filter_map(move |(window, at)| (window == needle).then_some((at, at + len)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_value_survives_and_nothing_else_changes(
        values in values(),
        pieces in pieces(),
        sizes in vec(1..9usize, 1..5),
    ) {
        let set = compile(&values);
        let text = text(&values, &pieces);
        let (out, findings) = redact_all(&set, &text);
        prop_assert_eq!(
            out.escape_ascii().to_string(),
            masked(&text, &findings).escape_ascii().to_string()
        );
        for needle in needles(&values) {
            for (start, end) in places(&text, &needle) {
                let holds = |f: &Finding| f.start <= start && f.end >= end;
                prop_assert!(findings.iter().any(holds), "{start}..{end}");
            }
            prop_assert_eq!(places(&out, &needle).count(), 0);
        }
        prop_assert_eq!(&chunked(&set, &text, &sizes), &(out.clone(), findings.clone()));
        prop_assert_eq!(&chunked(&set, &text, &[1]), &(out.clone(), findings.clone()));
        // What the processor can does not matter; padded, so that there are blocks enough.
        let text = [text, b"Ab/3. ".repeat(80)].concat();
        let scalar = collect(&values).scalar().build();
        prop_assert_eq!(redact_all(&scalar, &text), redact_all(&set, &text));
    }

    #[test]
    fn pauses_show_at_most_three_bytes_of_a_value(
        mut values in values(),
        pieces in pieces(),
        events in vec((1..5usize, select(&[0u64, 100, 900][..])), 1..9),
    ) {
        values.iter_mut().for_each(|value| value.name = None);
        let set = compile(&values);
        let text = text(&values, &pieces);
        let mut redactor = set.redactor().listing(usize::MAX);
        let mut out = Vec::new();
        let mut rest = &text[..];
        for (size, pause) in events.iter().cycle() {
            let (chunk, later) = rest.split_at((*size).min(rest.len()));
            redactor.push(chunk, &mut out);
            let before = out.len();
            redactor.idle(Duration::from_millis(*pause), &mut out);
            prop_assert!(*pause > 0 || out.len() == before);
            prop_assert!(*pause < 900 || redactor.deadline().is_none());
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        redactor.finish(&mut out);
        for needle in needles(&values) {
            prop_assert_eq!(places(&out, &needle).count(), 0);
            for (start, end) in places(&text, &needle) {
                let holds = |f: &Finding| f.start <= start + 3 && f.end >= end;
                prop_assert!(redactor.findings().iter().any(holds), "{start}..{end}");
            }
        }
    }
}
