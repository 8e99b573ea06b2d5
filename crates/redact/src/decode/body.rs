//! Bodies whose codings are known, for whoever passes them on.

use std::fmt;

use super::kind::{Coding, Kind, codings};
use super::layer::{Chain, Step};
use crate::finding::Counts;
use crate::known::KnownSet;

/// How much a body may say for each byte that it has.
const RATIO: u64 = 1100;
/// And in any case.
const ALWAYS: u64 = 1024 * 1024;

/// Why a body is not to be passed on: nobody knows what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyError {
    /// `Content-Encoding` names a coding that is not known, or more than three.
    UnknownCoding,
    /// The body is not what its coding says, it goes on behind its end, or it is cut off.
    Damaged,
    /// It says more than was allowed, or so much for its size that it is made to exhaust.
    TooLarge,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BodyError::UnknownCoding => {
                "the body has a content coding that is not known; known are gzip, deflate, br and zstd"
            }
            BodyError::Damaged => "the body is not what its content coding says",
            BodyError::TooLarge => "the body is larger than allowed once it is decoded",
        })
    }
}

impl std::error::Error for BodyError {}

/// The codings of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codings(Vec<Coding>);

impl Codings {
    /// Reads the value of `Content-Encoding`; of several such headers, their values joined by commas.
    /// An empty one, and `identity`, is no coding.
    ///
    /// # Errors
    ///
    /// [`BodyError::UnknownCoding`].
    ///
    /// Source: RFC 9110 §8.4.
    pub fn parse(value: &str) -> Result<Self, BodyError> {
        let codings = codings(value.as_bytes()).ok_or(BodyError::UnknownCoding)?;
        Ok(Codings(codings))
    }

    /// Whether the body is as it is.
    pub fn is_identity(&self) -> bool {
        self.0.is_empty()
    }

    fn kind(&self) -> Kind {
        Kind::Body {
            codings: self.0.clone(),
            is_chunked: false,
        }
    }
}

/// Decodes a body as it comes, in bounded memory: what it says is handed on in pieces of at most
/// 64 KiB. What was handed on before an error is not to be trusted to be all.
///
/// The memory is that of the decoders: 64 KiB for gzip and deflate, up to 16 MiB for brotli, up to
/// 8 MiB and not wiped for zstd.
pub struct Unpacker {
    chain: Chain,
    /// What it may still say.
    left: u64,
    /// The same for its size.
    credit: u64,
    end: Option<u64>,
    fed: u64,
}

impl Unpacker {
    /// For a body that says at most `limit` bytes.
    pub fn new(codings: &Codings, limit: u64) -> Self {
        Unpacker {
            chain: Chain::new(&codings.kind()),
            left: limit,
            credit: ALWAYS,
            end: None,
            fed: 0,
        }
    }

    /// Takes in the next bytes.
    ///
    /// # Errors
    ///
    /// [`BodyError::Damaged`] and [`BodyError::TooLarge`]; nothing may follow then.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.end.is_some() {
            return Err(BodyError::Damaged);
        }
        self.fed += bytes.len() as u64;
        let gain = RATIO.saturating_mul(bytes.len() as u64);
        self.credit = self.credit.saturating_add(gain);
        let step = self.run(Some(bytes), each);
        match step {
            Step::More | Step::Rest(_) => Ok(()),
            Step::End(len) if len == self.fed => {
                self.end = Some(len);
                Ok(())
            }
            Step::Full => Err(BodyError::TooLarge),
            Step::End(_) | Step::Cut(_) | Step::Damaged => Err(BodyError::Damaged),
        }
    }

    /// Ends the body.
    ///
    /// # Errors
    ///
    /// [`BodyError::Damaged`] where something is missing. A body without a byte is whole.
    pub fn finish(mut self, each: &mut dyn FnMut(&[u8])) -> Result<(), BodyError> {
        if self.fed == 0 || self.end.is_some() {
            return Ok(());
        }
        match self.run(None, each) {
            // Of members one after the other, the last whole one has to be the end.
            Step::End(len) if len == self.fed || len == 0 => Ok(()),
            _ => Err(BodyError::Damaged),
        }
    }

    /// Feeds the layers, or ends them.
    fn run(&mut self, bytes: Option<&[u8]>, each: &mut dyn FnMut(&[u8])) -> Step {
        let (left, credit) = (&mut self.left, &mut self.credit);
        let mut sink = |piece: &[u8]| {
            let count = piece.len() as u64;
            if count > *left || count > *credit {
                return Step::Full;
            }
            *left -= count;
            *credit -= count;
            each(piece);
            Step::More
        };
        match bytes {
            Some(bytes) => self.chain.feed(bytes, &mut sink),
            None => self.chain.finish(&mut sink),
        }
    }
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unpacker")
            .field("fed", &self.fed)
            .finish_non_exhaustive()
    }
}

/// A body that was searched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScrubbedBody {
    /// With masks in the place of values, in the same codings; `None` where nothing was found, and
    /// the body that came is the one to pass on.
    pub body: Option<Vec<u8>>,
    /// What was found.
    pub counts: Counts,
}

/// Searches a whole body that says at most `limit` bytes.
///
/// # Errors
///
/// [`BodyError::Damaged`] and [`BodyError::TooLarge`]: such a body is to be refused.
///
/// ```
/// use subrosa_redact::{Codings, Known, scrub_body};
/// let mut known = Known::new();
/// let _ = known.add(Some("db"), b"correct-h0rse");
/// let set = known.build();
/// let plain = Codings::parse("identity")?;
/// let scrubbed = scrub_body(&set, &plain, b"pw: correct-h0rse", 1 << 20)?;
/// assert_eq!(scrubbed.body.as_deref(), Some(&b"pw: [REDACTED:db]"[..]));
/// assert!(scrub_body(&set, &Codings::parse("gzip")?, b"no gzip", 1 << 20).is_err());
/// # Ok::<(), subrosa_redact::BodyError>(())
/// ```
pub fn scrub_body(
    set: &KnownSet,
    codings: &Codings,
    body: &[u8],
    limit: u64,
) -> Result<ScrubbedBody, BodyError> {
    let mut redactor = set.redactor().listing(0);
    let mut text = Vec::new();
    let mut unpacker = Unpacker::new(codings, limit);
    unpacker.push(body, &mut |piece| redactor.push(piece, &mut text))?;
    unpacker.finish(&mut |piece| redactor.push(piece, &mut text))?;
    redactor.finish(&mut text);
    if redactor.unopened() > 0 {
        return Err(BodyError::TooLarge);
    }
    let mut counts = redactor.counts();
    if counts.total() == 0 && !codings.is_identity() {
        // Names, comments and what is skipped are no part of what it says, and are passed on.
        counts = set.beside(body);
    }
    if counts.total() == 0 {
        return Ok(ScrubbedBody { body: None, counts });
    }
    let body = codings.kind().encode(&text, body);
    // What has no name for its packing cannot be passed on.
    let body = Some(body.ok_or(BodyError::Damaged)?);
    Ok(ScrubbedBody { body, counts })
}
