//! What is known of variables and containers at one place of a script.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::taint::Taint;

/// What a variable or a container may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    /// It may have no value yet.
    pub(super) is_unset: bool,
    /// It may have one.
    pub(super) is_set: bool,
    pub(super) taint: Taint,
}

impl Slot {
    pub(super) fn unset() -> Self {
        Self {
            is_unset: true,
            is_set: false,
            taint: Taint::default(),
        }
    }

    pub(super) fn set(taint: Taint) -> Self {
        Self {
            is_unset: false,
            is_set: true,
            taint,
        }
    }

    /// Takes `other` in; tells whether that is news.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        let is_news = (other.is_unset && !self.is_unset) || (other.is_set && !self.is_set);
        self.is_unset |= other.is_unset;
        self.is_set |= other.is_set;
        self.taint.join(&other.taint) | is_news
    }
}

/// So many slots are copied together.
const CHUNK: usize = 64;

/// Slots that copies share until they are changed: a branch copies them all, and changes few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slots(Vec<Rc<Vec<Slot>>>);

impl Slots {
    fn new(count: usize) -> Self {
        let chunk = Rc::new(vec![Slot::unset(); CHUNK]);
        Self(vec![chunk; count.div_ceil(CHUNK)])
    }

    pub(super) fn get(&self, at: usize) -> Option<&Slot> {
        self.0.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut Slot> {
        Rc::make_mut(self.0.get_mut(at / CHUNK)?).get_mut(at % CHUNK)
    }

    fn join(&mut self, other: &Self) -> bool {
        let mut is_news = false;
        for (chunk, other) in self.0.iter_mut().zip(&other.0) {
            if Rc::ptr_eq(chunk, other) || chunk == other {
                continue;
            }
            for (slot, other) in Rc::make_mut(chunk).iter_mut().zip(&**other) {
                is_news |= slot.join(other);
            }
        }
        is_news
    }

    /// Whatever has a value may be anything.
    fn widen(&mut self, top: &Taint) {
        for slot in self.0.iter_mut().flat_map(Rc::make_mut) {
            if slot.is_set {
                slot.taint.join(top);
            }
        }
    }
}

/// The slots of one call, or of the script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) variables: Slots,
    pub(super) containers: Slots,
}

impl Frame {
    pub(super) fn new(variables: usize, containers: usize) -> Self {
        Self {
            variables: Slots::new(variables),
            containers: Slots::new(containers),
        }
    }

    pub(super) fn join(&mut self, other: &Self) -> bool {
        self.variables.join(&other.variables) | self.containers.join(&other.containers)
    }

    pub(super) fn widen(&mut self, top: &Taint) {
        self.variables.widen(top);
        self.containers.widen(top);
    }
}

/// The conditions on secrets around a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Within {
    pub(super) taint: Taint,
    /// The outermost headers, by the offset at which each begins.
    pub(super) headers: BTreeSet<u32>,
}

impl Within {
    pub(super) fn join(&mut self, other: &Self) -> bool {
        let before = self.headers.len();
        self.headers.extend(other.headers.iter().copied());
        self.taint.join(&other.taint) | (self.headers.len() > before)
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    pub(super) frame: Frame,
    pub(super) within: Within,
    /// What variables of later processes may derive from.
    pub(super) environment: Taint,
}

impl State {
    pub(super) fn join(&mut self, other: &Self) -> bool {
        self.frame.join(&other.frame)
            | self.within.join(&other.within)
            | self.environment.join(&other.environment)
    }
}

/// What may come of one way or another; `None` is a place that nothing reaches.
pub(super) fn either(one: Option<State>, other: Option<State>) -> Option<State> {
    match (one, other) {
        (Some(mut one), Some(other)) => {
            one.join(&other);
            Some(one)
        }
        (one, other) => one.or(other),
    }
}
