//! Chance from a seed: the same texts everywhere, without a source that may change.

/// A stream of numbers that its seed determines.
///
/// Source: SplitMix64, Steele, Lea and Flood 2014.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The stream of a seed: FNV-1a of its bytes begins it.
    #[must_use]
    pub fn of(seed: &str) -> Self {
        let start = 0xCBF2_9CE4_8422_2325;
        let mix = |state: u64, byte: u8| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        Self(seed.bytes().fold(start, mix))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        // The remainder is as good as even for limits this small.
        (self.number() >> 16) as usize % limit
    }

    /// One of several.
    pub fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// So many characters of an alphabet.
    pub fn letters(&mut self, alphabet: &str, count: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..count)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }

    /// Appends so many bytes of any value.
    pub fn bytes(&mut self, count: usize, out: &mut Vec<u8>) {
        let end = out.len() + count;
        while out.len() < end {
            out.extend(self.number().to_le_bytes());
        }
        out.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn a_seed_determines_everything() {
        let drawn = |seed| {
            let mut chance = Chance::of(seed);
            let mut bytes = Vec::new();
            chance.bytes(13, &mut bytes);
            (chance.below(1000), chance.letters("ab", 9), bytes)
        };
        assert_eq!(drawn("one"), drawn("one"));
        assert_ne!(drawn("one"), drawn("two"));
        assert_eq!(drawn("one").2.len(), 13);
    }
}
