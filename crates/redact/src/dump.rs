//! Dumps of bytes: `xxd`, `hexdump`, `od` and what looks like them.
//!
//! A line that begins with an offset is read as numbers, and often once more as characters beside
//! them. What its numbers say goes on from line to line, and is searched like any text; a finding is
//! masked in both columns.

use std::collections::VecDeque;

use memchr::memchr;
use zeroize::Zeroizing;

use crate::wide::Wide;
use crate::window::Window;

/// A longer line is no dump.
const LINE_MAX: usize = 512;
/// Digits of an offset: seven of `od`, eight of `xxd` and `hexdump`, up to sixteen of others.
const OFFSET: std::ops::RangeInclusive<usize> = 6..=16;

/// So many empty lines may stand between two lines of one dump: some logs write one after each of
/// theirs. More would let a stream keep what it has been held back for.
const EMPTY: u8 = 8;

/// Where a byte stands.
#[derive(Clone, Copy)]
struct Cell {
    /// Its digits, in the line.
    start: usize,
    end: usize,
    byte: u8,
}

/// A line as it was read.
struct Line {
    cells: Vec<Cell>,
    /// Where the character of the first cell stands, if they are there.
    gutter: Option<usize>,
    /// How many blanks may be between two cells.
    gap: u64,
}

/// A byte of the text that the dumps are of, in offsets of the stream.
#[derive(Clone, Copy)]
struct Place {
    start: u64,
    end: u64,
    gutter: Option<u64>,
    gap: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a line, or in its offset.
    Offset,
    /// Behind an offset.
    Cells,
    /// In a line that is none.
    Other,
}

/// The state of one stream.
pub(crate) struct Dump {
    wide: Option<Wide>,
    state: State,
    /// The line so far, unless it is none.
    line: Zeroizing<Vec<u8>>,
    /// Where its first cell may begin, in the line.
    cells_at: usize,
    line_start: u64,
    position: u64,
    /// How many empty lines came since the last one of a dump.
    empty: u8,
    /// What the lines say.
    text: Window,
    places: VecDeque<Place>,
}

/// What became of the text of the dumps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// There is more of it.
    More,
    /// A line that is no dump ended it.
    End,
}

impl Dump {
    /// The beginning of a stream, searched with this if the processor has it.
    pub(crate) fn new(wide: Option<Wide>) -> Self {
        Dump {
            wide,
            state: State::Offset,
            line: Zeroizing::new(Vec::new()),
            cells_at: 0,
            line_start: 0,
            position: 0,
            empty: 0,
            text: Window::default(),
            places: VecDeque::new(),
        }
    }

    /// The text that is kept, and the number of its first byte.
    pub(crate) fn text(&self) -> (&[u8], u64) {
        (self.text.text(), self.text.base())
    }

    /// The number of the byte that comes next.
    pub(crate) fn end(&self) -> u64 {
        self.text.end()
    }

