//! A JSON document read where it stands.
//!
//! Other readers unescape strings into memory of their own, and a password with a quote in it
//! would remain there. Here a string is a place in the locked document until it is asked for:
//! [`Text::secret`] decodes it into another locked buffer, [`Text::name`] is for names alone.
//!
//! Source: RFC 8259. Beyond it, names in one object differ, and depth and size are bounded.

use std::collections::BTreeSet;

use subrosa_crypto::{MemoryError, SecretBuf};

/// Deepest nesting that is read.
pub const DEPTH_MAX: usize = 64;
/// Most values in one document: each costs memory beside the document.
pub const NODES_MAX: usize = 2_000_000;

/// A value of a document.
#[derive(Debug)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it is written.
    Number(&'a [u8]),
    /// A string.
    Text(Text<'a>),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object, in the order of the document.
    Object(Vec<(Text<'a>, Node<'a>)>),
}

/// A string in the document: valid UTF-8 between its quotes, escapes checked and not yet read.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a [u8]);

impl std::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Text(***)")
    }
}

/// What is wrong with a document, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// Bytes before the fault.
    pub at: usize,
    /// What it is.
    pub why: Fault,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It ends inside of a value.
    Short,
    /// It is not JSON.
    Syntax,
    /// It is not UTF-8.
    Encoding,
    /// It is nested deeper than [`DEPTH_MAX`].
    Deep,
    /// It has more than [`NODES_MAX`] values.
    Large,
    /// An object has a name twice.
    Twice,
}

impl Fault {
    /// The fault in words.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::Short => "it ends too early".to_owned(),
            Self::Syntax => "this is not JSON".to_owned(),
            Self::Encoding => "this is not UTF-8".to_owned(),
            Self::Deep => format!("it is nested deeper than {DEPTH_MAX} levels"),
            Self::Large => format!("it has more than {NODES_MAX} values"),
            Self::Twice => "a name stands twice in one object".to_owned(),
        }
    }
}

/// How strictly a document is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// RFC 8259.
    Strict,
    /// With comments, and a comma after the last value: files that people write by hand.
    Commented,
}

/// Reads a whole document.
///
/// # Errors
/// [`Wrong`], which holds no content.
pub fn parse(document: &[u8], dialect: Dialect) -> Result<Node<'_>, Wrong> {
    let start = if document.starts_with(b"\xef\xbb\xbf") {
        3
    } else {
        0
    };
    if let Err(error) = std::str::from_utf8(document) {
        return Err(Wrong {
            at: error.valid_up_to(),
            why: Fault::Encoding,
        });
    }
    let mut reader = Reader {
        document,
        at: start,
        dialect,
        nodes: 0,
    };
    let node = reader.value(0)?;
    reader.space()?;
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.wrong(Fault::Syntax)),
    }
}

impl<'a> Node<'a> {
    /// The value under a name, when this is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        let found = self.members().iter().find(|(key, _)| key.is(name));
        found.map(|(_, value)| value)
    }

    /// The members of an object; nothing for whatever else this is.
    #[must_use]
    pub fn members(&self) -> &[(Text<'a>, Node<'a>)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }

    /// The values of an array; nothing for whatever else this is.
    #[must_use]
    pub fn items(&self) -> &[Node<'a>] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The string that this is, unless it is empty.
    #[must_use]
    pub fn text(&self) -> Option<Text<'a>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(*text),
            _ => None,
        }
    }

    /// The string under a name, unless it is empty.
    #[must_use]
    pub fn text_of(&self, name: &str) -> Option<Text<'a>> {
        self.get(name).and_then(Node::text)
    }

    /// The name under a name: a title, an id. Never for a value.
    #[must_use]
    pub fn name_of(&self, name: &str) -> String {
        self.text_of(name)
            .map(|text| text.name())
            .unwrap_or_default()
    }

    /// The whole number that this is.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        match self {
            Self::Number(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
            _ => None,
        }
    }
}

impl<'a> Text<'a> {
    /// The string, decoded into locked memory.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much.
    pub fn secret(&self) -> Result<SecretBuf, MemoryError> {
        // Decoded text is never longer than what is written.
        let mut secret = SecretBuf::with_capacity(self.0.len())?;
        self.decode(|part| secret.extend(part))?;
        Ok(secret)
    }

