//! Checks a script without running it.
//!
//! [`check`] finds what each value may derive from, and with it every way out of the script: what may
//! leave there, with which clauses, and whether a run would refuse it.
//!
//! - **Complete.** What a run refuses is refused here, on the same line. What is said here may be more
//!   than comes to pass: values are followed by the places that they may come from, not by what they
//!   are.
//! - **Bounded.** Loops and functions are gone through until nothing new is found, and after a number
//!   of rounds by larger steps.
//! - **Without effect.** Nothing is read but the script: not the vault, so that an entry may be there
//!   that no statement stores, and not its policy, which may say no to what passes here.
//!
//! ```
//! use subrosa_script::check::{Clause, check};
//! use subrosa_script::syntax::{Source, parse};
//!
//! let text = "vault 'KEY' into @key\nsensitive script 'curl -u @{key} example.com'\nsuccess\n";
//! let script = parse(Source::new("get.sky", text)).unwrap();
//! let checked = check(&script);
//! assert_eq!(checked.refused(), 1);
//! assert_eq!(checked.egress[0].labels, ["KEY"]);
//! assert_eq!(checked.egress[0].missing, [Clause::Risk]);
//! ```

mod effects;
mod flow;
mod listing;
mod names;
mod points;
mod state;
mod taint;
mod walk;

use std::collections::HashMap;

use crate::syntax::ast::{Block, Script};
use crate::syntax::{Diagnostic, FunctionId};
use names::Reads;
use points::Points;
pub use points::{Clause, Egress, Sink};
use state::{Frame, State, Within};
use taint::{Labels, Taint};
use walk::Walk;

/// After so many rounds what still changes is taken to be anything.
const ROUNDS: usize = 40;
/// Most contexts that one function is looked at in apart from each other.
const CONTEXTS: usize = 16;
/// Calls within calls that are gone into at once; others wait for the next round.
const CALLS: usize = 4;

/// What there is to know of a script.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Every way out, and every condition that would be refused, in the order of the text.
    pub egress: Vec<Egress>,
    /// Names without anything behind them, and such: warnings, in the order of the text.
    pub problems: Vec<Diagnostic>,
}

impl Checked {
    /// How many of [`Checked::egress`] would be refused.
    #[must_use]
    pub fn refused(&self) -> usize {
        let refused = self.egress.iter().filter(|one| one.refusal.is_some());
        refused.count()
    }
}

/// Checks a script that parses.
#[must_use]
pub fn check(script: &Script) -> Checked {
    let mut check = Check {
        script,
        labels: Labels::default(),
        entries: HashMap::new(),
        contexts: Vec::new(),
        known: HashMap::new(),
        loops: HashMap::new(),
        points: Points::default(),
        reads: Reads::default(),
        is_news: false,
        rounds: 0,
        depth: 0,
    };
    check.contexts.push(Context::default());
    check.go_through();
    Checked {
        egress: listing::egress(script, &check.labels, &check.points),
        problems: names::problems(script, &check.reads, |entry| {
            check.entries.contains_key(entry)
        }),
    }
}

/// A function in one kind of call, or the script.
#[derive(Debug, Clone, Default)]
struct Context {
    /// `None` for the script.
    function: Option<FunctionId>,
    arguments: Vec<Taint>,
    /// The script's own variables at the calls.
    globals: Frame,
    within: Within,
    environment: Taint,
    /// What it gives back, where it ends with success.
    result: Option<Taint>,
    /// What it hands on to later processes.
    set: Taint,
    /// What decides where it ends.
    ended: Taint,
}

/// What parts one context from another: whether each argument, and that it is called, is a secret.
type Kind = (FunctionId, Vec<bool>, bool);

struct Check<'s> {
    script: &'s Script,
    labels: Labels,
    /// What the values of an entry derive from beside itself.
    entries: HashMap<Box<str>, Taint>,
    contexts: Vec<Context>,
    known: HashMap<Kind, usize>,
    /// What may be known where a turn of a loop begins, by context and the offset of its header.
    loops: HashMap<(usize, u32), State>,
    points: Points,
    reads: Reads<'s>,
    /// Whether this round found something.
    is_news: bool,
    rounds: usize,
    depth: usize,
}

