//! The folded view of a stream: its letters and digits alone, in lower case, each with the place
//! where it stands.
//!
//! What is left out does not hide a value: blanks, line breaks, quotes, colours, characters without
//! width, and the marks between the parts of a text that a program joins. Escapes are decoded, also
//! escapes of escapes.

mod blocks;
mod escapes;
mod places;

use zeroize::Zeroizing;

use crate::wide::{BLOCK, Wide};
use crate::window::Window;
pub(crate) use blocks::Blocks;

use blocks::Stage;
use escapes::{CONTROL_MAX, State, begins_one};
use places::Places;

/// So many bytes without a letter or digit end a word: nobody writes a value so, and what may go on
/// has to be held back meanwhile.
const GAP_MAX: u64 = 256;
/// The longest escape that is decoded, in bytes.
const ESCAPE_MAX: usize = 12;
/// Stands for a gap; in no needle.
const GAP: u8 = 0;

/// The letters and digits of a text, in lower case.
pub(crate) fn letters_and_digits(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let kept = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
    letters.extend(kept.map(u8::to_ascii_lowercase));
    letters
}

/// The folded view of a whole text.
pub(crate) fn folded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut fold = Fold::new(Blocks::new(Wide::detect()));
    fold.push(text);
    fold.finish();
    let mut text = fold.text.take();
    // What ends a stream.
    text.pop();
    text
}

/// The state of one stream.
pub(crate) struct Fold {
    blocks: Blocks,
    stage: Stage,
    /// What is kept of the view.
    text: Window,
    /// Where each of its characters stands in the stream.
    places: Places,
    /// Bytes of the stream so far.
    position: u64,
    state: State,
    /// Where the escape or sequence under way begins.
    start: u64,
    /// The bytes of it that are text if it turns out to be none, and where the first one stands.
    pending: Zeroizing<Vec<u8>>,
    pending_at: u64,
    /// Where the last character ended, or a gap was noted.
    last: u64,
}

impl Fold {
    /// The beginning of a stream, whose plain text is folded in this way.
    pub(crate) fn new(blocks: Blocks) -> Self {
        Fold {
            blocks,
            stage: Stage::default(),
            text: Window::default(),
            places: Places::default(),
            position: 0,
            state: State::Plain,
            start: 0,
            // Never more, so that no copy is left behind.
            pending: Zeroizing::new(Vec::with_capacity(CONTROL_MAX as usize)),
            pending_at: 0,
            last: 0,
        }
    }

    /// The kept characters, and the number of the first.
    pub(crate) fn text(&self) -> (&[u8], u64) {
        (self.text.text(), self.text.base())
    }

    /// The number of the character that comes next.
    pub(crate) fn end(&self) -> u64 {
        self.text.end()
    }

    /// Where characters, by number, stand in the stream.
    pub(crate) fn range(&self, from: u64, to: u64) -> (u64, u64) {
        let start = self
            .places
            .of(from)
            .map_or(self.position, |(start, _)| start);
        let end = self.places.of(to - 1).map_or(self.position, |(_, end)| end);
        (start, end)
    }

    /// Where the character with this number begins; of the next one, where it begins at the
    /// earliest.
    pub(crate) fn start(&self, number: u64) -> u64 {
        match (number < self.end(), self.state) {
            (true, _) => self.range(number, number + 1).0,
            (false, State::Plain) => self.position,
            (false, _) => self.start,
        }
    }

    /// The kept characters from this one on.
    pub(crate) fn text_from(&self, number: u64) -> &[u8] {
        self.text.range(number, self.end())
    }

    /// Has no use for the characters before this one.
    pub(crate) fn forget(&mut self, before: u64) {
        self.text.forget(before);
        self.places.forget(before);
    }

