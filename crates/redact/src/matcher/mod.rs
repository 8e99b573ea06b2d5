//! Many needles at once, in a stream.
//!
//! Nothing here steps through an automaton. A filter looks at every few bytes of the text for four
//! that stand in a needle; where they do, the needle is compared. What has to be held back is looked
//! up in the sorted beginnings of all needles. Both take a few bytes for each needle beside the
//! needles themselves, and text that has nothing of them passes at the speed of memory.

mod bits;
mod filter;
mod repeats;
mod scan;
mod starts;

use std::collections::HashMap;

use zeroize::{Zeroize, Zeroizing};

use crate::finding::Form;
use crate::needle::{Edge, Needle};
use crate::wide::Wide;

pub(crate) use scan::{Hit, Open, Scan};

use filter::{Family, Filter};
use starts::Starts;

/// Compiled needles.
pub(crate) struct Matcher {
    /// The bytes of all needles, one after the other.
    text: Zeroizing<Vec<u8>>,
    entries: Vec<Entry>,
    filter: Filter,
    starts: Starts,
    /// How needles repeat themselves that do.
    repeats: Vec<Box<[u32]>>,
    /// What any needle takes in to its left.
    left: Edge,
}

/// A needle that does not repeat itself.
const ONCE: u32 = u32::MAX;

/// A needle among the compiled ones.
#[derive(Clone, Copy)]
struct Entry {
    at: u32,
    len: u32,
    owner: u32,
    form: Form,
    is_wide: bool,
    left: Edge,
    right: Edge,
    /// From which length on a prefix counts; `len` where only the whole does.
    prefix: u32,
    /// How it repeats itself, by number; [`ONCE`] where it does not.
    repeats: u32,
    /// From which length on a suffix counts.
    suffix: u32,
    /// Where the first one of them may begin.
    public: u32,
}

impl Entry {
    /// What it takes in on both sides when it begins so far from the start of the stream.
    fn edges(&self, start: u64) -> (Edge, Edge) {
        match (self.is_wide, start % 2) {
            (false, _) => (self.left, self.right),
            (true, 0) => (Edge::NONE, Edge::ZERO),
            (true, _) => (Edge::ZERO, Edge::NONE),
        }
    }
}

impl Matcher {
    /// Compiles needles. Of equal needles the earlier wins, unless only the later belongs to a
    /// value with a name (`named`, by owner).
    pub(crate) fn new(needles: &[Needle], named: &[bool], wide: Option<Wide>) -> Self {
        let unique = unique(needles, named);
        // Sized at once, so that growth leaves no copy behind.
        let size = unique.iter().map(|needle| needle.bytes.len()).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(size));
        let mut entries = Vec::with_capacity(unique.len());
        for needle in &unique {
            let len = offset(needle.bytes.len());
            entries.push(Entry {
                at: offset(text.len()),
                len,
                owner: needle.owner,
                form: needle.form,
                is_wide: needle.is_wide,
                left: needle.left,
                right: needle.right,
                repeats: ONCE,
                prefix: needle.cut.map_or(len, |cut| offset(cut.prefix)),
                suffix: needle.cut.map_or(len, |cut| offset(cut.suffix)),
                public: needle.cut.map_or(0, |cut| offset(cut.public.max(1))),
            });
            text.extend_from_slice(&needle.bytes);
        }
        let families = unique.iter().zip(0..).flat_map(|(needle, number)| {
            let bytes = &needle.bytes[..];
            let whole = match needle.cut {
                None => bytes,
                Some(cut) => &bytes[..cut.prefix],
            };
            // Equal lengths: no suffix counts.
            let cut = needle.cut.filter(|cut| cut.suffix < bytes.len());
            let suffix = cut.map(|cut| Family {
                needle: number,
                owner: needle.owner,
                is_suffix: true,
                bytes: &bytes[bytes.len() - cut.suffix..],
            });
            let whole = Family {
                needle: number,
                owner: needle.owner,
                is_suffix: false,
                bytes: whole,
            };
            [Some(whole), suffix].into_iter().flatten()
        });
        let edge = |needle: &&Needle| match needle.is_wide {
            true => needle.left.or(Edge::ZERO),
            false => needle.left,
        };
        let left = unique.iter().map(edge).fold(Edge::NONE, Edge::or);
        let starts = Starts::new(&text, &entries, &unique, left);
        let mut repeats = Vec::new();
        for (needle, entry) in unique.iter().zip(&mut entries) {
            if let Some(overlaps) = repeats::overlaps(&needle.bytes) {
                entry.repeats = offset(repeats.len());
                repeats.push(overlaps);
            }
        }
        Matcher {
            repeats,
            filter: Filter::new(&families.collect::<Vec<_>>(), wide),
            starts,
            left,
            text,
            entries,
        }
    }

    /// How many different needles there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether any needle, or a part of one that counts, is in this text.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        let mut found = Vec::new();
        let mut scan = Scan::default();
        scan.push(self, text, 0, &mut found);
        scan.finish(self, text.len() as u64, &mut found);
        !found.is_empty()
    }

    fn overlaps(&self, entry: u32) -> Option<&[u32]> {
        let number = self.entries[entry as usize].repeats;
        self.repeats
            .get(number as usize)
            .map(|overlaps| &**overlaps)
    }

    fn bytes(&self, entry: &Entry) -> &[u8] {
        &self.text[entry.at as usize..][..entry.len as usize]
    }
}

impl Drop for Matcher {
    fn drop(&mut self) {
        for entry in &mut self.entries {
            entry.left.zeroize();
            entry.right.zeroize();
        }
    }
}

/// Needles without those that another one makes superfluous.
fn unique<'a>(needles: &'a [Needle], named: &[bool]) -> Vec<&'a Needle> {
    let mut places: HashMap<(&[u8], Edge, Edge, bool), usize> = HashMap::new();
    let mut unique: Vec<&Needle> = Vec::with_capacity(needles.len());
    for needle in needles {
        if needle.bytes.len() < bits::GRAM {
            continue;
        }
        let key = (&needle.bytes[..], needle.left, needle.right, needle.is_wide);
        let place = *places.entry(key).or_insert(unique.len());
        match unique.get(place).copied() {
            None => unique.push(needle),
            Some(old) => {
                let rank = |one: &Needle| {
                    let nameless = !named[one.owner as usize];
                    (one.cut.is_none(), nameless, one.form, one.owner)
                };
                if rank(needle) < rank(old) {
                    unique[place] = needle;
                }
            }
        }
    }
    unique
}

/// How many bytes at the beginning are the same.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let chunks = a.chunks_exact(16).zip(b.chunks_exact(16));
    let same = 16 * chunks.take_while(|(a, b)| a == b).count();
    let rest = a[same..].iter().zip(&b[same..]);
    same + rest.take_while(|(a, b)| a == b).count()
}

/// How many bytes at the end are the same.
fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let chunks = a.rchunks_exact(16).zip(b.rchunks_exact(16));
    let same = 16 * chunks.take_while(|(a, b)| a == b).count();
    let rest = a[..a.len() - same].iter().rev();
    let rest = rest.zip(b[..b.len() - same].iter().rev());
    same + rest.take_while(|(a, b)| a == b).count()
}

/// A place in the text of all needles.
fn offset(size: usize) -> u32 {
    u32::try_from(size).expect("needles stay under 4 GiB in total")
}

#[cfg(test)]
mod tests;
