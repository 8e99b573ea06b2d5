//! How needles begin, in sorted order: what the end of a text may go on to be.

use zeroize::Zeroizing;

use super::filter::{GRAM, REACH, hash};
use super::{Entry, offset};
use crate::needle::{Edge, Needle};

/// How many beginnings are asked for their owner at most.
const ASKED: usize = 64;

pub(super) struct Starts {
    /// The beginnings of needles, and the places in them from where on a suffix counts; sorted by
    /// what follows up to the end of the needle.
    sorted: Vec<Start>,
    /// A bit for each hash of the first four bytes, for each pair of first bytes, and for each first
    /// byte: most places of most texts are told by these.
    grams: Zeroizing<Vec<u64>>,
    pairs: Zeroizing<Vec<u64>>,
    /// How far from its end a text has to be looked through.
    reach: usize,
    /// What any needle takes in to its left.
    left: Edge,
}

#[derive(Clone, Copy)]
struct Start {
    from: u32,
    to: u32,
    entry: u32,
}

const GRAM_BITS: u32 = 19;

/// The earliest place of a text from where on it may go on to be a needle.
pub(super) struct Open {
    pub(super) at: usize,
    /// What these needles take in to their left.
    pub(super) left: Edge,
}

impl Starts {
    pub(super) fn new(text: &[u8], entries: &[Entry], needles: &[&Needle], left: Edge) -> Self {
        let mut sorted = Vec::with_capacity(entries.len());
        let mut reach = 0;
        for ((entry, needle), number) in entries.iter().zip(needles).zip(0..) {
            let start = |from: usize| Start {
                from: entry.at + offset(from),
                to: entry.at + entry.len,
                entry: number,
            };
            sorted.push(start(0));
            reach = reach.max(needle.bytes.len().min(REACH + GRAM));
            if let Some(cut) = needle.cut {
                let last = needle.bytes.len() - cut.suffix;
                sorted.extend((cut.public.max(1)..=last).map(start));
                reach = reach.max(needle.bytes.len());
            }
        }
        let of = |start: &Start| &text[start.from as usize..start.to as usize];
        sorted.sort_unstable_by(|a, b| of(a).cmp(of(b)));
        let mut starts = Starts {
            grams: Zeroizing::new(vec![0; 1 << (GRAM_BITS - 6)]),
            pairs: Zeroizing::new(vec![0; 1 << (16 - 6)]),
            sorted: Vec::new(),
            reach,
            left,
        };
        for start in &sorted {
            let bytes = of(start);
            let bit = gram_bit(bytes);
            starts.grams[bit / 64] |= 1 << (bit % 64);
            let bit = pair_bit(bytes);
            starts.pairs[bit / 64] |= 1 << (bit % 64);
        }
        starts.sorted = sorted;
        starts
    }

    /// The earliest place within reach of the end of `tail`, or the end of it. `text` is that of
    /// all needles.
    pub(super) fn open(&self, text: &[u8], entries: &[Entry], tail: &[u8]) -> Open {
        let end = tail.len();
        for at in end.saturating_sub(self.reach)..end {
            let rest = &tail[at..];
            let may_be = match rest.len() {
                0 => false,
                1 => true,
                2 | 3 => bit(&self.pairs, pair_bit(rest)),
                _ => bit(&self.grams, gram_bit(rest)),
            };
            if may_be && let Some(left) = self.left_of(text, entries, rest) {
                return Open { at, left };
            }
        }
        Open {
            at: end,
            left: Edge::NONE,
        }
    }

    /// What the needles that go on where `rest` ends take in to their left; `None` where there are
    /// none.
    fn left_of(&self, text: &[u8], entries: &[Entry], rest: &[u8]) -> Option<Edge> {
        let mut left = None;
        for (count, start) in self.going_on(text, rest).enumerate() {
            if count == ASKED {
                return Some(self.left);
            }
            let entry = &entries[start.entry as usize];
            let edge = match (start.from == entry.at, entry.is_wide) {
                (true, false) => entry.left,
                (true, true) => Edge::ZERO,
                (false, _) => Edge::NONE,
            };
            left = Some(left.unwrap_or(Edge::NONE).or(edge));
        }
        left
    }

    /// The one value that `rest` may go on to be, if there is only one.
    pub(super) fn sole_owner(&self, text: &[u8], entries: &[Entry], rest: &[u8]) -> Option<u32> {
        let mut sole = None;
        for (count, start) in self.going_on(text, rest).enumerate() {
            let owner = entries[start.entry as usize].owner;
            if count == ASKED || *sole.get_or_insert(owner) != owner {
                return None;
            }
        }
        sole
    }

    /// The needles of which `rest` is a proper prefix.
    fn going_on<'a>(&'a self, text: &'a [u8], rest: &'a [u8]) -> impl Iterator<Item = &'a Start> {
        let of = |start: &Start| &text[start.from as usize..start.to as usize];
        let first = self.sorted.partition_point(|start| of(start) <= rest);
        self.sorted[first..]
            .iter()
            .take_while(move |start| of(start).starts_with(rest))
    }
}

fn bit(set: &[u64], index: usize) -> bool {
    set[index / 64] >> (index % 64) & 1 == 1
}

fn gram_bit(bytes: &[u8]) -> usize {
    (hash(super::filter::gram(bytes, 0)) >> (32 - GRAM_BITS)) as usize
}

fn pair_bit(bytes: &[u8]) -> usize {
    usize::from(u16::from_le_bytes([bytes[0], bytes[1]]))
}
