//! Whatever a script computes, no part of a value lies in memory that is not locked.
//!
//! The stack is left out: numbers are computed there, and registers are kept there while a text is
//! looked through.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use subrosa_egress::feather::{Operation, Split};
use subrosa_egress::{Input, Labels, Sensitive, danger};

/// The value, hidden: its letters are nowhere in this program but where the test puts them.
const HIDDEN: [u8; 40] = hidden();
const KEY: u8 = 0xa5;
/// A part of this length is no accident.
const PART: usize = 10;

const fn hidden() -> [u8; 40] {
    let mut out = [0; 40];
    let mut at = 0;
    while at < out.len() {
        // Letters that follow one another as in no text: a step of 7 in the alphabet, squared.
        out[at] = (b'a' + ((at * at * 7 + at * 3) % 26) as u8) ^ KEY;
        at += 1;
    }
    out
}

/// Gives the value to locked memory, `times` over with a dot behind each.
struct Reveal {
    at: usize,
    times: usize,
}

impl Read for Reveal {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let each = HIDDEN.len() + 1;
        let (Some(place), true) = (into.first_mut(), self.at < self.times * each) else {
            return Ok(0);
        };
        *place = HIDDEN
            .get(self.at % each)
            .map_or(b'.', |byte| std::hint::black_box(*byte) ^ KEY);
        self.at += 1;
        Ok(1)
    }
}

/// How many parts of the value, in letters of either case, are in memory that is written, not
/// locked and not the stack.
fn copies() -> usize {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let (mut found, mut range) = (0, None);
    let stack = u64::try_from((&raw const found).addr()).unwrap();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some((start, end)) = first.split_once('-') {
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            let written = words.next().is_some_and(|mode| mode.starts_with("rw"));
            let (start, end) = (number(start), number(end));
            let is_stack = (start..end).contains(&stack);
            range = (written && !is_stack).then_some((start, end));
        } else if first == "VmFlags:"
            && !words.any(|flag| flag == "lo")
            && let Some((start, end)) = range.take()
        {
            let mut content = vec![0; usize::try_from(end - start).unwrap()];
            if memory.read_exact_at(&mut content, start).is_ok() {
                found += parts(&content);
            }
        }
    }
    found
}

fn parts(content: &[u8]) -> usize {
    let hidden: Vec<u8> = HIDDEN.chunks(PART).map(|part| part[0]).collect();
    let is_part = |window: &[u8]| {
        let letter = window[0].to_ascii_lowercase() ^ KEY;
        hidden.contains(&letter)
            && HIDDEN.chunks(PART).any(|part| {
                let mut pairs = window.iter().zip(part);
                pairs.all(|(one, other)| one.to_ascii_lowercase() ^ KEY == *other)
            })
    };
    content
        .windows(PART)
        .filter(|window| is_part(window))
        .count()
}

#[test]
fn no_part_of_a_value_is_copied() {
    assert_eq!(copies(), 0);
    // Long enough to grow, were it to grow, through every size of buffer.
    let reveal = |times| Sensitive::read(&mut Reveal { at: 0, times }, 1 << 20).unwrap();
    let (one, many) = (reveal(1), reveal(200));
    let labels = Labels::new();
    let mut made = Vec::new();
    for operation in Operation::ALL {
        for value in [&one, &many] {
            for other in [
                Input::Public(b"."),
                Input::Public(b"3"),
                Input::Sensitive(&one),
            ] {
                let most = (*operation.operands().end()).min(3);
                let inputs = [Input::Sensitive(value), other, other];
                made.extend(Sensitive::derive_from(operation, &inputs[..most], &labels).ok());
            }
        }
    }
    let inputs = [Input::Sensitive(&many), Input::Public(b".")];
    made.extend(danger::derive_all(&Split, &inputs, &labels).unwrap());
    made.push(one.tainted(&labels));
    assert!(made.len() > 250);
    assert_eq!(copies(), 0, "while the results are held");
    drop(made);
    assert_eq!(copies(), 0, "after they are dropped");

    // And a copy would be found.
    let copy = HIDDEN.map(|byte| std::hint::black_box(byte) ^ KEY).to_vec();
    assert!(copies() > 0);
    drop(copy);
}
