//! What is decoded and what is left out: a step for each byte.

use super::{ESCAPE_MAX, Fold, GAP_MAX};

/// The longest control sequence that is left out.
pub(super) const CONTROL_MAX: u32 = 256;
/// So many bytes are no escape, however often it is escaped: what is under way is held back.
const UNDER_WAY_MAX: u64 = 2 * CONTROL_MAX as u64;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum State {
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

/// Whether an escape or a control sequence may begin with this byte.
pub(super) fn begins_one(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&' | 0x1b)
}

/// A complete escape of two hexadecimal digits: how long it is, and what it stands for. None that
/// begins another one.
fn complete(bytes: &[u8]) -> Option<(usize, u8)> {
    let (length, high, low, begins) = match *bytes {
        [b'%', high, low, ..] => (3, high, low, b'%'),
        [b'\\', b'x', high, low, ..] => (4, high, low, b'\\'),
        [b'\\', b'u', b'0', b'0', high, low, ..] => (6, high, low, b'\\'),
        [b'&', b'#', b'x' | b'X', high, low, b';', ..] => (6, high, low, b'&'),
        _ => return None,
    };
    let [high, low] = [high, low].map(|digit| char::from(digit).to_digit(16));
    let byte = u8::try_from(high? << 4 | low?).ok()?;
    (byte != begins).then_some((length, byte))
}

impl Fold {
    fn emit(&mut self, byte: u8, start: u64, end: u64) {
        if byte.is_ascii_alphanumeric() {
            match end - start {
                1 => self.places.byte(self.text.end(), start),
                _ => self.places.escape(self.text.end(), start, end),
            }
            self.text.push(byte.to_ascii_lowercase());
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

    /// A sequence is complete, and says nothing.
    fn skipped(&mut self) {
        self.pending.clear();
        self.state = State::Plain;
    }

    /// Whether text is under way that is left out if the sequence around it ends.
    pub(super) fn is_in_text(&self) -> bool {
        matches!(self.state, State::Text(_) | State::TextEscape(_))
    }

    /// What was taken for an escape is text.
    pub(super) fn give_up(&mut self) {
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
    pub(super) fn number(&mut self, radix: u32) {
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

    pub(super) fn step(&mut self, byte: u8) {
        if self.state != State::Plain && self.position - self.start >= UNDER_WAY_MAX {
            self.give_up();
        }
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
                // Its text is text where nothing ends it.
                b']' | b'P' | b'X' | b'^' | b'_' => self.go_on_with(State::Text(0), byte),
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
                0x07 => self.skipped(),
                0x1b => self.state = State::TextEscape(length),
                byte if byte != b'\n' && length + 1 < CONTROL_MAX => {
                    self.pending.push(byte);
                    self.state = State::Text(length + 1);
                }
                byte => self.again(byte),
            },
            State::TextEscape(length) => match byte {
                b'\\' => self.skipped(),
                // Two bytes, so that those that follow stand where they should.
                _ if length + 2 < CONTROL_MAX => {
                    self.pending.extend([0x1b, byte]);
                    self.state = State::Text(length + 2);
                }
                byte => self.again(byte),
            },
        }
    }

    /// Takes in escapes that are complete; returns how many bytes. The steps come to the same, and
    /// take longer.
    pub(super) fn complete(&mut self, bytes: &[u8]) -> usize {
        let mut done = 0;
        // Nothing is noted within an escape.
        while self.state == State::Plain
            && self.position - self.last < GAP_MAX - ESCAPE_MAX as u64
            && let Some((length, byte)) = complete(&bytes[done..])
        {
            let end = self.position + length as u64;
            self.emit(byte, self.position, end);
            self.position = end;
            done += length;
        }
        done
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
                self.go_on_with(State::HexNumber, byte);
            }
            b';' if self.pending.len() > usize::from(is_hex) => {
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
