//! A text of whole lines: keywords first, then the lines that have some.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::keywords::RuleSet;
use super::line::Line;
use super::pem::Block;
use super::{ShapeFinding, Shapes};

/// A longer line is searched in windows of this size.
pub(super) const WINDOW: usize = 64 * 1024;
/// Each window begins so far after the one before it.
pub(super) const STEP: usize = WINDOW / 2;
/// What begins so near to a window's edge belongs to its neighbour.
pub(super) const MARGIN: usize = STEP / 2;

/// The state between lines.
pub(super) struct Scan {
    block: Option<Block>,
    line: Line,
    /// The rules that the current line calls.
    rules: RuleSet,
    /// Empty between places: those that a new line calls first.
    called: RuleSet,
    /// The end of the last finding.
    after: u64,
}

impl Scan {
    pub(super) fn new() -> Self {
        Scan {
            block: None,
            line: Line::default(),
            rules: RuleSet::default(),
            called: RuleSet::default(),
            after: 0,
        }
    }

    /// The first byte that an open PEM block may still claim.
    pub(super) fn hold(&self) -> Option<u64> {
        self.block.as_ref().and_then(Block::hold)
    }

    #[cfg(test)]
    pub(super) fn work(&self) -> super::line::Work {
        self.line.work
    }

    /// Searches whole lines; the last may lack its end.
    pub(super) fn lines(
        &mut self,
        shapes: &Shapes,
        text: &[u8],
        base: u64,
        found: &mut Vec<ShapeFinding>,
    ) {
        let mut at = 0;
        while at < text.len() {
            if self.block.is_some() {
                let end = line_end(text, at);
                if self.follow(&text[at..end], base + at as u64, found) {
                    at = end + 1;
                    continue;
                }
            }
            at = self.plain(shapes, text, at, base, found);
        }
    }

    /// Closes what is open at the end of the stream.
    pub(super) fn finish(&mut self, found: &mut Vec<ShapeFinding>) {
        if let Some(block) = self.block.take()
            && let Some(finding) = block.close()
        {
            self.push(finding, found);
        }
    }

    /// Searches one window of a long line. What begins in `own` is its own.
    pub(super) fn window(
        &mut self,
        shapes: &Shapes,
        text: &[u8],
        own: Range<usize>,
        base: u64,
        found: &mut Vec<ShapeFinding>,
    ) {
        self.rules.clear();
        let mut at = 0;
        while let Some(place) = shapes.keywords.next(text, at) {
            shapes.keywords.call(text, 0, place, &mut self.rules);
            at = place + 1;
        }
        // A block is not followed out of a line that is too long for one.
        let _ = self.line.search(shapes, &self.rules, text, own);
        self.after = self.line.emit(base, self.after, found);
    }

    /// Gives a line to the open block; false when it is not the block's.
    fn follow(&mut self, line: &[u8], base: u64, found: &mut Vec<ShapeFinding>) -> bool {
        let Some(block) = &mut self.block else {
            return false;
        };
        let taken = line.len() <= WINDOW && block.take(line, base);
        if !taken {
            self.finish(found);
        }
        taken
    }

    /// Searches lines from `at` on, to the end or to where a PEM block opens.
    /// Gives where to go on.
    fn plain(
        &mut self,
        shapes: &Shapes,
        text: &[u8],
        at: usize,
        base: u64,
        found: &mut Vec<ShapeFinding>,
    ) -> usize {
        // The line that keywords were found in last, not yet searched.
        let mut line = at..at;
        let mut place = at;
        self.rules.clear();
        while let Some(next) = shapes.keywords.next(text, place) {
            place = next + 1;
            if next < line.end {
                shapes
                    .keywords
                    .call(text, line.start, next, &mut self.rules);
                continue;
            }
            let mut called = std::mem::take(&mut self.called);
            if shapes.keywords.call(text, at, next, &mut called) {
                if let Some(after) = self.one(shapes, text, line, base, found) {
                    return after;
                }
                let start = memrchr(b'\n', &text[at..next]).map_or(at, |end| at + end + 1);
                line = start..line_end(text, next);
                std::mem::swap(&mut self.rules, &mut called);
                if line.len() > WINDOW {
                    self.long(shapes, &text[line.clone()], base + start as u64, found);
                    self.rules.clear();
                    place = line.end;
                    line = line.end..line.end;
                }
                called.clear();
            }
            self.called = called;
        }
        self.one(shapes, text, line, base, found)
            .unwrap_or(text.len())
    }

    /// Searches the line at `line` for the rules that were called. Gives the
    /// next line when a block opens.
    fn one(
        &mut self,
        shapes: &Shapes,
        text: &[u8],
        line: Range<usize>,
        base: u64,
        found: &mut Vec<ShapeFinding>,
    ) -> Option<usize> {
        let bytes = &text[line.clone()];
        let start = base + line.start as u64;
        let begin = self.line.search(shapes, &self.rules, bytes, 0..bytes.len());
        self.after = self.line.emit(start, self.after, found);
        self.block = Some(Block::open(begin?, bytes, start));
        Some(line.end + 1)
    }

    /// Searches a line of more than a window.
    fn long(&mut self, shapes: &Shapes, line: &[u8], base: u64, found: &mut Vec<ShapeFinding>) {
        let mut from = 0;
        loop {
            let rest = &line[from..];
            let text = &rest[..rest.len().min(WINDOW)];
            let own = owned(from == 0, rest.len() <= WINDOW, text.len());
            self.window(shapes, text, own, base + from as u64, found);
            if rest.len() <= WINDOW {
                return;
            }
            from += STEP;
        }
    }

    fn push(&mut self, finding: ShapeFinding, found: &mut Vec<ShapeFinding>) {
        if finding.start >= self.after {
            self.after = finding.end;
            found.push(finding);
        }
    }
}

/// The part of a window whose findings are its own.
pub(super) fn owned(first: bool, last: bool, len: usize) -> Range<usize> {
    let start = if first { 0 } else { MARGIN };
    start..if last { len } else { STEP + MARGIN }
}

fn line_end(text: &[u8], at: usize) -> usize {
    memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end)
}
