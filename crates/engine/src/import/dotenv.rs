//! `.env` files.
//!
//! `NAME=value`, one a line; `export` in front and `#` comments are allowed. A value in single
//! quotes is literal; in double quotes `\n`, `\r`, `\t`, `\"`, `\\`, `\$` and `` \` `` stand for one
//! character each, and any other backslash for itself; both may span lines. A value without quotes
//! ends at the line's end or before ` #`, and loses white space around it. `$NAME` is not expanded:
//! what is stored is what is written.

use std::ops::Range;

use subrosa_crypto::SecretBuf;

use crate::{EngineError, placeholder};

/// One line of a file.
#[derive(Debug)]
pub struct Entry {
    /// Where it begins, from 1.
    pub line: usize,
    /// Its name: a variable.
    pub name: String,
    /// Its value.
    pub value: SecretBuf,
    /// Where the value stands in the file, with its quotes.
    pub place: Range<usize>,
    /// The quote around it, if there is one.
    pub quote: Option<u8>,
}

impl Entry {
    /// The reference that the value is, if it is one to a store of ours, or a placeholder.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let text = std::str::from_utf8(self.value.as_slice()).ok()?;
        if placeholder::is_ours(text.as_bytes()) {
            return Some(text.to_owned());
        }
        let scheme = text.split_once("://")?.0;
        // Only those of this product: a database URL has a scheme too.
        (scheme == "subrosa").then(|| text.to_owned())
    }
}

/// Reads all entries of a file.
///
/// # Errors
/// [`EngineError::Import`] with the line, and no part of its content.
pub fn parse(what: &str, content: &SecretBuf) -> Result<Vec<Entry>, EngineError> {
    let whole = content.as_slice();
    let text = whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(whole);
    let mut reader = Reader {
        what,
        rest: text,
        line: 1,
        length: whole.len(),
    };
    let mut entries = Vec::new();
    while let Some(entry) = reader.entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

struct Reader<'a> {
    what: &'a str,
    rest: &'a [u8],
    line: usize,
    /// Of the whole file, to tell places from what is left.
    length: usize,
}

impl Reader<'_> {
    fn error(&self, line: usize, reason: &str) -> EngineError {
        EngineError::Import {
            what: self.what.to_owned(),
            line,
            reason: reason.to_owned(),
        }
    }

    /// How far it has come.
    fn at(&self) -> usize {
        self.length - self.rest.len()
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn bump(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if *first == b'\n' {
            self.line += 1;
        }
        Some(*first)
    }

    fn skip_while(&mut self, skip: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&skip) {
            self.bump();
        }
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| byte != b'\n');
    }

    fn entry(&mut self) -> Result<Option<Entry>, EngineError> {
        loop {
            self.skip_while(|byte| byte.is_ascii_whitespace());
            match self.peek() {
                None => return Ok(None),
                Some(b'#') => self.skip_line(),
                Some(_) => break,
            }
        }
        let line = self.line;
        if let Some(rest) = self
            .rest
            .strip_prefix(b"export")
            .filter(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
        {
            self.rest = rest;
            self.skip_while(|byte| byte == b' ' || byte == b'\t');
        }
        let length = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let (name, rest) = self.rest.split_at(length);
        let name = match std::str::from_utf8(name) {
            Ok(name) if !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) => {
                name.to_owned()
            }
            _ => {
                return Err(self.error(
                    line,
                    "a line begins with a variable's name: letters, digits and _",
                ));
            }
        };
        self.rest = rest;
        self.skip_while(|byte| byte == b' ' || byte == b'\t');
        let wrong = self.peek();
        if self.bump() != Some(b'=') {
            return Err(self.error(line, &unnamed(wrong)));
        }
        // Whatever is no part of a value in front of it: what follows is looked at as it begins.
        self.skip_while(|byte| byte.is_ascii_whitespace() && byte != b'\n');
        let (value, place, quote) = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => {
                let (value, place) = self.quoted(line, quote)?;
                (value, place, Some(quote))
            }
            _ => {
                let (value, place) = self.plain()?;
                (value, place, None)
            }
        };
        Ok(Some(Entry {
            line,
            name,
            value,
            place,
            quote,
        }))
    }

    fn quoted(&mut self, line: usize, quote: u8) -> Result<(SecretBuf, Range<usize>), EngineError> {
        let start = self.at();
        self.bump();
        // One reservation of the most that it can need: growing would move it at every step.
        let most = self
            .rest
            .iter()
            .position(|byte| *byte == quote)
            .unwrap_or(0);
        let mut value = SecretBuf::with_capacity(most)?;
        loop {
            match self.bump() {
                None => return Err(self.error(line, "the quote that opens here is never closed")),
                Some(byte) if byte == quote => break,
                Some(b'\\') if quote == b'"' => {
                    let escaped = match self.peek() {
                        Some(b'n') => b'\n',
                        Some(b'r') => b'\r',
                        Some(b't') => b'\t',
                        Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => byte,
                        _ => {
                            value.extend(b"\\")?;
                            continue;
                        }
                    };
                    self.bump();
                    value.extend(&[escaped])?;
                }
                Some(byte) => value.extend(&[byte])?,
            }
        }
        let place = start..self.at();
        self.skip_while(|byte| byte == b' ' || byte == b'\t' || byte == b'\r');
        match self.peek() {
            None | Some(b'\n') => Ok((value, place)),
            Some(b'#') => {
                self.skip_line();
                Ok((value, place))
            }
            Some(_) => Err(self.error(self.line, "something follows the closing quote")),
        }
    }

    fn plain(&mut self) -> Result<(SecretBuf, Range<usize>), EngineError> {
        let start = self.at();
        let end = self
            .rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        let comment = line.iter().enumerate().position(|(index, byte)| {
            *byte == b'#' && (index == 0 || matches!(line[index - 1], b' ' | b'\t'))
        });
        let written = &line[..comment.unwrap_or(line.len())];
        let start = start + written.len() - written.trim_ascii_start().len();
        let value = written.trim_ascii();
        self.rest = rest;
        Ok((SecretBuf::copy_from(value)?, start..start + value.len()))
    }
}

