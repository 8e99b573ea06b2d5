//! A byte string that gives a value away, and what of its neighbours does.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::finding::Form;

/// A byte string to search for.
pub(crate) struct Needle {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) form: Form,
    pub(crate) owner: u32,
    /// The neighbours that are masked too if they carry bits of the value.
    pub(crate) left: Edge,
    pub(crate) right: Edge,
    /// Whether it is text in code units of two bytes, without the zero byte before or after it: at
    /// an even offset the zero that follows belongs to it, at an odd one the zero before.
    pub(crate) is_wide: bool,
    /// From which length on a part of it counts.
    pub(crate) cut: Option<Cut>,
}

/// From which lengths on a prefix and a suffix of a needle are found as well; both less than its
/// own length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) prefix: usize,
    pub(crate) suffix: usize,
    /// Bytes at the beginning that no suffix reaches into.
    pub(crate) public: usize,
}

impl Needle {
    /// A needle without neighbours.
    pub(crate) fn plain(bytes: Zeroizing<Vec<u8>>, form: Form, owner: u32) -> Self {
        Needle {
            bytes,
            form,
            owner,
            left: Edge::NONE,
            right: Edge::NONE,
            is_wide: false,
            cut: None,
        }
    }
}

/// The neighbours of a needle that are masked with it: characters of the encoding's alphabet some
/// of whose bits are bits of the value.
///
/// A set of the characters of base64 in both alphabets, and of zero; one bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Edge(u128);

/// The bits belong to a value, so they are not shown.
impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Edge::NONE { "none" } else { "some" })
    }
}

impl Edge {
    pub(crate) const NONE: Edge = Edge(0);
    /// A zero byte.
    pub(crate) const ZERO: Edge = Edge(1 << 66);

    /// These characters.
    pub(crate) fn of(characters: impl Iterator<Item = u8>) -> Self {
        let indices = characters.filter_map(Edge::index);
        Edge(indices.fold(0, |set, index| set | 1 << index))
    }

    /// The characters that are such neighbours.
    pub(crate) fn characters(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |byte| self.fits(*byte))
    }

    /// Whether `byte` is such a neighbour.
    pub(crate) fn fits(self, byte: u8) -> bool {
        Edge::index(byte).is_some_and(|index| self.0 >> index & 1 == 1)
    }

    /// The neighbours of either.
    pub(crate) fn or(self, other: Edge) -> Edge {
        Edge(self.0 | other.0)
    }

    fn index(byte: u8) -> Option<u8> {
        match byte {
            b'A'..=b'Z' => Some(byte - b'A'),
            b'a'..=b'z' => Some(byte - b'a' + 26),
            b'0'..=b'9' => Some(byte - b'0' + 52),
            b'+' => Some(62),
            b'/' => Some(63),
            b'-' => Some(64),
            b'_' => Some(65),
            0 => Some(66),
            _ => None,
        }
    }
}

impl Zeroize for Edge {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
