//! Where a needle may be: four bytes at every few of the text.
//!
//! With a stride of `s`, one of any `s` four-byte pieces in a row stands where the filter looks. So
//! `s` in a row of each needle are known to it: those that are rarest in ordinary text.

use std::ops::Range;

use zeroize::{Zeroize, Zeroizing};

use super::bits::{Bits, GRAM, gram, hash, hash_both};
use super::offset;
use crate::wide::{Wide, soon};

/// A stride beyond this gains little, and each step of it costs a piece of each needle.
const STRIDE_MAX: usize = 9;
/// Pieces are taken from the first bytes of a needle: what began before that is known to be there
/// when the end of the text is looked at.
pub(crate) const REACH: usize = 240;
/// Places in what the processor takes from memory at once.
const LINE: usize = 64 / size_of::<Place>();
/// So many looks are taken together.
const TOGETHER: usize = 64;

/// A needle, as far as any part of it that counts has to have it.
pub(super) struct Family<'a> {
    pub(super) needle: u32,
    /// The value that it gives away.
    pub(super) owner: u32,
    /// Whether these bytes are its end and not its beginning.
    pub(super) is_suffix: bool,
    pub(super) bytes: &'a [u8],
}

/// Where a piece stands in a needle.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) needle: u32,
    /// How many bytes there are from the piece to the end of the family, 0 where they are too many;
    /// [`SUFFIX`] stands beside it.
    to_end: u16,
    /// From the beginning of the needle; of a suffix, from where it counts on.
    pub(super) offset: u8,
    /// A hash of the last four bytes of the family.
    end: u8,
}

/// The family of a place is a suffix.
const SUFFIX: u16 = 1 << 15;

impl Place {
    /// Where the piece `at` this place of a family stands.
    fn of(family: &Family<'_>, at: usize) -> Self {
        let bytes = family.bytes;
        let to_end = u16::try_from(bytes.len() - at).ok();
        let to_end = to_end.filter(|to_end| to_end & SUFFIX == 0).unwrap_or(0);
        Place {
            needle: family.needle,
            to_end: to_end | if family.is_suffix { SUFFIX } else { 0 },
            offset: u8::try_from(at).unwrap_or(u8::MAX),
            end: end_of(gram(bytes, bytes.len() - GRAM)),
        }
    }

    pub(super) fn is_suffix(&self) -> bool {
        self.to_end & SUFFIX != 0
    }

    fn to_end(self) -> u16 {
        self.to_end & !SUFFIX
    }
}

/// Tells four bytes from most others, and not what they are.
fn end_of(gram: u32) -> u8 {
    (hash(gram) >> 24) as u8
}

/// Those of some places `at` this one of a text whose families may end as they have to, as far as
/// the text goes: needles that begin alike are told by it without a look at their bytes.
pub(super) fn may_end<'a>(
    places: &'a [Place],
    text: &'a [u8],
    at: usize,
) -> impl Iterator<Item = &'a Place> {
    // Many are as long: what stands there is looked at once.
    let mut asked = 0;
    let mut stands = None;
    places.iter().filter(move |place| {
        if place.to_end() != asked {
            asked = place.to_end();
            let end = at + usize::from(asked);
            stands = (end <= text.len()).then(|| end_of(gram(text, end - GRAM)));
        }
        stands.is_none_or(|stands| stands == place.end)
    })
}

/// Told by the piece alone, most places of most texts are none of a needle. Those that are left are
/// told by what stands beside it, and only then the needles are looked up: their table is larger
/// than what is near the processor.
pub(super) struct Filter {
    stride: usize,
    wide: Option<Wide>,
    pieces: Bits,
    /// Pieces with the four bytes behind them, and with those before them; pieces of needles that
    /// have neither.
    ahead: Bits,
    behind: Bits,
    alone: Bits,
    /// The pieces themselves, by the first bits of their hash: each there, or in the next place that
    /// was free.
    groups: Zeroizing<Vec<Group>>,
    places: Box<[Place]>,
}

/// A piece, and which of the places are its own.
#[derive(Clone, Copy, Default)]
struct Group {
    gram: u32,
    from: u32,
    /// None where it is free.
    count: u32,
}

