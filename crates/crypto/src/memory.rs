//! Locked memory: where keys and decrypted values live.
//!
//! Every byte here is in pages that are
//!
//! * locked with `mlock`, so they are never written to swap,
//! * marked `MADV_DONTDUMP`, so a core dump leaves them out,
//! * marked `MADV_WIPEONFORK` (kernel 4.14 and later), so a forked child finds
//!   zeros,
//! * between two guard pages, so a stray read or write faults,
//! * wiped as soon as the owner drops them.
//!
//! The system limits how much a process may lock (`RLIMIT_MEMLOCK`, often
//! 8 MiB, and none for root). Over the limit an operation is refused; nothing
//! falls back to ordinary memory. Slots share pages in size classes of 64 to
//! 4096 bytes; a longer buffer has its own mapping.
//!
//! What this does not do: hibernation writes locked pages to disk, root and the
//! kernel can read them, and the processor's registers and the stack hold
//! copies while a primitive runs.
//!
//! On systems other than Linux, pages are locked and guarded; the two `madvise`
//! marks do not exist there.

mod arena;
mod locked;
mod region;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use arena::{Arena, Slot};
pub(crate) use locked::Locked;

/// Bytes in locked memory, wiped when dropped.
///
/// There is no `Clone`, `Deref`, `Display`, `PartialEq` or serialisation, and
/// `Debug` prints a constant. Compare with [`ct_eq`].
///
/// In a forked child the contents read as zeros.
///
/// ```
/// use subrosa_crypto::SecretBuf;
/// let secret = SecretBuf::copy_from(b"hunter2")?;
/// assert_eq!(secret.as_slice(), b"hunter2");
/// assert_eq!(format!("{secret:?}"), "SecretBuf(***)");
/// # Ok::<(), subrosa_crypto::MemoryError>(())
/// ```
///
/// ```compile_fail,E0599
/// let secret = subrosa_crypto::SecretBuf::new();
/// let copy = secret.clone();
/// ```
///
/// ```compile_fail,E0277
/// let secret = subrosa_crypto::SecretBuf::new();
/// println!("{secret}");
/// ```
///
/// ```compile_fail,E0614
/// let secret = subrosa_crypto::SecretBuf::new();
/// let bytes = *secret;
/// ```
#[derive(Default)]
pub struct SecretBuf {
    /// `None` while the buffer has never held anything.
    slot: Option<Slot>,
    len: usize,
}

impl SecretBuf {
    /// An empty buffer; locks nothing until something is put in.
    pub const fn new() -> Self {
        SecretBuf { slot: None, len: 0 }
    }

    /// An empty buffer that takes `n` bytes without moving.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much.
    pub fn with_capacity(n: usize) -> Result<Self, MemoryError> {
        Self::with_capacity_in(Arena::global(), n)
    }

    fn with_capacity_in(arena: &Arena, n: usize) -> Result<Self, MemoryError> {
        let slot = match n {
            0 => None,
            n => Some(arena.take(n)?),
        };
        Ok(SecretBuf { slot, len: 0 })
    }

    /// Copies `bytes`. The caller's copy is the caller's to wipe.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much.
    pub fn copy_from(bytes: &[u8]) -> Result<Self, MemoryError> {
        let mut buf = Self::with_capacity(bytes.len())?;
        buf.extend(bytes)?;
        Ok(buf)
    }

    /// Copies `vec` and wipes it, its spare capacity included, also on failure.
    ///
    /// For bytes that some other library put into ordinary memory. Copies that
    /// the vector left behind while it grew cannot be reached any more; where
    /// possible use [`SecretBuf::read_to_end`] instead.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much.
    pub fn take(mut vec: Vec<u8>) -> Result<Self, MemoryError> {
        let outcome = Self::copy_from(&vec);
        vec.zeroize();
        outcome
    }

    /// `n` zero bytes, to be written through [`SecretBuf::as_mut_slice`].
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much.
    pub fn zeroed(n: usize) -> Result<Self, MemoryError> {
        let mut buf = Self::with_capacity(n)?;
        // A slot is zero when it is taken, so only the length changes.
        buf.len = n;
        Ok(buf)
    }

    /// Appends `bytes`.
    ///
    /// A full buffer moves to a larger locked one and the old is wiped.
    ///
    /// # Errors
    /// [`MemoryError`] when the system does not lock that much; the buffer then
    /// is as before.
    pub fn extend(&mut self, bytes: &[u8]) -> Result<(), MemoryError> {
        let needed = self
            .len
            .checked_add(bytes.len())
            .ok_or(MemoryError::TooLarge { needed: usize::MAX })?;
        self.reserve(needed)?;
        if let Some(slot) = &mut self.slot {
            slot.bytes_mut()[self.len..needed].copy_from_slice(bytes);
        }
        self.len = needed;
        Ok(())
    }

