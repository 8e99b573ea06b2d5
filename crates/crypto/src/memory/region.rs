//! One mapping: locked pages between two pages that fault.

use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::OnceLock;

use rustix::io::Errno;
#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mlock, mmap_anonymous, mprotect, munmap};
use rustix::process::{Resource, getrlimit};
use zeroize::Zeroize;

use super::MemoryError;

/// The size of a page in bytes.
pub(super) fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(rustix::param::page_size)
}

/// `RLIMIT_MEMLOCK` in bytes; `None` when unlimited.
pub(super) fn memlock_limit() -> Option<u64> {
    getrlimit(Resource::Memlock).current
}

/// Readable, writable, locked, undumpable pages with a guard page on each side.
///
/// The pages are zero when mapped and wiped before they are given back.
pub(super) struct Region {
    /// Start of the whole mapping, guard page included.
    base: NonNull<u8>,
    /// Usable bytes between the guards, a multiple of the page size.
    len: usize,
}

// SAFETY: a `Region` owns its mapping alone; the address is as valid on one
// thread as on another, and the methods that hand it out only compute it.
unsafe impl Send for Region {}

impl Region {
    /// Maps and locks at least `len` bytes, rounded up to whole pages.
    pub(super) fn map(len: usize) -> Result<Region, MemoryError> {
        let page = page_size();
        let len = len
            .checked_next_multiple_of(page)
            .ok_or(MemoryError::TooLarge { needed: len })?;
        let total = len
            .checked_add(2 * page)
            .ok_or(MemoryError::TooLarge { needed: len })?;

        // SAFETY: a null hint lets the kernel choose an unused range, so no
        // memory that anything else refers to is replaced.
        let base =
            unsafe { mmap_anonymous(null_mut(), total, ProtFlags::empty(), MapFlags::PRIVATE) }
                .map_err(|errno| MemoryError::Map(errno.into()))?;
        let base = NonNull::new(base.cast::<u8>())
            .expect("invariant: the kernel never maps the null page on its own choice");

        // From here on a failure drops the region, which unmaps it.
        let region = Region { base, len };
        let start = region.start().as_ptr().cast::<c_void>();
        // SAFETY: `start..start + len` lies within the mapping made above, which
        // nobody else knows yet.
        unsafe { mprotect(start, len, MprotectFlags::READ | MprotectFlags::WRITE) }
            .map_err(|errno| MemoryError::Map(errno.into()))?;
        #[cfg(target_os = "linux")]
        region.keep_private(start)?;
        // SAFETY: as above; locking changes residency, not contents.
        unsafe { mlock(start, len) }.map_err(|errno| match errno {
            // ENOMEM: over the limit; EPERM: the limit is zero; EAGAIN: some
            // pages could not be made resident.
            Errno::NOMEM | Errno::PERM | Errno::AGAIN => MemoryError::Locked {
                needed: len as u64,
                limit: memlock_limit().unwrap_or(u64::MAX),
            },
            other => MemoryError::Map(other.into()),
        })?;
        Ok(region)
    }

    /// Leaves the pages out of core dumps and empties them in forked children.
    #[cfg(target_os = "linux")]
    fn keep_private(&self, start: *mut c_void) -> Result<(), MemoryError> {
        // SAFETY: the range belongs to this region alone; the advice changes
        // what a dump holds, never the contents seen by this process.
        unsafe { madvise(start, self.len, Advice::LinuxDontDump) }
            .map_err(|errno| MemoryError::Map(errno.into()))?;
        // SAFETY: as above; this advice acts in a forked child only.
        match unsafe { madvise(start, self.len, Advice::LinuxWipeOnFork) } {
            // Kernels before 4.14 do not know it. A child of theirs sees a copy
            // until it executes another program, which it does at once.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(MemoryError::Map(errno.into())),
        }
    }

    /// The first usable byte, aligned to a page.
    pub(super) fn start(&self) -> NonNull<u8> {
        // SAFETY: the mapping is `len` plus two pages long, so one page in is
        // still inside it.
        unsafe { self.base.add(page_size()) }
    }

    /// Usable bytes.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // The kernel zeroes pages before it hands them to another process, so
        // this needs no wipe of its own: each slot was wiped when it was freed.
        //
        // SAFETY: the mapping is ours, was made with exactly this length, and
        // the last reference into it ended with the slots (see `Arena`).
        // Unmapping unlocks.
        let outcome = unsafe {
            munmap(
                self.base.as_ptr().cast::<c_void>(),
                self.len + 2 * page_size(),
            )
        };
        debug_assert!(outcome.is_ok(), "invariant: a region is unmapped once");
    }
}

/// Overwrites `bytes` with zeros in a way the compiler keeps.
pub(super) fn wipe(bytes: &mut [u8]) {
    // SAFETY: every bit pattern is a valid `u64` and a valid `u8`, so viewing
    // the aligned middle as words is sound.
    let (head, words, tail) = unsafe { bytes.align_to_mut::<u64>() };
    head.zeroize();
    words.zeroize();
    tail.zeroize();
}
