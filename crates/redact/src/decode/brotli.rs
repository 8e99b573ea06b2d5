//! Brotli, in the memory of this module. Source: RFC 7932; no large windows.

use brotli_decompressor::{
    Allocator, BrotliDecompressStream, BrotliResult, BrotliState, HuffmanCode, SliceWrapper,
    SliceWrapperMut,
};
use zeroize::Zeroizing;

use super::layer::{Layer, Sink, Step};

/// What is taken from the decoder at once.
const PIECE: usize = 16 * 1024;

/// Memory that is wiped when it is given back.
#[derive(Default)]
struct Wiped(Zeroizing<Vec<u8>>);

impl SliceWrapper<u8> for Wiped {
    fn slice(&self) -> &[u8] {
        &self.0
    }
}

impl SliceWrapperMut<u8> for Wiped {
    fn slice_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Memory for codes: what they stand for is not in them.
#[derive(Default)]
struct Plain<T>(Vec<T>);

impl<T> SliceWrapper<T> for Plain<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for Plain<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

struct Memory;

impl Allocator<u8> for Memory {
    type AllocatedMemory = Wiped;
    fn alloc_cell(&mut self, len: usize) -> Wiped {
        Wiped(Zeroizing::new(vec![0; len]))
    }
    fn free_cell(&mut self, _: Wiped) {}
}

impl Allocator<u32> for Memory {
    type AllocatedMemory = Plain<u32>;
    fn alloc_cell(&mut self, len: usize) -> Plain<u32> {
        Plain(vec![0; len])
    }
    fn free_cell(&mut self, _: Plain<u32>) {}
}

impl Allocator<HuffmanCode> for Memory {
    type AllocatedMemory = Plain<HuffmanCode>;
    fn alloc_cell(&mut self, len: usize) -> Plain<HuffmanCode> {
        Plain(vec![HuffmanCode::default(); len])
    }
    fn free_cell(&mut self, _: Plain<HuffmanCode>) {}
}

/// One stream.
pub(super) struct Brotli {
    state: Box<BrotliState<Memory, Memory, Memory>>,
    piece: Zeroizing<Vec<u8>>,
    fed: u64,
    is_over: bool,
}

impl Brotli {
    pub(super) fn new() -> Self {
        Brotli {
            state: Box::new(BrotliState::new_strict(Memory, Memory, Memory)),
            piece: Zeroizing::new(vec![0; PIECE]),
            fed: 0,
            is_over: false,
        }
    }
}

impl Brotli {
    /// Takes in one byte. What the decoder has made is lost where it fails: fed with more at once,
    /// what a damaged stream said would depend on how it came.
    fn byte(&mut self, byte: u8, sink: &mut Sink<'_>) -> Step {
        let (mut left, mut at) = (1, 0);
        loop {
            let (mut room, mut made, mut total) = (PIECE, 0, 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut at,
                &[byte],
                &mut room,
                &mut made,
                &mut self.piece,
                &mut total,
                &mut self.state,
            );
            if made > 0
                && let step @ (Step::Damaged | Step::Full) = sink(&self.piece[..made])
            {
                return step;
            }
            match result {
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::NeedsMoreInput => return Step::More,
                BrotliResult::ResultSuccess => {
                    self.is_over = true;
                    self.fed += at as u64;
                    return Step::End(self.fed);
                }
                BrotliResult::ResultFailure => return Step::Damaged,
            }
        }
    }
}

impl Layer for Brotli {
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        for byte in input {
            match self.byte(*byte, sink) {
                Step::More => self.fed += 1,
                step => return step,
            }
        }
        Step::More
    }

    fn finish(&mut self, _: &mut Sink<'_>) -> Step {
        match self.is_over {
            true => Step::End(self.fed),
            false => Step::Damaged,
        }
    }
}
