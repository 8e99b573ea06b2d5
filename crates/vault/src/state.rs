//! What binds the records of a vault together, so that none can be removed, replayed or rolled
//! back alone.
//!
//! The vault's state lists every small record (header, slots, workspaces, documents, states of
//! workspaces) with its digest. The state of a workspace holds, for each of 32 buckets of heads,
//! the sum of a keyed function of what stands in it. The digest of the vault's state is sealed
//! into the head of the audit log, whose mark is anchored outside the folder.
//!
//! Sums rather than one chain: a change updates one bucket, and a single secret is checked by
//! reading its bucket alone. The sums are sealed, since whoever sees them could look for sets with
//! equal sums.
//!
//! Source: spec/vault.md, "State".

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use subrosa_crypto::{Aad, Key, OpenError, Rng, commitment, sha256};
use subrosa_model::limits::{SLOTS_MAX, WORKSPACES_MAX};
use subrosa_model::{Digest, VaultId, WorkspaceId};

use crate::VaultError;
use crate::codec::{Decoder, Encoder, Malformed};
use crate::head::HeadBody;
use crate::keys::{state_key, workspace_state_key};
use crate::port::{Collection, Record, RecordKey, RecordRef};

/// Most records that the vault's state lists.
const LISTED_MAX: usize = 2 * WORKSPACES_MAX + SLOTS_MAX + 64;
/// Few enough that the state fits into a page of a store beside its neighbours, since every change
/// writes it; many enough that looking one secret up among 100,000 reads a small part of them.
const BUCKETS: usize = 32;
/// Ids that share these first bits share a bucket.
const BUCKET_BITS: u32 = BUCKETS.ilog2();

/// The digest of a small record as a state lists it.
pub(crate) fn record_digest(key: &RecordKey, revision: u64, body: &[u8]) -> Digest {
    let aad = Aad::new("subrosa/record/v1")
        .u32(u32::from(key.collection.number()))
        .bytes(&key.parent)
        .bytes(&key.id)
        .u64(revision)
        .bytes(body);
    Digest::from_bytes(sha256(&aad))
}

/// The list of small records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VaultState {
    records: BTreeMap<RecordKey, Digest>,
}

impl VaultState {
    pub(crate) fn insert(&mut self, record: &Record) {
        self.records.insert(
            record.key,
            record_digest(&record.key, record.revision, &record.body),
        );
    }

    pub(crate) fn remove(&mut self, key: &RecordKey) {
        self.records.remove(key);
    }

    /// Whether a record is the one that was listed.
    pub(crate) fn vouches_for(&self, record: &RecordRef<'_>) -> bool {
        self.records.get(&record.key)
            == Some(&record_digest(&record.key, record.revision, record.body))
    }

    /// How many records of a collection are listed.
    pub(crate) fn count(&self, collection: Collection) -> usize {
        self.records
            .keys()
            .filter(|key| key.collection == collection)
            .count()
    }

    pub(crate) fn lists(&self, key: &RecordKey) -> bool {
        self.records.contains_key(key)
    }

    /// The record that holds this state, and its digest.
    pub(crate) fn seal(
        &self,
        vault: VaultId,
        key: &Key,
        rng: &dyn Rng,
        revision: u64,
    ) -> (Record, Digest) {
        let plain = Encoder::new()
            .list(self.records.iter(), |e, (key, digest)| {
                e.u8(key.collection.number())
                    .fixed(&key.parent)
                    .fixed(&key.id)
                    .fixed(digest.as_bytes())
            })
            .finish();
        let body = key.seal(rng, &vault_aad(vault, revision), &plain);
        let record = Record {
            key: state_key(),
            revision,
            body,
        };
        let digest = record_digest(&record.key, revision, &record.body);
        (record, digest)
    }

    pub(crate) fn open(vault: VaultId, key: &Key, record: &Record) -> Result<Self, OpenError> {
        let mut plain = Vec::new();
        key.open_public(&vault_aad(vault, record.revision), &record.body, &mut plain)?;
        Self::decode(&plain).map_err(|_| OpenError::Tampered)
    }

    pub(crate) fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut d = Decoder::new(plain);
        let records = d.list(LISTED_MAX, |d| {
            let collection = Collection::from_number(d.u8()?).ok_or(Malformed)?;
            let key = RecordKey {
                collection,
                parent: d.fixed()?,
                id: d.fixed()?,
            };
            Ok((key, Digest::from_bytes(d.fixed()?)))
        })?;
        d.end()?;
        Ok(Self {
            records: records.into_iter().collect(),
        })
    }
}

fn vault_aad(vault: VaultId, revision: u64) -> Aad {
    Aad::new("subrosa/state/v1")
        .bytes(vault.as_bytes())
        .u64(revision)
}

fn bucket_of(first: u8) -> usize {
    usize::from(first >> (8 - BUCKET_BITS))
}

