//! A vault in memory with its journal, for tests.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::sync::Arc;

use subrosa_crypto::{Argon2Params, Key, Rng, SecretBuf, SystemRng};
use subrosa_egress::Sensitive;
use subrosa_model::{
    Caller, CallerKind, Change, Digest, Event, EventBody, FieldName, KeyName, LogAppend, LogHead,
    Scope, SessionId, Timestamp, VaultId,
};
use subrosa_testkit::MemoryStore;
use subrosa_testkit::audit::{AuditError, Chain, KeyRing, Prepared};
use subrosa_vault::{
    AuditEpochs, Genesis, Head, Journal, Mode, NewSlot, NewValue, Patch, Unlock, Vault, VaultError,
};

pub const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
pub const PASSPHRASE: &[u8] = b"correct horse battery staple";

/// The engine's journal in small.
pub struct TestJournal {
    pub chain: Chain,
    prepared: Option<Prepared>,
    rng: Arc<dyn Rng>,
}

pub fn ring(vault: VaultId, epochs: &AuditEpochs) -> Arc<KeyRing> {
    let keys: Vec<(u32, Key)> = epochs
        .iter()
        .map(|(epoch, key)| (epoch, key.try_clone().unwrap()))
        .collect();
    Arc::new(KeyRing::new(vault, keys).unwrap())
}

impl TestJournal {
    pub fn new(vault: VaultId, epochs: &AuditEpochs) -> Self {
        Self::seeded(vault, epochs, Arc::new(SystemRng))
    }

    pub fn seeded(vault: VaultId, epochs: &AuditEpochs, rng: Arc<dyn Rng>) -> Self {
        Self {
            chain: Chain::open(ring(vault, epochs), None).unwrap(),
            prepared: None,
            rng,
        }
    }

    fn catch_up(&mut self, head: Option<&LogHead>) -> Result<(), VaultError> {
        if head.map_or(0, |head| head.sequence) < self.chain.sequence() {
            return Err(VaultError::Behind);
        }
        self.chain
            .reload(head.cloned())
            .map_err(|error| match error {
                AuditError::Rotated => VaultError::Replaced,
                error => VaultError::Tampered {
                    what: error.to_string(),
                },
            })
    }
}

fn event(change: &Change) -> Event {
    let caller = Caller {
        kind: CallerKind::Operator,
        uid: 0,
        pid: 1,
        executable: None,
        token: None,
        session: SessionId::from_bytes([1; 16]),
    };
    Event {
        time: NOW,
        caller,
        body: EventBody::Change(change.clone()),
    }
}

impl Journal for TestJournal {
    fn check(&mut self, head: Option<&LogHead>, state: Digest) -> Result<(), VaultError> {
        self.catch_up(head)?;
        if self.chain.state() == state {
            Ok(())
        } else {
            Err(VaultError::Tampered {
                what: "the log vouches for another state".into(),
            })
        }
    }

    fn prepare(
        &mut self,
        head: Option<&LogHead>,
        state: Digest,
        change: &Change,
    ) -> Result<LogAppend, VaultError> {
        self.catch_up(head)?;
        let prepared = self
            .chain
            .prepare(&*self.rng, &[event(change)], Some(state))
            .unwrap();
        let append = prepared.append.clone();
        self.prepared = Some(prepared);
        Ok(append)
    }

    fn prepare_epoch(
        &mut self,
        head: Option<&LogHead>,
        state: Digest,
        change: &Change,
        epochs: &AuditEpochs,
    ) -> Result<LogAppend, VaultError> {
        self.catch_up(head)?;
        let ring = ring(self.chain.ring().vault(), epochs);
        let prepared = self
            .chain
            .prepare_rotate(&*self.rng, ring, &[event(change)], Some(state), NOW)
            .unwrap();
        let append = prepared.append.clone();
        self.prepared = Some(prepared);
        Ok(append)
    }

