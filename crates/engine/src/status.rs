//! What can be said of a vault without opening it, and which custody is in force.

use serde::Serialize;
use subrosa_model::VaultId;
use subrosa_vault::{SlotInfo, Vault};

use crate::error::with_article;
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
    let alone = alone(&slots);
    let ambient = !alone.is_empty();
    let custody = if ambient {
        format!(
            "none against code of this user: {} opens the vault without a person",
            alone.join(" or ")
        )
    } else {
        "same user: stops accidents and sandboxed code; an agent outside a sandbox and its user are one"
            .to_owned()
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
        custody,
    })
}

/// The kinds that open the vault without a person, each once.
fn alone(slots: &[SlotInfo]) -> Vec<&'static str> {
    let mut alone = Vec::new();
    for slot in slots {
        let kind = match slot.kind {
            None => "a slot of a later program",
            Some(kind) if kind.proves_presence() => continue,
            Some(kind) => with_article(kind),
        };
        if !alone.contains(&kind) {
            alone.push(kind);
        }
    }
    alone
}
