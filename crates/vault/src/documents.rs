//! Sealed documents: policy, settings, and the keys of the log and of the vault's lineage.
//!
//! Source: spec/vault.md, "Documents".

use std::fmt;

use subrosa_crypto::{Aad, Key, MemoryError, Rng, SecretBuf, SigningKey, VerifyingKey};
use subrosa_model::limits::DOCUMENT_MAX;
use subrosa_model::{Change, VaultId};

use crate::contents::Contents;
use crate::draft::Draft;
use crate::journal::Journal;
use crate::keys::{RootKeys, document_key};
use crate::port::{Record, Snapshot};
use crate::{Vault, VaultError};

const AUDIT_KEYS: &str = "audit-keys";
const LINEAGE: &str = "lineage";

/// The documents that this program keeps.
pub(crate) const ALL: [&str; 6] = [
    AUDIT_KEYS,
    LINEAGE,
    Document::POLICY,
    Document::KNOWN,
    Document::AGENTS,
    Document::PLACEHOLDERS,
];

/// Names of documents that rooms above keep in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// How often it was written.
    pub revision: u64,
    /// Its content.
    pub content: Vec<u8>,
}

impl Document {
    /// The policy's name.
    pub const POLICY: &'static str = "policy";
    /// The name of the register of agents' tokens.
    pub const AGENTS: &'static str = "agents";
    /// The name of the list of values that were handed out.
    pub const KNOWN: &'static str = "known";
    /// The name of the list of what stands for values in files.
    pub const PLACEHOLDERS: &'static str = "placeholders";
}

impl Vault {
    /// A document, or `None` when it was never written.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] when it is not what was sealed.
    pub fn document(
        &mut self,
        journal: &mut dyn Journal,
        name: &'static str,
    ) -> Result<Option<Document>, VaultError> {
        self.read(journal, |contents, snapshot| {
            let Some(record) = contents.listed(snapshot, &document_key(name))? else {
                return Ok(None);
            };
            let mut content = Vec::new();
            contents
                .root
                .documents()
                .open_public(
                    &aad(&contents.root, name, record.revision),
                    &record.body,
                    &mut content,
                )
                .map_err(VaultError::opening(name))?;
            Ok(Some(Document {
                revision: record.revision,
                content,
            }))
        })
    }

    /// Writes a document, recorded as `change`. `expected` is the revision that the caller's
    /// content rests on, `None` for a new one.
    ///
    /// # Errors
    /// [`VaultError::Limit`] beyond [`DOCUMENT_MAX`] bytes; [`VaultError::Stale`] when somebody
    /// else wrote it meanwhile.
    pub fn put_document(
        &mut self,
        journal: &mut dyn Journal,
        name: &'static str,
        (expected, content): (Option<u64>, &[u8]),
        change: &Change,
    ) -> Result<(), VaultError> {
        if content.len() > DOCUMENT_MAX {
            return Err(VaultError::Limit {
                what: format!("bytes of {name}"),
                limit: DOCUMENT_MAX,
            });
        }
        self.write(journal, |draft| {
            let old = draft.contents.listed(draft.snapshot, &document_key(name))?;
            let old = old.map(|record| record.revision);
            if old != expected {
                return Err(VaultError::Stale { what: name });
            }
            let revision = old.unwrap_or(0) + 1;
            let root = &draft.contents.root;
            let body = root
                .documents()
                .seal(draft.rng, &aad(root, name, revision), content);
            draft.put_listed(
                Record {
                    key: document_key(name),
                    revision,
                    body,
                },
                old,
            );
            Ok(((), change.clone()))
        })
    }
}

fn aad(root: &RootKeys, name: &str, revision: u64) -> Aad {
    aad_of(root.vault(), name, revision)
}

fn aad_of(vault: VaultId, name: &str, revision: u64) -> Aad {
    Aad::new("subrosa/document/v1")
        .bytes(vault.as_bytes())
        .text(name)
        .u64(revision)
}

/// Opens a document of key material into locked memory.
pub(crate) fn open_private(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
    name: &str,
) -> Result<(u64, SecretBuf), VaultError> {
    let record = contents
        .listed(snapshot, &document_key(name))?
        .ok_or_else(|| VaultError::tampered(format!("{name} is missing")))?;
    let plain = contents
        .root
        .documents()
        .open(&aad(&contents.root, name, record.revision), &record.body)
        .map_err(VaultError::opening(name))?;
    Ok((record.revision, plain))
}

