//! What bytes are packed with, and how they are packed anew.

use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

use super::base64::{Base64, Style};
use super::brotli::Brotli;
use super::chunked::{self, Chunked};
use super::inflate::{Deflate, Gzip, is_zlib};
use super::layer::Layer;
use super::zstd::Zstd;

/// A coding of HTTP, or the format of a file. Source: RFC 9110 §8.4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The most codings on top of each other.
pub(crate) const STACKED_MAX: usize = 3;

impl Coding {
    fn layer(self, is_body: bool) -> Box<dyn Layer> {
        match self {
            Coding::Gzip => Box::new(Gzip::default()),
            Coding::Deflate => Box::new(Deflate::default()),
            Coding::Brotli => Box::new(Brotli::new()),
            Coding::Zstd => Box::new(Zstd::new(is_body)),
        }
    }

    /// `bytes`, packed.
    fn encode(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Coding::Gzip => gzip(bytes),
            Coding::Deflate => compress_to_vec_zlib(bytes, LEVEL),
            Coding::Brotli => stored(bytes),
            Coding::Zstd => {
                let mut packed = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
                match zstd_safe::compress(&mut packed, bytes, 3) {
                    Ok(_) => packed,
                    // There is room for all: it cannot fail but for want of memory.
                    Err(_) => Vec::new(),
                }
            }
        }
    }
}

/// The value of `Content-Encoding`: what was applied first comes first. `None` where it names an
/// unknown coding, or too many.
pub(crate) fn codings(value: &[u8]) -> Option<Vec<Coding>> {
    let mut codings = Vec::new();
    for name in value.split(|byte| *byte == b',') {
        let name = name.trim_ascii();
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        codings.push(match () {
            () if name.is_empty() || is("identity") => continue,
            () if is("gzip") || is("x-gzip") => Coding::Gzip,
            () if is("deflate") => Coding::Deflate,
            () if is("br") => Coding::Brotli,
            () if is("zstd") => Coding::Zstd,
            () => return None,
        });
    }
    (codings.len() <= STACKED_MAX).then_some(codings)
}

/// What a piece of a stream may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Known by its first bytes.
    File(Coding),
    /// Base64 of that.
    Text(Coding),
    /// The body of an HTTP message; the coding that was applied first comes first.
    Body {
        codings: Vec<Coding>,
        is_chunked: bool,
    },
}

impl Kind {
    /// The layers, the outermost first.
    pub(super) fn layers(&self) -> Vec<Box<dyn Layer>> {
        match self {
            Kind::File(coding) => vec![coding.layer(false)],
            Kind::Text(coding) => vec![Box::new(Base64::default()), coding.layer(false)],
            Kind::Body {
                codings,
                is_chunked,
            } => {
                let framing: Option<Box<dyn Layer>> = match is_chunked {
                    true => Some(Box::new(Chunked::default())),
                    false => None,
                };
                let codings = codings.iter().rev().map(|coding| coding.layer(true));
                framing.into_iter().chain(codings).collect()
            }
        }
    }

    /// `text` packed as `original` is; `None` where that cannot be.
    pub(super) fn encode(&self, text: &[u8], original: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Kind::File(coding) => coding.encode(text),
            Kind::Text(coding) => Style::of(original)?.encode(&coding.encode(text)),
            Kind::Body {
                codings,
                is_chunked: false,
            } if codings[..] == [Coding::Deflate] && !has_zlib_header(original) => {
                compress_to_vec(text, LEVEL)
            }
            Kind::Body {
                codings,
                is_chunked,
            } => {
                let mut packed = text.to_vec();
                for coding in codings {
                    packed = coding.encode(&packed);
                }
                match is_chunked {
                    true => chunked::encode(&packed),
                    false => packed,
                }
            }
        })
    }
}

const LEVEL: u8 = 6;

fn has_zlib_header(packed: &[u8]) -> bool {
    matches!(packed, [first, second, ..] if is_zlib(*first, *second))
}

/// A member without a name and a time.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    packed.extend_from_slice(&compress_to_vec(bytes, LEVEL));
    packed.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    packed.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    packed
}

/// Brotli that stores what it is given: a value was there, and nobody counts bytes.
///
/// Source: RFC 7932 §9.1 and §9.2: a window of 16 bits, blocks that are not compressed, and an empty
/// one at the end.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + bytes.len() / 65536 * 3 + 4);
    for (number, block) in bytes.chunks(1 << 16).enumerate() {
        // From the lowest bit: not the last, four digits of the length, stored.
        let header = (block.len() as u32 - 1) << 3 | 1 << 19;
        let header = match number {
            0 => header << 1,
            _ => header,
        };
        packed.extend_from_slice(&header.to_le_bytes()[..3]);
        packed.extend_from_slice(block);
    }
    packed.push(if bytes.is_empty() { 6 } else { 3 });
    packed
}