    /// The string as a name. It is then in ordinary memory: never for a value.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = Vec::with_capacity(self.0.len());
        let decoded: Result<(), std::convert::Infallible> = self.decode(|part| {
            name.extend_from_slice(part);
            Ok(())
        });
        let Ok(()) = decoded;
        String::from_utf8_lossy(&name).into_owned()
    }

    /// Whether nothing stands between the quotes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is exactly `other`.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        if !self.0.contains(&b'\\') {
            return self.0 == other.as_bytes();
        }
        let mut rest = Some(other.as_bytes());
        let compared: Result<(), std::convert::Infallible> = self.decode(|part| {
            rest = rest.and_then(|rest| rest.strip_prefix(part));
            Ok(())
        });
        compared.is_ok() && rest == Some(b"")
    }

    /// What stands between the quotes, escapes and all.
    #[must_use]
    pub fn raw(&self) -> &'a [u8] {
        self.0
    }

    /// Hands out the decoded parts, in order.
    fn decode<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut rest = self.0;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            take(&rest[..at])?;
            let escape = rest.get(at + 1).copied().unwrap_or(b'\\');
            rest = rest.get(at + 2..).unwrap_or_default();
            match escape {
                b'n' => take(b"\n")?,
                b'r' => take(b"\r")?,
                b't' => take(b"\t")?,
                b'b' => take(b"\x08")?,
                b'f' => take(b"\x0c")?,
                b'u' => {
                    let mut code = hex4(rest).unwrap_or(0xfffd);
                    rest = rest.get(4..).unwrap_or_default();
                    if (0xd800..0xdc00).contains(&code) {
                        let low = rest.get(2..).and_then(hex4).unwrap_or(0xdc00);
                        code = 0x10000 + ((code - 0xd800) << 10) + (low.saturating_sub(0xdc00));
                        rest = rest.get(6..).unwrap_or_default();
                    }
                    let mut bytes = [0; 4];
                    let character = char::from_u32(code).unwrap_or('\u{fffd}');
                    take(character.encode_utf8(&mut bytes).as_bytes())?;
                    zero(&mut bytes);
                }
                other => take(&[other])?,
            }
        }
        take(rest)
    }
}

/// Clears what one character passed through.
fn zero(bytes: &mut [u8; 4]) {
    *bytes = [0; 4];
    std::hint::black_box(bytes);
}

fn hex4(digits: &[u8]) -> Option<u32> {
    let digits = digits.get(..4)?;
    digits.iter().try_fold(0, |code, digit| {
        Some(code << 4 | char::from(*digit).to_digit(16)?)
    })
}

