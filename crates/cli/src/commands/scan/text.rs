//! One text: what is found in it, and on which line each of it stands.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter};
use subrosa_redact::shapes::fingerprint;
use subrosa_wire::looking::Place;

use super::report::What;
use super::shapes::{ByShape, Shaped};
use crate::failure::Failure;
use crate::looking::Looking;

/// How much of a text is taken at a time.
const BLOCK: usize = 64 * 1024;
/// A text up to this is kept until it is known what is in it; a longer one is read a second time
/// where something was found.
const KEPT: usize = 1024 * 1024;
/// How much is searched of what is not text: what has a byte of zero.
pub(super) const BINARY_MAX: u64 = 64 * 1024 * 1024;
/// The most of a finding that a fingerprint is made of.
const PRINTED: u64 = 2 * 1024 * 1024;

/// A text that can be read from its beginning, twice.
pub(super) trait Source {
    /// Begins anew.
    fn open(&mut self) -> io::Result<Box<dyn Read + '_>>;
}

/// Something found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) what: What,
    /// Offset of its first byte.
    pub(super) offset: u64,
    end: u64,
    /// From 1; 0 where the text has changed so much that it is not there any more.
    pub(super) line: u64,
    /// In characters, from 1.
    pub(super) column: u64,
    pub(super) fingerprint: String,
}

/// What became of a text.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) found: Vec<Found>,
    /// How many more there are.
    pub(super) more: u64,
    /// How many bytes were searched.
    pub(super) bytes: u64,
    /// Whether the rest of it was left, since it is no text.
    pub(super) cut: bool,
    /// How many pieces of compressed data in it were not looked into.
    pub(super) unopened: u64,
    /// What kind of archive it is, where those are not looked into.
    pub(super) packed: Option<&'static str>,
    /// Why it could not be read to its end.
    pub(super) failed: Option<io::Error>,
}

/// What texts are searched for.
pub(super) struct Search {
    shapes: ByShape,
    known: Option<Looking>,
    /// Makes fingerprints of this run comparable with each other, and with no others.
    key: [u8; 32],
    block: Vec<u8>,
}

impl Search {
    pub(super) fn new(known: Option<Looking>, key: [u8; 32]) -> Self {
        Self {
            shapes: ByShape::new(),
            known,
            key,
            block: vec![0; BLOCK],
        }
    }

    /// What looks for known values, to be ended.
    pub(super) fn into_known(self) -> Option<Looking> {
        self.known
    }

    /// Searches a text. What cannot be read of it is said in the answer.
    ///
    /// # Errors
    /// When the search itself cannot go on.
    pub(super) fn look(&mut self, source: &mut dyn Source) -> Result<Looked, Failure> {
        let mut looked = Looked::default();
        let mut kept = Vec::new();
        match source.open() {
            Ok(mut from) => self.pass(&mut *from, &mut looked, &mut kept)?,
            Err(error) => {
                looked.failed = Some(error);
                return Ok(looked);
            }
        }
        let shaped = self.shapes.end(&mut looked);
        let mut known = Vec::new();
        if let Some(looking) = &mut self.known {
            looking.end()?;
            let places = looking.places()?;
            looked.more += places.more;
            known = places.places;
        }
        looked.found = merged(known, shaped);
        if looked.found.is_empty() {
            return Ok(looked);
        }
        let whole = kept.len() as u64 == looked.bytes;
        let mut locator = Locator::new(&mut looked.found, self.key);
        if whole {
            locator.take(&kept);
        } else if let Ok(mut again) = source.open() {
            // Where it cannot be read again, findings have no line: they are told all the same.
            let _ = locator.read(&mut *again, &mut self.block);
        }
        locator.finish();
        Ok(looked)
    }

    fn pass(
        &mut self,
        from: &mut dyn Read,
        looked: &mut Looked,
        kept: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let mut binary = false;
        loop {
            let count = match from.read(&mut self.block) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    looked.failed = Some(error);
                    break;
                }
            };
            let piece = &self.block[..count];
            if looked.bytes == 0 {
                looked.packed = archive(piece);
            }
            binary = binary || memchr(0, piece).is_some();
            if binary && looked.bytes + count as u64 > BINARY_MAX {
                looked.cut = true;
                break;
            }
            if looked.bytes == kept.len() as u64 && kept.len() + count <= KEPT {
                kept.extend_from_slice(piece);
            }
            looked.bytes += count as u64;
            if let Some(looking) = &mut self.known {
                looking.push(piece)?;
            }
            self.shapes.push(piece);
        }
        Ok(())
    }
}

