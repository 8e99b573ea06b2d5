//! The values to look for, and the set compiled from them.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::finding::Counts;
use crate::forms::{self, Source, Tells};
use crate::limits;
use crate::matcher::Matcher;
use crate::redactor::Redactor;
use crate::wide::Wide;

/// What became of a value that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a value that is not searched for will be seen in the output"]
#[non_exhaustive]
pub enum Added {
    /// It is searched for in every form.
    Searched,
    /// It was forced and is searched for, but in its exact form only.
    ExactOnly,
    /// The same value is there already; the first name is kept.
    Duplicate,
    /// Not searched for: fewer than 8 bytes (4 when forced).
    TooShort,
    /// Not searched for: fewer than 6 distinct bytes.
    TooUniform,
    /// Not searched for: in the list of common words.
    CommonWord,
}

impl Added {
    /// Whether the value is searched for, by this addition or an earlier one.
    pub fn is_searched(self) -> bool {
        matches!(self, Added::Searched | Added::ExactOnly | Added::Duplicate)
    }

    /// Why the value is not searched for, as the end of a sentence that
    /// begins "It is not masked in output, because it"; `None` if it is.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Added::Searched | Added::ExactOnly | Added::Duplicate => None,
            Added::TooShort => Some("is too short"),
            Added::TooUniform => Some("has fewer than 6 distinct bytes"),
            Added::CommonWord => Some("is a common word"),
        }
    }
}

/// Why a value would not be searched for unless forced; `None` if it would.
///
/// ```
/// use subrosa_redact::{Added, why_not_searched};
/// assert_eq!(why_not_searched(b"hunter2"), Some(Added::TooShort));
/// assert_eq!(why_not_searched(b"production"), Some(Added::CommonWord));
/// assert_eq!(why_not_searched(b"pr0duct10n-k3y"), None);
/// ```
pub fn why_not_searched(value: &[u8]) -> Option<Added> {
    limits::why_not(value)
}

/// A value that is searched for.
#[derive(Clone)]
struct Entry {
    name: Option<Arc<str>>,
    value: Zeroizing<Vec<u8>>,
    exact_only: bool,
    /// Which of its parts tell enough; that of the whole set where it has none of its own.
    tells: Option<Tells>,
}

/// Collects values; [`Known::build`] compiles them.
#[derive(Clone)]
pub struct Known {
    entries: Vec<Entry>,
    /// Entries by the hash of their value, so that no second copy is needed.
    by_hash: HashMap<u64, Vec<usize>>,
    hasher: RandomState,
    is_unfolded: bool,
    is_scalar: bool,
    hashes: bool,
    tells: Tells,
}

impl Default for Known {
    fn default() -> Self {
        Known::new()
    }
}

impl Known {
    /// No values yet.
    pub fn new() -> Self {
        Known {
            entries: Vec::new(),
            by_hash: HashMap::new(),
            hasher: RandomState::new(),
            is_unfolded: false,
            is_scalar: false,
            hashes: false,
            tells: |_| true,
        }
    }

    /// Adds a value and the name that its mask will show.
    ///
    /// Adding a value a second time changes nothing, but gives it a name if
    /// it had none.
    pub fn add(&mut self, name: Option<&str>, value: &[u8]) -> Added {
        match limits::why_not(value) {
            Some(reason) => reason,
            None => self.insert(name, value, Added::Searched),
        }
    }

    /// Adds a value that is searched for even if it is a common word or below
    /// the limits: then in its exact form only, from 4 bytes on.
    pub fn add_forced(&mut self, name: Option<&str>, value: &[u8]) -> Added {
        if limits::why_not(value).is_none() {
            self.insert(name, value, Added::Searched)
        } else if value.len() >= limits::MIN_FORCED_BYTES {
            self.insert(name, value, Added::ExactOnly)
        } else {
            Added::TooShort
        }
    }

    /// As [`Known::add_forced`], with a judgement of its parts as in [`Known::parts_if`] for this
    /// value alone. One that is there already keeps its own.
    pub fn add_forced_if(
        &mut self,
        name: Option<&str>,
        value: &[u8],
        tells: fn(&[u8]) -> bool,
    ) -> Added {
        let before = self.entries.len();
        let added = self.add_forced(name, value);
        if let Some(entry) = self.entries.get_mut(before) {
            entry.tells = Some(tells);
        }
        added
    }

    /// Searches for parts of values by themselves only where `tells` says that they tell enough:
    /// lines, fields of a document, passwords in it, and the letters and digits of a value. A
    /// beginning or an end is searched for from the length on at which it does.
    ///
    /// For readers who choose the text, and learn from a mask that they are right: a part that can
    /// be guessed would give away that it is one, and a beginning all that follows, one character
    /// after the other. The values themselves are searched for in any case.
    #[must_use]
    pub fn parts_if(mut self, tells: fn(&[u8]) -> bool) -> Self {
        self.tells = tells;
        self
    }

    /// Searches the text as it is alone, and not what is left of it when everything but letters
    /// and digits is dropped: about half the work, and values with something inside them are seen.
    #[must_use]
    pub fn without_fold(mut self) -> Self {
        self.is_unfolded = true;
        self
    }

    /// Leaves aside what only some processors have; the result is the same, and slower. To compare
    /// with.
    #[must_use]
    pub fn scalar(mut self) -> Self {
        self.is_scalar = true;
        self
    }

    /// Searches for digests of the values as well: SHA-256 and MD5, in hexadecimal and base64. They
    /// give a value away that can be guessed, and they tell that it is the same as elsewhere.
    #[must_use]
    pub fn with_hashes(mut self) -> Self {
        self.hashes = true;
        self
    }

