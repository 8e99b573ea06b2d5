//! The matcher against the obvious way: each needle at each place.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use zeroize::Zeroizing;

use super::*;
use crate::needle::Cut;

type Spec = (Vec<u8>, Option<Cut>);

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let unit = vec(select(&b"abcd1"[..]), 1..14);
    let bytes = (unit, 1..12usize, vec(select(&b"abcd1"[..]), 0..6));
    let bytes = bytes.prop_map(|(unit, times, rest)| [unit.repeat(times), rest].concat());
    let needle = (bytes, any::<Option<(u8, u8, u8)>>());
    vec(needle, 1..7).prop_map(|all| {
        let all = all.into_iter().filter(|(bytes, _)| bytes.len() >= 6);
        all.map(|(bytes, cut)| {
            let len = bytes.len();
            let cut = cut.filter(|_| len > 13).map(|(a, b, c)| Cut {
                prefix: 12 + usize::from(a) % (len - 12),
                suffix: 12 + usize::from(b) % (len - 11),
                public: usize::from(c) % 3,
            });
            // As they are made: the public part ends before any suffix that counts.
            let is_sound = |cut: &Cut| cut.suffix == len || cut.public.max(1) <= len - cut.suffix;
            (bytes, cut.filter(is_sound))
        })
        .collect()
    })
}

fn needles(specs: &[Spec]) -> Vec<Needle> {
    let needle = |((bytes, cut), owner): (&Spec, u32)| Needle {
        cut: *cut,
        ..Needle::plain(Zeroizing::new(bytes.clone()), Form::Exact, owner)
    };
    specs.iter().zip(0..).map(needle).collect()
}

/// All that is found in a whole text: start, end, owner.
fn slowly(needles: &[Needle], text: &[u8]) -> Vec<(u64, u64, u32)> {
    let mut found = Vec::new();
    for needle in needles {
        let (bytes, len) = (&needle.bytes[..], needle.bytes.len());
        let cut = needle.cut.unwrap_or(Cut {
            prefix: len,
            suffix: len,
            public: 0,
        });
        for start in 0..text.len() {
            let same = common_prefix(bytes, &text[start..]);
            if same >= cut.prefix {
                found.push((start as u64, (start + same) as u64, needle.owner));
            }
            let first = cut.public.max(1);
            for from in first..=len - cut.suffix {
                let is_longest = from == first || start == 0 || text[start - 1] != bytes[from - 1];
                if is_longest && text[start..].starts_with(&bytes[from..]) {
                    let end = start + len - from;
                    found.push((start as u64, end as u64, needle.owner));
                }
            }
        }
    }
    found
}

/// The union of ranges.
fn covered(found: &[(u64, u64, u32)], len: usize) -> Vec<bool> {
    let mut covered = vec![false; len];
    for (start, end, _) in found {
        covered[*start as usize..*end as usize].fill(true);
    }
    covered
}

/// The longest suffix that goes on to be a needle, or a suffix of one that counts.
fn held(needles: &[Needle], text: &[u8]) -> usize {
    let begins = |rest: &[u8]| {
        needles.iter().any(|needle| {
            let bytes = &needle.bytes[..];
            let suffixes = needle
                .cut
                .map_or(0..0, |cut| cut.public.max(1)..bytes.len() - cut.suffix + 1);
            let mut starts = std::iter::once(0).chain(suffixes);
            starts.any(|from| bytes.len() - from > rest.len() && bytes[from..].starts_with(rest))
        })
    };
    let starts = (0..text.len()).find(|start| begins(&text[*start..]));
    text.len() - starts.unwrap_or(text.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_found_and_held_back_is_what_a_slow_search_tells(
        specs in specs(),
        pieces in vec((0..6usize, 0..200usize, 0..200usize, vec(select(&b"abcd1x"[..]), 0..40)), 0..8),
        sizes in vec(1..700usize, 1..5),
        is_wide in any::<bool>(),
    ) {
        prop_assume!(!specs.is_empty());
        let needles = needles(&specs);
        let mut text = Vec::new();
        for (which, from, to, noise) in pieces {
            let bytes = &needles[which % needles.len()].bytes;
            let (from, to) = (from % (bytes.len() + 1), to % (bytes.len() + 1));
            text.extend_from_slice(&bytes[from.min(to)..from.max(to)]);
            text.extend(noise);
        }
        let wide = is_wide.then(Wide::detect).flatten();
        let matcher = Matcher::new(&needles, &vec![true; needles.len()], wide);
        let mut scan = Scan::default();
        let (mut found, mut base, mut at) = (Vec::new(), 0, 0);
        for size in sizes.iter().cycle() {
            let to = (at + size).min(text.len());
            scan.push(&matcher, &text[base..to], base as u64, &mut found);
            let open = scan.open(&matcher, &text[base..to], base as u64);
            prop_assert_eq!(to - open.start as usize, held(&needles, &text[..to]));
            base = open.held as usize;
            at = to;
            if at == text.len() {
                break;
            }
        }
        scan.finish(&matcher, text.len() as u64, &mut found);
        let slow = slowly(&needles, &text);
        let found: Vec<(u64, u64, u32)> =
            found.iter().map(|hit| (hit.start, hit.end, hit.owner)).collect();
        prop_assert_eq!(covered(&found, text.len()), covered(&slow, text.len()));
        // Of equal needles one is kept; else each finding is known by its own.
        let is_known = |(start, end, _): &(u64, u64, u32)| {
            slow.iter().any(|(from, to, _)| from <= start && to >= end)
        };
        prop_assert!(found.iter().all(is_known));
    }
}
