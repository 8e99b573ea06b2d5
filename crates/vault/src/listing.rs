//! All secrets of a workspace at once.

use std::ops::{ControlFlow, Range};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::thread;

use subrosa_model::{GroupName, KeyName, VaultId, WorkspaceName};

use crate::codec::Malformed;
use crate::contents::{Contents, open_head_as};
use crate::head::{Brief, Head};
use crate::index::{self, Index};
use crate::journal::Journal;
use crate::port::{Collection, RecordKey, RecordRef, Snapshot};
use crate::state::{WorkspaceState, bucket_around};
use crate::workspace::Workspace;
use crate::{Vault, VaultError};

/// Heads that are handed to a thread at a time: some 60 KiB, which the allocator keeps at hand. A
/// workspace of fewer is opened without threads.
const PAGE: usize = 128;
/// Pages that may wait for a thread.
const WAITING: usize = 16;
/// Most threads that open heads, the one that reads them included.
const THREADS_MAX: usize = 4;

impl Vault {
    /// All secrets of a workspace, in the order of group and key; removed ones included.
    ///
    /// The whole workspace is opened and compared with its state.
    ///
    /// # Errors
    /// [`VaultError::Tampered`] when a secret is missing, added or not what was stored.
    pub fn list(
        &mut self,
        journal: &mut dyn Journal,
        name: &WorkspaceName,
    ) -> Result<Vec<Head>, VaultError> {
        let decode = |_: u8, plain: &[u8]| Head::decode(plain).map(Some);
        self.read(journal, |contents, snapshot| {
            let vault = contents.header.vault;
            match stated(contents, snapshot, name)? {
                Some((workspace, state)) => open_all((vault, workspace, state), snapshot, &decode),
                None => Ok(Vec::new()),
            }
        })
        .map(|heads| {
            sorted(heads, |head| {
                (head.group.as_ref().map(GroupName::as_str), &head.key)
            })
        })
    }

    /// What `pick` makes of the secrets of a workspace, in the order of the group and key that
    /// `name_of` tells. It runs in several threads.
    ///
    /// In a large workspace, buckets that the index knows are told by it: it is bound to their sums
    /// in the state. Whether their heads are still what was stored is seen when they are used. The
    /// others are opened and compared, those that `pick` leaves out as well, and the index is
    /// written for the next time.
    ///
    /// # Errors
    /// As [`Vault::list`].
    pub fn list_as<T: Send>(
        &mut self,
        journal: &mut dyn Journal,
        name: &WorkspaceName,
        pick: &(dyn Fn(Brief) -> Option<T> + Sync),
        name_of: NameOf<T>,
    ) -> Result<Vec<T>, VaultError> {
        let rng = std::sync::Arc::clone(&self.rng);
        let (listed, index) = self.read(journal, |contents, snapshot| {
            let vault = contents.header.vault;
            let Some((workspace, state)) = stated(contents, snapshot, name)? else {
                return Ok((Vec::new(), None));
            };
            let Some(index) = Index::of(vault, workspace, state) else {
                let decode = |_: u8, plain: &[u8]| Brief::decode(plain).map(pick);
                let listed = open_all((vault, workspace, state), snapshot, &decode)?;
                return Ok((listed, None));
            };
            let decode = |first: u8, plain: &[u8]| {
                let brief = Brief::decode(plain)?;
                Ok(Some((first, index::encode(&brief), pick(brief))))
            };
            let opener = Opener {
                vault,
                workspace,
                decode: &decode,
            };
            let told = index.read(snapshot, pick)?;
            let part = opener.all(&mut |visit| {
                let parent = workspace.id.as_bytes();
                told.unknown.iter().try_for_each(|first| {
                    snapshot.scan_bucket(Collection::Head, parent, bucket_around(*first), visit)
                })
            })?;
            let agrees = |first: &u8| state.bucket_agrees(&part.found, *first);
            if !told.unknown.iter().all(agrees) || told.count + part.found.count != state.count {
                return Err(VaultError::tampered("the secrets of a workspace"));
            }
            let mut listed = told.picked;
            let mut heads = Vec::with_capacity(part.picked.len());
            for (first, brief, picked) in part.picked {
                listed.extend(picked);
                heads.push((first, brief));
            }
            Ok((listed, index.written(&*rng, &heads)))
        })?;
        if let Some(batch) = index {
            // The next list takes longer without it, and that is all.
            let _ = self.store.commit(&batch);
        }
        Ok(sorted(listed, name_of))
    }
}

