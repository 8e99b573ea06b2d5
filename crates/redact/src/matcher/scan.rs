//! The state of one stream.

use super::filter::{Place, may_end};
use super::repeats::Queue;
use super::{Entry, Matcher, ONCE, common_prefix, common_suffix};
use crate::finding::Form;
use crate::needle::Edge;

/// What was found: absolute offsets, without what edges take in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) form: Form,
    pub(crate) owner: u32,
    pub(crate) left: Edge,
    pub(crate) right: Edge,
}

/// A needle that has no queue.
const NONE: u32 = u32::MAX;

/// Where the look through a stream stands.
#[derive(Default)]
pub(crate) struct Scan {
    /// Where the next look is due, an absolute offset; a multiple of the stride.
    next: u64,
    /// Needles that agree with the text up to its end.
    live: Vec<Live>,
    /// The same of needles that repeat themselves, and which of them is that of an entry.
    queues: Vec<Queue>,
    numbers: Vec<u32>,
    settled: Vec<(u64, u32)>,
    /// Where the stream began.
    origin: u64,
}

/// From where on later text may still make a finding of this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Open {
    /// Where the earliest needle that may be begun begins.
    pub(crate) start: u64,
    /// The same, or the byte before, which such a needle may take in.
    pub(crate) held: u64,
}

/// A needle, or a suffix of one, that begins at `start` and agrees with the text so far.
#[derive(Clone, Copy)]
struct Live {
    entry: u32,
    /// Where in the needle it begins.
    from: u32,
    start: u64,
    /// How many bytes agree.
    agreed: u32,
}

impl Scan {
    /// Looks through what is new of `text`, whose first byte has the absolute offset `base`: what
    /// was there before may still be in front of it, and has to be from [`Scan::open`] on.
    pub(crate) fn push(&mut self, matcher: &Matcher, text: &[u8], base: u64, found: &mut Vec<Hit>) {
        let mut live = std::mem::take(&mut self.live);
        live.retain_mut(|one| {
            let entry = &matcher.entries[one.entry as usize];
            let bytes = &matcher.bytes(entry)[(one.from + one.agreed) as usize..];
            let at =
                usize::try_from(one.start + u64::from(one.agreed) - base).unwrap_or(text.len());
            let rest = &text[at.min(text.len())..];
            let same = common_prefix(bytes, rest);
            one.agreed += super::offset(same);
            if same == rest.len() && same < bytes.len() {
                return true;
            }
            settle(entry, one, self.origin, found);
            false
        });
        self.live = live;
        let mut settled = Vec::new();
        for queue in &mut self.queues {
            queue.go_on(matcher, (text, base), &mut settled);
            settle_all(matcher, queue.entry, &mut settled, self.origin, found);
        }
        let stride = matcher.filter.stride() as u64;
        // What lies before the text was held for nobody.
        self.next = self.next.max(base.next_multiple_of(stride));
        let at = usize::try_from(self.next - base).unwrap_or(text.len());
        let at = matcher.filter.look(text, at, |at, places| {
            for place in may_end(places, text, at) {
                if place.is_suffix() {
                    self.suffix(matcher, place, (text, base), at, found);
                } else {
                    self.whole(matcher, place, (text, base), at, found);
                }
            }
        });
        self.next = base + at as u64;
    }

    fn whole(
        &mut self,
        matcher: &Matcher,
        place: &Place,
        (text, base): (&[u8], u64),
        at: usize,
        found: &mut Vec<Hit>,
    ) {
        let Some(start) = at.checked_sub(usize::from(place.offset)) else {
            return;
        };
        let entry = &matcher.entries[place.needle as usize];
        if entry.repeats != ONCE {
            self.repeated(matcher, place.needle, (text, base), start, found);
            return;
        }
        let bytes = matcher.bytes(entry);
        let rest = &text[start..];
        let same = match rest.get(..bytes.len()) {
            Some(all) if all == bytes => bytes.len(),
            Some(_) if entry.prefix == entry.len => return,
            _ => common_prefix(bytes, rest),
        };
        let one = Live {
            entry: place.needle,
            from: 0,
            start: base + start as u64,
            agreed: super::offset(same),
        };
        let goes_on = same == rest.len() && same < bytes.len();
        self.take(entry, one, goes_on, found);
    }

    /// A needle agrees so far.
    fn take(&mut self, entry: &Entry, one: Live, goes_on: bool, found: &mut Vec<Hit>) {
        match goes_on {
            true => self.live.push(one),
            false => settle(entry, &one, self.origin, found),
        }
    }