    /// Takes in bytes up to the end of a line that matters; returns how many, and what it was.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> (usize, Option<Event>) {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            if self.state == State::Other || self.is_other(rest) {
                self.state = State::Other;
                let (count, is_line) = self.next_line(rest);
                at += count;
                self.position += count as u64;
                if is_line {
                    self.begin();
                }
                continue;
            }
            at += 1;
            self.position += 1;
            if let Some(event) = self.step(rest[0]) {
                return (at, Some(event));
            }
        }
        (at, None)
    }

    /// How many bytes the rest of a line takes that is no dump, and the lines after it that are
    /// none either and end none; and whether a new line begins behind them.
    fn next_line(&self, rest: &[u8]) -> (usize, bool) {
        let mut seen = 0;
        if let (Some(wide), true) = (self.wide, self.text.text().is_empty()) {
            match wide.offset_line(rest) {
                Ok(line) => return (line, true),
                Err(at) => seen = at,
            }
        }
        match memchr(b'\n', &rest[seen..]) {
            Some(end) => (seen + end + 1, true),
            None => (rest.len(), false),
        }
    }

    /// Whether a line that begins so is no dump, and ends none: most lines of most texts, told at a
    /// glance.
    fn is_other(&self, line: &[u8]) -> bool {
        let is_at_start = self.state == State::Offset && self.line.is_empty();
        let begins_one = || {
            let start = line.iter().take(*OFFSET.start());
            start.fold(true, |all, byte| all & byte.is_ascii_hexdigit())
        };
        is_at_start && self.text.text().is_empty() && !begins_one()
    }

    fn begin(&mut self) {
        self.state = State::Offset;
        self.line.clear();
        self.line_start = self.position;
    }

    fn step(&mut self, byte: u8) -> Option<Event> {
        if byte == b'\n' {
            let event = self.end_line();
            self.begin();
            return event;
        }
        if self.line.capacity() == 0 {
            self.line.reserve_exact(LINE_MAX);
        }
        let digits = self.line.len();
        match self.state {
            _ if digits == LINE_MAX => return self.give_up(),
            State::Offset if self.line.as_slice() == b"\r" => return self.give_up(),
            State::Offset if byte == b'\r' && digits == 0 => {}
            State::Offset if byte.is_ascii_hexdigit() && digits < *OFFSET.end() => {}
            State::Offset if matches!(byte, b':' | b' ') && OFFSET.contains(&digits) => {
                self.state = State::Cells;
                self.cells_at = digits + 1;
            }
            State::Offset => return self.give_up(),
            _ => {}
        }
        self.line.push(byte);
        None
    }

    /// The line is no dump.
    fn give_up(&mut self) -> Option<Event> {
        self.state = State::Other;
        self.line.clear();
        (!self.text.text().is_empty()).then_some(Event::End)
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        if text.is_empty() && self.empty < EMPTY {
            self.empty += 1;
            self.line = line;
            return None;
        }
        let read = match self.state {
            State::Cells => read(text, self.cells_at),
            _ => None,
        };
        self.line = line;
        let Some(read) = read else {
            return (!self.text.text().is_empty()).then_some(Event::End);
        };
        self.empty = 0;
        let absolute = |at: usize| self.line_start + at as u64;
        for (cell, number) in read.cells.iter().zip(0..) {
            self.text.push(cell.byte);
            self.places.push_back(Place {
                start: absolute(cell.start),
                end: absolute(cell.end),
                gutter: read.gutter.map(|at| absolute(at + number)),
                gap: read.gap,
            });
        }
        Some(Event::More)
    }

    /// The stream ends here, or the dump does: what is left of the last line counts.
    pub(crate) fn finish(&mut self) {
        if self.state == State::Cells {
            self.end_line();
        }
        self.begin();
    }

    /// Where a byte of the text, by number, is first seen in the stream; of the next one, where it
    /// is at the earliest.
    pub(crate) fn start(&self, number: u64) -> u64 {
        let index = self.text.index(number);
        let line = match self.state {
            State::Cells => self.line_start + self.cells_at as u64,
            _ => self.position,
        };
        // The bytes of a word may stand in the other order.
        let rest = self.places.iter().skip(index);
        let first = rest.take(8).map(|place| place.start).min();
        first.map_or(line, |first| first.min(line))
    }

    /// Has no use for the bytes before this one.
    pub(crate) fn forget(&mut self, before: u64) {
        self.places
            .drain(..self.text.index(before).min(self.places.len()));
        self.text.forget(before);
    }

    /// Where bytes of the text, by number, stand in the stream: digits and characters, line by
    /// line.
    pub(crate) fn ranges(&self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let places = || {
            let range = self.text.index(from)..self.text.index(to);
            self.places.range(range)
        };
        let cells = places().map(|place| (place.start, place.end, place.gap));
        let gutters = places().filter_map(|place| Some((place.gutter?, place.gutter? + 1, 0)));
        let mut parts: Vec<(u64, u64, u64)> = cells.chain(gutters).collect();
        parts.sort_unstable();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (start, end, gap) in parts {
            match ranges.last_mut() {
                Some(last) if start <= last.1 + gap => last.1 = last.1.max(end),
                _ => ranges.push((start, end)),
            }
        }
        ranges
    }
}

fn read(line: &[u8], cells_at: usize) -> Option<Line> {
    let has_colon = line.get(cells_at - 1) == Some(&b':');
    let read = match has_colon {
        true => numbers(line, cells_at, true),
        false => characters(line, cells_at).or_else(|| numbers(line, cells_at, false)),
    };
    read.filter(|line| !line.cells.is_empty())
}

