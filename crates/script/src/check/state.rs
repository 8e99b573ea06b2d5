//! What is known of variables and containers at one place of a script.

use std::collections::BTreeSet;

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

/// The slots of one call, or of the script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) variables: Vec<Slot>,
    pub(super) containers: Vec<Slot>,
}

impl Frame {
    pub(super) fn new(variables: usize, containers: usize) -> Self {
        Self {
            variables: vec![Slot::unset(); variables],
            containers: vec![Slot::unset(); containers],
        }
    }

    pub(super) fn join(&mut self, other: &Self) -> bool {
        let variables = self.variables.iter_mut().zip(&other.variables);
        let containers = self.containers.iter_mut().zip(&other.containers);
        let mut is_news = false;
        for (slot, other) in variables.chain(containers) {
            is_news |= slot.join(other);
        }
        is_news
    }

    /// Whatever has a value may be anything.
    pub(super) fn widen(&mut self, top: &Taint) {
        for slot in self.variables.iter_mut().chain(&mut self.containers) {
            if slot.is_set {
                slot.taint.join(top);
            }
        }
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