/// Seals a document under `root`, as `revision`.
pub(crate) fn seal(
    root: &RootKeys,
    rng: &dyn Rng,
    name: &str,
    revision: u64,
    plain: &[u8],
) -> Record {
    let body = root
        .documents()
        .seal(rng, &aad(root, name, revision), plain);
    Record {
        key: document_key(name),
        revision,
        body,
    }
}

/// The keys of the log, one for each epoch; the last is current. Keeps the order in which they
/// came, since old rows are verified under old keys.
pub struct AuditEpochs(Vec<(u32, Key)>);

const EPOCH_BYTES: usize = 4 + 32;

impl AuditEpochs {
    pub(crate) fn first(rng: &dyn Rng) -> Result<Self, MemoryError> {
        Ok(Self(vec![(1, Key::generate(rng)?)]))
    }

    /// The epochs, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Key)> {
        self.0.iter().map(|(epoch, key)| (*epoch, key))
    }

    pub(crate) fn push_next(&mut self, rng: &dyn Rng) -> Result<(u32, &Key), MemoryError> {
        let next = self.0.last().map_or(1, |(epoch, _)| epoch + 1);
        self.0.push((next, Key::generate(rng)?));
        let (epoch, key) = self.0.last().expect("just pushed");
        Ok((*epoch, key))
    }

    pub(crate) fn encode(&self) -> Result<SecretBuf, MemoryError> {
        let mut plain = SecretBuf::with_capacity(self.0.len() * EPOCH_BYTES)?;
        for (epoch, key) in &self.0 {
            plain.extend(&epoch.to_le_bytes())?;
            plain.extend(key.danger_expose())?;
        }
        Ok(plain)
    }

    pub(crate) fn read(
        contents: &Contents,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Self, VaultError> {
        let (_, plain) = open_private(contents, snapshot, AUDIT_KEYS)?;
        let malformed = || VaultError::tampered(AUDIT_KEYS);
        let epochs = plain.as_slice().chunks(EPOCH_BYTES).map(|entry| {
            let (epoch, key) = entry.split_first_chunk::<4>().ok_or_else(malformed)?;
            Ok((
                u32::from_le_bytes(*epoch),
                Key::from_bytes(key).map_err(|_| malformed())?,
            ))
        });
        let epochs = epochs.collect::<Result<Vec<_>, VaultError>>()?;
        if epochs.is_empty() {
            Err(malformed())
        } else {
            Ok(Self(epochs))
        }
    }
}

impl fmt::Debug for AuditEpochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuditEpochs({})", self.0.len())
    }
}

pub(crate) fn put_audit_epochs(
    draft: &mut Draft<'_>,
    epochs: &AuditEpochs,
) -> Result<(), VaultError> {
    let record = seal(
        &draft.contents.root,
        draft.rng,
        AUDIT_KEYS,
        1,
        epochs.encode()?.as_slice(),
    );
    draft.put_listed(record, None);
    Ok(())
}

pub(crate) fn put_lineage(draft: &mut Draft<'_>, seed: &Key) -> Result<(), VaultError> {
    let record = seal(
        &draft.contents.root,
        draft.rng,
        LINEAGE,
        1,
        seed.danger_expose(),
    );
    draft.put_listed(record, None);
    Ok(())
}

/// The key that signs what slots hold.
pub(crate) fn lineage(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
) -> Result<SigningKey, VaultError> {
    let (_, plain) = open_private(contents, snapshot, LINEAGE)?;
    let seed = Key::from_bytes(plain.as_slice()).map_err(|_| VaultError::tampered(LINEAGE))?;
    Ok(SigningKey::from_seed(&seed)?)
}

/// Demands that the vault's lineage is the one that the opened slot vouches for.
pub(crate) fn check_lineage(
    contents: &Contents,
    snapshot: &mut dyn Snapshot,
    expected: VerifyingKey,
) -> Result<(), VaultError> {
    if lineage(contents, snapshot)?.public().0 == expected.0 {
        Ok(())
    } else {
        Err(VaultError::tampered(LINEAGE))
    }
}

/// The name of the document that holds the log's keys, for rotation.
pub(crate) const fn audit_keys_name() -> &'static str {
    AUDIT_KEYS
}
