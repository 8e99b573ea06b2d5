//! `@{…}`: one scanner for the lexer, which must know which quotes belong to it, and for the
//! parser of texts.

/// What an interpolation stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    Variable(&'a str),
    Field(&'a str, &'a str),
    Vault(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan<'a> {
    /// The two characters stand for themselves.
    Plain,
    /// Up to the offset `end`.
    Found { what: Reference<'a>, end: usize },
    /// Clearly meant to be one, and none. Read up to the offset `end`.
    Malformed { end: usize },
}

/// How many bytes of `text` are a name: a letter, then letters, digits or `_`.
pub(crate) fn name_len(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return 0;
    }
    text.bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count()
}

/// How many bytes of `text` are the key of a field: a name or digits.
pub(crate) fn key_len(text: &str) -> usize {
    match name_len(text) {
        0 => text.bytes().take_while(u8::is_ascii_digit).count(),
        length => length,
    }
}

/// Scans what stands at `at`, where `@{` begins.
///
/// Reads a bounded multiple of what it returns, however often it is malformed.
pub(crate) fn scan(text: &str, at: usize) -> Scan<'_> {
    let body = at + 2;
    let rest = text.get(body..).unwrap_or_default();
    if let Some(field) = rest.strip_prefix("::") {
        return scan_field(field, body + 2);
    }
    let name = name_len(rest);
    if name > 0 {
        return scan_name(rest, name, body);
    }
    let trimmed = rest.trim_start_matches([' ', '\t']);
    let blanks = rest.len() - trimmed.len();
    let meant = match trimmed.chars().next() {
        Some('@' | '#' | '_') => true,
        Some(':') => trimmed.starts_with("::") || blanks == 0,
        Some(c) => c.is_alphabetic(),
        None => false,
    };
    if meant {
        Scan::Malformed { end: body + blanks }
    } else {
        Scan::Plain
    }
}

fn scan_field(field: &str, at: usize) -> Scan<'_> {
    let name = name_len(field);
    let (container, rest) = field.split_at_checked(name).unwrap_or_default();
    let key = rest
        .strip_prefix(':')
        .map_or("", |key| key.get(..key_len(key)).unwrap_or_default());
    let end = at + name + 1 + key.len();
    let closed = rest
        .get(1 + key.len()..)
        .is_some_and(|rest| rest.starts_with('}'));
    if name == 0 || key.is_empty() || !closed {
        return Scan::Malformed { end: at + name };
    }
    Scan::Found {
        what: Reference::Field(container, key),
        end: end + 1,
    }
}

fn scan_name(rest: &str, length: usize, at: usize) -> Scan<'_> {
    let (name, after) = rest.split_at_checked(length).unwrap_or_default();
    if after.starts_with('}') {
        return Scan::Found {
            what: Reference::Variable(name),
            end: at + length + 1,
        };
    }
    let quoted = after.trim_start_matches([' ', '\t']);
    let open = at + length + (after.len() - quoted.len());
    let malformed = Scan::Malformed { end: open };
    let Some(quoted) = quoted.strip_prefix('\'').filter(|_| name == "vault") else {
        return malformed;
    };
    let entry = quoted
        .find(['\'', '\n', '\\'])
        .and_then(|end| quoted.get(..end));
    match entry {
        Some(entry)
            if is_entry(entry)
                && quoted
                    .get(entry.len()..)
                    .is_some_and(|rest| rest.starts_with("'}")) =>
        {
            Scan::Found {
                what: Reference::Vault(entry),
                end: open + 1 + entry.len() + 2,
            }
        }
        _ => malformed,
    }
}

/// Whether a text can name an entry: written out, not put together when the script runs, so that
/// a reader and the checker see every label.
pub(crate) fn is_entry(name: &str) -> bool {
    !name.is_empty() && !name.contains("@{") && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::{Reference, Scan, scan};

    #[test]
    fn three_forms_are_found() {
        let found = |what, end| Scan::Found { what, end };
        assert_eq!(scan("@{a_1}.", 0), found(Reference::Variable("a_1"), 6));
        assert_eq!(scan("x@{::c:0}", 1), found(Reference::Field("c", "0"), 9));
        assert_eq!(
            scan("@{::c:key}", 0),
            found(Reference::Field("c", "key"), 10)
        );
        assert_eq!(
            scan("@{vault 'A/b'}", 0),
            found(Reference::Vault("A/b"), 14)
        );
        assert_eq!(scan("@{vault}", 0), found(Reference::Variable("vault"), 8));
    }

    #[test]
    fn what_is_no_attempt_stays_as_it_is() {
        for text in [
            "@{",
            "@{}",
            "@{1}",
            "@{'",
            "@{ }",
            "@{-1}",
            "@{ 'x' = 1 }",
            "@{\n",
        ] {
            assert_eq!(scan(text, 0), Scan::Plain, "{text}");
        }
    }

    #[test]
    fn an_attempt_that_fails_is_told() {
        for text in [
            "@{name",
            "@{a b}",
            "@{a-b}",
            "@{ a }",
            "@{::c}",
            "@{::c:}",
            "@{:c:k}",
            "@{@x}",
            "@{#f}",
            "@{vault N}",
            "@{vault 'N}",
            "@{vault '@{x}'}",
            "@{vault ''}",
            "@{vault \\'N\\'}",
            "@{vault 'N' }",
            "@{größe}",
            "@{::c:a:b}",
        ] {
            assert!(matches!(scan(text, 0), Scan::Malformed { .. }), "{text}");
        }
    }
}
