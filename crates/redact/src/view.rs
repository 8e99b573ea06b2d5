//! The two views of a stream that are searched: as it is, and folded.

use crate::cover::{Cover, Match, owner_of_rule};
use crate::dump::{Dump, Event};
use crate::finding::Form;
use crate::fold::{Blocks, Fold};
use crate::known::Compiled;
use crate::matcher::{Hit, Matcher, Open, Scan};
use crate::needle::Edge;
use crate::shapes::{ShapeFinding, ShapeStream, Shapes};
use crate::wide::Wide;
use crate::window::Window;

/// The stream as it is.
#[derive(Default)]
pub(crate) struct Raw {
    /// The last bytes of the input.
    window: Window,
    scan: Scan,
    open: Open,
    /// Matches that ended at the end of the input and may take in the next byte.
    at_edge: Vec<(Match, Edge)>,
    hits: Vec<Hit>,
}

impl Raw {
    /// Bytes of input so far.
    pub(crate) fn position(&self) -> u64 {
        self.window.end()
    }

    /// The offset of the first byte that is kept.
    pub(crate) fn base(&self) -> u64 {
        self.window.base()
    }

    /// Where the earliest match that is still to come can begin.
    pub(crate) fn open(&self) -> Open {
        self.open
    }

    /// The kept bytes between two offsets.
    pub(crate) fn range(&self, from: u64, to: u64) -> &[u8] {
        self.window.range(from, to)
    }

    /// Whether a match that ends here waits for the next byte.
    pub(crate) fn is_at_edge(&self, end: u64) -> bool {
        !self.at_edge.is_empty() && end == self.position()
    }

    /// Forgets what lies before this offset.
    pub(crate) fn forget(&mut self, before: u64) {
        self.window.forget(before);
    }

    /// Input that nothing is searched in.
    pub(crate) fn pass(&mut self, count: usize) {
        self.window.pass(count);
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
        self.window.append(block);
        let mut hits = std::mem::take(&mut self.hits);
        let (text, base) = (self.window.text(), self.window.base());
        self.scan.push(&set.raw, text, base, &mut hits);
        for hit in hits.drain(..) {
            self.add(set, &hit, cover);
        }
        self.hits = hits;
        let text = self.window.text();
        self.open = self.scan.open(&set.raw, text, base);
    }

    fn add(&mut self, set: &Compiled, hit: &Hit, cover: &mut Cover) {
        let byte = |offset: u64| {
            let index = usize::try_from(offset.checked_sub(self.window.base())?).ok()?;
            self.window.text().get(index).copied()
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
}

/// The letters and digits of the stream.
pub(crate) struct Folded {
    fold: Fold,
    scan: Scan,
    /// The number of the first character that is kept back, and where it stands.
    open: u64,
    held: u64,
    hits: Vec<Hit>,
}

impl Folded {
    pub(crate) fn new(wide: Option<Wide>) -> Self {
        Folded {
            fold: Fold::new(Blocks::new(wide)),
            scan: Scan::default(),
            open: 0,
            held: 0,
            hits: Vec::new(),
        }
    }

    /// Where the earliest match that is still to come can begin, in the stream.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// How many characters are held back.
    pub(crate) fn run(&self) -> u64 {
        self.fold.end() - self.open
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
        let (text, base) = self.fold.text();
        self.open = self.scan.open(matcher, text, base).start;
        self.held = self.fold.start(self.open);
        self.fold.forget(self.open);
    }

    fn search(&mut self, set: &Compiled, matcher: &Matcher, cover: &mut Cover) {
        let mut hits = std::mem::take(&mut self.hits);
        let (text, base) = self.fold.text();
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
        self.open = self.fold.end();
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
pub(crate) struct Dumped {
    dump: Dump,
    scan: Scan,
    /// The number of the first byte that is kept back, and where it stands.
    open: u64,
    held: u64,
    hits: Vec<Hit>,
}

impl Dumped {
    pub(crate) fn new(wide: Option<Wide>) -> Self {
        Dumped {
            dump: Dump::new(wide),
            scan: Scan::default(),
            open: 0,
            held: 0,
            hits: Vec::new(),
        }
    }

    /// Where the earliest match that is still to come can begin, in the stream.
    pub(crate) fn held(&self) -> u64 {
        self.held
    }

    /// How many bytes are held back: those that dumps say, not those that say it.
    pub(crate) fn run(&self) -> u64 {
        self.dump.end() - self.open
    }

    /// Where they begin in the stream. An unfinished line that may be one of a dump is held back as
    /// well, but says nothing yet.
    pub(crate) fn run_start(&self) -> u64 {
        match self.run() {
            0 => u64::MAX,
            _ => self.held,
        }
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
                owner: owner_of_rule(found.rule),
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
