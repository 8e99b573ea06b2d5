//! What can be said of a vault without opening it, and which custody is in force.

use serde::Serialize;
use subrosa_model::VaultId;
use subrosa_vault::Vault;

use crate::session::open_store;
use crate::{EngineError, Home};

/// The state of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The vault's folder.
    pub folder: String,
    /// Whether there is a vault.
    pub exists: bool,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultId>,
    /// The kinds of its slots.
    pub slots: Vec<String>,
    /// Whether any code of this user can open the vault without a person.
    pub ambient: bool,
    /// The custody in force, in words.
    pub custody: String,
}

/// Looks at an installation.
///
/// # Errors
/// Whatever makes the vault unreadable; a missing one is no error.
pub fn status(home: &Home) -> Result<Status, EngineError> {
    let folder = home.data.display().to_string();
    let mut store = match open_store(home, &home.vault()) {
        Ok(store) => store,
        Err(EngineError::NoVault { .. }) => {
            return Ok(Status {
                folder,
                exists: false,
                vault: None,
                slots: Vec::new(),
                ambient: false,
                custody: "there is no vault yet".to_owned(),
            });
        }
        Err(error) => return Err(error),
    };
    let (vault, slots) = Vault::peek(&mut store)?;
    let ambient = slots
        .iter()
        .any(|slot| slot.kind.is_none_or(|kind| !kind.proves_presence()));
    let custody = if ambient {
        "none against code of this user: a key file opens the vault without a person"
    } else {
        "same user: stops accidents and sandboxed code; an agent outside a sandbox and its user are one"
    };
    Ok(Status {
        folder,
        exists: true,
        vault: Some(vault),
        slots: slots
            .iter()
            .map(|slot| {
                let kind = slot.kind.map_or("of a later program", |kind| kind.name());
                format!("{} ({kind})", slot.label)
            })
            .collect(),
        ambient,
        custody: custody.to_owned(),
    })
}
