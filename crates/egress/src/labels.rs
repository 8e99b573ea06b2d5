//! Which entries a value derives from.

use std::collections::{BTreeSet, btree_set};
use std::ops::Deref;
use std::sync::Arc;

use subrosa_model::Label;

/// Which entries and versions a value derives from. Whoever derives a value from one other shares
/// its set, so that a long computation on one secret copies no names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Option<Arc<BTreeSet<Label>>>);

static NONE: BTreeSet<Label> = BTreeSet::new();

impl Labels {
    /// Of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self(None)
    }

    /// Those of both; one of the two where it has the other's.
    #[must_use]
    pub fn with(&self, others: &Self) -> Self {
        match (&self.0, &others.0) {
            (_, None) => self.clone(),
            (None, _) => others.clone(),
            (Some(own), Some(theirs)) if Arc::ptr_eq(own, theirs) => self.clone(),
            (Some(own), Some(theirs)) if theirs.is_subset(own) => self.clone(),
            (Some(own), Some(theirs)) if own.is_subset(theirs) => others.clone(),
            (Some(own), Some(theirs)) => own.union(theirs).cloned().collect(),
        }
    }
}

impl Deref for Labels {
    type Target = BTreeSet<Label>;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl FromIterator<Label> for Labels {
    fn from_iter<I: IntoIterator<Item = Label>>(labels: I) -> Self {
        let labels: BTreeSet<Label> = labels.into_iter().collect();
        // One way to say nothing, so that what is equal compares equal.
        Self((!labels.is_empty()).then(|| Arc::new(labels)))
    }
}

impl<const N: usize> From<[Label; N]> for Labels {
    fn from(labels: [Label; N]) -> Self {
        labels.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Labels {
    type Item = &'a Label;
    type IntoIter = btree_set::Iter<'a, Label>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