/// What kind of archive a text is, by how it begins, of those that are not looked into.
///
/// Source: PKWARE APPNOTE 6.3.10 §4.3.7; the .xz file format 1.2.1 §2.1.1.1; bzip2 1.0.8,
/// compress.c; 7zFormat.txt; LZ4 frame format 1.6.3; RAR 5.0 archive format.
fn archive(beginning: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a ZIP archive"),
        (b"\xfd7zXZ\0", "compressed with xz"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"\x04\x22\x4d\x18", "compressed with lz4"),
    ];
    let known = KINDS
        .iter()
        .find(|(mark, _)| beginning.starts_with(mark))
        .map(|(_, kind)| *kind);
    // `BZh`, the size of a block, and the beginning of one or of the end.
    let is_bzip2 = beginning.starts_with(b"BZh")
        && beginning
            .get(3)
            .is_some_and(|size| (b'1'..=b'9').contains(size))
        && matches!(
            beginning.get(4..7),
            Some([0x31, 0x41, 0x59] | [0x17, 0x72, 0x45])
        );
    known.or(is_bzip2.then_some("compressed with bzip2"))
}

/// Known values and shapes in one list, in order; where they overlap it is a known value, and the
/// shape says who issued it.
fn merged(known: Vec<Place>, shaped: Vec<Shaped>) -> Vec<Found> {
    let found = |what, offset, end| Found {
        what,
        offset,
        end,
        line: 0,
        column: 0,
        fingerprint: String::new(),
    };
    let mut all: Vec<Found> = Vec::with_capacity(known.len() + shaped.len());
    let mut shaped = shaped.into_iter().peekable();
    for place in known {
        let mut rule = None;
        while let Some(shape) = shaped.next_if(|shape| shape.start < place.end) {
            match shape.end > place.start {
                true => rule = rule.or(Some(shape.rule)),
                false => all.push(found((shape.what)(shape.rule), shape.start, shape.end)),
            }
        }
        let what = What::Known {
            key: place.key,
            form: place.form,
            rule,
        };
        all.push(found(what, place.start, place.end));
    }
    all.extend(shaped.map(|shape| found((shape.what)(shape.rule), shape.start, shape.end)));
    all
}

/// Finds the lines of findings, which are in order, in the text that they were found in.
struct Locator<'a> {
    found: &'a mut [Found],
    /// Those before have their line and fingerprint.
    done: usize,
    /// Those before have their line.
    placed: usize,
    key: [u8; 32],
    at: u64,
    line: u64,
    column: u64,
    /// The bytes so far of the finding that is being passed.
    seen: Vec<u8>,
}

impl<'a> Locator<'a> {
    fn new(found: &'a mut [Found], key: [u8; 32]) -> Self {
        Self {
            found,
            done: 0,
            placed: 0,
            key,
            at: 0,
            line: 1,
            column: 1,
            seen: Vec::new(),
        }
    }

