//! Operations on texts. Each looks at its inputs once or twice and keeps nothing of them.

use std::cmp::Ordering;

use memchr::memmem;

use super::FaultKind;
use super::number;
use super::output::Output;

type Done = Result<(), FaultKind>;

/// The characters of a text; a byte that is not UTF-8 is one by itself, without a `char`.
pub(super) fn characters(text: &[u8]) -> impl Iterator<Item = (&[u8], Option<char>)> {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid();
        let known = valid.char_indices().map(move |(at, character)| {
            let bytes = &valid.as_bytes()[at..at + character.len_utf8()];
            (bytes, Some(character))
        });
        known.chain(chunk.invalid().chunks(1).map(|byte| (byte, None)))
    })
}

pub(super) fn concat<O: Output>(parts: &[&[u8]], out: &mut O) -> Done {
    parts.iter().try_for_each(|part| out.put(part))
}

pub(super) fn join<O: Output>(separator: &[u8], parts: &[&[u8]], out: &mut O) -> Done {
    parts.iter().enumerate().try_for_each(|(index, part)| {
        if index > 0 {
            out.put(separator)?;
        }
        out.put(part)
    })
}

pub(super) fn length<O: Output>(text: &[u8], out: &mut O) -> Done {
    number::print_count(characters(text).count(), out)
}

/// Each character by itself, without regard to its neighbours.
pub(super) fn lower<O: Output>(text: &[u8], out: &mut O) -> Done {
    cased(text, out, char::to_lowercase)
}

/// Each character by itself: `ß` becomes `SS`.
pub(super) fn upper<O: Output>(text: &[u8], out: &mut O) -> Done {
    cased(text, out, char::to_uppercase)
}

fn cased<O: Output, C: Iterator<Item = char>>(
    text: &[u8],
    out: &mut O,
    case: fn(char) -> C,
) -> Done {
    characters(text).try_for_each(|(bytes, character)| match character {
        None => out.put(bytes),
        Some(character) => case(character)
            .try_for_each(|character| out.put(character.encode_utf8(&mut [0; 4]).as_bytes())),
    })
}

/// Without white space (Unicode's `White_Space`) at both ends.
pub(super) fn trim<O: Output>(text: &[u8], out: &mut O) -> Done {
    let (mut start, mut end, mut at) = (text.len(), 0, 0);
    for (bytes, character) in characters(text) {
        let next = at + bytes.len();
        if !character.is_some_and(char::is_whitespace) {
            start = start.min(at);
            end = next;
        }
        at = next;
    }
    out.put(text.get(start..end).unwrap_or_default())
}

/// Every place of `needle`, from the left, none twice. Nothing is found for an empty one.
pub(super) fn replace<O: Output>(text: &[u8], needle: &[u8], with: &[u8], out: &mut O) -> Done {
    if needle.is_empty() {
        return out.put(text);
    }
    let mut end = 0;
    for start in memmem::find_iter(text, needle) {
        out.put(text.get(end..start).unwrap_or_default())?;
        out.put(with)?;
        end = start + needle.len();
    }
    out.put(text.get(end..).unwrap_or_default())
}

pub(super) fn contains(text: &[u8], needle: &[u8]) -> bool {
    memmem::find(text, needle).is_some()
}

/// By code point, which in UTF-8 is by byte.
pub(super) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.cmp(other)
}

/// Characters from `start` up to and without `end`; an index below zero counts from the end, and
/// what lies outside the text is left out.
pub(super) fn slice<O: Output>(text: &[u8], start: &[u8], end: Option<&[u8]>, out: &mut O) -> Done {
    let start = number::index(start)?;
    let end = end.map(number::index).transpose()?;
    let length = characters(text).count();
    let place = |index: i128| match usize::try_from(index) {
        Ok(index) => index.min(length),
        Err(_) if index > 0 => length,
        Err(_) => {
            usize::try_from(index.unsigned_abs()).map_or(0, |before| length.saturating_sub(before))
        }
    };
    let (start, end) = (place(start), end.map_or(length, place));
    let taken = characters(text)
        .skip(start)
        .take(end.saturating_sub(start))
        .map(|(bytes, _)| bytes.len());
    let skipped = characters(text).take(start).map(|(bytes, _)| bytes.len());
    let from: usize = skipped.sum();
    let to = from + taken.sum::<usize>();
    out.put(text.get(from..to).unwrap_or_default())
}
