//! Slots of locked memory.
//!
//! Locking works on whole pages and the limit is small (8 MiB on most
//! systems), so a page per key would end at two thousand keys. Small slots
//! therefore share slabs, one set of slabs a size class; larger ones get a
//! mapping of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr::NonNull;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use super::MemoryError;
use super::region::{Region, page_size, wipe};

/// Sizes of shared slots in bytes. Multiples of 64, so that every slot is
/// aligned to a cache line, and for any type stored in it.
const CLASSES: [usize; 6] = [64, 128, 256, 512, 1024, 4096];

/// Alignment of every slot in bytes.
pub(super) const SLOT_ALIGN: usize = 64;

/// A slab grows with its class up to this many bytes, so that few keys lock
/// little and many keys need few mappings.
const SLAB_MAX: usize = 64 * 1024;

/// A source of locked slots; cloning shares it.
#[derive(Clone)]
pub(super) struct Arena {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// A limit below the kernel's, in bytes; `None` leaves it to the kernel.
    budget: Option<usize>,
}

struct State {
    /// Bytes locked now, guard pages not counted.
    locked: usize,
    classes: [Class; CLASSES.len()],
}

#[derive(Default)]
struct Class {
    /// By first address.
    slabs: BTreeMap<usize, Slab>,
    /// Addresses of slabs with a free slot; the lowest is filled first, so
    /// that high ones drain and can be given back.
    open: BTreeSet<usize>,
}

struct Slab {
    region: Region,
    /// Offsets of free slots.
    free: Vec<u32>,
    slots: usize,
}

/// Where a slot goes when it is freed.
enum Home {
    /// A slab of `CLASSES[class]` that starts at `slab`.
    Shared { class: usize, slab: usize },
    /// A mapping of its own.
    Own(Region),
}

/// Exclusive use of some zeroed, locked bytes; wiped and freed when dropped.
pub(super) struct Slot {
    start: NonNull<u8>,
    capacity: usize,
    /// `None` only while dropping.
    home: Option<Home>,
    arena: Arena,
}

// SAFETY: a slot is the only way to its bytes: the arena never touches a slot
// it has handed out. Access follows the borrow of the slot (`&` to read, `&mut`
// to write), so it may be moved to and shared with other threads like a `Box`.
unsafe impl Send for Slot {}
// SAFETY: as above: a shared slot can only be read.
unsafe impl Sync for Slot {}

