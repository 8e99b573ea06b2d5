//! The two views of a stream that are searched: as it is, and folded.

use zeroize::Zeroizing;

use crate::cover::{Cover, Match};
use crate::dump::{Dump, Event};
use crate::finding::Form;
use crate::fold::Fold;
use crate::known::Compiled;
use crate::matcher::{Hit, Matcher, Open, Scan};
use crate::needle::Edge;
use crate::shapes::{ShapeFinding, ShapeStream, Shapes};

/// Room beside the longest needle: a block of input.
const ROOM: usize = 64 * 1024 + 256;

/// The stream as it is.
pub(crate) struct Raw {
    /// The last bytes of the input, from `head` on.
    buffer: Zeroizing<Vec<u8>>,
    /// What lies before is moved away when it is at least half of the buffer, so that a long run
    /// that is held back does not cost its length with each byte.
    head: usize,
    /// The offset of the byte at `head`.
    base: u64,
    scan: Scan,
    open: Open,
    /// Matches that ended at the end of the input and may take in the next byte.
    at_edge: Vec<(Match, Edge)>,
    longest: usize,
    hits: Vec<Hit>,
}

impl Raw {
    pub(crate) fn new(longest: usize) -> Self {
        Raw {
            buffer: Zeroizing::new(Vec::new()),
            head: 0,
            base: 0,
            scan: Scan::default(),
            open: Open::default(),
            at_edge: Vec::new(),
            longest,
            hits: Vec::new(),
        }
    }

    /// Bytes of input so far.
    pub(crate) fn position(&self) -> u64 {
        self.base + self.kept().len() as u64
    }

    /// The offset of the first byte that is kept.
    pub(crate) fn base(&self) -> u64 {
        self.base
    }

    fn kept(&self) -> &[u8] {
        &self.buffer[self.head..]
    }

    /// Where the earliest match that is still to come can begin.
    pub(crate) fn open(&self) -> Open {
        self.open
    }

    /// The kept bytes between two offsets.
    pub(crate) fn range(&self, from: u64, to: u64) -> &[u8] {
        let index = |offset: u64| usize::try_from(offset - self.base).unwrap_or(usize::MAX);
        &self.kept()[index(from)..index(to)]
    }

    /// Whether a match that ends here waits for the next byte.
    pub(crate) fn is_at_edge(&self, end: u64) -> bool {
        !self.at_edge.is_empty() && end == self.position()
    }

    /// Forgets what lies before this offset.
    pub(crate) fn forget(&mut self, before: u64) {
        let count = usize::try_from(before - self.base).unwrap_or(self.kept().len());
        self.head += count;
        self.base = before;
        if self.head >= self.buffer.len() / 2 {
            let left = self.buffer.len() - self.head;
            self.buffer.copy_within(self.head.., 0);
            self.buffer.truncate(left);
            self.head = 0;
        }
    }

    /// Input that nothing is searched in.
    pub(crate) fn pass(&mut self, count: usize) {
        self.base += count as u64;
    }

    /// Searches what comes next.
    pub(crate) fn push(&mut self, set: &Compiled, block: &[u8], cover: &mut Cover) {
        if let Some(first) = block.first() {
            for (found, right) in self.at_edge.drain(..) {
                if right.fits(*first) {
                    cover.add(Match {
                        end: found.end + 1,
                        ..found
                    });
                }
            }
        }
        self.append(block);
        let mut hits = std::mem::take(&mut self.hits);
        self.scan
            .push(&set.raw, &self.buffer[self.head..], self.base, &mut hits);
        for hit in hits.drain(..) {
            self.add(set, &hit, cover);
        }
        self.hits = hits;
        self.open = self.scan.open(&set.raw, self.kept(), self.base);
    }

    fn add(&mut self, set: &Compiled, hit: &Hit, cover: &mut Cover) {
        let byte = |offset: u64| {
            let index = usize::try_from(offset.checked_sub(self.base)?).ok()?;
            self.kept().get(index).copied()
        };
        let mut found = matched(set, hit, hit.start, hit.end);
        let before = hit.start.checked_sub(1).and_then(byte);
        if before.is_some_and(|byte| hit.left.fits(byte)) {
            found.start -= 1;
        }
        match byte(hit.end) {
            Some(byte) if hit.right.fits(byte) => found.end += 1,
            None if hit.right != Edge::NONE => self.at_edge.push((found, hit.right)),
            _ => {}
        }
        cover.add(found);
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, set: &Compiled, cover: &mut Cover) {
        self.at_edge.clear();
        let mut hits = Vec::new();
        self.scan.finish(&set.raw, self.position(), &mut hits);
        for hit in &hits {
            self.add(set, hit, cover);
        }
        let position = self.position();
        self.scan.begin(position);
        self.open = Open {
            start: position,
            held: position,
        };
    }

    /// The value to which what is held back can lead, if there is only one.
    pub(crate) fn sole_owner(&self, matcher: &Matcher) -> Option<u32> {
        let rest = self.range(self.open.start, self.position());
        (!rest.is_empty()).then(|| Scan::sole_owner(matcher, rest))?
    }

    fn append(&mut self, block: &[u8]) {
        let length = self.buffer.len() + block.len();
        if self.buffer.capacity() < length {
            // Growing in place would leave a copy behind that is not wiped.
            let room = match self.buffer.capacity() {
                0 => block.len().max(256) + self.longest,
                _ => (2 * length).max(ROOM + self.longest),
            };
            let mut larger = Zeroizing::new(Vec::with_capacity(room));
            larger.extend_from_slice(self.kept());
            self.buffer = larger;
            self.head = 0;
        }
        self.buffer.extend_from_slice(block);
    }
}

