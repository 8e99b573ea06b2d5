//! Names of variables, containers and functions as small numbers.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use super::words::closest;

/// A number that stands for a name of one kind.
pub trait NameId: Copy {
    #[doc(hidden)]
    fn from_index(index: u32) -> Self;
    /// Its place among the names of its kind, from 0 without gaps: a slot.
    fn index(self) -> usize;
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// Its place among the names of its kind, from 0 without gaps: a slot.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl NameId for $name {
            fn from_index(index: u32) -> Self {
                Self(index)
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

name_id! {
    /// A variable, `@x`.
    VariableId
}
name_id! {
    /// A container, `::c`.
    ContainerId
}
name_id! {
    /// A function, `#f`.
    FunctionId
}

/// The names of one kind in a script, in the order in which they first occur.
#[derive(Clone)]
pub struct Names<Id> {
    texts: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32>,
    kind: PhantomData<Id>,
}

impl<Id> Default for Names<Id> {
    fn default() -> Self {
        Self {
            texts: Vec::new(),
            ids: HashMap::new(),
            kind: PhantomData,
        }
    }
}

impl<Id> fmt::Debug for Names<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.texts).finish()
    }
}

impl<Id> PartialEq for Names<Id> {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl<Id: NameId> Names<Id> {
    pub(crate) fn intern(&mut self, text: &str) -> Id {
        if let Some(index) = self.ids.get(text) {
            return Id::from_index(*index);
        }
        // A script of a mebibyte has fewer names than that.
        let index = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text.into());
        self.ids.insert(text.into(), index);
        Id::from_index(index)
    }

    /// The name without its sigil; empty for an id of another script.
    #[must_use]
    pub fn text(&self, id: Id) -> &str {
        self.texts.get(id.index()).map_or("", |text| text)
    }

    /// The id of a name without its sigil, if the script mentions it.
    #[must_use]
    pub fn id(&self, text: &str) -> Option<Id> {
        self.ids.get(text).copied().map(Id::from_index)
    }

    /// Another name of the script that this one may have been meant to be, of those that there is
    /// something behind.
    pub(crate) fn near(&self, id: Id, is_there: impl Fn(Id) -> bool) -> Option<&str> {
        let own = self.text(id);
        let others = (0_u32..)
            .zip(&self.texts)
            .filter(|(index, text)| ***text != *own && is_there(Id::from_index(*index)));
        let others: Vec<&str> = others.map(|(_, text)| &**text).collect();
        closest(own, &others)
    }

    /// How many names there are: every id's index is below that.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether the script has no name of this kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}