impl<'s> Check<'s> {
    fn go_through(&mut self) {
        let mut is_backward = false;
        loop {
            self.is_news = false;
            self.points = Points::default();
            self.reads = Reads::default();
            // Forward, arguments reach functions that are called; backward, results reach callers.
            let mut at = 0;
            while at < self.contexts.len() {
                let last = self.contexts.len() - 1;
                self.look_at(if is_backward { last - at } else { at });
                at += 1;
            }
            is_backward = !is_backward;
            self.rounds += 1;
            if !self.is_news {
                return;
            }
        }
    }

    fn look_at(&mut self, at: usize) {
        let Some(context) = self.contexts.get(at) else {
            return;
        };
        let script = self.script;
        let body: Option<&'s Block> = match context.function {
            None => Some(&script.body),
            Some(id) => script.function(id).map(|function| &function.body),
        };
        let Some(body) = body else {
            return;
        };
        let state = State {
            frame: Frame::new(script.variables.len(), script.containers.len()),
            within: context.within.clone(),
            environment: context.environment.clone(),
        };
        self.depth += 1;
        let mut walk = Walk::new(self, at, state);
        walk.block(body, false);
        walk.ended();
        self.depth -= 1;
    }

    /// What comes of calling a function: its result, `None` where it never succeeds, what it hands on
    /// to processes, and what decides where it ends.
    fn call(
        &mut self,
        function: FunctionId,
        arguments: Vec<Taint>,
        state: &State,
        globals: &Frame,
    ) -> (Option<Taint>, Taint, Taint) {
        let secrets = arguments.iter().map(Taint::is_secret).collect();
        let mut kind: Kind = (function, secrets, state.within.taint.is_secret());
        let others = self
            .known
            .keys()
            .filter(|known| known.0 == function)
            .count();
        if others >= CONTEXTS && !self.known.contains_key(&kind) {
            kind = (function, Vec::new(), true);
        }
        let (at, is_new) = match self.known.get(&kind) {
            Some(at) => (*at, false),
            None => {
                let at = self.contexts.len();
                self.contexts.push(Context {
                    function: Some(function),
                    globals: globals.clone(),
                    ..Context::default()
                });
                self.known.insert(kind, at);
                (at, true)
            }
        };
        let Some(context) = self.contexts.get_mut(at) else {
            return Default::default();
        };
        let mut is_news = is_new;
        is_news |= context.globals.join(globals);
        is_news |= context.within.join(&state.within);
        is_news |= context.environment.join(&state.environment);
        for (at, argument) in arguments.into_iter().enumerate() {
            match context.arguments.get_mut(at) {
                Some(known) => is_news |= known.join(&argument),
                None => context.arguments.push(argument),
            }
        }
        self.is_news |= is_news;
        if is_new && self.depth < CALLS {
            self.look_at(at);
        }
        match self.contexts.get(at) {
            Some(context) => (
                context.result.clone(),
                context.set.clone(),
                context.ended.clone(),
            ),
            None => Default::default(),
        }
    }

    /// What may be known where a turn of a loop begins, now that `state` may come to it.
    fn turn(&mut self, context: usize, header: u32, state: State) -> State {
        let key = (context, header);
        let Some(known) = self.loops.get_mut(&key) else {
            self.is_news = true;
            self.loops.insert(key, state.clone());
            return state;
        };
        if known.join(&state) {
            self.is_news = true;
            if self.rounds > ROUNDS {
                known.frame.widen(&self.labels.top());
            }
        }
        known.clone()
    }

    /// The value of an entry.
    fn entry(&mut self, name: &str) -> Taint {
        let own = Taint::of(self.labels.id(name));
        match self.entries.get(name) {
            Some(more) => own.and(more),
            None => own,
        }
    }

    /// Stores what derives from this.
    fn keep(&mut self, name: &str, taint: &Taint) {
        let entry = self.entries.entry(name.into()).or_default();
        self.is_news |= entry.join(taint);
    }
}
