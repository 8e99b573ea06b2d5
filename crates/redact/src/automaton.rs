//! An Aho-Corasick automaton that knows its depth.
//!
//! The depth of the current state is the length of the longest suffix of the
//! input that is a prefix of a needle, which is exactly what has to be held
//! back. States are numbered breadth first, so that the children of a state
//! are neighbours and need no list of targets.
//!
//! Source: Aho and Corasick, Efficient string matching, CACM 18 (6), 1975.

use std::collections::HashMap;

use zeroize::{Zeroize, Zeroizing};

use crate::finding::Form;
use crate::needles::{Edge, Needle};

/// A state.
pub(crate) type State = u32;
/// The state before anything was matched.
pub(crate) const ROOT: State = 0;
const NONE: u32 = u32::MAX;

/// A needle that ends in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) len: u32,
    pub(crate) owner: u32,
    pub(crate) form: Form,
    pub(crate) left: Edge,
    pub(crate) right: Edge,
}

/// The compiled needles.
pub(crate) struct Automaton {
    /// The byte on the edge into each state.
    label: Vec<u8>,
    /// The first child of each state; its last lies before the next one's first.
    first: Vec<u32>,
    fail: Vec<State>,
    depth: Vec<u32>,
    /// Index in `edges` of what a needle with this prefix would take in to its
    /// left.
    left: Vec<u32>,
    edges: Vec<Edge>,
    /// The value of which the prefix is a truncation worth masking.
    truncated: Vec<u32>,
    /// Index in `lists` of the needles that end here; the first one is empty.
    list: Vec<u32>,
    lists: Vec<(u32, u32)>,
    candidates: Vec<Candidate>,
    /// Transitions of the root, where most bytes of most texts are spent.
    root: Vec<State>,
    longest: usize,
}

impl Automaton {
    /// Compiles needles. Of equal needles the earlier wins, unless only the
    /// later belongs to a value with a name (`named`, by owner).
    pub(crate) fn new(needles: &[Needle], named: &[bool]) -> Self {
        Trie::new(needles, named).freeze()
    }

    /// The state after one more byte.
    pub(crate) fn step(&self, state: State, byte: u8) -> State {
        self.step_counted(state, byte, || {})
    }

    /// As [`Automaton::step`]; `hop` is called for each failure link followed.
    pub(crate) fn step_counted(&self, mut state: State, byte: u8, mut hop: impl FnMut()) -> State {
        while state != ROOT {
            if let Some(next) = self.child(state, byte) {
                return next;
            }
            hop();
            state = self.fail[state as usize];
        }
        self.root[byte as usize]
    }

    fn child(&self, state: State, byte: u8) -> Option<State> {
        let from = self.first[state as usize];
        let to = self.first[state as usize + 1];
        let labels = &self.label[from as usize..to as usize];
        let index = match labels {
            [] => None,
            [only] => (*only == byte).then_some(0),
            _ if labels.len() <= 8 => labels.iter().position(|label| *label == byte),
            _ => labels.binary_search(&byte).ok(),
        };
        index.map(|index| from + index as u32)
    }

    /// How many bytes at the start of `text` leave the root where it is.
    pub(crate) fn skip(&self, text: &[u8]) -> usize {
        text.iter()
            .position(|byte| self.root[*byte as usize] != ROOT)
            .unwrap_or(text.len())
    }

    /// The needles that end in this state, the longest first. Left out are
    /// those that can change neither the union nor the name of a finding.
    pub(crate) fn ending(&self, state: State) -> &[Candidate] {
        let (from, to) = self.lists[self.list[state as usize] as usize];
        &self.candidates[from as usize..to as usize]
    }

    /// The state that stands for the longest *proper* prefix of a needle: a
    /// needle that is complete and cannot go on holds nothing back.
    pub(crate) fn open(&self, mut state: State) -> State {
        while state != ROOT && self.first[state as usize] == self.first[state as usize + 1] {
            state = self.fail[state as usize];
        }
        state
    }

    /// The length of the prefix that the state stands for.
    pub(crate) fn depth(&self, state: State) -> usize {
        self.depth[state as usize] as usize
    }