/// A workspace and its state, once it is known to be the one that the vault's state lists.
fn stated<'a>(
    contents: &'a mut Contents,
    snapshot: &mut dyn Snapshot,
    name: &WorkspaceName,
) -> Result<Option<(&'a Workspace, &'a WorkspaceState)>, VaultError> {
    contents.load_workspace_state(snapshot, name)?;
    let Some(workspace) = contents.workspaces.get(name) else {
        return Ok(None);
    };
    match &workspace.state {
        Some((_, state)) => Ok(Some((workspace, state))),
        None => Err(VaultError::tampered("the secrets of a workspace")),
    }
}

/// What `decode` makes of all heads of a workspace, which must be those that its state counts.
fn open_all<T: Send>(
    (vault, workspace, state): (VaultId, &Workspace, &WorkspaceState),
    snapshot: &mut dyn Snapshot,
    decode: &Decode<'_, T>,
) -> Result<Vec<T>, VaultError> {
    let opener = Opener {
        vault,
        workspace,
        decode,
    };
    let part = opener
        .all(&mut |visit| snapshot.scan(Collection::Head, Some(workspace.id.as_bytes()), visit))?;
    if *state == part.found {
        Ok(part.picked)
    } else {
        Err(VaultError::tampered("the secrets of a workspace"))
    }
}

/// The group and key of what was made of a secret.
type NameOf<T> = fn(&T) -> (Option<&str>, &KeyName);

/// What the first byte of a head's id and its plaintext become.
type Decode<'a, T> = dyn Fn(u8, &[u8]) -> Result<Option<T>, Malformed> + Sync + 'a;

/// Heads as they were read.
#[derive(Default)]
struct Page {
    heads: Vec<(RecordKey, u64, Range<usize>)>,
    bodies: Vec<u8>,
}

impl Page {
    fn as_large_as(other: &Self) -> Self {
        Self {
            heads: Vec::with_capacity(other.heads.len()),
            bodies: Vec::with_capacity(other.bodies.len() + other.bodies.len() / 8),
        }
    }

    fn push(&mut self, record: &RecordRef<'_>) {
        let start = self.bodies.len();
        self.bodies.extend_from_slice(record.body);
        let body = start..self.bodies.len();
        self.heads.push((record.key, record.revision, body));
    }
}

/// What one thread made of its pages.
struct Part<T> {
    found: WorkspaceState,
    picked: Vec<T>,
    plain: Vec<u8>,
}

type Visit<'a> = dyn FnMut(RecordRef<'_>) -> ControlFlow<()> + 'a;

struct Opener<'a, T> {
    vault: VaultId,
    workspace: &'a Workspace,
    decode: &'a Decode<'a, T>,
}

