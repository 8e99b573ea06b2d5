//! An open vault with its gate: what every use case works on.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use subrosa_audit::{Attempt, Chain, Finding, KeyRing, Writer, merge_attempts};
use subrosa_crypto::{Argon2Params, Rng, SecretBuf};
use subrosa_egress::Gate;
use subrosa_model::{Caller, Digest, Event, EventBody, Scope, StoreError};
use subrosa_policy::{Policy, Reach};
use subrosa_store::anchor::FileAnchor;
use subrosa_store::folder::Folder;
use subrosa_store::pins::PinRecord;
use subrosa_store::prelog::Prelog;
use subrosa_store::sqlite::{CreateOptions, OpenOptions, SqliteStore};
use subrosa_vault::{Document, Genesis, NewSlot, SlotInfo, Unlock, Unverified, Vault, VaultError};

use crate::journal::{ChainJournal, ring};
use crate::known::Recalled;
use crate::{Effects, EngineError, Home, pinning};

/// How long a passphrase takes to check, where the machine decides the cost.
const KDF_TARGET: Duration = Duration::from_millis(250);

/// What opening needs beside the proof.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The folders.
    pub home: Home,
    /// The machine.
    pub effects: Effects,
    /// Where look-ups begin.
    pub scope: Scope,
    /// Accept a vault whose root key is not the pinned one, and pin it. Needs presence.
    pub accept_root: bool,
    /// Open although the anchor says that the vault went back in time, to look at it.
    pub inspect: bool,
}

/// What making a vault is told.
#[derive(Debug)]
pub struct InitOptions {
    /// The passphrase.
    pub passphrase: SecretBuf,
    /// Whether to draw a recovery code.
    pub recovery: bool,
    /// The cost of the passphrase; `None` measures this machine.
    pub params: Option<Argon2Params>,
}

/// An open vault.
pub struct Session {
    pub(crate) setting: Setting,
    pub(crate) vault: Vault,
    pub(crate) journal: ChainJournal,
    pub(crate) gate: Gate,
    pub(crate) writer: Arc<Writer>,
    pub(crate) caller: Caller,
    pub(crate) policy_revision: Option<u64>,
    pub(crate) present: bool,
    pub(crate) rolled_back: Option<Finding>,
    pub(crate) recalled: Recalled,
    /// How many references were followed to where we are.
    pub(crate) following: usize,
    /// What the token of the present caller reaches; `None` for a caller without one.
    pub(crate) reach: Option<Vec<Reach>>,
    pub(crate) notices: Vec<String>,
}

impl Session {
    /// Makes a vault and opens it. Returns the recovery code, to be shown once.
    ///
    /// # Errors
    /// [`EngineError::VaultExists`]; a failure leaves no vault behind.
    pub fn init(
        setting: Setting,
        options: InitOptions,
    ) -> Result<(Self, Option<SecretBuf>), EngineError> {
        let Effects { clock, rng, .. } = setting.effects.clone();
        let path = setting.home.vault();
        if path.symlink_metadata().is_ok() {
            return Err(EngineError::VaultExists {
                path: setting.home.data.clone(),
            });
        }
        let params = options
            .params
            .unwrap_or_else(|| Argon2Params::calibrate(KDF_TARGET));
        let genesis = Genesis::new(Arc::clone(&rng), clock.now())?;
        let (code, slots) = first_slots(&*rng, options, params)?;
        let keys = Arc::new(ring(genesis.id(), genesis.audit_epochs())?);
        let caller = setting.effects.operator();
        let chain = Arc::new(Mutex::new(Chain::open(keys, None)?));
        let mut journal = ChainJournal::new(chain, None, (rng, clock), caller.clone());
        let mut created = None;
        let store = SqliteStore::create_with(&path, &CreateOptions::default(), |store| {
            created = Some(genesis.create(store, &mut journal, &slots)?);
            Ok::<_, EngineError>(())
        })?;
        let created = created.ok_or_else(|| EngineError::usage("the vault was not written"))?;
        let vault = created.open(Box::new(store));
        let pin = PinRecord {
            vault: vault.id(),
            current: vault.fingerprint(),
            next: None,
        };
        let mut notices = Vec::new();
        if let Err(error) = pinning::write(&setting.home, &pin) {
            notices.push(pinning::notice(&error));
        }
        let session = Self::assemble(setting, vault, journal, caller, notices)?;
        Ok((session, code))
    }

    /// Opens the vault.
    ///
    /// # Errors
    /// [`EngineError::NoVault`], [`EngineError::Vault`] with `WrongKey`,
    /// [`EngineError::Forged`], [`EngineError::RolledBack`] and whatever the store says.
    pub fn open(setting: Setting, unlock: &Unlock) -> Result<Self, EngineError> {
        Self::open_anew(setting, unlock, true)
    }

    /// As [`Session::open`], where it is known that the log has no anchor.
    pub(crate) fn open_unanchored(setting: Setting, unlock: &Unlock) -> Result<Self, EngineError> {
        Self::open_anew(setting, unlock, false)
    }

