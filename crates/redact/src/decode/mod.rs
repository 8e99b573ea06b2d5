//! Packed data in a stream: gzip, zlib and zstd by their first bytes, gzip and zstd in base64, and
//! the bodies of HTTP messages by the headers before them.
//!
//! A piece of packed data is read as it passes, and what it says is searched like any stream. It is
//! held back meanwhile. Where a value is found, and all of it is still there, it is packed anew with
//! the mask in place of the value; else what is there of it, and the rest of it, is masked.
//!
//! What a piece may say is bounded by what came of the stream, and so is what is held of it: data
//! that says more is let through, and counted.

mod base64;
mod body;
mod brotli;
mod chunked;
mod find;
mod framed;
mod head;
mod inflate;
mod kind;
mod layer;
mod member;
mod packed;
mod zstd;

use std::sync::Arc;

use zeroize::Zeroizing;

pub use body::{BodyError, Codings, ScrubbedBody, Unpacker, scrub_body};
pub(crate) use packed::Packed;

use crate::known::Compiled;
use crate::redactor::Redactor;
use kind::Kind;

/// Packed data is looked into that stands in packed data, and no deeper. Base64 does not count, a
/// body in chunks does.
pub(crate) const DEPTH: u8 = 2;
/// How much of a piece is held back, in bytes of the stream.
const HELD: u64 = 256 * 1024;
/// Longer pieces are let go in blocks of this size.
const BLOCK: u64 = 4 * 1024;
/// What a piece says may be packed anew up to this size.
const RECODED_MAX: usize = 8 * 1024 * 1024;
/// How many bytes are looked at for each byte of the stream; for the first ones; and the most that is
/// saved for later. Within packed data there is less.
const RATE: u64 = 64;
const FIRST: u64 = 8 * 1024 * 1024;
const SAVED: u64 = 32 * 1024 * 1024;
const RATE_WITHIN: u64 = 16;
const FIRST_WITHIN: u64 = 1024 * 1024;
/// What it costs to begin with a piece, as if it had said so much.
const COST: u64 = 16 * 1024;
/// A piece with so many characters in it that a value begins with is held back until it is known
/// whether it is one.
const BEGUN: u64 = 16;
/// Room for what was searched, until it is wiped.
const SCRAP: usize = 160 * 1024;

/// A redactor for what is inside of packed data.
fn nested(set: &Arc<Compiled>, depth: u8, shapes: bool) -> Box<Redactor> {
    Box::new(Redactor::nested(Arc::clone(set), depth, shapes))
}

/// What searches the inside of packed data; nothing of it leaves.
struct Inside {
    redactor: Box<Redactor>,
    scrap: Zeroizing<Vec<u8>>,
}

impl Inside {
    fn new(redactor: Box<Redactor>) -> Self {
        Inside {
            redactor,
            // So much that it never grows: what is pushed at once, and what was held back.
            scrap: Zeroizing::new(Vec::with_capacity(SCRAP)),
        }
    }

    fn push(&mut self, text: &[u8]) {
        self.redactor.push(text, &mut self.scrap);
        self.scrap.clear();
    }

    fn finish(&mut self) {
        self.redactor.finish(&mut self.scrap);
        self.scrap.clear();
    }

    /// The first value that was found, if any was.
    fn found(&self) -> Option<Option<u32>> {
        self.redactor.first_owner()
    }

    /// Whether so much of a value may have begun that more of it is to be expected.
    fn has_begun_one(&self) -> bool {
        self.redactor.run() >= BEGUN
    }

    /// Whether nothing is held back that says something.
    fn is_quiet(&self) -> bool {
        self.redactor.is_quiet()
    }

    /// How much was not looked into.
    fn take_unopened(&mut self) -> u64 {
        self.redactor.take_unopened()
    }

    /// The same, for another piece.
    fn again(mut self) -> Self {
        self.finish();
        self.redactor.restart();
        self
    }
}
