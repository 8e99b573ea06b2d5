//! Keys that were not found, and the one that was probably meant.

use subrosa_engine::{ListFilter, Listed, Session, closest};

use crate::access::Access;
use crate::failure::Failure;
use crate::trouble::Trouble;

/// What knows which secrets there are.
pub(crate) trait Names {
    /// The secrets in scope, where they can be told.
    fn names(&mut self) -> Option<Vec<Listed>>;
}

impl Names for Session {
    fn names(&mut self) -> Option<Vec<Listed>> {
        self.list(&ListFilter::default()).ok()
    }
}

impl Names for Access {
    fn names(&mut self) -> Option<Vec<Listed>> {
        self.list(&ListFilter::default()).ok()
    }
}

/// The failure, with the name that comes nearest to what was typed; of names alone.
///
/// `typed` may be empty where several were typed; the error then says which it was.
pub(crate) fn missed(vault: &mut dyn Names, typed: &str, trouble: impl Into<Trouble>) -> Failure {
    let Trouble {
        failure, missing, ..
    } = trouble.into();
    let wanted = match missing {
        None => return failure,
        Some(_) if failure.code == "missing" && !typed.is_empty() => typed.to_owned(),
        Some(wanted) => String::from(wanted),
    };
    let (key, field) = match wanted.split_once('#') {
        Some((key, field)) => (key, format!("#{field}")),
        None => (wanted.as_str(), String::new()),
    };
    // What was not found is the news; that the names cannot be listed either is none.
    let Some(listed) = vault.names() else {
        return failure;
    };
    let names: Vec<&str> = listed.iter().map(|one| one.key.as_str()).collect();
    match closest(key, &names) {
        Some(near) if near != key => failure.remedy(format!(
            "did you mean `{near}{field}`? See what there is: subrosa ls --all"
        )),
        _ => failure,
    }
}
