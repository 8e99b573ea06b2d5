//! The folded view of a stream: its letters and digits alone, in lower case, each with the place
//! where it stands.
//!
//! What is left out does not hide a value: blanks, line breaks, quotes, colours, characters without
//! width, and the marks between the parts of a text that a program joins. Escapes are decoded, also
//! escapes of escapes.

use zeroize::Zeroizing;

/// So many bytes without a letter or digit end a word: nobody writes a value so, and what may go on
/// has to be held back meanwhile.
const GAP_MAX: u64 = 256;
/// The longest escape that is decoded, in bytes.
const ESCAPE_MAX: usize = 12;
/// The longest control sequence that is left out.
const CONTROL_MAX: u32 = 256;
/// Stands for a gap; in no needle.
const GAP: u8 = 0;

/// The letters and digits of a text, in lower case.
pub(crate) fn letters_and_digits(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let kept = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    Zeroizing::new(kept.map(u8::to_ascii_lowercase).collect())
}

/// The folded view of a whole text.
pub(crate) fn folded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut fold = Fold::default();
    fold.push(text);
    fold.finish();
    let mut text = std::mem::take(&mut fold.text);
    // What ends a stream.
    text.pop();
    text
}

/// The state of one stream.
#[derive(Default)]
pub(crate) struct Fold {
    /// What is kept of the view.
    text: Zeroizing<Vec<u8>>,
    /// Where each of its characters begins and ends in the stream.
    places: Vec<(u64, u64)>,
    /// How many characters were there before.
    base: u64,
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

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum State {
    #[default]
    Plain,
    Percent,
    Backslash,
    /// Hexadecimal digits that are still to come.
    Digits(u8),
    Braces,
    Octal,
    Entity,
    Number,
    HexNumber,
    Escape,
    Csi(u32),
    Text(u32),
    TextEscape(u32),
    OneMore,
}

impl Fold {
    /// The kept characters.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The number of the first kept character.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    /// Where characters, by number, stand in the stream.
    pub(crate) fn range(&self, from: u64, to: u64) -> (u64, u64) {
        let index = |number: u64| usize::try_from(number - self.base).unwrap_or(usize::MAX);
        (self.places[index(from)].0, self.places[index(to) - 1].1)
    }

    /// Where the character with this number begins; of the next one, where it begins at the
    /// earliest.
    pub(crate) fn start(&self, number: u64) -> u64 {
        let index = usize::try_from(number - self.base).unwrap_or(usize::MAX);
        match (self.places.get(index), self.state) {
            (Some((start, _)), _) => *start,
            (None, State::Plain) => self.position,
            (None, _) => self.start,
        }
    }

    /// The kept characters from this one on.
    pub(crate) fn text_from(&self, number: u64) -> &[u8] {
        let index = usize::try_from(number - self.base).unwrap_or(usize::MAX);
        self.text.get(index..).unwrap_or_default()
    }

    /// Has no use for the characters before this one. They go when they are at least half of what
    /// is kept, so that a long run that is held back does not cost its length with each byte.
    pub(crate) fn forget(&mut self, before: u64) {
        let count = usize::try_from(before - self.base).unwrap_or(self.text.len());
        if 2 * count < self.text.len() {
            return;
        }
        let left = self.text.len() - count;
        self.text.copy_within(count.., 0);
        self.text.truncate(left);
        self.places.drain(..count);
        self.base = before;
    }