impl Zeroize for Group {
    fn zeroize(&mut self) {
        self.gram.zeroize();
    }
}

impl Filter {
    pub(super) fn new(families: &[Family<'_>], wide: Option<Wide>) -> Self {
        let shortest = families.iter().map(|f| f.bytes.len()).min();
        let stride = shortest.map_or(STRIDE_MAX, |len| (len + 1 - GRAM).min(STRIDE_MAX));
        let mut chosen = Chosen::default();
        let count = families.len() * stride;
        let mut known = Zeroizing::new(Vec::with_capacity(count));
        let [mut pieces, mut ahead, mut behind] = [(); 3].map(|()| Bits::new(count));
        let mut alone = Bits::new(0);
        for family in families {
            let bytes = family.bytes;
            let start = chosen.choose(bytes, stride, family.owner);
            for at in start..start + stride {
                let gram = gram(bytes, at);
                pieces.insert(hash(gram));
                if at + 2 * GRAM <= bytes.len() {
                    ahead.insert(hash_both(&bytes[at..]));
                } else if at >= GRAM {
                    behind.insert(hash_both(&bytes[at - GRAM..]));
                } else {
                    alone.insert(hash(gram));
                }
                let place = Place::of(family, at);
                known.push(Piece { gram, place });
            }
        }
        known.sort_unstable_by_key(|piece| {
            let place = &piece.place;
            (hash(piece.gram), place.to_end(), place.needle)
        });
        let (groups, places) = grouped(&known);
        Filter {
            stride,
            wide,
            pieces,
            ahead,
            behind,
            alone,
            groups,
            places,
        }
    }

    /// How many bytes lie between two looks.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Looks at `text` from `at` on in strides; calls `found` with each place of the text where
    /// needles may be, and which. Returns where the next look is due.
    ///
    /// Some looks are taken together, and the places that are left are gathered without a branch:
    /// the processor waits for no table then, but asks for the next places meanwhile.
    pub(super) fn look(
        &self,
        text: &[u8],
        mut at: usize,
        mut found: impl FnMut(usize, &[Place]),
    ) -> usize {
        let mut left = [0; TOGETHER];
        let mut groups = [const { 0..0 }; TOGETHER];
        while at + GRAM <= text.len() {
            let count;
            (count, at) = self
                .pieces
                .look(self.wide, text, at, self.stride, &mut left);
            let mut sure = 0;
            for look in 0..count {
                let at = left[look];
                left[sure] = at;
                sure += usize::from(self.may_be(text, at as usize));
            }
            // Neither table is near: all that is wanted of them is asked for, and then read.
            for at in &left[..sure] {
                soon(&self.groups[self.slot(gram(text, *at as usize))]);
            }
            for (group, at) in groups.iter_mut().zip(&left[..sure]) {
                *group = self.group(gram(text, *at as usize));
                for line in self.places[group.clone()].chunks(LINE) {
                    soon(&line[0]);
                }
            }
            for (group, at) in groups.iter().zip(&left[..sure]) {
                let places = &self.places[group.clone()];
                if !places.is_empty() {
                    found(*at as usize, places);
                }
            }
        }
        at
    }

    /// Whether what stands beside a piece may be that of a needle, as far as it is there.
    #[inline]
    fn may_be(&self, text: &[u8], at: usize) -> bool {
        if at < GRAM || at + 2 * GRAM > text.len() {
            return true;
        }
        self.ahead.has(hash_both(&text[at..]))
            | self.behind.has(hash_both(&text[at - GRAM..]))
            | self.alone.has(hash(gram(text, at)))
    }

    fn slot(&self, gram: u32) -> usize {
        slot(self.groups.len(), gram)
    }

    /// Which places are those of these four bytes.
    fn group(&self, gram: u32) -> Range<usize> {
        let mut at = self.slot(gram);
        loop {
            let group = &self.groups[at];
            if group.count == 0 || group.gram == gram {
                let from = group.from as usize;
                return from..from + group.count as usize;
            }
            at = (at + 1) % self.groups.len();
        }
    }
}

/// Where four bytes stand in so many groups, if nothing is there before them.
fn slot(groups: usize, gram: u32) -> usize {
    (hash(gram) >> (32 - groups.ilog2())) as usize
}

/// Sorted pieces by their four bytes, with their places.
fn grouped(known: &[Piece]) -> (Zeroizing<Vec<Group>>, Box<[Place]>) {
    let same = || known.chunk_by(|a, b| a.gram == b.gram);
    // At least half of them stay free, so that a look finds its end soon.
    let size = (2 * same().count()).next_power_of_two().max(2);
    let mut groups = Zeroizing::new(vec![Group::default(); size]);
    let mut from = 0;
    for same in same() {
        let gram = same[0].gram;
        let mut at = slot(size, gram);
        while groups[at].count != 0 {
            at = (at + 1) % size;
        }
        let count = offset(same.len());
        groups[at] = Group { gram, from, count };
        from += count;
    }
    (groups, known.iter().map(|piece| piece.place).collect())
}

/// Four bytes of a needle, and where they stand in it.
struct Piece {
    gram: u32,
    place: Place,
}

impl Zeroize for Piece {
    fn zeroize(&mut self) {
        self.gram.zeroize();
    }
}

/// The pieces chosen so far, by hash.
struct Chosen {
    /// How often, and for which value last: its number and 1.
    counts: Box<[u8]>,
    owners: Box<[u32]>,
    costs: Vec<u32>,
}

impl Default for Chosen {
    fn default() -> Self {
        Chosen {
            counts: vec![0; 1 << 16].into_boxed_slice(),
            owners: vec![0; 1 << 16].into_boxed_slice(),
            costs: Vec::new(),
        }
    }
}

/// More places of a needle than these cost more to weigh than they gain.
const WEIGHED: usize = 24;

impl Chosen {
    /// Where as many pieces in a row begin as the stride asks for: those that the needle shares with
    /// others of its value, else those that are rarest in ordinary text and not taken by the needles
    /// of other values.
    fn choose(&mut self, bytes: &[u8], stride: usize, owner: u32) -> usize {
        let cell = |at: usize| (hash(gram(bytes, at)) >> 16) as usize;
        let last = (bytes.len().min(REACH) - (stride + GRAM - 1)).min(WEIGHED);
        self.costs.clear();
        for at in 0..last + stride {
            let cell = cell(at);
            self.costs.push(match self.owners[cell] == owner + 1 {
                true => 0,
                false => commonness(bytes, at) + 3 * u32::from(self.counts[cell]),
            });
        }
        let windows = self.costs.windows(stride).enumerate();
        let best = windows.min_by_key(|(_, costs)| costs.iter().sum::<u32>());
        let best = best.map_or(0, |(start, _)| start);
        for at in best..best + stride {
            let cell = cell(at);
            if self.owners[cell] != owner + 1 {
                self.counts[cell] = self.counts[cell].saturating_add(1);
                self.owners[cell] = owner + 1;
            }
        }
        best
    }
}

/// How often four such bytes stand together in logs, code and prose, roughly.
fn commonness(bytes: &[u8], at: usize) -> u32 {
    let classes = [0, 1, 2, 3].map(|next| CLASSES[usize::from(bytes[at + next])]);
    let pairs = classes.windows(2);
    let weights = pairs.map(|pair| PAIRS[pair[0] as usize][pair[1] as usize]);
    weights.map(u32::from).sum()
}

#[derive(Clone, Copy)]
enum Class {
    Lower,
    Upper,
    Digit,
    Blank,
    Mark,
    Rare,
}

/// How often a byte of one class follows one of another, roughly: words and numbers are common, a
/// digit beside a letter is not.
const PAIRS: [[u8; 6]; 6] = [
    [10, 2, 2, 8, 7, 1],
    [5, 6, 2, 4, 4, 1],
    [2, 2, 9, 7, 8, 1],
    [8, 5, 7, 8, 5, 1],
    [7, 4, 8, 6, 5, 1],
    [1, 1, 1, 1, 1, 1],
];

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Rare; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b' ' | b'\n' => Class::Blank,
            b'-' | b'_' | b'.' | b':' | b'/' | b'=' | b',' | b'"' | b'\'' | b'(' | b')' => {
                Class::Mark
            }
            _ => Class::Rare,
        };
        byte += 1;
    }
    classes
};
