//! Patterns over names and over arguments, matched in time proportional to pattern times text.

use std::fmt;

/// Longest pattern over a name, in bytes.
const PATTERN_MAX: usize = 512;

/// A pattern over a name whose segments are parted by `/`: a key, a capability, an agent.
///
/// `*` is any run of characters within a segment, `**` any run across segments, and `**/` at the
/// start of a segment also stands for no segment at all. Everything else stands for itself. Case
/// counts.
///
/// ```
/// use subrosa_policy::Glob;
/// let github = Glob::new("github/**")?;
/// assert!(github.matches("github/team/token"));
/// assert!(!github.matches("github"));
/// assert!(!Glob::new("github/*")?.matches("github/team/token"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `*`
    Within,
    /// `**`
    Across,
    /// `**/`: either nothing, or what the token after this one reads.
    Folders,
    /// Characters of the folders of `**/`; left by a slash.
    InFolders,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words: characters that no name has, three stars, an empty segment.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a pattern may not be empty".to_owned());
        }
        if text.len() > PATTERN_MAX {
            return Err(format!("a pattern has at most {PATTERN_MAX} bytes"));
        }
        let foreign = |c: &char| !(c.is_ascii_alphanumeric() || "._-/*".contains(*c));
        if let Some(c) = text.chars().find(foreign) {
            return Err(format!(
                "{c:?} may not stand in a pattern; allowed are letters, digits, . _ - / and the \
                 wildcards * and **"
            ));
        }
        for segment in text.split('/') {
            match segment {
                "" => return Err("a pattern may not have an empty part between slashes".to_owned()),
                "." | ".." => return Err("`.` and `..` are not parts of a name".to_owned()),
                _ if segment.contains("***") => {
                    return Err("write `*` within a part or `**` across parts, not more".to_owned());
                }
                _ => {}
            }
        }
        Ok(Self {
            text: text.to_owned(),
            tokens: tokens(text.as_bytes()),
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for one name alone.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        !self.text.contains('*')
    }

    /// Whether the pattern stands for `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        if self.is_literal() {
            return self.text == name;
        }
        let end = self.tokens.len();
        let mut states = vec![false; end + 1];
        self.enter(&mut states, 0);
        for byte in name.bytes() {
            let mut next = vec![false; end + 1];
            for (at, _) in states.iter().enumerate().filter(|(_, on)| **on) {
                match self.tokens.get(at) {
                    Some(Token::Byte(b)) if *b == byte => self.enter(&mut next, at + 1),
                    Some(Token::Within) if byte != b'/' => self.enter(&mut next, at),
                    Some(Token::Across) => self.enter(&mut next, at),
                    Some(Token::InFolders) => {
                        next[at] = true;
                        if byte == b'/' {
                            self.enter(&mut next, at + 1);
                        }
                    }
                    _ => {}
                }
            }
            states = next;
        }
        states[end]
    }

    /// Turns on a state and what can be reached from it without reading.
    fn enter(&self, states: &mut [bool], mut at: usize) {
        loop {
            if states[at] {
                return;
            }
            states[at] = true;
            match self.tokens.get(at) {
                Some(Token::Within | Token::Across) => at += 1,
                Some(Token::Folders) => {
                    states[at + 1] = true;
                    at += 2;
                }
                _ => return,
            }
        }
    }
}

fn tokens(text: &[u8]) -> Vec<Token> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let starts_segment = at == 0 || text[at - 1] == b'/';
        match &text[at..] {
            [b'*', b'*', b'/', ..] if starts_segment => {
                out.extend([Token::Folders, Token::InFolders]);
                at += 3;
            }
            [b'*', b'*', ..] => {
                out.push(Token::Across);
                at += 2;
            }
            [b'*', ..] => {
                out.push(Token::Within);
                at += 1;
            }
            _ => {
                out.push(Token::Byte(text[at]));
                at += 1;
            }
        }
    }
    out
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({:?})", self.text)
    }
}

/// Whether `text` is `pattern`, whose `None` elements stand for any run of bytes.
///
/// One kind of wildcard needs no set of states: going back to the last one is enough.
pub(crate) fn matches_runs(pattern: &[Option<u8>], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(None) => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(Some(byte)) if *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(Option::is_none)
}