/// The first bytes of the ids in the bucket that ids with this first byte belong to.
pub(crate) fn bucket_around(first: u8) -> RangeInclusive<u8> {
    let rest = u8::MAX >> BUCKET_BITS;
    first & !rest..=first | rest
}

/// The sums over the heads of one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkspaceState {
    sums: Box<[u128; BUCKETS]>,
    /// How many heads there are, removed ones included.
    pub(crate) count: u64,
}

impl WorkspaceState {
    pub(crate) fn empty() -> Self {
        Self {
            sums: Box::new([0; BUCKETS]),
            count: 0,
        }
    }

    /// Counts a head in.
    pub(crate) fn add(&mut self, set: &Key, head: &RecordRef<'_>) -> Result<(), VaultError> {
        let sum = &mut self.sums[bucket_of(head.key.id[0])];
        *sum = sum.wrapping_add(element(set, head)?);
        self.count += 1;
        Ok(())
    }

    /// Counts a head out.
    pub(crate) fn subtract(&mut self, set: &Key, head: &RecordRef<'_>) -> Result<(), VaultError> {
        let sum = &mut self.sums[bucket_of(head.key.id[0])];
        *sum = sum.wrapping_sub(element(set, head)?);
        self.count = self.count.saturating_sub(1);
        Ok(())
    }

    /// The first bytes of the ids in each bucket.
    pub(crate) fn buckets() -> impl Iterator<Item = RangeInclusive<u8>> {
        (0..=u8::MAX)
            .step_by(1 << (8 - BUCKET_BITS))
            .map(bucket_around)
    }

    /// The sum over the bucket that ids with this first byte belong to. Not to be shown.
    pub(crate) fn sum(&self, first: u8) -> u128 {
        self.sums[bucket_of(first)]
    }

    /// Whether a bucket holds exactly what was counted in.
    pub(crate) fn bucket_agrees(&self, found: &Self, first: u8) -> bool {
        self.sums[bucket_of(first)] == found.sums[bucket_of(first)]
    }

    /// Counts in what another counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (sum, more) in self.sums.iter_mut().zip(other.sums.iter()) {
            *sum = sum.wrapping_add(*more);
        }
        self.count += other.count;
    }

    pub(crate) fn seal(
        &self,
        place: (VaultId, WorkspaceId),
        key: &Key,
        rng: &dyn Rng,
        revision: u64,
    ) -> Record {
        let mut plain = Vec::with_capacity(8 + BUCKETS * 16);
        plain.extend_from_slice(&self.count.to_le_bytes());
        self.sums
            .iter()
            .for_each(|sum| plain.extend_from_slice(&sum.to_le_bytes()));
        let body = key.seal(rng, &workspace_aad(place, revision), &plain);
        Record {
            key: workspace_state_key(place.1),
            revision,
            body,
        }
    }

    pub(crate) fn open(
        place: (VaultId, WorkspaceId),
        key: &Key,
        record: &Record,
    ) -> Result<Self, OpenError> {
        let mut plain = Vec::new();
        key.open_public(
            &workspace_aad(place, record.revision),
            &record.body,
            &mut plain,
        )?;
        Self::decode(&plain).map_err(|_| OpenError::Tampered)
    }

    pub(crate) fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut d = Decoder::new(plain);
        let mut state = Self::empty();
        state.count = d.u64()?;
        for sum in state.sums.iter_mut() {
            *sum = u128::from_le_bytes(d.fixed()?);
        }
        d.end()?;
        Ok(state)
    }
}

fn workspace_aad((vault, workspace): (VaultId, WorkspaceId), revision: u64) -> Aad {
    Aad::new("subrosa/workspace-state/v1")
        .bytes(vault.as_bytes())
        .bytes(workspace.as_bytes())
        .u64(revision)
}

/// A keyed function of a head's place, revision and content; the commitments stand for the
/// content, since each sealed record has its own nonce.
fn element(set: &Key, head: &RecordRef<'_>) -> Result<u128, VaultError> {
    let halves = HeadBody::split(head.body)?;
    let short = || VaultError::tampered("the record of a secret");
    let mut data = [0; 16 + 8 + 32 + 32 + 16 + 16];
    data[..16].copy_from_slice(&head.key.id);
    data[16..24].copy_from_slice(&head.revision.to_le_bytes());
    data[24..56].copy_from_slice(&commitment(halves.meta).ok_or_else(short)?);
    data[56..88].copy_from_slice(&commitment(halves.keys).ok_or_else(short)?);
    // The authentication tags: two records under one key and nonce would share a commitment.
    data[88..104].copy_from_slice(halves.meta.last_chunk::<16>().ok_or_else(short)?);
    data[104..].copy_from_slice(halves.keys.last_chunk::<16>().ok_or_else(short)?);
    let output = set.prf(&data);
    let (low, _) = output.split_at(16);
    Ok(u128::from_le_bytes(low.try_into().expect("16 of 32 bytes")))
}