    /// Takes in what comes next.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let whole = self.push_blocks(bytes);
            bytes = &bytes[whole..];
            let complete = self.complete(bytes);
            if complete > 0 {
                bytes = &bytes[complete..];
                continue;
            }
            // What stopped it: an escape, a gap, or the end.
            let is_escape = bytes.first().is_some_and(|byte| begins_one(*byte));
            let mut singles = 0;
            for byte in bytes.iter().take(BLOCK) {
                self.step(*byte);
                self.position += 1;
                self.note_gap();
                singles += 1;
                if is_escape && self.state == State::Plain {
                    break;
                }
            }
            bytes = &bytes[singles..];
        }
    }

    /// Takes in whole blocks of plain text; returns how many bytes, 0 if it is none.
    fn push_blocks(&mut self, bytes: &[u8]) -> usize {
        let mut done = 0;
        // A gap of the greatest length has a block of its own in it, which stops the blocks; what
        // lies before them does not count so.
        while self.state == State::Plain && self.position - self.last < GAP_MAX - BLOCK as u64 {
            let (count, characters) = self.blocks.fold(&bytes[done..], &mut self.stage);
            if count == 0 {
                break;
            }
            let (text, kept) = self.stage.folded(count, characters);
            let number = self.text.end();
            self.text.append(text);
            if let Some(last) = self.places.blocks(number, self.position, kept) {
                self.last = last;
            }
            self.position += count as u64;
            done += count;
        }
        done
    }

    fn note_gap(&mut self) {
        if self.position - self.last == GAP_MAX && self.is_in_text() {
            // What it says comes before the gap.
            self.give_up();
        }
        if self.position - self.last == GAP_MAX {
            self.last = self.position;
            if self.text.text().last().is_none_or(|last| *last != GAP) {
                self.gap();
            }
        }
    }

    fn gap(&mut self) {
        self.places
            .escape(self.text.end(), self.position, self.position);
        self.text.push(GAP);
    }

    /// Ends the stream: an escape that is not complete is text.
    pub(crate) fn finish(&mut self) {
        match self.state {
            State::Octal => self.number(8),
            _ => self.give_up(),
        }
        self.state = State::Plain;
        self.gap();
        self.last = self.position;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(input: &str) -> String {
        let folded = folded(input.as_bytes());
        String::from_utf8_lossy(&folded).into_owned()
    }

    #[test]
    fn letters_and_digits_are_left() {
        assert_eq!(text("Ab-1 \"c\"\r\n+ 'D'"), "ab1cd");
        assert_eq!(text("a\u{200b}b\u{ad}c"), "abc");
        assert_eq!(text("\u{1b}[1;31ma\u{1b}[0mb\u{1b}]0;title\u{7}c"), "abc");
        assert_eq!(text("\u{1b}]8;;http://x\u{1b}\\a\u{1b}(Bb"), "ab");
    }

    /// What begins as a sequence and does not end as one would hide whatever follows.
    #[test]
    fn a_sequence_without_an_end_is_text() {
        let long = "ab12".repeat(100);
        for (input, out) in [
            ("\u{1b}]0;title-1", "0title1"),
            ("\u{1b}]0;title-1\nb\u{7}c", "0title1bc"),
            ("\u{1b}Pass-1\nb", "pass1b"),
            ("\u{1b}]ab\u{1b}xc\nd", "abxcd"),
            (&format!("\u{1b}]{long}\u{7}c"), &format!("{long}c")),
            (
                &format!("{}\u{1b}]{long}\u{7}c", "-".repeat(250)),
                &format!("{long}c"),
            ),
        ] {
            assert_eq!(text(input), out, "{input:?}");
        }
    }

    #[test]
    fn escapes_are_decoded_however_often_they_are_escaped() {
        for (input, out) in [
            ("%41%62", "ab"),
            ("%2541%2562", "ab"),
            ("\\u0041\\x62\\143\\u{64}", "abcd"),
            ("\\\\u0041\\\\\\\\x62", "ab"),
            ("&#65;&#x62;&amp;#99;&amp;amp;&lt;d", "abcd"),
            ("a\\nb\\r\\nc\\td", "abcd"),
            ("\\41\\1428", "!b8".trim_start_matches('!')),
            ("100%", "100"),
            ("100% ok", "100ok"),
            ("?a=1&key=2&b", "a1key2b"),
            ("\\u00zz", "u00zz"),
            ("&#12x", "12x"),
            ("&#x3dg", "x3dg"),
            ("&#x;a", "xa"),
            ("&#xg", "xg"),
            ("\\d", "d"),
        ] {
            assert_eq!(text(input), out, "{input}");
        }
    }

    #[test]
    fn each_character_knows_where_it_stands() {
        let mut fold = Fold::new(Blocks::new(Wide::detect()));
        fold.push(b"a%41 ");
        assert_eq!(fold.range(0, 2), (0, 4));
        fold.push(b"%4");
        assert_eq!(fold.start(2), 5);
        fold.push(b"2");
        assert_eq!(fold.range(2, 3), (5, 8));
        fold.forget(2);
        assert_eq!((fold.text(), fold.range(2, 3)), ((&b"b"[..], 2), (5, 8)));
        assert_eq!(fold.start(3), 8);
    }

    /// The view and its places, taken in pieces of this size.
    fn places(text: &[u8], blocks: Blocks, piece: usize) -> (Vec<u8>, Vec<(u64, u64)>) {
        let mut fold = Fold::new(blocks);
        text.chunks(piece).for_each(|piece| fold.push(piece));
        fold.finish();
        let numbers = 0..fold.end();
        let places = numbers.map(|number| fold.range(number, number + 1));
        (fold.text().0.to_vec(), places.collect())
    }

    proptest! {
        #[test]
        fn blocks_and_single_bytes_give_the_same(
            parts in prop::collection::vec(
                prop_oneof![
                    4 => "[a-zA-Z0-9]{1,80}",
                    3 => "[ -/:-@]{1,12}",
                    1 => " {60,300}",
                    1 => prop::sample::select(vec![
                        "%41", "%254", "\\u0041", "\\\\", "\\1", "\\x4", "&amp;#65;", "&#x4", "&",
                        "%2F", "%2541", "\\x41", "\\x5cx41", "\\u005c", "&#x41;", "&#X26;#65;",
                        "\u{1b}[1m", "\u{1b}]0;t\u{7}", "\u{1b}",
                    ]).prop_map(str::to_owned),
                ],
                0..60,
            ),
            piece in 1usize..500,
        ) {
            let text = parts.concat();
            let slow = places(text.as_bytes(), Blocks::new(None), 1);
            prop_assert_eq!(&places(text.as_bytes(), Blocks::new(None), piece), &slow);
            prop_assert_eq!(&places(text.as_bytes(), Blocks::new(Wide::detect()), piece), &slow);
            prop_assert_eq!(&places(text.as_bytes(), Blocks::new(Wide::detect()), 100_000), &slow);
        }
    }

    #[test]
    fn a_long_gap_ends_a_word() {
        assert_eq!(text(&format!("a{}b", " ".repeat(255))), "ab");
        assert_eq!(text(&format!("a{}b", " ".repeat(256))), "a\0b");
        assert_eq!(text(&format!("a{}b", "-".repeat(5000))), "a\0b");
    }
}
