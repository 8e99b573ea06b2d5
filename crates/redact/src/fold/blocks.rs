//! Plain text is folded by blocks: as many bytes at once as the processor can take.

use zeroize::Zeroizing;

use crate::wide::{BLOCK, Wide};

/// Blocks that are folded together.
const BLOCKS: usize = 64;

/// Where blocks are folded to.
pub(super) struct Stage {
    /// The letters and digits. Room for one more block: it is written whole, however little of it
    /// counts.
    pub(super) text: Box<Zeroizing<[u8; STAGED]>>,
    /// Which bytes of each block they are, and how many there are in the blocks before it.
    pub(super) kept: Box<[(u64, u16); BLOCKS]>,
}

const STAGED: usize = (BLOCKS + 1) * BLOCK;

impl Default for Stage {
    fn default() -> Self {
        Stage {
            text: Box::new(Zeroizing::new([0; STAGED])),
            kept: Box::new([(0, 0); BLOCKS]),
        }
    }
}

impl Stage {
    /// What so many bytes became: so many characters, and which bytes they are.
    pub(super) fn folded(&self, count: usize, characters: usize) -> (&[u8], &[(u64, u16)]) {
        (
            &self.text[..characters],
            &self.kept[..count.div_ceil(BLOCK)],
        )
    }
}

/// How blocks are folded.
#[derive(Clone, Copy)]
pub(crate) struct Blocks(Option<Wide>);

impl Blocks {
    /// As many bytes at once as this can take; one by one without it.
    pub(crate) fn new(wide: Option<Wide>) -> Self {
        Blocks(wide)
    }

    /// Folds blocks from the beginning of the text, up to the first byte that may begin an escape
    /// and before the first block that has nothing to keep; returns how many bytes, and how many
    /// characters they became.
    pub(super) fn fold(self, bytes: &[u8], stage: &mut Stage) -> (usize, usize) {
        let (blocks, _) = bytes.as_chunks();
        let blocks = &blocks[..blocks.len().min(BLOCKS)];
        match self.0 {
            Some(wide) => wide.fold(blocks, &mut stage.text[..], &mut stage.kept[..]),
            None => singly(blocks, stage),
        }
    }
}

/// What becomes of a byte: 0 of one that is left out, [`ENDS`] of one that may begin an escape.
const FOLDED: [u8; 256] = {
    let mut folded = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let this = byte as u8;
        folded[byte] = match this {
            b'%' | b'\\' | b'&' | 0x1b => ENDS,
            _ if this.is_ascii_alphanumeric() => this.to_ascii_lowercase(),
            _ => 0,
        };
        byte += 1;
    }
    folded
};
const ENDS: u8 = 0xff;

fn singly(blocks: &[[u8; BLOCK]], stage: &mut Stage) -> (usize, usize) {
    let mut characters = 0;
    for (number, block) in blocks.iter().enumerate() {
        let mut kept = 0u64;
        let before = u16::try_from(characters).unwrap_or(u16::MAX);
        for (at, byte) in block.iter().enumerate() {
            let folded = FOLDED[usize::from(*byte)];
            if folded == ENDS {
                stage.kept[number] = (kept, before);
                return (number * BLOCK + at, characters);
            }
            stage.text[characters] = folded;
            kept |= u64::from(folded != 0) << at;
            characters += usize::from(folded != 0);
        }
        if kept == 0 {
            return (number * BLOCK, characters);
        }
        stage.kept[number] = (kept, before);
    }
    (blocks.len() * BLOCK, characters)
}

#[cfg(test)]
mod tests {
    use super::super::escapes::begins_one;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_agrees_with_the_escapes() {
        for byte in 0..=255 {
            assert_eq!(FOLDED[usize::from(byte)] == ENDS, begins_one(byte));
        }
    }

    proptest! {
        #[test]
        fn all_ways_agree(
            text in prop::collection::vec(
                prop_oneof![
                    30 => prop::sample::select(&b"aZ09zA5 -/@[`{:"[..]),
                    4 => any::<u8>(),
                    1 => prop::sample::select(&b"%\\&\x1b"[..]),
                    9 => Just(b' '),
                ],
                0..3000,
            ),
            blank in 0usize..200,
        ) {
            let mut text = text;
            text.splice(text.len() / 2..text.len() / 2, vec![b' '; blank]);
            let (mut one, mut other) = (Stage::default(), Stage::default());
            let mut rest = &text[..];
            while !rest.is_empty() {
                let (count, characters) = Blocks::new(Wide::detect()).fold(rest, &mut one);
                prop_assert_eq!(Blocks::new(None).fold(rest, &mut other), (count, characters));
                prop_assert_eq!(one.folded(count, characters), other.folded(count, characters));
                rest = &rest[count.max(1).min(rest.len())..];
            }
        }
    }
}
