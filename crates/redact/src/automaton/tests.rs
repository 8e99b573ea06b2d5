//! The automaton by itself: matches, depth, and its bound on work.

use super::*;

fn exact(bytes: &[u8], owner: u32) -> Needle {
    Needle {
        bytes: Zeroizing::new(bytes.to_vec()),
        form: Form::Exact,
        owner,
        left: Edge::NONE,
        right: Edge::NONE,
        truncated_from: None,
    }
}

fn compile(needles: &[&[u8]]) -> Automaton {
    let needles: Vec<Needle> = needles
        .iter()
        .enumerate()
        .map(|(owner, bytes)| exact(bytes, owner as u32))
        .collect();
    Automaton::new(&needles, &vec![true; needles.len()])
}

/// Pseudo-random bytes below `bound`, the same on every run.
fn noise(seed: u64, len: usize, bound: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % bound
    };
    (0..len).map(|_| b'a' + next() as u8).collect()
}

#[test]
fn depth_is_the_longest_suffix_that_is_a_proper_prefix() {
    for seed in 0..40 {
        let needles: Vec<Vec<u8>> = (0..6)
            .map(|i| noise(seed * 7 + i, 2 + (seed + i) as usize % 7, 3))
            .collect();
        let automaton = compile(&needles.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let text = noise(seed + 1000, 300, 3);
        let mut state = ROOT;
        for (at, byte) in text.iter().enumerate() {
            state = automaton.step(state, *byte);
            let seen = &text[..=at];
            let longest = needles
                .iter()
                .flat_map(|needle| (0..needle.len()).map(|len| &needle[..len]))
                .filter(|prefix| seen.ends_with(prefix))
                .map(<[u8]>::len)
                .max();
            assert_eq!(Some(automaton.depth(automaton.open(state))), longest);
            let matched = needles.iter().filter(|needle| seen.ends_with(needle));
            assert_eq!(
                automaton.ending(state).first().map(|c| c.len as usize),
                matched.map(Vec::len).max()
            );
        }
    }
}

#[test]
fn hostile_text_costs_at_most_two_transitions_a_byte() {
    let needle = [noise(1, 4000, 2), b"!".to_vec()].concat();
    let periodic = [b"ab".repeat(2000), b"!".to_vec()].concat();
    let automaton = compile(&[&needle, &periodic, &periodic[1..], &needle[7..]]);
    let near_miss = [&needle[..needle.len() - 1], &periodic[..periodic.len() - 1]].concat();
    let text = near_miss.iter().cycle().take(10_000_000);
    let (mut hops, mut state) = (0u64, ROOT);
    for byte in text {
        state = automaton.step_counted(state, *byte, || hops += 1);
    }
    assert!(hops > 0 && hops <= 10_000_000, "{hops} failure links");
}

#[test]
fn lists_stay_short_however_many_needles_are_nested() {
    let longest = noise(5, 600, 26);
    let nested: Vec<&[u8]> = (0..590).map(|from| &longest[from..]).collect();
    let automaton = compile(&nested);
    let mut state = ROOT;
    for byte in &longest {
        state = automaton.step(state, *byte);
    }
    let lens: Vec<u32> = automaton.ending(state).iter().map(|c| c.len).collect();
    assert_eq!(lens, [600, 599], "no other can widen or name a finding");
}

#[test]
fn equal_needles_go_to_the_first_unless_only_a_later_has_a_name() {
    let needles: Vec<Needle> = (0..4).map(|owner| exact(b"same", owner)).collect();
    let owner = |named: &[bool]| {
        let automaton = Automaton::new(&needles, named);
        let state = b"same".iter().fold(ROOT, |s, b| automaton.step(s, *b));
        automaton
            .ending(state)
            .iter()
            .map(|c| c.owner)
            .collect::<Vec<_>>()
    };
    assert_eq!(owner(&[true, true, true, true]), [0]);
    assert_eq!(owner(&[false, false, true, true]), [2]);
    assert_eq!(owner(&[false; 4]), [0]);
}

#[test]
fn sole_owner_is_known_only_when_there_is_one() {
    let automaton = compile(&[b"abcdef", b"abcxyz", b"q1", b"q12"]);
    let at = |text: &[u8]| text.iter().fold(ROOT, |s, b| automaton.step(s, *b));
    assert_eq!(automaton.sole_owner(at(b"abc")), None);
    assert_eq!(automaton.sole_owner(at(b"abcd")), Some(0));
    assert_eq!(automaton.sole_owner(at(b"abcx")), Some(1));
    assert_eq!(automaton.sole_owner(at(b"q")), None);
}
