//! Sets of hashes: what is not in them is not there, most of what is not there is not in them.

use crate::wide::Wide;

/// Bytes that are looked at together.
pub(crate) const GRAM: usize = 4;
/// Of a table that stays with the processor's nearest memory, one bit in so many is set; of a larger
/// one, more.
const SPARSE: usize = 24;
const NEAR: usize = 1 << 18;
const DENSE: usize = 6;
const BITS: std::ops::RangeInclusive<u32> = 9..=24;

/// A bit for each hash.
pub(super) struct Bits {
    bits: Box<[u64]>,
    shift: u32,
}

impl Bits {
    /// For so many hashes.
    pub(super) fn new(count: usize) -> Self {
        let wanted = (count * SPARSE).min(NEAR).max(count * DENSE);
        let wanted = wanted.next_power_of_two().trailing_zeros();
        let size = wanted.clamp(*BITS.start(), *BITS.end());
        Bits {
            bits: vec![0; 1 << (size - 6)].into_boxed_slice(),
            shift: 32 - size,
        }
    }

    pub(super) fn insert(&mut self, hash: u32) {
        let bit = (hash >> self.shift) as usize;
        self.bits[bit / 64] |= 1 << (bit % 64);
    }

    #[inline]
    pub(super) fn has(&self, hash: u32) -> bool {
        let bit = (hash >> self.shift) as usize;
        self.bits[bit / 64] >> (bit % 64) & 1 == 1
    }
}

impl Bits {
    /// Notes the places of the text, from `at` on in strides, whose four bytes are in the set; as
    /// many as fit. Returns how many were found, and where the next look is due.
    pub(super) fn look(
        &self,
        wide: Option<Wide>,
        text: &[u8],
        at: usize,
        stride: usize,
        found: &mut [u32],
    ) -> (usize, usize) {
        let all = (&*self.bits, self.shift);
        let (mut count, mut at) = match wide {
            Some(wide) => wide.look(text, at, stride, all, found),
            None => (0, at),
        };
        // What wide looks are stopped by: there is no room for more, or too little text.
        if count + Wide::LOOKS > found.len() {
            return (count, at);
        }
        while count < found.len() && at + GRAM <= text.len() {
            found[count] = u32::try_from(at).unwrap_or(u32::MAX);
            count += usize::from(self.has(hash(gram(text, at))));
            at += stride;
        }
        (count, at)
    }
}

/// Four bytes of a text.
#[inline]
pub(super) fn gram(bytes: &[u8], at: usize) -> u32 {
    let bytes = &bytes[at..at + GRAM];
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, §6.4); the high bits count.
/// No two pieces have the same hash.
#[inline]
pub(super) fn hash(gram: u32) -> u32 {
    let mixed = gram.wrapping_mul(0x9E37_79B1);
    mixed ^ mixed >> 15
}

/// The hash of eight bytes.
#[inline]
pub(super) fn hash_both(bytes: &[u8]) -> u32 {
    let (low, high) = (gram(bytes, 0), gram(bytes, GRAM));
    let both = u64::from(high) << 32 | u64::from(low);
    (both.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}