    /// Whether a needle with this prefix would take in `byte` to its left.
    pub(crate) fn takes_left(&self, state: State, byte: u8) -> bool {
        self.edges[self.left[state as usize] as usize].fits(byte)
    }

    /// The longest suffix that is a truncated value: its length and owner.
    pub(crate) fn truncation(&self, mut state: State) -> Option<(usize, u32)> {
        while state != ROOT {
            let owner = self.truncated[state as usize];
            if owner != NONE {
                return Some((self.depth(state), owner));
            }
            state = self.fail[state as usize];
        }
        None
    }

    /// The only value to which this prefix can lead, if there is only one.
    ///
    /// Visits states until it knows; meant for idle terminals, not for scans.
    pub(crate) fn sole_owner(&self, state: State) -> Option<u32> {
        let mut sole = None;
        let mut open = vec![state];
        while let Some(state) = open.pop() {
            let depth = self.depth[state as usize];
            for candidate in self.ending(state).iter().filter(|c| c.len == depth) {
                if *sole.get_or_insert(candidate.owner) != candidate.owner {
                    return None;
                }
            }
            open.extend(self.first[state as usize]..self.first[state as usize + 1]);
        }
        sole
    }

    /// The length of the longest needle.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }
}

impl Drop for Automaton {
    fn drop(&mut self) {
        self.label.zeroize();
        self.root.zeroize();
        self.edges.zeroize();
        for candidate in &mut self.candidates {
            candidate.left.zeroize();
            candidate.right.zeroize();
        }
    }
}

/// The needles as a tree, in the order in which its nodes were made.
struct Trie {
    label: Zeroizing<Vec<u8>>,
    child: Vec<u32>,
    sibling: Vec<u32>,
    left: Zeroizing<Vec<Edge>>,
    truncated: Vec<u32>,
    ends: HashMap<u32, Vec<Candidate>>,
    longest: usize,
}

impl Trie {
    fn new(needles: &[Needle], named: &[bool]) -> Self {
        // Sized for the worst case, so that growth leaves no copy of labels.
        let most = 1 + needles.iter().map(|n| n.bytes.len()).sum::<usize>();
        let mut trie = Trie {
            label: Zeroizing::new(Vec::with_capacity(most)),
            child: Vec::new(),
            sibling: Vec::new(),
            left: Zeroizing::new(Vec::with_capacity(most)),
            truncated: Vec::new(),
            ends: HashMap::new(),
            longest: 0,
        };
        trie.node(0, NONE);
        for needle in needles {
            trie.insert(needle, named);
        }
        trie
    }

    fn node(&mut self, label: u8, sibling: u32) -> u32 {
        let node = u32::try_from(self.label.len()).expect("needles stay under 4 GiB in total");
        self.label.push(label);
        self.child.push(NONE);
        self.sibling.push(sibling);
        self.left.push(Edge::NONE);
        self.truncated.push(NONE);
        node
    }

    fn insert(&mut self, needle: &Needle, named: &[bool]) {
        let mut node = ROOT;
        for (depth, byte) in needle.bytes.iter().enumerate() {
            let left = &mut self.left[node as usize];
            *left = left.or(needle.left);
            if needle.truncated_from.is_some_and(|from| depth >= from) {
                let owner = &mut self.truncated[node as usize];
                if *owner == NONE || !named[*owner as usize] && named[needle.owner as usize] {
                    *owner = needle.owner;
                }
            }
            node = self.descend(node, *byte);
        }
        self.longest = self.longest.max(needle.bytes.len());
        let candidate = Candidate {
            len: needle.bytes.len() as u32,
            owner: needle.owner,
            form: needle.form,
            left: needle.left,
            right: needle.right,
        };
        let same = |c: &&mut Candidate| {
            (c.form, c.left, c.right) == (candidate.form, candidate.left, candidate.right)
        };
        let ends = self.ends.entry(node).or_default();
        match ends.iter_mut().find(same) {
            None => ends.push(candidate),
            Some(old) => {
                if !named[old.owner as usize] && named[candidate.owner as usize] {
                    *old = candidate;
                }
            }
        }
    }