    /// Shortens the buffer to `len` bytes and wipes the rest at once. Does
    /// nothing when it is not longer.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        if let Some(slot) = &mut self.slot {
            region::wipe(&mut slot.bytes_mut()[len..self.len]);
        }
        self.len = len;
    }

    /// Number of bytes held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no byte is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes. What is copied out of here is no longer protected.
    pub fn as_slice(&self) -> &[u8] {
        match &self.slot {
            Some(slot) => &slot.bytes()[..self.len],
            None => &[],
        }
    }

    /// The bytes, to be changed in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        match &mut self.slot {
            Some(slot) => &mut slot.bytes_mut()[..self.len],
            None => &mut [],
        }
    }

    /// Reads everything up to the end of `reader`, at most `limit` bytes,
    /// straight into locked memory.
    ///
    /// A reader that buffers keeps its own copy; pass an unbuffered one.
    ///
    /// # Errors
    /// [`ReadError::TooLong`] when there is more than `limit` bytes,
    /// [`ReadError::Io`] when reading fails, [`ReadError::Memory`] when the
    /// system does not lock that much. What was read is wiped in each case.
    pub fn read_to_end(reader: &mut dyn Read, limit: usize) -> Result<Self, ReadError> {
        Self::read_to_end_in(Arena::global(), reader, limit)
    }

    fn read_to_end_in(
        arena: &Arena,
        reader: &mut dyn Read,
        limit: usize,
    ) -> Result<Self, ReadError> {
        // One byte more than allowed, so that an input of exactly `limit` bytes
        // is told apart from a longer one.
        let most = limit.saturating_add(1);
        let mut buf = Self::with_capacity_in(arena, most.min(READ_CHUNK))?;
        loop {
            if buf.len == buf.capacity().min(most) {
                if buf.len == most {
                    return Err(ReadError::TooLong { limit });
                }
                buf.reserve(buf.len.saturating_add(READ_CHUNK).min(most))?;
            }
            let end = buf.capacity().min(most);
            let start = buf.len;
            let spare = match &mut buf.slot {
                Some(slot) => &mut slot.bytes_mut()[start..end],
                None => unreachable!("invariant: at least one byte was reserved above"),
            };
            match reader.read(spare) {
                Ok(0) => return Ok(buf),
                Ok(n) => buf.len += n.min(end - start),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ReadError::Io(error)),
            }
        }
    }

    fn capacity(&self) -> usize {
        self.slot.as_ref().map_or(0, Slot::capacity)
    }

    /// Makes room for `needed` bytes in all.
    fn reserve(&mut self, needed: usize) -> Result<(), MemoryError> {
        let capacity = self.capacity();
        if needed <= capacity {
            return Ok(());
        }
        // Growing by half keeps appending linear; near the limit on locked
        // memory exactly what is needed may still fit.
        let roomy = needed.max(capacity.saturating_add(capacity / 2));
        let arena = match &self.slot {
            Some(slot) => slot.arena(),
            None => Arena::global(),
        };
        let mut slot = match arena.take(roomy) {
            Err(MemoryError::Locked { .. }) if roomy > needed => arena.take(needed)?,
            outcome => outcome?,
        };
        slot.bytes_mut()[..self.len].copy_from_slice(self.as_slice());
        self.slot = Some(slot);
        Ok(())
    }
}

/// First and least growth when reading input of unknown length, in bytes.
const READ_CHUNK: usize = 4096;

impl std::fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBuf(***)")
    }
}

/// Locked memory could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The limit on locked memory would be passed.
    #[error(
        "the system does not let this process lock {needed} more bytes (limit: {limit} bytes); \
         secrets are kept in locked memory only, so raise the limit with `ulimit -l` \
         (or LimitMEMLOCK= in a service) and start again"
    )]
    Locked {
        /// Bytes that were to be locked in addition.
        needed: u64,
        /// Bytes that may be locked in all.
        limit: u64,
    },
    /// More bytes than any address space holds were asked for.
    #[error("{needed} bytes are more than memory can hold; check the size of the input")]
    TooLarge {
        /// Bytes that were asked for.
        needed: usize,
    },
    /// The system refused memory for another reason.
    #[error("the system refused protected memory; free some memory and try again")]
    Map(#[source] io::Error),
}

/// Reading into locked memory failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There was more input than allowed.
    #[error("the input is longer than {limit} bytes; pass at most that much")]
    TooLong {
        /// Bytes that are allowed.
        limit: usize,
    },
    /// The input could not be read.
    #[error("the input could not be read; check that it exists and is readable")]
    Io(#[from] io::Error),
    /// There was no locked memory for it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// Compares in a time that depends on the lengths alone.
///
/// Slices of different lengths are unequal, which is told at once.
///
/// ```
/// assert!(subrosa_crypto::ct_eq(b"same", b"same"));
/// assert!(!subrosa_crypto::ct_eq(b"same", b"sane"));
/// ```
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