struct Reader<'a> {
    document: &'a [u8],
    at: usize,
    dialect: Dialect,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn wrong(&self, why: Fault) -> Wrong {
        let why = match why {
            Fault::Syntax if self.at >= self.document.len() => Fault::Short,
            why => why,
        };
        Wrong { at: self.at, why }
    }

    fn peek(&self) -> Option<u8> {
        self.document.get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> Result<(), Wrong> {
        if self.peek() != Some(wanted) {
            return Err(self.wrong(Fault::Syntax));
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Wrong> {
        word.iter().try_for_each(|byte| self.eat(*byte))
    }

    fn space(&mut self) -> Result<(), Wrong> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.dialect == Dialect::Commented => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Wrong> {
        let rest = &self.document[self.at..];
        let length = if rest.starts_with(b"//") {
            let end = rest.iter().position(|byte| *byte == b'\n');
            end.unwrap_or(rest.len())
        } else if rest.starts_with(b"/*") {
            let end = rest.windows(2).skip(2).position(|two| two == b"*/");
            match end {
                Some(end) => end + 4,
                None => {
                    self.at = self.document.len();
                    return Err(self.wrong(Fault::Short));
                }
            }
        } else {
            return Err(self.wrong(Fault::Syntax));
        };
        self.at += length;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Node<'a>, Wrong> {
        self.space()?;
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            return Err(self.wrong(Fault::Large));
        }
        if depth > DEPTH_MAX {
            return Err(self.wrong(Fault::Deep));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text().map(Node::Text),
            Some(b't') => self.word(b"true").map(|()| Node::Bool(true)),
            Some(b'f') => self.word(b"false").map(|()| Node::Bool(false)),
            Some(b'n') => self.word(b"null").map(|()| Node::Null),
            Some(b'-' | b'0'..=b'9') => self.number().map(Node::Number),
            _ => Err(self.wrong(Fault::Syntax)),
        }
    }

    /// Whether another member follows; eats the comma or the closing mark.
    fn more(&mut self, close: u8, first: bool) -> Result<bool, Wrong> {
        self.space()?;
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        self.eat(b',')?;
        self.space()?;
        if self.dialect == Dialect::Commented && self.peek() == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, Wrong> {
        self.eat(b'{')?;
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        while self.more(b'}', members.is_empty())? {
            let begin = self.at;
            let name = self.text()?;
            if !seen.insert(name.name()) {
                return Err(Wrong {
                    at: begin,
                    why: Fault::Twice,
                });
            }
            self.space()?;
            self.eat(b':')?;
            members.push((name, self.value(depth + 1)?));
        }
        Ok(Node::Object(members))
    }

    fn list(&mut self, depth: usize) -> Result<Node<'a>, Wrong> {
        self.eat(b'[')?;
        let mut items = Vec::new();
        while self.more(b']', items.is_empty())? {
            items.push(self.value(depth + 1)?);
        }
        Ok(Node::List(items))
    }

    fn text(&mut self) -> Result<Text<'a>, Wrong> {
        self.eat(b'"')?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..=0x1f) | None => return Err(self.wrong(Fault::Syntax)),
                Some(_) => self.at += 1,
            }
        }
        let text = Text(&self.document[start..self.at]);
        self.at += 1;
        Ok(text)
    }

    fn escape(&mut self) -> Result<(), Wrong> {
        self.eat(b'\\')?;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => match self.unit()? {
                0xd800..0xdc00 => {
                    self.eat(b'\\')?;
                    if !(0xdc00..0xe000).contains(&self.unit()?) {
                        return Err(self.wrong(Fault::Syntax));
                    }
                }
                0xdc00..0xe000 => return Err(self.wrong(Fault::Syntax)),
                _ => {}
            },
            _ => return Err(self.wrong(Fault::Syntax)),
        }
        Ok(())
    }

    /// A `u` and four digits.
    fn unit(&mut self) -> Result<u32, Wrong> {
        self.eat(b'u')?;
        let start = self.at;
        while self.at < start + 4 {
            if !self.peek().is_some_and(|digit| digit.is_ascii_hexdigit()) {
                return Err(self.wrong(Fault::Syntax));
            }
            self.at += 1;
        }
        hex4(&self.document[start..]).ok_or_else(|| self.wrong(Fault::Syntax))
    }

    fn number(&mut self) -> Result<&'a [u8], Wrong> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.document[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.wrong(Fault::Syntax));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        parse(text.as_bytes(), Dialect::Strict).unwrap_err().why
    }

    #[test]
    fn strings_are_decoded_and_compared_where_they_stand() {
        let text = br#"{"a\u006eb": "q\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00!"}"#;
        let tree = parse(text, Dialect::Strict).unwrap();
        let value = tree.text_of("anb").unwrap();
        assert_eq!(
            value.secret().unwrap().as_slice(),
            "q\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}!".as_bytes()
        );
        assert!(value.is("q\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}!"));
        assert!(!value.is("q") && !value.is("q\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}!!"));
        assert_eq!(format!("{value:?}"), "Text(***)");
    }

    #[test]
    fn faults_are_told_apart_and_have_a_place() {
        for text in [
            "", "{", "{\"a\"", "[1,", "\"abc", "\"\\u12", "tru", "-", "1.",
        ] {
            assert_eq!(fault(text), Fault::Short, "{text}");
        }
        for text in [
            "{,}",
            "[1,]",
            "01",
            "+1",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\ud800x\"",
            "\"\\udc00\"",
            "{} x",
            "// no\n{}",
            "nul!",
        ] {
            assert_eq!(fault(text), Fault::Syntax, "{text}");
        }
        assert_eq!(fault("{\"a\": 1, \"\\u0061\": 2}"), Fault::Twice);
        let wrong = parse(b"[\"\xff\"]", Dialect::Strict).unwrap_err();
        assert_eq!((wrong.at, wrong.why), (2, Fault::Encoding));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(parse(deep(DEPTH_MAX).as_bytes(), Dialect::Strict).is_ok());
        assert_eq!(fault(&deep(DEPTH_MAX + 2)), Fault::Deep);
        // Without its end too: it is the opening that costs.
        assert_eq!(fault(&"[".repeat(1_000_000)), Fault::Deep);
        let wide = format!("[{}0]", "0,".repeat(NODES_MAX));
        assert_eq!(fault(&wide), Fault::Large);
    }

    #[test]
    fn comments_are_read_where_people_write_them() {
        let text = b"// first\n{ /* a */ \"a\": [1, 2, /* \" */ ], // end\n}\n// last";
        let tree = parse(text, Dialect::Commented).unwrap();
        assert_eq!(tree.get("a").unwrap().items().len(), 2);
        assert!(parse(b"{} /* open", Dialect::Commented).is_err());
        assert!(parse(b"{} /", Dialect::Commented).is_err());
    }
}
