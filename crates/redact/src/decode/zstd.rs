//! Zstandard. Source: RFC 8878.

use zeroize::Zeroizing;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::layer::{Layer, Sink, Step};

/// The largest window that is decoded, 2 to this power: what RFC 8878 §3.1.1.1.2 recommends.
const WINDOW_LOG: u32 = 23;
/// What is taken from the decoder at once.
const PIECE: usize = 16 * 1024;
/// The length of a block's header. Source: RFC 8878 §3.1.1.2.
const HEADER: usize = 3;
/// What the decoder says of a window beyond the limit.
const TOO_LARGE: &str = "Frame requires too much memory for decoding";

/// Frames, one after the other.
#[derive(Default)]
pub(super) struct Zstd {
    decoder: Option<DCtx<'static>>,
    piece: Zeroizing<Vec<u8>>,
    /// Of the magic number of the next frame, what was seen; `None` within a frame.
    magic: Option<Vec<u8>>,
    fed: u64,
    whole: u64,
    /// How many bytes the decoder waits for: a unit, and the header of the next.
    wants: usize,
    /// Whether it is all that is there, and not a piece of something.
    is_body: bool,
}

/// Whether a frame may begin so: one with data or, in a body, one that is skipped. Elsewhere such a
/// one ends what is read: other packed data may stand in it.
fn may_begin(magic: &[u8], is_body: bool) -> bool {
    let is_data = b"\x28\xb5\x2f\xfd".starts_with(magic);
    let is_skipped = match magic {
        [] => true,
        [first, rest @ ..] => first & 0xf0 == 0x50 && b"\x2a\x4d\x18".starts_with(rest),
    };
    is_data || is_body && is_skipped
}

impl Zstd {
    /// The body of a message, or a file within something else.
    pub(super) fn new(is_body: bool) -> Self {
        Zstd {
            is_body,
            ..Zstd::default()
        }
    }

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
        // What the decoder has made is lost where it fails: it is never fed more than the unit it
        // waits for, or what a damaged frame said would depend on how it came.
        let mut at = 0;
        loop {
            let unit = self
                .wants
                .saturating_sub(HEADER)
                .max(1)
                .min(input.len() - at);
            let mut from = InBuffer::around(&input[at..at + unit]);
            let mut to = OutBuffer::around(&mut self.piece[..]);
            let left = decoder
                .decompress_stream(&mut to, &mut from)
                .map_err(|code| match zstd_safe::get_error_name(code) {
                    // Sound, and larger than is looked into.
                    TOO_LARGE => Step::Full,
                    _ => Step::Damaged,
                })?;
            let (made, used) = (to.pos(), from.pos());
            at += used;
            self.wants = left;
            if made > 0
                && let step @ (Step::Damaged | Step::Full) = sink(&self.piece[..made])
            {
                return Err(step);
            }
            if left == 0 {
                return Ok((at, true));
            }
            if made < PIECE && at == input.len() || made == 0 && used == 0 {
                return Ok((at, false));
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
            if !may_begin(&magic, self.is_body) {
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
