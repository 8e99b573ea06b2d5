//! Many bytes at once, on processors that can: AVX-512 with VBMI2, from Ice Lake and Zen 4 on.
//!
//! Unsafe, since the compiler cannot know which processor the program will run on, and since loads
//! and stores go through pointers. Both are seen here whole: [`Wide::detect`] makes what the
//! functions are called on only where the processor has said that it can, and each load and store
//! stands beside the slice that it goes to.
#![allow(unsafe_code)]

/// Bytes of a block: one for each bit of what tells which are meant.
pub(crate) const BLOCK: usize = 64;

/// That this processor can do it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide(());

impl Wide {
    /// Looks that are taken together.
    pub(crate) const LOOKS: usize = 16;
}

/// Says that this will be read soon, where the processor can be told: it is on its way from memory
/// then, while others are looked for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn soon<T>(wanted: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: every processor of this kind has it, and it reads nothing that the program could see.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(wanted).cast()) }
}

/// The same where it cannot.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn soon<T>(_: &T) {}

#[cfg(target_arch = "x86_64")]
impl Wide {
    /// Asks the processor.
    pub(crate) fn detect() -> Option<Self> {
        let has_all = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512vbmi2")
            && std::is_x86_feature_detected!("popcnt")
            && std::is_x86_feature_detected!("bmi1");
        has_all.then_some(Wide(()))
    }

    /// Writes the letters and digits of a text in lower case, which bytes of each block they are,
    /// and how many there are in the blocks before it; up to the first byte that may begin an escape,
    /// and before the first block without any. Returns how many bytes, and how many characters they
    /// became.
    pub(crate) fn fold(
        self,
        blocks: &[[u8; BLOCK]],
        text: &mut [u8],
        kept: &mut [(u64, u16)],
    ) -> (usize, usize) {
        // SAFETY: a `Wide` is made only where the processor has these features.
        unsafe { x86::fold(blocks, text, kept) }
    }

    /// Looks at four bytes of the text from `at` on in strides, and notes the places whose hash is
    /// in the set, while there is room for as many as are taken together. Returns how many were found, and where the next
    /// look is due.
    pub(crate) fn look(
        self,
        text: &[u8],
        at: usize,
        stride: usize,
        (bits, shift): (&[u64], u32),
        found: &mut [u32],
    ) -> (usize, usize) {
        // SAFETY: as above.
        unsafe { x86::look(text, at, stride, (bits, shift), found) }
    }

    /// Looks for a line break with six hexadecimal digits behind it. Returns where they begin, or
    /// from where on it has not looked: less than a block is left then.
    pub(crate) fn offset_line(self, text: &[u8]) -> Result<usize, usize> {
        // SAFETY: as above.
        unsafe { x86::offset_line(text) }
    }

