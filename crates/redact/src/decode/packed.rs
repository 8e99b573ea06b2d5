//! The view of a stream in which packed data is unpacked.

use std::collections::VecDeque;
use std::sync::Arc;

use super::find::{self, Finder};
use super::framed::Framed;
use super::head::Head;
use super::kind::{Coding, Kind};
use super::member::{Credit, Member, Outcome, recoded};
use super::{COST, FIRST, FIRST_WITHIN, Inside, RATE, RATE_WITHIN, SAVED, nested};
use crate::cover::{Cover, Match, Span};
use crate::finding::Form;
use crate::known::Compiled;
use crate::view::Raw;

/// The state of one stream.
pub(crate) struct Packed {
    /// How much deeper it may be looked.
    depth: u8,
    shapes: bool,
    /// Up to where it was looked for beginnings.
    at: u64,
    finder: Finder,
    head: Head,
    /// Bodies whose heads were seen.
    bodies: VecDeque<(u64, Kind)>,
    active: Active,
    blind: Option<Blind>,
    credit: Credit,
    /// The same for zlib: its two first bytes stand in many a text, and what seems to begin there
    /// must not use up what is for the others.
    guesses: Credit,
    /// What packed data is replaced by, until it leaves.
    ready: VecDeque<(u64, u64, Vec<u8>)>,
    unopened: u64,
    /// What searched the last piece, for the next.
    spare: Option<Inside>,
}

enum Active {
    None,
    Member(Box<Member>),
    Framed(Box<Framed>),
}

/// A value was found in packed data that cannot be read further: all is masked up to here. Other
/// packed data may begin within, as where the first was cut off, and is looked into meanwhile.
struct Blind {
    from: u64,
    seen: u64,
    until: u64,
    owner: Option<u32>,
}

impl Packed {
    pub(crate) fn new(depth: u8) -> Self {
        let credit = || match depth {
            super::DEPTH => Credit::new(RATE, FIRST, SAVED),
            _ => Credit::new(RATE_WITHIN, FIRST_WITHIN, SAVED),
        };
        Packed {
            depth,
            shapes: false,
            at: 0,
            finder: Finder::default(),
            head: Head::default(),
            bodies: VecDeque::new(),
            active: Active::None,
            blind: None,
            credit: credit(),
            guesses: credit(),
            ready: VecDeque::new(),
            unopened: 0,
            spare: None,
        }
    }

    /// What is inside is searched for shapes as well.
    pub(crate) fn with_shapes(&mut self) {
        self.shapes = true;
    }

    /// The same, since the last call.
    pub(crate) fn take_unopened(&mut self) -> u64 {
        std::mem::take(&mut self.unopened)
    }

    /// How many pieces were let through because there was too much in them.
    pub(crate) fn unopened(&self) -> u64 {
        self.unopened
    }

    /// Where the earliest match that is still to come can begin.
    pub(crate) fn held(&self) -> u64 {
        let active = match &self.active {
            Active::None => self.at,
            Active::Member(member) if member.masked.is_none() => member.from,
            // Its last byte stays open, so that the rest is masked with it.
            Active::Member(member) => member.sure - 1,
            Active::Framed(framed) => framed.held(),
        };
        self.blind
            .as_ref()
            .map_or(active, |blind| active.min(blind.seen - 1))
    }

    /// The mask that is written before its end is known: packed data that is too long to be held.
    pub(crate) fn is_written_early(&self, span: &Span) -> bool {
        let is_blind = (self.blind.as_ref()).is_some_and(|blind| span.start <= blind.from);
        match &self.active {
            Active::Member(member) if member.masked.is_some() => span.start <= member.from,
            Active::Framed(framed) => framed.is_masking(),
            _ => is_blind,
        }
    }

    /// What stands in the place of a span instead of its mask.
    pub(crate) fn replacement(&mut self, span: &Span) -> Option<Vec<u8>> {
        while let Some((start, end, _)) = self.ready.front()
            && *start < span.end
        {
            let is_whole = (*start, *end) == (span.start, span.end);
            let (_, _, packed) = self.ready.pop_front()?;
            if is_whole {
                return Some(packed);
            }
        }
        None
    }

    /// Whether what is held back here may be let go: nobody can tell anything from it.
    pub(crate) fn is_harmless(&self) -> bool {
        match &self.active {
            _ if self.blind.is_some() => false,
            Active::None => true,
            Active::Member(member) => member.is_harmless(),
            Active::Framed(_) => false,
        }
    }

