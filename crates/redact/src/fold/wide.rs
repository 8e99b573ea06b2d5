//! Folding 64 bytes at once, on processors that can (AVX-512 with VBMI2, from Ice Lake and Zen 4
//! on).
//!
//! Unsafe, since the compiler cannot know which processor the program will run on, and since what is
//! stored goes through a pointer. Both are seen here whole: [`kernel`] hands out what it has asked
//! the processor for, and a store of one block goes to an array of one block.
#![allow(unsafe_code)]

use super::blocks::Kernel;

/// The way of this processor, if it has one.
#[cfg(target_arch = "x86_64")]
pub(super) fn kernel() -> Option<Kernel> {
    let has_all = std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512vbmi2")
        && std::is_x86_feature_detected!("popcnt")
        && std::is_x86_feature_detected!("bmi1");
    has_all.then_some(x86::checked as Kernel)
}

/// The way of this processor, if it has one.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn kernel() -> Option<Kernel> {
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512i, _mm512_cmpeq_epi8_mask, _mm512_cmple_epu8_mask, _mm512_loadu_si512,
        _mm512_maskz_compress_epi8, _mm512_or_si512, _mm512_set1_epi8, _mm512_storeu_si512,
        _mm512_sub_epi8,
    };

    use crate::fold::blocks::{BLOCK, Stage};

    /// To be called on a processor that has what [`fold`] needs.
    pub(super) fn checked(blocks: &[[u8; BLOCK]], stage: &mut Stage) -> (usize, usize) {
        // SAFETY: `kernel` hands this function out only where the processor has said that it has
        // these features, and nobody else can name it.
        unsafe { fold(blocks, stage) }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,popcnt,bmi1")]
    fn fold(blocks: &[[u8; BLOCK]], stage: &mut Stage) -> (usize, usize) {
        let every = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let mut characters = 0;
        for (number, block) in blocks.iter().enumerate() {
            let bytes = load(block);
            // The bit that tells lower case from upper; digits have it.
            let lower = _mm512_or_si512(bytes, every(0x20));
            let from_a = _mm512_sub_epi8(lower, every(b'a'));
            let from_0 = _mm512_sub_epi8(bytes, every(b'0'));
            let kept = _mm512_cmple_epu8_mask(from_a, every(25))
                | _mm512_cmple_epu8_mask(from_0, every(9));
            let ends = _mm512_cmpeq_epi8_mask(bytes, every(b'%'))
                | _mm512_cmpeq_epi8_mask(bytes, every(b'\\'))
                | _mm512_cmpeq_epi8_mask(bytes, every(b'&'))
                | _mm512_cmpeq_epi8_mask(bytes, every(0x1b));
            // Those before the first end; all, if there is none.
            let kept = kept & (ends & ends.wrapping_neg()).wrapping_sub(1);
            if kept == 0 && ends == 0 {
                return (number * BLOCK, characters);
            }
            let text = _mm512_maskz_compress_epi8(kept, lower);
            if let Some(room) = stage.text[characters..].first_chunk_mut() {
                store(text, room);
            }
            stage.kept[number] = kept;
            characters += kept.count_ones() as usize;
            if ends != 0 {
                return (number * BLOCK + ends.trailing_zeros() as usize, characters);
            }
        }
        (blocks.len() * BLOCK, characters)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(block: &[u8; BLOCK]) -> __m512i {
        // SAFETY: reads 64 bytes, which are there; no alignment is asked for.
        unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(text: __m512i, room: &mut [u8; BLOCK]) {
        // SAFETY: writes 64 bytes, which are there; no alignment is asked for.
        unsafe { _mm512_storeu_si512(room.as_mut_ptr().cast(), text) }
    }
}
