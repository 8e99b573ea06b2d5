//! Opens what is packed in a text: gzip and deflate, and base64 of gzip.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use miniz_oxide::inflate;

const LIMIT: usize = 1 << 22;

/// The plain bytes of every packed piece that can be opened.
pub(crate) fn opened(text: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in 0..text.len() {
        let rest = &text[at..];
        if rest.starts_with(b"\x1f\x8b\x08") {
            all.extend(gzip(rest));
        } else if rest.starts_with(b"\x78") {
            all.extend(inflate::decompress_to_vec_zlib_with_limit(rest, LIMIT));
        } else if rest.starts_with(b"H4sI") {
            all.extend(unbase64(rest).as_deref().and_then(gzip));
        }
    }
    all
}

/// The members that are made here have no name or comment: ten bytes stand before the data.
fn gzip(text: &[u8]) -> Option<Vec<u8>> {
    let data = text.get(10..).filter(|_| text[3] == 0)?;
    inflate::decompress_to_vec_with_limit(data, LIMIT).ok()
}

fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    let length = text.iter().take_while(|byte| is_part(byte)).count();
    let lenient = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&alphabet::STANDARD, lenient)
        .decode(&text[..length])
        .ok()
}