    fn suffix(
        &mut self,
        matcher: &Matcher,
        place: &Place,
        (text, base): (&[u8], u64),
        at: usize,
        found: &mut Vec<Hit>,
    ) {
        let entry = &matcher.entries[place.needle as usize];
        let from = (entry.len - entry.suffix) as usize + usize::from(place.offset);
        let (before, after) = matcher.bytes(entry).split_at(from);
        let rest = &text[at..];
        let same = common_prefix(after, rest);
        if same < after.len() && same < rest.len() {
            return;
        }
        let back = common_suffix(&before[entry.public as usize..], &text[..at]);
        if back + after.len() < entry.suffix as usize {
            return;
        }
        let one = Live {
            entry: place.needle,
            from: super::offset(before.len() - back),
            start: base + (at - back) as u64,
            agreed: super::offset(back + same),
        };
        self.take(entry, one, same < after.len(), found);
    }

    fn repeated(
        &mut self,
        matcher: &Matcher,
        entry: u32,
        (text, base): (&[u8], u64),
        start: usize,
        found: &mut Vec<Hit>,
    ) {
        if self.numbers.is_empty() {
            self.numbers = vec![NONE; matcher.entries.len()];
        }
        let number = &mut self.numbers[entry as usize];
        if *number == NONE {
            *number = super::offset(self.queues.len());
            self.queues.push(Queue::new(entry));
        }
        let queue = &mut self.queues[*number as usize];
        queue.begin(
            matcher,
            (text, base),
            base + start as u64,
            &mut self.settled,
        );
        settle_all(matcher, entry, &mut self.settled, self.origin, found);
    }

    /// A stream begins at this offset.
    pub(crate) fn begin(&mut self, origin: u64) {
        self.origin = origin;
    }

    /// Ends the stream: what agrees up to its end and is long enough is found.
    pub(crate) fn finish(&mut self, matcher: &Matcher, end: u64, found: &mut Vec<Hit>) {
        let mut settled = Vec::new();
        for queue in &mut self.queues {
            queue.finish(end, &mut settled);
            settle_all(matcher, queue.entry, &mut settled, self.origin, found);
        }
        for one in std::mem::take(&mut self.live) {
            let entry = &matcher.entries[one.entry as usize];
            settle(entry, &one, self.origin, found);
        }
    }

    /// From where on later text may still make a finding of this one: `text` as it was pushed.
    pub(crate) fn open(&self, matcher: &Matcher, text: &[u8], base: u64) -> Open {
        let end = base + text.len() as u64;
        let open = matcher.starts.open(&matcher.text, &matcher.entries, text);
        let tail = base + open.at as u64;
        let live = self.live.iter().map(|one| one.start);
        let live = live.chain(self.queues.iter().filter_map(Queue::live));
        let live = live.min().unwrap_or(end);
        let start = tail.min(live);
        let left = match (start == end, tail == start) {
            (true, _) => matcher.left,
            (false, true) => open.left.or(self.left_of(matcher, start)),
            (false, false) => self.left_of(matcher, start),
        };
        let before = (start - base).checked_sub(1).map(|at| text[at as usize]);
        let is_held = before.is_some_and(|byte| left.fits(byte));
        Open {
            start,
            held: start - u64::from(is_held),
        }
    }

    /// What the needles that agree from here on take in to their left.
    fn left_of(&self, matcher: &Matcher, start: u64) -> Edge {
        let live = self.live.iter();
        let live = live.filter(|one| one.start == start && one.from == 0);
        let live = live.map(|one| one.entry);
        let queues = self.queues.iter();
        let queues = queues.filter(|queue| queue.live() == Some(start));
        let entries = live.chain(queues.map(|queue| queue.entry));
        let edges = entries.map(|entry| match &matcher.entries[entry as usize] {
            entry if entry.is_wide => Edge::ZERO,
            entry => entry.left,
        });
        edges.fold(Edge::NONE, Edge::or)
    }

    /// The value that the text from this offset on may go on to be, if there is only one.
    pub(crate) fn sole_owner(matcher: &Matcher, rest: &[u8]) -> Option<u32> {
        matcher
            .starts
            .sole_owner(&matcher.text, &matcher.entries, rest)
    }
}

/// Tells what became of a needle that agrees no further.
fn settle(entry: &Entry, one: &Live, origin: u64, found: &mut Vec<Hit>) {
    let is_whole = one.from + one.agreed == entry.len;
    let is_cut = !is_whole && one.from == 0 && one.agreed >= entry.prefix;
    if !is_whole && !is_cut {
        return;
    }
    let (left, right) = match one.from == 0 && is_whole {
        true => entry.edges(one.start - origin),
        false => (Edge::NONE, Edge::NONE),
    };
    found.push(Hit {
        start: one.start,
        end: one.start + u64::from(one.agreed),
        form: match is_whole && one.from == 0 {
            true => entry.form,
            false => Form::Truncated,
        },
        owner: entry.owner,
        left,
        right,
    });
}

/// The same for beginnings of one needle.
fn settle_all(
    matcher: &Matcher,
    entry: u32,
    settled: &mut Vec<(u64, u32)>,
    origin: u64,
    found: &mut Vec<Hit>,
) {
    for (start, agreed) in settled.drain(..) {
        let one = Live {
            entry,
            from: 0,
            start,
            agreed,
        };
        settle(&matcher.entries[entry as usize], &one, origin, found);
    }
}