impl Arena {
    /// The arena of this process, limited by the kernel alone.
    pub(super) fn global() -> &'static Arena {
        static GLOBAL: LazyLock<Arena> = LazyLock::new(|| Arena::new(None));
        &GLOBAL
    }

    /// An arena that refuses to lock more than `bytes`, as the kernel would.
    #[cfg(test)]
    pub(super) fn with_limit(bytes: usize) -> Arena {
        Arena::new(Some(bytes))
    }

    fn new(budget: Option<usize>) -> Arena {
        let state = Mutex::new(State {
            locked: 0,
            classes: Default::default(),
        });
        Arena {
            shared: Arc::new(Shared { state, budget }),
        }
    }

    /// Takes a slot of at least `needed` bytes, all zero.
    pub(super) fn take(&self, needed: usize) -> Result<Slot, MemoryError> {
        let mut state = self.state();
        match CLASSES.iter().position(|&size| needed <= size) {
            Some(class) => self.take_shared(&mut state, class),
            None => self.take_own(&mut state, needed),
        }
    }

    fn take_shared(&self, state: &mut State, class: usize) -> Result<Slot, MemoryError> {
        let size = CLASSES[class];
        let slab_start = match state.classes[class].open.first() {
            Some(&start) => start,
            None => self.grow(state, class)?,
        };
        let owner = &mut state.classes[class];
        let slab = owner
            .slabs
            .get_mut(&slab_start)
            .expect("invariant: an open slab is listed in its class");
        let offset = slab
            .free
            .pop()
            .expect("invariant: an open slab has a free slot");
        if slab.free.is_empty() {
            owner.open.remove(&slab_start);
        }
        // SAFETY: offsets in `free` are multiples of `size` that leave a whole
        // slot inside the region.
        let start = unsafe { slab.region.start().add(offset as usize) };
        Ok(Slot {
            start,
            capacity: size,
            home: Some(Home::Shared {
                class,
                slab: slab_start,
            }),
            arena: self.clone(),
        })
    }

    /// Adds a slab to a class and returns its address.
    fn grow(&self, state: &mut State, class: usize) -> Result<usize, MemoryError> {
        let size = CLASSES[class];
        let held: usize = state.classes[class]
            .slabs
            .values()
            .map(|slab| slab.region.len())
            .sum();
        let smallest = size.next_multiple_of(page_size());
        let wanted = held.clamp(smallest, SLAB_MAX.max(smallest));
        let region = match self.lock(state, wanted) {
            Err(MemoryError::Locked { .. }) if wanted > smallest => self.lock(state, smallest)?,
            outcome => outcome?,
        };

        let slots = region.len() / size;
        let free = (0..slots)
            .rev()
            .map(|slot| u32::try_from(slot * size).expect("invariant: slabs are far below 4 GiB"))
            .collect();
        let start = region.start().as_ptr().addr();
        let class = &mut state.classes[class];
        class.open.insert(start);
        class.slabs.insert(
            start,
            Slab {
                region,
                free,
                slots,
            },
        );
        Ok(start)
    }

    fn take_own(&self, state: &mut State, needed: usize) -> Result<Slot, MemoryError> {
        let region = self.lock(state, needed)?;
        Ok(Slot {
            start: region.start(),
            capacity: region.len(),
            home: Some(Home::Own(region)),
            arena: self.clone(),
        })
    }

    /// Locks a region; over the limit, gives idle slabs back and tries again.
    fn lock(&self, state: &mut State, len: usize) -> Result<Region, MemoryError> {
        let outcome = match self.lock_once(state, len) {
            Err(MemoryError::Locked { .. }) if state.reclaim() => self.lock_once(state, len),
            outcome => outcome,
        };
        if let Ok(region) = &outcome {
            state.locked += region.len();
        }
        outcome
    }

    fn lock_once(&self, state: &State, len: usize) -> Result<Region, MemoryError> {
        if let Some(budget) = self.shared.budget {
            let rounded = len.checked_next_multiple_of(page_size());
            let after = rounded.and_then(|rounded| rounded.checked_add(state.locked));
            if after.is_none_or(|after| after > budget) {
                return Err(MemoryError::Locked {
                    needed: len as u64,
                    limit: budget as u64,
                });
            }
        }
        Region::map(len)
    }

    fn give_back(&self, start: NonNull<u8>, home: Home) {
        let mut state = self.state();
        match home {
            Home::Own(region) => state.locked -= region.len(),
            Home::Shared { class, slab } => {
                let owner = &mut state.classes[class];
                let entry = owner
                    .slabs
                    .get_mut(&slab)
                    .expect("invariant: a slab outlives its slots");
                let offset = start.as_ptr().addr() - slab;
                entry
                    .free
                    .push(u32::try_from(offset).expect("invariant: an offset came from the slab"));
                owner.open.insert(slab);
                // One idle slab a class is kept, so that a key made and dropped
                // in a loop does not map and unmap each time.
                if entry.is_idle() && owner.open.len() > 1 {
                    state.release(class, slab);
                }
            }
        }
    }

    /// Bytes locked now.
    #[cfg(test)]
    pub(super) fn locked(&self) -> usize {
        self.state().locked
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held can only come from a broken invariant
        // above, and each of those is checked before the state is changed.
        self.shared
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    /// Unmaps every slab without a used slot; says whether there was one.
    fn reclaim(&mut self) -> bool {
        let idle: Vec<(usize, usize)> = self
            .classes
            .iter()
            .enumerate()
            .flat_map(|(class, owner)| {
                let idle = owner.slabs.iter().filter(|(_, slab)| slab.is_idle());
                idle.map(move |(&start, _)| (class, start))
            })
            .collect();
        for &(class, start) in &idle {
            self.release(class, start);
        }
        !idle.is_empty()
    }

    fn release(&mut self, class: usize, start: usize) {
        let owner = &mut self.classes[class];
        owner.open.remove(&start);
        if let Some(slab) = owner.slabs.remove(&start) {
            self.locked -= slab.region.len();
        }
    }
}

impl Slab {
    fn is_idle(&self) -> bool {
        self.free.len() == self.slots
    }
}

impl Slot {
    /// Usable bytes, at least as many as were asked for.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The first byte, aligned to [`SLOT_ALIGN`].
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }

    /// The arena it came from.
    pub(super) fn arena(&self) -> &Arena {
        &self.arena
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `start..start + capacity` is mapped, initialised (zero when
        // mapped, zero when freed) and ours alone; `&self` keeps writers out.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.capacity) }
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and `&mut self` makes this the only access.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.capacity) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Wiped before it is free again: the next owner must find zeros, and an
        // idle slot must hold nothing.
        wipe(self.bytes_mut());
        if let Some(home) = self.home.take() {
            self.arena.give_back(self.start, home);
        }
    }
}