/// `od -c` and `od -b`: columns of four characters.
fn characters(line: &[u8], cells_at: usize) -> Option<Line> {
    let from = cells_at - 1;
    let mut cells = Vec::new();
    for (column, start) in line[from..].chunks(4).zip((from..).step_by(4)) {
        let [b' ', rest @ ..] = column else {
            return None;
        };
        let text = rest.trim_ascii_start();
        let at = start + column.len() - text.len();
        let byte = match text {
            [] if rest.len() == 3 => b' ',
            [byte] if rest.len() == 3 => *byte,
            [b'\\', letter] if rest.len() == 3 => match letter {
                b'0' => 0,
                b'a' => 7,
                b'b' => 8,
                b't' => 9,
                b'n' => 10,
                b'v' => 11,
                b'f' => 12,
                b'r' => 13,
                _ => return None,
            },
            octal @ [_, _, _] => number(octal, 8).and_then(|value| u8::try_from(value).ok())?,
            _ => return None,
        };
        let at = at.min(start + column.len() - 1);
        cells.push(Cell {
            start: at,
            end: start + column.len(),
            byte,
        });
    }
    Some(Line {
        cells,
        gutter: None,
        gap: 3,
    })
}

/// Groups of hexadecimal digits, or words of six octal ones, and what stands beside them.
fn numbers(line: &[u8], cells_at: usize, has_colon: bool) -> Option<Line> {
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut at = cells_at;
    let mut gutter = None;
    let mut bytes = 0;
    let mut width = 0;
    while at < line.len() {
        let blanks = line[at..].iter().take_while(|byte| **byte == b' ').count();
        at += blanks;
        let rest = &line[at..];
        let len = rest.iter().take_while(|byte| **byte != b' ').count();
        if len == 0 {
            break;
        }
        let is_apart = blanks >= 2 && !groups.is_empty();
        if matches!(rest[0], b'|' | b'>') && is_apart {
            gutter = Some(at + 1);
            break;
        }
        if is_apart && (has_colon || bytes % 16 == 0) {
            gutter = Some(at);
            break;
        }
        let token = &rest[..len];
        let is_octal = len == 6 && token.iter().all(|byte| (b'0'..=b'7').contains(byte));
        let is_hex = len % 2 == 0 && len <= 32 && token.iter().all(u8::is_ascii_hexdigit);
        // The last group of a line may be shorter.
        let fits = width == 0 || len == width || has_colon && len < width;
        if !(is_hex || is_octal) || !fits {
            return None;
        }
        if width == 0 {
            width = len;
        }
        groups.push((at, len));
        bytes += if is_octal && !has_colon { 2 } else { len / 2 };
        at += len;
    }
    let is_octal = !has_colon && width == 6;
    let order = |reversed: bool| cells(line, &groups, is_octal, reversed);
    // Words of more than a byte stand in the order of the machine, `xxd`'s groups do not; what
    // stands beside them tells better.
    let usual = !has_colon && width > 2;
    let agrees = |cells: &[Cell], at: usize| {
        let beside = line[at..].iter();
        let shown = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        cells
            .iter()
            .zip(beside)
            .all(|(cell, beside)| !shown(cell.byte) || cell.byte == *beside)
    };
    let first = order(usual)?;
    let cells = match gutter {
        // What stands beside them may have been changed, by colours or by whoever masked it before:
        // the numbers are what they were.
        Some(at) if !agrees(&first, at) => order(!usual)
            .filter(|other| agrees(other, at))
            .unwrap_or(first),
        _ => first,
    };
    Some(Line {
        cells,
        gutter: gutter.filter(|at| line.len() > *at),
        gap: 2,
    })
}

