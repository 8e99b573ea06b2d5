//! Bytes as they come: whole lines are searched where they lie, the rest waits.

use memchr::{memchr, memrchr};
use zeroize::Zeroizing;

use super::scan::{MARGIN, STEP, Scan, WINDOW, owned};
use super::{ShapeFinding, Shapes};

/// The most that is kept of a line: a window, and as much again to read into.
const KEPT: usize = 2 * WINDOW;

/// A search over a stream of any length, in memory of about 128 KiB.
///
/// Findings come in order as lines complete. What is pushed in one piece or in
/// many gives the same findings.
pub struct ShapeStream {
    shapes: &'static Shapes,
    scan: Scan,
    /// The bytes of an incomplete line, from `offset` on. Wiped when dropped;
    /// allocated once, so that growth leaves no copies.
    kept: Zeroizing<Vec<u8>>,
    offset: u64,
    /// Windows of the incomplete line that are done.
    windows: u64,
}

impl ShapeStream {
    /// A stream that is searched for `shapes`.
    pub fn new(shapes: &'static Shapes) -> Self {
        ShapeStream {
            shapes,
            scan: Scan::new(),
            kept: Zeroizing::new(Vec::new()),
            offset: 0,
            windows: 0,
        }
    }

    /// Takes in the next bytes, and appends what is now certain to `found`.
    pub fn push(&mut self, bytes: &[u8], found: &mut Vec<ShapeFinding>) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            if self.kept.is_empty()
                && let Some(end) = memrchr(b'\n', bytes)
            {
                let (lines, rest) = bytes.split_at(end + 1);
                self.scan.lines(self.shapes, lines, self.offset, found);
                self.offset += lines.len() as u64;
                bytes = rest;
                continue;
            }
            let room = KEPT - self.kept.len();
            let piece = &bytes[..bytes.len().min(room)];
            let end = memchr(b'\n', piece);
            let (piece, rest) = bytes.split_at(end.map_or(piece.len(), |end| end + 1));
            if self.kept.capacity() == 0 {
                self.kept.reserve_exact(KEPT);
            }
            self.kept.extend_from_slice(piece);
            bytes = rest;
            match end {
                Some(_) => self.end_line(found),
                None => self.full_windows(self.kept.len(), found),
            }
        }
    }

    /// Ends the stream: its last line is complete, its last block closed.
    pub fn finish(&mut self, found: &mut Vec<ShapeFinding>) {
        if !self.kept.is_empty() {
            self.end_line(found);
        }
        self.scan.finish(found);
    }

    /// Offset of the first byte that may still belong to a finding to come.
    pub fn hold(&self) -> u64 {
        // What begins before a window's margin was the window's before it.
        let margin = if self.windows > 0 { MARGIN as u64 } else { 0 };
        let line = self.offset + margin;
        self.scan.hold().map_or(line, |block| block.min(line))
    }

    fn end_line(&mut self, found: &mut Vec<ShapeFinding>) {
        let len = self.kept.len();
        let line = len - usize::from(self.kept.last() == Some(&b'\n'));
        self.full_windows(line, found);
        // The windows took the same from the line as from what is kept.
        let taken = len - self.kept.len();
        let line = line - taken;
        if self.windows == 0 {
            self.scan.lines(self.shapes, &self.kept, self.offset, found);
        } else {
            let own = owned(false, true, line);
            let text = &self.kept[..line];
            self.scan.window(self.shapes, text, own, self.offset, found);
        }
        self.offset += self.kept.len() as u64;
        self.windows = 0;
        self.kept.clear();
    }

    /// Searches the windows that `line` bytes of the kept line fill, and more follows.
    fn full_windows(&mut self, line: usize, found: &mut Vec<ShapeFinding>) {
        let mut line = line;
        while line > WINDOW {
            if self.windows == 0 {
                self.scan.finish(found);
            }
            let own = owned(self.windows == 0, false, WINDOW);
            let text = &self.kept[..WINDOW];
            self.scan.window(self.shapes, text, own, self.offset, found);
            self.kept.drain(..STEP);
            self.offset += STEP as u64;
            self.windows += 1;
            line -= STEP;
        }
    }

    #[cfg(test)]
    pub(super) fn work(&self) -> super::line::Work {
        self.scan.work()
    }
}

impl std::fmt::Debug for ShapeStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ShapeStream(at {}, {} kept)",
            self.offset,
            self.kept.len()
        )
    }
}
