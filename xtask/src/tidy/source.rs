//! Reads Rust source just far enough: what is code, what is a test, what an attribute says.
//!
//! Everything works on a *masked* text, in which comments, strings and characters are blank and
//! all else stands at its own place, so that positions and lines stay true.

/// Blanks comments, strings and character literals.
pub(super) fn masked(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = &bytes[at..];
        let (length, keep) = match byte {
            b'/' if rest.starts_with(b"//") => (until_newline(rest), 0),
            b'/' if rest.starts_with(b"/*") => (block_comment(rest), 0),
            b'"' => (string(rest), 1),
            b'r' | b'b' | b'c' if !follows_word(bytes, at) => match raw_string(rest) {
                Some(length) => (length, 0),
                None => (1, 1),
            },
            b'\'' => match character(rest) {
                Some(length) => (length, 0),
                None => (1, 1),
            },
            _ => (1, 1),
        };
        // The opening quote stays, so that a string still parts what stands around it.
        for blank in out
            .iter_mut()
            .skip(at + keep)
            .take(length.saturating_sub(keep))
        {
            if *blank != b'\n' {
                *blank = b' ';
            }
        }
        at += length.max(1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Masked text without items under `#[cfg(test)]`.
pub(super) fn production(source: &str) -> String {
    let mut text = masked(source);
    let mut from = 0;
    while let Some(found) = text[from..].find("#[cfg(test)]") {
        let start = from + found;
        let end = item_end(&text, start);
        let blank: String = text[start..end]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        text.replace_range(start..end, &blank);
        from = end.min(text.len());
    }
    text
}

/// Whether a file is test code by its place.
pub(super) fn is_test_file(file: &str) -> bool {
    let outside = [
        "testkit/",
        "tests/",
        "fuzz/",
        "bench/",
        "xtask/",
        "examples/",
    ];
    outside.iter().any(|folder| file.starts_with(folder))
        || ["/tests/", "/examples/", "/benches/"]
            .iter()
            .any(|folder| file.contains(folder))
        || file.ends_with("/tests.rs")
        || file.ends_with("_tests.rs")
}

/// Line, from 1, of a position.
pub(super) fn line_of(text: &str, position: usize) -> usize {
    text.bytes()
        .take(position)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// An attribute of a masked text.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    /// Position of its `#`.
    pub(super) start: usize,
    /// What stands between the brackets.
    pub(super) text: &'a str,
    /// `#![…]`: it speaks for the whole file or module.
    pub(super) inner: bool,
    /// What follows it.
    pub(super) rest: &'a str,
}

/// All attributes of a masked text.
pub(super) fn attributes(masked: &str) -> Vec<Attribute<'_>> {
    let mut found = Vec::new();
    for (start, _) in masked.match_indices('#') {
        let after = &masked[start + 1..];
        let (inner, after) = match after.strip_prefix('!') {
            Some(after) => (true, after),
            None => (false, after),
        };
        let Some(body) = after.strip_prefix('[') else {
            continue;
        };
        let mut depth = 1;
        let end = body.find(|c| {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        if let Some(end) = end {
            found.push(Attribute {
                start,
                text: &body[..end],
                inner,
                rest: &body[end + 1..],
            });
        }
    }
    found
}

/// Names and single punctuation marks of a masked text with their positions; `::` is one token.
pub(super) fn tokens(masked: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = masked;
    while let Some(first) = rest.chars().next() {
        let start = masked.len() - rest.len();
        let length = if first.is_alphanumeric() || first == '_' || first == '$' {
            rest.char_indices()
                .find(|(index, c)| *index > 0 && !c.is_alphanumeric() && *c != '_')
                .map_or(rest.len(), |(index, _)| index)
        } else if rest.starts_with("::") || rest.starts_with("->") || rest.starts_with("=>") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            found.push((start, &rest[..length]));
        }
        rest = &rest[length..];
    }
    found
}

fn follows_word(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .and_then(|before| bytes.get(before))
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn until_newline(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len())
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at.min(rest.len())
}

/// Length of a string that starts with its quote.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of `b"…"`, `c"…"`, `r#"…"#` and their mixtures; none when it is a plain name.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = rest
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    let word = rest.get(..prefix)?;
    if ![&b"r"[..], b"b", b"c", b"br", b"cr"].contains(&word) {
        return None;
    }
    if !word.ends_with(b"r") {
        return match rest.get(prefix)? {
            b'"' => Some(prefix + string(rest.get(prefix..)?)),
            b'\'' => Some(prefix + character(rest.get(prefix..)?)?),
            _ => None,
        };
    }
    let hashes = rest[prefix..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if rest.get(prefix + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"')
        .chain(std::iter::repeat_n(b'#', hashes))
        .collect();
    let body = prefix + hashes + 1;
    let end = rest
        .get(body..)?
        .windows(close.len())
        .position(|window| window == close);
    Some(end.map_or(rest.len(), |end| body + end + close.len()))
}

/// Length of a character literal; none for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|byte| *byte == b'\'')?;
        return Some(end + 4);
    }
    let text = std::str::from_utf8(rest.get(1..rest.len().min(6))?)
        .or_else(|error| std::str::from_utf8(&rest[1..=error.valid_up_to()]))
        .ok()?;
    let length = text.chars().next()?.len_utf8();
    (rest.get(1 + length) == Some(&b'\'')).then_some(length + 2)
}

/// End of the item that an attribute at `start` stands on: its block or its semicolon.
fn item_end(text: &str, start: usize) -> usize {
    let mut depth = 0_i32;
    let mut brackets = 0_i32;
    for (index, c) in text[start..].char_indices() {
        match c {
            '[' | '(' => brackets += 1,
            ']' | ')' => brackets -= 1,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth <= 0 {
                    return start + index + 1;
                }
            }
            ';' if depth == 0 && brackets == 0 => return start + index + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{attributes, is_test_file, masked, production, tokens};

    #[test]
    fn comments_and_literals_are_blank() {
        for (source, hidden) in [
            ("a // impl Sink\nb", "impl"),
            ("a /* x /* impl */ y */ b", "impl"),
            ("a(\"impl \\\" Sink\") b", "impl"),
            ("a(r#\"impl \" x\"#) b", "impl"),
            ("a(b\"impl\", br\"impl\", c\"impl\") b", "impl"),
            ("a('{', '\\'', b'{', 'é') b", "{"),
        ] {
            let text = masked(source);
            assert!(!text.contains(hidden), "{source} -> {text}");
            assert!(
                text.starts_with('a') && text.ends_with('b'),
                "{source} -> {text}"
            );
            assert_eq!(text.matches('\n').count(), source.matches('\n').count());
        }
        let code = "fn f<'a>(x: &'a str, r: u8, b: u8) -> char { r }";
        assert_eq!(masked(code), code);
    }

    #[test]
    fn test_items_are_no_production() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { \"}\" } }\nfn c() {}\n\
                      #[cfg(test)]\nmod more;\nfn d() {}\n";
        let text = production(source);
        assert!(text.contains("fn a") && text.contains("fn c") && text.contains("fn d"));
        assert!(!text.contains("fn b") && !text.contains("more"));
    }

    #[test]
    fn test_files_are_known_by_place() {
        for file in [
            "crates/a/tests/x.rs",
            "crates/a/src/tests.rs",
            "testkit/src/lib.rs",
        ] {
            assert!(is_test_file(file), "{file}");
        }
        assert!(!is_test_file("crates/a/src/lib.rs"));
    }

    #[test]
    fn attributes_and_tokens() {
        let found = attributes("#![deny(x)]\n#[allow(a[0])] mod b;");
        assert_eq!(found.len(), 2);
        assert!(found[0].inner && found[0].text == "deny(x)");
        assert!(!found[1].inner && found[1].rest.trim() == "mod b;");
        let words: Vec<&str> = tokens("impl a::B<'_> for $c {")
            .iter()
            .map(|(_, t)| *t)
            .collect();
        assert_eq!(
            words,
            ["impl", "a", "::", "B", "<", "'", "_", ">", "for", "$c", "{"]
        );
    }
}
