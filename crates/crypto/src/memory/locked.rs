//! One value in a locked slot.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::MemoryError;
use super::arena::{Arena, SLOT_ALIGN, Slot};

/// Written before the value. A forked child finds zeros instead.
const ALIVE: u64 = 0x6c6f_636b_6564_2e2e;

#[repr(C)]
struct Cell<T> {
    alive: u64,
    value: T,
}

/// A `T` that lives in locked memory, for key states that are more than bytes.
///
/// No `Clone`, no `Debug`, no `Deref`: reached by [`Locked::get`] alone.
pub(crate) struct Locked<T> {
    slot: Slot,
    value: PhantomData<T>,
}

impl<T: Send + Sync> Locked<T> {
    /// Builds a value straight into locked memory.
    ///
    /// `build` runs in a stack frame of its own, and the stack below the caller
    /// is overwritten afterwards, so temporaries of the construction do not
    /// stay behind on it.
    pub(crate) fn build(build: impl FnOnce() -> T) -> Result<Locked<T>, MemoryError> {
        const {
            assert!(align_of::<Cell<T>>() <= SLOT_ALIGN);
        }
        let slot = Arena::global().take(size_of::<Cell<T>>())?;
        place(slot.start().cast::<Cell<T>>(), build);
        wipe_stack();
        Ok(Locked {
            slot,
            value: PhantomData,
        })
    }

    /// The slot itself, to play what the kernel does in a forked child.
    #[cfg(test)]
    pub(super) fn slot_mut(&mut self) -> &mut Slot {
        &mut self.slot
    }

    /// Reads the value.
    ///
    /// # Panics
    /// In a forked child: the kernel emptied the slot there, and a cipher keyed
    /// with zeros must not be used.
    pub(crate) fn get(&self) -> &T {
        let cell = self.slot.start().cast::<Cell<T>>().as_ptr();
        // SAFETY: `build` wrote a `Cell<T>` at this aligned address. The tag is
        // read by itself, before any reference to the value exists, because a
        // forked child finds zeros here, which need not be a valid `T`.
        let alive = unsafe { (&raw const (*cell).alive).read_volatile() };
        assert!(
            alive == ALIVE,
            "invariant: a key is not used in a forked child, whose locked memory is empty"
        );
        // SAFETY: the tag shows that the value written by `build` is present;
        // nothing writes to the slot before `drop`, which needs `&mut self`.
        unsafe { &(*cell).value }
    }
}

#[inline(never)]
fn place<T>(cell: NonNull<Cell<T>>, build: impl FnOnce() -> T) {
    let value = build();
    // SAFETY: the caller passes the start of a slot that is large enough,
    // aligned, writable, and not yet shared. The old contents are plain bytes
    // that need no drop.
    unsafe {
        cell.write(Cell {
            alive: ALIVE,
            value,
        });
    }
}

/// Overwrites the part of the stack that a callee of the caller has used.
#[inline(never)]
pub(crate) fn wipe_stack() {
    /// More than the deepest frame of an HMAC set-up, by a wide margin.
    const DEPTH: usize = 8 * 1024;
    let mut frame = [0_u64; DEPTH / 8];
    // The compiler must assume that the frame is read, so the zeros are stored.
    std::hint::black_box(&mut frame);
}

impl<T> Drop for Locked<T> {
    fn drop(&mut self) {
        let cell = self.slot.start().cast::<Cell<T>>().as_ptr();
        // SAFETY: the tag is read alone, as in `get`.
        let alive = unsafe { (&raw const (*cell).alive).read_volatile() };
        // In a forked child there is no value left to drop; the slot is still
        // given back, so that the child's arena stays consistent.
        if alive == ALIVE {
            // SAFETY: the value is present and is dropped once, here; the slot
            // is wiped and freed only after this function.
            unsafe { (&raw mut (*cell).value).drop_in_place() };
        }
    }
}
