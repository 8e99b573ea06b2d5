//! A vault that ends with the script: sealed entries in memory, and a gate of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use subrosa_audit::{Chain, KeyRing, Writer};
use subrosa_crypto::{Aad, Key, random};
use subrosa_egress::{Gate, Sensitive};
use subrosa_model::{
    CallerKind, FieldName, KeyName, Label, Scope, SecretId, SecretUse, VaultId, WorkspaceId,
};
use subrosa_policy::Policy;
use subrosa_script::world::WorldError;
use subrosa_store::memory::MemoryLog;

use super::{Store, Surroundings, World, failed};
use crate::{Effects, EngineError};

/// What the clauses of the script permit is permitted.
const POLICY: &str =
    "version: 1\nrules:\n  - { name: clauses, allow: script, secrets: [\"**\"] }\n";

/// The world of a script that has no vault but its own, which is gone when it ends. It needs no
/// folder, writes nothing, and its audit log is in memory.
///
/// # Errors
/// [`EngineError`] where there is no locked memory.
pub fn ephemeral(effects: Effects, surroundings: Surroundings) -> Result<World, EngineError> {
    let rng = Arc::clone(&effects.rng);
    let vault = VaultId::from_bytes(random(&*rng));
    let keys = Arc::new(KeyRing::new(vault, vec![(1, Key::generate(&*rng)?)])?);
    let chain = Arc::new(Mutex::new(Chain::open(Arc::clone(&keys), None)?));
    let log = Box::new(MemoryLog::default());
    let writer = Arc::new(Writer::spawn(log, chain, Arc::clone(&rng), None)?);
    let gate = Gate::new(
        Policy::parse(POLICY)?,
        1,
        keys,
        writer,
        Arc::clone(&effects.clock),
    );
    let mut caller = effects.operator();
    caller.kind = CallerKind::Script;
    let store = Ephemeral {
        gate,
        key: Key::generate(&*rng)?,
        workspace: WorkspaceId::from_bytes(random(&*rng)),
        entries: BTreeMap::new(),
        effects: effects.clone(),
    };
    Ok(World::over(Box::new(store), effects, caller, surroundings))
}

struct Ephemeral {
    gate: Gate,
    key: Key,
    workspace: WorkspaceId,
    entries: BTreeMap<String, (Label, Vec<u8>)>,
    effects: Effects,
}

/// What binds a sealed value to its entry and version.
fn bound(label: &Label) -> Aad {
    Aad::new("script/entry")
        .bytes(label.secret.as_bytes().as_slice())
        .u32(label.version)
}

impl Store for Ephemeral {
    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn fetch(&mut self, name: &str) -> Result<Option<Sensitive>, WorldError> {
        let Some((label, sealed)) = self.entries.get(name) else {
            return Ok(None);
        };
        Sensitive::open(&self.key, &bound(label), sealed, label.clone())
            .map(Some)
            .map_err(|error| failed(format!("vault {name:?}"), error))
    }

    fn has(&mut self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    fn keep(&mut self, name: &str, value: &Sensitive, _: bool) -> Result<(), WorldError> {
        let key = KeyName::new(name).map_err(|error| failed(format!("vault {name:?}"), error))?;
        let (secret, version) = match self.entries.get(name) {
            Some((label, _)) => (label.secret, label.version + 1),
            None => (SecretId::from_bytes(random(&*self.effects.rng)), 1),
        };
        let label = Label {
            workspace: self.workspace,
            secret,
            key,
            field: FieldName::default_field(),
            version,
            pin: None,
        };
        let sealed = value.seal(&self.key, &*self.effects.rng, &bound(&label));
        self.entries.insert(name.to_owned(), (label, sealed));
        Ok(())
    }

    fn uses(&mut self, value: &Sensitive) -> Result<Vec<SecretUse>, WorldError> {
        let scope = Scope {
            workspace: Scope::default_workspace(),
            group: None,
        };
        let used = |label: &Label| SecretUse {
            label: label.clone(),
            scope: scope.clone(),
            expires: None,
            // The language has no least length: what is released is what the script says.
            searched: true,
        };
        Ok(value.labels().iter().map(used).collect())
    }

    fn close(self: Box<Self>) -> Result<(), EngineError> {
        // The log goes with the vault.
        Ok(())
    }
}
