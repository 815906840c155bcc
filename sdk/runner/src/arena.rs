//! The memory of a call, which is given back as a whole.
//!
//! A call brings and makes many small blocks, and when it is over all of them are freed. So nothing is searched for and nothing is kept in
//! lists: a block is what comes next, and where no block of a call is left the next call begins where this one did. Only the last block
//! can grow or be freed by itself.

#![allow(unsafe_code, reason = "an allocator is pointers")]

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::Cell;
use std::ptr;

const PAGE_BYTES: usize = 64 << 10;
/// By how many pages the memory grows at least.
const GROWTH_PAGES: usize = 4;

#[global_allocator]
static ARENA: Arena = Arena {
    begin: Cell::new(0),
    next: Cell::new(0),
    end: Cell::new(0),
    live: Cell::new(0),
    kept: Cell::new(0),
};

struct Arena {
    /// Where the blocks of a call begin.
    begin: Cell<usize>,
    /// Where the next block begins, but for its alignment.
    next: Cell<usize>,
    /// Where the memory ends.
    end: Cell<usize>,
    /// How many blocks there are.
    live: Cell<usize>,
    /// How many of them stay for good.
    kept: Cell<usize>,
}

// SAFETY: a module without threads has only one.
unsafe impl Sync for Arena {}

/// Makes something whose memory stays for good: calls begin behind it.
pub(crate) fn keep<T>(make: impl FnOnce() -> T) -> T {
    let before = ARENA.live.get();
    let made = make();
    ARENA.kept.set(ARENA.kept.get() + ARENA.live.get() - before);
    ARENA.begin.set(ARENA.next.get());
    made
}

impl Arena {
    /// Makes room until `end`. Fails where the memory may not grow.
    #[cold]
    fn grow(&self, size: usize, align: usize) -> Option<usize> {
        let pages = (size + align).div_ceil(PAGE_BYTES).max(GROWTH_PAGES);
        let former = memory_grow(0, pages);
        if former == usize::MAX {
            return None;
        }
        let start = former * PAGE_BYTES;
        // At first, or where somebody else made it grow: what is there before is not ours, so no call may begin there.
        if start != self.end.get() {
            self.next.set(start);
            self.begin.set(start);
        }
        self.end.set(memory_size(0) * PAGE_BYTES);
        Some(self.next.get().next_multiple_of(align))
    }
}

// SAFETY: a block lies behind all blocks that are in use, within the memory. `next` goes back to the end of a block that is in use, or to
// `begin` where none is but those that `keep` counted, which lie before it.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut start = self.next.get().next_multiple_of(layout.align());
        if layout.size() > self.end.get().saturating_sub(start) {
            let Some(grown) = self.grow(layout.size(), layout.align()) else {
                return ptr::null_mut();
            };
            start = grown;
        }
        self.next.set(start + layout.size());
        self.live.set(self.live.get() + 1);
        start as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let live = self.live.get() - 1;
        self.live.set(live);
        if live == self.kept.get() {
            self.next.set(self.begin.get());
        } else if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize;
        let is_last = start + layout.size() == self.next.get();
        if size <= layout.size() || is_last && size <= self.end.get() - start {
            if is_last {
                self.next.set(start + size);
            }
            return block;
        }
        // SAFETY: the caller's promises are those of these three: the size is not zero, and the block is one of this allocator.
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