fn cells(
    line: &[u8],
    groups: &[(usize, usize)],
    is_octal: bool,
    reversed: bool,
) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    for (at, len) in groups {
        let digits = &line[*at..at + len];
        if is_octal {
            let word = u16::try_from(number(digits, 8)?).ok()?;
            // Its digits are those of both bytes.
            cells.extend(word.to_le_bytes().map(|byte| Cell {
                start: *at,
                end: at + len,
                byte,
            }));
            continue;
        }
        let mut group = Vec::with_capacity(len / 2);
        for (pair, start) in digits.chunks(2).zip((*at..).step_by(2)) {
            group.push(Cell {
                start,
                end: start + 2,
                byte: u8::try_from(number(pair, 16)?).ok()?,
            });
        }
        if reversed {
            group.reverse();
        }
        cells.extend(group);
    }
    Some(cells)
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let mut value = 0;
    for byte in digits {
        value = value * radix + char::from(*byte).to_digit(radix)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the lines say, and what of them the first to the last byte of `part` takes.
    fn seen(text: &str, part: &str) -> (String, Vec<String>) {
        let mut dump = Dump::new(None);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let (count, _) = dump.push(rest);
            rest = &rest[count..];
        }
        dump.finish();
        let said = String::from_utf8_lossy(dump.text.text()).into_owned();
        let ranges = said.find(part).map(|at| {
            let at = at as u64;
            dump.ranges(at, at + part.len() as u64)
        });
        let shown = ranges
            .iter()
            .flatten()
            .map(|(start, end)| text[*start as usize..*end as usize].to_owned());
        (said, shown.collect())
    }

    #[test]
    fn the_dumps_of_common_programs_are_read() {
        for (text, said, shown) in [
            (
                "00000000: 6162 6364 6566 6768 696a 6b6c 6d6e 6f70  abcdefghijklmnop\n\
                 00000010: 7172 0a                                  qr.\n",
                "abcdefghijklmnopqr\n",
                &["6f70", "op", "7172", "qr"][..],
            ),
            (
                "00000000  61 62 63 64 65 66 67 68  69 6a 6b 6c 6d 6e 6f 70  |abcdefghijklmnop|\n\
                 00000010  71 72 0a                                          |qr.|\n00000013\n",
                "abcdefghijklmnopqr\n",
                &["6f 70", "op", "71 72", "qr"],
            ),
            (
                "0000000 6261 6463 6665 6867 6a69 6c6b 6e6d 706f\n0000010 7271 000a\n0000013\n",
                "abcdefghijklmnopqr\n\0",
                &["706f", "7271"],
            ),
            (
                "0000000   o   p   q   r  \\n\n0000005\n",
                "opqr\n",
                &["o   p   q   r"],
            ),
            (
                "0000000 157 160 161 162 012\n0000005\n",
                "opqr\n",
                &["157 160 161 162"],
            ),
            (
                "0000000 070157 071161 000012\n0000005\n",
                "opqr\n\0",
                &["070157 071161"],
            ),
            (
                "000000 6f 70 71 72 0a  >opqr.<\n000005\n",
                "opqr\n",
                &["6f 70 71 72", "opqr"],
            ),
            // What stands beside the numbers was changed.
            (
                "000000 6f 70 71 72 0a  >op\u{1e}r.<\n000005\n",
                "opqr\n",
                &["6f 70 71 72", "op\u{1e}r"],
            ),
        ] {
            let (found, ranges) = seen(text, "opqr");
            assert_eq!(found, said, "{text}");
            assert_eq!(ranges, shown, "{text}");
        }
    }

    #[test]
    fn a_dump_is_found_wherever_its_line_begins() {
        let dump = "00000000: 6162 6364 6566  abcdef\n";
        for before in 0..200 {
            for line in [7, 30, 90] {
                let mut text = "x".repeat(before);
                text = text
                    .as_bytes()
                    .chunks(line)
                    .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
                    .collect();
                text.push_str(dump);
                text.push_str(&"y".repeat(100));
                for wide in [None, Wide::detect()] {
                    let mut read = Dump::new(wide);
                    let (count, event) = read.push(text.as_bytes());
                    assert!(event == Some(Event::More), "{before} {line}");
                    assert_eq!(read.text(), (&b"abcdef"[..], 0));
                    assert_eq!(count, text.len() - 100);
                }
            }
        }
    }

    /// Some logs write an empty line after each of theirs.
    #[test]
    fn empty_lines_do_not_end_a_dump() {
        let lines = |between: &str| format!("000000 6f 70{between}000002 71 72\n");
        for between in ["\n", "\r\n", "\n\n", "\r\n\r\n", "\n\n\n\n\n\n\n\n\n"] {
            let text = lines(between);
            let (found, ranges) = seen(&text, "opqr");
            assert_eq!(found, "opqr", "{between:?}");
            assert_eq!(ranges, ["6f 70", "71 72"], "{between:?}");
        }
        for between in ["\n \n", "\n\rx\n", "\n-\n", &"\n".repeat(10)] {
            let mut read = Dump::new(None);
            let text = lines(between);
            let mut rest = text.as_bytes();
            let mut events = Vec::new();
            while !rest.is_empty() {
                let (count, event) = read.push(rest);
                events.extend(event);
                rest = &rest[count..];
            }
            assert_eq!(
                events.iter().filter(|one| **one == Event::End).count(),
                1,
                "{between:?}"
            );
        }
    }

    #[test]
    fn other_lines_are_no_dumps() {
        for text in [
            "2026-11-22 10:00:00 6162 6364\n",
            "deadbeef: the commit\n",
            "12345678 rows\n",
            "00000000:\n",
            "abcdef0 fix the build\n",
        ] {
            assert_eq!(seen(text, "x").0, "", "{text}");
        }
    }
}