    fn descend(&mut self, node: u32, byte: u8) -> u32 {
        let mut child = self.child[node as usize];
        while child != NONE {
            if self.label[child as usize] == byte {
                return child;
            }
            child = self.sibling[child as usize];
        }
        let child = self.node(byte, self.child[node as usize]);
        self.child[node as usize] = child;
        child
    }

    fn children(&self, node: u32) -> Vec<u32> {
        let mut children = Vec::new();
        let mut child = self.child[node as usize];
        while child != NONE {
            children.push(child);
            child = self.sibling[child as usize];
        }
        children.sort_unstable_by_key(|child| self.label[*child as usize]);
        children
    }

    fn freeze(mut self) -> Automaton {
        let states = self.label.len();
        let mut automaton = Automaton {
            label: Vec::with_capacity(states),
            first: Vec::with_capacity(states + 1),
            fail: vec![ROOT; states],
            depth: vec![0; states],
            left: Vec::with_capacity(states),
            edges: Vec::new(),
            truncated: Vec::with_capacity(states),
            list: vec![0; states],
            lists: vec![(0, 0)],
            candidates: Vec::new(),
            root: vec![ROOT; 256],
            longest: self.longest,
        };
        // Breadth first: `order[state]` is the node that becomes the state.
        let mut order = vec![ROOT];
        let mut at = 0;
        let mut edges = HashMap::new();
        while let Some(&node) = order.get(at) {
            automaton.label.push(self.label[node as usize]);
            // There are few different ones: a handful for each needle's start.
            let edge = self.left[node as usize];
            let index = *edges.entry(edge).or_insert_with(|| {
                automaton.edges.push(edge);
                automaton.edges.len() as u32 - 1
            });
            automaton.left.push(index);
            automaton.truncated.push(self.truncated[node as usize]);
            automaton.first.push(order.len() as u32);
            for child in self.children(node) {
                automaton.depth[order.len()] = automaton.depth[at] + 1;
                order.push(child);
            }
            at += 1;
        }
        automaton.first.push(states as u32);
        automaton.link();
        for (state, node) in order.iter().enumerate() {
            let own = self.ends.remove(node).unwrap_or_default();
            automaton.set_ending(state, own);
        }
        automaton
    }
}

impl Automaton {
    /// Sets root transitions and failure links, parents before children.
    fn link(&mut self) {
        for child in self.first[0]..self.first[1] {
            self.root[self.label[child as usize] as usize] = child;
        }
        for parent in 1..self.fail.len() {
            for child in self.first[parent]..self.first[parent + 1] {
                let fail = self.step(self.fail[parent], self.label[child as usize]);
                self.fail[child as usize] = fail;
            }
        }
    }

    /// Lists the needles that end in `state`: its own, then of the inherited
    /// ones those that may still matter beside a longer one.
    ///
    /// A needle two or more bytes shorter than another with the same end can
    /// neither start earlier nor be longer, even with both neighbours; it can
    /// only reach one byte further, and that only through an edge to the right
    /// that no longer needle has. There are few different edges, so the lists
    /// stay short however many needles are nested.
    fn set_ending(&mut self, state: usize, own: Vec<Candidate>) {
        let inherited = self.list[self.fail[state] as usize];
        if own.is_empty() {
            self.list[state] = inherited;
            return;
        }
        let (from, to) = self.lists[inherited as usize];
        let longest = self.depth[state];
        let start = self.candidates.len();
        self.candidates.extend(own);
        for index in from..to {
            let candidate = self.candidates[index as usize];
            let kept = &self.candidates[start..];
            let reaches = candidate.right != Edge::NONE
                && !kept.iter().any(|longer| longer.right == candidate.right);
            if candidate.len + 2 > longest || reaches {
                self.candidates.push(candidate);
            }
        }
        self.list[state] = self.lists.len() as u32;
        self.lists
            .push((start as u32, self.candidates.len() as u32));
    }
}

#[cfg(test)]
mod tests;
