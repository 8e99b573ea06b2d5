//! Where a needle may be: four bytes at every few of the text.
//!
//! With a stride of `s`, one of any `s` four-byte pieces in a row stands where the filter looks. So
//! `s` in a row of each needle are known to it: those that are rarest in ordinary text.

use zeroize::{Zeroize, Zeroizing};

/// Bytes that are looked at together.
pub(crate) const GRAM: usize = 4;
/// A stride beyond this gains little, and each step of it costs a piece of each needle.
const STRIDE_MAX: usize = 9;
/// Pieces are taken from the first bytes of a needle: what began before that is known to be there
/// when the end of the text is looked at.
pub(crate) const REACH: usize = 240;
/// One bit in so many is set at most, up to the largest table.
const SPARSE: usize = 48;
const BITS: std::ops::RangeInclusive<u32> = 15..=22;

/// A needle, as far as any part of it that counts has to have it.
pub(super) struct Family<'a> {
    pub(super) needle: u32,
    /// Whether these bytes are its end and not its beginning.
    pub(super) is_suffix: bool,
    /// Where they stand in the needle.
    pub(super) from: usize,
    pub(super) bytes: &'a [u8],
}

/// Where a piece stands in a needle.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) needle: u32,
    pub(super) offset: u32,
    pub(super) is_suffix: bool,
}

pub(super) struct Filter {
    stride: usize,
    /// A bit for each hash of a piece.
    bits: Box<[u64]>,
    shift: u32,
    /// Pieces by hash, with open addressing; their places are `places[from..to]`.
    slots: Zeroizing<Vec<Slot>>,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    gram: u32,
    from: u32,
    to: u32,
}

impl Zeroize for Slot {
    fn zeroize(&mut self) {
        self.gram.zeroize();
    }
}

impl Filter {
    pub(super) fn new(mut families: Vec<Family<'_>>) -> Self {
        let shortest = families.iter().map(|f| f.bytes.len()).min();
        let stride = shortest.map_or(STRIDE_MAX, |len| (len + 1 - GRAM).min(STRIDE_MAX));
        // Equal beginnings get equal pieces, which are then looked up once.
        families.sort_by_key(|family| (family.bytes, family.needle));
        let mut taken = vec![0u8; 1 << 16];
        let mut pieces = Zeroizing::new(Vec::with_capacity(families.len() * stride));
        for family in &families {
            let start = rarest(family.bytes, stride, &mut taken);
            for at in start..start + stride {
                pieces.push(Piece {
                    gram: gram(family.bytes, at),
                    place: Place {
                        needle: family.needle,
                        offset: u32::try_from(family.from + at).unwrap_or(u32::MAX),
                        is_suffix: family.is_suffix,
                    },
                });
            }
        }
        pieces.sort_by_key(|piece| piece.gram);
        let wanted = (pieces.len() * SPARSE).next_power_of_two().trailing_zeros();
        let size = wanted.clamp(*BITS.start(), *BITS.end());
        let mut filter = Filter {
            stride,
            bits: vec![0; 1 << (size - 6)].into_boxed_slice(),
            shift: 32 - size,
            slots: Zeroizing::new(vec![
                Slot::default();
                (2 * pieces.len() + 1).next_power_of_two()
            ]),
            places: pieces.iter().map(|piece| piece.place).collect(),
        };
        let mut from = 0;
        for same in pieces.chunk_by(|a, b| a.gram == b.gram) {
            let to = from + same.len();
            filter.insert(same[0].gram, from, to);
            from = to;
        }
        filter
    }

    fn insert(&mut self, gram: u32, from: usize, to: usize) {
        let bit = (hash(gram) >> self.shift) as usize;
        self.bits[bit / 64] |= 1 << (bit % 64);
        let mask = self.slots.len() - 1;
        let mut slot = hash(gram) as usize & mask;
        while self.slots[slot].to != 0 {
            slot = (slot + 1) & mask;
        }
        let number = |place| u32::try_from(place).unwrap_or(u32::MAX);
        self.slots[slot] = Slot {
            gram,
            from: number(from),
            to: number(to),
        };
    }

    /// How many bytes lie between two looks.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Looks at `text` from `at` on in strides; calls `found` with each place of the text where
    /// needles may be, and which. Returns where the next look is due.
    #[inline]
    pub(super) fn look(
        &self,
        text: &[u8],
        mut at: usize,
        mut found: impl FnMut(usize, &[Place]),
    ) -> usize {
        while let Some(bytes) = text.get(at..at + GRAM) {
            let gram = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            let bit = (hash(gram) >> self.shift) as usize;
            if self.bits[bit / 64] >> (bit % 64) & 1 == 1 {
                let places = self.places(gram);
                if !places.is_empty() {
                    found(at, places);
                }
            }
            at += self.stride;
        }
        at
    }

    #[cold]
    fn places(&self, gram: u32) -> &[Place] {
        let mask = self.slots.len() - 1;
        let mut slot = hash(gram) as usize & mask;
        loop {
            let found = &self.slots[slot];
            if found.to == 0 {
                return &[];
            }
            if found.gram == gram {
                return &self.places[found.from as usize..found.to as usize];
            }
            slot = (slot + 1) & mask;
        }
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

pub(super) fn gram(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, §6.4); the high bits count.
#[inline]
pub(super) fn hash(gram: u32) -> u32 {
    let mixed = gram.wrapping_mul(0x9E37_79B1);
    mixed ^ mixed >> 15
}

/// Where the pieces begin that are rarest in ordinary text and not yet taken by other needles.
fn rarest(bytes: &[u8], stride: usize, taken: &mut [u8]) -> usize {
    let last = bytes.len().min(REACH) - (stride + GRAM - 1);
    let cell = |at: usize| (hash(gram(bytes, at)) >> 16) as usize;
    let cost = |at: usize, taken: &[u8]| commonness(bytes, at) + 4 * u32::from(taken[cell(at)]);
    // More places than these cost more to weigh than they gain.
    let looked_at = last.min(24);
    let costs: Vec<u32> = (0..looked_at + stride).map(|at| cost(at, taken)).collect();
    let best = (0..=looked_at)
        .min_by_key(|start| costs[*start..start + stride].iter().sum::<u32>())
        .unwrap_or(0);
    for at in best..best + stride {
        let cell = &mut taken[cell(at)];
        *cell = cell.saturating_add(1);
    }
    best
}

/// How often four such bytes stand together in logs, code and prose, roughly.
fn commonness(bytes: &[u8], at: usize) -> u32 {
    let classes = [0, 1, 2, 3].map(|next| Class::of(bytes[at + next]));
    let single: u32 = classes.iter().map(|class| class.weight()).sum();
    let runs = classes.windows(2).filter(|pair| pair[0] == pair[1]).count();
    single + 3 * u32::try_from(runs).unwrap_or(0)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Blank,
    Mark,
    Rare,
}

impl Class {
    fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b' ' | b'\n' => Class::Blank,
            b'-' | b'_' | b'.' | b':' | b'/' | b'=' | b',' | b'"' | b'\'' | b'(' | b')' => {
                Class::Mark
            }
            _ => Class::Rare,
        }
    }

    fn weight(self) -> u32 {
        match self {
            Class::Lower => 8,
            Class::Upper => 4,
            Class::Digit => 6,
            Class::Blank => 8,
            Class::Mark => 5,
            Class::Rare => 1,
        }
    }
}