    /// How many bytes from the beginning of the text, in whole blocks, have neither a byte beyond
    /// ASCII nor one of these pairs.
    pub(crate) fn without(self, text: &[u8], pairs: &[(u8, u8)]) -> usize {
        // SAFETY: as above.
        unsafe { x86::without(text, pairs) }
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Wide {
    /// Asks the processor.
    pub(crate) fn detect() -> Option<Self> {
        None
    }

    pub(crate) fn fold(
        self,
        _: &[[u8; BLOCK]],
        _: &mut [u8],
        _: &mut [(u64, u16)],
    ) -> (usize, usize) {
        (0, 0)
    }

    pub(crate) fn look(
        self,
        _: &[u8],
        at: usize,
        _: usize,
        _: (&[u64], u32),
        _: &mut [u32],
    ) -> (usize, usize) {
        (0, at)
    }

    pub(crate) fn offset_line(self, _: &[u8]) -> Result<usize, usize> {
        Err(0)
    }

    pub(crate) fn without(self, _: &[u8], _: &[(u8, u8)]) -> usize {
        0
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512i, _mm_cvtsi32_si128, _mm512_add_epi32, _mm512_and_si512, _mm512_cmpeq_epi8_mask,
        _mm512_cmple_epu8_mask, _mm512_i32gather_epi32, _mm512_loadu_si512,
        _mm512_maskz_compress_epi8, _mm512_maskz_compress_epi32, _mm512_movepi8_mask,
        _mm512_mullo_epi32, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi32,
        _mm512_setr_epi32, _mm512_sllv_epi32, _mm512_srl_epi32, _mm512_srli_epi32,
        _mm512_storeu_si512, _mm512_sub_epi8, _mm512_test_epi32_mask, _mm512_xor_si512,
    };

    use super::{BLOCK, Wide};

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt,bmi1")]
    pub(super) fn fold(
        blocks: &[[u8; BLOCK]],
        text: &mut [u8],
        kept: &mut [(u64, u16)],
    ) -> (usize, usize) {
        let every = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let mut characters = 0;
        for ((number, block), kept) in blocks.iter().enumerate().zip(kept) {
            // SAFETY: reads the 64 bytes of the block; no alignment is asked for.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            // The bit that tells lower case from upper; digits have it.
            let lower = _mm512_or_si512(bytes, every(0x20));
            let from_a = _mm512_sub_epi8(lower, every(b'a'));
            let from_0 = _mm512_sub_epi8(bytes, every(b'0'));
            let all = _mm512_cmple_epu8_mask(from_a, every(25))
                | _mm512_cmple_epu8_mask(from_0, every(9));
            let ends = _mm512_cmpeq_epi8_mask(bytes, every(b'%'))
                | _mm512_cmpeq_epi8_mask(bytes, every(b'\\'))
                | _mm512_cmpeq_epi8_mask(bytes, every(b'&'))
                | _mm512_cmpeq_epi8_mask(bytes, every(0x1b));
            // Those before the first end; all, if there is none.
            let these = all & (ends & ends.wrapping_neg()).wrapping_sub(1);
            let room: Option<&mut [u8; BLOCK]> = text[characters..].first_chunk_mut();
            let (Some(room), false) = (room, these == 0 && ends == 0) else {
                return (number * BLOCK, characters);
            };
            let letters = _mm512_maskz_compress_epi8(these, lower);
            // SAFETY: writes 64 bytes, which are there; no alignment is asked for.
            unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), letters) };
            *kept = (these, u16::try_from(characters).unwrap_or(u16::MAX));
            characters += these.count_ones() as usize;
            if ends != 0 {
                return (number * BLOCK + ends.trailing_zeros() as usize, characters);
            }
        }
        (blocks.len() * BLOCK, characters)
    }

    const LANES: usize = Wide::LOOKS;

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt,bmi1")]
    pub(super) fn look(
        text: &[u8],
        mut at: usize,
        stride: usize,
        (bits, shift): (&[u64], u32),
        found: &mut [u32],
    ) -> (usize, usize) {
        let mut count = 0;
        let small = i32::try_from(stride).unwrap_or(i32::MAX / 64);
        let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        let steps = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(small));
        let factor = _mm512_set1_epi32(0x9E37_79B1_u32.cast_signed());
        let shift_by = _mm_cvtsi32_si128(shift.cast_signed());
        // A hash is shifted to fewer bits than the set has.
        assert!(1 << (32 - shift) <= 64 * bits.len());
        while let Some(room) = found[count..].first_chunk_mut::<LANES>() {
            // The last of the looks reads four bytes.
            let Some(window) = text.get(at..at + (LANES - 1) * stride + 4) else {
                break;
            };
            // SAFETY: reads four bytes at multiples of the stride from the window's beginning on, of
            // which the last ends where the window does.
            let grams = unsafe { _mm512_i32gather_epi32::<1>(steps, window.as_ptr().cast()) };
            let mixed = _mm512_mullo_epi32(grams, factor);
            let hashes = _mm512_xor_si512(mixed, _mm512_srli_epi32::<15>(mixed));
            let places = _mm512_srl_epi32(hashes, shift_by);
            // SAFETY: reads 32 bits of the set each; a place is less than its number of bits, see
            // above, and words of 64 bits are stored with the low half first.
            let words = unsafe {
                _mm512_i32gather_epi32::<4>(_mm512_srli_epi32::<5>(places), bits.as_ptr().cast())
            };
            let within = _mm512_and_si512(places, _mm512_set1_epi32(31));
            let one = _mm512_sllv_epi32(_mm512_set1_epi32(1), within);
            let hits = _mm512_test_epi32_mask(words, one);
            let base = _mm512_set1_epi32(u32::try_from(at).unwrap_or(u32::MAX).cast_signed());
            let hit: __m512i = _mm512_maskz_compress_epi32(hits, _mm512_add_epi32(base, steps));
            // SAFETY: writes 16 numbers, for which there is room.
            unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), hit) };
            count += hits.count_ones() as usize;
            at += LANES * stride;
        }
        (count, at)
    }

    /// Digits of the shortest offset, and the line break before it.
    const OFFSET: usize = 7;

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt,bmi1")]
    pub(super) fn offset_line(text: &[u8]) -> Result<usize, usize> {
        let every = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let mut at = 0;
        while let Some(block) = text[at..].first_chunk::<BLOCK>() {
            // SAFETY: reads the 64 bytes of the block; no alignment is asked for.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            let breaks = _mm512_cmpeq_epi8_mask(bytes, every(b'\n'));
            let lower = _mm512_or_si512(bytes, every(0x20));
            let from_a = _mm512_sub_epi8(lower, every(b'a'));
            let from_0 = _mm512_sub_epi8(bytes, every(b'0'));
            let digits =
                _mm512_cmple_epu8_mask(from_a, every(5)) | _mm512_cmple_epu8_mask(from_0, every(9));
            // Two, four and six in a row.
            let two = digits & digits >> 1;
            let six = two & two >> 2 & two >> 4;
            let starts = breaks & six >> 1;
            if starts != 0 {
                return Ok(at + starts.trailing_zeros() as usize + 1);
            }
            // A break whose digits are in the next block is seen there once more.
            at += BLOCK - OFFSET + 1;
        }
        Err(at)
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt,bmi1")]
    pub(super) fn without(text: &[u8], pairs: &[(u8, u8)]) -> usize {
        let every = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let mut at = 0;
        while let Some(window) = text[at..].first_chunk::<{ BLOCK + 1 }>() {
            // SAFETY: reads 64 bytes each, of 65 that are there; no alignment is asked for.
            let (first, second) = unsafe {
                (
                    _mm512_loadu_si512(window.as_ptr().cast()),
                    _mm512_loadu_si512(window[1..].as_ptr().cast()),
                )
            };
            let mut seen = _mm512_movepi8_mask(first);
            for (a, b) in pairs {
                seen |= _mm512_cmpeq_epi8_mask(first, every(*a))
                    & _mm512_cmpeq_epi8_mask(second, every(*b));
            }
            if seen != 0 {
                break;
            }
            at += BLOCK;
        }
        at
    }
}
