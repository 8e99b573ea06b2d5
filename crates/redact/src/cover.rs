//! The union of matched ranges that are not final yet.

use std::cmp::Reverse;
use std::collections::VecDeque;

use crate::finding::Form;

/// An owner from here on is no value of the set: it is a rule, by its index, whose shape was found.
const RULES: u32 = 1 << 31;

/// The owner that stands for a rule.
pub(crate) fn owner_of_rule(rule: usize) -> Option<u32> {
    u32::try_from(rule).ok()?.checked_add(RULES)
}

/// The rule that an owner stands for.
pub(crate) fn rule_of_owner(owner: Option<u32>) -> Option<usize> {
    usize::try_from(owner?.checked_sub(RULES)?).ok()
}

/// One match, before it is merged with those that overlap it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) form: Form,
    /// Index of the value in the set, or a rule; `None` when several would fit.
    pub(crate) owner: Option<u32>,
    pub(crate) named: bool,
}

impl Match {
    /// What decides the name of overlapping findings: the longest, then the
    /// earliest, then the plainest form, a named value, the one added first.
    /// A prefix masked for idleness yields to any real match.
    fn rank(&self) -> impl Ord + use<> {
        (
            self.form != Form::Partial,
            // A value that is known has a name.
            self.form != Form::Shape,
            self.end - self.start,
            Reverse(self.start),
            Reverse(self.form),
            self.named,
            Reverse(self.owner),
        )
    }
}

/// A maximal run of overlapping matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The match that names the span.
    pub(crate) best: Match,
    /// Whether its mask has been written already (idle terminals only).
    pub(crate) written: bool,
}

/// Disjoint spans in ascending order.
#[derive(Default)]
pub(crate) struct Cover {
    spans: VecDeque<Span>,
}

impl Cover {
    /// Adds a match.
    pub(crate) fn add(&mut self, found: Match) {
        let mut span = Span {
            start: found.start,
            end: found.end,
            best: found,
            written: false,
        };
        // Matches come nearly in the order of their ends, and many are within one that was there.
        let to = match self.spans.back() {
            Some(last) if last.start < span.end => self.spans.len(),
            _ => self.spans.partition_point(|other| other.start < span.end),
        };
        if let Some(last) = to.checked_sub(1).and_then(|at| self.spans.get_mut(at))
            && last.start <= span.start
            && span.end <= last.end
        {
            if found.rank() > last.best.rank() {
                last.best = found;
            }
            return;
        }
        let mut from = to;
        while let Some(last) = from.checked_sub(1).map(|at| self.spans[at])
            && last.end > span.start
        {
            span.start = span.start.min(last.start);
            span.end = span.end.max(last.end);
            span.written |= last.written;
            if last.best.rank() > span.best.rank() {
                span.best = last.best;
            }
            from -= 1;
        }
        match from == to {
            true => self.spans.insert(to, span),
            false => {
                self.spans[from] = span;
                self.spans.drain(from + 1..to);
            }
        }
    }

    pub(crate) fn first(&self) -> Option<&Span> {
        self.spans.front()
    }

    /// The mask of the first span has been written.
    pub(crate) fn first_is_written(&mut self) {
        if let Some(span) = self.spans.front_mut() {
            span.written = true;
        }
    }

    pub(crate) fn pop_first(&mut self) -> Option<Span> {
        self.spans.pop_front()
    }

    /// Whether one span covers all of `from..to`.
    pub(crate) fn covers(&self, from: u64, to: u64) -> bool {
        self.spans
            .iter()
            .any(|span| span.start <= from && span.end >= to)
    }

    /// Makes one written span of all spans and `run`, and returns it as it was
    /// before it was marked as written.
    pub(crate) fn write_all(&mut self, run: Match) -> Span {
        let mut all = Span {
            start: run.start,
            end: run.end,
            best: run,
            written: false,
        };
        for span in self.spans.drain(..) {
            all.start = all.start.min(span.start);
            all.end = all.end.max(span.end);
            all.written |= span.written;
            if span.best.rank() > all.best.rank() {
                all.best = span.best;
            }
        }
        self.spans.push_back(Span {
            written: true,
            ..all
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(start: u64, end: u64, owner: u32) -> Match {
        Match {
            start,
            end,
            form: Form::Exact,
            owner: Some(owner),
            named: true,
        }
    }

    fn spans(cover: &Cover) -> Vec<(u64, u64, Option<u32>)> {
        let spans = cover.spans.iter();
        spans.map(|s| (s.start, s.end, s.best.owner)).collect()
    }

    #[test]
    fn overlapping_merge_and_touching_do_not() {
        let mut cover = Cover::default();
        cover.add(found(0, 8, 0));
        cover.add(found(8, 16, 1));
        assert_eq!(spans(&cover), [(0, 8, Some(0)), (8, 16, Some(1))]);
        cover.add(found(15, 24, 2));
        assert_eq!(spans(&cover), [(0, 8, Some(0)), (8, 24, Some(2))]);
        cover.add(found(7, 24, 3));
        assert_eq!(spans(&cover), [(0, 24, Some(3))]);
        let mut cover = Cover::default();
        for (start, end, owner) in [
            (40, 50, 0),
            (0, 8, 1),
            (20, 30, 2),
            (10, 18, 3),
            (50, 60, 4),
        ] {
            cover.add(found(start, end, owner));
        }
        cover.add(found(17, 25, 5));
        let all = [
            (0, 8, Some(1)),
            (10, 30, Some(2)),
            (40, 50, Some(0)),
            (50, 60, Some(4)),
        ];
        assert_eq!(spans(&cover), all);
    }

    #[test]
    fn ties_are_decided_by_place_form_name_and_order() {
        let best = |matches: &[Match]| {
            let mut cover = Cover::default();
            matches.iter().for_each(|m| cover.add(*m));
            cover.first().map(|span| span.best)
        };
        let early = found(0, 8, 9);
        assert_eq!(best(&[early, found(1, 9, 0)]), Some(early));
        let base64 = Match {
            form: Form::Base64,
            ..found(0, 8, 0)
        };
        assert_eq!(best(&[base64, early]), Some(early));
        let nameless = Match {
            named: false,
            ..found(0, 8, 0)
        };
        assert_eq!(best(&[nameless, early]), Some(early));
        assert_eq!(best(&[early, found(0, 8, 1)]), Some(found(0, 8, 1)));
        let partial = Match {
            form: Form::Partial,
            ..found(0, 100, 0)
        };
        let late = found(92, 100, 1);
        assert_eq!(best(&[partial, late]), Some(late));
    }
}