/// What stands where the `=` should. A mark alone is named: letters could be those of a value.
fn unnamed(found: Option<u8>) -> String {
    match found.filter(u8::is_ascii_punctuation) {
        Some(mark) => format!(
            "a name has letters, digits and _, no `{}`, and is followed by =",
            char::from(mark)
        ),
        None => "the name must be followed by =".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_any_kind_in_front_of_a_value_are_none_of_it() {
        let pair = |value: &str| vec![("A".to_owned(), value.to_owned())];
        for (text, value) in [
            ("A=\r#B=#=\"", ""),
            ("A=\x0c\"b # c\"", "b # c"),
            ("A=\r\n", ""),
            ("A= \t\rb\r#c", "b\r#c"),
        ] {
            assert_eq!(read(text).unwrap(), pair(value), "{text:?}");
        }
    }

    fn read(text: &str) -> Result<Vec<(String, String)>, String> {
        let content = SecretBuf::copy_from(text.as_bytes()).unwrap();
        let entries = parse(".env", &content).map_err(|error| error.to_string())?;
        let value = |entry: &Entry| String::from_utf8(entry.value.as_slice().to_vec()).unwrap();
        Ok(entries
            .iter()
            .map(|entry| (entry.name.clone(), value(entry)))
            .collect())
    }

    fn one(text: &str) -> String {
        let mut entries = read(text).unwrap();
        assert_eq!(entries.len(), 1, "{text:?}");
        entries.remove(0).1
    }

    #[test]
    fn values_are_what_is_written() {
        assert_eq!(one("A=b"), "b");
        assert_eq!(one("export A = b c \r\n"), "b c");
        assert_eq!(one("A=b # note"), "b");
        assert_eq!(one("A=b#c"), "b#c");
        assert_eq!(one("A="), "");
        assert_eq!(one("A='b # $X \\n'"), "b # $X \\n");
        assert_eq!(
            one("A=\"b\\n\\\"c\\\" \\$X \\q\" # note"),
            "b\n\"c\" $X \\q"
        );
        assert_eq!(one("\u{feff}A=b"), "b");
        assert_eq!(one("A='-----BEGIN\nline\nEND'\n"), "-----BEGIN\nline\nEND");
    }

    #[test]
    fn what_export_writes_is_read_back() {
        assert_eq!(one("A=\"a\\\"b\\\\c\\`d\\$e\\nf\""), "a\"b\\c`d$e\nf");
    }

    #[test]
    fn errors_name_the_line_and_no_content() {
        for (text, line) in [
            ("A=1\nnot a line\n", 2),
            ("A='never closed\nhunter2\n", 1),
            ("A=\"x\"hunter2", 1),
            ("\n\n9A=hunter2", 3),
            ("=hunter2", 1),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.starts_with(&format!(".env: line {line}: ")),
                "{error}"
            );
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_character_that_no_name_has_is_said() {
        let error = read("lower-dash=hunter2").unwrap_err();
        assert!(
            error.contains("no `-`") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn places_are_where_values_stand() {
        for (text, places) in [
            ("A=b", vec!["b"]),
            (
                "\u{feff}export A = b c # n\r\nB='x\ny' # n\n",
                vec!["b c", "'x\ny'"],
            ),
            ("A=\n#\nB=\"q\\\"q\"\r\n", vec!["", "\"q\\\"q\""]),
        ] {
            let content = SecretBuf::copy_from(text.as_bytes()).unwrap();
            let entries = parse(".env", &content).unwrap();
            let found: Vec<&str> = entries.iter().map(|one| &text[one.place.clone()]).collect();
            assert_eq!(found, places, "{text:?}");
        }
    }

    #[test]
    fn only_references_of_ours_count_as_references() {
        let content =
            SecretBuf::copy_from(b"A=subrosa://api/key\nB=postgres://u:p@h/db\n").unwrap();
        let found: Vec<_> = parse("x", &content)
            .unwrap()
            .iter()
            .map(Entry::reference)
            .collect();
        assert_eq!(found, [Some("subrosa://api/key".to_owned()), None]);
    }
}