    fn open_anew(setting: Setting, unlock: &Unlock, anchored: bool) -> Result<Self, EngineError> {
        const ATTEMPTS: usize = 3;
        for _ in 1..ATTEMPTS {
            match Self::open_once(setting.clone(), unlock, anchored) {
                // Another process gave it a new root key between our looking at it and reading it.
                Err(EngineError::Vault(VaultError::Replaced)) => {}
                outcome => return outcome,
            }
        }
        Self::open_once(setting, unlock, anchored)
    }

    fn open_once(setting: Setting, unlock: &Unlock, anchored: bool) -> Result<Self, EngineError> {
        let caller = setting.effects.operator();
        let unverified = unlocked(&setting, &caller, unlock)?;
        let mut notices = Vec::new();
        if pinning::agrees(&setting.home, &unverified) {
            let mut session = Self::verified(setting, unverified, caller, notices)?;
            // Whoever has a pin of a vault has had an anchor of its log.
            if anchored {
                session.heed_anchor();
            }
            return Ok(session);
        }
        // Root and pin are two files: another process may have changed both since we read the one.
        // They are looked at again while nobody changes them.
        drop(unverified);
        let held = pinning::hold(&setting.home);
        let unverified = unlocked(&setting, &caller, unlock)?;
        pinning::settle(&setting, (&unverified, unlock), &mut notices)?;
        drop(held);
        Self::verified(setting, unverified, caller, notices)
    }

    fn verified(
        setting: Setting,
        unverified: Unverified,
        caller: Caller,
        notices: Vec<String>,
    ) -> Result<Self, EngineError> {
        let keys = Arc::new(ring(unverified.id(), unverified.audit_epochs())?);
        let Effects { clock, rng, .. } = setting.effects.clone();
        // The head is taken up when the vault is verified, from the same view as its state.
        let chain = Arc::new(Mutex::new(Chain::open(keys, None)?));
        let mut journal = ChainJournal::new(chain, None, (rng, clock), caller.clone());
        let vault = unverified.verify(&mut journal)?;
        Self::assemble(setting, vault, journal, caller, notices)
    }

    fn assemble(
        setting: Setting,
        mut vault: Vault,
        mut journal: ChainJournal,
        caller: Caller,
        notices: Vec<String>,
    ) -> Result<Self, EngineError> {
        let keys = journal.ring();
        let writer = Arc::new(spawn_writer(&setting, &journal, &keys)?);
        let rolled_back = writer.status().anchor_finding;
        if let Some(finding) = rolled_back.clone().filter(|_| !setting.inspect) {
            return Err(EngineError::RolledBack { finding });
        }
        journal.attach(Arc::clone(&writer));
        let (policy, policy_revision) = policy_of(&mut vault, &mut journal, None)?;
        let policy = policy.unwrap_or_default();
        let revision = policy_revision.unwrap_or(0);
        let clock = Arc::clone(&setting.effects.clock);
        let gate = Gate::new(policy, revision, keys, Arc::clone(&writer), clock);
        let present = vault
            .slot()
            .and_then(|slot| slot.kind)
            .is_some_and(|kind| kind.proves_presence());
        let mut session = Self {
            setting,
            vault,
            journal,
            gate,
            writer,
            caller,
            policy_revision,
            present,
            rolled_back,
            recalled: Recalled::default(),
            following: 0,
            reach: None,
            notices,
        };
        session.record_opening()?;
        Ok(session)
    }

    /// Merges what was noted before the key was known, and records that the vault was opened.
    fn record_opening(&mut self) -> Result<(), EngineError> {
        if self.rolled_back.is_some() {
            return Ok(());
        }
        let now = self.setting.effects.clock.now();
        let caller = self.caller.clone();
        let writer = Arc::clone(&self.writer);
        let merged = Prelog::at(&self.setting.home.prelog()).drain(|found| {
            let lines = found.entries.iter().map(Vec::as_slice);
            for event in merge_attempts(lines, found.dropped, found.unreadable, &caller, now) {
                writer.submit(event).wait()?;
            }
            Ok::<_, EngineError>(())
        });
        if let Err(error) = merged {
            self.notices.push(format!(
                "failed attempts to open the vault could not be merged into the log: {error}"
            ));
        }
        let slot = self
            .vault
            .slot()
            .map(|slot| slot.label.clone())
            .unwrap_or_default();
        let body = EventBody::Unlock(subrosa_model::Unlock {
            slot,
            opened: true,
            unauthenticated: false,
        });
        self.writer.submit_later(Event {
            time: now,
            caller: self.caller.clone(),
            body,
        });
        Ok(())
    }

