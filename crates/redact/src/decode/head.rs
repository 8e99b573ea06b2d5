//! Heads of HTTP messages, as `curl -i` and `curl -v` write them.

use memchr::{memchr, memmem};
use zeroize::Zeroizing;

use super::find::HEADER;
use super::kind::{Coding, Kind, codings};

/// A longer line is none of a head, and a head has fewer lines.
const LINE_MAX: usize = 8 * 1024;
const LINES_MAX: usize = 256;
/// What is kept of the text before, so that a name that comes in two pieces is read.
const BEFORE: usize = 32;

/// Reads along for `Content-Encoding` and `Transfer-Encoding`.
#[derive(Default)]
pub(super) struct Head {
    /// The last bytes that were seen outside of heads.
    before: Zeroizing<Vec<u8>>,
    seen: u64,
    state: Option<Lines>,
}

/// Within a head that names one of them.
#[derive(Default)]
struct Lines {
    line: Zeroizing<Vec<u8>>,
    count: usize,
    /// `None` where a coding is not known.
    codings: Option<Vec<Coding>>,
    is_chunked: bool,
}

impl Head {
    /// Up to where the stream was seen.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes in `text`, which begins at `start`, has nothing in it that tells of a header, and
    /// returns whether it was right not to look.
    pub(super) fn pass(&mut self, text: &[u8], start: u64) -> bool {
        let old = self.seen.saturating_sub(start) as usize;
        let fresh = &text[old.min(text.len())..];
        let is_split = self.before.ends_with(b"g") && fresh.starts_with(b":");
        if self.state.is_some() || is_split {
            return false;
        }
        self.seen = start + text.len() as u64;
        self.remember(fresh);
        true
    }

    /// Takes in `text`, which begins at `start`, from where it was seen up to; `quiet` as in
    /// [`quiet`](super::find::quiet). Bodies that begin in it are added to `bodies`.
    pub(super) fn push(
        &mut self,
        text: &[u8],
        start: u64,
        quiet: usize,
        bodies: &mut Vec<(u64, Kind)>,
    ) {
        let mut at = self.seen.saturating_sub(start) as usize;
        self.seen = start + text.len() as u64;
        while at < text.len() {
            let Some(lines) = &mut self.state else {
                match self.begin(text, at, quiet) {
                    Some(end) => at = end,
                    None => return self.remember(&text[at..]),
                }
                continue;
            };
            let end = memchr(b'\n', &text[at..]);
            let piece = &text[at..end.map_or(text.len(), |end| at + end)];
            if lines.line.len() + piece.len() > LINE_MAX {
                self.state = None;
                continue;
            }
            if lines.line.capacity() < LINE_MAX {
                lines.line.reserve_exact(LINE_MAX);
            }
            lines.line.extend_from_slice(piece);
            at += piece.len() + usize::from(end.is_some());
            if end.is_none() {
                return;
            }
            match lines.end_line() {
                Line::More => {}
                Line::None => self.state = None,
                Line::Blank => {
                    let kind = lines.kind();
                    self.state = None;
                    bodies.extend(kind.map(|kind| (start + at as u64, kind)));
                }
            }
        }
    }

    /// Looks for one of the two names; returns where its value begins.
    fn begin(&mut self, text: &[u8], from: usize, quiet: usize) -> Option<usize> {
        let fresh = &text[from..];
        // A name of which a part came before.
        let few = &fresh[..fresh.len().min(HEADER.len())];
        let edge = Zeroizing::new([&self.before[..], few].concat());
        let old = self.before.len();
        let mut places = memmem::find_iter(&edge, HEADER);
        if let Some(place) = places.find(|place| place + HEADER.len() > old && *place < old)
            && let Some(name) = name(&edge[..place])
        {
            self.enter(name);
            return Some(from + place + HEADER.len() - old);
        }
        let mut at = quiet.saturating_sub(from).min(fresh.len());
        while let Some(place) = memmem::find(&fresh[at..], HEADER) {
            let place = at + place;
            at = place + HEADER.len();
            let before = match place < BEFORE {
                true => Zeroizing::new([&self.before[..], &fresh[..place]].concat()),
                false => Zeroizing::new(fresh[place - BEFORE..place].to_vec()),
            };
            if let Some(name) = name(&before) {
                self.enter(name);
                return Some(from + at);
            }
        }
        None
    }

    fn enter(&mut self, name: &[u8]) {
        let mut lines = Lines {
            codings: Some(Vec::new()),
            ..Lines::default()
        };
        lines.line.reserve_exact(LINE_MAX);
        lines.line.extend_from_slice(name);
        lines.line.push(b':');
        self.state = Some(lines);
        self.before.clear();
    }

    fn remember(&mut self, fresh: &[u8]) {
        let fresh = &fresh[fresh.len().saturating_sub(BEFORE)..];
        let drop = (self.before.len() + fresh.len()).saturating_sub(BEFORE);
        if self.before.capacity() == 0 {
            self.before.reserve_exact(2 * BEFORE);
        }
        self.before.drain(..drop);
        self.before.extend_from_slice(fresh);
    }
}

/// The name that ends with the text, without [`HEADER`], if it stands at the beginning of a line.
fn name(before: &[u8]) -> Option<&'static [u8]> {
    let names: [(&[u8], &'static [u8]); 2] = [
        (b"content-e", b"content-encoding"),
        (b"transfer-e", b"transfer-encoding"),
    ];
    names.into_iter().find_map(|(part, whole)| {
        let at = before.len().checked_sub(part.len())?;
        let line = before[..at].strip_suffix(b"< ").unwrap_or(&before[..at]);
        let is_first = line.is_empty() || line.ends_with(b"\n");
        (is_first && before[at..].eq_ignore_ascii_case(part)).then_some(whole)
    })
}

/// What a line of a head is.
enum Line {
    More,
    /// The end of the head.
    Blank,
    /// Not of a head.
    None,
}

impl Lines {
    fn end_line(&mut self) -> Line {
        self.count += 1;
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        let text = text.strip_prefix(b"< ").unwrap_or(text);
        let found = match text.iter().position(|byte| *byte == b':') {
            _ if text.is_empty() => Line::Blank,
            // What curl tells of its work.
            _ if text.starts_with(b"* ") => Line::More,
            Some(colon) if self.count < LINES_MAX => {
                self.header(&text[..colon], text[colon + 1..].trim_ascii());
                Line::More
            }
            _ => Line::None,
        };
        self.line = line;
        self.line.clear();
        found
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"content-encoding") {
            let more = codings(value);
            self.codings = self.codings.take().zip(more).map(|(mut all, more)| {
                all.extend(more);
                all
            });
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_chunked = value.to_ascii_lowercase().ends_with(b"chunked");
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        // What is packed in an unknown way may be none, or have parts that are not.
        let codings = self.codings.take();
        let codings = codings.or_else(|| self.is_chunked.then(Vec::new))?;
        (self.is_chunked || !codings.is_empty()).then_some(Kind::Body {
            codings,
            is_chunked: self.is_chunked,
        })
    }
}
