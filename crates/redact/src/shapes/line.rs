//! One line: its rules' patterns, and who wins where they meet.

use std::collections::BTreeMap;
use std::ops::Range;

use memchr::memmem;

use super::keywords::RuleSet;
use super::{ShapeFinding, Shapes, check, pem};

/// What searching a line took, for tests that bound it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Patterns set to work.
    pub(super) searches: u64,
    /// Bytes given to them.
    pub(super) searched: u64,
}

/// The findings of one line, while they are being decided.
#[derive(Default)]
pub(super) struct Line {
    /// Start, end and rule of what has won so far.
    won: BTreeMap<usize, (usize, usize)>,
    pub(super) work: Work,
}

impl Line {
    /// Searches `text` for `rules`, whose keywords stand in it.
    ///
    /// What begins in `own` is appended to `found` if it begins at `after` or
    /// later. Gives the byte at which a PEM block begins that goes on after
    /// the line.
    pub(super) fn search(
        &mut self,
        shapes: &Shapes,
        rules: &RuleSet,
        text: &[u8],
        own: Range<usize>,
    ) -> Option<pem::Begin> {
        self.won.clear();
        let mut begin = None;
        let mut blocks_done = false;
        for index in rules.iter() {
            let also = shapes.rules[index].also.as_ref();
            if also.is_some_and(|also| memmem::find(text, also.as_bytes()).is_none()) {
                continue;
            }
            if shapes.patterns[index].is_some() {
                self.work.searches += 1;
                self.work.searched += text.len() as u64;
                self.pattern(shapes, index, text, &own);
            } else if !blocks_done {
                blocks_done = true;
                self.work.searches += 1;
                self.work.searched += text.len() as u64;
                let win = |rule, range: Range<usize>| self.win(rule, range, &own);
                begin = pem::in_line(&shapes.labels, text, win);
            }
        }
        begin
    }

    /// Moves the findings to `found`, with `base` added, but for those that
    /// begin before `after`. Gives the end of the last.
    pub(super) fn emit(&mut self, base: u64, after: u64, found: &mut Vec<ShapeFinding>) -> u64 {
        let mut last = after;
        for (start, (end, rule)) in std::mem::take(&mut self.won) {
            let (start, end) = (base + start as u64, base + end as u64);
            if start >= last {
                found.push(ShapeFinding { rule, start, end });
                last = end;
            }
        }
        last
    }

    fn pattern(&mut self, shapes: &Shapes, index: usize, text: &[u8], own: &Range<usize>) {
        let rule = &shapes.rules[index];
        let Some(pattern) = &shapes.patterns[index] else {
            return;
        };
        let Some(regex) = pattern.regex() else {
            return;
        };
        let mut at = 0;
        // Most lines with a keyword have no match: the search without groups
        // is the quick one.
        while let Some(whole) = regex.find_at(text, at) {
            let groups = regex.captures_at(text, whole.start());
            let Some(secret) = groups.and_then(|groups| groups.get(1)) else {
                return;
            };
            let bytes = secret.as_bytes();
            let real = !goes_on(text, secret.end())
                && rule
                    .entropy
                    .is_none_or(|least| check::entropy(bytes) >= least)
                && !check::is_placeholder(bytes)
                && rule.checksum.is_none_or(|checksum| checksum.holds(bytes))
                && !pattern.is_allowed(bytes);
            if real {
                self.win(index, secret.range(), own);
            }
            // The search goes on behind the secret, not behind what follows
            // it: that may belong to the next match.
            at = secret.end().max(whole.start() + 1);
        }
    }

    /// Takes a finding unless one of an earlier rule meets it.
    fn win(&mut self, rule: usize, range: Range<usize>, own: &Range<usize>) {
        let before = self.won.range(..range.end).next_back();
        let free = before.is_none_or(|(_, (end, _))| *end <= range.start);
        if free && own.contains(&range.start) && !range.is_empty() {
            self.won.insert(range.start, (range.end, rule));
        }
    }
}

/// Whether a word goes on after a dash: then the match is a part of something longer.
fn goes_on(text: &[u8], end: usize) -> bool {
    text.get(end) == Some(&b'-')
        && text
            .get(end + 1)
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
}
