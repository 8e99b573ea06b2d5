//! What a list tells of the secrets of a large workspace, sealed once more by bucket.
//!
//! A head takes a key derivation and a decryption of its own; 100,000 of them take longer than a
//! list should. A record of the index holds the briefs of one bucket under one seal, which is bound
//! to the sum of the bucket in the state of the workspace: it tells what the heads told when their
//! sum was this one, or it does not open. So it cannot be out of date, and nothing is gained by
//! removing it, by damaging it or by putting an older one back: the heads are read instead.
//!
//! Source: spec/vault.md, "Index".

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use subrosa_crypto::{Aad, Rng};
use subrosa_model::VaultId;
use subrosa_model::limits::{FIELDS_MAX, TAGS_MAX};

use crate::VaultError;
use crate::codec::{Decoder, Encoder, Malformed};
use crate::head::Brief;
use crate::keys::index_key;
use crate::listing::threads;
use crate::port::{Batch, Record, Snapshot, Write};
use crate::state::{WorkspaceState, bucket_around};
use crate::workspace::Workspace;

/// A workspace of fewer secrets is opened as fast without.
const SMALLEST: u64 = 2048;
/// Heads that were opened for want of an index, before it is written again.
const WORTH_WRITING: usize = 512;
/// Most heads in a bucket; it bounds what one record holds.
const BRIEFS_MAX: usize = 64 * 1024;

/// The index of one workspace, as far as its state knows it.
pub(crate) struct Index<'a> {
    vault: VaultId,
    workspace: &'a Workspace,
    state: &'a WorkspaceState,
}

/// What an index told.
pub(crate) struct Told<T> {
    pub(crate) picked: Vec<T>,
    /// How many heads it told of.
    pub(crate) count: u64,
    /// First bytes of the buckets that it knows nothing of.
    pub(crate) unknown: Vec<u8>,
}

impl<'a> Index<'a> {
    /// `None` when the workspace is too small to have one.
    pub(crate) fn of(
        vault: VaultId,
        workspace: &'a Workspace,
        state: &'a WorkspaceState,
    ) -> Option<Self> {
        (state.count >= SMALLEST).then_some(Self {
            vault,
            workspace,
            state,
        })
    }

    /// What `pick` makes of the secrets that the index knows. It runs in several threads.
    pub(crate) fn read<T: Send>(
        &self,
        snapshot: &mut dyn Snapshot,
        pick: &(dyn Fn(Brief) -> Option<T> + Sync),
    ) -> Result<Told<T>, VaultError> {
        let mut records = Vec::new();
        for bucket in WorkspaceState::buckets() {
            let first = *bucket.start();
            records.push((first, snapshot.get(&index_key(self.workspace.id, first))?));
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut told = Told::nothing();
            let mut plain = Vec::new();
            while let Some((first, record)) = records.get(next.fetch_add(1, Ordering::Relaxed)) {
                let record = record.as_ref();
                match record.and_then(|record| self.open(*first, record, &mut plain, pick)) {
                    Some((count, picked)) => {
                        told.count += count;
                        told.picked.extend(picked);
                    }
                    None => told.unknown.push(*first),
                }
            }
            told
        };
        let mut all = thread::scope(|scope| {
            let others: Vec<_> = (1..threads()).map(|_| scope.spawn(work)).collect();
            let mut all = work();
            for other in others {
                // A panic there is one here.
                let told = other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                all.add(told);
            }
            all
        });
        all.unknown.sort_unstable();
        Ok(all)
    }

    fn open<T>(
        &self,
        first: u8,
        record: &Record,
        plain: &mut Vec<u8>,
        pick: &(dyn Fn(Brief) -> Option<T> + Sync),
    ) -> Option<(u64, Vec<T>)> {
        let key = self.workspace.keys.meta();
        key.open_public(&self.aad(first), &record.body, plain)
            .ok()?;
        let mut picked = Vec::new();
        let mut count = 0;
        let mut d = Decoder::new(plain);
        d.each(BRIEFS_MAX, |d| {
            count += 1;
            picked.extend(pick(decode(d)?));
            Ok(())
        })
        .ok()?;
        d.end().ok()?;
        Some((count, picked))
    }

    /// The records that tell of these heads; `None` when they are too few to write any. Each is the
    /// first byte of a head's id and its brief; all heads of their buckets are among them.
    pub(crate) fn written(&self, rng: &dyn Rng, heads: &[(u8, Vec<u8>)]) -> Option<Batch> {
        if heads.len() < WORTH_WRITING {
            return None;
        }
        let mut buckets: BTreeMap<u8, Vec<&[u8]>> = BTreeMap::new();
        for (first, brief) in heads {
            let bucket = *bucket_around(*first).start();
            buckets.entry(bucket).or_default().push(brief);
        }
        let sealed = |(first, briefs): (u8, Vec<&[u8]>)| {
            let plain = Encoder::new()
                .list(briefs.into_iter(), Encoder::verbatim)
                .finish();
            let key = self.workspace.keys.meta();
            Write::Put(Record {
                key: index_key(self.workspace.id, first),
                revision: 1,
                body: key.seal(rng, &self.aad(first), &plain),
            })
        };
        let small = |bucket: &(u8, Vec<&[u8]>)| bucket.1.len() <= BRIEFS_MAX;
        Some(Batch {
            writes: buckets.into_iter().filter(small).map(sealed).collect(),
            yields: true,
            ..Batch::default()
        })
    }

    fn aad(&self, first: u8) -> Aad {
        Aad::new("subrosa/index/v1")
            .bytes(self.vault.as_bytes())
            .bytes(self.workspace.id.as_bytes())
            .u32(u32::from(first))
            .bytes(&self.state.sum(first).to_le_bytes())
    }
}

impl<T> Told<T> {
    fn nothing() -> Self {
        Self {
            picked: Vec::new(),
            count: 0,
            unknown: Vec::new(),
        }
    }

    fn add(&mut self, other: Self) {
        self.picked.extend(other.picked);
        self.count += other.count;
        self.unknown.extend(other.unknown);
    }
}

/// The bytes of a brief.
pub(crate) fn encode(brief: &Brief) -> Vec<u8> {
    let name = |e: Encoder, text: &str| e.text(text);
    Encoder::new()
        .option(brief.group.as_ref().map(|group| group.as_str()), name)
        .text(brief.key.as_str())
        .option(brief.provider.as_ref().map(|id| id.as_str()), name)
        .time(brief.modified)
        .option(brief.expires, Encoder::time)
        .option(brief.removed, Encoder::time)
        .list(brief.tags.iter(), |e, tag| e.text(tag.as_str()))
        .list(brief.fields.iter(), |e, field| e.text(field.as_str()))
        .u32(brief.version)
        .finish()
}

fn decode(d: &mut Decoder<'_>) -> Result<Brief, Malformed> {
    Ok(Brief {
        group: d.option(Decoder::name)?,
        key: d.name()?,
        provider: d.option(Decoder::name)?,
        modified: d.time()?,
        expires: d.option(Decoder::time)?,
        removed: d.option(Decoder::time)?,
        tags: d.list(TAGS_MAX, Decoder::name)?,
        fields: d.list(FIELDS_MAX, Decoder::name)?,
        version: d.u32()?,
    })
}
