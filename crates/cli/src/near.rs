//! Keys that were not found, and the one that was probably meant.

use subrosa_engine::{EngineError, ListFilter, Session, VaultError, closest};

use crate::failure::Failure;

/// The failure, with the name that comes nearest to what was typed; of names alone.
///
/// `typed` may be empty where several were typed; the error then says which it was.
pub(crate) fn missed(session: &mut Session, typed: &str, error: EngineError) -> Failure {
    let wanted = match &error {
        EngineError::Vault(VaultError::Missing { .. }) if !typed.is_empty() => typed.to_owned(),
        EngineError::Vault(VaultError::Missing { key, .. }) => key.to_string(),
        EngineError::NothingFits { pattern, .. } => pattern.clone(),
        _ => return error.into(),
    };
    let failure = Failure::from(error);
    let (key, field) = match wanted.split_once('#') {
        Some((key, field)) => (key, format!("#{field}")),
        None => (wanted.as_str(), String::new()),
    };
    // What was not found is the news; that the names cannot be listed either is none.
    let Ok(listed) = session.list(&ListFilter::default()) else {
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