    fn committed(&mut self, _append: &LogAppend) {
        if let Some(prepared) = self.prepared.take() {
            prepared.commit(&mut self.chain);
        }
    }
}

pub struct House {
    pub store: MemoryStore,
    pub vault: Vault,
    pub journal: TestJournal,
}

pub fn secret(bytes: &[u8]) -> SecretBuf {
    SecretBuf::copy_from(bytes).unwrap()
}

pub fn passphrase() -> Unlock {
    Unlock::Passphrase(secret(PASSPHRASE))
}

impl House {
    pub fn new() -> Self {
        Self::with_slots(vec![NewSlot {
            unlock: passphrase(),
            label: "passphrase",
            params: Argon2Params::FLOOR,
        }])
    }

    /// Opened by a key file, so that a test does not pay for a passphrase.
    pub fn quick() -> Self {
        Self::with_slots(vec![quick_slot()])
    }

    pub fn with_slots(slots: Vec<NewSlot<'_>>) -> Self {
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        let store = MemoryStore::new();
        let genesis = Genesis::new(rng, NOW).unwrap();
        let mut journal = TestJournal::new(genesis.id(), genesis.audit_epochs());
        let created = genesis
            .create(&mut store.clone(), &mut journal, &slots)
            .unwrap();
        let vault = created.open(Box::new(store.clone()));
        Self {
            store,
            vault,
            journal,
        }
    }

    pub fn open(store: &MemoryStore, unlock: &Unlock) -> Result<Self, VaultError> {
        let unverified = Vault::open(Box::new(store.clone()), Arc::new(SystemRng), unlock)?;
        let mut journal = TestJournal::new(unverified.id(), unverified.audit_epochs());
        let vault = unverified.verify(&mut journal)?;
        Ok(Self {
            store: store.clone(),
            vault,
            journal,
        })
    }

    pub fn set(&mut self, name: &str, value: &[u8]) -> Head {
        self.set_in(&scope(), name, patch(value)).unwrap()
    }

    pub fn set_in(&mut self, scope: &Scope, name: &str, patch: Patch) -> Result<Head, VaultError> {
        let stored = self.vault.set(
            &mut self.journal,
            (scope, &key(name)),
            &patch,
            Mode::Upsert,
            NOW,
        )?;
        Ok(stored.head)
    }

    /// The value, through the one comparison that there is.
    pub fn holds(
        &mut self,
        scope: &Scope,
        name: &str,
        field_name: &str,
        expected: &[u8],
    ) -> Result<bool, VaultError> {
        let located = self.vault.locate(&mut self.journal, scope, &key(name))?;
        let value = self
            .vault
            .open_value(&mut self.journal, &located, &field(field_name), None)?;
        Ok(subrosa_egress::danger::same(
            &value,
            &Sensitive::input(secret(expected)),
        ))
    }

    pub fn has(&mut self, name: &str, expected: &[u8]) -> Result<bool, VaultError> {
        self.holds(&scope(), name, "value", expected)
    }
}

pub const KEY_FILE: &[u8] = b"0123456789abcdef0123456789abcdef";

pub fn quick_unlock() -> Unlock {
    Unlock::KeyFile(secret(KEY_FILE))
}

pub fn quick_slot() -> NewSlot<'static> {
    NewSlot {
        unlock: quick_unlock(),
        label: "key",
        params: Argon2Params::FLOOR,
    }
}

pub fn key(name: &str) -> KeyName {
    KeyName::new(name).unwrap()
}

pub fn field(name: &str) -> FieldName {
    FieldName::new(name).unwrap()
}

pub fn scope() -> Scope {
    Scope {
        workspace: Scope::default_workspace(),
        group: None,
    }
}

pub fn value(name: &str, bytes: &[u8]) -> NewValue {
    NewValue {
        field: field(name),
        value: Sensitive::input(secret(bytes)),
        about: None,
    }
}

pub fn patch(bytes: &[u8]) -> Patch {
    Patch {
        values: vec![value("value", bytes)],
        ..Patch::default()
    }
}