    /// What is held back was let go.
    pub(crate) fn let_go(&mut self) {
        if let Active::Member(member) = &mut self.active {
            member.let_go();
        }
    }

    /// Looks into what has come.
    pub(crate) fn push(&mut self, set: &Arc<Compiled>, raw: &Raw, cover: &mut Cover) {
        let mut quiet = 0;
        if let Active::None = self.active
            && self.blind.is_none()
        {
            let end = raw.position();
            let text = raw.range(self.at, end);
            quiet = find::quiet(set.wide, text);
            let is_quiet = quiet == text.len() && self.bodies.is_empty();
            if is_quiet && self.head.pass(text, self.at) {
                self.at = end - find::open(text) as u64;
                return;
            }
        }
        self.look(set, raw, cover, quiet);
    }

    fn look(&mut self, set: &Arc<Compiled>, raw: &Raw, cover: &mut Cover, quiet: usize) {
        let end = raw.position();
        let base = self.held().max(raw.base());
        let mut bodies = Vec::new();
        let seen = self.head.seen().max(base).min(end);
        let ahead = match &self.active {
            Active::None => quiet.saturating_sub((seen - base) as usize),
            _ => 0,
        };
        self.head
            .push(raw.range(seen, end), seen, ahead, &mut bodies);
        self.bodies.extend(bodies);
        self.go_on_blind(set, end, cover);
        let mut quiet = quiet;
        while self.go_on(set, raw, cover) {
            // On an idle terminal, what comes next may have been let go.
            self.at = self.at.max(raw.base());
            let text = raw.range(self.at, end);
            self.credit.reach(self.at);
            self.guesses.reach(self.at);
            while self.bodies.front().is_some_and(|(at, _)| *at < self.at) {
                self.bodies.pop_front();
            }
            let body = self.bodies.front().map(|(at, _)| *at);
            let file = self.finder.first(text, self.at, quiet);
            quiet = 0;
            let kind = match (body, file) {
                (Some(body), file) if file.as_ref().is_none_or(|(at, _)| body <= *at) => {
                    self.at = body;
                    // Where there is nothing of it yet, it waits.
                    if body == end {
                        return;
                    }
                    self.bodies.pop_front().map(|(_, kind)| kind)
                }
                (_, Some((at, kind))) => {
                    self.at = at;
                    Some(kind)
                }
                _ => None,
            };
            let Some(kind) = kind else {
                self.at = end - find::open(text) as u64;
                return;
            };
            let is_text = find::is_text(raw.range(self.at, end));
            self.begin(set, kind, is_text);
        }
    }

    fn begin(&mut self, set: &Arc<Compiled>, kind: Kind, is_text: bool) {
        let is_framing = matches!(&kind, Kind::Body { codings, .. } if codings.is_empty());
        let credit = of_kind(&kind, &mut self.credit, &mut self.guesses);
        if !credit.spend(COST) {
            // What is one of many guesses, and reads as text, is none in all likelihood.
            let is_guess = matches!(kind, Kind::File(Coding::Deflate));
            self.unopened += u64::from(!(is_guess && is_text));
            self.at += u64::from(matches!(kind, Kind::File(_) | Kind::Text(_)));
        } else if is_framing {
            let mut inner = nested(set, self.depth - 1, self.shapes);
            inner.keep_matches();
            self.active = Active::Framed(Box::new(Framed::new(self.at, inner)));
        } else {
            let member = Member::new(kind, self.at, credit, self.spare.take());
            self.active = Active::Member(Box::new(member));
        }
    }

    /// Feeds what is active; returns whether it has to be looked for the next beginning.
    fn go_on(&mut self, set: &Arc<Compiled>, raw: &Raw, cover: &mut Cover) -> bool {
        let end = raw.position();
        match &mut self.active {
            Active::None => true,
            Active::Framed(framed) => {
                let goes_on = framed.push(raw.range(framed.read_to(), end), cover);
                if !goes_on {
                    self.at = framed.read_to();
                    self.active = Active::None;
                }
                !goes_on
            }
            Active::Member(member) => {
                let (depth, shapes) = (self.depth - 1, self.shapes);
                let mut make = || Inside::new(nested(set, depth, shapes));
                let credit = of_kind(&member.kind, &mut self.credit, &mut self.guesses);
                let mut outcome = Outcome::More;
                while member.fed < end && outcome == Outcome::More {
                    let input = raw.range(member.fed, end.min(member.block));
                    outcome = member.feed(input, credit, &mut make);
                    if let Some(owner) = member.masked
                        && outcome == Outcome::More
                    {
                        cover.add(masked(set, member.from, member.sure, owner));
                    }
                }
                if outcome == Outcome::More {
                    return false;
                }
                self.close(outcome, set, raw, cover);
                true
            }
        }
    }

