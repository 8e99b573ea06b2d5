//! What was found: findings, their forms, and exact totals.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The form in which a value was found; the plainer ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// The value itself or one of its lines.
    Exact,
    /// The value inside base64 text.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// The escapes of JSON, JavaScript, C, Go or Python.
    Escaped,
    /// Percent encoding.
    Percent,
    /// Quoted for a shell, SQL or CSV.
    Quoted,
    /// The entities of HTML and XML.
    Entities,
    /// A value of several lines with other line breaks.
    Lines,
    /// Bytes as numbers with something between them.
    Array,
    /// The value inside base32 text.
    Base32,
    /// The value inside base85 text.
    Base85,
    /// Quoted-printable text.
    QuotedPrintable,
    /// All upper or all lower case.
    Case,
    /// The last character first.
    Reversed,
    /// Each letter moved by 13 places.
    Rot13,
    /// UTF-16, also in hexadecimal or base64.
    Utf16,
    /// UTF-32.
    Utf32,
    /// A dump of bytes, as `xxd` and `od` write it: its digits, and the characters beside them.
    Dump,
    /// An encoding of an encoding.
    Layered,
    /// The letters and digits of the value or of its encoding, with something between them or some
    /// of them escaped.
    Folded,
    /// Inside of packed data: all of that.
    Packed,
    /// A digest of the value.
    Hash,
    /// A long prefix or suffix of the value.
    Truncated,
    /// What has the shape of a credential, and is no known value.
    Shape,
    /// A prefix masked because the stream fell silent; it never became a match.
    Partial,
}

impl Form {
    /// The stable name used in reports, e.g. `base64`.
    pub fn name(self) -> &'static str {
        match self {
            Form::Exact => "exact",
            Form::Base64 => "base64",
            Form::Hex => "hex",
            Form::Escaped => "escaped",
            Form::Percent => "percent",
            Form::Quoted => "quoted",
            Form::Entities => "entities",
            Form::Lines => "lines",
            Form::Array => "array",
            Form::Base32 => "base32",
            Form::Base85 => "base85",
            Form::QuotedPrintable => "quoted-printable",
            Form::Case => "case",
            Form::Reversed => "reversed",
            Form::Rot13 => "rot13",
            Form::Utf16 => "utf-16",
            Form::Utf32 => "utf-32",
            Form::Dump => "dump",
            Form::Layered => "layered",
            Form::Folded => "folded",
            Form::Packed => "packed",
            Form::Hash => "hash",
            Form::Truncated => "truncated",
            Form::Shape => "shape",
            Form::Partial => "partial",
        }
    }
}

/// One masked range of the input.
///
/// Where findings overlap, they are one: the union of the ranges with the form
/// and key of the longest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Offset of the first masked byte, counted from the start of the input.
    pub start: u64,
    /// Offset after the last masked byte.
    pub end: u64,
    /// The form of the longest match in the range.
    pub form: Form,
    /// The name of the value, if it has one.
    pub key: Option<Arc<str>>,
    /// Of what is known by its shape alone, here or in packed data: the rule that recognised it, as
    /// an index into [`Shapes::rules`](crate::shapes::Shapes::rules).
    pub rule: Option<usize>,
}

/// Exact numbers of findings, kept however long the stream is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_key: BTreeMap<Option<Arc<str>>, u64>,
    total: u64,
    unlisted: u64,
}

impl Counts {
    /// All findings so far.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Findings counted but not listed, because the list was full.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// Findings of the value named `key`; `None` asks for those without a name.
    pub fn of(&self, key: Option<&str>) -> u64 {
        match key {
            None => self.by_key.get(&None).copied().unwrap_or(0),
            Some(name) => self
                .by_key()
                .find(|(key, _)| *key == Some(name))
                .map_or(0, |(_, count)| count),
        }
    }

    /// Findings for each name, in the order of the names.
    pub fn by_key(&self) -> impl Iterator<Item = (Option<&str>, u64)> {
        self.by_key
            .iter()
            .map(|(key, count)| (key.as_deref(), *count))
    }

    pub(crate) fn new(
        tallies: impl Iterator<Item = (Option<Arc<str>>, u64)>,
        unlisted: u64,
    ) -> Self {
        let mut counts = Counts {
            unlisted,
            ..Counts::default()
        };
        for (key, count) in tallies {
            *counts.by_key.entry(key).or_default() += count;
            counts.total += count;
        }
        counts
    }
}