    fn read(&mut self, from: &mut dyn Read, block: &mut [u8]) -> io::Result<()> {
        while self.done < self.found.len() {
            match from.read(block) {
                Ok(0) => break,
                Ok(count) => self.take(&block[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take(&mut self, piece: &[u8]) {
        let end = self.at + piece.len() as u64;
        let begin = self.at;
        while let Some(next) = self.found.get(self.done) {
            let (start, stop) = (next.offset, next.end);
            if start >= end {
                break;
            }
            if self.placed == self.done {
                self.move_to(piece, begin, start);
                let placed = &mut self.found[self.done];
                (placed.line, placed.column) = (self.line, self.column);
                self.placed += 1;
            }
            let from = usize::try_from(start.max(begin) - begin).unwrap_or(0);
            let to = usize::try_from(stop.min(end) - begin).unwrap_or(0);
            let room = usize::try_from(PRINTED).unwrap_or(usize::MAX) - self.seen.len();
            let part = piece.get(from..to).unwrap_or_default();
            self.seen.extend_from_slice(&part[..part.len().min(room)]);
            if stop > end {
                break;
            }
            self.print();
        }
        self.move_to(piece, begin, end);
    }

    /// Counts lines and characters up to an offset in the piece that begins at `begin`.
    fn move_to(&mut self, piece: &[u8], begin: u64, to: u64) {
        let from = usize::try_from(self.at - begin).unwrap_or(usize::MAX);
        let until = usize::try_from(to - begin).unwrap_or(usize::MAX);
        let Some(passed) = piece.get(from..until) else {
            return;
        };
        let mut rest = passed;
        if let Some(last) = memchr_iter(b'\n', passed).next_back() {
            self.line += memchr_iter(b'\n', passed).count() as u64;
            self.column = 1;
            rest = &passed[last + 1..];
        }
        // What goes on with a character of UTF-8 is none of its own.
        let characters = rest.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.column += characters as u64;
        self.at = to;
    }

    fn print(&mut self) {
        let found = &mut self.found[self.done];
        found.fingerprint = match &found.what {
            // The same secret in whatever form it stands there.
            What::Known { key: Some(key), .. } => fingerprint(&self.key, key.as_bytes()),
            _ => fingerprint(&self.key, &self.seen),
        };
        self.seen.fill(0);
        self.seen.clear();
        self.done += 1;
    }

    /// What is left was not there any more.
    fn finish(mut self) {
        while self.done < self.found.len() {
            self.print();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(start: u64, end: u64) -> Shaped {
        Shaped {
            what: What::Shape,
            rule: 0,
            start,
            end,
        }
    }

    fn located(text: &[u8], places: &[(u64, u64)], piece: usize) -> Vec<Found> {
        let shaped = places.iter().map(|(start, end)| shape(*start, *end));
        let mut found = merged(Vec::new(), shaped.collect());
        let mut locator = Locator::new(&mut found, [7; 32]);
        for piece in text.chunks(piece) {
            locator.take(piece);
        }
        locator.finish();
        found
    }

    #[test]
    fn lines_and_columns_do_not_depend_on_pieces() {
        let text = "first\nsäcond abcd\n\nfourth efgh abcd".as_bytes();
        let at = |what: &str| {
            let found = memchr::memmem::find(text, what.as_bytes()).unwrap() as u64;
            (found, found + what.len() as u64)
        };
        let last = (text.len() as u64 - 4, text.len() as u64);
        let places = [at("abcd"), at("efgh"), last];
        for piece in 1..=text.len() {
            let found = located(text, &places, piece);
            let lines: Vec<_> = found.iter().map(|one| (one.line, one.column)).collect();
            assert_eq!(lines, [(2, 8), (4, 8), (4, 13)], "{piece}");
            assert_eq!(found[0].fingerprint, found[2].fingerprint);
            assert_ne!(found[0].fingerprint, found[1].fingerprint);
        }
    }

    #[test]
    fn archives_are_told_by_their_beginning() {
        for (text, kind) in [
            (&b"PK\x03\x04rest"[..], "a ZIP archive"),
            (b"\xfd7zXZ\0", "compressed with xz"),
            (b"BZh91AY&SY", "compressed with bzip2"),
        ] {
            assert_eq!(archive(text), Some(kind));
        }
        // A text that begins like one is a text.
        for text in [&b"PK"[..], b"", b"BZh9 is a mark", b"7z", b"\x1f\x8b"] {
            assert_eq!(archive(text), None, "{text:?}");
        }
        // gzip is looked into.
        assert_eq!(archive(b"\x1f\x8b\x08"), None);
    }

    #[test]
    fn what_is_gone_has_no_line() {
        let found = located(b"short", &[(100, 104)], 64);
        assert_eq!((found[0].line, found[0].column), (0, 0));
    }

    #[test]
    fn a_known_value_wins_and_keeps_the_shape_beside_it() {
        let place = |start, end| Place {
            start,
            end,
            form: "exact".to_owned(),
            key: Some("api/key".to_owned()),
        };
        let all = merged(
            vec![place(10, 20), place(40, 44)],
            vec![shape(0, 5), shape(8, 14), shape(30, 34), shape(50, 60)],
        );
        let told: Vec<_> = all
            .iter()
            .map(|one| {
                (
                    one.offset,
                    matches!(one.what, What::Known { rule: Some(_), .. }),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (0, false),
                (10, true),
                (30, false),
                (40, false),
                (50, false)
            ]
        );
        assert_eq!(
            all.iter()
                .filter(|one| matches!(one.what, What::Shape(_)))
                .count(),
            3
        );
    }
}