    /// The member that is active is at its end.
    fn close(&mut self, outcome: Outcome, set: &Arc<Compiled>, raw: &Raw, cover: &mut Cover) {
        let Active::Member(member) = std::mem::replace(&mut self.active, Active::None) else {
            return;
        };
        let (kind, start, from, block) =
            (member.kind.clone(), member.start, member.from, member.block);
        let is_held = member.is_held();
        let seen = member.masked.map_or(from + 1, |_| member.sure);
        // It may be cut off, and have swallowed the beginning of what comes behind: others are looked
        // for within it.
        let is_body = matches!(kind, Kind::Body { .. });
        self.at = from.max(start + u64::from(!is_body));
        let (found, inside) = member.close();
        self.spare = inside.map(Inside::again);
        self.unopened += self.spare.as_mut().map_or(0, Inside::take_unopened);
        if outcome == Outcome::Full {
            self.unopened += 1;
        }
        match (found, outcome) {
            (None, _) => {}
            // It ended in what was let go.
            (Some(_), Outcome::Closed { end, .. }) if end <= from => {}
            (Some(owner), Outcome::Closed { end, is_whole }) => {
                cover.add(masked(set, from, end, owner));
                let packed = (is_held && is_whole)
                    .then(|| {
                        recoded(
                            &kind,
                            raw.range(start, end),
                            set,
                            self.depth - 1,
                            self.shapes,
                        )
                    })
                    .flatten();
                if let Some(packed) = packed {
                    self.ready.push_back((start, end, packed));
                }
            }
            (Some(owner), outcome) => {
                let until = match outcome {
                    Outcome::Damaged => block,
                    _ => u64::MAX,
                };
                self.blind = Some(match self.blind.take() {
                    Some(old) => Blind {
                        until: old.until.max(until),
                        ..old
                    },
                    None => Blind {
                        from,
                        seen,
                        until,
                        owner,
                    },
                });
                self.go_on_blind(set, raw.position(), cover);
            }
        }
    }

    /// Masks what has come of what cannot be read.
    fn go_on_blind(&mut self, set: &Compiled, end: u64, cover: &mut Cover) {
        let Some(blind) = &mut self.blind else {
            return;
        };
        blind.seen = end.min(blind.until);
        cover.add(masked(set, blind.from, blind.seen, blind.owner));
        if blind.until == u64::MAX {
            self.at = end;
        } else if blind.seen == blind.until {
            self.blind = None;
        }
    }

    /// Ends the stream.
    pub(crate) fn finish(&mut self, set: &Arc<Compiled>, raw: &Raw, cover: &mut Cover) {
        let end = raw.position();
        self.go_on_blind(set, end, cover);
        loop {
            match &mut self.active {
                Active::None => break,
                Active::Framed(framed) => {
                    framed.finish(cover);
                    break;
                }
                Active::Member(member) => {
                    let (depth, shapes) = (self.depth - 1, self.shapes);
                    let outcome = member.finish(&mut || Inside::new(nested(set, depth, shapes)));
                    self.close(outcome, set, raw, cover);
                    // What is behind the beginning may be something else.
                    self.look(set, raw, cover, 0);
                }
            }
        }
        self.active = Active::None;
        self.blind = None;
        self.at = end;
        self.head = Head::default();
        self.bodies.clear();
        self.finder = Finder::default();
    }
}

/// What pays for a piece of this kind.
fn of_kind<'a>(kind: &Kind, credit: &'a mut Credit, guesses: &'a mut Credit) -> &'a mut Credit {
    match kind {
        Kind::File(Coding::Deflate) => guesses,
        _ => credit,
    }
}

fn masked(set: &Compiled, from: u64, end: u64, owner: Option<u32>) -> Match {
    Match {
        start: from,
        end,
        form: Form::Packed,
        owner,
        named: owner.is_some_and(|owner| set.is_named(owner)),
    }
}