    /// What the user should know about this opening.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The folders and scope.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The scope in which look-ups begin.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.setting.scope
    }

    /// The vault's root fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        self.vault.fingerprint()
    }

    /// The slot that opened the vault.
    #[must_use]
    pub fn slot(&self) -> Option<&SlotInfo> {
        self.vault.slot()
    }

    /// Whether opening proved that a person is there.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.present
    }

    /// Acts for `caller` from here on, in its scope. Nothing has proven that a person is there.
    ///
    /// A policy that somebody else has put in force meanwhile is taken up.
    ///
    /// # Errors
    /// [`EngineError::Vault`] when the policy cannot be read, [`EngineError::Policy`].
    pub fn act_for(&mut self, caller: Caller, scope: Scope) -> Result<(), EngineError> {
        self.present = false;
        self.reach = None;
        self.gate.bound_by(None);
        self.journal.set_caller(caller.clone());
        self.caller = caller;
        self.setting.scope = scope;
        let (policy, revision) =
            policy_of(&mut self.vault, &mut self.journal, self.policy_revision)?;
        if let Some(policy) = policy {
            self.gate.replace_policy(policy, revision.unwrap_or(0));
            self.policy_revision = revision;
        }
        Ok(())
    }

    /// Waits until every record is durable and anchored.
    ///
    /// # Errors
    /// What the log gave.
    pub fn close(self) -> Result<(), EngineError> {
        Ok(self.gate.flush()?)
    }

    /// Demands a proof of presence for an operation.
    pub(crate) fn require_presence(&self, what: &'static str) -> Result<(), EngineError> {
        if self.present {
            Ok(())
        } else {
            Err(EngineError::Presence { what })
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.vault)
    }
}

/// The policy of a vault and its revision; no policy when `known` is the revision in force still,
/// or when the vault has none.
fn policy_of(
    vault: &mut Vault,
    journal: &mut ChainJournal,
    known: Option<u64>,
) -> Result<(Option<Policy>, Option<u64>), EngineError> {
    match vault.document(journal, Document::POLICY)? {
        Some(document) if known != Some(document.revision) => {
            let text = String::from_utf8_lossy(&document.content);
            Ok((Some(Policy::parse(&text)?), Some(document.revision)))
        }
        other => Ok((None, other.map(|document| document.revision))),
    }
}

/// Opens the root key, and notes it when that fails.
pub(crate) fn unlocked(
    setting: &Setting,
    caller: &Caller,
    unlock: &Unlock,
) -> Result<Unverified, EngineError> {
    let store = open_store(&setting.home, &setting.home.vault())?;
    let rng = Arc::clone(&setting.effects.rng);
    match Vault::open(Box::new(store), rng, unlock) {
        Err(error @ (VaultError::WrongKey { .. } | VaultError::NoSlot { .. })) => {
            note_attempt(setting, caller, unlock.kind().name());
            Err(error.into())
        }
        opened => Ok(opened?),
    }
}

/// The slots of a new vault, and the recovery code that opens one of them.
pub(crate) fn first_slots(
    rng: &dyn Rng,
    options: InitOptions,
    params: Argon2Params,
) -> Result<(Option<SecretBuf>, Vec<NewSlot<'static>>), EngineError> {
    let mut slots = vec![NewSlot {
        unlock: Unlock::Passphrase(options.passphrase),
        label: "passphrase",
        params,
    }];
    if !options.recovery {
        return Ok((None, slots));
    }
    let code = NewSlot::recovery_code(rng)?;
    let unlock = Unlock::Recovery(SecretBuf::copy_from(code.as_slice())?);
    slots.push(NewSlot {
        unlock,
        label: "recovery",
        params,
    });
    Ok((Some(code), slots))
}

pub(crate) fn open_store(home: &Home, path: &Path) -> Result<SqliteStore, EngineError> {
    match SqliteStore::open(path, &OpenOptions::default()) {
        Err(StoreError::Missing { .. }) => Err(EngineError::NoVault {
            path: home.data.clone(),
        }),
        opened => Ok(opened?),
    }
}

fn spawn_writer(
    setting: &Setting,
    journal: &ChainJournal,
    keys: &KeyRing,
) -> Result<Writer, EngineError> {
    let log = SqliteStore::open(&setting.home.vault(), &OpenOptions::default())?;
    let anchor = setting.home.anchors().join(keys.vault().to_string());
    Folder::create(&setting.home.state)?;
    Folder::create(&setting.home.anchors())?;
    let anchor = FileAnchor::at(&anchor);
    let rng = Arc::clone(&setting.effects.rng);
    Ok(Writer::spawn(
        Box::new(log),
        journal.shared(),
        rng,
        Some(Box::new(anchor)),
    )?)
}

/// Notes a failed attempt; that the note could not be written must not hide the failure itself.
fn note_attempt(setting: &Setting, caller: &Caller, slot: &str) {
    let attempt = Attempt {
        time: setting.effects.clock.now(),
        caller: caller.clone(),
        slot: slot.to_owned(),
    };
    let _ = Folder::create(&setting.home.state)
        .and_then(|_| Prelog::at(&setting.home.prelog()).append(&attempt.encode()));
}
