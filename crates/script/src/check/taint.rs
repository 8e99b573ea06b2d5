//! What a value may derive from.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// The number of a label.
pub(super) type LabelId = u32;

/// The label of a secret whose entry is known to nobody before the script runs.
pub(super) const UNKNOWN: &str = "?";

/// The entries that a value may derive from; public where there is nothing, not even a secret
/// without an entry, such as what was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Taint(Option<Rc<BTreeSet<LabelId>>>);

impl Taint {
    /// A secret that no entry holds.
    pub(super) fn nameless() -> Self {
        Self(Some(Rc::default()))
    }

    pub(super) fn of(label: LabelId) -> Self {
        Self(Some(Rc::new(BTreeSet::from([label]))))
    }

    /// Whether it may be a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn labels(&self) -> impl Iterator<Item = LabelId> + '_ {
        self.0.iter().flat_map(|labels| labels.iter().copied())
    }

    /// Takes `other` in; tells whether that is news.
    pub(super) fn join(&mut self, other: &Self) -> bool {
        let Some(more) = &other.0 else {
            return false;
        };
        match &mut self.0 {
            None => {
                self.0 = Some(Rc::clone(more));
                true
            }
            Some(labels) if Rc::ptr_eq(labels, more) || more.is_subset(labels) => false,
            Some(labels) => {
                Rc::make_mut(labels).extend(more.iter().copied());
                true
            }
        }
    }

    /// Both together.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.join(other);
        self
    }

    /// All of them together.
    pub(super) fn all<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), Self::and)
    }
}

/// The names of labels.
#[derive(Debug, Default)]
pub(super) struct Labels {
    names: Vec<Box<str>>,
    ids: HashMap<Box<str>, LabelId>,
}

impl Labels {
    pub(super) fn id(&mut self, name: &str) -> LabelId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = LabelId::try_from(self.names.len()).unwrap_or(LabelId::MAX);
        self.names.push(name.into());
        self.ids.insert(name.into(), id);
        id
    }

    /// The names of a taint, in their order.
    pub(super) fn names(&self, taint: &Taint) -> Vec<String> {
        let names = taint.labels().filter_map(|id| {
            let at = usize::try_from(id).ok()?;
            self.names.get(at).map(|name| name.to_string())
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// Everything that there is.
    pub(super) fn top(&self) -> Taint {
        let count = LabelId::try_from(self.names.len()).unwrap_or(LabelId::MAX);
        Taint(Some(Rc::new((0..count).collect())))
    }
}

#[cfg(test)]
mod tests {
    use super::{Labels, Taint};

    #[test]
    fn a_secret_without_an_entry_is_not_public() {
        let mut labels = Labels::default();
        let (one, other) = (labels.id("ONE"), labels.id("OTHER"));
        let mut taint = Taint::default();
        assert!(!taint.join(&Taint::default()) && !taint.is_secret());
        assert!(taint.join(&Taint::nameless()) && taint.is_secret());
        assert!(labels.names(&taint).is_empty());
        assert!(taint.join(&Taint::of(other)) && taint.join(&Taint::of(one)));
        assert!(!taint.join(&Taint::of(one)));
        assert_eq!(labels.names(&taint), ["ONE", "OTHER"]);
        assert_eq!(labels.top(), taint);
    }
}