/// The letters and digits of the stream.
#[derive(Default)]
pub(crate) struct Folded {
    fold: Fold,
    scan: Scan,
    /// The number of the first character that is kept back, and where it stands.
    open: u64,
    held: u64,
    hits: Vec<Hit>,
}

impl Folded {
    /// Where the earliest match that is still to come can begin, in the stream.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// How many characters are held back.
    pub(crate) fn run(&self) -> u64 {
        self.fold.base() + self.fold.text().len() as u64 - self.open
    }

    /// Searches what comes next.
    pub(crate) fn push(
        &mut self,
        set: &Compiled,
        matcher: &Matcher,
        block: &[u8],
        cover: &mut Cover,
    ) {
        self.fold.push(block);
        self.search(set, matcher, cover);
        let (text, base) = (self.fold.text(), self.fold.base());
        self.open = self.scan.open(matcher, text, base).start;
        self.held = self.fold.start(self.open);
        self.fold.forget(self.open);
    }

    fn search(&mut self, set: &Compiled, matcher: &Matcher, cover: &mut Cover) {
        let mut hits = std::mem::take(&mut self.hits);
        let (text, base) = (self.fold.text(), self.fold.base());
        self.scan.push(matcher, text, base, &mut hits);
        for hit in hits.drain(..) {
            let (start, end) = self.fold.range(hit.start, hit.end);
            cover.add(matched(set, &hit, start, end));
        }
        self.hits = hits;
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, set: &Compiled, matcher: &Matcher, cover: &mut Cover) {
        self.fold.finish();
        self.search(set, matcher, cover);
        self.open = self.fold.base() + self.fold.text().len() as u64;
        self.scan.finish(matcher, self.open, &mut Vec::new());
        self.held = self.fold.start(self.open);
        self.fold.forget(self.open);
    }

    /// The value to which what is held back can lead, if there is only one.
    pub(crate) fn sole_owner(&self, matcher: &Matcher) -> Option<u32> {
        let rest = self.fold.text_from(self.open);
        (!rest.is_empty()).then(|| Scan::sole_owner(matcher, rest))?
    }
}

/// What the dumps of bytes in the stream say.
#[derive(Default)]
pub(crate) struct Dumped {
    dump: Dump,
    scan: Scan,
    /// The number of the first byte that is kept back, and where it stands.
    open: u64,
    held: u64,
    hits: Vec<Hit>,
}

impl Dumped {
    /// Where the earliest match that is still to come can begin, in the stream.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// Searches what comes next.
    pub(crate) fn push(&mut self, set: &Compiled, mut block: &[u8], cover: &mut Cover) {
        while !block.is_empty() {
            let (count, event) = self.dump.push(block);
            block = &block[count..];
            match event {
                Some(Event::More) => {
                    let (text, base) = self.dump.text();
                    self.scan.push(&set.raw, text, base, &mut self.hits);
                    self.open = self.scan.open(&set.raw, text, base).start;
                    self.take(set, cover);
                    self.dump.forget(self.open);
                }
                Some(Event::End) => self.end(set, cover),
                None => {}
            }
        }
        self.held = self.dump.start(self.open);
    }

    fn take(&mut self, set: &Compiled, cover: &mut Cover) {
        for hit in self.hits.drain(..) {
            for (start, end) in self.dump.ranges(hit.start, hit.end) {
                cover.add(Match {
                    form: Form::Dump,
                    ..matched(set, &hit, start, end)
                });
            }
        }
    }

    fn end(&mut self, set: &Compiled, cover: &mut Cover) {
        let (text, base) = self.dump.text();
        let end = base + text.len() as u64;
        self.scan.push(&set.raw, text, base, &mut self.hits);
        self.scan.finish(&set.raw, end, &mut self.hits);
        self.take(set, cover);
        self.scan.begin(end);
        self.open = end;
        self.dump.forget(end);
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, set: &Compiled, cover: &mut Cover) {
        self.dump.finish();
        self.end(set, cover);
        self.held = self.dump.start(self.open);
    }
}

/// What has the shape of a credential.
pub(crate) struct Shaped {
    stream: ShapeStream,
    found: Vec<ShapeFinding>,
}

impl Shaped {
    pub(crate) fn new() -> Self {
        Shaped {
            stream: Shapes::builtin().stream(),
            found: Vec::new(),
        }
    }

    /// Where the earliest match that is still to come can begin, in the stream.
    pub(crate) fn held(&self) -> u64 {
        self.stream.hold()
    }

    /// Searches what comes next.
    pub(crate) fn push(&mut self, block: &[u8], cover: &mut Cover) {
        self.stream.push(block, &mut self.found);
        self.take(cover);
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, cover: &mut Cover) {
        self.stream.finish(&mut self.found);
        self.take(cover);
    }

    fn take(&mut self, cover: &mut Cover) {
        for found in self.found.drain(..) {
            cover.add(Match {
                start: found.start,
                end: found.end,
                form: Form::Shape,
                owner: None,
                named: false,
            });
        }
    }
}

fn matched(set: &Compiled, hit: &Hit, start: u64, end: u64) -> Match {
    Match {
        start,
        end,
        form: hit.form,
        owner: Some(hit.owner),
        named: set.is_named(hit.owner),
    }
}
