//! The allocator of a guest, and the project's only hand-written unsafe code outside tests.
//!
//! A guest lives for one call. Its usual allocator would ask for a page of memory before the first
//! byte, which costs the host two system calls for every request. This one hands out the bytes of
//! a static buffer that is part of the memory the instance starts with, one after the other, and
//! goes to a second allocator only for what no longer fits.
//!
//! What holds throughout: the bytes below `top` are handed out or given up, those from `top` on are
//! nobody's. `top` moves by compare-and-exchange only, from a value that the mover knows to be the
//! end of its own block, so the invariant holds even where several threads allocate, as they do in
//! the native tests. Only the block that ends at `top` can be given back or resized in place;
//! others are given up until the instance ends, which is soon.

#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The bytes of a guest's arena. With a stack of 16 KiB and the few KiB of a plugin's constants it
/// leaves the memory at one page of 64 KiB, the least there can be; an ordinary call takes under 4.
pub const BYTES: usize = 32 * 1024;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: Arena<BYTES, std::alloc::System> = Arena::new(std::alloc::System);

/// `N` bytes to hand out, and an allocator for when they are gone.
#[repr(align(16))]
pub struct Arena<const N: usize, B> {
    bytes: UnsafeCell<[u8; N]>,
    top: AtomicUsize,
    beyond: B,
}

// SAFETY: `bytes` is never read or written through the arena itself, only through the blocks that
// were handed out, and no two blocks overlap (see the module's invariant).
unsafe impl<const N: usize, B: Sync> Sync for Arena<N, B> {}

impl<const N: usize, B> Arena<N, B> {
    /// An empty one.
    pub const fn new(beyond: B) -> Self {
        Self { bytes: UnsafeCell::new([0; N]), top: AtomicUsize::new(0), beyond }
    }

    /// How many bytes are handed out or given up.
    pub fn used(&self) -> usize {
        self.top.load(Relaxed)
    }

    fn base(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    /// Where in the arena a block starts; `None` where it is not from here.
    fn offset(&self, block: *mut u8) -> Option<usize> {
        block.addr().checked_sub(self.base().addr()).filter(|&offset| offset < N)
    }

    /// Takes bytes from the top; `None` where they do not fit.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let mut start = 0;
        let taken = self.top.fetch_update(Relaxed, Relaxed, |top| {
            // Up to the next multiple of the alignment, which is a power of two; a mask is less
            // code than a remainder, and every call runs it.
            let padding = (self.base().addr() + top).wrapping_neg() & (layout.align() - 1);
            start = top + padding;
            start.checked_add(layout.size()).filter(|&end| end <= N)
        });
        // SAFETY: `start + size <= N`, so the block lies within `bytes`.
        taken.ok().map(|_| unsafe { self.base().add(start) })
    }

    /// Moves the end of the block at `start` if it is the last one and the new end fits.
    fn resize(&self, start: usize, old: usize, new: usize) -> bool {
        let fits = start.checked_add(new).filter(|&end| end <= N);
        fits.is_some_and(|end| {
            self.top.compare_exchange(start + old, end, Relaxed, Relaxed).is_ok()
        })
    }
}

// SAFETY: `take` gives blocks of the right size and alignment that overlap no other; `resize` and
// `dealloc` move `top` only from the end of the caller's own block, so nothing above is in use; all
// else is the second allocator's, which is told apart by address and gets only its own blocks back.
unsafe impl<const N: usize, B: GlobalAlloc> GlobalAlloc for Arena<N, B> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is the one `beyond` asks for.
        self.take(layout).unwrap_or_else(|| unsafe { self.beyond.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset(block) {
            Some(start) => _ = self.resize(start, layout.size(), 0),
            // SAFETY: not from the arena, so from `beyond`, with this layout.
            None => unsafe { self.beyond.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(start) = self.offset(block) else {
            // SAFETY: as in `dealloc`.
            return unsafe { self.beyond.realloc(block, layout, size) };
        };
        if self.resize(start, layout.size(), size) || size <= layout.size() {
            return block;
        }
        // SAFETY: the caller promises that `size`, rounded up to the alignment, is in range; the
        // new block overlaps no other, and `layout.size()` bytes fit in it, as `size` is greater.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size());
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests;
