//! How needles begin, in sorted order: what the end of a text may go on to be.

use super::bits::{Bits, GRAM, gram, hash, hash_both};
use super::filter::REACH;
use super::{Entry, offset};
use crate::needle::{Edge, Needle};

/// How many beginnings are asked at most.
const ASKED: usize = 64;

pub(super) struct Starts {
    /// The beginnings of needles, and the places in them from where on a suffix counts; sorted by
    /// what follows up to the end of the needle.
    sorted: Vec<Start>,
    /// The first eight bytes of each, the first four, the first two, the first: most places of most
    /// texts are told by these.
    eights: Bits,
    fours: Bits,
    /// By the first two bytes, in their order: what the last bytes of a text are asked for.
    pairs: Vec<Pair>,
    ones: Box<[One; 256]>,
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

/// Beginnings with the same first byte.
#[derive(Clone, Copy)]
struct One {
    /// Where their pairs begin and end.
    from: u32,
    to: u32,
    /// What they take in to their left; `None` if there are none.
    left: Option<Edge>,
}

/// Beginnings with the same first two bytes.
struct Pair {
    second: u8,
    /// Where they begin and end.
    from: u32,
    to: u32,
    left: Edge,
}

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
            eights: Bits::new(sorted.len()),
            fours: Bits::new(sorted.len()),
            pairs: Vec::new(),
            ones: Box::new([One::NONE; 256]),
            sorted: Vec::new(),
            reach,
            left,
        };
        for start in &sorted {
            let bytes = of(start);
            starts.fours.insert(hash(gram(bytes, 0)));
            if bytes.len() >= 2 * GRAM {
                starts.eights.insert(hash_both(bytes));
            }
        }
        let two = |start: &Start| (of(start)[0], of(start)[1]);
        let mut from = 0;
        for same in sorted.chunk_by(|a, b| two(a) == two(b)) {
            let to = from + offset(same.len());
            let (first, second) = two(&same[0]);
            let edges = same.iter().map(|start| start.left(entries));
            let left = edges.fold(Edge::NONE, Edge::or);
            let pairs = offset(starts.pairs.len());
            starts.ones[usize::from(first)].add(pairs, left);
            starts.pairs.push(Pair {
                second,
                from,
                to,
                left,
            });
            from = to;
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
                0..4 => true,
                4..8 => self.fours.has(hash(gram(rest, 0))),
                // What goes on is longer.
                _ => self.eights.has(hash_both(rest)),
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
        match rest {
            [first] => return self.ones[usize::from(*first)].left,
            [first, second] => return self.pair(*first, *second).map(|pair| pair.left),
            _ => {}
        }
        let mut left = None;
        for (count, start) in self.going_on(text, rest).enumerate() {
            if count == ASKED {
                return Some(self.left);
            }
            let edge = start.left(entries);
            left = Some(left.unwrap_or(Edge::NONE).or(edge));
        }
        left
    }

    fn pair(&self, first: u8, second: u8) -> Option<&Pair> {
        let one = self.ones[usize::from(first)];
        let pairs = &self.pairs[one.from as usize..one.to as usize];
        let found = pairs.binary_search_by_key(&second, |pair| pair.second);
        found.ok().map(|at| &pairs[at])
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
        let range = match rest {
            [] => 0..self.sorted.len(),
            [first] => {
                let one = self.ones[usize::from(*first)];
                let pairs = &self.pairs[one.from as usize..one.to as usize];
                let from = pairs.first().map_or(0, |pair| pair.from);
                from as usize..pairs.last().map_or(from, |pair| pair.to) as usize
            }
            [first, second, ..] => {
                let pair = self.pair(*first, *second);
                pair.map_or(0..0, |pair| pair.from as usize..pair.to as usize)
            }
        };
        let sorted = &self.sorted[range];
        let first = sorted.partition_point(|start| of(start) <= rest);
        sorted[first..]
            .iter()
            .take_while(move |start| of(start).starts_with(rest))
    }
}

impl One {
    const NONE: One = One {
        from: 0,
        to: 0,
        left: None,
    };

    /// The next pair of this byte has this number.
    fn add(&mut self, pair: u32, left: Edge) {
        if self.left.is_none() {
            self.from = pair;
        }
        self.to = pair + 1;
        self.left = Some(self.left.unwrap_or(Edge::NONE).or(left));
    }
}

impl Start {
    /// What a needle that begins here takes in to its left.
    fn left(&self, entries: &[Entry]) -> Edge {
        let entry = &entries[self.entry as usize];
        match (self.from == entry.at, entry.is_wide) {
            (true, false) => entry.left,
            (true, true) => Edge::ZERO,
            (false, _) => Edge::NONE,
        }
    }
}