    /// How many different values are searched for.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no value is searched for.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Compiles the set.
    pub fn build(self) -> KnownSet {
        let wide = (!self.is_scalar).then(Wide::detect).flatten();
        KnownSet::compile(
            self.entries,
            !self.is_unfolded,
            self.hashes,
            wide,
            self.tells,
        )
    }

    fn insert(&mut self, name: Option<&str>, value: &[u8], added: Added) -> Added {
        let entry = Entry {
            name: name.map(Arc::from),
            value: Zeroizing::new(value.to_vec()),
            exact_only: added == Added::ExactOnly,
            tells: None,
        };
        if self.put(entry) {
            added
        } else {
            Added::Duplicate
        }
    }

    /// Whether the value was new.
    fn put(&mut self, entry: Entry) -> bool {
        let hash = self.hasher.hash_one(entry.value.as_slice());
        let bucket = self.by_hash.entry(hash).or_default();
        let same = |index: &&usize| self.entries[**index].value == entry.value;
        if let Some(&index) = bucket.iter().find(same) {
            let old = &mut self.entries[index];
            if old.name.is_none() {
                old.name = entry.name;
            }
            return false;
        }
        bucket.push(self.entries.len());
        self.entries.push(entry);
        true
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known")
            .field("values", &self.len())
            .finish_non_exhaustive()
    }
}

/// A compiled, immutable set of values; clones share it.
#[derive(Clone)]
pub struct KnownSet(Arc<Compiled>);

pub(crate) struct Compiled {
    names: Vec<Option<Arc<str>>>,
    masks: Vec<Box<[u8]>>,
    /// What is searched for in the text as it is.
    pub(crate) raw: Matcher,
    /// What is searched for in the letters and digits of the text; `None` where nothing is.
    pub(crate) folded: Option<Matcher>,
    /// What this processor can, and is to be used.
    pub(crate) wide: Option<Wide>,
}

/// The mask of a value without a usable name.
const NAMELESS_MASK: &[u8] = b"[REDACTED]";

impl Compiled {
    /// The text that replaces a finding of this value.
    pub(crate) fn mask(&self, owner: Option<u32>) -> &[u8] {
        let mask = owner.and_then(|owner| self.masks.get(owner as usize));
        mask.map_or(NAMELESS_MASK, |mask| mask)
    }

    /// The name of a value.
    pub(crate) fn name(&self, owner: Option<u32>) -> Option<Arc<str>> {
        self.names.get(owner? as usize)?.clone()
    }

    /// Whether a value has a name.
    pub(crate) fn is_named(&self, owner: u32) -> bool {
        self.name(Some(owner)).is_some()
    }

    /// Whether there is nothing to search for.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

impl KnownSet {
    /// The set with no values: what is redacted by it passes untouched.
    pub fn empty() -> Self {
        Known::new().build()
    }

    /// How many different values are searched for.
    pub fn len(&self) -> usize {
        self.0.names.len()
    }

    /// Whether no value is searched for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many byte strings are searched for: in the text as it is, and in its folded view.
    pub fn needles(&self) -> (usize, usize) {
        let folded = self.0.folded.as_ref();
        (self.0.raw.len(), folded.map_or(0, Matcher::len))
    }

    /// A redactor for one stream.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(Arc::clone(&self.0))
    }

    /// What is in this text as it is, without a look into what is packed in it.
    pub(crate) fn beside(&self, text: &[u8]) -> Counts {
        let mut redactor = Redactor::nested(Arc::clone(&self.0), 0, false);
        let mut out = Vec::new();
        for piece in text.chunks(64 * 1024) {
            out.clear();
            redactor.push(piece, &mut out);
        }
        redactor.finish(&mut out);
        redactor.counts()
    }

    fn compile(
        entries: Vec<Entry>,
        fold: bool,
        hashes: bool,
        wide: Option<Wide>,
        tells: Tells,
    ) -> Self {
        let sources: Vec<Source<'_>> = entries
            .iter()
            .map(|entry| Source {
                value: &entry.value,
                exact_only: entry.exact_only,
                hashes,
                tells: entry.tells.unwrap_or(tells),
            })
            .collect();
        let named: Vec<bool> = entries.iter().map(|entry| entry.name.is_some()).collect();
        let needles = forms::expand(&sources);
        let raw = Matcher::new(&needles.raw, &named, wide);
        let folded = (fold && !needles.folded.is_empty())
            .then(|| Matcher::new(&needles.folded, &named, wide));
        let masks = entries
            .iter()
            .map(|entry| mask(entry.name.as_deref(), &raw))
            .collect();
        // The values themselves are wiped here: of each there is one copy, among the needles.
        KnownSet(Arc::new(Compiled {
            names: entries.into_iter().map(|entry| entry.name).collect(),
            masks,
            raw,
            folded,
            wide,
        }))
    }
}

impl fmt::Debug for KnownSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownSet")
            .field("values", &self.len())
            .finish_non_exhaustive()
    }
}

/// The mask that shows a name, unless the name would break the text around it
/// (a JSON string, a line, the brackets) or itself contains a value.
fn mask(name: Option<&str>, matcher: &Matcher) -> Box<[u8]> {
    let breaks = |c: char| c.is_control() || matches!(c, '"' | '\\' | '[' | ']');
    let Some(name) = name.filter(|name| !name.contains(breaks)) else {
        return NAMELESS_MASK.into();
    };
    let mask = format!("[REDACTED:{name}]").into_bytes();
    match matcher.is_in(&mask) {
        true => NAMELESS_MASK.into(),
        false => mask.into(),
    }
}
