//! `.env` files.
//!
//! `NAME=value`, one a line; `export` in front and `#` comments are allowed. A value in single
//! quotes is literal; in double quotes `\n`, `\r`, `\t`, `\"`, `\\`, `\$` and `` \` `` stand for one
//! character each, and any other backslash for itself; both may span lines. A value without quotes
//! ends at the line's end or before ` #`, and loses white space around it. `$NAME` is not expanded:
//! what is stored is what is written.

use subrosa_crypto::SecretBuf;

use crate::EngineError;

/// One line of a file.
#[derive(Debug)]
pub struct Entry {
    /// Where it begins, from 1.
    pub line: usize,
    /// Its name: a variable.
    pub name: String,
    /// Its value.
    pub value: SecretBuf,
}

impl Entry {
    /// The reference that the value is, if it is one to a store of ours.
    #[must_use]
    pub fn reference(&self) -> Option<String> {
        let text = std::str::from_utf8(self.value.as_slice()).ok()?;
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
    let text = content.as_slice();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut reader = Reader {
        what,
        rest: text,
        line: 1,
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
}

impl Reader<'_> {
    fn error(&self, line: usize, reason: &str) -> EngineError {
        EngineError::Import {
            what: self.what.to_owned(),
            line,
            reason: reason.to_owned(),
        }
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
        self.skip_while(|byte| byte == b' ' || byte == b'\t');
        let value = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => self.quoted(line, quote)?,
            _ => self.plain()?,
        };
        Ok(Some(Entry { line, name, value }))
    }

    fn quoted(&mut self, line: usize, quote: u8) -> Result<SecretBuf, EngineError> {
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
        self.skip_while(|byte| byte == b' ' || byte == b'\t' || byte == b'\r');
        match self.peek() {
            None | Some(b'\n') => Ok(value),
            Some(b'#') => {
                self.skip_line();
                Ok(value)
            }
            Some(_) => Err(self.error(self.line, "something follows the closing quote")),
        }
    }

    fn plain(&mut self) -> Result<SecretBuf, EngineError> {
        let end = self
            .rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        let comment = line.iter().enumerate().position(|(index, byte)| {
            *byte == b'#' && (index == 0 || matches!(line[index - 1], b' ' | b'\t'))
        });
        let value = line[..comment.unwrap_or(line.len())].trim_ascii();
        self.rest = rest;
        Ok(SecretBuf::copy_from(value)?)
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
