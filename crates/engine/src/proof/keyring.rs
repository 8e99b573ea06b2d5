//! The secret that the keyring of the desktop keeps: the Secret Service, asked through the program
//! `secret-tool` of libsecret, so that neither D-Bus nor an asynchronous runtime is built in.

use std::ffi::{OsStr, OsString};

use subrosa_crypto::SecretBuf;
use subrosa_model::VaultId;
use subrosa_vault::{SlotKind, Unlock, Vault, VaultError};

use super::encoded::{Source, decode_secret};
use super::tool::{Said, run};
use crate::session::open_store;
use crate::{EngineError, Home};

const PROGRAM: &str = "secret-tool";

const SOURCE: Source<'_> = Source {
    kind: SlotKind::Keyring,
    what: "the OS keyring",
};

/// The secret that the keyring keeps for the first of the vault's slots that it knows.
///
/// # Errors
/// [`EngineError::Secret`] when it cannot be asked, is locked, or keeps none for this vault;
/// [`EngineError::Vault`] with `NoSlot`.
pub fn read_keyring(
    home: &Home,
    variables: &[(OsString, OsString)],
) -> Result<Unlock, EngineError> {
    let (vault, slots) = Vault::peek(&mut open_store(home, &home.vault())?)?;
    let names: Vec<Vec<u8>> = slots
        .into_iter()
        .filter(|slot| slot.kind == Some(SlotKind::Keyring))
        .map(|slot| slot.envelope)
        .collect();
    if names.is_empty() {
        let what = SlotKind::Keyring.name();
        return Err(VaultError::NoSlot { what }.into());
    }
    // Nobody vouches for the names yet. Whatever one leads to, only a slot's own secret opens it,
    // and that only in a vault whose root key is pinned.
    for envelope in names {
        let said = ask("lookup", &[], (vault, &envelope), &[], variables)?;
        if said.success && !said.output.is_empty() {
            let secret = decode_secret(&said.output, SOURCE)?;
            return Ok(Unlock::Keyring { secret, envelope });
        }
        // It says nothing where it has nothing.
        if !said.complaint.trim().is_empty() {
            return Err(SOURCE.wrong(format!("cannot be read: {}", said.why())));
        }
    }
    Err(SOURCE.wrong("keeps no secret for this vault, or is locked"))
}

/// Has the keyring keep the text of a secret under a name.
pub(crate) fn store_in_keyring(
    (vault, name): (VaultId, &[u8]),
    text: &SecretBuf,
    variables: &[(OsString, OsString)],
) -> Result<(), EngineError> {
    let label = format!("--label=Subrosa vault {vault}");
    let said = ask(
        "store",
        &[&label],
        (vault, name),
        text.as_slice(),
        variables,
    )?;
    match said.success {
        true => Ok(()),
        false => Err(SOURCE.wrong(format!("cannot keep a secret: {}", said.why()))),
    }
}

/// Has the keyring forget what it keeps under a name.
pub(crate) fn clear_keyring(
    item: (VaultId, &[u8]),
    variables: &[(OsString, OsString)],
) -> Result<(), EngineError> {
    ask("clear", &[], item, &[], variables).map(drop)
}

fn ask(
    verb: &str,
    options: &[&str],
    (vault, name): (VaultId, &[u8]),
    input: &[u8],
    variables: &[(OsString, OsString)],
) -> Result<Said, EngineError> {
    let (vault, name) = (vault.to_string(), hex::encode(name));
    let item = ["application", "subrosa", "vault", &vault, "slot", &name];
    let words = std::iter::once(&verb).chain(options).chain(&item);
    let words: Vec<&OsStr> = words.map(OsStr::new).collect();
    run((PROGRAM, &words), variables, &[], input, SOURCE)
}