impl<T: Send> Opener<'_, T> {
    /// Opens what `scan` visits. Whoever reads also opens, whenever the others have enough to do.
    fn all(
        &self,
        scan: &mut dyn FnMut(&mut Visit<'_>) -> Result<(), subrosa_model::StoreError>,
    ) -> Result<Part<T>, VaultError> {
        let (send, receive) = sync_channel::<Page>(WAITING);
        let receive = Mutex::new(receive);
        let mut own = self.part();
        let mut parts = thread::scope(|scope| {
            let mut workers = Vec::new();
            let mut page = Page::default();
            let mut failure = None;
            scan(&mut |record| {
                page.push(&record);
                if page.heads.len() < PAGE {
                    return ControlFlow::Continue(());
                }
                if workers.is_empty() {
                    workers.extend((1..threads()).map(|_| scope.spawn(|| self.work(&receive))));
                }
                let empty = Page::as_large_as(&page);
                let full = std::mem::replace(&mut page, empty);
                let left = if workers.is_empty() {
                    Some(full)
                } else {
                    match send.try_send(full) {
                        Ok(()) => None,
                        // Full; or all of them gave up, and the failure is met here as well.
                        Err(TrySendError::Full(page) | TrySendError::Disconnected(page)) => {
                            Some(page)
                        }
                    }
                };
                match left.map_or(Ok(()), |page| self.open(&page, &mut own)) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(error) => {
                        failure = Some(error);
                        ControlFlow::Break(())
                    }
                }
            })?;
            drop(send);
            if let Some(error) = failure {
                return Err(error);
            }
            self.open(&page, &mut own)?;
            while let Some(page) = next(&receive) {
                self.open(&page, &mut own)?;
            }
            let mut parts = vec![own];
            for worker in workers {
                // A panic there is one here.
                parts.push(
                    worker
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
                );
            }
            Ok(parts)
        })?;
        let mut all = parts.swap_remove(0);
        for part in parts {
            all.found.merge(&part.found);
            all.picked.extend(part.picked);
        }
        Ok(all)
    }

    fn part(&self) -> Part<T> {
        Part {
            found: WorkspaceState::empty(),
            picked: Vec::new(),
            plain: Vec::new(),
        }
    }

    fn work(&self, pages: &Mutex<Receiver<Page>>) -> Result<Part<T>, VaultError> {
        let mut part = self.part();
        while let Some(page) = next(pages) {
            self.open(&page, &mut part)?;
        }
        Ok(part)
    }

    fn open(&self, page: &Page, part: &mut Part<T>) -> Result<(), VaultError> {
        for (key, revision, body) in &page.heads {
            let record = RecordRef {
                key: *key,
                revision: *revision,
                body: &page.bodies[body.clone()],
            };
            part.found.add(self.workspace.keys.set(), &record)?;
            let plain = &mut part.plain;
            let decode = |plain: &[u8]| (self.decode)(key.id[0], plain);
            let picked = open_head_as(self.vault, self.workspace, &record, plain, decode)?;
            part.picked.extend(picked);
        }
        Ok(())
    }
}

/// Sorts places rather than what is large, and by the first bytes of the names where they differ.
fn sorted<T>(mut items: Vec<T>, name_of: NameOf<T>) -> Vec<T> {
    let mut places: Vec<(u128, usize)> = items
        .iter()
        .map(|item| prefix(name_of(item)))
        .zip(0..)
        .collect();
    places.sort_unstable_by(|(a, at), (b, other)| {
        a.cmp(b)
            .then_with(|| name_of(&items[*at]).cmp(&name_of(&items[*other])))
    });
    // Along each cycle, so that no second list is touched: a place takes what belongs there, and what
    // stood there goes on to where that came from.
    for start in 0..items.len() {
        let mut at = start;
        loop {
            let from = std::mem::replace(&mut places[at].1, at);
            if from == start || from == at {
                break;
            }
            items.swap(at, from);
            at = from;
        }
    }
    items
}

/// The first 16 bytes of a text that sorts as group and key do: no group before any, and a zero,
/// which no name has, between the two.
fn prefix((group, key): (Option<&str>, &KeyName)) -> u128 {
    let mut first = [0; 16];
    let mut rest = &mut first[..];
    let mut put = |bytes: &[u8]| {
        let room = std::mem::take(&mut rest);
        let (to, left) = room.split_at_mut(bytes.len().min(room.len()));
        to.copy_from_slice(&bytes[..to.len()]);
        rest = left;
    };
    put(&[u8::from(group.is_some())]);
    if let Some(group) = group {
        put(group.as_bytes());
        put(&[0]);
    }
    put(key.as_str().as_bytes());
    u128::from_be_bytes(first)
}

/// How many threads open what is sealed, this one included.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, |count| count.get().min(THREADS_MAX))
}

fn next(pages: &Mutex<Receiver<Page>>) -> Option<Page> {
    pages
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .recv()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_the_order_of_group_and_key() {
        let keys = [
            "a",
            "a-long-name/1",
            "a-long-name/10",
            "a-long-name/2",
            "b",
            "b/c",
        ];
        let groups = [
            None,
            Some("a"),
            Some("a-long-group-name"),
            Some("ab"),
            Some("b"),
        ];
        let names = groups.iter().flat_map(|group| {
            keys.iter()
                .map(|key| (*group, KeyName::new((*key).to_owned()).expect("a key")))
        });
        let right: Vec<(Option<&str>, KeyName)> = names.collect();
        let mut mixed = right.clone();
        mixed.reverse();
        mixed.swap(3, 17);
        let found = sorted(mixed, |(group, key)| (*group, key));
        assert_eq!(found, right);
    }
}