    /// Takes in what comes next.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.text.capacity() < self.text.len() + bytes.len() + ESCAPE_MAX {
            self.grow(bytes.len() + ESCAPE_MAX);
        }
        for byte in bytes {
            self.step(*byte);
            self.position += 1;
            if self.position - self.last == GAP_MAX {
                self.last = self.position;
                if self.text.last().is_none_or(|last| *last != GAP) {
                    self.text.push(GAP);
                    self.places.push((self.position, self.position));
                }
            }
        }
    }

    /// Ends the stream: an escape that is not complete is text.
    pub(crate) fn finish(&mut self) {
        match self.state {
            State::Octal => self.number(8),
            _ => self.give_up(),
        }
        self.state = State::Plain;
        self.text.push(GAP);
        self.places.push((self.position, self.position));
        self.last = self.position;
    }

    /// Growing in place would leave a copy behind that is not wiped.
    fn grow(&mut self, more: usize) {
        let mut larger = Zeroizing::new(Vec::with_capacity(2 * (self.text.len() + more)));
        larger.extend_from_slice(&self.text);
        self.text = larger;
    }

    fn emit(&mut self, byte: u8, start: u64, end: u64) {
        if byte.is_ascii_alphanumeric() {
            self.text.push(byte.to_ascii_lowercase());
            self.places.push((start, end));
            self.last = end;
        }
    }

    /// Begins an escape of this kind at the present byte.
    fn begin(&mut self, state: State) {
        self.start = self.position;
        self.go_on(state);
    }

    /// What follows the present byte is of this kind, and text if it is not.
    fn go_on(&mut self, state: State) {
        self.state = state;
        self.pending.clear();
        self.pending_at = self.position + 1;
    }

    /// As [`Fold::go_on`]; the present byte is text as well then.
    fn go_on_with(&mut self, state: State, byte: u8) {
        self.state = state;
        self.pending.clear();
        self.pending.push(byte);
        self.pending_at = self.position;
    }

    /// What was taken for an escape is text.
    fn give_up(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        for (byte, at) in pending.iter().zip(self.pending_at..) {
            self.emit(*byte, at, at + 1);
        }
        self.pending = pending;
        self.pending.clear();
        self.state = State::Plain;
    }

    /// What was taken for an escape is text, and this byte as well or the beginning of another.
    fn again(&mut self, byte: u8) {
        self.give_up();
        self.plain(byte);
    }

    fn keep(&mut self, byte: u8) {
        match self.pending.len() < ESCAPE_MAX {
            true => self.pending.push(byte),
            false => self.again(byte),
        }
    }

    /// The number that the pending digits are; the letter of their escape is none.
    fn value(&self, radix: u32) -> u32 {
        let digits = self.pending.iter();
        let digits = digits.filter_map(|byte| char::from(*byte).to_digit(radix));
        digits.fold(0, |value, digit| {
            value.saturating_mul(radix).saturating_add(digit)
        })
    }

    /// An escape is complete, and ends before the present byte: its digits are pending.
    fn number(&mut self, radix: u32) {
        self.decoded(radix, self.position);
    }

    fn decoded(&mut self, radix: u32, end: u64) {
        let value = self.value(radix);
        self.pending.clear();
        self.state = State::Plain;
        if let Ok(byte) = u8::try_from(value) {
            self.emit(byte, self.start, end);
        }
    }

    fn plain(&mut self, byte: u8) {
        match byte {
            b'%' => self.begin(State::Percent),
            b'\\' => self.begin(State::Backslash),
            b'&' => self.begin(State::Entity),
            0x1b => self.begin(State::Escape),
            _ => self.emit(byte, self.position, self.position + 1),
        }
    }

    fn step(&mut self, byte: u8) {
        match self.state {
            State::Plain => self.plain(byte),
            State::Percent => self.percent(byte),
            State::Backslash => self.backslash(byte),
            State::Digits(left) => self.digits(byte, left),
            State::Braces => match byte {
                b'}' if !self.pending.is_empty() => self.decoded(16, self.position + 1),
                byte if byte.is_ascii_hexdigit() => self.keep(byte),
                byte => self.again(byte),
            },
            State::Octal => match byte {
                b'0'..=b'7' if self.pending.len() < 3 => {
                    self.pending.push(byte);
                    if self.pending.len() == 3 {
                        self.decoded(8, self.position + 1);
                    }
                }
                byte => {
                    self.number(8);
                    self.plain(byte);
                }
            },
            State::Entity => self.entity(byte),
            State::Number | State::HexNumber => self.entity_number(byte),
            State::Escape => match byte {
                b'[' => self.state = State::Csi(0),
                b']' | b'P' | b'X' | b'^' | b'_' => self.state = State::Text(0),
                b' '..=b'/' => self.state = State::OneMore,
                _ => self.state = State::Plain,
            },
            State::OneMore => self.state = State::Plain,
            State::Csi(length) => match byte {
                b' '..=b'?' if length < CONTROL_MAX => self.state = State::Csi(length + 1),
                b'@'..=b'~' => self.state = State::Plain,
                byte => {
                    self.state = State::Plain;
                    self.plain(byte);
                }
            },
            State::Text(length) => match byte {
                0x07 | b'\n' => self.state = State::Plain,
                0x1b => self.state = State::TextEscape(length),
                _ if length < CONTROL_MAX => self.state = State::Text(length + 1),
                _ => self.state = State::Plain,
            },
            State::TextEscape(length) => match byte {
                b'\\' => self.state = State::Plain,
                _ => self.state = State::Text(length),
            },
        }
    }

    fn percent(&mut self, byte: u8) {
        if !byte.is_ascii_hexdigit() {
            return self.again(byte);
        }
        self.pending.push(byte);
        if self.pending.len() == 2 {
            if self.value(16) == u32::from(b'%') {
                // Encoded once more: what follows are its digits.
                self.go_on(State::Percent);
            } else {
                self.decoded(16, self.position + 1);
            }
        }
    }

    fn backslash(&mut self, byte: u8) {
        match byte {
            // Escaped once more.
            b'\\' => {}
            b'u' => self.go_on_with(State::Digits(4), byte),
            b'U' => self.go_on_with(State::Digits(8), byte),
            b'x' => self.go_on_with(State::Digits(2), byte),
            b'0'..=b'7' => self.go_on_with(State::Octal, byte),
            b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'a' | b'e' => self.state = State::Plain,
            byte => {
                self.state = State::Plain;
                self.plain(byte);
            }
        }
    }

    fn digits(&mut self, byte: u8, left: u8) {
        if byte == b'{' && self.pending.len() == 1 {
            return self.go_on(State::Braces);
        }
        if !byte.is_ascii_hexdigit() {
            return self.again(byte);
        }
        self.pending.push(byte);
        match left {
            1 if self.value(16) == u32::from(b'\\') => self.go_on(State::Backslash),
            1 => self.decoded(16, self.position + 1),
            left => self.state = State::Digits(left - 1),
        }
    }

    fn entity(&mut self, byte: u8) {
        match byte {
            b'#' if self.pending.is_empty() => self.go_on(State::Number),
            b';' if self.pending.eq_ignore_ascii_case(b"amp") => self.go_on(State::Entity),
            // The other names stand for marks.
            b';' if !self.pending.is_empty() => {
                self.pending.clear();
                self.state = State::Plain;
            }
            byte if byte.is_ascii_alphabetic() && self.pending.len() < 6 => {
                self.pending.push(byte);
            }
            byte => self.again(byte),
        }
    }

    fn entity_number(&mut self, byte: u8) {
        let is_hex = self.state == State::HexNumber;
        match byte {
            b'x' | b'X' if !is_hex && self.pending.is_empty() => {
                self.go_on(State::HexNumber);
            }
            b';' if !self.pending.is_empty() => {
                let radix = if is_hex { 16 } else { 10 };
                if self.value(radix) == u32::from(b'&') {
                    self.go_on(State::Entity);
                } else {
                    self.decoded(radix, self.position + 1);
                }
            }
            byte if byte.is_ascii_digit() || is_hex && byte.is_ascii_hexdigit() => {
                self.keep(byte);
            }
            byte => self.again(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("\\d", "d"),
        ] {
            assert_eq!(text(input), out, "{input}");
        }
    }

    #[test]
    fn each_character_knows_where_it_stands() {
        let mut fold = Fold::default();
        fold.push(b"a%41 ");
        assert_eq!(fold.range(0, 2), (0, 4));
        fold.push(b"%4");
        assert_eq!(fold.start(2), 5);
        fold.push(b"2");
        assert_eq!(fold.range(2, 3), (5, 8));
        fold.forget(2);
        assert_eq!((fold.text(), fold.range(2, 3)), (&b"b"[..], (5, 8)));
        assert_eq!(fold.start(3), 8);
    }

    #[test]
    fn a_long_gap_ends_a_word() {
        assert_eq!(text(&format!("a{}b", " ".repeat(255))), "ab");
        assert_eq!(text(&format!("a{}b", " ".repeat(256))), "a\0b");
        assert_eq!(text(&format!("a{}b", "-".repeat(5000))), "a\0b");
    }
}
