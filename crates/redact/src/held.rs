//! The bytes held back: a window on the input with amortised constant cost.

use zeroize::Zeroizing;

/// The last bytes of the input, from [`Held::start`] to the current position.
///
/// Dropping bytes from the front only moves an index; the buffer is compacted
/// when at least half of it is dead, so that a long held prefix fed byte by
/// byte does not cost its length at every byte.
pub(crate) struct Held {
    buffer: Zeroizing<Vec<u8>>,
    head: usize,
    start: u64,
}

impl Held {
    pub(crate) fn new() -> Self {
        Held {
            buffer: Zeroizing::new(Vec::new()),
            head: 0,
            start: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    /// How many bytes are kept.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len() - self.head
    }

    /// The byte at an absolute offset, if it is still kept.
    pub(crate) fn at(&self, offset: u64) -> Option<u8> {
        let index = usize::try_from(offset.checked_sub(self.start)?).ok()?;
        self.bytes().get(index).copied()
    }

    /// The kept bytes of an absolute range, clipped to what is kept.
    pub(crate) fn range(&self, from: u64, to: u64) -> &[u8] {
        let bytes = self.bytes();
        let clip = |offset: u64| {
            let index = offset.saturating_sub(self.start);
            usize::try_from(index).map_or(bytes.len(), |index| index.min(bytes.len()))
        };
        &bytes[clip(from)..clip(to).max(clip(from))]
    }

    /// Takes in `block`, which begins where the kept bytes end, and keeps what
    /// lies at `from` and beyond. `most` is the greatest length ever kept.
    pub(crate) fn advance(&mut self, block: &[u8], from: u64, most: usize) {
        let from = from.max(self.start);
        let block_start = self.start + self.len() as u64;
        if from >= block_start {
            self.buffer.clear();
            self.head = 0;
            let skip = usize::try_from(from - block_start).unwrap_or(block.len());
            self.append(&block[skip.min(block.len())..], most);
        } else {
            // `from` lies within the kept bytes, so the difference fits.
            self.head += (from - self.start) as usize;
            self.append(block, most);
        }
        self.start = from;
    }

    fn append(&mut self, bytes: &[u8], most: usize) {
        if bytes.is_empty() {
            return;
        }
        // One allocation for the life of the stream: growing would leave
        // copies of held bytes behind in freed memory.
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(2 * most + 16);
        }
        if self.buffer.len() + bytes.len() > self.buffer.capacity() && self.head > 0 {
            self.buffer.copy_within(self.head.., 0);
            let len = self.buffer.len() - self.head;
            self.buffer.truncate(len);
            self.head = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_exactly_the_window() {
        let input: Vec<u8> = (0..=255).collect();
        let mut held = Held::new();
        let mut at = 0usize;
        let mut from = 0u64;
        for step in [0usize, 1, 3, 0, 7, 1, 1, 1, 20, 5, 1, 60, 2, 2, 100] {
            let block = &input[at..at + step];
            at += step;
            from = from.max((at as u64).saturating_sub(9));
            held.advance(block, from, 9);
            assert_eq!(held.bytes(), &input[from as usize..at]);
            assert_eq!(held.at(at as u64), None);
            if from > 0 {
                assert_eq!(held.at(from - 1), None);
            }
        }
        assert_eq!(held.buffer.capacity(), 2 * 9 + 16, "never grown");
        assert_eq!(held.range(0, 1), b"");
        assert_eq!(held.range(from, from + 2), &input[from as usize..][..2]);
    }

    #[test]
    fn a_sliding_window_is_rarely_moved() {
        let most = 1000;
        let mut held = Held::new();
        held.advance(&[7; 1000], 0, most);
        let moved = (1..=10_000u64).filter(|from| {
            held.advance(&[7], *from, most);
            assert_eq!(held.len(), most);
            held.head == 0
        });
        assert!(moved.count() <= 10, "each move pays for a thousand bytes");
    }
}
