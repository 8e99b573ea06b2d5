//! Where a needle may be: four bytes at every few of the text.
//!
//! With a stride of `s`, one of any `s` four-byte pieces in a row stands where the filter looks. So
//! `s` in a row of each needle are known to it: those that are rarest in ordinary text.

use zeroize::{Zeroize, Zeroizing};

use super::bits::{Bits, GRAM, gram, hash, hash_both};
use crate::wide::Wide;

/// A stride beyond this gains little, and each step of it costs a piece of each needle.
const STRIDE_MAX: usize = 9;
/// Pieces are taken from the first bytes of a needle: what began before that is known to be there
/// when the end of the text is looked at.
pub(crate) const REACH: usize = 240;
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

/// What stands at the end of a family, where that is not too far: needles that begin alike are told
/// by it without a look at their bytes.
fn end_of(bytes: &[u8], at: usize) -> (u16, u16) {
    match u16::try_from(bytes.len() - at) {
        Ok(to_end) => (to_end, short_hash(gram(bytes, bytes.len() - GRAM))),
        Err(_) => (0, 0),
    }
}

/// Tells four bytes from most others, and not what they are.
fn short_hash(gram: u32) -> u16 {
    (hash(gram) >> 8) as u16
}

/// Where a piece stands in a needle.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) needle: u32,
    /// From the beginning of the needle; of a suffix, from where it counts on.
    pub(super) offset: u8,
    pub(super) is_suffix: bool,
    /// How many bytes there are from the piece to the end of the family, and a hash of the last four;
    /// 0 where they are too many.
    to_end: u16,
    end: u16,
}

impl Place {
    /// Whether the family whose piece stands `at` this place may end as it has to, as far as the text
    /// goes.
    #[inline]
    pub(super) fn may_end(&self, text: &[u8], at: usize) -> bool {
        let to_end = usize::from(self.to_end);
        to_end == 0
            || at + to_end > text.len()
            || short_hash(gram(text, at + to_end - GRAM)) == self.end
    }
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
    /// Where the places of the pieces with a hash begin, by its first bits; they end where the next
    /// ones begin.
    buckets: Box<[u32]>,
    places: Box<[Place]>,
    /// The pieces themselves, in the order of the places.
    grams: Zeroizing<Vec<u32>>,
}

impl Filter {
    pub(super) fn new(families: &[Family<'_>], wide: Option<Wide>) -> Self {
        let shortest = families.iter().map(|f| f.bytes.len()).min();
        let stride = shortest.map_or(STRIDE_MAX, |len| (len + 1 - GRAM).min(STRIDE_MAX));
        let mut chosen = Chosen::default();
        let count = families.len() * stride;
        let mut pieces = Zeroizing::new(Vec::with_capacity(count));
        let [mut first, mut ahead, mut behind] = [(); 3].map(|()| Bits::new(count));
        let mut alone = Bits::new(0);
        for family in families {
            let bytes = family.bytes;
            let start = chosen.choose(bytes, stride, family.owner);
            for at in start..start + stride {
                let gram = gram(bytes, at);
                first.insert(hash(gram));
                if at + 2 * GRAM <= bytes.len() {
                    ahead.insert(hash_both(&bytes[at..]));
                } else if at >= GRAM {
                    behind.insert(hash_both(&bytes[at - GRAM..]));
                } else {
                    alone.insert(hash(gram));
                }
                let (to_end, end) = end_of(bytes, at);
                let place = Place {
                    needle: family.needle,
                    offset: u8::try_from(at).unwrap_or(u8::MAX),
                    is_suffix: family.is_suffix,
                    to_end,
                    end,
                };
                pieces.push(Piece { gram, place });
            }
        }
        let size = count.next_power_of_two().trailing_zeros().clamp(4, 20);
        let bucket = |gram: u32| (hash(gram) >> (32 - size)) as usize;
        pieces.sort_unstable_by_key(|piece| (hash(piece.gram), piece.place.needle));
        let mut buckets = vec![0; (1 << size) + 1].into_boxed_slice();
        for piece in pieces.iter() {
            buckets[bucket(piece.gram) + 1] += 1;
        }
        for at in 1..buckets.len() {
            buckets[at] += buckets[at - 1];
        }
        Filter {
            stride,
            wide,
            pieces: first,
            ahead,
            behind,
            alone,
            buckets,
            places: pieces.iter().map(|piece| piece.place).collect(),
            grams: Zeroizing::new(pieces.iter().map(|piece| piece.gram).collect()),
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
            for at in &left[..sure] {
                let at = *at as usize;
                let places = self.places(gram(text, at));
                if !places.is_empty() {
                    found(at, places);
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

    fn places(&self, gram: u32) -> &[Place] {
        let shift = 32 - self.buckets.len().ilog2();
        let bucket = (hash(gram) >> shift) as usize;
        let (from, to) = (
            self.buckets[bucket] as usize,
            self.buckets[bucket + 1] as usize,
        );
        let grams = &self.grams[from..to];
        let Some(first) = grams.iter().position(|other| *other == gram) else {
            return &[];
        };
        let count = grams[first..].iter().take_while(|other| **other == gram);
        &self.places[from + first..][..count.count()]
    }
}

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
