//! Memory that two processes share, and overwriting.

use std::ffi::{c_char, c_void};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{Ordering, compiler_fence};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mlock, mmap, munmap};

use super::InFork;

/// Pages that a process shares with the guardian of a command: left out of core dumps, wiped when
/// dropped. They have no name in any folder; whoever has the descriptor can map them.
///
/// The one place outside locked memory where values for an environment are written: the kernel
/// copies them from here into the new program, and then they are wiped, for all processes at once.
pub(crate) struct SharedRegion {
    base: NonNull<u8>,
    len: usize,
    used: usize,
    file: OwnedFd,
}

// SAFETY: the region owns its mapping alone in this process; its address is as valid on one thread
// as on another.
unsafe impl Send for SharedRegion {}

impl SharedRegion {
    /// Makes `len` bytes; only pages that are written to take memory.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create(c"subrosa-start", flags)?;
        ftruncate(&file, len as u64)?;
        // Else who has it as well could cut it short under whoever reads it.
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::map(file, len)
    }

    /// Maps what another process made.
    ///
    /// # Errors
    /// When it is not of this length, or could change its length.
    pub(crate) fn map(file: OwnedFd, len: usize) -> io::Result<Self> {
        let held = SealFlags::SHRINK | SealFlags::GROW;
        let is_whole = rustix::fs::fstat(&file)?.st_size as u64 == len as u64;
        if !is_whole || !rustix::fs::fcntl_get_seals(&file)?.contains(held) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (access, flags) = (
            ProtFlags::READ | ProtFlags::WRITE,
            MapFlags::SHARED | MapFlags::NORESERVE,
        );
        // SAFETY: a null hint lets the kernel choose an unused range, so no memory that anything
        // else refers to is replaced; the seals keep the file as long as the mapping.
        let base = unsafe { mmap(null_mut(), len, access, flags, &file, 0) }?;
        let base = NonNull::new(base.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let region = Self {
            base,
            len,
            used: 0,
            file,
        };
        // SAFETY: the range is the mapping made above; the advice changes what a dump holds only.
        unsafe { madvise(base.as_ptr().cast::<c_void>(), len, Advice::LinuxDontDump) }?;
        Ok(region)
    }

    /// What another process maps it by.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// What a fork needs to know of the region.
    pub(crate) fn view(&self) -> RegionView {
        RegionView {
            base: self.base.as_ptr() as usize,
            len: self.len,
        }
    }

    /// Keeps the first `len` bytes out of swap if the limit on locked memory leaves room.
    ///
    /// Not more than a wish: the environment of the child that the bytes are for can be swapped
    /// out just as well.
    pub(crate) fn lock(&mut self, len: usize) {
        let len = len.min(self.len);
        // SAFETY: the range lies within the mapping; locking changes residency, not contents.
        let _ = unsafe { mlock(self.base.as_ptr().cast::<c_void>(), len) };
    }

    /// Copies `bytes` to `offset`; `false` when they do not fit.
    #[must_use]
    pub(crate) fn put(&mut self, offset: usize, bytes: &[u8]) -> bool {
        let Some(end) = offset
            .checked_add(bytes.len())
            .filter(|end| *end <= self.len)
        else {
            return false;
        };
        // SAFETY: `offset..end` lies within the mapping by the check above. `bytes` cannot overlap
        // it: no reference into the region is ever handed out. The other process does not touch
        // the region before it is told that it is filled.
        unsafe {
            let target = self.base.as_ptr().add(offset);
            target.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        self.used = self.used.max(end);
        true
    }

    /// Overwrites what was put.
    pub(crate) fn wipe(&mut self) {
        for offset in 0..self.used {
            // SAFETY: `used` never exceeds the length of the mapping.
            unsafe { self.base.as_ptr().add(offset).write_volatile(0) };
        }
        compiler_fence(Ordering::SeqCst);
        self.used = 0;
    }
}

impl Drop for SharedRegion {
    fn drop(&mut self) {
        self.wipe();
        // SAFETY: the mapping is ours, was made with this length, and nothing refers into it.
        // Unmapping unlocks.
        let _ = unsafe { munmap(self.base.as_ptr().cast::<c_void>(), self.len) };
    }
}

/// Where a region lies; of use in a fork, which has the same pages at the same address for good.
#[derive(Clone, Copy)]
pub(crate) struct RegionView {
    base: usize,
    len: usize,
}

impl RegionView {
    #[cfg(test)]
    pub(super) fn base(self) -> *const u8 {
        self.base as *const u8
    }

    /// The array of strings at `offset`, made into one of pointers: once each array. `None` unless
    /// it and the strings, given by their offsets, lie within the region and end there: the array
    /// with a zero, each string with a NUL.
    pub(super) fn strings(self, _: &InFork, offset: usize) -> Option<*const *const c_char> {
        let word = size_of::<usize>();
        if !offset.is_multiple_of(word) || self.len == 0 {
            return None;
        }
        // SAFETY: in a fork the region is mapped for good (see `InFork`), no other process touches
        // it between the request to start and the answer, and any byte is a valid `u8`.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.base as *mut u8, self.len) };
        for at in (offset..self.len).step_by(word) {
            let entry = bytes.get(at..at.checked_add(word)?)?;
            let text = usize::from_ne_bytes(entry.try_into().ok()?);
            if text == 0 {
                return Some((self.base + offset) as *const *const c_char);
            }
            if !bytes.get(text..)?.contains(&0) {
                return None;
            }
            let address = (self.base + text).to_ne_bytes();
            bytes.get_mut(at..at + word)?.copy_from_slice(&address);
        }
        None
    }
}

/// Overwrites `bytes` in a way that the compiler keeps.
pub(crate) fn wipe(bytes: &mut [u8]) {
    for byte in bytes {
        // SAFETY: the pointer comes from a reference.
        unsafe { std::ptr::from_mut(byte).write_volatile(0) };
    }
    compiler_fence(Ordering::SeqCst);
}
