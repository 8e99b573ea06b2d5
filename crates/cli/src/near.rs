//! Keys that were not found, and the one that was probably meant.

use subrosa_engine::{ListFilter, Listed, Session, closest};

use crate::access::Access;
use crate::failure::Failure;
use crate::remote::Remote;
use crate::text::shell_word;
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

impl Names for Remote {
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
    // What was not found is the news; that the names cannot be listed either is none.
    let Some(listed) = vault.names() else {
        return failure;
    };
    let names: Vec<&str> = listed.iter().map(|one| one.key.as_str()).collect();
    match meant(&wanted, &names) {
        Some(hint) => failure.remedy(format!("{hint} See what there is: subrosa ls --all")),
        None => failure,
    }
}

/// What was probably meant, of the names that there are.
fn meant(wanted: &str, names: &[&str]) -> Option<String> {
    let (key, field) = match wanted.split_once('#') {
        Some((key, field)) => (key, format!("#{field}")),
        None => (wanted, String::new()),
    };
    let did_you = |name: &str| Some(format!("did you mean `{name}{field}`?"));
    if let Some(name) = names.iter().find(|name| variable(name) == key) {
        return did_you(name);
    }
    // A folder of keys; `*` stops at a slash.
    let folder = key.trim_end_matches(['*', '/']);
    let below = format!("{folder}/");
    if !folder.is_empty() && names.iter().any(|name| name.starts_with(&below)) {
        let pattern = shell_word(&format!("{folder}/**{field}"));
        return Some(format!("All keys below it: {pattern}."));
    }
    // The workspace in front, as references have it.
    if let Some((workspace, rest)) = key.split_once('/')
        && names.contains(&rest)
    {
        return Some(format!(
            "did you mean `{rest}{field}`? Of another workspace: -w {workspace}."
        ));
    }
    match closest(key, names) {
        Some(near) if near != key => did_you(near),
        _ => None,
    }
}

/// The variable of a key's main field.
fn variable(key: &str) -> String {
    key.to_ascii_uppercase().replace(['/', '-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn what_was_typed_leads_to_what_was_meant() {
        let names = ["api/key", "db/main/password", "top"];
        for (typed, part) in [
            ("api/kye", "`api/key`"),
            ("API_KEY", "`api/key`"),
            ("DB_MAIN_PASSWORD#value", "`db/main/password#value`"),
            (
                "default/api/key",
                "`api/key`? Of another workspace: -w default",
            ),
            ("db", "'db/**'"),
            ("db/*", "'db/**'"),
            ("db/main/", "'db/main/**'"),
        ] {
            let hint = meant(typed, &names).unwrap_or_default();
            assert!(hint.contains(part), "{typed}: {hint}");
        }
        for typed in ["", "*", "something/else", "/"] {
            assert_eq!(meant(typed, &names), None, "{typed}");
        }
    }
}
