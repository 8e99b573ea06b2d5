//! Zstandard. Source: RFC 8878.

use zeroize::Zeroizing;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::layer::{Layer, Sink, Step};

/// The largest window that is decoded, 2 to this power: what RFC 8878 §3.1.1.1.2 recommends.
const WINDOW_LOG: u32 = 23;
/// What is taken from the decoder at once.
const PIECE: usize = 16 * 1024;

/// Frames, one after the other.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: Option<DCtx<'static>>,
    piece: Zeroizing<Vec<u8>>,
    /// Of the magic number of the next frame, what was seen; `None` within a frame.
    magic: Option<Vec<u8>>,
    fed: u64,
    whole: u64,
}

/// Whether a frame may begin so: one with data, or one that is skipped.
fn may_begin(magic: &[u8]) -> bool {
    let is_data = b"\x28\xb5\x2f\xfd".starts_with(magic);
    let is_skipped = match magic {
        [] => true,
        [first, rest @ ..] => first & 0xf0 == 0x50 && b"\x2a\x4d\x18".starts_with(rest),
    };
    is_data || is_skipped
}

impl Zstd {
    fn frame(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Result<(usize, bool), Step> {
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            none => {
                let mut decoder = DCtx::try_create().ok_or(Step::Damaged)?;
                decoder
                    .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
                    .map_err(|_| Step::Damaged)?;
                self.piece.resize(PIECE, 0);
                none.insert(decoder)
            }
        };
        let mut from = InBuffer::around(input);
        loop {
            let before = from.pos();
            let mut to = OutBuffer::around(&mut self.piece[..]);
            let left = decoder
                .decompress_stream(&mut to, &mut from)
                .map_err(|_| Step::Damaged)?;
            let made = to.pos();
            if made > 0
                && let step @ (Step::Damaged | Step::Full) = sink(&self.piece[..made])
            {
                return Err(step);
            }
            if left == 0 {
                return Ok((from.pos(), true));
            }
            if made < PIECE && from.pos() == input.len() || made == 0 && from.pos() == before {
                return Ok((from.pos(), false));
            }
        }
    }
}

impl Layer for Zstd {
    fn feed(&mut self, input: &[u8], sink: &mut Sink<'_>) -> Step {
        let mut at = 0;
        if self.fed == 0 && self.magic.is_none() {
            self.magic = Some(Vec::new());
        }
        while at < input.len() {
            let Some(mut magic) = self.magic.take() else {
                match self.frame(&input[at..], sink) {
                    Err(step) => return step,
                    Ok((used, is_over)) => {
                        at += used;
                        self.fed += used as u64;
                        if is_over {
                            self.whole = self.fed;
                            self.magic = Some(Vec::new());
                        } else if at < input.len() {
                            return Step::Damaged;
                        }
                    }
                }
                continue;
            };
            magic.push(input[at]);
            if !may_begin(&magic) {
                return match self.whole {
                    0 => Step::Damaged,
                    whole => Step::End(whole),
                };
            }
            at += 1;
            if magic.len() < 4 {
                self.magic = Some(magic);
                continue;
            }
            match self.frame(&magic, sink) {
                Ok((used, false)) => self.fed += used as u64,
                Ok(_) => return Step::Damaged,
                Err(step) => return step,
            }
        }
        match self.magic {
            Some(_) if self.whole > 0 => Step::Rest(self.whole),
            _ => Step::More,
        }
    }

    fn finish(&mut self, _: &mut Sink<'_>) -> Step {
        match self.magic {
            Some(_) if self.whole > 0 => Step::End(self.whole),
            _ => Step::Damaged,
        }
    }
}
