//! A text in parts.

use memchr::memmem;
use subrosa_crypto::SecretBuf;

use super::super::{Transform, sealed};
use super::output::Output;
use super::{Fault, FaultKind, text};

/// How many parts a text may have.
pub const PARTS_LIMIT: usize = 10_000;

const NAME: &str = "text split";

/// Takes a text apart where a separator stands: `text split TEXT SEPARATOR`.
///
/// There is one part more than there are separators, so an empty text has one empty part. An empty
/// separator takes the text apart into its characters, of which an empty text has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split;

impl Split {
    /// The parts of a public text.
    ///
    /// # Errors
    /// [`FaultKind::TooMany`] beyond [`PARTS_LIMIT`].
    pub fn evaluate(self, text: &[u8], separator: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
        let mut parts = Vec::new();
        each(text, separator, |part| {
            parts.push(part.to_vec());
            Ok(())
        })
        .map_err(|kind| kind.of(NAME))?;
        Ok(parts)
    }
}

impl sealed::Sealed for Split {}

impl Transform<Fault, Vec<SecretBuf>> for Split {
    fn run(&self, inputs: &[&[u8]], out: &mut Vec<SecretBuf>) -> Result<(), Fault> {
        let [text, separator] = inputs else {
            return Err(FaultKind::Operands.of(NAME));
        };
        each(text, separator, |part| {
            let mut buf = SecretBuf::with_capacity(part.len())?;
            buf.put(part)?;
            out.push(buf);
            Ok(())
        })
        .map_err(|kind| kind.of(NAME))
    }
}

fn each(
    text: &[u8],
    separator: &[u8],
    mut take: impl FnMut(&[u8]) -> Result<(), FaultKind>,
) -> Result<(), FaultKind> {
    let limit = PARTS_LIMIT;
    let mut left = limit;
    let mut take = |part: Option<&[u8]>| {
        left = left.checked_sub(1).ok_or(FaultKind::TooMany { limit })?;
        take(part.unwrap_or_default())
    };
    if separator.is_empty() {
        return text::characters(text).try_for_each(|(bytes, _)| take(Some(bytes)));
    }
    let mut end = 0;
    for start in memmem::find_iter(text, separator) {
        take(text.get(end..start))?;
        end = start + separator.len();
    }
    take(text.get(end..))
}
