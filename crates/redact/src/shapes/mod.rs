//! Credentials that are recognised by their form.
//!
//! For values that nobody told us: a catalogue of named rules says how each
//! kind of credential looks, and of each whether that was compared with the
//! vendor's own words ([`Checked`]).
//! All keywords of all rules are searched in one pass; only a line that has a
//! rule's keyword meets that rule's pattern, and what the pattern finds must
//! still have enough entropy, a right checksum where the form has one, and be
//! no placeholder. Private keys in PEM are followed over their lines.
//!
//! # Invariants
//!
//! - A finding covers the secret alone: no quote, no key name, no PEM boundary.
//! - Findings come in order and do not overlap. Where two rules meet, the one
//!   that stands first in the catalogue wins; generic rules stand last.
//! - Findings do not depend on how the stream was cut.
//! - Work per byte is bounded: patterns run in linear time, each at most twice
//!   over any byte, and a PEM block has at most 1,000 lines and 64 KiB.
//!
//! # What is not found
//!
//! A secret that is split over lines (but for PEM), encoded, or longer than
//! 16 KiB in a line of more than 64 KiB; a password of letters alone.
//!
//! ```
//! use subrosa_redact::shapes::Shapes;
//!
//! let shapes = Shapes::builtin();
//! let line = b"KEY=AKIA2B4KHQ7ZTN3XW5RM region=eu-west-1\n";
//! let mut found = Vec::new();
//! shapes.find(line, 0, &mut found);
//! assert_eq!(shapes.rules()[found[0].rule].id, "aws-access-key-id");
//! assert_eq!((found[0].start, found[0].end), (4, 24));
//! ```

mod catalogue;
mod check;
mod checksum;
mod keywords;
mod line;
mod pattern;
mod pem;
mod scan;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use keywords::Keywords;
use pattern::Pattern;
use pem::Labels;
use scan::Scan;

pub use catalogue::{Checked, Checksum, Rule};
pub use stream::ShapeStream;

/// A secret that a rule recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShapeFinding {
    /// The rule, as an index into [`Shapes::rules`].
    pub rule: usize,
    /// Offset of the first byte of the secret.
    pub start: u64,
    /// Offset after the last byte of the secret.
    pub end: u64,
}

/// The compiled catalogue. Patterns are compiled when they are first needed.
pub struct Shapes {
    rules: Vec<Rule>,
    patterns: Vec<Option<Pattern>>,
    keywords: Keywords,
    labels: Labels,
}

impl Shapes {
    /// The catalogue that this crate brings.
    pub fn builtin() -> &'static Shapes {
        static BUILTIN: LazyLock<Shapes> = LazyLock::new(|| Shapes::new(catalogue::builtin()));
        &BUILTIN
    }

    fn new(rules: Vec<Rule>) -> Self {
        Shapes {
            patterns: rules.iter().map(Pattern::of).collect(),
            keywords: Keywords::new(&rules),
            labels: Labels::new(&rules),
            rules,
        }
    }

    /// The rules, the most specific first.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Appends what is found in `text`, whole lines, to `found`, in order.
    ///
    /// `base` is the offset of `text` in its stream; findings count from there.
    pub fn find(&self, text: &[u8], base: u64, found: &mut Vec<ShapeFinding>) {
        let mut scan = Scan::new();
        scan.lines(self, text, base, found);
        scan.finish(found);
    }

    /// A stream that is searched as it comes.
    pub fn stream(&'static self) -> ShapeStream {
        ShapeStream::new(self)
    }
}

impl std::fmt::Debug for Shapes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shapes({} rules)", self.rules.len())
    }
}

/// A fingerprint that tells reports of the same secret from others, 16 hex
/// digits, and says nothing of the secret to those without `key`.
///
/// Source: BLAKE3 in keyed mode, the first 64 bits.
pub fn fingerprint(key: &[u8; 32], secret: &[u8]) -> String {
    let hash = blake3::keyed_hash(key, secret).to_hex();
    hash[..16].to_owned()
}
